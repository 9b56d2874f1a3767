//! Numeric fiber geometry: the cable of a fiber and the positions of its sample points.

use std::sync::Arc;

use axonml_autodiff::cable::Cable;
use axonml_autodiff::cable::{
    DoubleCable, ExplicitCable, ImplicitCable, Internode, InternodeCompartment,
    InternodeProperties, Mode, NodeGeometry, ReducedCable, ReducedDrive,
};

use crate::geometry::GeometryKind;
use crate::{Ends, SimulationError};

/// Quantities of a myelinated fiber before those of its internode's compartments, and of each of these.
const MYELINATED_HEAD: usize = 6;
const SECTION_NUMBERS: usize = 8;
/// Number of cable coefficients that follow the quantities.
const CABLE_NUMBERS: usize = 3;

/// The numeric cable of a fiber and the positions of its sample points.
#[derive(Clone, Debug)]
pub(crate) struct BuiltFiber {
    pub(crate) cable: Arc<Cable>,
    /// Internodal reversal potential, which membrane potentials are relative to, mV; none where the model's start
    /// serves as well.
    pub(crate) v_reference_mv: Option<f64>,
    /// z of the sample points, um, the middle node (index (n - 1)/2) at 0.
    pub(crate) sample_z_um: Vec<f64>,
    /// Index among the sample points of each node.
    pub(crate) node_samples: Vec<usize>,
    /// Inputs and outputs of the geometry's program: the outputs are the quantities, then the cable coefficients.
    pub(crate) inputs: Vec<f64>,
    pub(crate) values: Vec<f64>,
}

/// The cable of a fiber of `nodes` nodes with these ends from the numeric values of [`crate::Geometry`]'s quantities
/// followed by its cable coefficients; `inputs` are the inputs that they were computed from. `what` names the fiber in
/// errors. Other cables than implicit ones must not have passive ends.
pub(crate) fn build(
    kind: GeometryKind,
    inputs: Vec<f64>,
    values: Vec<f64>,
    (nodes, ends): (usize, Ends),
    what: &dyn Fn() -> String,
) -> Result<BuiltFiber, SimulationError> {
    let Some((quantities, &[area, capacitance_nf, axial_us])) = values.split_last_chunk() else {
        unreachable!("three cable numbers follow the quantities")
    };
    let bad = |problem: String| SimulationError::Geometry {
        fiber: what(),
        problem,
    };
    if let Some(value) = quantities.iter().find(|value| !value.is_finite()) {
        return Err(bad(format!("a geometric quantity is {value}")));
    }
    let positive = |name: &str, value: f64| {
        if value > 0.0 {
            Ok(value)
        } else {
            Err(bad(format!("{name} is {value}, but must be positive")))
        }
    };
    let built: BuiltFiber = match kind {
        GeometryKind::Surrogate => {
            let &[
                spacing,
                axial_length,
                node_diameter,
                axon_diameter,
                capacitance,
                rho,
                v0,
                v1,
                e0,
                e1,
            ] = quantities
            else {
                unreachable!("quantities() lists ten for a surrogate")
            };
            let spacing = positive("the distance between nodes", spacing)?;
            positive("the node diameter", node_diameter)?;
            positive("the axial resistivity", rho)?;
            positive("the membrane capacitance", capacitance)?;
            positive("the axial length between nodes", axial_length)?;
            positive("the axon diameter", axon_diameter)?;
            BuiltFiber::chain(
                Cable::Explicit(ExplicitCable {
                    nodes,
                    area_cm2: area,
                    capacitance_nf,
                    axial_us,
                    v_weights: (v0, v1),
                    ve_weights: (e0, e1),
                }),
                spacing,
            )
        }
        GeometryKind::Unmyelinated | GeometryKind::UnmyelinatedExplicit => {
            let &[length, diameter, capacitance, rho] = quantities else {
                unreachable!("quantities() lists four for an unmyelinated fiber")
            };
            let length = positive("the compartment length", length)?;
            positive("the axial resistivity", rho)?;
            positive("the membrane capacitance", capacitance)?;
            positive("the diameter", diameter)?;
            let cable = match kind {
                GeometryKind::Unmyelinated => {
                    implicit_cable([area, capacitance_nf, axial_us], nodes, ends)
                }
                _ => Cable::Explicit(ExplicitCable {
                    nodes,
                    area_cm2: area,
                    capacitance_nf,
                    axial_us,
                    v_weights: (1.0, -2.0),
                    ve_weights: (1.0, -2.0),
                }),
            };
            BuiltFiber::chain(cable, length)
        }
        GeometryKind::Insulated => {
            let &[
                spacing,
                node_length,
                node_diameter,
                axon_diameter,
                capacitance,
                rho,
            ] = quantities
            else {
                unreachable!("quantities() lists six for an insulated fiber")
            };
            positive("the length of a node", node_length)?;
            positive("the length of an internode", spacing - node_length)?;
            positive("the node diameter", node_diameter)?;
            positive("the axon diameter", axon_diameter)?;
            positive("the membrane capacitance", capacitance)?;
            positive("the axial resistivity", rho)?;
            let cable = implicit_cable([area, capacitance_nf, axial_us], nodes, ends);
            BuiltFiber::chain(cable, spacing)
        }
        GeometryKind::Myelinated => {
            build_myelinated(quantities, [area, capacitance_nf], nodes).map_err(bad)?
        }
        GeometryKind::Reduced => {
            let &[
                spacing,
                node_diameter,
                reversal,
                capacitance_nf,
                self_us,
                neighbor_us,
                even_rate,
                even_coupling,
                odd_rate,
                odd_coupling,
                node_even_us,
                node_odd_us,
                node_wide_us,
                even_us_per_ms,
                odd_us_per_ms,
                wide_us_per_ms,
            ] = quantities
            else {
                unreachable!("quantities() lists sixteen for a reduced fiber")
            };
            let spacing = positive("the distance between nodes", spacing)?;
            positive("the node diameter", node_diameter)?;
            let mode = |parity: &str, rate: f64, coupling: f64| -> Result<Mode, SimulationError> {
                Ok(Mode {
                    lambda_per_ms: positive(&format!("the rate of the {parity} mode"), rate)?,
                    coupling_us_per_ms: positive(
                        &format!("the coupling of the {parity} mode"),
                        coupling,
                    )?,
                })
            };
            let cable = ReducedCable {
                nodes,
                node_area_cm2: area,
                capacitance_nf: positive("the capacitance of a node", capacitance_nf)?,
                self_us,
                neighbor_us,
                even: mode("even", even_rate, even_coupling)?,
                odd: mode("odd", odd_rate, odd_coupling)?,
                drive: ReducedDrive {
                    node_even_us,
                    node_odd_us,
                    node_wide_us,
                    even_us_per_ms,
                    odd_us_per_ms,
                    wide_us_per_ms,
                },
            };
            BuiltFiber {
                v_reference_mv: Some(reversal),
                ..BuiltFiber::chain(Cable::Reduced(cable), spacing)
            }
        }
    };
    Ok(BuiltFiber {
        inputs,
        values,
        ..built
    })
}

