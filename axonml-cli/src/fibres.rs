//! The fibres that flags ask for: every fibre of a nerve at every diameter, or fibres near point electrodes, or the rows
//! of a basis.

use std::path::Path;
use std::sync::Arc;

use axonml_core::{Field, Nerve, PointSource, Superposition, Waveform};
use axonml_models::{Fiber, FiberModel, read_array, read_nerve};
use ndarray::{ArrayD, Axis};
use serde_json::{Value, json};

use crate::args::{FibreArgs, FieldArgs, InjectionArgs, NODES, NumericsArgs, Point};
use crate::demo;
use crate::error::CliError;
use crate::job::{Detection, Injections, Job, Source};
use crate::messages::Messages;

/// Where the current flows.
pub(crate) enum Place {
    /// Nowhere outside the fibre.
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

/// A fibre that was asked for.
pub(crate) struct Asked {
    /// Its number: the fibre of the nerve, the row of the basis, or its place in the list.
    pub(crate) fibre: usize,
    /// Its diameter, um.
    pub(crate) diameter_um: f64,
    /// What to simulate, or why that cannot be.
    pub(crate) job: Result<Job, CliError>,
}

/// All fibres that were asked for.
pub(crate) struct Fibres {
    /// Where the current flows.
    pub(crate) place: Place,
    /// The fibres, by fibre, then by diameter.
    pub(crate) asked: Vec<Asked>,
    /// The field, for the request that results carry.
    pub(crate) description: Value,
}

impl Fibres {
    /// The nerve, if there is one.
    pub(crate) fn nerve(&self) -> Option<&Arc<Nerve>> {
        match &self.place {
            Place::Nerve { nerve, .. } => Some(nerve),
            _ => None,
        }
    }

