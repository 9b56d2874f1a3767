use proptest::prelude::*;

use super::*;

fn grid(dt_ms: f64, tstop_ms: f64) -> TimeGrid {
    TimeGrid::new(dt_ms, tstop_ms).unwrap()
}

fn refuse(waveform: &Waveform, grid: &TimeGrid) -> String {
    waveform.sample(grid).map_or_else(
        |error| error.to_string(),
        |_| panic!("{waveform} was sampled"),
    )
}

fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= 1e-15, "step {i}: {f}, expected {e}");
    }
}

#[test]
fn a_rectangle_is_on_from_its_first_step_until_before_its_end() {
    let samples = Waveform::monophasic(0.1)
        .unwrap()
        .delayed(0.1)
        .sample(&grid(0.005, 5.0))
        .unwrap();
    for (i, w) in samples.iter().enumerate() {
        assert_eq!(
            *w,
            if (20..40).contains(&i) { -1.0 } else { 0.0 },
            "step {i}"
        );
    }
}

#[test]
fn two_phase_pulses() {
    let grid = grid(0.1, 0.7);
    let sample = |waveform: Waveform| waveform.sample(&grid).unwrap();
    assert_eq!(
        sample(Waveform::biphasic(0.2, 0.1).unwrap()),
        [-1.0, -1.0, 0.0, 1.0, 1.0, 0.0, 0.0]
    );
    assert_eq!(
        sample(Waveform::asymmetric_biphasic(0.1).unwrap()),
        [-1.0, 0.25, 0.25, 0.25, 0.25, 0.0, 0.0]
    );
    let balanced = Waveform::charge_balanced(0.2, 0.4, 0.1).unwrap();
    assert_eq!(sample(balanced), [-1.0, -1.0, 0.0, 0.5, 0.5, 0.5, 0.5]);
}

#[test]
fn curves_begin_at_their_own_first_step() {
    let grid = grid(0.1, 0.5);
    let sample = |waveform: Result<Waveform, CoreError>| {
        waveform.unwrap().delayed(0.1).sample(&grid).unwrap()
    };
    assert_close(
        &sample(Waveform::triangle(0.4)),
        &[0.0, 0.0, -0.5, -1.0, -0.5],
    );
    assert_close(
        &sample(Waveform::ramp(0.4, Direction::Up)),
        &[0.0, 0.0, -0.25, -0.5, -0.75],
    );
    assert_close(
        &sample(Waveform::ramp(0.4, Direction::Down)),
        &[0.0, -1.0, -0.75, -0.5, -0.25],
    );
    assert_close(
        &sample(Waveform::sine_cycle(0.4)),
        &[0.0, 0.0, -1.0, 0.0, 1.0],
    );
    // Three standard deviations from the middle, then 1.5; with tau = pw, e to the elapsed or
    // remaining quarters.
    let (far, near) = ((-4.5_f64).exp(), (-1.125_f64).exp());
    assert_close(
        &sample(Waveform::gaussian(0.4)),
        &[0.0, -far, -near, -1.0, -near],
    );
    let e = |quarters: f64| -(-quarters / 4.0).exp();
    assert_close(
        &sample(Waveform::exponential(0.4, 0.4, Direction::Up)),
        &[0.0, e(4.0), e(3.0), e(2.0), e(1.0)],
    );
    assert_close(
        &sample(Waveform::exponential(0.4, 0.4, Direction::Down)),
        &[0.0, e(0.0), e(1.0), e(2.0), e(3.0)],
    );
}

