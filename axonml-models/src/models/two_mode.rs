//! Two-mode surrogate: the MRG fiber with one even and one odd mode left of each internode.
//!
//! The exact double cable has ten modes of either parity. Of those this model keeps the fifth, whose decay takes 32 us,
//! so that it can follow stimuli of 10 to 100 us; slower ones are taken to stay uncharged, faster ones to follow at
//! once. The extracellular potential is needed at the nodes only. All coefficients are functions of diameter with three
//! parameters each, meant to be trained; the defaults follow from the exact fiber without training: see [`mod@derive`].
//!
//! Sources: McIntyre, Richardson & Grill 2002, J Neurophysiol 87:995-1006, doi:10.1152/jn.00353.2001 (the fiber);
//! membrane parameters are named as those of the surrogate of Hussain, Grill & Pelot 2024, Nat Commun 15:7597,
//! doi:10.1038/s41467-024-51709-8.

pub mod derive;

use axonml_autodiff::engine::{Membrane, SectionKind};
use axonml_autodiff::ir::Expr;

use super::mrg::node_spacing_um;
use super::trainable_node::{self, CHANNELS, RATES, STATES, TEMPERATURE, node_diameter_um};
use crate::validation::NEURON;
use crate::{FiberModel, FiberSymbols, Geometry, Patch, Physical, Reduced, Scale, Schema};

/// Two-mode surrogate of the MRG fiber.
#[derive(Clone, Copy, Debug)]
pub struct TwoMode;

/// Diameter about which the coefficients are expanded, um.
pub const REFERENCE_DIAMETER_UM: f64 = 10.0;

/// How a coefficient follows from `p = p0 + p1 x + p2 x^2`, with `x = ln(diameter / 10 um)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `e^p`: positive, whatever the parameters.
    Positive,
    /// `-e^p`.
    Negative,
    /// `p` times the coefficient of this index in [`COEFFICIENTS`], for one that changes sign.
    Multiple(usize),
}

/// A coefficient of the cable as a function of diameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coefficient {
    /// Description with its unit.
    pub meaning: &'static str,
    /// Group of the parameters.
    pub group: &'static str,
    /// Its expression in the parameters.
    pub form: Form,
    /// Names of its parameters p0, p1, p2.
    pub parameters: [&'static str; 3],
    /// Their defaults.
    pub defaults: [f64; 3],
}

const INTERNODE: &str = "internode";
const STIMULUS: &str = "stimulus";

/// Place of the couplings of the modes among the coefficients.
const EVEN_COUPLING: usize = 4;
const ODD_COUPLING: usize = 6;

/// The coefficients: the linear ones, then those of the stimulus (see [`axonml_autodiff::cable::ReducedDrive`]).
pub const COEFFICIENTS: [Coefficient; 13] = [
    Coefficient {
        meaning: "capacitance of a node plus the contribution of fast modes, nF",
        group: INTERNODE,
        form: Form::Positive,
        parameters: ["capacitance_0", "capacitance_1", "capacitance_2"],
        defaults: [-8.1152401, 1.1383831, -0.0315373],
    },
    Coefficient {
        meaning: "conductance to the outside at a node per internode, uS",
        group: INTERNODE,
        form: Form::Positive,
        parameters: ["leak_0", "leak_1", "leak_2"],
        defaults: [-4.1862909, 1.0480375, 0.1485154],
    },
    Coefficient {
        meaning: "conductance from node to node, uS",
        group: INTERNODE,
        form: Form::Positive,
        parameters: ["neighbor_0", "neighbor_1", "neighbor_2"],
        defaults: [-3.1108258, 1.5702764, 1.0233404],
    },
    Coefficient {
        meaning: "decay rate of the even mode, 1/ms",
        group: INTERNODE,
        form: Form::Positive,
        parameters: ["even_rate_0", "even_rate_1", "even_rate_2"],
        defaults: [3.4389125, -0.0575647, -0.0217643],
    },
    Coefficient {
        meaning: "coupling of the even mode, uS/ms",
        group: INTERNODE,
        form: Form::Positive,
        parameters: ["even_coupling_0", "even_coupling_1", "even_coupling_2"],
        defaults: [-1.7623346, 1.0366126, 0.1767309],
    },
    Coefficient {
        meaning: "decay rate of the odd mode, 1/ms",
        group: INTERNODE,
        form: Form::Positive,
        parameters: ["odd_rate_0", "odd_rate_1", "odd_rate_2"],
        defaults: [3.4389125, -0.0575647, -0.021763],
    },
    Coefficient {
        meaning: "coupling of the odd mode, uS/ms",
        group: INTERNODE,
        form: Form::Positive,
        parameters: ["odd_coupling_0", "odd_coupling_1", "odd_coupling_2"],
        defaults: [-1.763514, 1.0307303, 0.182124],
    },
    Coefficient {
        meaning: "current into both nodes by the even difference of potentials, uS",
        group: STIMULUS,
        form: Form::Negative,
        parameters: ["node_even_0", "node_even_1", "node_even_2"],
        defaults: [-10.3836576, 1.3998137, -0.6051686],
    },
    Coefficient {
        meaning: "current from node to node by the odd difference, uS",
        group: STIMULUS,
        form: Form::Positive,
        parameters: ["node_odd_0", "node_odd_1", "node_odd_2"],
        defaults: [-3.1029618, 1.5669477, 1.0169876],
    },
    Coefficient {
        meaning: "current from node to node by the wide difference, uS",
        group: STIMULUS,
        form: Form::Positive,
        parameters: ["node_wide_0", "node_wide_1", "node_wide_2"],
        defaults: [-13.0868183, 1.4169372, -0.6413218],
    },
    Coefficient {
        meaning: "drive of the even mode by the even difference, uS/ms",
        group: STIMULUS,
        form: Form::Multiple(EVEN_COUPLING),
        parameters: ["mode_even_0", "mode_even_1", "mode_even_2"],
        defaults: [9.5103490e-7, 2.7908935e-6, -3.2971221e-6],
    },
    Coefficient {
        meaning: "drive of the odd mode by the odd difference, uS/ms",
        group: STIMULUS,
        form: Form::Multiple(ODD_COUPLING),
        parameters: ["mode_odd_0", "mode_odd_1", "mode_odd_2"],
        defaults: [5.845984e-4, 2.92556e-3, -2.6793467e-3],
    },
    Coefficient {
        meaning: "drive of the odd mode by the wide difference, uS/ms",
        group: STIMULUS,
        form: Form::Multiple(ODD_COUPLING),
        parameters: ["mode_wide_0", "mode_wide_1", "mode_wide_2"],
        defaults: [-1.0125384e-7, -1.3319138e-7, 1.5944487e-7],
    },
];

