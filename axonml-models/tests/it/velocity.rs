//! Conduction velocities: which action potential, and when there is none. Their values: `models.rs`.

use std::sync::Arc;

use axonml_core::{Medium, PointSource, Waveform};
use axonml_models::{
    Conduction, ConductionVelocity, Device, Fiber, Settings, Simulation, SimulationError, Site,
    Stimulus, VelocitySites, model,
};
use proptest::prelude::*;

fn simulation(tstop_ms: f64, parameters: &[(&str, f64)]) -> Simulation {
    let owned = |(name, value): &(&str, f64)| ((*name).to_owned(), *value);
    let settings = Settings {
        tstop_ms,
        parameters: parameters.iter().map(owned).collect(),
        ..Settings::default()
    };
    let fibers = vec![Fiber::new(10.0, 53)];
    let device = Device::cpu().unwrap();
    Simulation::new(&model("mrg").unwrap(), fibers, &settings, &device).unwrap()
}

/// A current into a node, nA, for 0.2 ms.
fn clamp(node: i64, current_na: f64, onset_ms: f64) -> Stimulus {
    and_clamp(Stimulus::none(1), node, current_na, onset_ms)
}

fn and_clamp(stimulus: Stimulus, node: i64, current_na: f64, onset_ms: f64) -> Stimulus {
    let pulse = Waveform::monophasic(0.2)
        .unwrap()
        .flipped()
        .delayed(onset_ms);
    stimulus.inject(0, node, current_na, Arc::new(pulse))
}

fn measure(
    simulation: &Simulation,
    stimulus: &Stimulus,
    sites: VelocitySites,
) -> ConductionVelocity {
    let found = simulation.conduction_velocities(stimulus, 0.0, &sites);
    found.unwrap()[0]
}

#[test]
fn an_action_potential_is_as_fast_in_either_direction() {
    let simulation = simulation(2.0, &[]);
    let forward = measure(
        &simulation,
        &clamp(5, 3.0, 0.1),
        VelocitySites::nodes(15, 40),
    );
    let mirrored = measure(
        &simulation,
        &clamp(47, 3.0, 0.1),
        VelocitySites::nodes(12, 37),
    );
    let (forward_m_per_s, mirrored_m_per_s) =
        (forward.m_per_s().unwrap(), mirrored.m_per_s().unwrap());
    assert!((forward_m_per_s / mirrored_m_per_s - 1.0).abs() < 1e-9);
    let Conduction::Conducted {
        t_a_ms,
        t_b_ms,
        start,
        ..
    } = mirrored.conduction
    else {
        panic!("{mirrored:?}")
    };
    assert!(
        t_b_ms < t_a_ms && start.node.abs_diff(47) <= 1,
        "{mirrored:?}"
    );
    // Sites in the other order are the same measurement, named otherwise.
    let swapped = measure(
        &simulation,
        &clamp(5, 3.0, 0.1),
        VelocitySites::nodes(40, 15),
    );
    assert_eq!(
        (swapped.node_a, swapped.m_per_s()),
        (40, Some(forward_m_per_s))
    );
    // Fractions of the length are nodes: 0.25 and 0.75 of 52 internodes.
    let quarter = VelocitySites::between(Site::Fraction(0.25), Site::Node(-14));
    let quarter = measure(&simulation, &clamp(5, 3.0, 0.1), quarter);
    let default = measure(&simulation, &clamp(5, 3.0, 0.1), VelocitySites::default());
    assert_eq!((quarter.node_a, quarter.node_b), (13, 39));
    assert_eq!(quarter, default);
}

#[test]
fn sites_on_both_sides_of_the_beginning_have_no_velocity() {
    let simulation = simulation(2.0, &[]);
    for node in [26, 15, 40] {
        let found = measure(
            &simulation,
            &clamp(node, 3.0, 0.1),
            VelocitySites::nodes(15, 40),
        );
        assert_eq!(found.status(), "not_in_order", "{found:?}");
        assert_eq!(
            (found.m_per_s(), found.start().unwrap().node),
            (None, node as usize)
        );
    }
}

