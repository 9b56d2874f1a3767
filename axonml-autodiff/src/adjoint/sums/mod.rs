//! From what a backend sums on the way back through a fiber's run to the derivatives it stands for.
//!
//! A backend undoes steps and adds products over nodes and steps; what those sums mean for cables, sources and parameters
//! is the same for every backend, and here.

mod cables;
mod seeds;
mod sources;

pub use cables::CableSums;
pub use seeds::{RecordedSeeds, Seeds};
pub use sources::{DenseSource, DenseSums, SourceSums};

use crate::adjoint::{Cotangents, FiberGradient, GradientRequest, ParameterCotangents};
use crate::cable::CableCotangent;
use crate::engine::{FiberState, Rollout, Start};

/// Sums over the nodes and steps of one fiber's run, in double precision.
#[derive(Clone, Debug)]
pub struct Collected {
    /// Cotangents of the state that the run starts from; those of the voltages are of `u`.
    pub start: FiberState,
    /// Of the coefficients of the step's reverse ([`crate::adjoint::MembraneAdjoint::coefficients`]); empty if parameters are not
    /// asked for.
    pub step: Vec<f64>,
    /// Likewise of the reverse of the first `G` and `J`; empty for explicit cables, which have none.
    pub currents: Vec<f64>,
    /// Of the cable; none if not asked for.
    pub cable: Option<CableSums>,
    /// Of the amplitude.
    pub amplitude: f64,
    /// Of the sources, in their order.
    pub sources: Vec<SourceSums>,
}

impl Collected {
    /// What the sums say about fiber `fiber`, whose term of the loss is `loss` and whose run was seeded by `seeds`.
    pub fn gradient(
        self,
        rollout: &Rollout,
        fiber: usize,
        loss: f64,
        seeds: &Seeds,
        request: GradientRequest,
    ) -> FiberGradient {
        let cotangents = self.cotangents(rollout, fiber, loss, seeds, request);
        match cotangents.is_finite() {
            true => FiberGradient::Found(Box::new(cotangents)),
            false => FiberGradient::NonFinite {
                state: rollout.steps.start,
                node: None,
            },
        }
    }

    fn cotangents(
        self,
        rollout: &Rollout,
        fiber: usize,
        loss: f64,
        seeds: &Seeds,
        request: GradientRequest,
    ) -> Cotangents {
        let cable = &rollout.fibers[fiber].cable;
        let dt_ms = rollout.grid.dt_ms();
        let start = self.start;
        let membrane = &rollout.membrane;
        let mut sums = ParameterCotangents::zero(rollout, fiber);
        // v = u + reference at the start and wherever the loss looks.
        let mut of_u = start.v_mv.iter().sum::<f64>();
        let mut uniform_v = 0.0;
        if let Start::Uniform { v_mv, states } = &rollout.start {
            if states.is_none() {
                let bars: Vec<f64> = start.states.iter().map(|x| x.iter().sum()).collect();
                let u = v_mv - rollout.v_reference_mv;
                of_u += sums.pull(rollout, fiber, &membrane.rest, u, &bars);
            }
            uniform_v = of_u;
        }
        let step = match &**cable {
            crate::cable::Cable::Explicit(_) => membrane.explicit_adjoint(),
            _ => membrane.implicit_adjoint(),
        };
        if !self.step.is_empty() {
            sums.pull(rollout, fiber, &step.coefficients, 0.0, &self.step);
        }
        if !self.currents.is_empty() {
            let currents = &membrane.currents_adjoint().coefficients;
            sums.pull(rollout, fiber, currents, 0.0, &self.currents);
        }
        let mut of_cable = request.cables.then(|| CableCotangent::zero(cable));
        let given = rollout.drive.sources[fiber].iter();
        let sources = given
            .zip(self.sources)
            .map(|(source, sums)| sums.cotangent(source, cable, dt_ms, request, of_cable.as_mut()));
        let sources = sources.collect();
        if let (Some(to), Some(sums)) = (&mut of_cable, &self.cable) {
            sums.add_to(to, cable, dt_ms);
        }
        let (mut shared, mut parameters, mut v_reference) = (Vec::new(), Vec::new(), 0.0);
        if request.parameters {
            v_reference = sums.reference + seeds.total_v() - of_u;
            (shared, parameters) = (sums.shared, sums.fiber);
        }
        Cotangents {
            loss,
            shared,
            parameters,
            v_reference,
            cable: of_cable,
            amplitude: self.amplitude,
            sources,
            start,
            uniform_v,
        }
    }
}