/// An implicit cable of equal nodes; passive ends have neither membrane nor link, and keep their capacitance, by which
/// they stay where they are.
fn implicit_cable([area, capacitance_nf, axial_us]: [f64; 3], nodes: usize, ends: Ends) -> Cable {
    let mut cable = ImplicitCable {
        area_cm2: vec![area; nodes],
        capacitance_nf: vec![capacitance_nf; nodes],
        link_us: vec![axial_us; nodes - 1],
    };
    if ends == Ends::Passive {
        for end in [0, nodes - 1] {
            cable.area_cm2[end] = 0.0;
        }
        for end in [0, nodes - 2] {
            cable.link_us[end] = 0.0;
        }
    }
    Cable::Implicit(cable)
}

/// Distance between the nodes of a fiber, um, from the values of its geometry.
pub(crate) fn node_spacing_um(kind: GeometryKind, values: &[f64]) -> f64 {
    match kind {
        GeometryKind::Myelinated => {
            let sections = &values[MYELINATED_HEAD..values.len() - CABLE_NUMBERS];
            let lengths = sections
                .chunks_exact(SECTION_NUMBERS)
                .map(|section| section[0]);
            values[0] + lengths.sum::<f64>()
        }
        // Their first quantity.
        GeometryKind::Surrogate
        | GeometryKind::Unmyelinated
        | GeometryKind::UnmyelinatedExplicit
        | GeometryKind::Insulated
        | GeometryKind::Reduced => values[0],
    }
}

