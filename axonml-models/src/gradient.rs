//! Derivatives of simulations with respect to parameters, stimuli and initial states.

use axonml_autodiff::adjoint::{
    Cotangents, FiberGradient, GradientRequest, Objective, SourceCotangent,
};
use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::{CableCotangent, InternodeError, InternodeModes};
use axonml_autodiff::engine::{BackendError, Rates, Rollout};

use crate::built::{BuiltFiber, internode_properties};
use crate::geometry::GeometryKind;
use crate::lower::LoweredModel;
use crate::scaling::Scaling;
use crate::{
    Amplitudes, FiberOutcome, FiberState, ObserverSpec, Simulation, SimulationError, Stimulus,
};

/// The request that a backend gets: parameters act on the membrane and, through the geometry, on the cable, and
/// gains cost nothing.
fn backend_request(request: GradientRequest) -> GradientRequest {
    GradientRequest {
        cables: request.cables || request.parameters,
        gains: true,
        ..request
    }
}

/// One fiber's run and the derivatives of its loss.
#[derive(Clone, Debug, PartialEq)]
pub struct FiberDerivative {
    /// The run, as [`Simulation::run`] gives it.
    pub outcome: FiberOutcome,
    /// The derivatives; none if the run diverged.
    pub gradient: Option<Gradient>,
}

/// Derivatives of the loss of one fiber.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradient {
    /// The loss of the fiber.
    pub loss: f64,
    /// Derivatives by the model's parameters, in the order of [`Schema::parameters`](crate::Schema::parameters); empty if not requested.
    pub parameters: Vec<f64>,
    /// Derivative by the temperature, 1/degree.
    pub celsius: f64,
    /// Derivative by the amplitude under study, 1/mA, through all sources that it scales (an injected current of 1 nA is
    /// 1e-6 mA).
    pub amplitude: f64,
    /// Derivatives by gains, waveforms and potentials of the fiber's sources: extracellular ones in their order, then
    /// injections.
    pub sources: Vec<SourceCotangent>,
    /// Derivatives by the initial state.
    pub start: FiberState,
    /// Derivative by the membrane potential of a uniform initial state, 1/mV.
    pub start_v: f64,
}

impl Simulation {
    /// Runs all steps and differentiates `objective`, a sum over fibers of functions of what `observers` record (see
    /// [`Objective`]). Amplitudes and initial states are always differentiated; `parameters` includes cables and
    /// temperature. One entry per fiber, in order.
    ///
    /// Extracellular fields act where the fiber's sample points are; these do not move with any parameter. Nor does a
    /// steady-state initial state ([`InitialState::Settled`](crate::InitialState::Settled)): [`Gradient::start`] is the derivative by it.
    /// Rates are evaluated exactly, also in a simulation with tables ([`Settings::rates`](crate::Settings::rates)).
    ///
    /// # Errors
    /// As [`Simulation::run`]; also if the loss cotangents do not match the shape of the recording, if a derivative is
    /// not finite, and if the backend has no reverse mode.
    pub fn differentiate(
        &self,
        stimulus: &Stimulus,
        amplitude_ma: impl Into<Amplitudes>,
        observers: &[ObserverSpec],
        objective: &dyn Objective,
        request: GradientRequest,
    ) -> Result<Vec<FiberDerivative>, SimulationError> {
        let mut rollout = self.rollout(stimulus, observers)?;
        let scaling = stimulus.scaling();
        let amplitudes_ma = amplitude_ma.into().per_fiber(self.fibers().len())?;
        rollout.drive.gains = scaling.gains_of(amplitudes_ma.into_iter().enumerate());
        let members: Vec<usize> = (0..rollout.fibers.len()).collect();
        self.differentiate_rollout(&rollout, &scaling, &members, objective, request)
    }

