//! The fibers that flags ask for: every fiber of a nerve at every diameter, or fibers near point electrodes, or the rows
//! of a basis.

use std::path::Path;
use std::sync::Arc;

use axonml::field::Superposition;
use axonml::nerve::{NerveNote, NerveReading, read_nerve_with};
use axonml::simulation::provenance::{array_sha256, nerve_sha256};
use axonml::simulation::{Detection, Extents, FiberLength};
use axonml::table::read_array;
use axonml::{Fiber, FiberModel};
use axonml::{Field, Nerve, PointSource, TimeGrid, Waveform};
use ndarray::{ArrayD, Axis};
use serde_json::{Value, json};

use crate::args::{FiberArgs, FieldArgs, InjectionArgs, NumericsArgs, Point};
use crate::batch::of_one;
use crate::commands::models::samples_um;
use crate::common::Common;
use crate::demo;
use crate::error::CliError;
use crate::job::{Injections, Job, Source};
use crate::messages::Messages;
use crate::report::counted;

/// Where the current flows.
pub(crate) enum Place {
    /// Nowhere outside the fiber.
    Inside,
    /// At points.
    Points(Arc<dyn Field>),
    /// At the contacts of a nerve.
    Nerve {
        /// The nerve.
        nerve: Arc<Nerve>,
        /// The multiple of the waveform at each contact.
        contacts: Vec<f64>,
    },
    /// As potentials at the sample points say.
    Basis(ArrayD<f64>),
}

/// A fiber that was asked for.
pub(crate) struct Asked {
    /// Its number: the fiber of the nerve, the row of the basis, or its place in the list.
    pub(crate) fiber: usize,
    /// Its diameter, um.
    pub(crate) diameter_um: f64,
    /// The simulation, or why it is impossible.
    pub(crate) job: Result<Job, CliError>,
}

/// All fibers that were asked for.
pub(crate) struct Fibers {
    /// Where the current flows.
    pub(crate) place: Place,
    /// The fibers, by fiber, then by diameter.
    pub(crate) asked: Vec<Asked>,
    /// The field, for the request that results carry.
    pub(crate) description: Value,
}

impl Fibers {
    /// The nerve, if there is one.
    pub(crate) fn nerve(&self) -> Option<&Arc<Nerve>> {
        match &self.place {
            Place::Nerve { nerve, .. } => Some(nerve),
            _ => None,
        }
    }

    /// Whether a waveform acts: it does not where there is no field, nor where the field is one in space and time.
    pub(crate) fn has_waveform(&self) -> bool {
        match &self.place {
            Place::Inside => false,
            Place::Basis(array) => array.ndim() != 3,
            Place::Points(_) | Place::Nerve { .. } => true,
        }
    }

    /// Name of a fiber in results and messages.
    pub(crate) fn name(&self, asked: &Asked) -> String {
        match self.nerve() {
            Some(nerve) => format!(
                "nerve {}, fiber {}, {} um",
                nerve.name(),
                asked.fiber,
                asked.diameter_um
            ),
            None => format!("fiber {}, {} um", asked.fiber, asked.diameter_um),
        }
    }
}

/// The flags that say which fibers.
pub(crate) struct Flags<'a> {
    /// Fibers.
    pub(crate) fiber: &'a FiberArgs,
    /// Field.
    pub(crate) field: &'a FieldArgs,
    /// Steps.
    pub(crate) numerics: &'a NumericsArgs,
    /// The waveform.
    pub(crate) waveform: Arc<Waveform>,
    /// Whether it was asked for.
    pub(crate) waveform_given: bool,
    /// Injected currents.
    pub(crate) injections: Injections,
    /// Detection of action potentials.
    pub(crate) detection: Detection,
    /// Whether all fibers have one time grid, as recordings need it.
    pub(crate) one_grid: bool,
}

