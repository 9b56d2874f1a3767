//! The tangent against differences of `Internode::new`, and the adjoint against the tangent.

use super::super::tests::circuit::published;
use super::*;
use proptest::prelude::*;

fn properties(diameter_um: f64) -> InternodeProperties {
    let (compartments, node) = published(diameter_um);
    InternodeProperties {
        compartments,
        node,
        axoplasm_ohm_cm: 70.0,
    }
}

fn internode(at: &InternodeProperties) -> Internode {
    Internode::new(&at.compartments, at.node, at.axoplasm_ohm_cm).unwrap()
}

/// The numbers of a compartment, each of which may change.
fn fields(c: &mut InternodeCompartment) -> [&mut f64; 8] {
    [
        &mut c.length_um,
        &mut c.area_diameter_um,
        &mut c.axon_diameter_um,
        &mut c.periaxonal_width_um,
        &mut c.axolemma_capacitance_uf_cm2,
        &mut c.axolemma_conductance_s_cm2,
        &mut c.myelin_capacitance_uf_cm2,
        &mut c.myelin_conductance_s_cm2,
    ]
}

/// All numbers in one order: compartments, node, resistivity.
fn flat(mut p: InternodeProperties) -> Vec<f64> {
    let mut all = Vec::new();
    for c in &mut p.compartments {
        all.extend(fields(c).map(|x| *x));
    }
    all.extend([
        p.node.length_um,
        p.node.diameter_um,
        p.node.periaxonal_width_um,
        p.axoplasm_ohm_cm,
    ]);
    all
}

fn unflat(all: &[f64]) -> InternodeProperties {
    let mut p = properties(10.0);
    for (c, values) in p.compartments.iter_mut().zip(all.chunks_exact(8)) {
        for (field, value) in fields(c).into_iter().zip(values) {
            *field = *value;
        }
    }
    let [length_um, diameter_um, periaxonal_width_um, rho] = all[80..] else {
        panic!("84 numbers")
    };
    p.node = NodeGeometry {
        length_um,
        diameter_um,
        periaxonal_width_um,
    };
    p.axoplasm_ohm_cm = rho;
    p
}

fn flat_modes(m: &InternodeModes) -> Vec<f64> {
    let mut all: Vec<f64> = m.lambda.iter().chain(&m.b).copied().collect();
    all.extend(m.drive.iter().flatten());
    all.push(m.end_us);
    all
}

fn unflat_modes(all: &[f64]) -> InternodeModes {
    InternodeModes {
        lambda: std::array::from_fn(|k| all[k]),
        b: std::array::from_fn(|k| all[MODES + k]),
        drive: std::array::from_fn(|k| std::array::from_fn(|j| all[2 * MODES + POINTS * k + j])),
        end_us: all[all.len() - 1],
    }
}

/// Numbers that differ between properties which may change on their own: one of a compartment and its mirror image, the
/// node's, the resistivity.
fn independent() -> impl Iterator<Item = Vec<usize>> {
    let of_compartments =
        (0..5).flat_map(|j| (0..8).map(move |field| vec![8 * j + field, 8 * (9 - j) + field]));
    of_compartments.chain((80..84).map(|index| vec![index]))
}

/// Terms of the drive of mode `k`, nA/ms per mV, whose sum cancels for slow modes and so rounds.
fn drive_terms(i: &Internode, k: usize) -> f64 {
    let largest = i.phi.iter().fold(0.0, |a: f64, row| a.max(row[k].abs()));
    i.b[k].abs() * i.ga_us[0] * largest
}

#[test]
fn modes_state_the_drive_as_a_matrix() {
    let i = internode(&properties(8.7));
    let ve: [f64; POINTS] = std::array::from_fn(|j| ((j * j * 5) % 13) as f64 - 6.0);
    let drive = i.mode_drive(&ve);
    for (k, (row, expected)) in i.modes().drive.iter().zip(drive).enumerate() {
        let found: f64 = row.iter().zip(&ve).map(|(row, ve)| row * ve).sum();
        assert!(
            (found - expected).abs() < 1e-13 * drive_terms(&i, k),
            "{k}: {found:e} {expected:e}"
        );
    }
}

