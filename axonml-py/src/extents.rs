//! Extents of fibers in their fields, and what models declare.

use axonml::field::Field as _;
use axonml::model::{Model, Schema};
use axonml::simulation::{CancelToken, Extents, FiberExtent, FiberLength};
use axonml::{MODELS, SimulationError};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::Numbers;
use crate::description::ModelLike;
use crate::errors::{Error, Result};
use crate::field::{Field, OfFiber};
use crate::results::Columns;
use crate::settings::Settings;
use crate::specs::detection;
use crate::work::{Ears, done};

/// Parameters of a model: (name, group, value, unit).
pub(crate) fn parameters(schema: &Schema) -> Vec<(String, String, f64, String)> {
    let each = schema.parameters.iter().map(|parameter| {
        let [name, group, unit] = [&parameter.name, &parameter.group, &parameter.unit];
        (
            name.to_string(),
            group.to_string(),
            parameter.value,
            unit.to_string(),
        )
    });
    each.collect()
}

/// Requested extents of fibers: nodes, or lengths in um, or neither.
fn lengths(
    fibers: usize,
    nodes: Option<Vec<usize>>,
    length_um: Option<Vec<f64>>,
) -> Result<Vec<FiberLength>> {
    let wrong = |found: usize| {
        Err(Error::value(format!(
            "found {found} extents for {fibers} fibers"
        )))
    };
    match (nodes, length_um) {
        (Some(nodes), None) if nodes.len() == fibers => {
            Ok(nodes.into_iter().map(FiberLength::Nodes).collect())
        }
        (None, Some(lengths)) if lengths.len() == fibers => {
            Ok(lengths.into_iter().map(FiberLength::Um).collect())
        }
        (None, None) => Ok(vec![FiberLength::Default; fibers]),
        (Some(nodes), None) => wrong(nodes.len()),
        (None, Some(lengths)) => wrong(lengths.len()),
        (Some(_), Some(_)) => Err(Error::value(
            "found nodes and a length, expected one of them",
        )),
    }
}

/// The extents of fibers in fields, and how long runs must be: nodes, spacing (um), whether the ends are driven, and the
/// longest duration that a fiber needs (ms).
#[pyfunction]
#[pyo3(signature = (model, settings, diameter_um, nodes, length_um, compartment_um, fields, sites, stimulus_end_ms))]
#[expect(clippy::too_many_arguments, reason = "what extents depend on")]
pub(crate) fn extents<'py>(
    py: Python<'py>,
    model: ModelLike<'_>,
    settings: PyRef<'_, Settings>,
    diameter_um: Numbers<'_>,
    nodes: Option<Vec<usize>>,
    length_um: Option<Vec<f64>>,
    compartment_um: Option<f64>,
    fields: Vec<PyRef<'_, Field>>,
    sites: (Option<Vec<i64>>, Option<Vec<f64>>),
    stimulus_end_ms: Option<f64>,
) -> Result<Bound<'py, PyDict>> {
    let model = model.model()?;
    let diameters = diameter_um.to_vec();
    let fibers = diameters.len();
    let lengths = lengths(fibers, nodes, length_um)?;
    let fields: Result<Vec<Vec<OfFiber>>> = fields
        .iter()
        .map(|field| field.for_fibers(fibers))
        .collect();
    let fields = fields?;
    let detection = detection(sites.0, sites.1, 0.0, 0.0);
    let settings = settings.clone();
    let (found, tstop_ms) = done(py, settings.threads, &Ears::default(), |cancel, _| {
        let mut extents = of_model(&model, &settings, cancel.clone())?;
        let mut found: Vec<FiberExtent> = Vec::with_capacity(fibers);
        let mut tstop_ms = axonml::simulation::DEFAULT_TSTOP_MS;
        for (fiber, (&diameter, &length)) in diameters.iter().zip(&lengths).enumerate() {
            cancel.check().map_err(SimulationError::from)?;
            let longest = longest(
                &mut extents,
                length,
                (diameter, compartment_um),
                &fields,
                fiber,
            )?;
            let at = detection.nodes(longest.nodes)?;
            let needed = extents.tstop_ms(diameter, &longest, &at, stimulus_end_ms);
            tstop_ms = tstop_ms.max(needed);
            found.push(longest);
        }
        Ok::<_, Error>((found, tstop_ms))
    })?;
    let columns = Columns::new(py);
    columns.integers("nodes", found.iter().map(|extent| Some(extent.nodes)))?;
    columns.numbers("spacing_um", found.iter().map(|of| Some(of.spacing_um)))?;
    let driven: Vec<bool> = found.iter().map(|extent| extent.ends_driven).collect();
    columns.put("ends_driven", PyArray1::from_vec(py, driven))?;
    columns.put("tstop_ms", tstop_ms)?;
    Ok(columns.finish())
}

