//! Where currents flow: point electrodes, the contacts of a nerve, potentials at the sample points.

use std::path::Path;
use std::sync::Arc;

use axonml_core::{Extension, Field, Nerve, PointSource, Superposition};
use axonml_models::provenance::{array_sha256, nerve_sha256};
use axonml_models::{NerveNote, NerveOptions, NerveReading, read_array, read_nerve_with};
use ndarray::{ArrayD, Axis};
use serde_json::{Value, json};

use super::stimulus::Reach;
use crate::study::StudyError;
use crate::study::listener::Listener;
use crate::study::spec::{FieldSpec, PointSpec, SourceSpec};

/// Where currents flow.
#[derive(Clone, Debug)]
pub enum Place {
    /// Nowhere outside the fibers.
    Inside,
    /// At point electrodes.
    Points(Vec<PointSpec>),
    /// At a point electrode at each of these distances, um.
    Distances(Vec<f64>),
    /// At the contacts of a nerve.
    Nerve {
        /// The nerve.
        nerve: Arc<Nerve>,
        /// Multiple of the waveform at each contact.
        contacts: Vec<f64>,
    },
    /// As potentials at the sample points have it.
    Basis(ArrayD<f64>),
}

impl Place {
    /// Opens the field of a study.
    pub(super) fn open(field: &FieldSpec, listener: &mut dyn Listener) -> Result<Self, StudyError> {
        let given = [
            ("point", !field.points.is_empty()),
            ("distance_um", field.distance_um.is_some()),
            ("nerve", field.nerve.is_some()),
            ("demonstration", field.demonstration),
            ("basis", field.basis.is_some()),
        ];
        let mut given = given
            .iter()
            .filter(|(_, given)| *given)
            .map(|(key, _)| *key);
        if let (Some(first), Some(second)) = (given.next(), given.next()) {
            return Err(StudyError::request(format!(
                "field: found {first} and {second}, expected one of them"
            )));
        }
        let place = Place::read(field, listener)?;
        place.check_applicable(field)?;
        Ok(place)
    }

    fn read(field: &FieldSpec, listener: &mut dyn Listener) -> Result<Self, StudyError> {
        let options = NerveOptions {
            accept_coarse: field.accept_coarse,
        };
        if let Some(dir) = &field.nerve {
            let nerve = open_nerve(dir, options, listener)?;
            return Place::of_nerve(nerve, field);
        }
        if field.demonstration {
            return Place::of_nerve(Arc::new(crate::demonstration::nerve()?), field);
        }
        if let Some(path) = &field.basis {
            let array = read_array(path)?;
            if !(2..=3).contains(&array.ndim()) {
                return Err(StudyError::request(format!(
                    "found an array of shape {:?}, expected (fibers, samples) or (fibers, timesteps, samples)",
                    array.shape()
                ))
                .help("give one row per fiber; in NumPy, a[None, :] is one row")
                .at(format!("basis {}", path.display())));
            }
            return Ok(Place::Basis(array));
        }
        if let Some(distances) = &field.distance_um {
            let bad = |um: &&f64| !(um.is_finite() && **um > 0.0);
            if distances.0.is_empty() || distances.0.iter().any(|um| bad(&um)) {
                return Err(StudyError::request(format!(
                    "distance_um: found {:?}, expected finite numbers above 0",
                    distances.0
                )));
            }
            return Ok(Place::Distances(distances.0.clone()));
        }
        Ok(match field.points.is_empty() {
            true => Place::Inside,
            false => Place::Points(field.points.clone()),
        })
    }

    fn of_nerve(nerve: Arc<Nerve>, field: &FieldSpec) -> Result<Self, StudyError> {
        let count = nerve.contacts();
        let contacts = match &field.contacts {
            None => (0..count).map(|k| f64::from(u8::from(k == 0))).collect(),
            Some(factors) if factors.len() == count => factors.clone(),
            Some(factors) => {
                return Err(StudyError::request(format!(
                    "found {} contact factors, expected {count}: one per contact of nerve {}",
                    factors.len(),
                    nerve.name()
                ))
                .at("contacts"));
            }
        };
        Ok(Place::Nerve { nerve, contacts })
    }

