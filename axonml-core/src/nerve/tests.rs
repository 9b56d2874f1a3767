use ndarray::array;
use proptest::prelude::*;

use super::*;
use crate::field::{Field, Medium, PointSource};

const FIBERS: usize = 2;
const CONTACTS: usize = 3;

/// 0 to 8000 um in steps of 200 um.
fn fiber_z_um() -> Vec<f64> {
    (0..=40).map(|i| 200.0 * f64::from(i)).collect()
}

/// Contact c, fiber f: a point source at z = 3000 + 1000 c of the line, 400 + 100 f um away.
fn source(contact: usize, fiber: usize) -> PointSource {
    PointSource {
        x_um: 400.0 + 100.0 * fiber as f64,
        y_um: 0.0,
        z_um: 3000.0 + 1000.0 * contact as f64,
        medium: Medium::isotropic(500.0),
    }
}

fn arrays() -> NerveArrays {
    let z = fiber_z_um();
    let contact = |contact| {
        let lines: Vec<f64> = (0..FIBERS)
            .flat_map(|fiber| source(contact, fiber).potentials_mv(&z).unwrap())
            .collect();
        Array2::from_shape_vec((FIBERS, z.len()), lines).unwrap()
    };
    NerveArrays {
        name: "N".to_owned(),
        contacts: (0..CONTACTS).map(contact).collect(),
        fiber_z_um: z,
        fibers_xy_um: Some(array![[0.0, 0.0], [-100.0, 0.0]]),
        target: Some(vec![true, false]),
        weights: Some(vec![0.25, 0.75]),
        geometry: None,
    }
}

fn nerve() -> Nerve {
    Nerve::new(arrays()).unwrap()
}

fn refuse(change: impl FnOnce(&mut NerveArrays)) -> String {
    let mut arrays = arrays();
    change(&mut arrays);
    Nerve::new(arrays).map_or_else(
        |error| error.to_string(),
        |_| panic!("the nerve was accepted"),
    )
}

fn assert_names(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is missing in: {message}");
    }
}

#[test]
fn what_was_given_can_be_read() {
    let nerve = nerve();
    assert_eq!(
        (nerve.name(), nerve.fibers(), nerve.contacts()),
        ("N", FIBERS, CONTACTS)
    );
    assert_eq!(nerve.fiber_z_um(), fiber_z_um());
    assert_eq!(nerve.target(), Some(&[true, false][..]));
    assert_eq!(nerve.weights(), [0.25, 0.75]);
    assert_eq!(nerve.fibers_xy_um().unwrap()[[1, 0]], -100.0);
    assert_eq!(nerve.potentials_mv(2), arrays().contacts[2]);
    assert!(nerve.repairs().is_empty() && nerve.geometry().is_none());
}

#[test]
fn what_is_optional_may_be_absent() {
    let arrays = NerveArrays {
        fibers_xy_um: None,
        target: None,
        weights: None,
        ..arrays()
    };
    let nerve = Nerve::new(arrays).unwrap();
    assert_eq!((nerve.target(), nerve.weights()), (None, &[0.5, 0.5][..]));
}

#[test]
fn contacts_superpose_by_their_factors() {
    let field = nerve()
        .field(
            1,
            &[1.0, 0.0, -0.5],
            Interpolation::Linear,
            0.0,
            Extension::Refuse,
        )
        .unwrap();
    assert_eq!(field.extent_um(), (-4000.0, 4000.0));
    // Sample points 3000 and 5000 of the line lie at -1000 and 1000 of the fiber.
    let found = field.potentials_mv(&[-1000.0, 1000.0]).unwrap();
    let at = |contact| source(contact, 1).potentials_mv(&[3000.0, 5000.0]).unwrap();
    for i in 0..2 {
        let expected = at(0)[i] - 0.5 * at(2)[i];
        assert!(
            (found[i] - expected).abs() < 1e-11,
            "{} and {expected}",
            found[i]
        );
    }
}

#[test]
fn an_offset_moves_the_fiber_along_the_nerve() {
    let field = nerve()
        .field(
            0,
            &[1.0, 0.0, 0.0],
            Interpolation::Cubic,
            -1000.0,
            Extension::Refuse,
        )
        .unwrap();
    assert_eq!(field.extent_um(), (-3000.0, 5000.0));
    let top = source(0, 0).potentials_mv(&[3000.0]).unwrap()[0];
    assert!((field.potentials_mv(&[0.0]).unwrap()[0] - top).abs() < 1e-11);
}

