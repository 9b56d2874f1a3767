//! Converts a backend's adjoint accumulators into cotangents of rollout inputs.
//!
//! During the adjoint pass a backend accumulates products over nodes and steps. The map from these sums to cotangents
//! of cables, sources and parameters is the same for every backend, and defined here.

mod cables;
mod seeds;
mod sources;

pub use cables::CableSums;
pub use seeds::{RecordedSeeds, Seeds};
pub use sources::{SourceSums, SpaceTimeSource, SpaceTimeSums};

use crate::adjoint::{Cotangents, FiberGradient, GradientRequest, ParameterCotangents};
use crate::cable::CableCotangent;
use crate::engine::{FiberState, Rollout, Start};

/// Accumulates cotangents over the nodes and steps of one fiber's run during the adjoint pass, in double precision.
#[derive(Clone, Debug)]
pub struct AdjointSums {
    /// Cotangents of the state that the run starts from; those of the voltages are of `u`.
    pub start: FiberState,
    /// Cotangents of the coefficients of the step's adjoint ([`crate::adjoint::MembraneAdjoint::coefficients`]); empty
    /// if parameters are not requested.
    pub step: Vec<f64>,
    /// Likewise for the adjoint of the first `G` and `J`; empty for explicit cables, which have none.
    pub currents: Vec<f64>,
    /// Sums of the cable; none if not requested.
    pub cable: Option<CableSums>,
    /// Sums of the sources, in their order.
    pub sources: Vec<SourceSums>,
}

impl AdjointSums {
    /// Converts the sums to the gradient of fiber `fiber`, whose term of the loss is `loss` and whose adjoint pass
    /// started from `seeds`.
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
                of_u += sums.vjp(rollout, fiber, &membrane.rest, u, &bars);
            }
            uniform_v = of_u;
        }
        let step = match &**cable {
            crate::cable::Cable::Explicit(_) => membrane.explicit_adjoint(),
            _ => membrane.implicit_adjoint(),
        };
        if !self.step.is_empty() {
            sums.vjp(rollout, fiber, &step.coefficients, 0.0, &self.step);
        }
        if !self.currents.is_empty() {
            let currents = &membrane.currents_adjoint().coefficients;
            sums.vjp(rollout, fiber, currents, 0.0, &self.currents);
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
            sources,
            start,
            uniform_v,
        }
    }
}
