use axonml_core::{Extension, Interpolation, Medium, PointSource, SampledLine};

use super::*;
use crate::model;

/// The field of a point source 1 mm off a line of 80 mm, `z_um` from its middle.
fn line(z_um: f64) -> SampledLine {
    let source = PointSource {
        x_um: 1000.0,
        y_um: 0.0,
        z_um,
        medium: Medium::isotropic(500.0),
    };
    let knots: Vec<f64> = (0..=800).map(|k| f64::from(k) * 100.0 - 40_000.0).collect();
    let ve = source.potentials_mv(&knots).unwrap();
    SampledLine::new(knots, ve, Interpolation::Cubic, 0.0, Extension::Refuse).unwrap()
}

fn extents(id: &str) -> Extents {
    Extents::new(&model(id).unwrap(), &Settings::default()).unwrap()
}

#[test]
fn fibers_in_a_field_are_as_long_as_their_ends_are_quiet() {
    let mut mrg = extents("mrg");
    let at = |mrg: &mut Extents, diameter: f64, z_um: f64| {
        let field = line(z_um);
        mrg.resolve(FiberLength::Default, diameter, None, Some(&field))
            .unwrap()
    };
    // 1/r falls within a millimeter: 53 nodes of 1.1 mm are plenty, and 53 of 0.18 mm reach 4.6 mm.
    assert_eq!(at(&mut mrg, 10.0, 0.0).nodes, 53);
    // The drive at an end, V' h, against that inside, V'' h^2, of a point source: checked by formula.
    let found = at(&mut mrg, 2.0, 0.0);
    let h = found.spacing_um;
    let v = |z: f64| 1.0 / (1e6 + z * z).sqrt();
    let inside = (2.0 * v(0.0) - 2.0 * v(h)).abs();
    let quiet = |nodes: usize| {
        let end = (nodes / 2) as f64 * h;
        (v(end) - v(end - h)).abs() < 0.1 * inside
    };
    assert!(quiet(found.nodes) && !found.ends_driven, "{found:?}");
    assert!(found.nodes == 53 || !quiet(found.nodes - 2), "{found:?}");
    // A source near an end of the line: no length that the line allows will do.
    let found = at(&mut mrg, 10.0, 39_000.0);
    assert!(found.ends_driven);
    let longest = found.length_um() + 2.0 * found.spacing_um;
    assert!(
        longest <= 80_000.0 && longest + 2.0 * found.spacing_um > 80_000.0,
        "{found:?}"
    );
}

/// The field must be quiet at the ends that act: those next to passive ones.
#[test]
fn passive_ends_lie_beyond_quiet_ones() {
    let nodes = |ends: Ends| {
        let settings = Settings {
            ends,
            ..Settings::default()
        };
        let mut sweeney = Extents::new(&model("sweeney").unwrap(), &settings).unwrap();
        let found = sweeney.resolve(FiberLength::Default, 1.0, None, Some(&line(0.0)));
        found.unwrap().nodes
    };
    let active = nodes(Ends::Active);
    // Nodes lie 100 um apart: 53 of them end where the field is strong.
    assert!(active > DEFAULT_NODES, "{active}");
    assert_eq!(nodes(Ends::Passive), active + 2);
}

#[test]
fn lengths_become_odd_numbers_of_nodes() {
    let mut sundt = extents("sundt");
    let of = |sundt: &mut Extents, length| sundt.resolve(length, 1.0, Some(50.0), None);
    assert_eq!(of(&mut sundt, FiberLength::Default).unwrap().nodes, 301);
    assert_eq!(of(&mut sundt, FiberLength::Um(5000.0)).unwrap().nodes, 101);
    assert_eq!(of(&mut sundt, FiberLength::Um(5049.0)).unwrap().nodes, 101);
    assert_eq!(of(&mut sundt, FiberLength::Um(5051.0)).unwrap().nodes, 103);
    assert_eq!(of(&mut sundt, FiberLength::Nodes(54)).unwrap().nodes, 54);
    for bad in [0.0, -1.0, 49.0, 1e15, f64::NAN, f64::INFINITY] {
        let error = of(&mut sundt, FiberLength::Um(bad)).unwrap_err();
        assert!(error.to_string().contains("length of the fiber"), "{error}");
    }
    assert_eq!(
        extents("mrg")
            .resolve(FiberLength::Default, 10.0, None, None)
            .unwrap()
            .nodes,
        DEFAULT_NODES
    );
}

#[test]
fn runs_last_until_a_spike_from_anywhere_has_arrived() {
    let mut sundt = extents("sundt");
    let extent = sundt
        .resolve(FiberLength::Default, 1.0, Some(50.0), None)
        .unwrap();
    // From the middle of 15 mm at 0.49 m/s, 15 ms, after a pulse of 1 ms.
    let tstop = sundt.tstop_ms(1.0, &extent, &[5, 295], Some(1.1));
    assert!((19.0..=20.0).contains(&tstop), "{tstop}");
    let mut mrg = extents("mrg");
    let extent = mrg.resolve(FiberLength::Default, 10.0, None, None).unwrap();
    assert_eq!(mrg.tstop_ms(10.0, &extent, &[5, 48], Some(0.2)), 5.0);
    assert_eq!(mrg.tstop_ms(10.0, &extent, &[5, 48], Some(7.25)), 11.0);
}