#[test]
fn the_interpolation_is_the_requested_one() {
    let read = |method| {
        let field = nerve()
            .field(0, &[0.0, 1.0, 0.0], method, 0.0, Extension::Refuse)
            .unwrap();
        field.potentials_mv(&[100.0]).unwrap()[0]
    };
    let exact = source(1, 0).potentials_mv(&[4100.0]).unwrap()[0];
    let ends = source(1, 0).potentials_mv(&[4000.0, 4200.0]).unwrap();
    assert!((read(Interpolation::Linear) - 0.5 * (ends[0] + ends[1])).abs() < 1e-11);
    assert!((read(Interpolation::Cubic) / exact - 1.0).abs() < 5e-3);
    assert!((read(Interpolation::Linear) / exact - 1.0).abs() > 1e-2);
}

#[test]
fn gaps_are_filled_and_reported() {
    let mut arrays = arrays();
    let exact = arrays.contacts[1].clone();
    for sample in [20, 21, 7] {
        arrays.contacts[1][[1, sample]] = f64::NAN;
    }
    arrays.contacts[2][[0, 30]] = f64::NAN;
    let nerve = Nerve::new(arrays).unwrap();
    let gap = |contact, fiber, samples| GapRepair {
        contact,
        fiber,
        samples,
    };
    assert_eq!(
        nerve.repairs(),
        [gap(1, 1, 7..8), gap(1, 1, 20..22), gap(2, 0, 30..31)]
    );
    assert!((nerve.potentials_mv(1)[[1, 7]] / exact[[1, 7]] - 1.0).abs() < 1e-3);
    assert!(
        (nerve.potentials_mv(1)[[1, 20]] / exact[[1, 20]] - 1.0).abs() < 0.05,
        "at the peak"
    );
    assert_eq!(
        nerve.potentials_mv(1).row(0),
        exact.row(0),
        "other lines stay as they are"
    );
}

#[test]
fn gaps_in_a_cubic_are_filled_exactly() {
    let z: Vec<f64> = [0.0, 1.0, 2.5, 4.0, 5.0, 7.0, 8.0].to_vec();
    let cubic = |z: f64| 1.0 + z * (2.0 - z * (0.5 - 0.1 * z));
    let mut line: Vec<f64> = z.iter().map(|&z| cubic(z)).collect();
    (line[2], line[4]) = (f64::NAN, f64::NAN);
    let contacts = vec![Array2::from_shape_vec((1, 7), line).unwrap()];
    let nerve = Nerve::new(NerveArrays {
        contacts,
        fiber_z_um: z.clone(),
        ..Default::default()
    })
    .unwrap();
    for sample in [2, 4] {
        assert!(
            (nerve.potentials_mv(0)[[0, sample]] - cubic(z[sample])).abs() < 1e-12,
            "sample {sample}"
        );
    }
}

#[test]
fn a_line_that_is_not_known_is_its_fibers_error() {
    let field = |change: &dyn Fn(&mut NerveArrays), fiber, factors: &[f64]| {
        let mut arrays = arrays();
        change(&mut arrays);
        let nerve = Nerve::new(arrays).unwrap();
        nerve.field(fiber, factors, Interpolation::Cubic, 0.0, Extension::Refuse)
    };
    let empty = |arrays: &mut NerveArrays| arrays.contacts[2].row_mut(1).fill(f64::NAN);
    let infinite = |arrays: &mut NerveArrays| arrays.contacts[0][[1, 3]] = f64::INFINITY;
    let message = field(&empty, 1, &[1.0, 0.0, -1.0]).unwrap_err().to_string();
    assert_names(&message, &["contact 2", "fiber 1", "all 41 samples", "NaN"]);
    let message = field(&infinite, 1, &[1.0, 0.0, 0.0])
        .unwrap_err()
        .to_string();
    assert_names(&message, &["contact 0, fiber 1", "inf", "index 3"]);
    // Other fibers, and contacts that deliver nothing, do not mind.
    let good = nerve().field(
        0,
        &[1.0, 0.0, -1.0],
        Interpolation::Cubic,
        0.0,
        Extension::Refuse,
    );
    assert_eq!(field(&empty, 0, &[1.0, 0.0, -1.0]), good);
    assert!(
        field(&empty, 1, &[1.0, 1.0, 0.0]).is_ok() && field(&infinite, 1, &[0.0, 1.0, 0.0]).is_ok()
    );
    let message = refuse(|arrays| arrays.contacts[1].fill(f64::NAN));
    assert_names(&message, &["contact 1", "fiber 0", "NaN"]);
}