    /// [`Simulation::differentiate`] for a rollout made from one of this simulation, of its fibers `members` (which may
    /// repeat): with other gains, steps or start. `scaling` says which gains of these fibers the amplitude multiplies
    /// ([`Stimulus::scaling`]).
    ///
    /// # Errors
    /// As [`Simulation::differentiate`].
    pub fn differentiate_rollout(
        &self,
        rollout: &Rollout,
        scaling: &Scaling,
        members: &[usize],
        objective: &dyn Objective,
        request: GradientRequest,
    ) -> Result<Vec<FiberDerivative>, SimulationError> {
        self.differentiate_each(rollout, scaling, members, objective, request)?
            .into_iter()
            .collect()
    }

    /// Like [`Simulation::differentiate_rollout`], but returns per-fiber errors instead of failing the batch.
    ///
    /// # Errors
    /// As [`Simulation::differentiate`] for errors of the whole batch; a derivative that is not finite is an error of
    /// its fiber.
    pub fn differentiate_each(
        &self,
        rollout: &Rollout,
        scaling: &Scaling,
        members: &[usize],
        objective: &dyn Objective,
        request: GradientRequest,
    ) -> Result<Vec<Result<FiberDerivative, SimulationError>>, SimulationError> {
        if members.len() != rollout.fibers.len() {
            return Err(BackendError::Shape {
                what: "members of a rollout".into(),
                expected: rollout.fibers.len(),
                found: members.len(),
            }
            .into());
        }
        let backend = self.device().backend();
        let exact = matches!(rollout.rates, Rates::Table(_)).then(|| Rollout {
            rates: Rates::Exact,
            ..rollout.clone()
        });
        let rollout = exact.as_ref().unwrap_or(rollout);
        let differentiated = backend.differentiate(rollout, objective, backend_request(request))?;
        let each = differentiated.into_iter().zip(members);
        let each = each.map(|(result, &member)| {
            let not_finite =
                |state: usize, node: Option<usize>| SimulationError::GradientNotFinite {
                    fiber: member,
                    node,
                    time_ms: self.grid().time_ms(state),
                };
            let gradient = match result.gradient {
                FiberGradient::Diverged => None,
                FiberGradient::NonFinite { state, node } => {
                    return Err(not_finite(state, node));
                }
                FiberGradient::Found(cotangents) => {
                    let amplitude = scaling.by_amplitude(member, &cotangents.sources);
                    let gradient = self
                        .model
                        .gradient(&self.built[member], *cotangents, amplitude, request)
                        .map_err(|error| SimulationError::Geometry {
                            fiber: format!("fiber {member}"),
                            problem: format!("no derivative by its internodes: {error}"),
                        })?;
                    if !gradient.is_finite() {
                        return Err(not_finite(rollout.steps.start, None));
                    }
                    Some(gradient)
                }
            };
            Ok(FiberDerivative {
                outcome: result.outcome,
                gradient,
            })
        });
        Ok(each.collect())
    }
}

impl Gradient {
    fn is_finite(&self) -> bool {
        let numbers = [self.loss, self.celsius, self.amplitude, self.start_v];
        numbers
            .iter()
            .chain(&self.parameters)
            .all(|x| x.is_finite())
    }
}

impl LoweredModel {
    /// Converts the cotangents of a rollout into derivatives by the parameters of the model.
    fn gradient(
        &self,
        built: &BuiltFiber,
        cotangents: Cotangents,
        amplitude: f64,
        request: GradientRequest,
    ) -> Result<Gradient, InternodeError> {
        let mut parameters = cotangents.shared;
        let mut celsius = 0.0;
        if request.parameters {
            celsius = parameters.pop().unwrap_or_default();
            let cable = cotangents.cable.as_ref();
            let values = cable.map(|cable| geometry_cotangents(self.geometry.kind, built, cable));
            let mut values = values.transpose()?.unwrap_or_default();
            // The membrane's parameters of the fiber: its diameter is given, the others follow from the geometry.
            if let [_, length_um, area_cm2] = cotangents.parameters[..] {
                let area = values.len() - 3;
                values[area] += area_cm2;
                if let Some(place) = self.geometry.kind.length() {
                    values[place] += length_um;
                }
            }
            if let Some(place) = self.geometry.kind.reversal() {
                values[place] += cotangents.v_reference;
            }
            self.geometry
                .accumulate_vjp(&self.schema, built, &values, &mut parameters);
        }
        Ok(Gradient {
            loss: cotangents.loss,
            parameters,
            celsius,
            amplitude,
            sources: cotangents.sources,
            start: cotangents.start,
            start_v: cotangents.uniform_v,
        })
    }
}

