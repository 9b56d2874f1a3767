//! Many optimizations as one.

use serde::{Deserialize, Serialize};

use crate::error::{OptimizeError, check_count};
use crate::fitness::Fitness;
use crate::optimizer::{Optimizer, Point, Stop};
use crate::projection::Projection;

/// Optimizations of one kind from several starts, whose points make one batch. They know nothing of each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Starts<O> {
    each: Vec<O>,
    called: Vec<bool>,
}

impl<O: Optimizer> Starts<O> {
    /// Runs `each` side by side.
    pub fn new(each: Vec<O>) -> Self {
        Starts {
            called: vec![false; each.len()],
            each,
        }
    }

    /// The optimizations.
    pub fn each(&self) -> &[O] {
        &self.each
    }

    /// The reason for which each has ended; none of those that go on.
    pub fn stops(&self) -> impl Iterator<Item = Option<Stop>> {
        let each = self.each.iter().zip(&self.called);
        each.map(|(start, called)| start.stop().or(called.then_some(Stop::Called)))
    }

    /// Ends an optimization that cannot win; no start, no effect.
    pub fn call_off(&mut self, start: usize) {
        if let Some(called) = self.called.get_mut(start) {
            *called = true;
        }
    }

    /// The start of each point of [`ask`](Optimizer::ask).
    pub fn asked(&self) -> Vec<usize> {
        let counts = self
            .running()
            .map(|(index, start)| (index, start.ask().len()));
        counts
            .flat_map(|(index, count)| std::iter::repeat_n(index, count))
            .collect()
    }

    fn running(&self) -> impl Iterator<Item = (usize, &O)> {
        let each = self.each.iter().enumerate().zip(&self.called);
        each.filter(|(_, called)| !**called).map(|(start, _)| start)
    }
}

impl<O: Optimizer<Told: Clone>> Optimizer for Starts<O> {
    type Told = O::Told;
    type Fitness = O::Fitness;

    fn ask(&self) -> Vec<Vec<f64>> {
        self.running().flat_map(|(_, start)| start.ask()).collect()
    }

    fn check(&self, told: &[O::Told]) -> Result<(), OptimizeError> {
        let counts: Vec<usize> = self.running().map(|(_, start)| start.ask().len()).collect();
        check_count(told.len(), counts.iter().sum())?;
        let mut rest = told;
        for ((_, start), count) in self.running().zip(counts) {
            let (own, later) = rest.split_at(count);
            if count > 0 {
                start.check(own)?;
            }
            rest = later;
        }
        Ok(())
    }

    fn tell(&mut self, told: Vec<O::Told>, set: &dyn Projection) -> Result<(), OptimizeError> {
        self.check(&told)?;
        let mut told = told.into_iter();
        for (start, called) in self.each.iter_mut().zip(&self.called) {
            let count = if *called { 0 } else { start.ask().len() };
            if count > 0 {
                start.tell(told.by_ref().take(count).collect(), set)?;
            }
        }
        Ok(())
    }

    /// The best of all, those called off included; of equals the first.
    fn best(&self) -> Option<&Point<O::Fitness>> {
        let each = self.each.iter().filter_map(O::best);
        each.reduce(|best, other| {
            if other.fitness.better_than(&best.fitness) {
                other
            } else {
                best
            }
        })
    }

    /// None as long as a start is running, then the reason of the last in order.
    fn stop(&self) -> Option<Stop> {
        if self.each.is_empty() {
            return Some(Stop::Steps);
        }
        let stops: Option<Vec<Stop>> = self.stops().collect();
        stops.and_then(|stops| stops.last().copied())
    }
}