#[test]
fn what_lies_beyond_a_fiber_and_two_samples_does_not_matter() {
    // NaN from 7000 um of the line on, which is 3000 um from its middle: usable up to 2400 um.
    let mut arrays = arrays();
    for sample in 35..41 {
        arrays.contacts[0][[1, sample]] = f64::NAN;
    }
    let nerve = Nerve::new(arrays).unwrap();
    let field = |extension| {
        nerve
            .field(1, &[1.0, 0.0, 0.0], Interpolation::Cubic, 0.0, extension)
            .unwrap()
    };
    let known = field(Extension::Refuse);
    assert!(nerve.repairs().is_empty());
    let z = [-4000.0, -1000.0, 0.0, 2400.0];
    let exact = source(0, 1).potentials_mv(&z.map(|z| z + 4000.0)).unwrap();
    for (found, exact) in known.potentials_mv(&z).unwrap().iter().zip(&exact) {
        assert!((found / exact - 1.0).abs() < 1e-3, "{found} and {exact}");
    }
    let message = known.potentials_mv(&[0.0, 2401.0]).unwrap_err().to_string();
    assert_names(
        &message,
        &["0 to 2401 um", "-4000 to 2400 um", "NaN beyond"],
    );
    // The continuation begins where the values end.
    assert!(
        field(Extension::PointSource)
            .potentials_mv(&[3500.0])
            .is_ok()
    );
}

#[test]
fn coarse_sampling_is_estimated() {
    // A point source at a distance of 1, its peak anywhere between two samples, against the exact field.
    for spacing in [0.5, 0.75, 1.0, 1.25, 1.5, 2.0] {
        for place in [0.0, 0.25, 0.5, 0.75] {
            let exact = |z: f64| 1.0 / (1.0 + (z - place * spacing).powi(2)).sqrt();
            let z: Vec<f64> = (-40..=40).map(|k| spacing * f64::from(k)).collect();
            let line: Vec<f64> = z.iter().map(|z| exact(*z)).collect();
            let spline = CubicSpline::new(z.clone(), line.clone()).unwrap();
            let between = (-100..=100).map(|k| spacing * f64::from(k) / 20.0);
            let errors = between.map(|z| (spline.eval(z).unwrap() - exact(z)).abs());
            let found = 100.0 * errors.fold(0.0, f64::max);
            let nerve = Nerve::new(NerveArrays {
                contacts: vec![Array2::from_shape_vec((1, z.len()), line).unwrap()],
                fiber_z_um: z,
                ..Default::default()
            });
            let reported = nerve.unwrap().sampling_error().unwrap();
            assert_eq!((reported.fiber, reported.spacing_um), (0, spacing));
            assert!(
                (0.2..10.0).contains(&(reported.percent / found)),
                "spacing {spacing}, peak at {place}: {} and {found} %",
                reported.percent
            );
        }
    }
    let cubic = |z: f64| 1.0 + z * z * z;
    let lines = Array2::from_shape_fn((1, 9), |(_, k)| cubic(k as f64));
    let nerve = Nerve::new(NerveArrays {
        contacts: vec![lines],
        fiber_z_um: (0..9).map(f64::from).collect(),
        ..Default::default()
    });
    assert!(nerve.unwrap().sampling_error().unwrap().percent < 1e-10);
}

#[test]
fn an_extension_may_be_limited() {
    let limited = nerve().extended_at_most(0.1);
    let field = limited
        .field(
            0,
            &[1.0, 0.0, 0.0],
            Interpolation::Cubic,
            0.0,
            Extension::PointSource,
        )
        .unwrap();
    assert!(field.potentials_mv(&[-4300.0, 4500.0]).is_ok());
    let message = field
        .potentials_mv(&[-4300.0, 4600.0])
        .unwrap_err()
        .to_string();
    assert_names(
        &message,
        &["900 um beyond", "line of 8000 um", "800 um (10 %"],
    );
}

