use proptest::prelude::*;

use super::*;

/// 0 to 4000 um in steps of 100 um.
fn knots() -> Vec<f64> {
    (0..=40).map(|i| 100.0 * f64::from(i)).collect()
}

/// The field of a point source 500 um off the line's coordinate `at_um`, sampled.
fn hill(at_um: f64) -> Vec<f64> {
    let source = PointSource {
        x_um: 500.0,
        y_um: 0.0,
        z_um: at_um,
        medium: Medium::isotropic(500.0),
    };
    source.potentials_mv(&knots()).unwrap()
}

fn line(offset_um: f64, extension: Extension) -> SampledLine {
    SampledLine::new(
        knots(),
        hill(2000.0),
        Interpolation::Cubic,
        offset_um,
        extension,
    )
    .unwrap()
}

#[test]
fn the_middle_of_the_fiber_lies_at_the_middle_of_the_line() {
    let values = hill(2000.0);
    let centerd = line(0.0, Extension::Refuse);
    assert_eq!(centerd.extent_um(), (-2000.0, 2000.0));
    assert!((centerd.potentials_mv(&[0.0]).unwrap()[0] - values[20]).abs() < 1e-12);
    assert!((centerd.potentials_mv(&[300.0]).unwrap()[0] - values[23]).abs() < 1e-12);
    // An offset moves the fiber along the line, and so the line back in the fiber's coordinate.
    let shifted = line(200.0, Extension::Refuse);
    assert_eq!(shifted.extent_um(), (-2200.0, 1800.0));
    assert!((shifted.potentials_mv(&[0.0]).unwrap()[0] - values[22]).abs() < 1e-12);
}