/// Turns fibers that flags ask for into jobs.
struct Maker<'a> {
    model: &'static dyn FiberModel,
    flags: &'a Flags<'a>,
    extents: Extents,
    celsius: Option<f64>,
    /// End of the stimulus, ms, if it ends.
    stimulus_end_ms: Option<f64>,
    /// Fibers whose ends are driven although they are as long as their line.
    driven: usize,
}

impl<'a> Maker<'a> {
    fn new(
        model: &'static dyn FiberModel,
        flags: &'a Flags<'a>,
        common: &Common,
    ) -> Result<Self, CliError> {
        let injected = flags.injections.iter();
        let mut ends = std::iter::once(flags.waveform.end_ms())
            .chain(injected.map(|(_, waveform)| waveform.end_ms()));
        Ok(Maker {
            model,
            flags,
            extents: common.extents(model)?,
            celsius: common.celsius,
            stimulus_end_ms: ends.try_fold(0.0, |last: f64, end| Some(last.max(end?))),
            driven: 0,
        })
    }

    fn job(
        &mut self,
        diameter_um: f64,
        source: Result<Option<Source>, CliError>,
    ) -> Result<Job, CliError> {
        let source = source?;
        let flags = self.flags;
        let field = match &source {
            Some(Source::Field(field, _)) => Some(&**field),
            _ => None,
        };
        let length = flags.fiber.extent().unwrap_or(FiberLength::Default);
        let compartment_um = flags.fiber.delta_z;
        let extent = self
            .extents
            .resolve(length, diameter_um, compartment_um, field);
        let extent = extent.map_err(of_one)?;
        let sites = flags
            .detection
            .nodes(extent.nodes)
            .map_err(CliError::request)?;
        let tstop_ms = match (flags.numerics.tstop, &source) {
            (Some(tstop_ms), _) => tstop_ms,
            // As long as the potentials are given for.
            (None, Some(Source::SpaceTime { .. })) => flags.numerics.tstop_ms(),
            (None, _) => {
                let end_ms = self.stimulus_end_ms;
                self.extents.tstop_ms(diameter_um, &extent, &sites, end_ms)
            }
        };
        if let Some(Source::Field(_, waveform)) = &source {
            let grid = TimeGrid::new(flags.numerics.dt_ms(), tstop_ms)?;
            let sampled = waveform.sample(&grid);
            let sampled = sampled.map_err(|error| CliError::from(error).at("--pulse"))?;
            // Nothing drives them where nothing flows.
            let flows = sampled.iter().any(|x| *x != 0.0);
            self.driven += usize::from(extent.ends_driven && flows);
        }
        Ok(Job {
            model: self.model,
            fiber: Fiber {
                diameter_um,
                nodes: extent.nodes,
                compartment_um,
            },
            length_um: None,
            celsius: self.celsius,
            dt_ms: flags.numerics.dt_ms(),
            tstop_ms,
            detection: flags.detection.clone(),
            source,
            source_distance_um: nearest_um(&flags.field.point),
            injections: flags.injections.clone(),
        })
    }

    /// Notes on the extents.
    fn tell(&self, messages: Messages) {
        if self.driven > 0 {
            messages.note(format_args!(
                "the field drives the ends of {} although they are as long as the nerve's lines allow: their thresholds \
                 may be those of the ends",
                counted(self.driven, "fiber")
            ));
        }
    }
}

/// The currents that the flags inject.
pub(crate) fn injections(args: &InjectionArgs) -> Result<Injections, CliError> {
    let with_waveform = |injection: &crate::args::Injection| -> Result<_, CliError> {
        Ok((*injection, Arc::new(injection.waveform()?)))
    };
    let injections = args.inject.iter().map(with_waveform);
    Ok(Arc::new(injections.collect::<Result<_, _>>()?))
}

