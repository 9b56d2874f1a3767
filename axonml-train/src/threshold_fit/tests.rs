use std::path::Path;

use axonml_models::{Device, Precision, model};

use super::*;
use crate::dataset::Recipe;

const RECIPE: &str = r#"
seed = 3
nodes = 21
tstop_ms = 3
diameter_um = { low = 7, high = 13 }
[[fields]]
kind = "point"
distance_um = { low = 400, high = 1200, spacing = "log" }
[[pulses]]
shape = "monophasic"
polarity = "cathodic"
amplitude_ma = { low = 1, high = 1 }
delay_ms = { low = 0.1, high = 0.1 }
pw = { low = 0.05, high = 0.3, spacing = "log" }
"#;

fn fit(cases: usize) -> (ThresholdFit, Surrogate, Device) {
    fit_of(
        Surrogate::new(model("two-mode").unwrap(), None).unwrap(),
        cases,
    )
}

fn fit_of(surrogate: Surrogate, cases: usize) -> (ThresholdFit, Surrogate, Device) {
    let device = Device::cpu().unwrap();
    let recipe = Recipe::from_toml(RECIPE).unwrap();
    let drawn = Cases::open(&recipe, Path::new("")).unwrap();
    let stage = ThresholdStage {
        cases,
        ..ThresholdStage::default()
    };
    let fit = ThresholdFit::prepare(&stage, &drawn, Precision::F64, &surrogate, &device).unwrap();
    (fit, surrogate, device)
}

/// Every row's derivative is that of its residual, by differences: thresholds, arrivals, shapes and rest.
#[test]
fn rows_are_the_derivatives_of_the_residuals() {
    let (fit, mut surrogate, device) = fit(5);
    let names = ["gnabar", "amB", "capacitance_0", "neighbor_1", "el"];
    surrogate.train_only(&names.map(str::to_owned)).unwrap();
    let x = vec![0.05; names.len()];
    let exact = fit.cases.exact_thresholds_ma();
    let residuals = fit.residuals(&surrogate, &x, &exact, &device).unwrap();
    let near = residuals.guesses(&exact);
    let (rows, left_out) = fit.rows(&surrogate, &x, &residuals, &device).unwrap();
    assert_eq!(left_out, 0);
    // Per case arrival, shape and threshold; then the rest.
    assert_eq!(rows.len(), 3 * fit.len() + 24);
    let standardized = |x: &[f64]| -> Vec<f64> {
        let residuals = fit.residuals(&surrogate, x, &near, &device).unwrap();
        let all: Vec<f64> = residuals.standardized(&fit.stage).map(|(r, _)| r).collect();
        let (cases, rest) = all.split_at(3 * fit.len());
        let reordered = cases.chunks_exact(3).flat_map(|c| [c[1], c[2], c[0]]);
        reordered.chain(rest.iter().copied()).collect()
    };
    let values = standardized(&x);
    for (row, value) in rows.iter().zip(&values) {
        assert!((row.residual - value).abs() <= 1e-9 * (1.0 + value.abs()));
    }
    for coordinate in 0..names.len() {
        let h = 0.01;
        let moved = |h: f64| {
            let mut x = x.clone();
            x[coordinate] += h;
            standardized(&x)
        };
        let (above, below) = (moved(h), moved(-h));
        for (index, row) in rows.iter().enumerate() {
            let expected = (above[index] - below[index]) / (2.0 * h);
            let largest = row.by_x.iter().fold(0.0_f64, |m, d| m.max(d.abs()));
            let error = (row.by_x[coordinate] - expected).abs();
            // Brackets of 3e-5 make differences of thresholds uncertain by 0.3 standard deviations per unit.
            assert!(
                error <= 0.02 * expected.abs() + 0.005 * largest + 0.3,
                "row {index}, {}: {}, by differences {expected}",
                names[coordinate],
                row.by_x[coordinate]
            );
        }
    }
}

/// Steps that do not divide the times at which rest is looked at, and such as are too long for them.
#[test]
fn fibers_are_left_alone_at_any_step() {
    let device = Device::cpu().unwrap();
    let mut recipe = Recipe::from_toml(RECIPE).unwrap();
    for dt_ms in [0.003, 0.013] {
        recipe.dt_ms = dt_ms;
        let rest = cases::RestCases::prepare(&recipe, &device).unwrap();
        assert_eq!(rest.v_mv.len(), rest.fibers.len());
        // The exact fiber's resting potential, within the drift by its slow potassium current in 40 ms.
        assert!(rest.v_mv.iter().flatten().all(|v| (v + 80.0).abs() < 1.0));
    }
    recipe.dt_ms = 6.0;
    let error = cases::RestCases::prepare(&recipe, &device).err().unwrap();
    assert!(error.to_string().contains("dt_ms"), "{error}");
}

