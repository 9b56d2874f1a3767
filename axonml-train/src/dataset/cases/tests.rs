use super::*;
use crate::dataset::{FieldKind, FieldSource, KeyValue, Polarity, PulseFamily, Range};

/// The default recipe with its pool found.
fn pool() -> Cases {
    Cases::open(&Recipe::default(), &root()).unwrap()
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn points(pulses: Vec<PulseFamily>) -> Recipe {
    Recipe {
        fields: vec![FieldSource::new(FieldKind::Point {
            distance_um: Range::log(300.0, 3000.0),
            z_um: Range::fixed(0.0),
            resistivity_ohm_cm: 500.0,
        })],
        pulses,
        ..Recipe::default()
    }
}

/// Mean and variance.
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let square = |x: &f64| (x - mean).powi(2);
    (mean, values.iter().map(square).sum::<f64>() / n)
}

/// Checks the first two moments against those of a uniform distribution, within 5 standard errors of each.
#[track_caller]
fn assert_uniform(values: &[f64], low: f64, high: f64) {
    let (n, width) = (values.len() as f64, high - low);
    let (mean, variance) = moments(values);
    let expected = width * width / 12.0;
    let mean_error = 5.0 * (expected / n).sqrt();
    // The fourth central moment is w^4/80, so the sample variance has the variance (w^4/80 - w^4/144)/n.
    let variance_error = 5.0 * width * width * (1.0_f64 / 180.0 / n).sqrt();
    assert!(
        (mean - 0.5 * (low + high)).abs() < mean_error,
        "mean {mean}"
    );
    assert!(
        (variance - expected).abs() < variance_error,
        "variance {variance}"
    );
    assert!(values.iter().all(|x| (low..=high).contains(x)));
}

#[test]
fn the_distribution_is_axonmls() {
    let cases = pool();
    let drawn: Vec<Case> = (0..4000).map(|i| cases.case(i).unwrap()).collect();
    let of = |value: fn(&Case) -> f64| drawn.iter().map(value).collect::<Vec<f64>>();
    assert_uniform(&of(|case| case.diameter_um), 5.7, 14.0);
    assert_uniform(&of(|case| case.offset_spacings), -0.5, 0.5);

    let (mut amplitudes, mut onsets, mut widths) = (Vec::new(), Vec::new(), Vec::new());
    let mut silent = 0;
    for case in &drawn {
        assert_eq!(case.waveforms_ma.dim(), (6, 1000));
        for steps in case.waveforms_ma.rows() {
            let active: Vec<usize> = (0..1000).filter(|&step| steps[step] != 0.0).collect();
            let (Some(first), Some(last)) = (active.first(), active.last()) else {
                silent += 1;
                continue;
            };
            // One rectangle.
            assert!(last - first + 1 == active.len());
            assert!(active.iter().all(|&step| steps[step] == steps[*first]));
            amplitudes.push(steps[*first]);
            onsets.push(*first as f64 * 0.005);
            widths.push(active.len() as f64 * 0.005);
        }
    }
    // Pulses shorter than half a step: one in 800.
    assert!((10..60).contains(&silent), "{silent} of 24000 are silent");
    assert_uniform(&amplitudes, -0.2, 0.2);
    assert_uniform(&onsets, 0.0, 2.0);
    // Those that are left are not shorter than half a step.
    assert_uniform(&widths, 0.0025, 2.0025);

    // Contacts have pulses of their own: neighbors do not correlate.
    let pairs = drawn.iter().map(|case| {
        let peak = |contact: usize| case.waveforms_ma.row(contact).sum();
        peak(0) * peak(1)
    });
    let (mean, variance) = moments(&pairs.collect::<Vec<_>>());
    assert!(mean.abs() < 5.0 * (variance / 4000.0).sqrt(), "{mean}");

    // Every line of the pool comes up about as often as the others: 4000/150, Poisson within 6 deviations.
    let mut lines = vec![0_i32; 150];
    for case in &drawn {
        let DrawnField::Line(0, line) = case.field else {
            panic!("{case:?}")
        };
        lines[line] += 1;
    }
    assert!(
        lines.iter().all(|count| (3..=58).contains(count)),
        "{lines:?}"
    );
}

#[test]
fn a_case_depends_on_seed_and_number_only() {
    let cases = pool();
    let late = cases.case(60_000).unwrap();
    cases.case(3).unwrap();
    assert_eq!(cases.case(60_000).unwrap(), late);
    let fewer = Recipe {
        count: 1,
        ..Recipe::default()
    };
    assert_eq!(
        Cases::open(&fewer, &root()).unwrap().case(60_000).unwrap(),
        late
    );
    let other = Recipe {
        seed: 1,
        ..Recipe::default()
    };
    assert_ne!(
        Cases::open(&other, &root()).unwrap().case(60_000).unwrap(),
        late
    );
}

