//! Projections are idempotent, stay in the set and find its nearest point.

use proptest::prelude::*;

use super::super::super::{Amplitudes, Parameterization};
use super::super::{Limit, Limits};
use super::{DT_MS, Functions, all_limits, biphasic};

const CONTACTS: usize = 5;

fn largest(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |most, x| most.max(x.abs()))
}

/// Limits of five contacts; `signs` of 1 and 2 leave contacts currents of one sign.
fn limits(
    sum_zero: bool,
    balanced: bool,
    max_contacts: Option<usize>,
    silent: bool,
    signs: [u8; CONTACTS],
) -> Limits {
    let mut limits = Limits {
        sum_zero,
        balanced,
        max_contacts,
        ..Limits::of_bound(CONTACTS, 0.3)
    };
    for (bound, sign) in limits.bounds_ma.iter_mut().zip(signs) {
        match sign {
            1 => bound[0] = 0.0,
            2 => bound[1] = 0.0,
            _ => {}
        }
    }
    if silent {
        limits.frozen_ma[2] = Some(0.0);
    }
    limits
}

/// The projection of `x` is idempotent, obeys but for its strength, and (where the set is convex) is nearer to `x` than any
/// other point: the angle to another point of the set, that nearest to `y`, is no acute one.
fn check(
    limits: &Limits,
    p: &dyn Parameterization,
    x: &[f64],
    y: &[f64],
) -> Result<(), TestCaseError> {
    let (mut nearest, mut other) = (x.to_vec(), y.to_vec());
    limits.project(p, &mut nearest);
    limits.project(p, &mut other);
    let size = largest(x).max(1e-3);
    let mut again = nearest.clone();
    limits.project(p, &mut again);
    let moved: Vec<f64> = again.iter().zip(&nearest).map(|(a, b)| a - b).collect();
    prop_assert!(
        largest(&moved) <= 1e-10 * size,
        "moved by {:e}",
        largest(&moved)
    );
    if limits.max_contacts.is_none() {
        let each = x.iter().zip(&nearest).zip(&other);
        let product: f64 = each
            .map(|((x, nearest), other)| (x - nearest) * (other - nearest))
            .sum();
        prop_assert!(product <= 1e-9 * size * size, "{product:e}");
    }
    let stimulus = p.stimulus(&nearest);
    let scales = limits.scales(&stimulus);
    let obeys = |factor: f64| {
        let mut violations = limits.violations(&stimulus.scaled(factor)).into_iter();
        violations.all(|v| matches!(v.limit, Limit::Dac { .. }))
    };
    match scales {
        Some(scales) => {
            for part in [0.0, 0.3, 1.0] {
                let factor = scales.least + part * (scales.largest - scales.least);
                prop_assert!(
                    obeys(factor),
                    "{:?}",
                    limits.violations(&stimulus.scaled(factor))
                );
            }
        }
        None => prop_assert!(false, "{:?}", limits.violations(&stimulus)),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn directions(
        x in prop::collection::vec(-1.0..1.0_f64, CONTACTS * 12),
        y in prop::collection::vec(-1.0..1.0_f64, CONTACTS * 12),
        sum_zero: bool,
        balanced: bool,
        silent: bool,
        max_contacts in prop::option::of(2..CONTACTS),
    ) {
        let limits = limits(sum_zero, balanced, max_contacts, silent, [0; CONTACTS]);
        for p in [Functions::hats(CONTACTS), Functions::samples(CONTACTS)] {
            let unknowns = p.unknowns();
            check(&limits, &p, &x[..unknowns], &y[..unknowns])?;
        }
        if !balanced {
            check(&limits, &Amplitudes::new(CONTACTS, biphasic(), DT_MS), &x[..CONTACTS], &y[..CONTACTS])?;
        }
    }

    /// Currents of one sign, a pulse of one sign: a cone of directions.
    #[test]
    fn contacts_of_one_sign(
        x in prop::collection::vec(-1.0..1.0_f64, CONTACTS * 12),
        y in prop::collection::vec(-1.0..1.0_f64, CONTACTS * 12),
        sum_zero: bool,
        max_contacts in prop::option::of(2..CONTACTS),
        signs in prop::array::uniform5(0..3_u8),
    ) {
        let limits = limits(sum_zero, false, max_contacts, false, signs);
        let pulse = std::sync::Arc::new([vec![0.0; 4], vec![-1.0; 20]].concat());
        let pulse = Amplitudes::new(CONTACTS, pulse, DT_MS);
        check(&limits, &pulse, &x[..CONTACTS], &y[..CONTACTS])?;
        let samples = Functions::samples(CONTACTS);
        check(&limits, &samples, &x[..samples.unknowns()], &y[..samples.unknowns()])?;
    }

    /// Contacts 0 and 3 are frozen at currents that the others return, with all limits of amplitudes in force.
    #[test]
    fn frozen_currents(
        x in prop::collection::vec(-1.0..1.0_f64, 6),
        y in prop::collection::vec(-1.0..1.0_f64, 6),
        sum_zero: bool,
        first in -4..4_i32,
        second in -4..4_i32,
    ) {
        let mut limits = Limits { sum_zero, max_contacts: None, compliance_max_v: Some(0.7), ..all_limits() };
        limits.frozen_ma[0] = Some(0.01 * f64::from(first));
        limits.frozen_ma[3] = Some(0.01 * f64::from(second));
        let p = Amplitudes::new(6, biphasic(), DT_MS);
        prop_assert_eq!(limits.check_with(&p), Ok(()));
        check(&limits, &p, &x, &y)?;
    }

    /// The same of samples, whose charges are not part of the set.
    #[test]
    fn frozen_samples(
        x in prop::collection::vec(-1.0..1.0_f64, 48),
        y in prop::collection::vec(-1.0..1.0_f64, 48),
        sum_zero: bool,
    ) {
        let mut limits = Limits { sum_zero, compliance_max_v: Some(0.7), electrodes: all_limits().electrodes, ..Limits::of_bound(6, 0.3) };
        limits.electrodes.areas_cm2.truncate(4);
        limits.bounds_ma.truncate(4);
        limits.frozen_ma = vec![Some(-0.05), None, None, None];
        let ohm = limits.electrodes.impedance_ohm.iter_mut().flatten();
        ohm.for_each(|row| row.truncate(4));
        limits.electrodes.impedance_ohm.iter_mut().for_each(|ohm| ohm.truncate(4));
        let p = Functions::samples(4);
        prop_assert_eq!(limits.check_with(&p), Ok(()));
        check(&limits, &p, &x, &y)?;
    }
}

/// Shapes are clamped, even where they are no numbers.
#[derive(Clone, Debug)]
struct Shaped(Amplitudes);

impl Parameterization for Shaped {
    fn contacts(&self) -> usize {
        self.0.contacts()
    }

    fn coefficients(&self) -> usize {
        1
    }

    fn shapes(&self) -> Vec<(&'static str, [f64; 2])> {
        vec![("pw_ms", [0.05, 1.0]), ("gap_ms", [0.0, 0.1])]
    }

    fn stimulus(&self, x: &[f64]) -> super::super::super::Delivered {
        self.0.stimulus(&x[..self.contacts()])
    }

    fn start(&self, amplitudes_ma: &[f64]) -> Vec<f64> {
        [amplitudes_ma, &[0.2, 0.0]].concat()
    }

    fn pull_back(&self, x: &[f64], by_currents: ndarray::ArrayView2<'_, f64>) -> Vec<f64> {
        [self.0.pull_back(x, by_currents), vec![0.0; 2]].concat()
    }
}

#[test]
fn shapes_stay_in_their_ranges() {
    let p = Shaped(Amplitudes::new(2, biphasic(), DT_MS));
    let mut limits = Limits {
        sum_zero: true,
        ..Limits::of_bound(2, 0.3)
    };
    let mut x = [0.3, 0.1, 3.0, f64::NAN];
    limits.project(&p, &mut x);
    assert!(
        (x[0] - 0.1).abs() < 1e-15 && (x[1] + 0.1).abs() < 1e-15,
        "{x:?}"
    );
    assert_eq!(x[2..], [1.0, 0.0]);
    limits.frozen_ma = vec![Some(0.1), None];
    let mut x = [0.3, 0.1, 0.001, 0.05];
    limits.project(&p, &mut x);
    assert!(
        (x[0] - 0.1).abs() < 1e-15 && (x[1] + 0.1).abs() < 1e-12,
        "{x:?}"
    );
    assert_eq!(x[2..], [0.05, 0.05]);
}