/// Cotangents of the values of a fiber's geometry (its quantities, then the cable coefficients: see
/// [`crate::built::build`]) from those of its cable.
fn geometry_cotangents(
    kind: GeometryKind,
    built: &BuiltFiber,
    cable: &CableCotangent,
) -> Result<Vec<f64>, InternodeError> {
    let mut values = vec![0.0; built.values.len()];
    let quantities = values.len() - 3;
    let (own, numbers) = values.split_at_mut(quantities);
    match cable {
        CableCotangent::Explicit {
            area_cm2,
            capacitance_nf,
            axial_us,
            v_weights,
            ve_weights,
        } => {
            numbers.copy_from_slice(&[*area_cm2, *capacitance_nf, *axial_us]);
            // The weights of an unmyelinated fiber are not the model's to choose.
            if kind == GeometryKind::Surrogate {
                own[6..].copy_from_slice(&[v_weights.0, v_weights.1, ve_weights.0, ve_weights.1]);
            }
        }
        CableCotangent::Implicit {
            area_cm2,
            capacitance_nf,
            link_us,
        } => {
            // Passive ends have an area and a link of their own, 0 whatever the geometry; their capacitance moves nothing.
            let joined = built.cable.joined();
            let links = joined.start..joined.end - 1;
            let total = |x: &[f64]| x.iter().sum::<f64>();
            numbers.copy_from_slice(&[
                total(&area_cm2[joined.clone()]),
                total(&capacitance_nf[joined]),
                total(&link_us[links]),
            ]);
        }
        CableCotangent::Double {
            area_cm2,
            capacitance_nf,
            modes,
        } => {
            numbers[..2].copy_from_slice(&[*area_cm2, *capacitance_nf]);
            add_internode(own, built, modes)?;
        }
        CableCotangent::Reduced(bar) => {
            numbers[0] = bar.node_area_cm2;
            let drive = &bar.drive;
            own[3..].copy_from_slice(&[
                bar.capacitance_nf,
                bar.self_us,
                bar.neighbor_us,
                bar.even.lambda_per_ms,
                bar.even.coupling_us_per_ms,
                bar.odd.lambda_per_ms,
                bar.odd.coupling_us_per_ms,
                drive.node_even_us,
                drive.node_odd_us,
                drive.node_wide_us,
                drive.even_us_per_ms,
                drive.odd_us_per_ms,
                drive.wide_us_per_ms,
            ]);
        }
    }
    Ok(values)
}

/// Adds the cotangents of an internode's properties to those of a myelinated fiber's quantities, in their order.
fn add_internode(
    quantities: &mut [f64],
    built: &BuiltFiber,
    modes: &InternodeModes,
) -> Result<(), InternodeError> {
    let Cable::Double(cable) = &*built.cable else {
        unreachable!("a cotangent is of its cable's kind")
    };
    let at = internode_properties(&built.values[..quantities.len()]);
    let bar = cable.internode.adjoint(&at, modes)?;
    quantities[0] += bar.node.length_um;
    quantities[1] += bar.node.diameter_um;
    quantities[2] += bar.node.periaxonal_width_um;
    quantities[4] += bar.axoplasm_ohm_cm;
    for (to, c) in quantities[6..].chunks_exact_mut(8).zip(&bar.compartments) {
        to.copy_from_slice(&[
            c.length_um,
            c.area_diameter_um,
            c.axon_diameter_um,
            c.periaxonal_width_um,
            c.axolemma_capacitance_uf_cm2,
            c.axolemma_conductance_s_cm2,
            c.myelin_capacitance_uf_cm2,
            c.myelin_conductance_s_cm2,
        ]);
    }
    Ok(())
}