#[test]
fn arrays_must_fit_each_other() {
    assert_names(
        &refuse(|arrays| arrays.contacts.clear()),
        &["contacts of the nerve", "one or more", "found 0"],
    );
    assert_names(
        &refuse(|arrays| {
            arrays
                .contacts
                .iter_mut()
                .for_each(|lines| *lines = Array2::zeros((0, 41)))
        }),
        &["fibers of contact 0", "found 0"],
    );
    assert_names(
        &refuse(|arrays| arrays.contacts[1] = Array2::zeros((3, 41))),
        &["contact 1", "(2, 41)", "found (3, 41)"],
    );
    assert_names(
        &refuse(|arrays| arrays.fiber_z_um.truncate(40)),
        &["contact 0", "(2, 40)", "fiber_z", "found (2, 41)"],
    );
    assert_names(
        &refuse(|arrays| arrays.fibers_xy_um = Some(Array2::zeros((2, 3)))),
        &["fibers_xy", "(2, 2)", "(2, 3)"],
    );
    assert_names(
        &refuse(|arrays| arrays.target = Some(vec![true])),
        &["target", "expected 2", "found 1"],
    );
    assert_names(
        &refuse(|arrays| arrays.weights = Some(vec![1.0])),
        &["weights", "expected 2", "found 1"],
    );
}

#[test]
fn values_must_make_sense() {
    assert_names(
        &refuse(|arrays| arrays.fiber_z_um[3] = 0.0),
        &["fiber_z", "index 3", "0 after 400"],
    );
    assert_names(
        &refuse(|arrays| arrays.fiber_z_um[3] = f64::NAN),
        &["fiber_z has NaN at index 3"],
    );
    assert_names(
        &refuse(|arrays| arrays.fibers_xy_um = Some(array![[0.0, f64::NAN], [0.0, 0.0]])),
        &["fibers_xy has NaN at index 1"],
    );
    assert_names(
        &refuse(|arrays| arrays.weights = Some(vec![0.5, 0.6])),
        &["sum of weights", "1.1", "divide"],
    );
    assert_names(
        &refuse(|arrays| arrays.weights = Some(vec![-0.5, 1.5])),
        &["weight of fiber 0", "`-0.5`"],
    );
    assert_names(
        &refuse(|arrays| arrays.weights = Some(vec![f64::NAN, 1.0])),
        &["weights has NaN at index 0"],
    );
}

#[test]
fn impossible_fields_are_refused() {
    let refuse = |fiber, factors: &[f64], offset| {
        let field = nerve().field(
            fiber,
            factors,
            Interpolation::Cubic,
            offset,
            Extension::Refuse,
        );
        field.unwrap_err().to_string()
    };
    assert_names(
        &refuse(2, &[1.0, 0.0, 0.0], 0.0),
        &["fiber is `2`", "0 to 1", "nerve N has 2 fibers"],
    );
    assert_names(
        &refuse(0, &[1.0, 0.0], 0.0),
        &[
            "contact factors for nerve N",
            "one per contact, 3",
            "found 2",
        ],
    );
    assert_names(
        &refuse(0, &[1.0, f64::NAN, 0.0], 0.0),
        &["factor of contact 1 is `NaN`"],
    );
    assert_names(&refuse(0, &[1.0, 0.0, 0.0], f64::NAN), &["offset is `NaN`"]);
}

#[test]
fn long_fibers_need_the_extension() {
    let field = |extension| {
        nerve()
            .field(0, &[1.0, 0.0, 0.0], Interpolation::Cubic, 0.0, extension)
            .unwrap()
    };
    let message = field(Extension::Refuse)
        .potentials_mv(&[0.0, 9000.0])
        .unwrap_err()
        .to_string();
    assert_names(&message, &["0 to 9000 um", "-4000 to 4000 um"]);
    // Far away the extension is as good as the source itself: 9000 um of the fiber is 13000 um of
    // the line.
    let found = field(Extension::PointSource)
        .potentials_mv(&[9000.0])
        .unwrap()[0];
    let exact = source(0, 0).potentials_mv(&[13000.0]).unwrap()[0];
    assert!((found / exact - 1.0).abs() < 5e-3, "{found} and {exact}");
}

proptest! {
    #[test]
    fn fields_are_linear_in_the_factors_even_beyond_the_line(
        a in prop::array::uniform3(-2.0..2.0),
        b in prop::array::uniform3(-2.0..2.0),
    ) {
        let nerve = nerve();
        let read = |factors: [f64; 3]| {
            let field = nerve.field(0, &factors, Interpolation::Cubic, 30.0, Extension::PointSource);
            field.unwrap().potentials_mv(&[-6000.0, -10.0, 3333.0, 7000.0]).unwrap()
        };
        let sum = read([a[0] + b[0], a[1] + b[1], a[2] + b[2]]);
        let (a, b) = (read(a), read(b));
        for i in 0..sum.len() {
            prop_assert!((sum[i] - a[i] - b[i]).abs() < 1e-10, "point {}: {} and {}", i, sum[i], a[i] + b[i]);
        }
    }
}