#[test]
fn a_line_reaches_to_its_very_ends_and_no_further() {
    let field = line(0.0, Extension::Refuse);
    let (ends, values) = (
        field.potentials_mv(&[-2000.0, 2000.0]).unwrap(),
        hill(2000.0),
    );
    assert!((ends[0] - values[0]).abs() < 1e-12 && (ends[1] - values[40]).abs() < 1e-12);
    assert!(
        field.potentials_mv(&[2000.0 + 1e-9]).is_ok(),
        "rounding errors of a geometry are forgiven"
    );
    let message = field
        .potentials_mv(&[-2500.0, 0.0, 2500.0])
        .unwrap_err()
        .to_string();
    for part in [
        "-2500 to 2500 um",
        "-2000 to 2000 um",
        "--extend point-source",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(
        field
            .potentials_mv(&[f64::NAN])
            .unwrap_err()
            .to_string()
            .contains("NaN at index 0")
    );
}

#[test]
fn lines_go_on_like_point_sources() {
    let field = line(0.0, Extension::PointSource);
    // Inside nothing changes.
    let z = [-1990.0, -13.0, 777.0];
    assert_eq!(
        field.potentials_mv(&z),
        line(0.0, Extension::Refuse).potentials_mv(&z)
    );
    // Value and slope are continuous at the ends.
    for end in [-2000.0, 2000.0_f64] {
        let out = end.signum();
        let at = |distance: f64| field.potentials_mv(&[end + out * distance]).unwrap()[0];
        let (inner, outer) = ((at(0.0) - at(-1e-2)) / 1e-2, (at(1e-2) - at(0.0)) / 1e-2);
        assert!(
            (inner / outer - 1.0).abs() < 1e-4,
            "slopes {inner} and {outer} at {end}"
        );
        // A = V d with d = -V / V', which is r^2 / |z - z0| for a source 500 um off the line.
        let (r2, axial) = (2000.0_f64.powi(2) + 500.0_f64.powi(2), 2000.0);
        let distance = r2 / axial;
        let expected = at(0.0) * distance / (distance + 1000.0);
        assert!(
            (at(1000.0) / expected - 1.0).abs() < 1e-3,
            "{} and {expected}",
            at(1000.0)
        );
    }
}

#[test]
fn a_hyperbola_is_extended_exactly() {
    // V = A / (|z| + 100) is its own continuation; straight lines take the slope of their last
    // chord.
    let knots: Vec<f64> = (0..=2000).map(f64::from).collect();
    let hyperbola = |z: f64| 1e3 / (z.abs() + 100.0);
    let potentials: Vec<f64> = knots.iter().map(|z| hyperbola(z - 1000.0)).collect();
    for (method, tolerance) in [(Interpolation::Cubic, 1e-8), (Interpolation::Linear, 1e-3)] {
        let field = SampledLine::new(
            knots.clone(),
            potentials.clone(),
            method,
            0.0,
            Extension::PointSource,
        )
        .unwrap();
        for z in [-1e4, -1100.0, 1500.0, 1e5] {
            let found = field.potentials_mv(&[z]).unwrap()[0];
            assert!(
                (found / hyperbola(z) - 1.0).abs() < tolerance,
                "{method} at {z}: {found}"
            );
        }
    }
}

#[test]
fn a_line_that_does_not_decay_is_not_extended() {
    let extend = |values: [f64; 3]| {
        let knots = vec![0.0, 1.0, 2.0];
        SampledLine::new(
            knots,
            values.to_vec(),
            Interpolation::Linear,
            0.0,
            Extension::PointSource,
        )
    };
    let message = extend([1.0, 3.0, 5.0]).unwrap_err().to_string();
    for part in [
        "last end",
        "5 mV",
        "slope of 2 mV/um",
        "sample a longer line",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(
        extend([5.0, 3.0, 1.0])
            .unwrap_err()
            .to_string()
            .contains("first end")
    );
    assert!(
        extend([1.0, 1.0, 1.0]).is_err(),
        "a flat end has its source infinitely far away"
    );
    assert!(
        extend([-1.0, -3.0, -1.0]).is_ok(),
        "negative fields decay as well"
    );
    assert_eq!(
        extend([0.0, 3.0, 0.0])
            .unwrap()
            .potentials_mv(&[-9.0, 9.0])
            .unwrap(),
        [0.0, 0.0]
    );
}

#[test]
fn bad_lines_are_refused() {
    let offset = SampledLine::new(
        knots(),
        hill(0.0),
        Interpolation::Cubic,
        f64::NAN,
        Extension::Refuse,
    );
    assert!(offset.unwrap_err().to_string().contains("offset is `NaN`"));
    let short = SampledLine::new(
        knots(),
        vec![1.0],
        Interpolation::Cubic,
        0.0,
        Extension::Refuse,
    );
    assert!(
        short
            .unwrap_err()
            .to_string()
            .contains("one per knot, 41, found 1")
    );
}

#[test]
fn potentials_at_sample_points_are_counted() {
    let given = SampledPotentials::new(vec![1.0, 2.0, 3.0]).unwrap();
    assert_eq!(
        given.potentials_mv(&[-5.0, 0.0, 5.0]).unwrap(),
        [1.0, 2.0, 3.0]
    );
    let message = given.potentials_mv(&[0.0; 5]).unwrap_err().to_string();
    assert!(
        message.contains("sample point of the model, 5, found 3"),
        "{message}"
    );
    let message = SampledPotentials::new(vec![1.0, f64::NAN])
        .unwrap_err()
        .to_string();
    assert!(message.contains("NaN at index 1"), "{message}");
}

#[test]
fn weights_must_be_finite() {
    let field: Arc<dyn Field> = Arc::new(line(0.0, Extension::Refuse));
    let message = Superposition::new([(1.0, Arc::clone(&field)), (f64::NAN, field)])
        .unwrap_err()
        .to_string();
    assert!(message.contains("weight of field 1 is `NaN`"), "{message}");
}

#[test]
fn an_error_of_a_part_is_an_error_of_the_sum() {
    let field: Arc<dyn Field> = Arc::new(line(0.0, Extension::Refuse));
    let sum = Superposition::new([(0.0, field)]).unwrap();
    assert!(matches!(
        sum.potentials_mv(&[1e6]),
        Err(CoreError::FiberBeyondLine { .. })
    ));
    assert_eq!(
        Superposition::default().potentials_mv(&[1e6]).unwrap(),
        [0.0]
    );
}

#[test]
fn extensions_read_and_write() {
    for extension in [Extension::Refuse, Extension::PointSource] {
        assert_eq!(extension.to_string().parse(), Ok(extension));
    }
    assert_eq!("Point_Source".parse(), Ok(Extension::PointSource));
    let message = "point-sauce".parse::<Extension>().unwrap_err().to_string();
    assert!(
        message.contains("did you mean `point-source`?"),
        "{message}"
    );
}

proptest! {
    #[test]
    fn fields_superpose(a in -5.0..5.0, b in -5.0..5.0, z in prop::collection::vec(-1900.0..1900.0, 1..5)) {
        let near: Arc<dyn Field> = Arc::new(PointSource {
            x_um: 100.0, y_um: 200.0, z_um: -300.0, medium: Medium::anisotropic(1200.0, 300.0),
        });
        let sampled: Arc<dyn Field> = Arc::new(line(10.0, Extension::Refuse));
        let sum = Superposition::new([(a, Arc::clone(&near)), (b, Arc::clone(&sampled))]).unwrap();
        let found = sum.potentials_mv(&z).unwrap();
        let (near, sampled) = (near.potentials_mv(&z).unwrap(), sampled.potentials_mv(&z).unwrap());
        for i in 0..z.len() {
            prop_assert!((found[i] - (a * near[i] + b * sampled[i])).abs() < 1e-11);
        }
    }
}
