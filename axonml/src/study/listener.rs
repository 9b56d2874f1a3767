//! Who hears of a study while it runs.

/// Hears of a study while it is planned and runs. Every method does nothing unless it is implemented.
pub trait Listener {
    /// Something the user should know.
    fn note(&mut self, text: String) {
        let _ = text;
    }

    /// Something that makes results doubtful.
    fn warn(&mut self, text: String) {
        let _ = text;
    }

    /// A detail for those who ask for them.
    fn explain(&mut self, text: String) {
        let _ = text;
    }

    /// `done` of `total` pieces of work called `unit`; a fraction of a piece counts as none.
    fn progress(&mut self, unit: &'static str, done: usize, total: usize) {
        let _ = (unit, done, total);
    }

    /// A batch is finished and kept, so that `done` of `total` are.
    fn batch(&mut self, unit: &'static str, done: usize, total: usize) {
        self.progress(unit, done, total);
    }
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Listener for Silent {}
