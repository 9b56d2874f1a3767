//! From a row to a job. A flag given explicitly overrides a column, a column overrides the default.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use axonml_core::{Field, Medium, Nerve, PointSource, Waveform};
use axonml_models::{
    DEFAULT_NODES, Detection, Extents, Fiber, FiberLength, FiberModel, NodeSelection, Schema,
};

use super::read::{Record, Sheet};
use crate::args::{
    DT_MS, FieldArgs, Fractions, Nodes, Numbers, RESISTIVITY_OHM_CM, TSTOP_MS, ThresholdArgs,
    count, finite, nodes, not_negative, positive,
};
use crate::error::CliError;
use crate::fibres::{contacts, nearest_um, nerve_field, open_nerve, points};
use crate::job::{Common, Injections, Job, Source, of_one};
use crate::messages::Messages;

/// Turns rows into jobs; what rows have in common (nerves, fields, waveforms) is made once.
pub(crate) struct Reader<'a> {
    sheet: &'a Sheet,
    args: &'a ThresholdArgs,
    common: &'a Common,
    messages: Messages,
    detection: Detection,
    injections: Injections,
    pulse: Option<Arc<Waveform>>,
    electrodes: Option<Arc<dyn Field>>,
    extents: HashMap<&'static str, Extents>,
    models: HashMap<String, Result<(&'static dyn FiberModel, Schema), CliError>>,
    nerves: HashMap<String, Result<Arc<Nerve>, CliError>>,
    lines: HashMap<(String, usize, String), Arc<dyn Field>>,
    waveforms: HashMap<(String, u64, u64), Arc<Waveform>>,
    grids: HashMap<(usize, u64, u64), Result<(), String>>,
}

impl<'a> Reader<'a> {
    /// A reader of the rows of `sheet`.
    pub(crate) fn new(
        sheet: &'a Sheet,
        args: &'a ThresholdArgs,
        common: &'a Common,
        injections: Injections,
        messages: Messages,
    ) -> Result<Self, CliError> {
        let field = &args.field;
        let electrodes = match field.point.as_slice() {
            [] => None,
            electrodes => Some(points(electrodes, field)?),
        };
        Ok(Reader {
            sheet,
            args,
            common,
            messages,
            detection: args.detection.detection(),
            injections,
            pulse: args.waveform.given()?.map(Arc::new),
            electrodes,
            extents: HashMap::new(),
            models: HashMap::new(),
            nerves: HashMap::new(),
            lines: HashMap::new(),
            waveforms: HashMap::new(),
            grids: HashMap::new(),
        })
    }

    /// The job of a row; the error says which row and column, what was found and what was expected.
    pub(crate) fn job(&mut self, record: &Record) -> Result<Job, CliError> {
        self.unplaced(record)
            .map_err(|error| error.at(self.sheet.place(record)))
    }

    /// The reference of a row, mA.
    pub(crate) fn reference_ma(&self, record: &Record) -> Result<Option<f64>, CliError> {
        let parsed = self.parse(record, "threshold_mA", positive("mA"));
        parsed.map_err(|error| error.at(self.sheet.place(record)))
    }

