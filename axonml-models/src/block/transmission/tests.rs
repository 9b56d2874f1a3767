use proptest::prelude::*;

use super::*;

/// Pulses at the states 200, 250, 300 and 350; counting begins at 190.
fn windows() -> Windows {
    Windows {
        after: 190,
        onsets: vec![200, 250, 300, 350],
    }
}

fn counted(arrivals: &[usize]) -> Transmission {
    Transmission::of(1.0, arrivals, &windows(), FiberStatus::Completed)
}

#[test]
fn states_are_what_the_words_say() {
    use TransmissionState::*;
    for (arrivals, state, per_pulse) in [
        // One per pulse; on the first state of a window, on the last, and after those before counting begins.
        (&[200, 299, 349, 350][..], Transmitted, [1, 1, 1, 1]),
        (&[3, 189, 210, 260, 310, 360], Transmitted, [1, 1, 1, 1]),
        (&[], Blocked, [0; 4]),
        (&[10, 20, 189], Blocked, [0; 4]),
        (&[210], Partial, [1, 0, 0, 0]),
        (&[210, 310, 360], Partial, [1, 0, 1, 1]),
        // A second one in a window, as many in total as expected; one before the first window.
        (&[210, 220, 310, 360], Excited, [2, 0, 1, 1]),
        (&[210, 220], Excited, [2, 0, 0, 0]),
        (&[190, 210, 260, 310, 360], Excited, [1, 1, 1, 1]),
        (&[199], Excited, [0; 4]),
        (&[210, 260, 310, 360, 370], Excited, [1, 1, 1, 2]),
    ] {
        let found = counted(arrivals);
        assert_eq!(
            (found.state, &found.per_pulse[..]),
            (state, &per_pulse[..]),
            "{arrivals:?}"
        );
        assert_eq!(found.n_ap_expected, 4);
        assert_eq!(found.n_before + found.n_ap, arrivals.len());
    }
}

#[test]
fn a_fiber_that_answers_each_pulse_twice_is_activated() {
    let found = counted(&[210, 240, 260, 290, 310, 340, 360, 390]);
    assert_eq!(found.state, TransmissionState::Excited);
    assert!(found.all_arrive());
    assert!(!counted(&[210, 240, 260, 310]).all_arrive());
}

#[test]
fn without_test_pulses_none_are_expected() {
    let windows = Windows {
        after: 190,
        onsets: Vec::new(),
    };
    let of = |arrivals: &[usize]| {
        let found = Transmission::of(1.0, arrivals, &windows, FiberStatus::Completed);
        (found.state, found.n_ap, found.n_ap_expected)
    };
    assert_eq!(of(&[10, 20]), (TransmissionState::Quiet, 0, 0));
    assert_eq!(of(&[10, 190, 200]), (TransmissionState::Excited, 2, 0));
}

#[test]
fn a_run_that_diverges_has_no_other_state() {
    let status = FiberStatus::Diverged {
        state: 300,
        node: 1,
        v_mv: f64::NAN,
        stability: None,
    };
    let found = Transmission::of(1.0, &[210, 260], &windows(), status);
    assert_eq!((found.state, found.n_ap), (TransmissionState::Diverged, 2));
    assert_eq!(found.state.name(), "diverged");
}

#[test]
fn pulses_before_counting_begins_are_not_expected() {
    let grid = axonml_core::TimeGrid::new(0.005, 40.0).unwrap();
    let pulses = TestPulses::new(5, 2.0, 0.1, &[15.0, 20.0, 25.0]);
    let windows = |after_ms| pulses.windows(&grid, after_ms).onsets;
    assert_eq!(windows(14.0), [3000, 4000, 5000]);
    assert_eq!(windows(20.0), [4000, 5000]);
    assert_eq!(windows(20.005), [5000]);
}

proptest! {
    /// The state depends on the order of arrivals in nothing, and every action potential is counted once.
    #[test]
    fn every_arrival_is_counted_once(mut arrivals in prop::collection::vec(0_usize..400, 0..12)) {
        let found = counted(&arrivals);
        let before = arrivals.iter().filter(|&&at| at < 190).count();
        prop_assert_eq!(found.n_before, before);
        prop_assert_eq!(found.n_ap, arrivals.len() - before);
        let stray = arrivals.iter().filter(|&&at| (190..200).contains(&at)).count();
        prop_assert_eq!(found.per_pulse.iter().sum::<usize>() + stray, found.n_ap);
        let one_each = stray == 0 && found.per_pulse == [1, 1, 1, 1];
        prop_assert_eq!(found.state == TransmissionState::Transmitted, one_each);
        prop_assert_eq!(found.state == TransmissionState::Blocked, found.n_ap == 0);
        arrivals.reverse();
        prop_assert_eq!(counted(&arrivals), found);
    }
}
