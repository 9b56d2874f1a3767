//! Delivered currents obey the limits of a stimulator: checked by the definitions, of what was written.

use serde_json::Value;

use super::{AREA_CM2, Currents, OHM, de, done, folder, gd, numbers};
use crate::support::{Folder, repository};

/// Part of a limit by which rounding may exceed it.
const ROUNDING: f64 = 1e-9;

/// The largest k of Shannon of a contact: log10 of charge, uC, times charge density, uC / cm2, of a phase.
fn shannon(currents: &Currents, contact: usize, area_cm2: f64) -> f64 {
    let uc = 1e-3 * currents.charge_nc(contact);
    (uc * uc / area_cm2).log10()
}

/// The largest voltage of a contact, V.
fn volts(currents: &Currents, contact: usize, ohm: &[f64]) -> f64 {
    let at = |step: usize| {
        let each = ohm.iter().zip(&currents.of_contacts);
        1e-3 * each
            .map(|(ohm, of_contact)| ohm * of_contact[step])
            .sum::<f64>()
    };
    assert_eq!(ohm.len(), currents.contacts(), "contact {contact}");
    (0..currents.times_ms.len()).fold(0.0, |most: f64, step| most.max(at(step).abs()))
}

#[track_caller]
fn at_most(found: f64, limit: f64) {
    assert!(
        found <= limit + ROUNDING * limit.abs(),
        "{found} exceeds {limit}"
    );
}

#[track_caller]
fn on_grid(best: &Value, step_ma: f64) {
    for ma in numbers(&best["amplitudes_mA"]) {
        let steps = ma / step_ma;
        assert!(
            (steps - steps.round()).abs() < ROUNDING * steps.abs().max(1.0),
            "{ma}"
        );
    }
}

/// Runs both methods within a limit, and checks what each delivers.
#[track_caller]
fn each(name: &str, limit: &str, check: impl Fn(&Currents, &Value)) {
    let folder = folder(&format!("limits-{name}"));
    for (command, into) in [(gd("--starts 1"), "gd"), (de(""), "de")] {
        let best = done(&folder, &format!("{command} {limit}"), into);
        let currents = Currents::read(&folder, into);
        assert!(currents.delivering() > 0);
        check(&currents, &best);
    }
}

#[track_caller]
fn is_active(best: &Value, limit: &str) {
    let active = best["limits_active"].as_array().unwrap();
    let names = |of: &Value| of.as_str().unwrap().contains(limit);
    assert!(active.iter().any(names), "{limit}: {active:?}");
}

#[test]
fn bounds() {
    // Less than the targets need.
    each("bound", "--bound 0.05", |currents, best| {
        at_most(currents.largest_ma(), 0.05);
        is_active(best, "bound of contact");
    });
    let folder = folder("limits-bounds");
    folder.write(
        "b.csv",
        "contact,min_mA,max_mA\n0,-0.02,0.5\n2,-0.01,0.01\n",
    );
    done(&folder, &gd("--starts 1 --bounds b.csv --bound 0.4"), "r");
    let currents = Currents::read(&folder, "r");
    let range = |contact: usize| {
        let each = currents.of_contacts[contact].iter();
        each.fold([0.0_f64; 2], |[least, most], ma| {
            [least.min(*ma), most.max(*ma)]
        })
    };
    let [least, most] = range(0);
    assert!(
        least >= -0.02 - 1e-11 && most <= 0.5 + 1e-9,
        "{least} {most}"
    );
    at_most(currents.peak_ma(1), 0.4);
    at_most(currents.peak_ma(2), 0.01);
}

#[test]
fn currents_that_add_up_to_zero() {
    each("sum", "--sum-zero", |currents, _| {
        assert!(currents.sum_ma() < ROUNDING * currents.largest_ma());
        assert!(currents.delivering() >= 2);
    });
}

#[test]
fn charge_and_shannon() {
    each("charge", "--charge-max 12", |currents, best| {
        for contact in 0..3 {
            at_most(currents.charge_nc(contact), 12.0);
            let said = numbers(&best["charge_phase_nC"])[contact];
            assert!((said - currents.charge_nc(contact)).abs() < 1e-9 * said.max(1.0));
        }
    });
    each("shannon", "--shannon -2", |currents, best| {
        for contact in 0..3 {
            let k = shannon(currents, contact, AREA_CM2);
            assert!(k <= -2.0 + ROUNDING, "{k}");
            if currents.charge_nc(contact) > 0.0 {
                let said = best["shannon_k"][contact].as_f64().unwrap();
                assert!((said - k).abs() < 1e-9, "{said} {k}");
            }
        }
        is_active(best, "Shannon k of contact");
    });
    each("area", "--shannon -2 --contact-area 0.02", |currents, _| {
        for contact in 0..3 {
            assert!(shannon(currents, contact, 0.02) <= -2.0 + ROUNDING);
        }
    });
}