/// Length, um, and area, cm2, of the membrane of a compartment or node, from the values of a fiber's geometry.
pub(crate) fn membrane_of(kind: GeometryKind, values: &[f64]) -> [f64; 2] {
    let length_um = kind.length().map_or(1.0, |place| values[place]);
    [length_um, values[values.len() - CABLE_NUMBERS]]
}

/// The properties of a myelinated fiber's internode, from the fiber's quantities.
pub(crate) fn internode_properties(quantities: &[f64]) -> InternodeProperties {
    let (head, sections) = quantities.split_at(MYELINATED_HEAD);
    let &[length_um, diameter_um, periaxonal_width_um, _, rho, _] = head else {
        unreachable!("quantities() starts with six for a myelinated fiber")
    };
    let (sections, []) = sections.as_chunks::<SECTION_NUMBERS>() else {
        unreachable!("quantities() lists eight per compartment")
    };
    let sections: &[[f64; SECTION_NUMBERS]; 10] = sections
        .try_into()
        .expect("quantities() lists ten compartments");
    let compartments = sections.map(|s| InternodeCompartment {
        length_um: s[0],
        area_diameter_um: s[1],
        axon_diameter_um: s[2],
        periaxonal_width_um: s[3],
        axolemma_capacitance_uf_cm2: s[4],
        axolemma_conductance_s_cm2: s[5],
        myelin_capacitance_uf_cm2: s[6],
        myelin_conductance_s_cm2: s[7],
    });
    InternodeProperties {
        compartments,
        node: NodeGeometry {
            length_um,
            diameter_um,
            periaxonal_width_um,
        },
        axoplasm_ohm_cm: rho,
    }
}

fn build_myelinated(
    quantities: &[f64],
    [area, capacitance_nf]: [f64; 2],
    nodes: usize,
) -> Result<BuiltFiber, String> {
    let (node_length, node_capacitance, reversal) = (quantities[0], quantities[3], quantities[5]);
    let InternodeProperties {
        compartments,
        node,
        axoplasm_ohm_cm,
    } = internode_properties(quantities);
    if node_capacitance <= 0.0 {
        return Err(format!(
            "the capacitance of the node is {node_capacitance} uF/cm2, but must be positive"
        ));
    }
    let internode =
        Internode::new(&compartments, node, axoplasm_ohm_cm).map_err(|error| error.to_string())?;
    let cable = Cable::Double(DoubleCable {
        nodes,
        node_area_cm2: area,
        node_capacitance_nf: capacitance_nf,
        internode: Arc::new(internode),
    });

    let lengths = compartments.map(|c| c.length_um);
    let spacing = node_length + lengths.iter().sum::<f64>();
    let samples_per_internode = lengths.len() + 1;
    let middle = (nodes - 1) / 2;
    let mut sample_z_um = Vec::with_capacity(cable.samples());
    for k in 0..nodes {
        let node_z = (k as f64 - middle as f64) * spacing;
        sample_z_um.push(node_z);
        if k + 1 < nodes {
            let mut edge = node_z + node_length / 2.0;
            for length in &lengths {
                sample_z_um.push(edge + length / 2.0);
                edge += length;
            }
        }
    }
    let node_samples = (0..nodes).map(|k| k * samples_per_internode).collect();
    Ok(BuiltFiber {
        cable: Arc::new(cable),
        v_reference_mv: Some(reversal),
        sample_z_um,
        node_samples,
        inputs: Vec::new(),
        values: Vec::new(),
    })
}

impl BuiltFiber {
    /// Distance between neighboring nodes, um.
    pub(crate) fn node_spacing_um(&self) -> f64 {
        self.sample_z_um[self.node_samples[1]] - self.sample_z_um[self.node_samples[0]]
    }

    /// Equidistant nodes that are the only sample points.
    fn chain(cable: Cable, spacing_um: f64) -> Self {
        let nodes = cable.nodes();
        let middle = (nodes - 1) / 2;
        let sample_z_um = (0..nodes)
            .map(|k| (k as f64 - middle as f64) * spacing_um)
            .collect();
        // Weights of an explicit cable need not sum to zero, so its voltages are measured from zero.
        let v_reference_mv = matches!(cable, Cable::Explicit(_)).then_some(0.0);
        BuiltFiber {
            cable: Arc::new(cable),
            v_reference_mv,
            sample_z_um,
            node_samples: (0..nodes).collect(),
            inputs: Vec::new(),
            values: Vec::new(),
        }
    }
}