/// Refuses flags of one kind of field with another.
pub(crate) fn check_applicable(
    field: &FieldArgs,
    points: bool,
    nerve: bool,
) -> Result<(), CliError> {
    let nerve_flags = [
        ("--contacts", field.contacts.is_some()),
        ("--interpolation", field.interpolation.is_some()),
        ("--offset", field.offset.is_some()),
        ("--extend", field.extend.is_some()),
        ("--accept-coarse", field.accept_coarse),
    ];
    if let Some((flag, _)) = nerve_flags.iter().find(|(_, given)| *given && !nerve) {
        return Err(CliError::request(format!(
            "{flag} has no effect: the field is not that of a nerve"
        ))
        .help("give --nerve DIR, or leave it out"));
    }
    if field.resistivity.is_some() && !points {
        return Err(CliError::request(
            "--resistivity has no effect: the field is not that of point electrodes",
        )
        .help("give --point X,Y,Z, or leave it out"));
    }
    Ok(())
}

/// The field of point electrodes.
pub(crate) fn points(points: &[Point], field: &FieldArgs) -> Result<Arc<dyn Field>, CliError> {
    let parts = points.iter().map(|point| {
        let [x_um, y_um, z_um] = point.at_um;
        let medium = field.medium();
        let source = PointSource {
            x_um,
            y_um,
            z_um,
            medium,
        };
        (point.factor, Arc::new(source) as Arc<dyn Field>)
    });
    Ok(Arc::new(Superposition::new(parts)?))
}

/// Distance of the nearest electrode from the axis of the fiber, um.
pub(crate) fn nearest_um(points: &[Point]) -> Option<f64> {
    let distances = points
        .iter()
        .map(|point| point.at_um[0].hypot(point.at_um[1]));
    distances.min_by(f64::total_cmp)
}

/// The multiple of the waveform at each contact of a nerve.
pub(crate) fn contacts(nerve: &Nerve, given: Option<&[f64]>) -> Result<Vec<f64>, CliError> {
    let count = nerve.contacts();
    match given {
        None => Ok((0..count).map(|k| f64::from(u8::from(k == 0))).collect()),
        Some(factors) if factors.len() == count => Ok(factors.to_vec()),
        Some(factors) => Err(CliError::request(format!(
            "found {} contact factors, expected {count}: one per contact of nerve {}",
            factors.len(),
            nerve.name()
        ))),
    }
}

/// Reads a nerve and tells of the gaps that were filled and of what is unusual.
pub(crate) fn open_nerve(
    dir: &Path,
    field: &FieldArgs,
    messages: Messages,
) -> Result<Arc<Nerve>, CliError> {
    let NerveReading { nerve, notes } = read_nerve_with(dir, field.nerve_options())?;
    tell_nerve(&nerve, &notes, messages);
    Ok(Arc::new(nerve))
}