/// By every number that an internode is made of.
#[test]
fn tangents_are_differences() {
    let mut worst = 0.0_f64;
    for diameter_um in [5.7, 10.0, 15.0] {
        let at = properties(diameter_um);
        let i = internode(&at);
        let base = flat(at);
        let values = flat_modes(&i.modes());
        // Rates and couplings relative to themselves; drives to the largest of their mode, and to what the rounding of
        // their terms becomes when it is divided by a step of 1e-3.
        let scales: Vec<f64> = (0..values.len())
            .map(|k| match k.checked_sub(2 * MODES) {
                Some(entry) if entry < MODES * POINTS => {
                    let mode = entry / POINTS;
                    let row = i.modes().drive[mode];
                    let largest = row.iter().fold(0.0, |s: f64, x| s.max(x.abs()));
                    largest + 1e-5 * drive_terms(&i, mode)
                }
                _ => values[k].abs(),
            })
            .collect();
        for places in independent() {
            let mut direction = vec![0.0; base.len()];
            for &place in &places {
                direction[place] = base[place];
            }
            let tangent = i.tangent(&at, &unflat(&direction)).unwrap();
            let tangent = flat_modes(&tangent);
            let moved = |step: f64| {
                let point = base.iter().zip(&direction).map(|(x, d)| x + step * d);
                let mut modes = internode(&unflat(&point.collect::<Vec<_>>())).modes();
                // Which of the two directions an eigenvector has is a convention, and may change.
                for (b, here) in modes.b.iter_mut().zip(&i.b) {
                    *b = b.copysign(*here);
                }
                flat_modes(&modes)
            };
            // Differences of fourth order. Rates that almost meet want small steps, slow modes large ones.
            let differences = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2].map(|step| {
                let [a, b, c, d] = [-2.0, -1.0, 1.0, 2.0].map(|factor| moved(factor * step));
                let each = (0..tangent.len())
                    .map(|k| (a[k] - 8.0 * b[k] + 8.0 * c[k] - d[k]) / (12.0 * step));
                each.collect::<Vec<f64>>()
            });
            for k in 0..tangent.len() {
                let errors = differences.each_ref().map(|d| (tangent[k] - d[k]).abs());
                let error = errors.into_iter().fold(f64::INFINITY, f64::min) / scales[k];
                assert!(
                    error < 1e-7,
                    "{diameter_um} um, numbers {places:?}, output {k}: {:e}, off by {error:e}",
                    tangent[k]
                );
                worst = worst.max(error);
            }
        }
    }
    println!("largest relative difference {worst:.1e}");
}

#[test]
fn rates_that_coincide_have_no_derivative() {
    let at = properties(10.0);
    let mut i = internode(&at);
    i.lambda[3] = i.lambda[2];
    assert_eq!(i.tangent(&at, &at), Err(InternodeError::IllConditioned));
    assert_eq!(
        i.adjoint(&at, &i.modes()),
        Err(InternodeError::IllConditioned)
    );
}

#[test]
fn cotangents_mirror_each_other() {
    let at = properties(10.0);
    let i = internode(&at);
    let bar = i.adjoint(&at, &i.modes()).unwrap();
    for j in 0..5 {
        assert_eq!(bar.compartments[j], bar.compartments[9 - j]);
    }
}

proptest! {
    /// `<modes_bar, tangent direction> = <adjoint modes_bar, direction>`, in units in which every number has size 1.
    #[test]
    fn adjoint_and_tangent_are_transposes(
        diameter_um in 5.7..16.0_f64,
        direction in prop::collection::vec(-1.0..1.0_f64, 84),
        bar in prop::collection::vec(-1.0..1.0_f64, 2 * MODES + MODES * POINTS + 1),
    ) {
        let at = properties(diameter_um);
        let i = internode(&at);
        let base = flat(at);
        let mut scales = i.modes();
        for row in &mut scales.drive {
            *row = [row.iter().fold(0.0, |s: f64, x| s.max(x.abs())); POINTS];
        }
        let scales = flat_modes(&scales);
        let direction: Vec<f64> = direction.iter().zip(&base).map(|(d, x)| d * x).collect();
        let bar: Vec<f64> = bar
            .iter()
            .zip(&scales)
            .map(|(bar, scale)| bar / scale)
            .collect();
        let forward = flat_modes(&i.tangent(&at, &unflat(&direction)).unwrap());
        let backward = flat(i.adjoint(&at, &unflat_modes(&bar)).unwrap());
        let terms = |a: &[f64], b: &[f64]| -> (f64, f64) {
            a.iter().zip(b).fold((0.0, 0.0), |(sum, size), (a, b)| (sum + a * b, size + (a * b).abs()))
        };
        let (left, size) = terms(&forward, &bar);
        let (right, _) = terms(&backward, &direction);
        prop_assert!((left - right).abs() < 1e-10 * size, "{left:e} {right:e} of {size:e}");
        prop_assert!(size > 0.0);
    }
}

/// Energies of pairs of modes summed over the elements, of which none is the difference of others: they see the part of a
/// fast mode that rounding has left in a slow one, which is far below the slow mode's largest components.
#[test]
fn modes_exchange_no_energy() {
    for diameter_um in [2.0, 5.7, 8.3, 10.0, 12.8, 16.0] {
        let i = internode(&properties(diameter_um));
        let (axolemma, myelin) = (&i.gm_us[..HALF], &i.gx_us[..HALF]);
        let us = [&elements::of_links(&i)[..], axolemma, myelin].concat();
        for parity in [Parity::Even, Parity::Odd] {
            let half = HalfModes::of(&i, parity).unwrap();
            let strains = half.psi.map(|psi| half.strains(&psi));
            for k in 0..COMPARTMENTS {
                for l in 0..COMPARTMENTS {
                    let terms = (0..ELEMENTS).map(|e| us[e] * strains[k][e] * strains[l][e]);
                    let energy = terms.sum::<f64>() / (half.lambda[k] * half.lambda[l]).sqrt();
                    let expected = if k == l { 1.0 } else { 0.0 };
                    assert!(
                        (energy - expected).abs() < 2e-12,
                        "{diameter_um} um, {parity:?} modes {k} and {l}: {energy:e}"
                    );
                }
            }
        }
    }
}
