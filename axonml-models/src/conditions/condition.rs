//! Converts the cells of a row into the condition to simulate.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axonml_core::error::exact;
use axonml_core::{Field, TimeGrid, Waveform};

use super::cell::{finite, fractions, node_count, nodes, not_negative, positive, temperature};
use super::row::Row;
use super::{ConditionError, Header, Overrides};
use crate::{
    DEFAULT_NODES, Detection, Extents, Fiber, FiberLength, FiberModel, Model, NerveReading,
    NodeSelection, Schema, Settings,
};

/// The simulation that a row of a table describes.
#[derive(Clone)]
pub struct Condition {
    /// The model.
    pub model: Model,
    /// The fiber.
    pub fiber: Fiber,
    /// Stated length from the first node to the last, um, to be checked.
    pub length_um: Option<f64>,
    /// Temperature, degrees Celsius, if not that of the weights or the model.
    pub celsius: Option<f64>,
    /// Time step, ms.
    pub dt_ms: f64,
    /// Duration, ms.
    pub tstop_ms: f64,
    /// The detection criterion of an action potential.
    pub detection: Detection,
    /// The electrodes or contacts, as a field.
    pub field: Arc<dyn Field>,
    /// Distance of the nearest point electrode from the fiber's axis, um, where there are point electrodes.
    pub source_distance_um: Option<f64>,
    /// The stimulus waveform.
    pub waveform: Arc<Waveform>,
}

/// Converts rows into conditions; nerves, fields and waveforms that rows share are built once.
pub struct RowReader<'a> {
    pub(super) header: &'a Header,
    pub(super) overrides: &'a Overrides,
    settings: &'a dyn Fn(&dyn FiberModel) -> Settings,
    pub(super) room: &'a dyn Fn(&TimeGrid) -> Result<(), String>,
    extents: HashMap<String, Extents>,
    pub(super) nerves: BTreeMap<String, Result<Arc<NerveReading>, ConditionError>>,
    pub(super) fields: HashMap<String, (Arc<dyn Field>, Option<f64>)>,
    pub(super) waveforms: HashMap<String, Arc<Waveform>>,
    pub(super) pulse_files: BTreeMap<String, String>,
    pub(super) fits: HashMap<(usize, u64, u64), Result<(), ConditionError>>,
    points: bool,
    lines: bool,
}

impl<'a> RowReader<'a> {
    /// A reader of rows with these columns. `settings` are those of a model: its weights, parameters and temperature;
    /// `room` returns the reason if there is not enough memory for a run with so many steps.
    pub fn new(
        header: &'a Header,
        overrides: &'a Overrides,
        settings: &'a dyn Fn(&dyn FiberModel) -> Settings,
        room: &'a dyn Fn(&TimeGrid) -> Result<(), String>,
    ) -> Self {
        RowReader {
            header,
            overrides,
            settings,
            room,
            extents: HashMap::new(),
            nerves: BTreeMap::new(),
            fields: HashMap::new(),
            waveforms: HashMap::new(),
            pulse_files: BTreeMap::new(),
            fits: HashMap::new(),
            points: false,
            lines: false,
        }
    }

    /// The nerves that rows have named so far, by name, with the notes on their data.
    pub fn nerves(&self) -> impl Iterator<Item = (&str, &NerveReading)> {
        let read = self.nerves.iter();
        read.filter_map(|(name, nerve)| Some((name.as_str(), &**nerve.as_ref().ok()?)))
    }

    /// The files that pulses of rows came from so far, with the SHA-256 of their bytes.
    pub fn pulse_files(&self) -> &BTreeMap<String, String> {
        &self.pulse_files
    }

    /// Whether any row so far was stimulated by point electrodes, and whether any was in a nerve.
    pub fn kinds_of_fields(&self) -> (bool, bool) {
        (self.points, self.lines)
    }