    /// Refuses keys of one kind of field with another.
    fn check_applicable(&self, field: &FieldSpec) -> Result<(), StudyError> {
        let nerve_keys = [
            ("contacts", field.contacts.is_some()),
            ("interpolation", field.interpolation.is_some()),
            ("extend", field.extend.is_some()),
            ("accept_coarse", field.accept_coarse),
        ];
        let is_nerve = matches!(self, Place::Nerve { .. });
        if let Some((key, _)) = nerve_keys.iter().find(|(_, given)| *given && !is_nerve) {
            return Err(StudyError::request(format!(
                "{key} has no effect: the field is not that of a nerve"
            ))
            .help("give a nerve with --nerve DIR, or leave it out"));
        }
        let points = matches!(self, Place::Points(_) | Place::Distances(_));
        if field.resistivity_ohm_cm.is_some() && !points {
            return Err(StudyError::request(
                "resistivity_ohm_cm has no effect: the field is not that of point electrodes",
            )
            .help("give a point electrode with --point X,Y,Z, or leave it out"));
        }
        Ok(())
    }

    /// The nerve, if there is one.
    pub fn nerve(&self) -> Option<&Arc<Nerve>> {
        match self {
            Place::Nerve { nerve, .. } => Some(nerve),
            _ => None,
        }
    }

    /// Whether waveforms act: not where nothing flows outside, nor where the field is one in space and time.
    pub fn has_waveforms(&self) -> bool {
        match self {
            Place::Inside => false,
            Place::Basis(array) => array.ndim() != 3,
            Place::Points(_) | Place::Distances(_) | Place::Nerve { .. } => true,
        }
    }

    /// The parts of the field that a waveform acts through, each of which is a source.
    pub(super) fn parts(&self, reach: Reach) -> Vec<Reach> {
        match (reach, self) {
            (Reach::Each, Place::Nerve { nerve, .. }) => {
                (0..nerve.contacts()).map(Reach::One).collect()
            }
            _ => vec![reach],
        }
    }

    /// Distances of a grid: at each there is a case.
    pub(super) fn distances(&self) -> usize {
        match self {
            Place::Distances(distances) => distances.len(),
            _ => 1,
        }
    }

    /// Refuses waveforms of contacts or points that there are not.
    pub(super) fn check_source(&self, source: &SourceSpec) -> Result<(), StudyError> {
        let (contacts, points) = match self {
            Place::Nerve { nerve, .. } => (nerve.contacts(), 0),
            Place::Points(points) => (0, points.len()),
            Place::Distances(_) => (0, 1),
            Place::Inside | Place::Basis(_) => (0, 0),
        };
        let named = [
            ("contact", source.contact, contacts),
            ("point", source.point, points),
        ];
        for (what, number, count) in named {
            let Some(number) = number.filter(|number| *number >= count) else {
                continue;
            };
            let error = StudyError::request(format!(
                "source: found a waveform for {what} {number}, but the field has {count} {what}s, counted from 0"
            ));
            return Err(match count {
                0 => error.help("contacts are those of a nerve, points those of point electrodes"),
                _ => error.help(format!("give {what} 0 to {}", count - 1)),
            });
        }
        Ok(())
    }

    /// The field of all electrodes, or of one, along a fiber whose middle node is shifted by `offset_um`.
    pub(super) fn field(
        &self,
        line: usize,
        distance: usize,
        reach: Reach,
        offset_um: f64,
        spec: &FieldSpec,
    ) -> Result<Arc<dyn Field>, StudyError> {
        match self {
            Place::Nerve { nerve, contacts } => {
                let mut factors = contacts.clone();
                if let Reach::One(contact) = reach {
                    let own = if spec.contacts.is_some() {
                        factors[contact]
                    } else {
                        1.0
                    };
                    factors.fill(0.0);
                    factors[contact] = own;
                }
                let interpolation = spec.interpolation.unwrap_or_default();
                let extend = spec.extend.unwrap_or(Extension::Refuse);
                let field = nerve.field(line, &factors, interpolation, offset_um, extend)?;
                Ok(Arc::new(field))
            }
            Place::Points(points) => {
                let own = points.iter().enumerate().filter(|(index, _)| match reach {
                    Reach::Whole | Reach::Each => true,
                    Reach::One(one) => one == *index,
                });
                superposed(own.map(|(_, point)| *point), offset_um, spec)
            }
            Place::Distances(distances) => {
                let point = PointSpec {
                    x_um: distances[distance],
                    y_um: 0.0,
                    z_um: 0.0,
                    factor: 1.0,
                };
                superposed([point].into_iter(), offset_um, spec)
            }
            Place::Inside | Place::Basis(_) => {
                Err(StudyError::request("there is no field in space"))
            }
        }
    }

    /// Distance of the nearest point electrode from the axis of the fiber, um.
    pub(super) fn nearest_um(&self, distance: usize) -> Option<f64> {
        match self {
            Place::Points(points) => {
                let distances = points.iter().map(|point| point.x_um.hypot(point.y_um));
                distances.min_by(f64::total_cmp)
            }
            Place::Distances(distances) => Some(distances[distance]),
            _ => None,
        }
    }