#[test]
fn what_does_not_pass_both_sites_says_why() {
    let sites = VelocitySites::nodes(15, 40);
    // Half of the intracellular threshold of 0.65 nA.
    let weak = measure(&simulation(2.0, &[]), &clamp(5, 0.3, 0.1), sites);
    assert_eq!((weak.status(), weak.start()), ("no_activation", None));
    // A node that cannot fire, polarized beyond the level where it is looked at.
    let passive = simulation(2.0, &[("gna", 0.0), ("gnap", 0.0)]);
    let polarized = measure(&passive, &clamp(15, 30.0, 0.1), sites);
    assert_eq!(polarized.status(), "no_activation", "{polarized:?}");
    // No time to arrive: at neither site, and at one of them.
    for tstop_ms in [0.3, 0.6] {
        let late = measure(&simulation(tstop_ms, &[]), &clamp(5, 3.0, 0.1), sites);
        assert_eq!(late.status(), "propagation_failure", "{late:?}");
        assert!(late.start().unwrap().node.abs_diff(5) <= 1);
    }
    // From both ends at once: they meet in the middle, and neither passes both sites.
    let both = and_clamp(clamp(5, 3.0, 0.1), 47, 3.0, 0.1);
    let both = measure(&simulation(2.0, &[]), &both, sites);
    assert_eq!(both.status(), "propagation_failure", "{both:?}");
    let diverged = measure(&simulation(2.0, &[]), &clamp(5, 1e7, 0.1), sites);
    assert!(
        matches!(diverged.conduction, Conduction::Diverged(_)),
        "{diverged:?}"
    );
}

#[test]
fn sites_that_a_fiber_does_not_have_are_refused() {
    let simulation = simulation(1.0, &[]);
    let stimulus = clamp(5, 3.0, 0.1);
    for sites in [
        VelocitySites::nodes(15, 53),
        VelocitySites::nodes(15, -38),
        VelocitySites::fractions(0.2, 1.5),
        VelocitySites::fractions(f64::NAN, 0.5),
    ] {
        let error = simulation
            .conduction_velocities(&stimulus, 0.0, &sites)
            .unwrap_err();
        assert!(
            matches!(error, SimulationError::Stimulus { fiber: 0, .. }),
            "{error}"
        );
    }
    let late = VelocitySites::default().after_ms(1.5);
    assert!(
        simulation
            .conduction_velocities(&stimulus, 0.0, &late)
            .is_err()
    );
}

/// In the relative refractory period an action potential is slower, and recovers.
#[test]
fn an_action_potential_that_follows_another_has_its_own_velocity() {
    let simulation = simulation(6.0, &[]);
    // So soon behind another its peak may lie below 0 mV.
    let sites = VelocitySites::nodes(15, 40).threshold_mv(-30.0);
    let alone = measure(&simulation, &clamp(5, 3.0, 0.1), sites)
        .m_per_s()
        .unwrap();
    let second = |interval_ms: f64| {
        let stimulus = and_clamp(clamp(5, 3.0, 0.1), 5, 6.0, 0.1 + interval_ms);
        let first = measure(&simulation, &stimulus, sites).m_per_s().unwrap();
        assert!((first / alone - 1.0).abs() < 1e-9);
        let found = measure(&simulation, &stimulus, sites.after_ms(0.1 + interval_ms));
        assert!(found.start().unwrap().time_ms > 0.1 + interval_ms);
        found.m_per_s().unwrap() / alone
    };
    let (refractory, later) = (second(1.5), second(4.0));
    assert!(refractory < 0.8, "{refractory}");
    assert!(refractory < later && (later - 1.0).abs() < 0.1, "{later}");
}

/// A field starts it as well; the velocity far away does not depend on how it was started.
#[test]
fn an_electrode_starts_an_action_potential_as_well() {
    let simulation = simulation(3.0, &[]);
    let electrode = PointSource {
        x_um: 1000.0,
        y_um: 0.0,
        z_um: -21.0 * 1122.4315,
        medium: Medium::isotropic(500.0),
    };
    let pulse = "monophasic:pw=0.1,delay=0.1".parse().unwrap();
    let stimulus = Stimulus::uniform(1, Arc::new(electrode), pulse);
    let sites = VelocitySites::nodes(20, 45);
    let found = simulation
        .conduction_velocities(&stimulus, 0.2, &sites)
        .unwrap()[0];
    assert_eq!(found.start().unwrap().node, 5);
    let clamped = measure(&simulation, &clamp(5, 3.0, 0.1), sites);
    let ratio = found.m_per_s().unwrap() / clamped.m_per_s().unwrap();
    assert!((ratio - 1.0).abs() < 1e-3, "{ratio}");
    let below = simulation
        .conduction_velocities(&stimulus, 0.05, &sites)
        .unwrap()[0];
    assert_eq!(below.status(), "no_activation");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// Away from the ends and the electrode velocity is uniform: any two sites measure the same within the ripple of the
    /// time steps.
    #[test]
    fn any_two_sites_measure_the_same_velocity(a in 12_i64..26, span in 8_i64..16) {
        let simulation = simulation(2.0, &[]);
        let stimulus = clamp(3, 3.0, 0.1);
        let all = measure(&simulation, &stimulus, VelocitySites::nodes(12, 42)).m_per_s().unwrap();
        let some = measure(&simulation, &stimulus, VelocitySites::nodes(a, a + span)).m_per_s().unwrap();
        prop_assert!((some / all - 1.0).abs() < 2e-3, "{} {}", some, all);
    }
}