    /// The threshold to compare with, mA.
    ///
    /// # Errors
    /// [`ConditionError::Cell`].
    pub fn reference_ma(&self, cells: &[String]) -> Result<Option<f64>, ConditionError> {
        self.row(cells).parse("threshold_mA", positive("mA"))
    }

    /// The cell of a column, if the table has it and it is not empty.
    pub fn cell<'c>(&'c self, cells: &'c [String], column: &str) -> Option<&'c str> {
        self.row(cells).cell(column)
    }

    fn row<'r>(&'r self, cells: &'r [String]) -> Row<'r> {
        Row {
            header: self.header,
            cells,
        }
    }

    /// The condition that the cells of a row state.
    ///
    /// # Errors
    /// [`ConditionError`] that names the column, the value found and the value expected.
    pub fn condition(&mut self, cells: &[String]) -> Result<Condition, ConditionError> {
        let row = Row {
            header: self.header,
            cells,
        };
        let over = self.overrides;
        match row.cell("nerve").is_some() && over.electrodes.is_empty() {
            true => self.lines = true,
            false => self.points = true,
        }
        let (model, schema) = self.model(row)?;
        let stands_in = self.stands_in(row, &schema);
        let ignored = stands_in && self.spacing_is_ignored(&schema);
        let diameter_um = self.diameter_um(row, &schema)?;
        let delta_z_um = match over.delta_z_um {
            Some(stated) => Some(stated),
            None => row.parse("delta_z_um", positive("um"))?,
        };
        let compartment_um = delta_z_um.filter(|_| !ignored);
        let length_um = row.parse("length_um", positive("um"))?;
        let of_row = row.parse("n_nodes", node_count)?.map(FiberLength::Nodes);
        let celsius = match over.celsius {
            Some(celsius) => Some(celsius),
            None => row.parse("temperature", temperature)?,
        };
        let length = over.length.or(of_row).or(length_um.map(FiberLength::Um));
        let length = length.unwrap_or(match schema.compartment_um {
            Some(_) => FiberLength::Default,
            None => FiberLength::Nodes(DEFAULT_NODES),
        });
        let (field, source_distance_um) = self.field(row)?;
        let extents = self.extents(&model)?;
        let extent = extents.resolve(length, diameter_um, compartment_um, Some(&*field))?;
        let detection = self.detection(row, extent.nodes)?;
        let dt_ms = match over.dt_ms {
            Some(dt_ms) => Some(dt_ms),
            None => row.parse("dt_ms", positive("ms"))?,
        };
        let dt_ms = dt_ms.unwrap_or(Settings::default().dt_ms);
        let tstop_ms = match over.tstop_ms {
            Some(tstop_ms) => Some(tstop_ms),
            None => row.parse("tstop_ms", positive("ms"))?,
        };
        let waveform = self.waveform(row)?;
        let tstop_ms = match tstop_ms {
            Some(tstop_ms) => tstop_ms,
            None => {
                let sites = detection.nodes(extent.nodes)?;
                let end_ms = waveform.end_ms();
                self.extents(&model)?
                    .tstop_ms(diameter_um, &extent, &sites, end_ms)
            }
        };
        self.check_fits(&waveform, dt_ms, tstop_ms)?;
        Ok(Condition {
            model,
            fiber: Fiber {
                diameter_um,
                nodes: extent.nodes,
                compartment_um,
            },
            // The stated length belongs to the number of nodes and the model in the table.
            length_um: length_um
                .filter(|_| !stands_in && over.length.is_none() && over.delta_z_um.is_none()),
            celsius,
            dt_ms,
            tstop_ms,
            detection,
            field,
            source_distance_um,
            waveform,
        })
    }

    /// Whether a cell of the row is unused because another model replaces the row's.
    pub fn ignores(&self, cells: &[String], column: &str) -> bool {
        let row = self.row(cells);
        column == "delta_z_um"
            && self.model(row).is_ok_and(|(_, schema)| {
                self.stands_in(row, &schema) && self.spacing_is_ignored(&schema)
            })
    }

