//! Conductances and capacitances of half an internode as functions of its geometry and passive properties.

use std::f64::consts::PI;

use super::super::{COMPARTMENTS, Internode, InternodeCompartment, NodeGeometry};
use super::{HALF, InternodeProperties};

/// Links of half an internode: node to compartment 0, ..., 3 to 4, and the one across the middle.
pub(super) const LINKS: usize = HALF + 1;

/// Conductances of half an internode: links of axoplasm and of periaxonal space, axolemma, myelin.
pub(super) const ELEMENTS: usize = 2 * LINKS + 2 * HALF;

/// Places of the kinds of elements.
pub(super) const PERIAXONAL: usize = LINKS;
pub(super) const AXOLEMMA: usize = 2 * LINKS;
const MYELIN: usize = AXOLEMMA + HALF;

/// Elements of half an internode, or one value for each.
#[derive(Clone, Debug)]
pub(super) struct Elements {
    /// uS.
    pub(super) us: [f64; ELEMENTS],
    /// Capacitances of axolemma, then myelin, nF.
    pub(super) nf: [f64; COMPARTMENTS],
}

impl Elements {
    pub(super) const ZERO: Elements = Elements {
        us: [0.0; ELEMENTS],
        nf: [0.0; COMPARTMENTS],
    };
}

/// Conductances of the links of half an internode: axoplasm, then periaxonal space.
pub(super) fn of_links(internode: &Internode) -> [f64; AXOLEMMA] {
    let kinds = [&internode.ga_us, &internode.gp_us];
    std::array::from_fn(|e| kinds[e / LINKS][e % LINKS])
}

/// Points of half an internode that a link joins; the one across the middle joins the last to its mirror image.
fn ends(link: usize) -> [usize; 2] {
    let first = link % LINKS;
    [first, (first + 1).min(HALF)]
}

/// Changes of a cylinder's axial and periaxonal resistance relative to themselves, from those of length, diameter and
/// width of the periaxonal space: derivatives by each.
struct Resistance {
    length: f64,
    axial_diameter: f64,
    periaxonal_diameter: f64,
    periaxonal_width: f64,
}

impl Resistance {
    fn new(length_um: f64, diameter_um: f64, width_um: f64) -> Self {
        Resistance {
            length: 1.0 / length_um,
            axial_diameter: -2.0 / diameter_um,
            periaxonal_diameter: -1.0 / (diameter_um + width_um),
            periaxonal_width: -(diameter_um + 2.0 * width_um)
                / (width_um * (diameter_um + width_um)),
        }
    }
}

/// Length, diameter and width of the periaxonal space at the points of half an internode: the node, compartments 0 to 4.
fn dimensions(properties: &InternodeProperties) -> [[f64; 3]; LINKS] {
    std::array::from_fn(|point| match point.checked_sub(1) {
        None => {
            let node = &properties.node;
            [node.length_um, node.diameter_um, node.periaxonal_width_um]
        }
        Some(j) => {
            let mean = |f: fn(&InternodeCompartment) -> f64| {
                let [here, there] = [j, COMPARTMENTS - 1 - j].map(|j| &properties.compartments[j]);
                0.5 * (f(here) + f(there))
            };
            [
                mean(|c| c.length_um),
                mean(|c| c.axon_diameter_um),
                mean(|c| c.periaxonal_width_um),
            ]
        }
    })
}

/// Axial and periaxonal resistances at the points of half an internode, MOhm.
fn resistances_mohm(at: &InternodeProperties) -> [[f64; 2]; LINKS] {
    dimensions(at).map(|[length, diameter, width]| {
        let cross_sections = [
            PI * diameter * diameter / 4.0,
            PI * width * (diameter + width),
        ];
        cross_sections.map(|um2| at.axoplasm_ohm_cm * length / um2 * 1e-2)
    })
}

/// The densities of a compartment with the area they refer to: conductances (axolemma, myelin), then capacitances.
fn densities(c: &InternodeCompartment) -> [f64; 4] {
    [
        c.axolemma_conductance_s_cm2,
        c.myelin_conductance_s_cm2,
        c.axolemma_capacitance_uf_cm2,
        c.myelin_capacitance_uf_cm2,
    ]
}

/// uS per S, then nF per uF.
const UNITS: [f64; 4] = [1e6, 1e6, 1e3, 1e3];