#[test]
fn compliance() {
    each(
        "compliance",
        "--compliance 0.05 --contact-ohm 100",
        |currents, best| {
            for (contact, own) in OHM.iter().enumerate() {
                let mut ohm = *own;
                ohm[contact] += 100.0;
                let volts = volts(currents, contact, &ohm);
                at_most(volts, 0.05);
                let said = numbers(&best["compliance_V"])[contact];
                assert!((said - volts).abs() < 1e-9, "{said} {volts}");
            }
            is_active(best, "compliance of contact");
        },
    );
}

#[test]
fn steps_and_numbers_of_contacts() {
    each("dac", "--dac 0.03", |_, best| on_grid(best, 0.03));
    each("contacts", "--max-contacts 2", |currents, _| {
        assert!(currents.delivering() <= 2);
    });
    each("frozen", "--frozen 1=0,2=-0.05", |currents, best| {
        let amplitudes = numbers(&best["amplitudes_mA"]);
        assert_eq!(amplitudes[1..], [0.0, -0.05]);
        assert_eq!(currents.peak_ma(1), 0.0);
        assert!((currents.peak_ma(2) - 0.05).abs() < 1e-12);
    });
}

/// All at once, on the bundled nerve.
#[test]
fn all_at_once() {
    let folder = Folder::new("optimize-limits-all");
    let nerve = repository("examples/nerves/N1/nerve.json");
    let nerve: Value = serde_json::from_slice(&std::fs::read(nerve).unwrap()).unwrap();
    let command = "optimize gd --nodes 21 --tstop 1.4 --dt 0.04 --steps 3 --starts 2 --robust 0 --sum-zero --bound 0.3 \
                   --dac 0.01 --charge-max 60 --shannon 1.85 --compliance 0.4 --max-contacts 4";
    let best = done(&folder, command, "r");
    let currents = Currents::read(&folder, "r");
    at_most(currents.largest_ma(), 0.3);
    assert!(currents.sum_ma() < ROUNDING * currents.largest_ma());
    assert!((1..=4).contains(&currents.delivering()));
    on_grid(&best, 0.01);
    for contact in 0..6 {
        at_most(currents.charge_nc(contact), 60.0);
        let radius_cm = 0.05 * super::number(&nerve["contacts"][contact]["diameter"]);
        let area_cm2 = std::f64::consts::PI * radius_cm * radius_cm;
        assert!(shannon(&currents, contact, area_cm2) <= 1.85 + ROUNDING);
        let ohm = numbers(&nerve["checks"]["impedance_ohm"][contact]);
        at_most(volts(&currents, contact, &ohm), 0.4);
    }
    assert!(best["limits_active"].is_array());
}

/// Each: limits of which no stimulus obeys both, and parts of the message: both names, and the remedy.
const CONTRADICTIONS: &[(&str, &[&str])] = &[
    (
        "--frozen 0=5",
        &[
            "frozen_mA.0 = 5 contradicts bound_mA 3",
            "--frozen",
            "--bound",
        ],
    ),
    (
        "--frozen 0=0.015 --dac 0.01",
        &[
            "frozen_mA.0 = 0.015 contradicts dac_mA 0.01",
            "--frozen",
            "--dac",
        ],
    ),
    (
        "--frozen 0=0.1,1=0.2 --max-contacts 1",
        &[
            "max_contacts 1 contradicts frozen_mA",
            "2 contacts are frozen",
            "--max-contacts",
        ],
    ),
    (
        "--frozen 0=0,1=0,2=0",
        &["frozen_mA: found all 3 contacts", "--frozen"],
    ),
    (
        "--frozen 0=1 --charge-max 10",
        &[
            "frozen current of contact 0 contradicts charge per phase of contact 0",
            "found 200",
            "at most 10",
        ],
    ),
    (
        "--frozen 0=1 --shannon -3",
        &[
            "frozen current of contact 0 contradicts Shannon k of contact 0",
            "at most -3",
        ],
    ),
    (
        "--frozen 0=1 --compliance 0.1 --bound 1",
        &[
            "frozen currents contradicts compliance of contact 0",
            "0.1 V",
            "freeze less current, or raise the compliance",
        ],
    ),
    (
        "--bounds up.csv --sum-zero",
        &[
            "bounds contradicts sum of currents 0",
            "both signs",
            "widen a bound",
        ],
    ),
    (
        "--sum-zero --frozen 0=0,1=0",
        &[
            "sum of currents 0 contradicts frozen currents",
            "contact 2 alone",
            "free another contact",
        ],
    ),
    (
        "--bounds up.csv",
        &[
            "bound of contact 0 contradicts the waveform",
            "0.1 to 0.5 mA",
            "let the bound allow 0",
        ],
    ),
];

#[test]
fn contradictions_are_named() {
    let folder = folder("limits-contradictions");
    folder.write(
        "up.csv",
        "contact,min_mA,max_mA\n0,0.1,0.5\n1,0.1,0.5\n2,0.1,0.5\n",
    );
    for (limits, parts) in CONTRADICTIONS {
        folder
            .axonml(&gd(&format!("{limits} --save-dir r")))
            .refused(parts);
        assert!(!folder.has("r"), "{limits}");
    }
}
