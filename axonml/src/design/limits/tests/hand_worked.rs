//! Numbers that are worked out by hand.

use std::sync::Arc;

use super::super::super::{Amplitudes, Delivered};
use super::super::{Limit, Limits, Scales};
use super::{DT_MS, all_limits, biphasic};

/// 0.3 mA for 0.2 ms through a disc of 2 mm: 0.06 uC on 0.0314159 cm2, 1.90986 uC/cm2; the logarithm of their product is
/// -0.940847. A k of 1.85 allows sqrt(70.7946 x 0.0314159) = 1.491335 uC, 24.8556 times as much.
#[test]
fn shannon() {
    let limits = Limits {
        shannon_max: Some(1.85),
        electrodes: all_limits().electrodes,
        ..Limits::of_bound(6, 100.0)
    };
    let stimulus = Delivered::of_one(vec![0.0, 0.3, 0.0, -0.1, 0.0, 0.0], &biphasic(), DT_MS);
    let k = limits.electrodes.shannon_k(&stimulus);
    assert_eq!(k[0], None);
    assert!((k[1].unwrap() - -0.940847).abs() < 1e-6, "{k:?}");
    let scales = limits.scales(&stimulus).unwrap();
    assert_eq!(scales.limit, Some(Limit::Shannon { contact: 1 }));
    assert!((scales.largest - 24.8556).abs() < 1e-4, "{scales:?}");
    assert_eq!(
        limits.active(&stimulus.scaled(scales.largest)),
        [Limit::Shannon { contact: 1 }]
    );
}

/// 0.3 mA from contact 0 to contact 1 of N1: contact 0 is at 0.3 x (1769.449 - 1191.189) = 173.478 mV, contact 1 at
/// 0.3 x (1191.189 - 1774.831) = -175.0926 mV. With 1000 ohm of its own each, 0.3 V more.
#[test]
fn compliance() {
    let stimulus = Delivered::of_one(vec![0.3, -0.3, 0.0, 0.0, 0.0, 0.0], &biphasic(), DT_MS);
    let electrodes = all_limits().electrodes;
    let volts = electrodes.peak_v(&stimulus).unwrap();
    assert!(
        (volts[0] - 0.173478).abs() < 1e-12 && (volts[1] - 0.1750926).abs() < 1e-12,
        "{volts:?}"
    );
    let limits = Limits {
        compliance_max_v: Some(0.4750926),
        electrodes: electrodes.with_access(1000.0),
        ..Limits::of_bound(6, 0.6)
    };
    let volts = limits.electrodes.peak_v(&stimulus).unwrap();
    assert!((volts[1] - 0.4750926).abs() < 1e-12, "{volts:?}");
    let scales = limits.scales(&stimulus).unwrap();
    assert_eq!(scales.limit, Some(Limit::Compliance { contact: 1 }));
    assert!((scales.largest - 1.0).abs() < 1e-12 && limits.violations(&stimulus).is_empty());
    let violations = limits.violations(&stimulus.scaled(1.1));
    // Contact 0 needs 1.1 x 473.478 mV.
    assert_eq!(violations.len(), 2);
    assert_eq!(
        violations[0].to_string(),
        "compliance of contact 0: found 0.520826 V, allowed 0.475093 V"
    );
    assert_eq!(
        violations[1].to_string(),
        "compliance of contact 1: found 0.522602 V, allowed 0.475093 V"
    );
}

/// 60 nC are 0.3 mA for 0.2 ms; the bound allows 0.5 mA.
#[test]
fn charge_ends_a_stimulus_before_its_bound() {
    let limits = Limits {
        charge_max_nc: Some(60.0),
        ..Limits::of_bound(2, 0.5)
    };
    let stimulus = Delivered::of_one(vec![0.1, -0.2], &biphasic(), DT_MS);
    let scales = limits.scales(&stimulus).unwrap();
    assert!((scales.largest - 1.5).abs() < 1e-12, "{scales:?}");
    assert_eq!(
        scales.limit.unwrap().to_string(),
        "charge per phase of contact 1"
    );
}

/// Currents of contact 0 may reach 0.3 and -0.1 mA: the phase of the other sign counts.
#[test]
fn bounds_need_not_be_symmetric() {
    let mut limits = Limits::of_bound(1, 0.3);
    limits.bounds_ma[0] = [-0.1, 0.3];
    let waveform = Arc::new(vec![0.0, 1.0, -0.5, 0.0]);
    let up = limits
        .scales(&Delivered::of_one(vec![1.0], &waveform, DT_MS))
        .unwrap();
    assert!((up.largest - 0.2).abs() < 1e-15);
    let down = limits
        .scales(&Delivered::of_one(vec![-1.0], &waveform, DT_MS))
        .unwrap();
    assert!((down.largest - 0.1).abs() < 1e-15);
}

#[test]
fn a_stimulus_without_current_has_finite_scales() {
    let silent = Delivered::of_one(vec![0.0; 6], &biphasic(), DT_MS);
    let limits = all_limits();
    assert_eq!(
        limits.scales(&silent),
        Some(Scales {
            least: 0.0,
            largest: 1.0,
            limit: None
        })
    );
    assert!(limits.ln_largest_by_currents(&silent).is_empty());
    assert!(limits.violations(&silent).is_empty() && limits.active(&silent).is_empty());
    // So weak that the quotient overflows.
    let faint = Delivered::of_one(vec![1e-320, -1e-320], &biphasic(), DT_MS);
    assert!(
        Limits::of_bound(2, 0.3)
            .scales(&faint)
            .unwrap()
            .largest
            .is_finite()
    );
}

/// Three anodes and four cathodes whose currents add up to 0. The two largest have one sign, and would be silent if their sum
/// were 0; left out one after the other, a pair stays.
#[test]
fn few_contacts_with_a_sum_of_0_are_not_silenced() {
    let limits = Limits {
        sum_zero: true,
        max_contacts: Some(2),
        ..Limits::of_bound(7, 1.0)
    };
    let amplitudes = Amplitudes::new(7, biphasic(), DT_MS);
    let mut x = [1.0, 1.0, 1.0, -0.75, -0.75, -0.75, -0.75];
    limits.project(&amplitudes, &mut x);
    let delivering: Vec<f64> = x.iter().copied().filter(|x| *x != 0.0).collect();
    assert_eq!(delivering.len(), 2, "{x:?}");
    assert!(
        delivering[0] > 0.5 && (delivering[0] + delivering[1]).abs() < 1e-15,
        "{x:?}"
    );
}

/// (0.5, 0.1, 0.1) with contact 0 frozen at -0.1, a sum of 0 and at most 0.08 of contact 1: without the bound 0.05 each.
#[test]
fn frozen_currents_are_returned_by_the_others() {
    let mut limits = Limits {
        sum_zero: true,
        ..Limits::of_bound(3, 0.3)
    };
    limits.frozen_ma[0] = Some(-0.1);
    let amplitudes = Amplitudes::new(3, biphasic(), DT_MS);
    let mut x = [0.5, 0.1, 0.1];
    limits.project(&amplitudes, &mut x);
    let near = |x: [f64; 3], expected: [f64; 3]| {
        x.iter().zip(expected).all(|(x, e)| (x - e).abs() < 1e-11)
    };
    assert!(near(x, [-0.1, 0.05, 0.05]), "{x:?}");
    limits.bounds_ma[2] = [-0.3, 0.02];
    limits.project(&amplitudes, &mut x);
    assert!(near(x, [-0.1, 0.08, 0.02]), "{x:?}");
}
