//! Allowed scales against the independent check, and their derivatives against differences.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::super::Delivered;
use super::super::{Limit, Limits};
use super::{DT_MS, all_limits};

/// Phases of three lengths and both signs, each step its own current, pauses between.
fn stimulus(values: &[f64]) -> Delivered {
    let waveform = |contact: usize| {
        let own = &values[contact * 12..(contact + 1) * 12];
        let signed = |(step, value): (usize, &f64)| match step {
            0 | 5 => 0.0,
            1..=4 => -value,
            6..=8 => *value,
            _ => -value,
        };
        Arc::new(own.iter().enumerate().map(signed).collect())
    };
    Delivered {
        amplitudes_ma: vec![0.2, -0.1, 0.3, 0.25, -0.2, 0.1],
        waveforms: (0..6).map(waveform).collect(),
        dt_ms: DT_MS,
    }
}

/// Limits of which one ends every stimulus, with bounds out of reach but in the first and the last.
fn limits(of: usize) -> Limits {
    let bound_ma = if matches!(of, 1..=3) { 100.0 } else { 0.3 };
    let base = Limits {
        electrodes: all_limits().electrodes,
        ..Limits::of_bound(6, bound_ma)
    };
    match of {
        0 => base,
        1 => Limits {
            charge_max_nc: Some(2.0),
            ..base
        },
        2 => Limits {
            shannon_max: Some(-3.5),
            ..base
        },
        3 => Limits {
            compliance_max_v: Some(0.2),
            ..base
        },
        _ => Limits {
            charge_max_nc: Some(4.0),
            shannon_max: Some(-3.0),
            compliance_max_v: Some(0.35),
            ..base
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_largest_scale_obeys_and_a_thousandth_more_does_not(
        values in prop::collection::vec(0.05..1.0_f64, 72),
        of in 0..5_usize,
    ) {
        let (limits, stimulus) = (limits(of), stimulus(&values));
        let scales = limits.scales(&stimulus).unwrap();
        prop_assert!(limits.violations(&stimulus.scaled(scales.largest)).is_empty());
        let limit = scales.limit.unwrap();
        prop_assert!(limits.active(&stimulus.scaled(scales.largest)).contains(&limit));
        let violations = limits.violations(&stimulus.scaled(1.001 * scales.largest));
        prop_assert!(violations.iter().any(|v| v.limit == limit), "{violations:?} {limit}");
        let expected = match of {
            0 => matches!(limit, Limit::Bound { .. }),
            1 => matches!(limit, Limit::Charge { .. }),
            2 => matches!(limit, Limit::Shannon { .. }),
            3 => matches!(limit, Limit::Compliance { .. }),
            _ => true,
        };
        prop_assert!(expected, "{limit}");
    }

    #[test]
    fn derivatives_are_those_of_differences(
        values in prop::collection::vec(0.05..1.0_f64, 72),
        of in 0..5_usize,
    ) {
        let limits = limits(of);
        let start = stimulus(&values);
        let currents: Vec<Vec<f64>> = (0..6).map(|contact| start.currents_ma(contact).collect()).collect();
        let of_currents = |currents: &[Vec<f64>]| Delivered {
            amplitudes_ma: vec![1.0; 6],
            waveforms: currents.iter().map(|own| Arc::new(own.clone())).collect(),
            dt_ms: DT_MS,
        };
        let slope = limits.ln_largest_by_currents(&of_currents(&currents));
        let steepest = slope.iter().fold(0.0_f64, |most, (_, _, d)| most.max(d.abs()));
        prop_assert!(steepest > 0.0);
        const STEP_MA: f64 = 1e-7;
        for (contact, own) in currents.iter().enumerate() {
            for step in (0..own.len()).filter(|step| own[*step] != 0.0) {
                let ln = |by: f64| {
                    let mut moved = currents.clone();
                    moved[contact][step] += by;
                    limits.scales(&of_currents(&moved)).unwrap().largest.ln()
                };
                let (up, down) = (ln(STEP_MA) - ln(0.0), ln(0.0) - ln(-STEP_MA));
                // Two limits may be equally close: there the scale has a kink.
                if (up - down).abs() > 1e-3 * STEP_MA * steepest {
                    continue;
                }
                let found = slope.iter().filter(|(c, s, _)| (*c, *s) == (contact, step));
                let found: f64 = found.map(|(_, _, d)| d).sum();
                let difference = (up + down) / (2.0 * STEP_MA);
                prop_assert!((found - difference).abs() < 1e-5 * steepest, "contact {contact}, step {step}: {found} {difference}");
            }
        }
    }
}

/// A frozen current cannot be scaled: the stimulus obeys as it is, or not at all.
#[test]
fn frozen_currents_allow_one_scale() {
    let mut limits = Limits {
        dac_ma: Some(0.01),
        ..Limits::of_bound(2, 0.3)
    };
    limits.frozen_ma[1] = Some(-0.1);
    let stimulus = |first: f64| Delivered::of_one(vec![first, -0.1], &super::biphasic(), DT_MS);
    let scales = limits.scales(&stimulus(0.213)).unwrap();
    assert_eq!(
        (scales.least, scales.largest, scales.limit),
        (1.0, 1.0, None)
    );
    assert_eq!(limits.scales(&stimulus(0.31)), None);
    assert_eq!(limits.scales(&stimulus(0.2).scaled(1.1)), None);
    assert!(limits.ln_largest_by_currents(&stimulus(0.2)).is_empty());
}