    fn unplaced(&mut self, record: &Record) -> Result<Job, CliError> {
        let columns = self.sheet.columns.len();
        if record.found != columns {
            return Err(CliError::request(format!(
                "found {} cells, expected {columns}: one per column",
                record.found
            ))
            .help("quote cells that hold commas"));
        }
        let (model, schema) = self.model(record)?;
        let stands_in = self.stands_in(record, &schema);
        let ignored = stands_in && self.spacing_is_ignored(&schema);
        let diameter_um = self.diameter_um(record, &schema)?;
        let delta_z_um = or(self.args.fibre.delta_z, || {
            self.parse(record, "delta_z_um", positive("um"))
        })?;
        let length_um = self.parse(record, "length_um", positive("um"))?;
        let checked_length_um = length_um.filter(|_| !stands_in);
        let compartment_um = delta_z_um.filter(|_| !ignored);
        let of_row = self
            .parse(record, "n_nodes", nodes)?
            .map(FiberLength::Nodes);
        let length = self
            .args
            .fibre
            .extent()
            .or(of_row)
            .or(length_um.map(FiberLength::Um))
            .unwrap_or(match schema.compartment_um {
                Some(_) => FiberLength::Default,
                None => FiberLength::Nodes(DEFAULT_NODES),
            });
        let field = self.field(record)?;
        let extents = self.extents(model)?;
        let extent = extents
            .resolve(length, diameter_um, compartment_um, Some(&*field))
            .map_err(of_one)?;
        let nodes = extent.nodes;
        let detection = self.detection(record, nodes)?;
        let numerics = &self.args.numerics;
        let dt_ms =
            or(numerics.dt, || self.parse(record, "dt_ms", positive("ms")))?.unwrap_or(DT_MS);
        let tstop_ms = or(numerics.tstop, || {
            self.parse(record, "tstop_ms", positive("ms"))
        })?;
        let waveform = self.waveform(record)?;
        let tstop_ms = match tstop_ms {
            Some(tstop_ms) => tstop_ms,
            None => {
                let sites = detection.nodes(nodes).map_err(CliError::request)?;
                let end_ms = waveform.end_ms();
                self.extents(model)?
                    .tstop_ms(diameter_um, &extent, &sites, end_ms)
            }
        };
        self.check_fits(&waveform, dt_ms, tstop_ms)?;
        Ok(Job {
            model,
            fiber: Fiber {
                diameter_um,
                nodes,
                compartment_um,
            },
            // The stated length was made for the number of nodes in the table.
            length_um: checked_length_um.filter(|_| {
                self.args.fibre.extent().is_none() && self.args.fibre.delta_z.is_none()
            }),
            dt_ms,
            tstop_ms,
            detection,
            source: Some(Source::Field(field, waveform)),
            source_distance_um: self.source_distance_um(record)?,
            injections: self.injections.clone(),
        })
    }

