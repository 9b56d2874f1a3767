//! Length of a simulated fiber, and the duration of a run in which its action potential arrives.
//!
//! A simulated fiber is a piece of a longer one. Where the field still drives its ends, they fire at amplitudes at
//! which the fiber itself does not: a cut end has no neighbor to draw current. The default extent keeps the ends out of
//! the field; runs last until an action potential has reached the detection sites.

use std::collections::HashMap;

use axonml_core::error::short;
use axonml_core::{CoreError, Field};

use crate::lower::{FiberGeometry, lower};
use crate::schema::Schema;
use crate::{Ends, Fiber, FiberModel, Settings, SimulationError};

/// Default number of nodes of Ranvier of a myelinated fiber, unless its field or the user sets another.
pub const DEFAULT_NODES: usize = 53;
/// Length of an unmyelinated fiber whose model declares none, um.
const DEFAULT_LENGTH_UM: f64 = 15_000.0;
/// Duration of a run unless an action potential needs longer, ms.
pub const DEFAULT_TSTOP_MS: f64 = 5.0;
/// Part of the strongest drive inside a fiber that its ends may be driven with.
const END_DRIVE: f64 = 0.1;
/// Time that an action potential may take to begin, ms.
const LATENCY_MS: f64 = 3.0;
/// Fewest nodes that a fiber is cut down to where a line is short: detection sites, and some nodes between them.
const FEWEST_NODES: usize = 21;
/// Nodes beyond which no fiber is extended in search of ends that the field does not drive.
const MOST_NODES: usize = 2001;
/// Largest number of nodes (or compartments) of one fiber.
pub const NODES_LIMIT: usize = 10_000_000;

/// The requested extent of a fiber.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum FiberLength {
    /// As the field needs it (nodes of Ranvier), or the length that the model declares (unmyelinated fibers).
    #[default]
    Default,
    /// This many nodes, or compartments.
    Nodes(usize),
    /// This far from the first node to the last, um; rounded to an odd number of nodes, so that one lies in the middle.
    Um(f64),
}

/// The extent of a fiber.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FiberExtent {
    /// Nodes, or compartments.
    pub nodes: usize,
    /// Distance between them, um.
    pub spacing_um: f64,
    /// Whether the field drives the ends although the fiber is as long as the sampled line allows; such a fiber's
    /// threshold may be that of its ends.
    pub ends_driven: bool,
}

impl FiberExtent {
    /// Distance from the first node to the last, um.
    pub fn length_um(&self) -> f64 {
        self.spacing_um * (self.nodes - 1) as f64
    }
}

/// Finds the extents of fibers of one model.
#[derive(Debug)]
pub struct Extents {
    schema: Schema,
    geometry: FiberGeometry,
    /// Spacings by diameter and compartment length.
    spacings: HashMap<(u64, u64), f64>,
}

impl Extents {
    /// Traces the model's geometry with the parameters of `settings`.
    ///
    /// # Errors
    /// As [`crate::Simulation::new`].
    pub fn new(model: &dyn FiberModel, settings: &Settings) -> Result<Self, SimulationError> {
        let (lowered, _) = lower(model, &[], settings)?;
        Ok(Extents {
            schema: lowered.schema,
            geometry: lowered.geometry,
            spacings: HashMap::new(),
        })
    }

    /// Distance between the nodes, or compartments, of a fiber, um.
    ///
    /// # Errors
    /// [`SimulationError`] for a diameter or compartment length that the model does not have.
    pub fn spacing_um(
        &mut self,
        diameter_um: f64,
        compartment_um: Option<f64>,
    ) -> Result<f64, SimulationError> {
        let key = (
            diameter_um.to_bits(),
            compartment_um.map_or(0, f64::to_bits),
        );
        if let Some(&known) = self.spacings.get(&key) {
            return Ok(known);
        }
        let fiber = Fiber {
            diameter_um,
            nodes: 3,
            compartment_um,
        };
        let spacing = self.geometry.spacing_um(&self.schema, &fiber)?;
        self.spacings.insert(key, spacing);
        Ok(spacing)
    }

