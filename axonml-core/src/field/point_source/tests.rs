use std::sync::Arc;

use super::*;

const ISOTROPIC: PointSource = PointSource {
    x_um: 300.0,
    y_um: -400.0,
    z_um: 1200.0,
    medium: Medium::isotropic(500.0),
};

#[test]
fn an_isotropic_field_falls_with_distance() {
    // r = 1300 um at z = 0 and 500 um at z = 1200: 500 ohm-cm * 1 mA / (4 pi 0.13 cm) and / (4 pi
    // 0.05 cm).
    let potentials = ISOTROPIC.potentials_mv(&[0.0, 1200.0]).unwrap();
    assert!((potentials[0] / (500.0 / (4.0 * PI * 0.13)) - 1.0).abs() < 1e-14);
    assert!((potentials[1] / (500.0 / (4.0 * PI * 0.05)) - 1.0).abs() < 1e-14);
}

#[test]
fn an_anisotropic_field_follows_the_formula() {
    let source = PointSource {
        medium: Medium::anisotropic(1200.0, 300.0),
        ..ISOTROPIC
    };
    let (sigma_t, sigma_l): (f64, f64) = (1.0 / 1200.0, 1.0 / 300.0);
    for z_um in [-2000.0, 0.0, 1200.0, 5000.0] {
        let (x, y, z): (f64, f64, f64) = (0.03, 0.04, (z_um - 1200.0) * 1e-4);
        let expected = 1.0
            / (4.0 * PI * (sigma_t * sigma_l * (x * x + y * y) + sigma_t * sigma_t * z * z).sqrt());
        let found = source.potentials_mv(&[z_um]).unwrap()[0];
        assert!(
            (found / expected - 1.0).abs() < 1e-14,
            "z = {z_um}: {found}, not {expected}"
        );
    }
    // Equal resistivities make it isotropic.
    let equal = PointSource {
        medium: Medium::anisotropic(500.0, 500.0),
        ..ISOTROPIC
    };
    let (a, b) = (
        equal.potentials_mv(&[70.0]).unwrap()[0],
        ISOTROPIC.potentials_mv(&[70.0]).unwrap()[0],
    );
    assert!((a / b - 1.0).abs() < 1e-14);
}

#[test]
fn other_fibers_see_it_from_elsewhere() {
    let seen = ISOTROPIC.seen_from([300.0, 100.0]);
    assert_eq!((seen.x_um, seen.y_um, seen.z_um), (0.0, -500.0, 1200.0));
    assert_eq!(
        seen.potentials_mv(&[1200.0]).unwrap(),
        ISOTROPIC.potentials_mv(&[1200.0]).unwrap()
    );
}

#[test]
fn shared_and_boxed_fields_are_fields() {
    let direct = ISOTROPIC.potentials_mv(&[1.0]).unwrap();
    let shared: Arc<dyn Field> = Arc::new(ISOTROPIC);
    let boxed: Box<dyn Field> = Box::new(Arc::clone(&shared));
    assert_eq!(shared.potentials_mv(&[1.0]).unwrap(), direct);
    assert_eq!(boxed.potentials_mv(&[1.0]).unwrap(), direct);
}

#[test]
fn a_source_on_a_sample_point_is_refused() {
    let source = PointSource {
        x_um: 0.0,
        y_um: 0.0,
        z_um: 40.0,
        medium: Medium::isotropic(500.0),
    };
    let message = source.potentials_mv(&[0.0, 40.0]).unwrap_err().to_string();
    assert!(
        message.contains("z = 40 um") && message.contains("move the electrode"),
        "{message}"
    );
    assert!(
        source.potentials_mv(&[0.0, 41.0]).is_ok(),
        "between sample points it is finite"
    );
}

#[test]
fn impossible_media_and_places_are_refused() {
    let refuse = |medium| {
        PointSource {
            medium,
            ..ISOTROPIC
        }
        .potentials_mv(&[0.0])
        .unwrap_err()
        .to_string()
    };
    assert!(refuse(Medium::isotropic(0.0)).contains("resistivity is `0`"));
    assert!(refuse(Medium::anisotropic(-1.0, 1.0)).contains("transverse resistivity is `-1`"));
    assert!(
        refuse(Medium::anisotropic(1.0, f64::NAN)).contains("longitudinal resistivity is `NaN`")
    );
    let lost = PointSource {
        y_um: f64::NAN,
        ..ISOTROPIC
    }
    .potentials_mv(&[0.0])
    .unwrap_err()
    .to_string();
    assert!(
        lost.contains("position of the point source has NaN at index 1"),
        "{lost}"
    );
    let lost = ISOTROPIC
        .potentials_mv(&[0.0, f64::INFINITY])
        .unwrap_err()
        .to_string();
    assert!(
        lost.contains("positions along the fiber has inf at index 1"),
        "{lost}"
    );
}