/// However narrow a tolerance, it decides nothing about which derivatives are of use.
#[test]
fn tolerances_scale_rows_and_drop_none() {
    let (mut fit, mut surrogate, device) = fit(3);
    surrogate.train_only(&["conductance".to_owned()]).unwrap();
    let x = [0.05; 4];
    let exact = fit.cases.exact_thresholds_ma();
    let residuals = fit.residuals(&surrogate, &x, &exact, &device).unwrap();
    let (wide, _) = fit.rows(&surrogate, &x, &residuals, &device).unwrap();
    assert_eq!(wide.len(), 3 * fit.len() + 24);
    let stage = &mut fit.stage;
    for sigma in [
        &mut stage.sigma_threshold,
        &mut stage.sigma_arrival_ms,
        &mut stage.sigma_shape_mv,
        &mut stage.sigma_rest_mv,
    ] {
        *sigma /= 1024.0;
    }
    let (narrow, left_out) = fit.rows(&surrogate, &x, &residuals, &device).unwrap();
    assert_eq!((narrow.len(), left_out), (wide.len(), 0));
    for (narrow, wide) in narrow.iter().zip(&wide) {
        assert_eq!(narrow.residual, 1024.0 * wide.residual);
        assert_eq!(narrow.by_x[0], 1024.0 * wide.by_x[0]);
    }
}

#[test]
fn an_iteration_lowers_the_cost_and_going_on_from_a_saved_state_changes_nothing() {
    let (fit, mut surrogate, device) = fit(6);
    surrogate.train_only(&["conductance".to_owned()]).unwrap();
    let mut state = fit
        .begin(&surrogate, vec![0.3, 0.0, 0.0, 0.0], &device)
        .unwrap();
    let begun = state.cost;
    let report = fit.iterate(&surrogate, &mut state, &device).unwrap();
    assert!(report.accepted && report.cost < begun, "{begun} {report:?}");
    let mut copy: FitState = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
    let direct = fit.iterate(&surrogate, &mut state, &device).unwrap();
    assert_eq!(fit.iterate(&surrogate, &mut copy, &device).unwrap(), direct);
    assert_eq!(copy, state);
    copy.x.pop();
    let error = fit.iterate(&surrogate, &mut copy, &device).unwrap_err();
    assert!(
        matches!(
            error,
            FitError::State {
                what: "coordinates",
                ..
            }
        ),
        "{error}"
    );
}

/// An explicit fiber near its stability limit has nonzero rows: the stencil and the membrane in proportion to their
/// share of the stability number, which is known by hand.
#[test]
fn rows_measure_how_near_an_explicit_fiber_is_to_instability() {
    let mut surrogate = Surrogate::new(model("smf").unwrap(), None).unwrap();
    for (name, value) in [("gl", 0.09), ("el", -80.8)] {
        surrogate.set(name, value).unwrap();
    }
    let names = ["gnabar", "amB", "v_neighbor"];
    surrogate.train_only(&names.map(str::to_owned)).unwrap();
    let (fit, surrogate, device) = fit_of(surrogate, 2);
    let at = |x: &[f64]| fit.rest_simulation(&surrogate, x, &device).unwrap();
    let excess = |x: &[f64]| stability::excess(&at(x), &surrogate, x);
    assert_eq!(excess(&[0.0; 3]), [0.0; 8]);
    let rows = fit
        .stability_rows(&surrogate, &[0.0; 3], &[0.0; 8], &device)
        .unwrap();
    assert!(rows.is_empty());

    // The center's weight moves with the neighbors'.
    let x = [0.1, 0.0, 0.5];
    let found = excess(&x);
    assert!(found.iter().any(|excess| *excess > 0.0), "{found:?}");
    let rows = fit.stability_rows(&surrogate, &x, &found, &device).unwrap();
    let beyond: Vec<usize> = (0..8).filter(|&fiber| found[fiber] > 0.0).collect();
    assert_eq!(rows.len(), beyond.len());
    // Three tenths of gnabar, in 1/ms of a capacitance of 10 uF/cm2, during 0.005 ms.
    let sodium = 0.3 * 3.0 * 0.1_f64.exp() / 0.01 * 0.005;
    for (row, fiber) in rows.iter().zip(beyond) {
        let stencil = at(&x).stability(fiber, 0.0).unwrap();
        assert_eq!(row.residual, found[fiber]);
        let expected = [sodium / 0.005, 0.0, stencil / 0.005];
        for (found, expected) in row.by_x.iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-5 * expected.abs() + 1e-9,
                "{found} {expected}"
            );
        }
    }
}

#[test]
fn damping_follows_how_well_promises_are_kept() {
    assert_eq!(
        [0.9, 0.5, 0.1, -1.0].map(|kept| next_mu(1.0, kept)),
        [0.25, 1.0, 4.0, 4.0]
    );
}
