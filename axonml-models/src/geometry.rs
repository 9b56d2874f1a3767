//! Geometry of a fiber in symbols.

use std::f64::consts::PI;

use axonml_autodiff::engine::SectionKind;
use axonml_autodiff::ir::Expr;

/// um2 in cm2.
const CM2_PER_UM2: f64 = 1e-8;
/// uF in nF.
const NF_PER_UF: f64 = 1e3;

/// The cable of a fiber as a model describes it; lengths and diameters in um.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Geometry<'t> {
    /// A chain of nodes stepped explicitly, as surrogate models are.
    Surrogate(Surrogate<'t>),
    /// An unmyelinated fiber: equal cylinders, stepped implicitly.
    Unmyelinated(Unmyelinated<'t>),
    /// An unmyelinated fiber stepped explicitly with reflecting ends.
    UnmyelinatedExplicit(Unmyelinated<'t>),
    /// A myelinated fiber whose myelin insulates: nodes joined by axoplasm alone, stepped implicitly.
    Insulated(Insulated<'t>),
    /// A myelinated fiber with a double cable: nodes joined by ten passive compartments each.
    Myelinated(Box<Myelinated<'t>>),
    /// A myelinated fiber with two modes per internode: [`axonml_autodiff::cable::ReducedCable`].
    Reduced(Box<Reduced<'t>>),
}

/// Nodes joined by bare axial resistances, with trainable coupling weights.
#[derive(Clone, Debug)]
pub struct Surrogate<'t> {
    /// Distance between nodes: where they lie in the field.
    pub spacing_um: Expr<'t>,
    /// Length of axon that the resistance between neighboring nodes has; training may make it differ from `spacing_um`.
    pub axial_length_um: Expr<'t>,
    /// Diameter of a node; it is 1 um long.
    pub node_diameter_um: Expr<'t>,
    /// Diameter of the axon that the axial current flows through.
    pub axon_diameter_um: Expr<'t>,
    /// Capacitance of the node membrane, uF/cm2.
    pub capacitance_uf_cm2: Expr<'t>,
    /// Axial resistivity, ohm cm.
    pub axial_ohm_cm: Expr<'t>,
    /// Weights of the voltages: each neighbor, the node itself.
    pub v_weights: [Expr<'t>; 2],
    /// Weights of the extracellular potentials: each neighbor, the node itself.
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

/// Nodes joined by internodes without membrane. No current leaves between nodes, whatever the potential outside, so that
/// the field matters at nodes only.
#[derive(Clone, Debug)]
pub struct Insulated<'t> {
    /// Distance between nodes.
    pub spacing_um: Expr<'t>,
    /// Length of a node.
    pub node_length_um: Expr<'t>,
    /// Diameter of a node.
    pub node_diameter_um: Expr<'t>,
    /// Diameter of the axon between nodes.
    pub axon_diameter_um: Expr<'t>,
    /// Membrane capacitance of a node, uF/cm2.
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
    /// Diameter of the fiber: membrane areas are those of this cylinder.
    pub fiber_diameter_um: Expr<'t>,
    /// Diameter of the axon within.
    pub axon_diameter_um: Expr<'t>,
    /// Width of the periaxonal space.
    pub periaxonal_um: Expr<'t>,
    /// Axolemma capacitance per area of the fiber's cylinder, uF/cm2.
    pub axolemma_uf_cm2: Expr<'t>,
    /// Axolemma conductance per area of the fiber's cylinder, S/cm2.
    pub axolemma_s_cm2: Expr<'t>,
    /// Myelin capacitance per area of the fiber's cylinder, uF/cm2.
    pub myelin_uf_cm2: Expr<'t>,
    /// Myelin conductance per area of the fiber's cylinder, S/cm2.
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
    /// Capacitance of a node, including the contribution of its internodes, nF.
    pub capacitance_nf: Expr<'t>,
    /// Passive conductance at a node per adjacent internode, uS.
    pub self_us: Expr<'t>,
    /// Coupling of neighboring nodes, uS.
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

/// The variant of a model's [`Geometry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GeometryKind {
    Surrogate,
    Unmyelinated,
    UnmyelinatedExplicit,
    Insulated,
    Myelinated,
    Reduced,
}

impl GeometryKind {
    /// Place among the quantities of the reversal potential that all potentials are measured from, if it is one.
    pub(crate) fn reversal(self) -> Option<usize> {
        match self {
            GeometryKind::Surrogate
            | GeometryKind::Unmyelinated
            | GeometryKind::UnmyelinatedExplicit
            | GeometryKind::Insulated => None,
            GeometryKind::Myelinated => Some(5),
            GeometryKind::Reduced => Some(2),
        }
    }

    /// Place among the quantities of the length of a compartment or node of Ranvier; none where it is 1 um.
    pub(crate) fn length(self) -> Option<usize> {
        match self {
            GeometryKind::Unmyelinated
            | GeometryKind::UnmyelinatedExplicit
            | GeometryKind::Myelinated => Some(0),
            GeometryKind::Insulated => Some(1),
            GeometryKind::Surrogate | GeometryKind::Reduced => None,
        }
    }

    /// The cable, with its article, where it has no passive ends yet.
    pub(crate) fn without_passive_ends(self) -> Option<&'static str> {
        match self {
            GeometryKind::Unmyelinated | GeometryKind::Insulated => None,
            GeometryKind::UnmyelinatedExplicit | GeometryKind::Surrogate => {
                Some("an explicit single cable")
            }
            GeometryKind::Myelinated => Some("a double cable"),
            GeometryKind::Reduced => Some("a reduced double cable"),
        }
    }

    /// The section that carries the membrane at the nodes of the cable.
    pub(crate) fn section(self) -> SectionKind {
        match self {
            GeometryKind::Surrogate
            | GeometryKind::Insulated
            | GeometryKind::Myelinated
            | GeometryKind::Reduced => SectionKind::Node,
            GeometryKind::Unmyelinated | GeometryKind::UnmyelinatedExplicit => {
                SectionKind::Compartment
            }
        }
    }
}

impl<'t> Geometry<'t> {
    pub(crate) fn kind(&self) -> GeometryKind {
        match self {
            Geometry::Surrogate(_) => GeometryKind::Surrogate,
            Geometry::Unmyelinated(_) => GeometryKind::Unmyelinated,
            Geometry::UnmyelinatedExplicit(_) => GeometryKind::UnmyelinatedExplicit,
            Geometry::Insulated(_) => GeometryKind::Insulated,
            Geometry::Myelinated(_) => GeometryKind::Myelinated,
            Geometry::Reduced(_) => GeometryKind::Reduced,
        }
    }

    /// All quantities in one fixed order, which [`crate::built`] reads back.
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
            Geometry::Insulated(i) => {
                vec![
                    i.spacing_um,
                    i.node_length_um,
                    i.node_diameter_um,
                    i.axon_diameter_um,
                    i.capacitance_uf_cm2,
                    i.axial_ohm_cm,
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

    /// The cable coefficients that are not quantities themselves: membrane area of a node (cm2), its capacitance (nF),
    /// axial conductance between nodes (uS); zeros where a cable has no such number or takes it from the quantities.
    pub(crate) fn cable_numbers(&self) -> [Expr<'t>; 3] {
        match self {
            Geometry::Surrogate(s) => {
                let area = PI * s.node_diameter_um * CM2_PER_UM2;
                [
                    area,
                    s.capacitance_uf_cm2 * area * NF_PER_UF,
                    cylinder_us(s.axial_ohm_cm, s.axial_length_um, s.axon_diameter_um),
                ]
            }
            Geometry::Unmyelinated(u) | Geometry::UnmyelinatedExplicit(u) => {
                let area = PI * u.diameter_um * u.compartment_um * CM2_PER_UM2;
                [
                    area,
                    u.capacitance_uf_cm2 * area * NF_PER_UF,
                    cylinder_us(u.axial_ohm_cm, u.compartment_um, u.diameter_um),
                ]
            }
            Geometry::Insulated(i) => {
                let area = PI * i.node_diameter_um * i.node_length_um * CM2_PER_UM2;
                let between = i.spacing_um - i.node_length_um;
                let node = cylinder_us(i.axial_ohm_cm, i.node_length_um, i.node_diameter_um);
                let axon = cylinder_us(i.axial_ohm_cm, between, i.axon_diameter_um);
                [
                    area,
                    i.capacitance_uf_cm2 * area * NF_PER_UF,
                    // Half a node, the internode and half a node in series.
                    node * axon / (node + axon),
                ]
            }
            Geometry::Myelinated(m) => {
                let area = PI * m.node_diameter_um * m.node_length_um * CM2_PER_UM2;
                [
                    area,
                    m.node_capacitance_uf_cm2 * area * NF_PER_UF,
                    area.same(0.0),
                ]
            }
            Geometry::Reduced(r) => {
                let area = PI * r.node_diameter_um * CM2_PER_UM2;
                [area, area.same(0.0), area.same(0.0)]
            }
        }
    }
}

/// Conductance of a cylinder of axoplasm along its axis, uS; resistivity in ohm cm, length and diameter in um.
fn cylinder_us<'t>(ohm_cm: Expr<'t>, length_um: Expr<'t>, diameter_um: Expr<'t>) -> Expr<'t> {
    let cross_section_cm2 = PI * diameter_um * diameter_um / 4.0 * CM2_PER_UM2;
    1e6 * cross_section_cm2 / (ohm_cm * length_um * 1e-4)
}