/// The extent that the most demanding of a fiber's fields asks for.
fn longest(
    extents: &mut Extents,
    length: FiberLength,
    (diameter_um, compartment_um): (f64, Option<f64>),
    fields: &[Vec<OfFiber>],
    fiber: usize,
) -> Result<FiberExtent> {
    let mut longest: Option<FiberExtent> = None;
    for field in fields {
        let OfFiber::Shape(shape) = &field[fiber] else {
            continue;
        };
        // Potentials at sample points are those of fibers whose extent is known.
        if shape.extent_um().is_none() {
            continue;
        }
        let extent = extents.resolve(length, diameter_um, compartment_um, Some(&**shape))?;
        if longest.is_none_or(|known| known.nodes < extent.nodes) {
            longest = Some(extent);
        }
    }
    match longest {
        Some(longest) => Ok(longest),
        None => Ok(extents.resolve(length, diameter_um, compartment_um, None)?),
    }
}

fn of_model(model: &Model, settings: &Settings, cancel: CancelToken) -> Result<Extents> {
    let default = axonml::Settings::default();
    let settings = settings.on_grid((default.dt_ms, default.tstop_ms), cancel)?;
    Ok(Extents::new(model, &settings)?)
}

/// Distances between nodes, or compartments, of fibers, um.
#[pyfunction]
#[pyo3(signature = (model, settings, diameter_um, compartment_um))]
pub(crate) fn spacings<'py>(
    py: Python<'py>,
    model: ModelLike<'_>,
    settings: PyRef<'_, Settings>,
    diameter_um: Numbers<'_>,
    compartment_um: Option<f64>,
) -> Result<Bound<'py, PyArray1<f64>>> {
    let mut extents = of_model(&model.model()?, &settings, CancelToken::default())?;
    let each = diameter_um.to_vec().into_iter();
    let each = each.map(|diameter| extents.spacing_um(diameter, compartment_um));
    let found: std::result::Result<Vec<f64>, _> = each.collect();
    Ok(PyArray1::from_vec(py, found?))
}

/// The bundled models, or one: id, summary, diameters (um), states, parameters, citations.
#[pyfunction]
#[pyo3(signature = (model=None))]
pub(crate) fn models<'py>(
    py: Python<'py>,
    model: Option<ModelLike<'_>>,
) -> Result<Vec<Bound<'py, PyDict>>> {
    let schemas: Vec<Schema> = match model {
        Some(model) => vec![model.model()?.schema()],
        None => MODELS.iter().map(Model::schema).collect(),
    };
    let described = schemas.iter().map(|schema| {
        let columns = Columns::new(py);
        columns.put("id", schema.id.as_ref())?;
        columns.put("summary", schema.summary.as_ref())?;
        let range = &schema.diameters_um;
        columns.put("diameters_um", (*range.start(), *range.end()))?;
        columns.words("states", schema.states.iter())?;
        columns.words("citations", schema.citations.iter())?;
        columns.put("celsius", schema.celsius)?;
        columns.put("start_mV", schema.start.v_mv)?;
        columns.put("parameters", parameters(schema))?;
        Ok(columns.finish())
    });
    described.collect()
}
