//! The order of training cases: a pure function of seed and step.

use serde::{Deserialize, Serialize};

use axonml_core::Random;

/// Sampling of cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Sampling {
    /// Every case once per epoch, in an order of the epoch's own.
    #[default]
    Shuffled,
    /// With replacement: every case of every batch is drawn independently.
    Replaced,
    /// Every case once per epoch, by number.
    Sequential,
}

/// Tells random numbers for orders from those of cases.
const PURPOSE: u64 = 0x6f72_6465_7220_3031;

/// The order of all steps.
#[derive(Clone, Debug)]
pub(super) struct Order {
    sampling: Sampling,
    seed: u64,
    count: usize,
    batch: usize,
    /// The latest epoch's order.
    epoch: Option<(usize, Vec<usize>)>,
}

impl Order {
    /// Of `count` cases in batches of `batch`, the last of an epoch being smaller where it has to be.
    pub(super) fn new(sampling: Sampling, seed: u64, count: usize, batch: usize) -> Self {
        Order {
            sampling,
            seed,
            count,
            batch,
            epoch: None,
        }
    }

    /// Batches of an epoch.
    pub(super) fn batches(&self) -> usize {
        self.count.div_ceil(self.batch)
    }

    /// The cases of step `step`.
    pub(super) fn cases(&mut self, step: usize) -> Vec<usize> {
        let (epoch, position) = (step / self.batches(), step % self.batches());
        if self.epoch.as_ref().is_none_or(|(known, _)| *known != epoch) {
            self.epoch = Some((epoch, self.order(epoch)));
        }
        let order = self.epoch.as_ref().map_or(&[][..], |(_, order)| order);
        let first = position * self.batch;
        order[first..self.count.min(first + self.batch)].to_vec()
    }

    fn order(&self, epoch: usize) -> Vec<usize> {
        let mut random = Random::of(self.seed, PURPOSE, epoch);
        let mut order: Vec<usize> = (0..self.count).collect();
        match self.sampling {
            Sampling::Sequential => {}
            Sampling::Replaced => order.fill_with(|| random.index(self.count)),
            // Fisher and Yates.
            Sampling::Shuffled => {
                for last in (1..self.count).rev() {
                    order.swap(last, random.index(last + 1));
                }
            }
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_hold_every_case_once_in_another_order() {
        let mut order = Order::new(Sampling::Shuffled, 3, 10, 4);
        assert_eq!(order.batches(), 3);
        let mut epoch = |epoch: usize| -> Vec<usize> {
            (0..3).flat_map(|i| order.cases(3 * epoch + i)).collect()
        };
        let (first, second) = (epoch(0), epoch(1));
        assert_ne!(first, second);
        assert_eq!(
            first,
            epoch(0),
            "an epoch's order does not depend on earlier requests"
        );
        for mut all in [first, second] {
            all.sort_unstable();
            assert_eq!(all, (0..10).collect::<Vec<_>>());
        }
        assert_ne!(
            Order::new(Sampling::Shuffled, 4, 10, 10).cases(0),
            Order::new(Sampling::Shuffled, 3, 10, 10).cases(0)
        );
    }

    #[test]
    fn the_other_orders_do_as_they_say() {
        let mut by_number = Order::new(Sampling::Sequential, 0, 5, 2);
        assert_eq!(
            [by_number.cases(2), by_number.cases(3)],
            [vec![4], vec![0, 1]]
        );
        let mut replaced = Order::new(Sampling::Replaced, 0, 1000, 1000).cases(0);
        assert!(replaced.iter().all(|&case| case < 1000));
        replaced.sort_unstable();
        replaced.dedup();
        // 632 of 1000 are expected, with a standard deviation of 10.
        assert!((580..690).contains(&replaced.len()), "{}", replaced.len());
    }
}