    /// The extent of a fiber in `field`.
    ///
    /// By default nodes of Ranvier are [`DEFAULT_NODES`], or, where `field` is known along a line and drives the ends
    /// of such a fiber with 10 % or more of the strongest drive inside, the shortest odd number whose ends it does not;
    /// at most the line less an internode at either end. Unmyelinated fibers have the length that their model declares.
    ///
    /// # Errors
    /// [`SimulationError`] as [`Extents::spacing_um`]; for a length of fewer than 3 nodes or of more than
    /// [`NODES_LIMIT`]; for a field that cannot be evaluated.
    pub fn resolve(
        &mut self,
        length: FiberLength,
        diameter_um: f64,
        compartment_um: Option<f64>,
        field: Option<&dyn Field>,
    ) -> Result<FiberExtent, SimulationError> {
        let spacing_um = self.spacing_um(diameter_um, compartment_um)?;
        let with = |nodes: usize| FiberExtent {
            nodes,
            spacing_um,
            ends_driven: false,
        };
        match (
            length,
            field.and_then(|field| Some((field, field.extent_um()?))),
        ) {
            (FiberLength::Nodes(nodes), _) if nodes > NODES_LIMIT => {
                Err(SimulationError::Core(CoreError::BadValue {
                    what: "the number of nodes".into(),
                    found: nodes.to_string(),
                    expected: format!("at most {NODES_LIMIT}"),
                }))
            }
            (FiberLength::Nodes(nodes), _) => Ok(with(nodes)),
            (FiberLength::Um(length_um), _) => Ok(with(odd_nodes(length_um, spacing_um)?)),
            (FiberLength::Default, None) => match self.declared_length_um() {
                Some(length_um) => Ok(with(odd_nodes(length_um, spacing_um)?)),
                None => Ok(with(DEFAULT_NODES)),
            },
            (FiberLength::Default, Some((field, line_um))) => {
                let longest = longest_within(line_um, spacing_um);
                let Some(length_um) = self.declared_length_um() else {
                    return Ok(in_field(field, spacing_um, longest, self.geometry.ends)?);
                };
                // A line shorter than the declared length is used up to its ends.
                let nodes = odd_nodes(length_um, spacing_um)?;
                let fits = nodes <= longest || longest < 3;
                Ok(with(if fits { nodes } else { longest }))
            }
        }
    }

    /// Default length, um, unless the field or the user sets another; none for fibers with nodes of Ranvier.
    fn declared_length_um(&self) -> Option<f64> {
        self.schema.compartment_um?;
        Some(self.schema.length_um.unwrap_or(DEFAULT_LENGTH_UM))
    }

    /// Duration of a run in which an action potential that begins anywhere reaches the nearest of `sites`, ms: at least
    /// [`DEFAULT_TSTOP_MS`], in whole ms. `stimulus_end_ms` is where the stimulus ends, if it does.
    pub fn tstop_ms(
        &self,
        diameter_um: f64,
        extent: &FiberExtent,
        sites: &[usize],
        stimulus_end_ms: Option<f64>,
    ) -> f64 {
        let Some(speed) = self.schema.speed else {
            return DEFAULT_TSTOP_MS;
        };
        let to_nearest = |node: usize| sites.iter().map(|site| site.abs_diff(node)).min();
        let farthest = (0..extent.nodes).filter_map(to_nearest).max().unwrap_or(0);
        let travel_ms = farthest as f64 * extent.spacing_um / speed.um_per_ms(diameter_um);
        let needed = stimulus_end_ms.unwrap_or(0.0) + LATENCY_MS + travel_ms;
        DEFAULT_TSTOP_MS.max(needed.ceil())
    }
}

/// The odd number of nodes whose distance from the first to the last is nearest to `length_um`.
fn odd_nodes(length_um: f64, spacing_um: f64) -> Result<usize, CoreError> {
    let half = (0.5 * length_um / spacing_um).round();
    let limit = NODES_LIMIT as f64 / 2.0;
    if !(1.0..=limit).contains(&half) {
        return Err(CoreError::BadValue {
            what: "the length of the fiber".into(),
            found: format!("{} um", short(length_um)),
            expected: format!(
                "{} um (3 nodes) to {} um ({NODES_LIMIT} nodes), as nodes or compartments lie {} um apart",
                short(2.0 * spacing_um),
                short(spacing_um * NODES_LIMIT as f64),
                short(spacing_um)
            ),
        });
    }
    Ok(2 * half as usize + 1)
}