/// Tells of the gaps that were filled in a nerve and of what is unusual about it.
pub(crate) fn tell_nerve(nerve: &Nerve, notes: &[NerveNote], messages: Messages) {
    for note in notes {
        messages.warn(format_args!("nerve {}: {note}", nerve.name()));
    }
    if let [first, rest @ ..] = nerve.repairs() {
        let others = match rest.len() {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        messages.note(format_args!(
            "nerve {}: NaN gaps were interpolated: contact {}, fiber {}, samples {} to {}{others}",
            nerve.name(),
            first.contact,
            first.fiber,
            first.samples.start,
            first.samples.end - 1
        ));
    }
}

/// The field along one fiber of a nerve.
pub(crate) fn nerve_field(
    nerve: &Nerve,
    fiber: usize,
    contacts: &[f64],
    field: &FieldArgs,
) -> Result<Arc<dyn Field>, CliError> {
    let line = nerve.field(
        fiber,
        contacts,
        field.interpolation.unwrap_or_default(),
        field.offset.unwrap_or(0.0),
        field.extend.unwrap_or_default(),
    )?;
    Ok(Arc::new(line))
}

/// The fibers that the flags ask for. Without any field, the demonstration nerve if `demonstration`, else no field.
pub(crate) fn asked(
    model: &'static dyn FiberModel,
    flags: &Flags<'_>,
    common: &Common,
    demonstration: bool,
    messages: Messages,
) -> Result<Fibers, CliError> {
    let field = flags.field;
    let schema = model.schema();
    let mut diameters = flags.fiber.diameters_um(&schema);
    let (place, description) = if !field.point.is_empty() {
        let place = Place::Points(points(&field.point, field)?);
        (place, describe_points(field))
    } else if let Some(dir) = &field.nerve {
        let nerve = open_nerve(dir, field, messages)?;
        nerve_place(nerve, field)?
    } else if let Some(path) = &field.basis {
        let array = read_array(path)?;
        if !(2..=3).contains(&array.ndim()) {
            return Err(CliError::request(format!(
                "found an array of shape {:?}, expected (fibers, samples) or (fibers, timesteps, samples)",
                array.shape()
            ))
            .help("give one row per fiber; in NumPy, a[None, :] is one row")
            .at(format!("--basis {}", path.display())));
        }
        if array.ndim() == 3 && flags.waveform_given {
            return Err(CliError::request(
                "--pulse and --polarity have no effect: the basis is a field in space and time",
            )
            .help("leave them out, or give a basis of shape (fibers, samples)"));
        }
        let description = json!({
            "basis": path.display().to_string(),
            "shape": array.shape(),
            "sha256": array_sha256(array.shape(), array.iter().copied()),
        });
        (Place::Basis(array), description)
    } else if demonstration {
        messages.note("no field given: running the bundled demonstration nerve N1");
        if flags.fiber.diameter.is_none() && schema.compartment_um.is_none() {
            diameters = demo::DIAMETERS_UM.to_vec();
        }
        nerve_place(Arc::new(demo::nerve()?), field)?
    } else {
        (Place::Inside, Value::Null)
    };
    check_applicable(
        field,
        matches!(place, Place::Points(_)),
        matches!(place, Place::Nerve { .. }),
    )?;

    let mut maker = Maker::new(model, flags, common)?;
    let with_waveform = |field: Arc<dyn Field>| Source::Field(field, flags.waveform.clone());
    // (number, diameter, source) of every fiber.
    let mut wanted: Vec<(usize, f64, Result<Option<Source>, CliError>)> = Vec::new();
    let mut numbered = |source: Option<Source>| {
        let numbered = diameters.iter().enumerate();
        wanted.extend(numbered.map(|(fiber, &diameter)| (fiber, diameter, Ok(source.clone()))));
    };
    match &place {
        Place::Inside => numbered(None),
        Place::Points(field) => numbered(Some(with_waveform(field.clone()))),
        Place::Nerve { nerve, contacts } => {
            for fiber in 0..nerve.fibers() {
                let source = nerve_field(nerve, fiber, contacts, field).map(with_waveform);
                let source = source.map(Some);
                wanted.extend(diameters.iter().map(|&d| (fiber, d, source.clone())));
            }
        }
        Place::Basis(array) => {
            let pairs = pair(array.shape()[0], &diameters)?.into_iter().enumerate();
            wanted.extend(pairs.map(|(fiber, (row, diameter))| {
                (fiber, diameter, basis_row(array, row, flags).map(Some))
            }));
        }
    }
    let made = wanted
        .into_iter()
        .map(|(fiber, diameter_um, source)| Asked {
            fiber,
            diameter_um,
            job: maker.job(diameter_um, source),
        });
    let mut asked: Vec<Asked> = made.collect();
    maker.tell(messages);
    if let (Place::Basis(array), Some(path)) = (&place, &field.basis)
        && let Some(job) = asked.iter().find_map(|asked| asked.job.as_ref().ok())
        // A fiber that the model does not have is refused by name later.
        && let Ok(samples) = samples_um(model, job.fiber)
    {
        check_samples(array.shape(), samples.len())
            .map_err(|error| error.at(format!("--basis {}", path.display())))?;
    }
    if flags.one_grid {
        let jobs = || asked.iter().filter_map(|asked| asked.job.as_ref().ok());
        let longest_ms = jobs().map(|job| job.tstop_ms).fold(0.0, f64::max);
        for job in asked.iter_mut().filter_map(|asked| asked.job.as_mut().ok()) {
            job.tstop_ms = longest_ms;
        }
    }
    Ok(Fibers {
        place,
        asked,
        description,
    })
}

/// Refuses a basis that has another number of samples than the model needs.
fn check_samples(shape: &[usize], needed: usize) -> Result<(), CliError> {
    if shape.last() == Some(&needed) {
        return Ok(());
    }
    let error = CliError::request(format!(
        "found an array of shape {shape:?}, expected {needed} samples along its last axis: one per sample point of the \
         model with this number of nodes"
    ));
    Err(error.help(match shape.contains(&needed) {
        true => "its axes are swapped: save its transpose (NumPy: a.T)",
        false => "`axonml models NAME --diameter UM` lists the sample points",
    }))
}

fn nerve_place(nerve: Arc<Nerve>, field: &FieldArgs) -> Result<(Place, Value), CliError> {
    let given = field.contacts.as_ref().map(|numbers| numbers.0.as_slice());
    let contacts = contacts(&nerve, given).map_err(|error| error.at("--contacts"))?;
    let description = json!({
        "nerve": nerve.name(),
        "sha256": nerve_sha256(&nerve),
        "contacts": contacts,
        "interpolation": field.interpolation.unwrap_or_default().to_string(),
        "offset_um": field.offset.unwrap_or(0.0),
        "extend": field.extend.unwrap_or_default().to_string(),
    });
    Ok((Place::Nerve { nerve, contacts }, description))
}

/// Point electrodes, for the request that results carry.
pub(crate) fn describe_points(field: &FieldArgs) -> Value {
    let points = field.point.iter().map(|point| {
        let [x, y, z] = point.at_um;
        json!({"x_um": x, "y_um": y, "z_um": z, "factor": point.factor})
    });
    let medium = match field.medium() {
        axonml::Medium::Isotropic { resistivity_ohm_cm } => json!(resistivity_ohm_cm),
        axonml::Medium::Anisotropic {
            transverse_ohm_cm,
            longitudinal_ohm_cm,
        } => json!([transverse_ohm_cm, longitudinal_ohm_cm]),
    };
    json!({"points": points.collect::<Vec<_>>(), "resistivity_ohm_cm": medium})
}

/// Rows of a basis with the diameters of their fibers: one diameter for all rows, one each, or one row for all.
fn pair(rows: usize, diameters: &[f64]) -> Result<Vec<(usize, f64)>, CliError> {
    match (rows, diameters.len()) {
        (0, _) => Err(CliError::request(
            "--basis: found no fibers, expected one or more rows",
        )),
        (_, 1) => Ok((0..rows).map(|row| (row, diameters[0])).collect()),
        (1, _) => Ok(diameters.iter().map(|&diameter| (0, diameter)).collect()),
        (_, count) if count == rows => Ok(diameters.iter().copied().enumerate().collect()),
        (_, count) => Err(CliError::request(format!(
            "--basis: found {rows} fibers and {count} diameters, expected one diameter for all fibers or one for each"
        ))),
    }
}

/// The field that a row of a basis is.
fn basis_row(array: &ArrayD<f64>, row: usize, flags: &Flags<'_>) -> Result<Source, CliError> {
    let values = array.index_axis(Axis(0), row);
    match *values.shape() {
        [_] => {
            let potentials =
                axonml::field::SampledPotentials::new(values.iter().copied().collect())?;
            Ok(Source::Field(Arc::new(potentials), flags.waveform.clone()))
        }
        [steps, samples] => Ok(Source::SpaceTime {
            ve_mv: Arc::new(values.iter().copied().collect()),
            shape: (steps, samples),
        }),
        _ => Err(CliError::request(format!(
            "--basis: found an array of shape {:?}, expected (fibers, samples) or (fibers, timesteps, samples)",
            array.shape()
        ))),
    }
}
