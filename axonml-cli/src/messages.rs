//! Standard error: notes, explanations, progress.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use axonml::study::Listener;
use indicatif::{ProgressBar, ProgressStyle};

/// How much is said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Messages {
    quiet: bool,
    verbose: bool,
}

impl Messages {
    /// As `-q` and `-v` have it.
    pub(crate) fn new(quiet: bool, verbose: bool) -> Self {
        Messages { quiet, verbose }
    }

    /// Something the user should know.
    pub(crate) fn note(self, text: impl std::fmt::Display) {
        if !self.quiet {
            say!("note: {text}");
        }
    }

    /// Something that makes results doubtful.
    pub(crate) fn warn(self, text: impl std::fmt::Display) {
        if !self.quiet {
            say!("warning: {text}");
        }
    }

    /// Names what `--keep-going` leaves out: the first few, or all with `-v`.
    pub(crate) fn skipped(self, reasons: impl ExactSizeIterator<Item = String>) {
        const SHOWN: usize = 3;
        let shown = if self.verbose { usize::MAX } else { SHOWN };
        let left_out = reasons.len().saturating_sub(shown);
        for reason in reasons.take(shown) {
            self.note(format_args!("skipped: {reason}"));
        }
        if left_out > 0 {
            self.note(format_args!(
                "skipped {left_out} more like these; the column `message` tells"
            ));
        }
    }

    /// Something that `-v` asks for.
    pub(crate) fn explain(self, text: impl std::fmt::Display) {
        if self.verbose {
            say!("{text}");
        }
    }

    /// Progress of `total` pieces of work called `unit`: a bar on a terminal, now and then a line elsewhere.
    pub(crate) fn progress(self, unit: &'static str, total: usize) -> Progress {
        let bar = (!self.quiet && std::io::stderr().is_terminal()).then(|| {
            let template = format!(
                "{{elapsed:>4}} [{{bar:36}}] {{pos}}/{{len}} {unit}, {{per_sec}}, {{eta}} left{{msg}}"
            );
            let style = ProgressStyle::with_template(&template)
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(total as u64).with_style(style.progress_chars("=> "));
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Progress {
            messages: self,
            unit,
            total,
            bar,
            first: 0,
            remark: String::new(),
            started: Instant::now(),
            said: Instant::now(),
        }
    }
}

/// Messages and progress of a study.
pub(crate) struct StudyListener {
    messages: Messages,
    /// Name of pieces of work, in place of the work's own.
    unit: Option<&'static str>,
    /// The progress of the work of that name.
    progress: Option<(&'static str, Progress)>,
}

impl StudyListener {
    /// Tells of a study whose cases are called `unit`.
    pub(crate) fn new(messages: Messages, unit: &'static str) -> Self {
        StudyListener {
            messages,
            unit: Some(unit),
            progress: None,
        }
    }

    /// Tells of work of several kinds, one after the other.
    pub(crate) fn by_unit(messages: Messages) -> Self {
        StudyListener {
            messages,
            unit: None,
            progress: None,
        }
    }
}

impl StudyListener {
    /// The progress of the work called `unit`; that of earlier work goes before.
    fn of(&mut self, unit: &'static str, total: usize) -> &mut Progress {
        let (messages, unit) = (self.messages, self.unit.unwrap_or(unit));
        self.progress.take_if(|(of, _)| *of != unit);
        let begin = || (unit, messages.progress(unit, total));
        &mut self.progress.get_or_insert_with(begin).1
    }
}

impl Listener for StudyListener {
    fn note(&mut self, text: String) {
        self.messages.note(text);
    }

    fn warn(&mut self, text: String) {
        self.messages.warn(text);
    }

    fn explain(&mut self, text: String) {
        self.messages.explain(text);
    }

    fn progress(&mut self, unit: &'static str, done: usize, total: usize) {
        self.of(unit, total).update(done);
    }

    fn batch(&mut self, unit: &'static str, done: usize, total: usize) {
        self.of(unit, total).batch(done);
    }
}

/// Progress of one piece of long work.
pub(crate) struct Progress {
    messages: Messages,
    unit: &'static str,
    total: usize,
    bar: Option<ProgressBar>,
    /// Items that were done before.
    first: usize,
    /// Text after the figures.
    remark: String,
    started: Instant,
    said: Instant,
}

/// Time between lines of progress.
const INTERVAL: Duration = Duration::from_secs(5);

impl Progress {
    /// The same where `done` of all were done before, which does not count for the rate.
    pub(crate) fn from(mut self, done: usize) -> Self {
        self.first = done;
        if let Some(bar) = &self.bar {
            bar.set_position(done as u64);
            bar.reset_eta();
        }
        self
    }

    /// Replaces the text after the figures.
    pub(crate) fn remark(&mut self, text: String) {
        self.remark = format!("; {text}");
        if let Some(bar) = &self.bar {
            bar.set_message(self.remark.clone());
        }
    }

    /// `done` of all are done.
    pub(crate) fn update(&mut self, done: usize) {
        match &self.bar {
            Some(bar) => bar.set_position(done as u64),
            None if !self.messages.quiet && self.said.elapsed() >= INTERVAL => self.say(done),
            None => {}
        }
    }

    /// `done` of all are done, which is said at once where there is no bar.
    pub(crate) fn tell(&mut self, done: usize) {
        match &self.bar {
            Some(bar) => bar.set_position(done as u64),
            None if !self.messages.quiet => self.say(done),
            None => {}
        }
    }

    /// A batch is finished, so that `done` of all are done.
    pub(crate) fn batch(&mut self, done: usize) {
        if self.messages.verbose && self.bar.is_none() {
            self.say(done);
        }
        self.update(done);
    }

    fn say(&mut self, done: usize) {
        self.said = Instant::now();
        let seconds = self.started.elapsed().as_secs_f64();
        let (total, unit, remark) = (self.total, self.unit, &self.remark);
        let now = done.saturating_sub(self.first);
        if now == 0 {
            say!("{done} of {total} {unit} after {seconds:.0} s{remark}");
            return;
        }
        let rate = now as f64 / seconds.max(1e-9);
        let left = (total - done.min(total)) as f64 / rate;
        say!("{done} of {total} {unit}, {rate:.1} {unit}/s, about {left:.0} s left{remark}");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
