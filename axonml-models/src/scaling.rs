//! The gains of a stimulus's sources as functions of the amplitude under study.
//!
//! Rollouts know gains only. Which of them an amplitude multiplies, and how a derivative by the amplitude follows from
//! those by gains, is known here.

use std::sync::Arc;

use axonml_autodiff::adjoint::SourceCotangent;

/// The gain of one source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SourceGain {
    /// This many times the amplitude under study.
    Scaled(f64),
    /// This number, whatever the amplitude: the source conditions the fiber, or tests it.
    Fixed(f64),
}

impl SourceGain {
    /// The gain at an amplitude, mA.
    pub fn at(self, amplitude_ma: f64) -> f64 {
        match self {
            SourceGain::Scaled(strength) => strength * amplitude_ma,
            SourceGain::Fixed(gain) => gain,
        }
    }

    /// Whether the amplitude multiplies it.
    pub fn is_scaled(self) -> bool {
        matches!(self, SourceGain::Scaled(_))
    }
}

/// The gains of the sources of all fibers of a rollout.
///
/// # Shape
/// `[fiber][source]`, in the order of [`Drive::sources`](axonml_autodiff::engine::Drive::sources): of a
/// [`Stimulus`](crate::Stimulus), extracellular sources before injections.
///
/// # Panics
/// Methods that take a fiber or a source panic if there is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scaling {
    of_fiber: Vec<Arc<Vec<SourceGain>>>,
}

impl Scaling {
    pub(crate) fn new(of_fiber: impl IntoIterator<Item = Vec<SourceGain>>) -> Self {
        Scaling {
            of_fiber: of_fiber.into_iter().map(Arc::new).collect(),
        }
    }

    /// How the gains of a fiber's sources depend on the amplitude.
    pub fn sources(&self, fiber: usize) -> &[SourceGain] {
        &self.of_fiber[fiber]
    }

    /// The gains of a fiber's sources at an amplitude, mA.
    pub fn gains(&self, fiber: usize, amplitude_ma: f64) -> Vec<f64> {
        let sources = self.of_fiber[fiber].iter();
        sources.map(|source| source.at(amplitude_ma)).collect()
    }

    /// The gains of some fibers at an amplitude each, mA: those of a rollout of these fibers.
    pub fn gains_of(&self, trials: impl IntoIterator<Item = (usize, f64)>) -> Vec<Vec<f64>> {
        let trials = trials.into_iter();
        trials
            .map(|(fiber, amplitude_ma)| self.gains(fiber, amplitude_ma))
            .collect()
    }

    /// The derivative by a fiber's amplitude, 1/mA, from those by its sources' gains.
    pub fn by_amplitude(&self, fiber: usize, sources: &[SourceCotangent]) -> f64 {
        let each = self.of_fiber[fiber].iter().zip(sources);
        each.map(|(source, cotangent)| match source {
            SourceGain::Scaled(strength) => strength * cotangent.gain,
            SourceGain::Fixed(_) => 0.0,
        })
        .sum()
    }

    /// Number of a fiber's sources that the amplitude multiplies.
    pub(crate) fn scaled_sources(&self, fiber: usize) -> usize {
        let sources = self.of_fiber[fiber].iter();
        sources.filter(|gain| gain.is_scaled()).count()
    }

    /// Multiplies what a fiber's scaled sources have of the amplitude, one factor each.
    pub(crate) fn strengthen(&mut self, fiber: usize, factors: impl IntoIterator<Item = f64>) {
        let mut factors = factors.into_iter();
        for gain in Arc::make_mut(&mut self.of_fiber[fiber]) {
            if let SourceGain::Scaled(strength) = gain {
                *strength *= factors.next().unwrap_or(1.0);
            }
        }
    }

    /// Whether a fiber has sources that the amplitude does not multiply.
    pub(crate) fn has_fixed(&self, fiber: usize) -> bool {
        self.of_fiber[fiber].iter().any(|gain| !gain.is_scaled())
    }

    /// Adds a source to a fiber, after its others.
    pub(crate) fn push(&mut self, fiber: usize, gain: SourceGain) {
        Arc::make_mut(&mut self.of_fiber[fiber]).push(gain);
    }

    /// The sources of a fiber that the amplitude multiplies (`scaled` true) or does not, of all of them in their order.
    pub(crate) fn kept<T: Clone>(&self, fiber: usize, scaled: bool, all: &[T]) -> Vec<T> {
        let each = self.of_fiber[fiber].iter().zip(all);
        each.filter(|(gain, _)| gain.is_scaled() == scaled)
            .map(|(_, of_source)| of_source.clone())
            .collect()
    }

    /// The same for the fibers without the sources that the amplitude does not multiply.
    pub(crate) fn scaled_only(&self) -> Scaling {
        let fibers = 0..self.of_fiber.len();
        Scaling::new(fibers.map(|fiber| self.kept(fiber, true, &self.of_fiber[fiber])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amplitude_acts_through_the_gains_that_it_multiplies() {
        let gains = vec![
            SourceGain::Scaled(1.0),
            SourceGain::Fixed(3.0),
            SourceGain::Scaled(-0.5),
        ];
        let scaling = Scaling::new([gains, vec![SourceGain::Scaled(1.0)]]);
        assert_eq!(scaling.gains(0, 0.2), [0.2, 3.0, -0.1]);
        assert_eq!(
            scaling.gains_of([(1, 2.0), (0, 0.0)]),
            [vec![2.0], vec![0.0, 3.0, 0.0]]
        );
        let sources = [2.0, 10.0, 4.0].map(|gain| SourceCotangent {
            gain,
            ..Default::default()
        });
        assert_eq!(scaling.by_amplitude(0, &sources), 2.0 - 2.0);
        assert_eq!(scaling.by_amplitude(1, &sources), 2.0);
        assert!(scaling.has_fixed(0) && !scaling.has_fixed(1));
        assert_eq!(scaling.kept(0, true, &['a', 'b', 'c']), ['a', 'c']);
        assert_eq!(scaling.kept(0, false, &['a', 'b', 'c']), ['b']);
        assert_eq!(scaling.scaled_only().gains(0, 1.0), [1.0, -0.5]);
    }
}