    /// What results and messages call a fibre.
    pub(crate) fn name(&self, asked: &Asked) -> String {
        match self.nerve() {
            Some(nerve) => format!(
                "nerve {}, fibre {}, {} um",
                nerve.name(),
                asked.fibre,
                asked.diameter_um
            ),
            None => format!("fibre {}, {} um", asked.fibre, asked.diameter_um),
        }
    }
}

/// The flags that say which fibres.
pub(crate) struct Flags<'a> {
    /// Fibres.
    pub(crate) fibre: &'a FibreArgs,
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
    /// What counts.
    pub(crate) detection: Detection,
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

/// Distance of the nearest electrode from the axis of the fibre, um.
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

/// Reads a nerve and tells of the gaps that were filled.
pub(crate) fn open_nerve(dir: &Path, messages: Messages) -> Result<Arc<Nerve>, CliError> {
    let nerve = read_nerve(dir)?;
    if let [first, rest @ ..] = nerve.repairs() {
        let others = match rest.len() {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        messages.note(format_args!(
            "nerve {}: NaN gaps were interpolated: contact {}, fibre {}, samples {} to {}{others}",
            nerve.name(),
            first.contact,
            first.fibre,
            first.samples.start,
            first.samples.end - 1
        ));
    }
    Ok(Arc::new(nerve))
}

/// The field along one fibre of a nerve.
pub(crate) fn nerve_field(
    nerve: &Nerve,
    fibre: usize,
    contacts: &[f64],
    field: &FieldArgs,
) -> Result<Arc<dyn Field>, CliError> {
    let line = nerve.field(
        fibre,
        contacts,
        field.interpolation.unwrap_or_default(),
        field.offset.unwrap_or(0.0),
        field.extend.unwrap_or_default(),
    )?;
    Ok(Arc::new(line))
}

/// The fibres that the flags ask for. Without any field, the demonstration nerve if `demonstration`, else no field.
pub(crate) fn asked(
    model: &'static dyn FiberModel,
    flags: &Flags<'_>,
    demonstration: bool,
    messages: Messages,
) -> Result<Fibres, CliError> {
    let field = flags.field;
    let schema = model.schema();
    let mut diameters = flags.fibre.diameters_um(&schema);
    let (place, description) = if !field.point.is_empty() {
        let place = Place::Points(points(&field.point, field)?);
        (place, describe_points(field))
    } else if let Some(dir) = &field.nerve {
        let nerve = open_nerve(dir, messages)?;
        nerve_place(nerve, field)?
    } else if let Some(path) = &field.basis {
        let array = read_array(path)?;
        if array.ndim() == 3 && flags.waveform_given {
            return Err(CliError::request(
                "--pulse and --polarity have no effect: the basis is a field in space and time",
            )
            .help("leave them out, or give a basis of shape (fibres, samples)"));
        }
        let description = json!({"basis": path.display().to_string(), "shape": array.shape()});
        (Place::Basis(array), description)
    } else if demonstration {
        messages.note("no field given: running the bundled demonstration nerve N1");
        if flags.fibre.diameter.is_none() && schema.compartment_um.is_none() {
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

    let job = |diameter_um: f64, source: Result<Option<Source>, CliError>| {
        source.map(|source| Job {
            model,
            fiber: Fiber {
                diameter_um,
                nodes: flags.fibre.nodes.unwrap_or(NODES),
                compartment_um: flags.fibre.delta_z,
            },
            length_um: None,
            dt_ms: flags.numerics.dt_ms(),
            tstop_ms: flags.numerics.tstop_ms(),
            detection: flags.detection.clone(),
            source,
            source_distance_um: nearest_um(&field.point),
            injections: flags.injections.clone(),
        })
    };
    let with_waveform = |field: Arc<dyn Field>| Source::Field(field, flags.waveform.clone());
    let numbered = |source: Option<Source>| -> Vec<Asked> {
        let numbered = diameters.iter().enumerate();
        numbered
            .map(|(fibre, &diameter_um)| Asked {
                fibre,
                diameter_um,
                job: job(diameter_um, Ok(source.clone())),
            })
            .collect()
    };
    let asked = match &place {
        Place::Inside => numbered(None),
        Place::Points(field) => numbered(Some(with_waveform(field.clone()))),
        Place::Nerve { nerve, contacts } => {
            let of_fibre = |fibre: usize| {
                let source = nerve_field(nerve, fibre, contacts, field).map(with_waveform);
                diameters
                    .iter()
                    .map(|&diameter_um| Asked {
                        fibre,
                        diameter_um,
                        job: job(diameter_um, source.clone().map(Some)),
                    })
                    .collect::<Vec<_>>()
            };
            (0..nerve.fibers()).flat_map(of_fibre).collect()
        }
        Place::Basis(array) => {
            let pairs = pair(array.shape()[0], &diameters)?;
            pairs
                .into_iter()
                .enumerate()
                .map(|(fibre, (row, diameter_um))| Asked {
                    fibre,
                    diameter_um,
                    job: job(diameter_um, basis_row(array, row, flags).map(Some)),
                })
                .collect()
        }
    };
    Ok(Fibres {
        place,
        asked,
        description,
    })
}

fn nerve_place(nerve: Arc<Nerve>, field: &FieldArgs) -> Result<(Place, Value), CliError> {
    let given = field.contacts.as_ref().map(|numbers| numbers.0.as_slice());
    let contacts = contacts(&nerve, given).map_err(|error| error.at("--contacts"))?;
    let description = json!({
        "nerve": nerve.name(),
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
        axonml_core::Medium::Isotropic { resistivity_ohm_cm } => json!(resistivity_ohm_cm),
        axonml_core::Medium::Anisotropic {
            transverse_ohm_cm,
            longitudinal_ohm_cm,
        } => json!([transverse_ohm_cm, longitudinal_ohm_cm]),
    };
    json!({"points": points.collect::<Vec<_>>(), "resistivity_ohm_cm": medium})
}

/// Rows of a basis with the diameters of their fibres: one diameter for all rows, one each, or one row for all.
fn pair(rows: usize, diameters: &[f64]) -> Result<Vec<(usize, f64)>, CliError> {
    match (rows, diameters.len()) {
        (0, _) => Err(CliError::request(
            "--basis: found no fibres, expected one or more rows",
        )),
        (_, 1) => Ok((0..rows).map(|row| (row, diameters[0])).collect()),
        (1, _) => Ok(diameters.iter().map(|&diameter| (0, diameter)).collect()),
        (_, count) if count == rows => Ok(diameters.iter().copied().enumerate().collect()),
        (_, count) => Err(CliError::request(format!(
            "--basis: found {rows} fibres and {count} diameters, expected one diameter for all fibres or one for each"
        ))),
    }
}

/// The field that a row of a basis is.
fn basis_row(array: &ArrayD<f64>, row: usize, flags: &Flags<'_>) -> Result<Source, CliError> {
    let values = array.index_axis(Axis(0), row);
    match *values.shape() {
        [_] => {
            let potentials = axonml_core::SampledPotentials::new(values.iter().copied().collect())?;
            Ok(Source::Field(Arc::new(potentials), flags.waveform.clone()))
        }
        [steps, samples] => Ok(Source::SpaceTime {
            ve_mv: Arc::new(values.iter().copied().collect()),
            shape: (steps, samples),
        }),
        _ => Err(CliError::request(format!(
            "--basis: found an array of shape {:?}, expected (fibres, samples) or (fibres, timesteps, samples)",
            array.shape()
        ))),
    }
}
