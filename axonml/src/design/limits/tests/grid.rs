//! Stimuli of converters.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::super::{Amplitudes, Delivered, Parameterization};
use super::super::{Feasible, Limits};
use super::{DT_MS, Functions, all_limits, biphasic};

fn at_largest(limits: &Limits, feasible: &Feasible<'_>, x: &[f64]) -> Delivered {
    let (_, stimulus) = feasible.stimulus(x);
    let largest = limits.scales(&stimulus).unwrap().largest;
    stimulus.scaled(largest)
}

/// Whether currents are whole steps, add up to 0 at every step of time, and each contact's to 0: in integers.
fn is_exact(stimulus: &Delivered, step_ma: f64) -> bool {
    let whole = |contact: usize| -> Option<Vec<i64>> {
        let currents = stimulus.currents_ma(contact).map(|ma| ma / step_ma);
        currents
            .map(|n| ((n - n.round()).abs() < 1e-9).then_some(n.round() as i64))
            .collect()
    };
    let Some(rows) = (0..stimulus.contacts())
        .map(whole)
        .collect::<Option<Vec<Vec<i64>>>>()
    else {
        return false;
    };
    let balanced = rows.iter().all(|row| row.iter().sum::<i64>() == 0);
    balanced && (0..rows[0].len()).all(|step| rows.iter().map(|row| row[step]).sum::<i64>() == 0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn amplitudes_obey_all_limits_at_once(x in prop::collection::vec(-1.0..1.0_f64, 6), part in 0.2..1.0_f64) {
        let limits = all_limits();
        let p = Amplitudes::new(6, biphasic(), DT_MS);
        let stimulus = at_largest(&limits, &limits.feasible(&p), &x).scaled(part);
        let rounded = limits.on_grid(&stimulus).unwrap();
        prop_assert!(limits.violations(&rounded).is_empty() && is_exact(&rounded, 0.01));
        prop_assert_eq!(limits.on_grid(&rounded).unwrap(), rounded.clone());
        // Where no limit is near, each amplitude is one of the two next to it.
        if limits.violations(&stimulus.scaled(1.3)).iter().all(|v| matches!(v.limit, super::super::Limit::Dac { .. })) {
            for (found, ma) in rounded.amplitudes_ma.iter().zip(&stimulus.amplitudes_ma) {
                prop_assert!((found - ma).abs() < 0.01, "{found} {ma}");
            }
        }
        for next in limits.neighbors(&rounded) {
            prop_assert!(limits.violations(&next).is_empty() && is_exact(&next, 0.01));
            let moves = next.amplitudes_ma.iter().zip(&rounded.amplitudes_ma).map(|(a, b)| ((a - b) / 0.01).round());
            let mut moves: Vec<f64> = moves.filter(|steps| *steps != 0.0).collect();
            moves.sort_by(f64::total_cmp);
            prop_assert_eq!(moves, [-1.0, 1.0]);
        }
    }

    #[test]
    fn samples_obey_all_limits_at_once(x in prop::collection::vec(-1.0..1.0_f64, 72), part in 0.2..1.0_f64) {
        let limits = all_limits();
        let p = Functions::samples(6);
        let stimulus = at_largest(&limits, &limits.feasible(&p), &x).scaled(part);
        let rounded = limits.on_grid(&stimulus).unwrap();
        prop_assert!(limits.violations(&rounded).is_empty() && is_exact(&rounded, 0.01));
        let outside = |contact| rounded.currents_ma(contact).enumerate().all(|(step, ma)| (4..16).contains(&step) || ma == 0.0);
        prop_assert!((0..6).all(outside));
        prop_assert!((0..6).any(|contact| rounded.peak_ma(contact) > 0.0));
    }

    /// Without one of the two sums, or both, every sample goes to a multiple next to it.
    #[test]
    fn samples_go_to_multiples_next_to_them(
        x in prop::collection::vec(-1.0..1.0_f64, 72),
        sum_zero: bool,
        balanced: bool,
    ) {
        let limits = Limits { sum_zero, balanced, dac_ma: Some(0.01), ..Limits::of_bound(6, 0.3) };
        let p = Functions::samples(6);
        let stimulus = at_largest(&limits, &limits.feasible(&p), &x).scaled(0.8);
        let rounded = limits.on_grid(&stimulus).unwrap();
        prop_assert!(limits.violations(&rounded).is_empty());
        for contact in 0..6 {
            for (found, ma) in rounded.currents_ma(contact).zip(stimulus.currents_ma(contact)) {
                prop_assert!((found - ma).abs() < 0.0101, "{found} {ma}");
            }
        }
    }
}

/// At 0.3 mA of 0.3 a contact cannot go further up, and with a sum of 0 two move at once.
#[test]
fn neighbors_by_hand() {
    let mut limits = Limits {
        dac_ma: Some(0.1),
        ..Limits::of_bound(3, 0.3)
    };
    limits.frozen_ma[2] = Some(-0.1);
    let stimulus = Delivered::of_one(vec![0.3, -0.2, -0.1], &biphasic(), DT_MS);
    let amplitudes = |limits: &Limits| -> Vec<Vec<i32>> {
        let tenths = |next: Delivered| {
            next.amplitudes_ma
                .iter()
                .map(|ma| (ma * 10.0).round() as i32)
                .collect()
        };
        limits
            .neighbors(&stimulus)
            .into_iter()
            .map(tenths)
            .collect()
    };
    assert_eq!(amplitudes(&limits), [[2, -2, -1], [3, -1, -1], [3, -3, -1]]);
    limits.sum_zero = true;
    assert_eq!(amplitudes(&limits), [[2, -1, -1]]);
    limits.dac_ma = None;
    assert!(limits.neighbors(&stimulus).is_empty());
}

/// An edge within a step of the simulation is no level of the converter; a second phase of a third is one, of another
/// waveform.
#[test]
fn edges_within_a_step_do_not_count() {
    let limits = Limits {
        dac_ma: Some(0.01),
        ..Limits::of_bound(2, 0.3)
    };
    let pulse = Arc::new(vec![0.0, -0.3, -1.0, -0.7, 0.3, 1.0, 0.7, 0.0]);
    assert!(
        limits
            .violations(&Delivered::of_one(vec![0.07, -0.12], &pulse, DT_MS))
            .is_empty()
    );
    let off = limits.violations(&Delivered::of_one(vec![0.07, -0.125], &pulse, DT_MS));
    assert_eq!(off.len(), 1);
    assert_eq!(
        off[0].to_string(),
        "DAC step of contact 1: found -0.125 mA, allowed -0.13 mA"
    );
    let two = Delivered {
        amplitudes_ma: vec![0.07, 0.12],
        waveforms: vec![
            pulse.clone(),
            Arc::new(vec![0.0, -1.0, -1.0, 0.5, 0.5, 0.5, 0.5, 0.0]),
        ],
        dt_ms: DT_MS,
    };
    assert_eq!(limits.violations(&two).len(), 1);
    let rounded = limits.on_grid(&two).unwrap();
    assert!(limits.violations(&rounded).is_empty());
}

/// Frozen currents stay where they are, and what cannot be rounded is no stimulus.
#[test]
fn frozen_currents_are_not_rounded_away() {
    let mut limits = Limits {
        dac_ma: Some(0.05),
        sum_zero: true,
        ..Limits::of_bound(3, 0.3)
    };
    limits.frozen_ma[0] = Some(-0.25);
    let p = Amplitudes::new(3, biphasic(), DT_MS);
    assert_eq!(limits.check_with(&p), Ok(()));
    let (_, stimulus) = limits.feasible(&p).stimulus(&[0.0, 0.0, 0.02]);
    let rounded = limits.on_grid(&stimulus).unwrap();
    let mut steps: Vec<f64> = rounded
        .amplitudes_ma
        .iter()
        .map(|ma| (ma / 0.05).round())
        .collect();
    assert_eq!(steps.remove(0), -5.0);
    assert_eq!(steps.iter().sum::<f64>(), 5.0);
    limits.frozen_ma[0] = Some(-0.24);
    let off = p.stimulus(&[-0.24, 0.12, 0.12]);
    assert_eq!(limits.on_grid(&off), None);
}