/// Changes of the elements along a direction.
pub(super) fn tangent(
    internode: &Internode,
    at: &InternodeProperties,
    direction: &InternodeProperties,
) -> Elements {
    let mut change = Elements::ZERO;
    let mohm = resistances_mohm(at);
    let rho = direction.axoplasm_ohm_cm / at.axoplasm_ohm_cm;
    let (sizes, changes) = (dimensions(at), dimensions(direction));
    let mohm_dot: [[f64; 2]; LINKS] = std::array::from_fn(|point| {
        let [length, diameter, width] = sizes[point];
        let by = Resistance::new(length, diameter, width);
        let [length, diameter, width] = changes[point];
        let common = rho + by.length * length;
        let axial = common + by.axial_diameter * diameter;
        let periaxonal = common + by.periaxonal_diameter * diameter + by.periaxonal_width * width;
        [mohm[point][0] * axial, mohm[point][1] * periaxonal]
    });
    for (e, us) in of_links(internode).into_iter().enumerate() {
        let sum: f64 = ends(e)
            .iter()
            .map(|&point| mohm_dot[point][e / LINKS])
            .sum();
        change.us[e] = -0.5 * us * us * sum;
    }
    for j in 0..HALF {
        let both = [j, COMPARTMENTS - 1 - j];
        let c = &at.compartments[j];
        let area_cm2 = PI * c.area_diameter_um * c.length_um * 1e-8;
        let mut totals = [0.0; 4];
        for dot in both.map(|j| &direction.compartments[j]) {
            let relative = dot.area_diameter_um / c.area_diameter_um + dot.length_um / c.length_um;
            let (density, density_dot) = (densities(c), densities(dot));
            for kind in 0..4 {
                let sum = density_dot[kind] + density[kind] * relative;
                totals[kind] += 0.5 * UNITS[kind] * area_cm2 * sum;
            }
        }
        [
            change.us[AXOLEMMA + j],
            change.us[MYELIN + j],
            change.nf[j],
            change.nf[HALF + j],
        ] = totals;
    }
    change
}

/// The transpose of [`tangent`].
pub(super) fn adjoint(
    internode: &Internode,
    at: &InternodeProperties,
    bar: &Elements,
) -> InternodeProperties {
    let mohm = resistances_mohm(at);
    let mut mohm_bar = [[0.0; 2]; LINKS];
    for (e, us) in of_links(internode).into_iter().enumerate() {
        for point in ends(e) {
            mohm_bar[point][e / LINKS] -= 0.5 * us * us * bar.us[e];
        }
    }
    let mut rho_bar = 0.0;
    let dimensions_bar: [[f64; 3]; LINKS] = std::array::from_fn(|point| {
        let [length, diameter, width] = dimensions(at)[point];
        let by = Resistance::new(length, diameter, width);
        let [axial, periaxonal] =
            std::array::from_fn(|kind| mohm[point][kind] * mohm_bar[point][kind]);
        rho_bar += (axial + periaxonal) / at.axoplasm_ohm_cm;
        [
            by.length * (axial + periaxonal),
            by.axial_diameter * axial + by.periaxonal_diameter * periaxonal,
            by.periaxonal_width * periaxonal,
        ]
    });
    let compartments = std::array::from_fn(|place| {
        let j = place.min(COMPARTMENTS - 1 - place);
        let c = &at.compartments[j];
        let area_cm2 = PI * c.area_diameter_um * c.length_um * 1e-8;
        let bars = [
            bar.us[AXOLEMMA + j],
            bar.us[MYELIN + j],
            bar.nf[j],
            bar.nf[HALF + j],
        ];
        let density_bar: [f64; 4] =
            std::array::from_fn(|kind| 0.5 * UNITS[kind] * area_cm2 * bars[kind]);
        let relative: f64 = densities(c)
            .iter()
            .zip(&density_bar)
            .map(|(x, y)| x * y)
            .sum();
        let [length, diameter, width] = dimensions_bar[j + 1].map(|bar| 0.5 * bar);
        InternodeCompartment {
            length_um: length + relative / c.length_um,
            area_diameter_um: relative / c.area_diameter_um,
            axon_diameter_um: diameter,
            periaxonal_width_um: width,
            axolemma_conductance_s_cm2: density_bar[0],
            myelin_conductance_s_cm2: density_bar[1],
            axolemma_capacitance_uf_cm2: density_bar[2],
            myelin_capacitance_uf_cm2: density_bar[3],
        }
    });
    let [length_um, diameter_um, periaxonal_width_um] = dimensions_bar[0];
    InternodeProperties {
        compartments,
        node: NodeGeometry {
            length_um,
            diameter_um,
            periaxonal_width_um,
        },
        axoplasm_ohm_cm: rho_bar,
    }
}