/// The largest odd number of nodes that leaves an internode of the line free at either end.
fn longest_within((first_um, last_um): (f64, f64), spacing_um: f64) -> usize {
    let half = (-first_um).min(last_um) / spacing_um - 1.0;
    // An internode more or less by rounding.
    let half = (half + 1e-9).floor();
    if half >= 1.0 {
        2 * half as usize + 1
    } else {
        1
    }
}

/// The extent of a fiber with nodes of Ranvier whose ends `field` does not drive, at most `longest` nodes.
fn in_field(
    field: &dyn Field,
    spacing_um: f64,
    longest: usize,
    ends: Ends,
) -> Result<FiberExtent, CoreError> {
    let with = |nodes: usize, ends_driven: bool| FiberExtent {
        nodes,
        spacing_um,
        ends_driven,
    };
    // A line that holds only a few nodes cannot show conduction: it is refused where its potentials are sampled.
    if longest < FEWEST_NODES {
        return Ok(with(DEFAULT_NODES, false));
    }
    let most = longest.min(MOST_NODES);
    let half = (most / 2) as i64;
    let z_um: Vec<f64> = (-half..=half).map(|k| k as f64 * spacing_um).collect();
    let ve = field.potentials_mv(&z_um)?;
    if ve.iter().all(|v| *v == 0.0) {
        // Nothing is driven.
        return Ok(with(most.min(DEFAULT_NODES), false));
    }
    if most < DEFAULT_NODES {
        return Ok(with(most, true));
    }
    let nodes = nodes_with_quiet_ends(&ve, DEFAULT_NODES, ends);
    Ok(nodes.map_or(with(most, true), |nodes| with(nodes, false)))
}

/// The shortest odd number of nodes, at least `least`, at both ends of which the drive is below a tenth of the
/// strongest drive inside; `ve` are the potentials at the nodes of the longest fiber, whose middle they share. Nodes that
/// passive ends cut off count, but are not driven: the next ones are.
///
/// The drive of a node is the axial current that the field injects into it: the sum of the differences to the
/// potentials of its neighbors, of which the node at an end has one.
fn nodes_with_quiet_ends(ve: &[f64], least: usize, ends: Ends) -> Option<usize> {
    let cut = ends.cut_nodes();
    let ve = ve.get(cut..ve.len().saturating_sub(cut))?;
    let middle = ve.len() / 2;
    let inside = |node: usize| (ve[node - 1] - 2.0 * ve[node] + ve[node + 1]).abs();
    // Strongest drive of the nodes less than `half` from the middle.
    let mut strongest = 0.0_f64;
    let mut half = 0;
    loop {
        half += 1;
        if half > middle {
            return None;
        }
        for node in [middle + 1 - half, middle + half - 1] {
            strongest = strongest.max(inside(node));
        }
        let (first, last) = (middle - half, middle + half);
        let ends = [ve[first + 1] - ve[first], ve[last - 1] - ve[last]];
        let quiet = ends.iter().all(|drive| drive.abs() < END_DRIVE * strongest);
        let nodes = 2 * (half + cut) + 1;
        if nodes >= least && quiet {
            return Some(nodes);
        }
    }
}

/// Nodes that a fiber in `field` needs for ends that the field does not drive, more than `nodes`; `None` where the
/// field is not known so far, or no number up to a limit does.
pub(crate) fn nodes_needed(
    field: &dyn Field,
    spacing_um: f64,
    nodes: usize,
    ends: Ends,
) -> Option<usize> {
    let longest = field
        .extent_um()
        .map_or(MOST_NODES, |line_um| longest_within(line_um, spacing_um));
    let half = (longest.min(MOST_NODES) / 2) as i64;
    let z_um: Vec<f64> = (-half..=half).map(|k| k as f64 * spacing_um).collect();
    let ve = field.potentials_mv(&z_um).ok()?;
    nodes_with_quiet_ends(&ve, nodes + 1, ends)
}

#[cfg(test)]
mod tests;