    fn model(&self, row: Row<'_>) -> Result<(Model, Schema), ConditionError> {
        let found = match (&self.overrides.model, row.cell("model")) {
            (Some(model), _) => model.clone(),
            (None, name) => {
                let found = self.overrides.models.find(name.unwrap_or("mrg"));
                found.map_err(|error| ConditionError::Column {
                    column: "model",
                    problem: error.to_string(),
                })?
            }
        };
        let schema = found.schema();
        Ok((found, schema))
    }

    /// Whether another model replaces the row's: the row's lengths then do not apply to it.
    fn stands_in(&self, row: Row<'_>, schema: &Schema) -> bool {
        let of_row = row.cell("model").unwrap_or("mrg");
        self.overrides.model.is_some()
            && self
                .overrides
                .models
                .find(of_row)
                .map_or(true, |model| model.schema().id != schema.id)
    }

    /// Whether the column delta_z_um does not apply to a model that replaces the row's: the diameter fixes its node
    /// spacing.
    fn spacing_is_ignored(&self, schema: &Schema) -> bool {
        self.overrides.delta_z_um.is_none() && schema.compartment_um.is_none()
    }

    fn diameter_um(&self, row: Row<'_>, schema: &Schema) -> Result<f64, ConditionError> {
        let diameter_um = match self.overrides.diameter_um {
            Some(diameter_um) => diameter_um,
            None => row
                .parse("diameter_um", positive("um"))?
                .ok_or(ConditionError::Missing {
                    column: "diameter_um",
                    otherwise: "--diameter",
                })?,
        };
        let Some(expected) = schema.wrong_diameter(diameter_um) else {
            return Ok(diameter_um);
        };
        let what = match schema.listed_um {
            Some(_) => "the diameters",
            None => "the range",
        };
        Err(ConditionError::Cell {
            column: "diameter_um",
            found: exact(diameter_um),
            expected: format!("expected {expected}, {what} of model `{}`", schema.id),
        })
    }

    /// The extents of fibers of a model.
    fn extents(&mut self, model: &dyn FiberModel) -> Result<&mut Extents, ConditionError> {
        match self.extents.entry(model.schema().id.into_owned()) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(Extents::new(model, &(self.settings)(model))?)),
        }
    }

    fn detection(&self, row: Row<'_>, count: usize) -> Result<Detection, ConditionError> {
        let over = self.overrides;
        let mut detection = Detection::default();
        let of_nodes = row.parse("detect_node_index", nodes)?;
        let of_fractions = row.parse("detect_at", fractions)?;
        let column = match (&over.detect_sites, of_nodes, of_fractions) {
            (Some(sites), _, _) => {
                detection.sites = sites.clone();
                None
            }
            (None, Some(_), Some(_)) => {
                return Err(ConditionError::Both {
                    first: "detect_node_index",
                    second: "detect_at",
                });
            }
            (None, Some(nodes), None) => {
                detection.sites = NodeSelection::Nodes(nodes);
                Some("detect_node_index")
            }
            (None, None, Some(fractions)) => {
                detection.sites = NodeSelection::Fractions(fractions);
                Some("detect_at")
            }
            (None, None, None) => None,
        };
        detection.nodes(count).map_err(|error| match column {
            None => ConditionError::Core(error),
            Some(column) => ConditionError::Column {
                column,
                problem: error.to_string(),
            },
        })?;
        let level_mv = row.parse("detect_threshold_mV", finite("mV"))?;
        let after_ms = row.parse("detect_after_ms", not_negative("ms"))?;
        detection.threshold_mv = over
            .detect_threshold_mv
            .or(level_mv)
            .unwrap_or(detection.threshold_mv);
        detection.after_ms = over
            .detect_after_ms
            .or(after_ms)
            .unwrap_or(detection.after_ms);
        Ok(detection)
    }
}