impl FiberModel for TwoMode {
    fn schema(&self) -> Schema {
        let mut schema = Schema::new("two-mode", "Surrogate of the MRG fiber with two modes per internode, trainable")
            .cite("McIntyre, Richardson & Grill 2002, J Neurophysiol 87:995-1006, doi:10.1152/jn.00353.2001")
            .cite("Hussain, Grill & Pelot 2024, Nat Commun 15:7597, doi:10.1038/s41467-024-51709-8 (names, geometry)")
            .states(STATES)
            .weights("two-mode-mrg")
            .stands_for("mrg")
            .diameters_um(derive::DIAMETERS_UM)
            .start_mv(-80.0)
            .conducts(23.8, 5.7, 1.25)
            .quiet_band_mv(10.0)
            .celsius(37.0)
            .scheme("backward Euler, single cable with two internodal modes (dt 0.005 ms)")
            .thresholds_of(NEURON, 172, [0.673, 21.3]);
        schema =
            trainable_node::declare(schema, CHANNELS).param("passive", "e_internode", -80.0, "mV");
        schema = trainable_node::declare(schema, RATES)
            .param("geometry", "noded1", 0.006303781, "1/um")
            .param("geometry", "noded2", 0.2070544, "")
            .param("geometry", "noded3", 0.5339006, "um");
        schema = trainable_node::declare(schema, TEMPERATURE);
        for coefficient in &COEFFICIENTS {
            for (name, value) in coefficient.parameters.into_iter().zip(coefficient.defaults) {
                schema = schema.param(coefficient.group, name, value, "");
            }
            // Exponents, and multiples of a coupling.
            let step = match coefficient.form {
                Form::Positive | Form::Negative => 1.0,
                Form::Multiple(_) => 0.3,
            };
            schema = schema.train(&coefficient.parameters, Scale::Shift(step));
        }
        for (name, step) in [("noded1", 0.002), ("noded2", 0.06), ("noded3", 0.16)] {
            schema = schema
                .train(&[name], Scale::Shift(step))
                // Coefficients of a parabola, whatever their unit.
                .physical(&[name], Physical::Any);
        }
        trainable_node::train(schema)
    }

    fn geometry<'t>(&self, fiber: &FiberSymbols<'t>) -> Geometry<'t> {
        let d = fiber.diameter();
        let x = (d / REFERENCE_DIAMETER_UM).ln();
        let mut values: Vec<Expr<'t>> = Vec::with_capacity(COEFFICIENTS.len());
        for coefficient in &COEFFICIENTS {
            let [p0, p1, p2] = fiber.params(coefficient.parameters);
            let p = (p2 * x + p1) * x + p0;
            values.push(match coefficient.form {
                Form::Positive => p.exp(),
                Form::Negative => -p.exp(),
                Form::Multiple(of) => p * values[of],
            });
        }
        let [capacitance, leak, neighbor, ..] = values[..] else {
            unreachable!("there are thirteen coefficients")
        };
        let three = |first: usize| std::array::from_fn(|k| values[first + k]);
        Geometry::Reduced(Box::new(Reduced {
            spacing_um: node_spacing_um(d),
            node_diameter_um: node_diameter_um(fiber),
            internode_reversal_mv: fiber.param("e_internode"),
            capacitance_nf: capacitance,
            self_us: leak + neighbor,
            neighbor_us: neighbor,
            even: [values[EVEN_COUPLING - 1], values[EVEN_COUPLING]],
            odd: [values[ODD_COUPLING - 1], values[ODD_COUPLING]],
            node_drive_us: three(ODD_COUPLING + 1),
            mode_drive_us_per_ms: three(ODD_COUPLING + 4),
        }))
    }

    fn membrane<'t>(&self, _section: SectionKind, x: &Patch<'t>) -> Membrane<'t> {
        trainable_node::membrane(x)
    }
}