    /// The field, for the request that results carry.
    pub(super) fn describe(&self, spec: &FieldSpec) -> Value {
        match self {
            Place::Inside => Value::Null,
            Place::Nerve { nerve, contacts } => json!({
                "nerve": nerve.name(),
                "sha256": nerve_sha256(nerve),
                "contacts": contacts,
                "interpolation": spec.interpolation.unwrap_or_default().to_string(),
                "extend": spec.extend.unwrap_or_default().to_string(),
            }),
            Place::Points(points) => describe_points(points, spec),
            Place::Distances(distances) => json!({
                "distance_um": distances,
                "resistivity_ohm_cm": describe_medium(spec),
            }),
            Place::Basis(array) => json!({
                "basis": spec.basis.as_ref().map(|path| path.display().to_string()),
                "shape": array.shape(),
                "sha256": array_sha256(array.shape(), array.iter().copied()),
            }),
        }
    }
}

fn superposed(
    points: impl Iterator<Item = PointSpec>,
    offset_um: f64,
    spec: &FieldSpec,
) -> Result<Arc<dyn Field>, StudyError> {
    let parts = points.map(|point| {
        let source = PointSource {
            x_um: point.x_um,
            y_um: point.y_um,
            z_um: point.z_um - offset_um,
            medium: spec.medium(),
        };
        (point.factor, Arc::new(source) as Arc<dyn Field>)
    });
    Ok(Arc::new(Superposition::new(parts)?))
}

/// Point electrodes, for the request that results carry.
pub(super) fn describe_points(points: &[PointSpec], spec: &FieldSpec) -> Value {
    json!({"points": points, "resistivity_ohm_cm": describe_medium(spec)})
}

fn describe_medium(spec: &FieldSpec) -> Value {
    match spec.medium() {
        axonml_core::Medium::Isotropic { resistivity_ohm_cm } => json!(resistivity_ohm_cm),
        axonml_core::Medium::Anisotropic {
            transverse_ohm_cm,
            longitudinal_ohm_cm,
        } => json!([transverse_ohm_cm, longitudinal_ohm_cm]),
    }
}

/// Reads a nerve; tells of the gaps that were filled and of what is unusual.
fn open_nerve(
    dir: &Path,
    options: NerveOptions,
    listener: &mut dyn Listener,
) -> Result<Arc<Nerve>, StudyError> {
    let NerveReading { nerve, notes } = read_nerve_with(dir, options)?;
    tell_nerve(&nerve, &notes, listener);
    Ok(Arc::new(nerve))
}

/// Tells of the gaps that were filled in a nerve and of what is unusual about it.
pub(super) fn tell_nerve(nerve: &Nerve, notes: &[NerveNote], listener: &mut dyn Listener) {
    for note in notes {
        listener.warn(format!("nerve {}: {note}", nerve.name()));
    }
    if let [first, rest @ ..] = nerve.repairs() {
        let others = match rest.len() {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        listener.note(format!(
            "nerve {}: NaN gaps were interpolated: contact {}, fiber {}, samples {} to {}{others}",
            nerve.name(),
            first.contact,
            first.fiber,
            first.samples.start,
            first.samples.end - 1
        ));
    }
}

/// Rows of a basis with the diameters of their fibers: one diameter for all rows, one each, or one row for all.
pub(super) fn basis_rows(rows: usize, diameters: &[f64]) -> Result<Vec<(usize, f64)>, StudyError> {
    match (rows, diameters.len()) {
        (0, _) => Err(StudyError::request(
            "basis: found no fibers, expected one or more rows",
        )),
        (_, 1) => Ok((0..rows).map(|row| (row, diameters[0])).collect()),
        (1, _) => Ok(diameters.iter().map(|&diameter| (0, diameter)).collect()),
        (_, count) if count == rows => Ok(diameters.iter().copied().enumerate().collect()),
        (_, count) => Err(StudyError::request(format!(
            "basis: found {rows} fibers and {count} diameters, expected one diameter for all fibers or one for each"
        ))),
    }
}

/// The values of a row of a basis, with its steps and samples where it is one in space and time.
pub(super) fn basis_row(array: &ArrayD<f64>, row: usize) -> (Vec<f64>, Option<(usize, usize)>) {
    let values = array.index_axis(Axis(0), row);
    let shape = match *values.shape() {
        [steps, samples] => Some((steps, samples)),
        _ => None,
    };
    (values.iter().copied().collect(), shape)
}