#[test]
fn a_sine_without_end_fills_the_run_and_one_with_end_does_not() {
    let grid = grid(0.25, 2.0);
    let endless = Waveform::sine(1.0, None).unwrap().delayed(0.5);
    assert_close(
        &endless.sample(&grid).unwrap(),
        &[0.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0, 1.0],
    );
    assert_eq!(endless.end_ms(), None);
    let burst = Waveform::sine(1.0, Some(0.5)).unwrap().delayed(0.5);
    assert_close(
        &burst.sample(&grid).unwrap(),
        &[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
    );
    assert_eq!(burst.end_ms(), Some(1.0));
}

#[test]
fn trains_begin_each_rectangle_exactly_and_each_curve_at_the_nearest_step() {
    let train = |pulse: Result<Waveform, CoreError>| {
        Waveform::train(pulse.unwrap(), 4.0, 3)
            .unwrap()
            .delayed(0.1)
    };
    // Onsets 0.1 ms + 0, 0.25 and 0.5 ms: steps 1 + 0, 2.5 and 5.
    let rectangles = train(Waveform::monophasic(0.1));
    assert_close(
        &rectangles.sample(&grid(0.1, 0.8)).unwrap(),
        &[0.0, -1.0, 0.0, -0.5, -0.5, 0.0, -1.0, 0.0],
    );
    assert!((rectangles.end_ms().unwrap() - 0.7).abs() < 1e-15);
    // The half is rounded away from zero.
    let ramps = train(Waveform::ramp(0.1, Direction::Down));
    assert_eq!(
        ramps.sample(&grid(0.1, 0.8)).unwrap(),
        [0.0, -1.0, 0.0, 0.0, -1.0, 0.0, -1.0, 0.0]
    );
}

#[test]
fn edges_within_a_step_act_with_the_covered_fraction() {
    let grid = grid(0.1, 0.6);
    let sample = |waveform: Waveform| waveform.sample(&grid).unwrap();
    let close = |found: Vec<f64>, expected: [f64; 6]| {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
        }
    };
    let mono = |pw: f64, delay: f64| sample(Waveform::monophasic(pw).unwrap().delayed(delay));
    close(mono(0.13, 0.05), [-0.5, -0.8, 0.0, 0.0, 0.0, 0.0]);
    close(mono(0.02, 0.13), [0.0, -0.2, 0.0, 0.0, 0.0, 0.0]);
    // Both phases and the gap within one step.
    close(
        sample(Waveform::biphasic(0.03, 0.01).unwrap().delayed(0.02)),
        [-0.3 + 0.3, 0.0, 0.0, 0.0, 0.0, 0.0],
    );
    close(
        sample(Waveform::charge_balanced(0.05, 0.2, 0.0).unwrap()),
        [-0.5 + 0.125, 0.25, 0.125, 0.0, 0.0, 0.0],
    );
    close(
        sample(Waveform::asymmetric_biphasic(0.05).unwrap()),
        [-0.5 + 0.125, 0.25, 0.125, 0.0, 0.0, 0.0],
    );
    let table = Waveform::from_table(vec![0.02, 0.04, 0.25], vec![1.0, -3.0, 2.0]).unwrap();
    close(sample(table), [0.2 - 1.8, -3.0, -1.5 + 1.0, 2.0, 2.0, 2.0]);
}

#[test]
fn tables_hold_their_values() {
    let table = Waveform::from_table(vec![0.1, 0.3, 0.4], vec![2.0, -1.0, 0.0]).unwrap();
    assert_eq!(
        table.sample(&grid(0.1, 0.6)).unwrap(),
        [0.0, 2.0, 2.0, -1.0, 0.0, 0.0]
    );
    assert_eq!(table.end_ms(), Some(0.4));
    let endless = Waveform::from_table(vec![0.0, 0.2], vec![0.0, 0.5]).unwrap();
    assert_eq!(
        endless.sample(&grid(0.1, 0.4)).unwrap(),
        [0.0, 0.0, 0.5, 0.5]
    );
    assert_eq!(endless.end_ms(), None);
    let silent = Waveform::from_table(vec![3.0], vec![0.0]).unwrap();
    assert_eq!(
        (silent.sample(&grid(0.1, 0.2)).unwrap(), silent.end_ms()),
        (vec![0.0, 0.0], Some(0.0))
    );
}

#[test]
fn samples_are_taken_as_they_are() {
    let samples = Waveform::from_samples(0.1, vec![0.0, 0.5, -2.0, 0.0, 0.0]).unwrap();
    assert_eq!(samples.sample(&grid(0.1, 0.3)).unwrap(), [0.0, 0.5, -2.0]);
    assert_eq!(
        samples
            .clone()
            .delayed(0.1)
            .sample(&grid(0.1, 0.4))
            .unwrap(),
        [0.0, 0.0, 0.5, -2.0]
    );
    assert!((samples.end_ms().unwrap() - 0.3).abs() < 1e-15);
    let message = refuse(&samples, &grid(0.05, 0.3));
    assert!(
        message.contains("dt = 0.1 ms") && message.contains("dt = 0.05 ms"),
        "{message}"
    );
}

