//! Geometry of a fibre in symbols, and its cable and sample points in numbers.

use std::f64::consts::PI;
use std::sync::Arc;

use axonml_autodiff::cable::{
    DoubleCable, ExplicitCable, ImplicitCable, Internode, InternodeCompartment, Mode, NodeGeometry,
    ReducedCable, ReducedDrive,
};
use axonml_autodiff::{Cable, Expr, SectionKind};

use crate::SimulationError;

/// um2 in cm2.
const CM2_PER_UM2: f64 = 1e-8;
/// uF in nF.
const NF_PER_UF: f64 = 1e3;

/// The cable of a fibre as a model describes it; lengths and diameters in um.
#[derive(Clone, Debug)]
pub enum Geometry<'t> {
    /// A chain of nodes stepped explicitly, as surrogate models are.
    Surrogate(Surrogate<'t>),
    /// An unmyelinated fibre: equal cylinders, stepped implicitly.
    Unmyelinated(Unmyelinated<'t>),
    /// An unmyelinated fibre stepped explicitly with reflecting ends.
    UnmyelinatedExplicit(Unmyelinated<'t>),
    /// A myelinated fibre with a double cable: nodes joined by ten passive compartments each.
    Myelinated(Box<Myelinated<'t>>),
    /// A myelinated fibre with two modes per internode: [`axonml_autodiff::cable::ReducedCable`].
    Reduced(Box<Reduced<'t>>),
}

/// Nodes joined by bare axial resistances, with trainable coupling weights.
#[derive(Clone, Debug)]
pub struct Surrogate<'t> {
    /// Distance between nodes: where they lie in the field.
    pub spacing_um: Expr<'t>,
    /// Length of axon that the resistance between neighbouring nodes has; training may make it differ from `spacing_um`.
    pub axial_length_um: Expr<'t>,
    /// Diameter of a node; it is 1 um long.
    pub node_diameter_um: Expr<'t>,
    /// Diameter of the axon that the axial current flows through.
    pub axon_diameter_um: Expr<'t>,
    /// Capacitance of the node membrane, uF/cm2.
    pub capacitance_uf_cm2: Expr<'t>,
    /// Axial resistivity, ohm cm.
    pub axial_ohm_cm: Expr<'t>,
    /// Weights of the voltages: each neighbour, the node itself.
    pub v_weights: [Expr<'t>; 2],
    /// Weights of the extracellular potentials: each neighbour, the node itself.
    pub ve_weights: [Expr<'t>; 2],
}

/// A cylinder cut into compartments.
#[derive(Clone, Debug)]
pub struct Unmyelinated<'t> {
    /// Length of a compartment.
    pub compartment_um: Expr<'t>,
    /// Diameter of the cylinder.
    pub diameter_um: Expr<'t>,
    /// Membrane capacitance, uF/cm2.
    pub capacitance_uf_cm2: Expr<'t>,
    /// Axial resistivity, ohm cm.
    pub axial_ohm_cm: Expr<'t>,
}

/// Node, internodal compartments and the resistivity of the axoplasm.
#[derive(Clone, Debug)]
pub struct Myelinated<'t> {
    /// Length of a node of Ranvier.
    pub node_length_um: Expr<'t>,
    /// Diameter of a node of Ranvier.
    pub node_diameter_um: Expr<'t>,
    /// Width of the periaxonal space at the node.
    pub node_periaxonal_um: Expr<'t>,
    /// Capacitance of the node membrane, uF/cm2.
    pub node_capacitance_uf_cm2: Expr<'t>,
    /// Axial resistivity of the axoplasm and the periaxonal space, ohm cm.
    pub axial_ohm_cm: Expr<'t>,
    /// Reversal potential of the passive internodal axolemma, mV.
    pub internode_reversal_mv: Expr<'t>,
    /// The compartments from one node to the next; mirror-symmetric.
    pub internode: [MyelinatedSection<'t>; 10],
}

/// One internodal compartment.
#[derive(Clone, Copy, Debug)]
pub struct MyelinatedSection<'t> {
    /// Length.
    pub length_um: Expr<'t>,
    /// Diameter of the fibre: membrane areas are those of this cylinder.
    pub fiber_diameter_um: Expr<'t>,
    /// Diameter of the axon within.
    pub axon_diameter_um: Expr<'t>,
    /// Width of the periaxonal space.
    pub periaxonal_um: Expr<'t>,
    /// Axolemma capacitance per area of the fibre's cylinder, uF/cm2.
    pub axolemma_uf_cm2: Expr<'t>,
    /// Axolemma conductance per area of the fibre's cylinder, S/cm2.
    pub axolemma_s_cm2: Expr<'t>,
    /// Myelin capacitance per area of the fibre's cylinder, uF/cm2.
    pub myelin_uf_cm2: Expr<'t>,
    /// Myelin conductance per area of the fibre's cylinder, S/cm2.
    pub myelin_s_cm2: Expr<'t>,
}

/// Nodes and internodes of one even and one odd mode, by the coefficients of
/// [`ReducedCable`](axonml_autodiff::cable::ReducedCable) themselves.
#[derive(Clone, Debug)]
pub struct Reduced<'t> {
    /// Distance between nodes.
    pub spacing_um: Expr<'t>,
    /// Diameter of a node; it is 1 um long.
    pub node_diameter_um: Expr<'t>,
    /// Potential from which the modes are measured, mV: that of internodes without charge.
    pub internode_reversal_mv: Expr<'t>,
    /// Capacitance of a node with what internodes add to it, nF.
    pub capacitance_nf: Expr<'t>,
    /// Passive conductance at a node per adjacent internode, uS.
    pub self_us: Expr<'t>,
    /// Coupling of neighbouring nodes, uS.
    pub neighbor_us: Expr<'t>,
    /// The even mode's decay rate, 1/ms, and coupling, uS/ms.
    pub even: [Expr<'t>; 2],
    /// The odd mode's decay rate, 1/ms, and coupling, uS/ms.
    pub odd: [Expr<'t>; 2],
    /// Currents into nodes by the `even`, `odd` and `wide` differences of the extracellular potential, uS.
    pub node_drive_us: [Expr<'t>; 3],
    /// Drives of the modes by the same, uS/ms: the even mode's one, the odd mode's two.
    pub mode_drive_us_per_ms: [Expr<'t>; 3],
}

/// Which [`Geometry`] a model has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Surrogate,
    Unmyelinated,
    UnmyelinatedExplicit,
    Myelinated,
    Reduced,
}

impl Kind {
    /// The section that carries the membrane at the nodes of the cable.
    pub(crate) fn section(self) -> SectionKind {
        match self {
            Kind::Surrogate | Kind::Myelinated | Kind::Reduced => SectionKind::Node,
            Kind::Unmyelinated | Kind::UnmyelinatedExplicit => SectionKind::Compartment,
        }
    }
}

impl<'t> Geometry<'t> {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Geometry::Surrogate(_) => Kind::Surrogate,
            Geometry::Unmyelinated(_) => Kind::Unmyelinated,
            Geometry::UnmyelinatedExplicit(_) => Kind::UnmyelinatedExplicit,
            Geometry::Myelinated(_) => Kind::Myelinated,
            Geometry::Reduced(_) => Kind::Reduced,
        }
    }

    /// All quantities in one fixed order, which [`build`] reads back.
    pub(crate) fn quantities(&self) -> Vec<Expr<'t>> {
        match self {
            Geometry::Surrogate(s) => {
                let [v0, v1] = s.v_weights;
                let [e0, e1] = s.ve_weights;
                vec![
                    s.spacing_um,
                    s.axial_length_um,
                    s.node_diameter_um,
                    s.axon_diameter_um,
                    s.capacitance_uf_cm2,
                    s.axial_ohm_cm,
                    v0,
                    v1,
                    e0,
                    e1,
                ]
            }
            Geometry::Unmyelinated(u) | Geometry::UnmyelinatedExplicit(u) => {
                vec![
                    u.compartment_um,
                    u.diameter_um,
                    u.capacitance_uf_cm2,
                    u.axial_ohm_cm,
                ]
            }
            Geometry::Myelinated(m) => {
                let mut all = vec![
                    m.node_length_um,
                    m.node_diameter_um,
                    m.node_periaxonal_um,
                    m.node_capacitance_uf_cm2,
                    m.axial_ohm_cm,
                    m.internode_reversal_mv,
                ];
                for s in &m.internode {
                    all.extend([
                        s.length_um,
                        s.fiber_diameter_um,
                        s.axon_diameter_um,
                        s.periaxonal_um,
                        s.axolemma_uf_cm2,
                        s.axolemma_s_cm2,
                        s.myelin_uf_cm2,
                        s.myelin_s_cm2,
                    ]);
                }
                all
            }
            Geometry::Reduced(r) => {
                let mut all = vec![
                    r.spacing_um,
                    r.node_diameter_um,
                    r.internode_reversal_mv,
                    r.capacitance_nf,
                    r.self_us,
                    r.neighbor_us,
                ];
                all.extend(r.even.iter().chain(&r.odd));
                all.extend(r.node_drive_us.iter().chain(&r.mode_drive_us_per_ms));
                all
            }
        }
    }
}

/// A fibre's cable in numbers, and where it lies.
#[derive(Clone, Debug)]
pub(crate) struct BuiltFiber {
    pub(crate) cable: Arc<Cable>,
    /// Potential from which deviations are measured, mV; none where the model's start is as good as any.
    pub(crate) v_reference_mv: Option<f64>,
    /// z of the sample points, um, the middle node (index (n - 1)/2) at 0.
    pub(crate) sample_z_um: Vec<f64>,
    /// Index among the sample points of each node.
    pub(crate) node_samples: Vec<usize>,
}

/// The cable of a fibre of `nodes` nodes from the numeric values of [`Geometry::quantities`].
pub(crate) fn build(
    kind: Kind,
    quantities: &[f64],
    nodes: usize,
    what: &str,
) -> Result<BuiltFiber, SimulationError> {
    let bad = |problem: String| SimulationError::Geometry {
        fiber: what.to_owned(),
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
    let built = match kind {
        Kind::Surrogate => {
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
            let area = PI * positive("the node diameter", node_diameter)? * CM2_PER_UM2;
            let rho = positive("the axial resistivity", rho)?;
            let capacitance = positive("the membrane capacitance", capacitance)?;
            let axial_length = positive("the axial length between nodes", axial_length)?;
            let axon_diameter = positive("the axon diameter", axon_diameter)?;
            let axial = cylinder_us(rho, axial_length, axon_diameter);
            BuiltFiber::chain(
                Cable::Explicit(ExplicitCable {
                    nodes,
                    area_cm2: area,
                    capacitance_nf: capacitance * area * NF_PER_UF,
                    axial_us: axial,
                    v_weights: (v0, v1),
                    ve_weights: (e0, e1),
                }),
                spacing,
            )
        }
        Kind::Unmyelinated | Kind::UnmyelinatedExplicit => {
            let &[length, diameter, capacitance, rho] = quantities else {
                unreachable!("quantities() lists four for an unmyelinated fibre")
            };
            let length = positive("the compartment length", length)?;
            let rho = positive("the axial resistivity", rho)?;
            let capacitance = positive("the membrane capacitance", capacitance)?;
            let area = PI * positive("the diameter", diameter)? * length * CM2_PER_UM2;
            let capacitance_nf = capacitance * area * NF_PER_UF;
            let axial_us = cylinder_us(rho, length, diameter);
            let cable = match kind {
                Kind::Unmyelinated => Cable::Implicit(ImplicitCable {
                    area_cm2: vec![area; nodes],
                    capacitance_nf: vec![capacitance_nf; nodes],
                    link_us: vec![axial_us; nodes - 1],
                }),
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
        Kind::Myelinated => build_myelinated(quantities, nodes).map_err(bad)?,
        Kind::Reduced => {
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
                unreachable!("quantities() lists sixteen for a reduced fibre")
            };
            let spacing = positive("the distance between nodes", spacing)?;
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
                node_area_cm2: PI * positive("the node diameter", node_diameter)? * CM2_PER_UM2,
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
    Ok(built)
}

fn build_myelinated(quantities: &[f64], nodes: usize) -> Result<BuiltFiber, String> {
    let (head, sections) = quantities.split_at(6);
    let &[
        node_length,
        node_diameter,
        node_periaxonal,
        node_capacitance,
        rho,
        reversal,
    ] = head
    else {
        unreachable!("quantities() starts with six for a myelinated fibre")
    };
    let compartments: Vec<InternodeCompartment> = sections
        .chunks_exact(8)
        .map(|s| InternodeCompartment {
            length_um: s[0],
            area_diameter_um: s[1],
            axon_diameter_um: s[2],
            periaxonal_width_um: s[3],
            axolemma_capacitance_uf_cm2: s[4],
            axolemma_conductance_s_cm2: s[5],
            myelin_capacitance_uf_cm2: s[6],
            myelin_conductance_s_cm2: s[7],
        })
        .collect();
    let compartments: [InternodeCompartment; 10] = compartments
        .try_into()
        .expect("quantities() lists ten compartments");
    if node_capacitance <= 0.0 {
        return Err(format!(
            "the capacitance of the node is {node_capacitance} uF/cm2, but must be positive"
        ));
    }
    let node = NodeGeometry {
        length_um: node_length,
        diameter_um: node_diameter,
        periaxonal_width_um: node_periaxonal,
    };
    let internode = Internode::new(&compartments, node, rho).map_err(|error| error.to_string())?;
    let area = PI * node_diameter * node_length * CM2_PER_UM2;
    let cable = Cable::Double(DoubleCable {
        nodes,
        node_area_cm2: area,
        node_capacitance_nf: node_capacitance * area * NF_PER_UF,
        internode: Arc::new(internode),
    });

    let lengths: Vec<f64> = compartments.iter().map(|c| c.length_um).collect();
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
    })
}

impl BuiltFiber {
    /// Distance between neighbouring nodes, um.
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
        }
    }
}

/// Conductance of a cylinder of axoplasm along its axis, uS; resistivity in ohm cm, length and diameter in um.
fn cylinder_us(ohm_cm: f64, length_um: f64, diameter_um: f64) -> f64 {
    let cross_section_cm2 = PI * diameter_um * diameter_um / 4.0 * CM2_PER_UM2;
    1e6 * cross_section_cm2 / (ohm_cm * length_um * 1e-4)
}
