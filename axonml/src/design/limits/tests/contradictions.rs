//! Contradictions and numbers that make no sense are refused by name.

use std::sync::Arc;

use super::super::super::{Amplitudes, DesignError};
use super::super::{Electrodes, Limits};
use super::{DT_MS, Functions, all_limits, biphasic};

/// Both names of the contradiction that limits are refused with, without a waveform and with a biphasic one.
fn names(change: impl FnOnce(&mut Limits)) -> (Option<[String; 2]>, Option<[String; 2]>) {
    let mut limits = Limits::of_bound(3, 0.3);
    change(&mut limits);
    let of = |result: Result<(), DesignError>| match result {
        Ok(()) => None,
        Err(DesignError::Contradiction {
            first,
            second,
            found,
            expected,
            remedy,
        }) => {
            assert!(!found.is_empty() && !expected.is_empty() && !remedy.is_empty());
            Some([first, second])
        }
        Err(other) => panic!("{other}"),
    };
    let pulse = Amplitudes::new(limits.contacts(), biphasic(), DT_MS);
    (of(limits.check()), of(limits.check_with(&pulse)))
}

#[track_caller]
fn contradict(first: &str, second: &str, change: impl FnOnce(&mut Limits)) {
    let pair = Some([first.to_owned(), second.to_owned()]);
    assert_eq!(names(change), (pair.clone(), pair));
}

#[track_caller]
fn contradict_with_the_pulse(first: &str, second: &str, change: impl FnOnce(&mut Limits)) {
    assert_eq!(
        names(change),
        (None, Some([first.to_owned(), second.to_owned()]))
    );
}

#[test]
fn what_fits_is_accepted() {
    assert_eq!(names(|_| ()), (None, None));
    assert_eq!(
        all_limits().check_with(&Amplitudes::new(6, biphasic(), DT_MS)),
        Ok(())
    );
    assert_eq!(all_limits().check_with(&Functions::samples(6)), Ok(()));
    assert_eq!(
        names(|limits| {
            limits.sum_zero = true;
            limits.max_contacts = Some(2);
            limits.frozen_ma = vec![Some(-0.3), None, None];
        }),
        (None, None)
    );
}

#[test]
fn sums_of_0() {
    let sum = "sum of currents 0";
    contradict(sum, "frozen currents", |limits| {
        limits.sum_zero = true;
        limits.frozen_ma = vec![Some(0.0), Some(0.0), None];
    });
    contradict(sum, "number of contacts", |limits| {
        *limits = Limits {
            sum_zero: true,
            ..Limits::of_bound(1, 0.3)
        };
    });
    contradict(sum, "number of contacts", |limits| {
        limits.sum_zero = true;
        limits.max_contacts = Some(1);
    });
    contradict("bounds", sum, |limits| {
        limits.sum_zero = true;
        limits.bounds_ma = vec![[0.0, 0.3]; 3];
    });
    // -0.2 - 0.2 mA, and 0.3 mA to return it.
    contradict("frozen currents", sum, |limits| {
        limits.sum_zero = true;
        limits.frozen_ma = vec![Some(-0.2), Some(-0.2), None];
    });
    // 0.3 mA of two contacts would do, but only one may deliver it.
    contradict("number of contacts", sum, |limits| {
        *limits = Limits {
            sum_zero: true,
            max_contacts: Some(3),
            ..Limits::of_bound(4, 0.3)
        };
        limits.frozen_ma = vec![Some(-0.2), Some(-0.2), None, None];
    });
    // 50 nC are 0.25 mA for 0.2 ms, each of three returns at most that.
    contradict_with_the_pulse("frozen currents", sum, |limits| {
        *limits = Limits {
            sum_zero: true,
            charge_max_nc: Some(50.0),
            ..Limits::of_bound(3, 0.3)
        };
        limits.frozen_ma = vec![Some(-0.2), Some(-0.1), None];
    });
}

#[test]
fn frozen_currents() {
    contradict(
        "frozen current of contact 1",
        "bound of contact 1",
        |limits| limits.frozen_ma[1] = Some(-0.5),
    );
    contradict(
        "frozen current of contact 1",
        "DAC step of contact 1",
        |limits| {
            limits.frozen_ma[1] = Some(-0.15);
            limits.dac_ma = Some(0.1);
        },
    );
    contradict("frozen currents", "number of contacts", |limits| {
        limits.frozen_ma = vec![Some(0.1), Some(-0.1), None];
        limits.max_contacts = Some(1);
    });
    let frozen = "frozen current of contact 1";
    // 0.2 mA for 0.2 ms are 40 nC; the pulse has both signs.
    contradict_with_the_pulse(frozen, "charge per phase of contact 1", |limits| {
        limits.frozen_ma[1] = Some(-0.2);
        limits.charge_max_nc = Some(30.0);
    });
    contradict_with_the_pulse(frozen, "bound of contact 1", |limits| {
        limits.frozen_ma[1] = Some(-0.2);
        limits.bounds_ma[1] = [-0.1, 0.3];
    });
    contradict_with_the_pulse(frozen, "Shannon k of contact 1", |limits| {
        limits.frozen_ma[1] = Some(-0.2);
        limits.shannon_max = Some(-1.3);
        limits.electrodes = Electrodes::default().with_area(3, 0.03);
    });
    // 0.3 mA through 1000 ohm; of the others, 0.02 mA each through 100 ohm bring back 4 mV.
    let compliance = |limits: &mut Limits, volts: f64| {
        limits.frozen_ma[1] = Some(0.3);
        limits.bounds_ma[0] = [-0.02, 0.02];
        limits.bounds_ma[2] = [-0.02, 0.02];
        limits.compliance_max_v = Some(volts);
        let ohm = |i, j| if i == j { 1000.0 } else { 100.0 };
        limits.electrodes.impedance_ohm = Some(
            (0..3)
                .map(|i| (0..3).map(|j| ohm(i, j)).collect())
                .collect(),
        );
    };
    contradict_with_the_pulse("frozen currents", "compliance of contact 1", |limits| {
        compliance(limits, 0.295)
    });
    assert_eq!(names(|limits| compliance(limits, 0.297)), (None, None));
}

