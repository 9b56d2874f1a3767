//! Cases in batches of the size that time and memory allow; results do not depend on it.

use std::time::{Duration, Instant};

use super::StudyError;
use super::batch::{BATCH, groups, most_at_once};
use super::case::Case;
use super::listener::Listener;

/// Cases of a batch at first.
pub(super) const FIRST_BATCH: usize = 128;
/// Fibers of a batch, at least, where time allows.
const LEAST: usize = 32;
/// Batches should take about this long, so that rows come in steadily and a kill loses little.
const SHORT: Duration = Duration::from_millis(1200);
const LONG: Duration = Duration::from_secs(4);

/// How many cases come next. Results do not depend on it.
struct Pace {
    size: usize,
    /// Number of fibers that fit into memory.
    most: usize,
    least: usize,
}

impl Pace {
    fn new(first: usize, most: usize) -> Self {
        Pace {
            size: first.clamp(1, most),
            most,
            least: LEAST.min(first.max(1)).min(most),
        }
    }

    /// The next of `left` cases: all of them if they are not many more than a batch.
    fn next(&self, left: usize) -> usize {
        let all = left <= self.size + self.size / 2 && left <= self.most;
        if all { left } else { self.size }
    }

    /// Learns from a batch.
    fn took(&mut self, time: Duration) {
        if time < SHORT {
            self.size = (2 * self.size).min(self.most);
        } else if time > LONG {
            self.size = (self.size / 2).max(self.least);
        }
    }
}

/// Works on one batch of cases; its second argument hears of the fraction that is done.
pub(super) type BatchWork<'w, 'c> =
    dyn FnMut(Vec<(usize, &'c Case)>, &mut dyn FnMut(f64)) -> Result<(), StudyError> + 'w;

/// Works on cases batch by batch, the first of `first` cases, the others in the size that time and memory allow.
pub(super) fn in_batches<'c>(
    cases: Vec<(usize, &'c Case)>,
    first: usize,
    unit: &'static str,
    listener: &mut dyn Listener,
    work: &mut BatchWork<'_, 'c>,
) -> Result<(), StudyError> {
    let total = cases.len();
    let mut done = 0;
    listener.progress(unit, 0, total);
    for group in groups(cases) {
        let one = group[0].1;
        listener.explain(format!(
            "{} fiber(s) of model {}, dt {} ms, tstop {} ms",
            group.len(),
            one.model.schema().id,
            one.dt_ms,
            one.tstop_ms
        ));
        let most = BATCH.min(most_at_once(&group));
        let mut pace = Pace::new(first, most);
        let mut left = group.as_slice();
        while !left.is_empty() {
            let begun = Instant::now();
            let (batch, rest) = left.split_at(pace.next(left.len()));
            left = rest;
            work(batch.to_vec(), &mut |fraction| {
                let of_batch = (fraction * batch.len() as f64) as usize;
                listener.progress(unit, done + of_batch, total);
            })?;
            done += batch.len();
            listener.batch(unit, done, total);
            pace.took(begun.elapsed());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_follow_the_pace_and_the_memory() {
        let mut pace = Pace::new(128, 256);
        // Not a batch and a few left over.
        assert_eq!(
            (pace.next(172), pace.next(193), pace.next(5)),
            (172, 128, 5)
        );
        pace.took(Duration::from_millis(10));
        assert_eq!((pace.next(1000), pace.next(300)), (256, 256));
        for _ in 0..9 {
            pace.took(Duration::from_secs(60));
        }
        assert_eq!(pace.next(1000), LEAST);
        let mut narrow = Pace::new(128, 3);
        narrow.took(Duration::ZERO);
        assert_eq!((narrow.next(100), narrow.next(4)), (3, 3));
        narrow.took(Duration::from_secs(60));
        assert_eq!(narrow.next(100), 3);
        // Cases of many runs each begin with few.
        let mut heavy = Pace::new(2, 256);
        heavy.took(Duration::from_secs(60));
        assert_eq!(heavy.next(100), 2);
    }
}