    /// A cell through a parser whose errors say what was expected.
    fn parse<T>(
        &self,
        record: &Record,
        column: &'static str,
        parser: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, CliError> {
        let Some(text) = self.sheet.cell(record, column) else {
            return Ok(None);
        };
        let wrong = |expected: String| {
            CliError::request(format!("column {column}: found `{text}`, {expected}"))
        };
        parser(text).map(Some).map_err(wrong)
    }

    /// What a column that is needed says.
    fn needed<T>(&self, column: &str, flag: &str, value: Option<T>) -> Result<T, CliError> {
        value.ok_or_else(|| {
            CliError::request(format!(
                "found nothing in column {column}, expected a value"
            ))
            .help(format!("fill in the column {column}, or give {flag}"))
        })
    }

    fn model(&mut self, record: &Record) -> Result<(&'static dyn FiberModel, Schema), CliError> {
        let cell = self.sheet.cell(record, "model");
        let name = self.args.model.model.as_deref().or(cell).unwrap_or("mrg");
        let common = self.common;
        let known = self.models.entry(name.to_owned()).or_insert_with(|| {
            let model = axonml_models::model(name).map_err(CliError::from);
            let model = model.map_err(|error| match self.args.model.model {
                Some(_) => error.at("--model"),
                None => error.at("column model"),
            })?;
            common.check(model, DT_MS, TSTOP_MS)?;
            Ok((model, model.schema()))
        });
        known.clone()
    }

    /// Whether `--model` puts another model in the place of the row's: the row's lengths are then not its own.
    fn stands_in(&self, record: &Record, schema: &Schema) -> bool {
        let of_row = self.sheet.cell(record, "model").unwrap_or("mrg");
        let named = self.args.model.model.is_some();
        named && axonml_models::model(of_row).map_or(true, |model| model.schema().id != schema.id)
    }

    /// Whether the column delta_z_um says nothing to a model that stands in for the row's: its own diameter fixes it.
    fn spacing_is_ignored(&self, schema: &Schema) -> bool {
        self.args.fibre.delta_z.is_none() && schema.compartment_um.is_none()
    }

    /// Whether a cell of the row is not used because another model stands in for the row's.
    pub(crate) fn ignores(&mut self, record: &Record, column: &str) -> bool {
        column == "delta_z_um"
            && self.model(record).is_ok_and(|(_, schema)| {
                self.stands_in(record, &schema) && self.spacing_is_ignored(&schema)
            })
    }

    fn diameter_um(&self, record: &Record, schema: &Schema) -> Result<f64, CliError> {
        let given = self
            .args
            .fibre
            .diameter
            .as_ref()
            .map(|diameters| diameters.0[0]);
        let diameter = or(given, || self.parse(record, "diameter_um", positive("um")))?;
        let diameter = self.needed("diameter_um", "--diameter", diameter)?;
        let range = &schema.diameters_um;
        if range.contains(&diameter) {
            return Ok(diameter);
        }
        Err(CliError::request(format!(
            "column diameter_um: found `{diameter}`, expected {} to {} um, the range of model `{}`",
            range.start(),
            range.end(),
            schema.id
        )))
    }

    fn detection(&self, record: &Record, nodes: usize) -> Result<Detection, CliError> {
        let mut detection = self.detection.clone();
        let nodes_given = self.parse(record, "detect_node_index", Nodes::from_str)?;
        let fractions_given = self.parse(record, "detect_at", Fractions::from_str)?;
        if self.args.detection.sites().is_none() {
            let (column, sites) = match (nodes_given, fractions_given) {
                (Some(_), Some(_)) => {
                    return Err(CliError::request(
                        "columns detect_node_index and detect_at: found a value in both, expected one of them",
                    ));
                }
                (Some(nodes), None) => ("detect_node_index", NodeSelection::Nodes(nodes.0)),
                (None, Some(at)) => ("detect_at", NodeSelection::Fractions(at.0)),
                (None, None) => ("", detection.sites),
            };
            detection.sites = sites;
            let of_row = detection.nodes(nodes);
            of_row.map_err(|error| match column {
                "" => CliError::request(error),
                column => CliError::request(format!("column {column}: {error}")),
            })?;
        }
        if self.args.detection.detect_threshold.is_none()
            && let Some(level) = self.parse(record, "detect_threshold_mV", finite("mV"))?
        {
            detection.threshold_mv = level;
        }
        Ok(detection)
    }

    fn waveform(&mut self, record: &Record) -> Result<Arc<Waveform>, CliError> {
        Ok(match &self.pulse {
            Some(pulse) => pulse.clone(),
            None => {
                let shape = self.sheet.cell(record, "shape").unwrap_or("mono");
                let pw_ms = self.parse(record, "pw_ms", positive("ms"))?.unwrap_or(0.1);
                let delay_ms = self
                    .parse(record, "delay_ms", not_negative("ms"))?
                    .unwrap_or(0.1);
                let key = (shape.to_owned(), pw_ms.to_bits(), delay_ms.to_bits());
                match self.waveforms.get(&key) {
                    Some(waveform) => waveform.clone(),
                    None => {
                        let made = Waveform::from_shape(shape, pw_ms, delay_ms)
                            .map_err(|error| CliError::request(format!("column shape: {error}")))?;
                        let made = Arc::new(self.args.waveform.polarise(made));
                        self.waveforms.insert(key, made.clone());
                        made
                    }
                }
            }
        })
    }

    /// Refuses a pulse that does not fit the run.
    fn check_fits(
        &mut self,
        waveform: &Arc<Waveform>,
        dt_ms: f64,
        tstop_ms: f64,
    ) -> Result<(), CliError> {
        // Whether the pulse fits the run is asked once for each pair of them.
        let key = (
            Arc::as_ptr(waveform) as usize,
            dt_ms.to_bits(),
            tstop_ms.to_bits(),
        );
        let common = self.common;
        let fits = self.grids.entry(key).or_insert_with(|| {
            let grid = axonml_core::TimeGrid::new(dt_ms, tstop_ms);
            if let Ok(grid) = &grid {
                common.check_steps(grid).map_err(|error| error.message())?;
            }
            let sampled = grid.and_then(|grid| waveform.sample(&grid));
            sampled.map(|_| ()).map_err(|error| error.to_string())
        });
        fits.clone().map_err(CliError::request)
    }

    /// The extents of fibers of a model.
    fn extents(&mut self, model: &'static dyn FiberModel) -> Result<&mut Extents, CliError> {
        match self.extents.entry(model.schema().id) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(self.common.extents(model)?)),
        }
    }

    fn field(&mut self, record: &Record) -> Result<Arc<dyn Field>, CliError> {
        if let Some(electrodes) = &self.electrodes {
            return Ok(electrodes.clone());
        }
        if let Some(nerve) = self.sheet.cell(record, "nerve") {
            return self.nerve_line(record, nerve);
        }
        let distance_um = self.parse(record, "distance_um", positive("um"))?;
        let distance_um = self.needed(
            "distance_um",
            "--point X,Y,Z (or name a nerve)",
            distance_um,
        )?;
        let z_um = self
            .parse(record, "z_offset_um", finite("um"))?
            .unwrap_or(0.0);
        let medium = match self.args.field.resistivity {
            Some(_) => self.args.field.medium(),
            None => {
                let rho = self.parse(record, "resistivity_ohm_cm", positive("ohm-cm"))?;
                Medium::isotropic(rho.unwrap_or(RESISTIVITY_OHM_CM))
            }
        };
        Ok(Arc::new(PointSource {
            x_um: distance_um,
            y_um: 0.0,
            z_um,
            medium,
        }))
    }

    /// Distance of the nearest point electrode from the axis, um.
    fn source_distance_um(&self, record: &Record) -> Result<Option<f64>, CliError> {
        match (&self.electrodes, self.sheet.cell(record, "nerve")) {
            (Some(_), _) => Ok(nearest_um(&self.args.field.point)),
            (None, Some(_)) => Ok(None),
            (None, None) => self.parse(record, "distance_um", positive("um")),
        }
    }

    fn nerve_line(&mut self, record: &Record, name: &str) -> Result<Arc<dyn Field>, CliError> {
        let fibre = self.parse(record, "fibre", count(0))?;
        let fibre = self.needed("fibre", "a table with that column", fibre)?;
        let given = match &self.args.field.contacts {
            Some(factors) => Some(factors.clone()),
            None => self.parse(record, "contacts", Numbers::from_str)?,
        };
        let key = (name.to_owned(), fibre, format!("{given:?}"));
        if let Some(line) = self.lines.get(&key) {
            return Ok(line.clone());
        }
        let Some(root) = &self.args.conditions.nerves else {
            return Err(CliError::request(format!(
                "column nerve: found `{name}`, but no --nerves was given"
            ))
            .help("give --nerves ROOT, the folder that holds the nerve folders"));
        };
        let (field, messages) = (&self.args.field, self.messages);
        let nerve = self
            .nerves
            .entry(name.to_owned())
            .or_insert_with(|| nerve_of(root, name, field, messages));
        let nerve = nerve.clone().map_err(|error| error.at("column nerve"))?;
        if fibre >= nerve.fibers() {
            return Err(CliError::request(format!(
                "column fibre: found `{fibre}`, expected 0 to {}, as nerve {name} has {} fibres",
                nerve.fibers() - 1,
                nerve.fibers()
            )));
        }
        let factors = contacts(&nerve, given.as_ref().map(|numbers| numbers.0.as_slice()))
            .map_err(|error| error.at("column contacts"))?;
        let line = nerve_field(&nerve, fibre, &factors, &self.args.field)?;
        self.lines.insert(key, line.clone());
        Ok(line)
    }
}

/// The nerve called `name`: a folder below `root`, not anywhere else.
fn nerve_of(
    root: &Path,
    name: &str,
    field: &FieldArgs,
    messages: Messages,
) -> Result<Arc<Nerve>, CliError> {
    let plain = Path::new(name)
        .components()
        .all(|part| matches!(part, std::path::Component::Normal(_)));
    if !plain {
        return Err(CliError::request(format!(
            "found `{name}`, expected the name of a folder below --nerves"
        )));
    }
    open_nerve(&root.join(name), field, messages)
}

/// A flag that was given, else what the row says.
fn or<T>(
    flag: Option<T>,
    column: impl FnOnce() -> Result<Option<T>, CliError>,
) -> Result<Option<T>, CliError> {
    match flag {
        Some(value) => Ok(Some(value)),
        None => column(),
    }
}