#[test]
fn steps_and_bounds() {
    contradict("DAC step", "bounds", |limits| limits.dac_ma = Some(0.31));
    contradict("DAC step", "bounds", |limits| {
        limits.sum_zero = true;
        limits.dac_ma = Some(0.2);
        limits.bounds_ma = vec![[-0.1, 0.1], [-0.1, 0.1], [-0.3, 0.3]];
    });
    contradict(
        "bound of contact 2",
        "charge balance of contact 2",
        |limits| {
            limits.balanced = true;
            limits.bounds_ma[2] = [0.0, 0.3];
        },
    );
    contradict_with_the_pulse("DAC step", "charge per phase of contact 2", |limits| {
        limits.dac_ma = Some(0.1);
        limits.charge_max_nc = Some(19.0);
    });
    contradict_with_the_pulse("bound of contact 2", "the waveform", |limits| {
        limits.bounds_ma[2] = [0.0, 0.3]
    });
    contradict_with_the_pulse("bound of contact 2", "the waveform", |limits| {
        limits.bounds_ma[2] = [0.1, 0.3]
    });
}

#[test]
fn a_pulse_with_a_net_charge_cannot_be_balanced() {
    let limits = Limits {
        balanced: true,
        ..Limits::of_bound(3, 0.3)
    };
    let monophasic = Amplitudes::new(3, Arc::new(vec![0.0, -1.0, -1.0, 0.0]), DT_MS);
    let refusal = limits.check_with(&monophasic).unwrap_err().to_string();
    assert_eq!(
        refusal,
        "charge balance contradicts the waveform: found a net charge of -10 nC per mA, expected a pulse whose charge adds up \
         to 0; choose a balanced pulse, vary samples, or give up the balance"
    );
    assert_eq!(limits.check_with(&Functions::samples(3)), Ok(()));
}

#[test]
fn numbers_that_make_no_sense() {
    let refusal = |change: &dyn Fn(&mut Limits)| {
        let mut limits = Limits::of_bound(2, 0.3);
        change(&mut limits);
        match limits.check() {
            Err(DesignError::Request(error)) => error.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let of = |change: &dyn Fn(&mut Limits), names: &[&str]| {
        let refusal = refusal(change);
        assert!(names.iter().all(|name| refusal.contains(name)), "{refusal}");
    };
    of(
        &|limits| limits.bounds_ma[1] = [0.3, 0.3],
        &["bound of contact 1", "0.3 to 0.3 mA", "freeze"],
    );
    of(
        &|limits| limits.bounds_ma[1] = [f64::NAN, 0.3],
        &["bound of contact 1", "NaN"],
    );
    of(
        &|limits| limits.charge_max_nc = Some(0.0),
        &["charge per phase", "`0`"],
    );
    of(
        &|limits| limits.compliance_max_v = Some(-1.0),
        &["compliance", "-1"],
    );
    of(
        &|limits| limits.dac_ma = Some(f64::INFINITY),
        &["DAC step", "inf"],
    );
    of(
        &|limits| limits.shannon_max = Some(f64::NAN),
        &["Shannon", "NaN", "1.85"],
    );
    of(
        &|limits| limits.max_contacts = Some(0),
        &["number of contacts", "at least 1"],
    );
    of(
        &|limits| limits.frozen_ma[0] = Some(f64::NAN),
        &["frozen current of contact 0", "NaN"],
    );
    of(&|limits| limits.frozen_ma = vec![None], &["2 entries", "1"]);
    of(
        &|limits| *limits = Limits::of_bound(0, 0.3),
        &["at least one"],
    );
    of(
        &|limits| limits.shannon_max = Some(1.85),
        &["area of contact 0", "unknown", "area_cm2"],
    );
    of(
        &|limits| limits.compliance_max_v = Some(1.0),
        &["impedance", "unknown", "2 x 2"],
    );
    of(
        &|limits| {
            limits.compliance_max_v = Some(1.0);
            limits.electrodes = all_limits().electrodes;
        },
        &["6 x 6", "2 x 2"],
    );
    of(
        &|limits| {
            limits.compliance_max_v = Some(1.0);
            limits.electrodes.impedance_ohm = Some(vec![vec![1.0, 0.0], vec![0.0, 0.0]]);
        },
        &["row 1 of the impedance"],
    );
    let contacts = Limits::of_bound(2, 0.3).check_with(&Amplitudes::new(3, biphasic(), DT_MS));
    assert!(contacts.unwrap_err().to_string().contains("expected 3"));
}