#[test]
fn families_are_chosen_by_weight_and_drawn_as_they_say() {
    let family = |shape: &str, weight: f64, polarity, keys: &[(&str, KeyValue)]| PulseFamily {
        weight,
        shape: shape.to_owned(),
        amplitude_ma: Range::uniform(0.5, 1.0),
        polarity,
        delay_ms: Range::fixed(1.0),
        keys: keys
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect(),
    };
    let range = |low, high| KeyValue::Range(Range::log(low, high));
    let recipe = points(vec![
        family(
            "biphasic",
            3.0,
            Polarity::Anodic,
            &[("pw", range(0.05, 0.5))],
        ),
        family(
            "noise",
            1.0,
            Polarity::Either,
            &[
                ("pw", KeyValue::Number(2.0)),
                ("hold", KeyValue::Number(0.1)),
            ],
        ),
    ]);
    let cases = Cases::open(&recipe, Path::new("")).unwrap();
    let (mut biphasic, mut logs) = (0, Vec::new());
    for index in 0..2000 {
        let case = cases.case(index).unwrap();
        let steps = case.waveforms_ma.row(0).to_vec();
        assert!(steps[..200].iter().all(|x| *x == 0.0) && steps.iter().all(|x| x.abs() <= 1.0));
        if steps.iter().sum::<f64>().abs() < 1e-9 {
            biphasic += 1;
            assert!(steps[200] >= 0.5, "anodic first");
            logs.push((steps.iter().filter(|x| **x > 0.0).count() as f64 * 0.005).ln());
        } else {
            // 20 values of 20 steps each.
            assert!(
                steps[200..600]
                    .chunks(20)
                    .all(|held| held.iter().all(|x| x == &held[0]))
            );
            assert!(steps[200] != steps[220] && steps[600] == 0.0);
        }
    }
    // A binomial of 2000 with 3/4 has the deviation 19.4.
    assert!((1400..1600).contains(&biphasic), "{biphasic}");
    // Widths are whole steps: the log-uniform mean to 5 standard errors and half a step of the least.
    let (mean, _) = moments(&logs);
    let expected = 0.5 * (0.05_f64.ln() + 0.5_f64.ln());
    assert!((mean - expected).abs() < 0.085, "{mean} {expected}");
}

#[test]
fn potentials_are_those_of_the_point_source() {
    let cases = Cases::open(&points(vec![PulseFamily::default()]), Path::new("")).unwrap();
    for index in 0..20 {
        let case = cases.case(index).unwrap();
        let DrawnField::Point(point) = &case.field else {
            panic!("{case:?}")
        };
        let (distance_um, spacing_um) = (point.x_um, 1000.0);
        assert!((300.0..=3000.0).contains(&distance_um));
        let z_um = [-2000.0, 0.0, 350.0];
        let basis = cases.basis_mv_per_ma(&case, &z_um, spacing_um).unwrap();
        for (z_um, found) in z_um.iter().zip(&basis) {
            // rho I / (4 pi r) with 500 ohm-cm and 1 mA, r in cm, the fiber shifted by its offset.
            let r_cm = distance_um.hypot(z_um + case.offset_spacings * spacing_um) * 1e-4;
            let expected = 500.0 / (4.0 * std::f64::consts::PI * r_cm);
            assert!(
                (found - expected).abs() < 1e-9 * expected,
                "{found} {expected}"
            );
        }
    }
}

#[test]
fn potentials_are_those_of_the_nerve() {
    let cases = pool();
    let nerve = axonml_models::read_nerve(&root().join(Recipe::POOL)).unwrap();
    let case = cases.case(11).unwrap();
    let DrawnField::Line(_, line) = case.field else {
        panic!("{case:?}")
    };
    // At samples of the line the potential is the sample: the middle of the line is sample 1000, 40 um apart.
    let z_um: Vec<f64> = (-900..=900)
        .step_by(100)
        .map(|k| 40.0 * f64::from(k))
        .collect();
    let shifted: Vec<f64> = z_um
        .iter()
        .map(|z| z - case.offset_spacings * 800.0)
        .collect();
    let basis = cases.basis_mv_per_ma(&case, &shifted, 800.0).unwrap();
    assert_eq!(basis.dim(), (6, z_um.len()));
    for contact in 0..6 {
        for (point, k) in (-900..=900).step_by(100).enumerate() {
            let sample = nerve.potentials_mv(contact)[[line, (1000 + k) as usize]];
            assert!((basis[[contact, point]] - sample).abs() < 1e-6 * sample.abs().max(1.0));
        }
    }
}

#[test]
fn fibers_beyond_the_field_are_refused() {
    let recipe = Recipe {
        nodes: 61,
        diameter_um: Range::fixed(14.0),
        ..Recipe::default()
    };
    let error = Cases::open(&recipe, &root()).err().unwrap().to_string();
    assert!(
        error.contains("the sampled field covers only") && error.contains("fields[0]"),
        "{error}"
    );
    let missing = Recipe {
        fields: vec![FieldSource::new(FieldKind::Nerve {
            folder: "nowhere".into(),
            extend: false,
        })],
        ..Recipe::default()
    };
    let error = Cases::open(&missing, &root()).err().unwrap().to_string();
    assert!(error.contains("nowhere"), "{error}");
}