#[test]
fn the_end_is_that_of_the_last_pulse() {
    let early = Waveform::biphasic(0.25, 0.5).unwrap().delayed(1.0);
    let late = Waveform::charge_balanced(0.25, 0.5, 0.25)
        .unwrap()
        .delayed(2.0);
    assert_eq!(early.end_ms(), Some(2.0));
    assert_eq!((early.clone() + late.clone()).end_ms(), Some(3.0));
    assert_eq!((late.clone() + early).end_ms(), Some(3.0));
    assert_eq!((late + Waveform::sine(1.0, None).unwrap()).end_ms(), None);
    assert_eq!(
        Waveform::asymmetric_biphasic(0.5).unwrap().end_ms(),
        Some(2.5)
    );
}

#[test]
fn a_pulse_longer_than_the_run_is_refused() {
    let pulse = Waveform::monophasic(0.4).unwrap().delayed(0.2);
    assert_eq!(
        pulse.sample(&grid(0.1, 0.6)).unwrap().len(),
        6,
        "one that just fits is not"
    );
    let message = refuse(&pulse, &grid(0.1, 0.5));
    for part in [
        "tstop is shorter than the pulse",
        "ends at 0.5 ms",
        "until 0.6",
        "monophasic:pw=0.4,delay=0.2",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let train = Waveform::train(Waveform::monophasic(0.25).unwrap(), 1.0, 4)
        .unwrap()
        .delayed(0.5);
    let message = refuse(&train, &grid(0.25, 2.0));
    assert!(
        message.contains("`train:") && message.contains("until 3.75 ms"),
        "{message}"
    );
    let endless = Waveform::sine(1.0, None).unwrap().delayed(0.5);
    assert!(refuse(&endless, &grid(0.1, 0.5)).contains("tstop is shorter"));
    let table = Waveform::from_table(vec![0.0, 0.7], vec![0.0, 1.0]).unwrap();
    assert!(refuse(&table, &grid(0.1, 0.6)).contains("0.7"));
    // No memory is allocated for a waveform that cannot fit.
    let aeon = Waveform::monophasic(1e15).unwrap() + Waveform::asymmetric_biphasic(1e300).unwrap();
    assert!(refuse(&aeon, &grid(0.1, 0.6)).contains("tstop is shorter"));
}

#[test]
fn durations_of_curves_that_would_vanish_are_refused() {
    let grid = grid(0.005, 5.0);
    let vanishing = [
        (Waveform::gaussian(0.002), "pw of gaussian"),
        (Waveform::sine(1.0, Some(0.002)), "dur of sine"),
    ];
    for (waveform, what) in vanishing {
        let message = refuse(&waveform.unwrap(), &grid);
        for part in [what, "0.002 ms", "0.005 ms", "reduce dt"] {
            assert!(message.contains(part), "{part}: {message}");
        }
    }
    assert!(Waveform::gaussian(0.003).unwrap().sample(&grid).is_ok());
    // A rectangle carries its charge however short it is.
    let charge: f64 = Waveform::monophasic(0.0026)
        .unwrap()
        .delayed(0.1)
        .sample(&grid)
        .unwrap()
        .iter()
        .sum();
    assert!((charge * 0.005 + 0.0026).abs() < 1e-15, "{charge}");
}

#[test]
fn sines_need_more_than_two_samples_a_period() {
    let message = refuse(&Waveform::sine(100.0, None).unwrap(), &grid(0.005, 5.0));
    for part in ["100 kHz", "0.005 ms", "gives 2:", "0.0005 ms or less"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(
        Waveform::sine(99.0, None)
            .unwrap()
            .sample(&grid(0.005, 5.0))
            .is_ok()
    );
    // One cycle in two steps has only its zeros.
    let cycle = Waveform::sine_cycle(0.01).unwrap();
    assert!(refuse(&cycle, &grid(0.005, 5.0)).contains("a sine of 100 kHz"));
}

#[test]
fn sines_below_ten_samples_a_period_are_reported() {
    let grid = grid(0.005, 5.0);
    let sine = |freq: f64| Waveform::sine(freq, Some(0.5)).unwrap();
    let coarse = |waveform: &Waveform| waveform.coarse_sine(&grid);
    assert_eq!(coarse(&sine(20.0)), None);
    assert_eq!(coarse(&Waveform::monophasic(0.1).unwrap()), None);
    let reported = coarse(&(sine(1.0) + sine(21.0))).unwrap();
    assert_eq!(reported.freq_khz, 21.0);
    for part in ["21 kHz", "9.5 samples", "0.005 ms", "0.0047619 ms or less"] {
        assert!(reported.to_string().contains(part), "{part}: {reported}");
    }
    let cycles = Waveform::train(Waveform::sine_cycle(0.03).unwrap(), 1.0, 2).unwrap();
    assert_eq!(
        coarse(&cycles).map(|sine| sine.samples_per_period),
        Some(6.0)
    );
    assert_eq!(coarse(&Waveform::sine_cycle(0.05).unwrap()), None);
}

#[test]
fn phases_below_four_steps_are_reported() {
    let grid = grid(0.005, 5.0);
    let short = |waveform: Result<Waveform, CoreError>| {
        let reported = waveform.unwrap().short_phase(&grid);
        reported.map(|phase| phase.phase_ms)
    };
    assert_eq!(short(Waveform::monophasic(0.02)), None);
    assert_eq!(short(Waveform::biphasic(0.1, 0.0)), None);
    assert_eq!(short(Waveform::biphasic(0.1, 0.01)), Some(0.01));
    assert_eq!(
        short(Waveform::charge_balanced(0.1, 0.0026, 0.1)),
        Some(0.0026)
    );
    let pulse = Waveform::monophasic(0.0026).unwrap();
    assert_eq!(short(Waveform::train(pulse.clone(), 1.0, 2)), Some(0.0026));
    assert_eq!(
        short(Waveform::from_table(vec![0.0, 0.001], vec![1.0, 0.0])),
        None
    );
    let reported = pulse.short_phase(&grid).unwrap().to_string();
    for part in [
        "0.0026 ms",
        "4 steps of dt = 0.005 ms",
        "0.00065 ms or less",
    ] {
        assert!(reported.contains(part), "{part}: {reported}");
    }
}

#[test]
fn trains_are_bounded_in_depth_and_number() {
    let train = |pulse: Waveform, n: u32| Waveform::train(pulse, 1e-3, n);
    let mut nested = Waveform::monophasic(0.1).unwrap();
    for _ in 0..Waveform::MAX_DEPTH {
        nested = train(nested, 1).unwrap();
    }
    assert_eq!(nested.to_string().parse::<Waveform>().unwrap(), nested);
    let message = train(nested, 1).unwrap_err().to_string();
    assert!(
        message.contains("`17`") && message.contains("at most 16"),
        "{message}"
    );
    let many = Waveform::train(Waveform::monophasic(1e-9).unwrap(), 1e6, 10_000).unwrap();
    let message = Waveform::train(many, 0.05, 1001).unwrap_err().to_string();
    assert!(message.contains("`10010000`"), "{message}");
}

#[test]
fn impossible_delays_and_scales_are_refused() {
    let pulse = Waveform::monophasic(0.1).unwrap();
    let grid = grid(0.005, 5.0);
    assert!(refuse(&pulse.clone().delayed(-0.1), &grid).contains("delay of monophasic is `-0.1`"));
    assert!(
        refuse(&pulse.clone().delayed(f64::NAN), &grid).contains("delay of monophasic is `NaN`")
    );
    assert!(refuse(&pulse.scaled(f64::INFINITY), &grid).contains("scale of monophasic is `inf`"));
}

#[test]
fn scales_multiply_also_within_trains() {
    let pulse = Waveform::monophasic(0.1).unwrap();
    assert_eq!(
        pulse.clone().scaled(2.0).scaled(-3.0),
        pulse.clone().scaled(-6.0)
    );
    assert_eq!(pulse.clone().flipped().flipped(), pulse);
    let train = Waveform::train(pulse.scaled(2.0), 5.0, 2)
        .unwrap()
        .flipped();
    assert_eq!(train.sample(&grid(0.1, 0.4)).unwrap(), [2.0, 0.0, 2.0, 0.0]);
}

#[test]
fn bad_tables_and_samples_are_refused() {
    let table = |times: &[f64], values: &[f64]| {
        Waveform::from_table(times.to_vec(), values.to_vec())
            .unwrap_err()
            .to_string()
    };
    assert!(table(&[], &[]).contains("one or more"));
    assert!(table(&[0.0, 1.0], &[1.0]).contains("one per time, 2"));
    assert!(table(&[0.0, 0.0], &[1.0, 2.0]).contains("index 1 has 0 after 0"));
    assert!(table(&[-1.0], &[1.0]).contains("first time of the waveform is `-1`"));
    assert!(table(&[0.0], &[f64::NAN]).contains("amplitudes of the waveform has NaN at index 0"));
    assert!(table(&[f64::INFINITY], &[1.0]).contains("times of the waveform has inf"));
    let samples = |dt, value| {
        Waveform::from_samples(dt, vec![0.0, value])
            .unwrap_err()
            .to_string()
    };
    assert!(samples(0.0, 1.0).contains("dt of waveform samples is `0`"));
    assert!(samples(0.1, f64::NAN).contains("waveform samples has NaN at index 1"));
}

const STEPS: usize = 200;
const DT_MS: f64 = 0.01;

/// Any pulse that is over within 100 steps of 0.01 ms.
fn any_pulse() -> impl Strategy<Value = Waveform> {
    (0..11_usize, 2..15_u32, 1..15_u32, 0..5_u32).prop_map(|(kind, p, q, gap)| {
        let ms = |steps: u32| f64::from(steps) * DT_MS;
        let (pw, other, gap) = (ms(p), ms(q), ms(gap));
        let pulse = match kind {
            0 => Waveform::monophasic(pw),
            1 => Waveform::biphasic(pw, gap),
            2 => Waveform::charge_balanced(pw, other, gap),
            3 => Waveform::asymmetric_biphasic(pw),
            4 => Waveform::triangle(pw),
            5 => Waveform::ramp(pw, Direction::Up),
            6 => Waveform::gaussian(pw),
            7 => Waveform::exponential(pw, other, Direction::Down),
            8 => Waveform::sine_cycle(pw + DT_MS),
            9 => Waveform::sine(10.0, Some(pw)),
            _ => Waveform::monophasic(pw)
                .and_then(|pulse| Waveform::train(pulse, 1.0 / (pw + other), 2)),
        };
        pulse.unwrap()
    })
}

proptest! {
    #[test]
    fn sampling_is_linear(a in any_pulse(), b in any_pulse(), x in -3.0..3.0, y in -3.0..3.0) {
        let grid = grid(DT_MS, STEPS as f64 * DT_MS);
        let sum = (a.clone().scaled(x) + b.clone().scaled(y)).sample(&grid).unwrap();
        let (a, b) = (a.sample(&grid).unwrap(), b.sample(&grid).unwrap());
        for i in 0..STEPS {
            prop_assert!((sum[i] - (x * a[i] + y * b[i])).abs() < 1e-14, "step {}", i);
        }
    }

    #[test]
    fn delaying_shifts(pulse in any_pulse(), first in 0..50_u32, second in 0..50_u32) {
        let grid = grid(DT_MS, STEPS as f64 * DT_MS);
        let here = pulse.sample(&grid).unwrap();
        let later = pulse.delayed(f64::from(first) * DT_MS).delayed(f64::from(second) * DT_MS);
        let shift = (first + second) as usize;
        let later = later.sample(&grid).unwrap();
        prop_assert!(later[..shift].iter().all(|&w| w == 0.0));
        prop_assert_eq!(&later[shift..], &here[..STEPS - shift]);
    }

    #[test]
    fn balanced_pulses_carry_no_charge(pw1 in 0.01..0.3, pw2 in 0.01..0.3, gap in 0.01..0.1, dt in 0.001..0.02) {
        // Widths need not be multiples of the step.
        let grid = grid(dt, 1.0);
        let cycles = [Waveform::charge_balanced(pw1, pw2, gap), Waveform::biphasic(pw1, gap)];
        for waveform in cycles {
            let samples = waveform.unwrap().sample(&grid).unwrap();
            let (charge, moved): (f64, f64) = (samples.iter().sum(), samples.iter().map(|w| w.abs()).sum());
            prop_assert!(moved * dt > 1.9 * pw1.min(0.01), "something flows");
            prop_assert!(charge.abs() < 1e-12 * moved, "net charge {}", charge);
        }
    }

    #[test]
    fn text_round_trips(pulse in any_pulse(), other in any_pulse(), delay in 0.0..10.0, scale in -2.0..2.0) {
        let waveform = pulse.delayed(delay).scaled(scale) + other;
        prop_assert_eq!(waveform.to_string().parse::<Waveform>().unwrap(), waveform);
    }

    #[test]
    fn nothing_flows_after_the_end(pulse in any_pulse(), delay in 0..50_u32) {
        let grid = grid(DT_MS, STEPS as f64 * DT_MS);
        let pulse = pulse.delayed(f64::from(delay) * DT_MS);
        let end = grid.steps_in(pulse.end_ms().unwrap());
        let samples = pulse.sample(&grid).unwrap();
        prop_assert!(samples[end..].iter().all(|&w| w == 0.0));
        // The last step of every pulse but a sine at its own zero or a gap carries current.
        prop_assert!(samples[end.saturating_sub(2)..end].iter().any(|&w| w != 0.0));
    }
}

/// The samples of rectangular pulses as they were before edges were exact: whole steps.
fn in_whole_steps(phases: &[(f64, usize)], onset: usize, scale: f64) -> Vec<f64> {
    let mut samples = vec![0.0; STEPS];
    let values = phases
        .iter()
        .flat_map(|&(value, steps)| std::iter::repeat_n(value, steps));
    for (sample, value) in samples[onset..].iter_mut().zip(values) {
        *sample += scale * value;
    }
    samples
}

proptest! {
    #[test]
    fn on_the_grid_nothing_changes_by_a_bit(p in 1..15_usize, q in 1..15_usize, gap in 0..5_usize, onset in 0..80_usize, scale in -3.0..3.0) {
        let grid = grid(DT_MS, STEPS as f64 * DT_MS);
        let ms = |steps: usize| steps as f64 * DT_MS;
        let balance = p as f64 / q as f64;
        let cases = [
            (Waveform::monophasic(ms(p)), vec![(-1.0, p)]),
            (Waveform::biphasic(ms(p), ms(gap)), vec![(-1.0, p), (0.0, gap), (1.0, p)]),
            (Waveform::charge_balanced(ms(p), ms(q), ms(gap)), vec![(-1.0, p), (0.0, gap), (balance, q)]),
            (Waveform::asymmetric_biphasic(ms(p)), vec![(-1.0, p), (0.25, 4 * p)]),
            (Waveform::from_table(vec![0.0, ms(p), ms(p + q)], vec![0.3, -0.7, 0.0]), vec![(0.3, p), (-0.7, q)]),
        ];
        for (waveform, phases) in cases {
            let found = waveform.unwrap().scaled(scale).delayed(ms(onset)).sample(&grid).unwrap();
            let expected = in_whole_steps(&phases, onset, scale);
            for (found, expected) in found.iter().zip(&expected) {
                prop_assert_eq!(found.to_bits(), expected.to_bits());
            }
        }
    }

    #[test]
    fn off_the_grid_every_phase_keeps_its_charge(pw in 0.001..0.3, delay in 0.0..0.3, gap in 0.02..0.1, dt in 0.001..0.02) {
        // The gap is longer than a step, so that the phases' samples are apart.
        let grid = grid(dt, 2.0);
        let charges = |waveform: Waveform| {
            let samples = waveform.delayed(delay).sample(&grid).unwrap();
            let sum = |sign: f64| samples.iter().filter(|&&w| w * sign > 0.0).sum::<f64>() * dt;
            (sum(-1.0), sum(1.0))
        };
        let close = |found: f64, expected: f64| (found - expected).abs() <= 1e-10 * expected.abs();
        let (mono, _) = charges(Waveform::monophasic(pw).unwrap());
        prop_assert!(close(mono, -pw), "{} for {}", mono, pw);
        let (first, second) = charges(Waveform::biphasic(pw, gap).unwrap());
        prop_assert!(close(first, -pw) && close(second, pw));
        let (first, second) = charges(Waveform::charge_balanced(pw, 0.123, gap).unwrap());
        prop_assert!(close(first, -pw) && close(second, pw));
        let train = Waveform::train(Waveform::monophasic(pw).unwrap(), 1.0 / (pw + gap), 3).unwrap();
        let (all, _) = charges(train);
        prop_assert!(close(all, -3.0 * pw));
    }
}

#[test]
fn a_table_finer_than_the_step_is_averaged_not_lost() {
    let grid = TimeGrid::new(0.005, 1.0).unwrap();
    let spike =
        Waveform::from_table(vec![0.0, 0.1, 0.101, 0.102], vec![0.0, -1.0, 2.0, 0.0]).unwrap();
    let samples = spike.sample(&grid).unwrap();
    let charge: f64 = samples.iter().sum::<f64>() * 0.005;
    assert!((charge - 0.001).abs() < 1e-12, "{charge}");
    assert!((samples[20] - 0.2).abs() < 1e-10 && samples[21] == 0.0);
}
