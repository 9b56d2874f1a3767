//! Stability of a fiber's explicit step at rest.

use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::{ExplicitCable, US_PER_S};
use axonml_autodiff::engine::Binding;

use crate::built::BuiltFiber;
use crate::instability::RESTING_LIMIT;
use crate::lower::LoweredModel;
use crate::{Fiber, Instability, SimulationError, StableGeometry};

/// Refuses the first fiber whose explicit step of `dt_ms` is unstable at rest; implicit steps are always stable.
///
/// # Errors
/// [`SimulationError::Unstable`].
pub(crate) fn check(
    model: &LoweredModel,
    fibers: &[Fiber],
    built: &[std::sync::Arc<BuiltFiber>],
    dt_ms: f64,
) -> Result<(), SimulationError> {
    let mut resting: Option<(Vec<f64>, f64)> = None;
    for (index, (fiber, built)) in fibers.iter().zip(built).enumerate() {
        let Cable::Explicit(cable) = &*built.cable else {
            continue;
        };
        let own = model.of_fiber(fiber, built);
        let g_s_cm2 = match &resting {
            Some((of, g_s_cm2)) if *of == own => *g_s_cm2,
            _ => {
                let g_s_cm2 = resting_conductance(model, &own, dt_ms);
                resting = Some((own, g_s_cm2));
                g_s_cm2
            }
        };
        let stability = number(cable, dt_ms, g_s_cm2);
        // A conductance that is no number is for the run to find.
        if stability.is_nan() || stability <= RESTING_LIMIT {
            continue;
        }
        let own_um = model.schema.compartment_um;
        let compartment_um = own_um.map(|own| fiber.compartment_um.unwrap_or(own));
        let instability = Instability {
            diameter_um: fiber.diameter_um,
            compartment_um,
            dt_ms,
            stability,
            largest_dt_ms: dt_ms * RESTING_LIMIT / stability,
            geometry: stable_geometry(model, fiber.diameter_um, compartment_um, dt_ms, g_s_cm2),
        };
        return Err(SimulationError::Unstable {
            fiber: index,
            instability: Box::new(instability),
        });
    }
    Ok(())
}

fn number(cable: &ExplicitCable, dt_ms: f64, g_s_cm2: f64) -> f64 {
    cable.stability(dt_ms, US_PER_S * g_s_cm2 * cable.area_cm2)
}

/// Conductance of the membrane in the initial state, S/cm2, of a fiber with these parameters of its own.
fn resting_conductance(model: &LoweredModel, own: &[f64], dt_ms: f64) -> f64 {
    let start = &model.schema.start;
    let u = start.v_mv - model.v_reference_mv;
    let inputs = |bindings: &[Binding], states: &[f64]| -> Vec<f64> {
        let value = |binding: &Binding| match *binding {
            Binding::U => u,
            Binding::State(state) => states[state],
            Binding::Shared(parameter) => model.shared[parameter],
            Binding::Fiber(parameter) => own[parameter],
            Binding::Dt => dt_ms,
            Binding::Reference => model.v_reference_mv,
        };
        bindings.iter().map(value).collect()
    };
    let membrane = &model.membrane;
    let rest = &membrane.rest;
    // Steady states depend on no state; programs have all inputs all the same.
    let none = vec![u; membrane.states.len()];
    let mut states = rest.program.eval(&inputs(&rest.bindings, &none));
    for (state, given) in states.iter_mut().zip(start.states.iter().flatten()) {
        *state = *given;
    }
    let currents = &membrane.currents;
    currents.program.eval(&inputs(&currents.bindings, &states))[0]
}

/// The geometry nearest to a fiber's whose step is stable, by bisection. Stability numbers grow with the shortness of
/// compartments; as functions of the diameter they have a minimum, so that the nearest diameter is first bracketed in
/// steps.
fn stable_geometry(
    model: &LoweredModel,
    diameter_um: f64,
    compartment_um: Option<f64>,
    dt_ms: f64,
    g_s_cm2: f64,
) -> Option<StableGeometry> {
    let stable = |diameter_um: f64, compartment_um: f64| {
        let cable = model
            .geometry
            .cable(&model.schema, diameter_um, compartment_um);
        match cable.as_deref() {
            Some(Cable::Explicit(cable)) => number(cable, dt_ms, g_s_cm2) <= RESTING_LIMIT,
            _ => false,
        }
    };
    match compartment_um {
        None => {
            let of = |diameter_um: f64| stable(diameter_um, 0.0);
            let towards = |end: f64| {
                let place = |k: u32| diameter_um + (end - diameter_um) * f64::from(k) / 64.0;
                let first = (1..=64).find(|&k| of(place(k)))?;
                Some(bisect(place(first), place(first - 1), of))
            };
            let range = &model.schema.diameters_um;
            let thinner = towards(*range.start()).map(StableGeometry::DiameterAtMostUm);
            thinner.or_else(|| towards(*range.end()).map(StableGeometry::DiameterAtLeastUm))
        }
        Some(length) => {
            let of = |length: f64| stable(diameter_um, length);
            let mut longest = 2.0 * length;
            while !of(longest) {
                longest *= 2.0;
                if longest > 1e3 * length {
                    return None;
                }
            }
            Some(StableGeometry::CompartmentAtLeastUm(bisect(
                longest, length, of,
            )))
        }
    }
}

/// The stable value nearest to `bad`, between `good` and `bad`.
fn bisect(mut good: f64, mut bad: f64, is_good: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..60 {
        let middle = 0.5 * (good + bad);
        match is_good(middle) {
            true => good = middle,
            false => bad = middle,
        }
    }
    good
}
