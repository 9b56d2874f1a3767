//! The course of an optimization as its folder and its watcher hear it.

use super::Watcher;
use super::folder::Folder;
use super::record::Draft;
use crate::design::{Course, DesignError, HistoryRow, Judged, Moment, Tally};

/// Keeps batches and the best stimulus in a folder, if there is one, and tells a watcher.
pub struct Keeping<'a> {
    folder: Option<Folder>,
    draft: &'a Draft<'a>,
    save_every: usize,
    watcher: &'a mut dyn Watcher,
    began: std::time::Instant,
}

impl std::fmt::Debug for Keeping<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeping")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl<'a> Keeping<'a> {
    pub(super) fn new(
        folder: Option<Folder>,
        draft: &'a Draft<'a>,
        save_every: usize,
        watcher: &'a mut dyn Watcher,
    ) -> Self {
        if let Some(kept) = folder.as_ref().map(Folder::kept).filter(|kept| *kept > 0) {
            watcher.note(format!("{kept} finished batches are taken from the folder"));
        }
        Keeping {
            folder,
            draft,
            save_every: save_every.max(1),
            watcher,
            began: std::time::Instant::now(),
        }
    }

    pub(super) fn into_parts(self) -> (Option<Folder>, &'a mut dyn Watcher) {
        (self.folder, self.watcher)
    }
}

impl Course for Keeping<'_> {
    fn recall(&mut self) -> Option<String> {
        self.folder.as_mut().and_then(Folder::recall)
    }

    fn keep(&mut self, batch: &str) -> Result<(), DesignError> {
        self.folder
            .as_mut()
            .map_or(Ok(()), |folder| folder.keep(batch))
    }

    fn improved(&mut self, best: &Judged, tally: &Tally) -> Result<(), DesignError> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        let seconds = self.began.elapsed().as_secs_f64();
        let result = self.draft.claimed(best, tally, seconds);
        let written = folder.best(&result, &best.delivered());
        written.map_err(|error| DesignError::Keep(error.message()))
    }

    fn stage(&mut self, stage: &'static str) {
        self.watcher.stage(self.draft.nerve(), stage);
    }

    fn fraction(&mut self, fraction: f64) {
        self.watcher
            .progress("parts of a thousand", (1e3 * fraction) as usize, 1000);
    }

    fn reached(&mut self, moment: &Moment, history: &[HistoryRow]) -> Result<(), DesignError> {
        self.watcher.reached(moment);
        let Some(folder) = self.folder.as_ref().filter(|folder| folder.kept() == 0) else {
            return Ok(());
        };
        match moment.iteration % self.save_every {
            0 => folder
                .history(history)
                .map_err(|error| DesignError::Keep(error.message())),
            _ => Ok(()),
        }
    }
}
