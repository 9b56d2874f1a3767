//! `axonml models`: what there is to simulate.

use axonml::file::Memory;
use axonml::model::weights::{Bundled, Weights};
use axonml::model::{Difference, ModelGroup, Schema, Validation};
use axonml::simulation::memory::BatchSize;
use axonml::simulation::provenance::model_hash;
use axonml::simulation::{Extents, FiberLength};
use axonml::{Device, Fiber, FiberModel, MODELS, Model, Settings, Simulation};
use serde_json::{Value, json};

use crate::args::ModelsArgs;
use crate::error::CliError;
use crate::pictures::{Layout, action_potentials::action_potentials};
use crate::plot::{Format, Picture};
use crate::report::{plain, print, print_json};
use axonml::study::{Cell, Table};
use axonml::study::{NamedWeights, bundled_for, model_named};

/// Lists the models, or one of them.
pub(crate) fn models(args: &ModelsArgs) -> Result<(), CliError> {
    if let Some(path) = &args.plot.plot {
        let layout = Layout::of(&args.plot)?;
        layout.refuse_x("an action potential over time")?;
        Format::of(path)?;
        let drawn = match &args.name {
            Some(name) => vec![model_named(name)?],
            // Those that stand for another are left out.
            None => MODELS
                .iter()
                .filter(|model| model.schema().exact.is_none())
                .cloned()
                .collect(),
        };
        action_potentials(&drawn, args.diameter)?.save(path, &layout.page)?;
    }
    let Some(name) = &args.name else {
        return if args.json {
            let all: Result<Vec<Value>, CliError> = MODELS.iter().map(describe).collect();
            print_json(&Value::Array(all?))
        } else {
            print(&list())
        };
    };
    let model = model_named(name)?;
    let samples_um = args
        .diameter
        .map(|diameter| default_samples_um(&model, diameter, args.nodes));
    let samples_um = samples_um.transpose()?;
    if args.json {
        let mut description = describe(&model)?;
        if let Some(samples) = samples_um {
            description["sample_points_um"] = json!(samples);
        }
        return print_json(&description);
    }
    let mut text = tell(&model)?;
    if let Some(samples) = samples_um {
        text.push_str("\nsample points (z, um):\n");
        for chunk in samples.chunks(8) {
            let line: Vec<String> = chunk.iter().map(|z| format!("{z:>11.4}")).collect();
            text.push_str(&format!("{}\n", line.join(" ")));
        }
    }
    print(&text)
}

/// One line a model, group by group.
fn list() -> String {
    let mut text = String::new();
    for group in ModelGroup::ALL {
        let members = MODELS
            .iter()
            .filter(|model| ModelGroup::of(*model) == group);
        let row = |model: &Model| {
            let schema = model.schema();
            let diameters = schema.diameters();
            let validated = validations(&schema).join("; ");
            vec![
                Cell::text(schema.id),
                Cell::Text(diameters),
                Cell::integer(schema.states.len()),
                Cell::text(schema.summary),
                Cell::Text(validated),
            ]
        };
        let mut table = Table::new([
            "model",
            "diameters_um",
            "states",
            "summary",
            "validated against",
        ]);
        table.rows = members.map(row).collect();
        text.push_str(&format!("{} fibers\n\n{}", group.name(), plain(&table)));
    }
    text + "Comparisons of thresholds and voltages: docs/validation.md. `axonml models NAME` tells parameters, schemes, sample points \
            and sources.\n"
}

/// The comparisons of a model, in words.
fn validations(schema: &Schema) -> Vec<String> {
    schema
        .validations
        .iter()
        .map(Validation::to_string)
        .collect()
}

/// Everything about a model, for people.
fn tell(model: &Model) -> Result<String, CliError> {
    let schema = model.schema();
    let mut lines = vec![format!("{}: {}", schema.id, schema.summary), String::new()];
    let mut item = |name: &str, text: String| lines.push(format!("{name:<14} {text}"));
    item("diameters", format!("{} um", schema.diameters()));
    item("states", format!("v {}", schema.states.join(" ")));
    item("group", ModelGroup::of(model).name().to_owned());
    item("scheme", schema.scheme.to_string());
    let from = match schema.start.states {
        Some(_) => "published states",
        None => "states at their steady state there",
    };
    item("start", format!("{} mV, {from}", schema.start.v_mv));
    item("temperature", format!("{} degrees Celsius", schema.celsius));
    if let Some(length) = schema.compartment_um {
        item(
            "compartments",
            format!("{length} um long unless --delta-z says otherwise"),
        );
    }
    item("sample points", sampling(model)?.1);
    for (index, weights) in bundled_for(&schema).iter().enumerate() {
        let name = if index == 0 { "weights" } else { "" };
        let default = schema.weights == Some(weights.name);
        item(
            name,
            format!(
                "{}{}",
                weights.name,
                if default { " (default)" } else { "" }
            ),
        );
    }
    if bundled_for(&schema).is_empty() {
        item("weights", "none bundled".to_owned());
    }
    item("hash", hash(model, Weights::Published)?);
    for (index, validation) in validations(&schema).into_iter().enumerate() {
        item(if index == 0 { "validated" } else { "" }, validation);
    }
    for (index, citation) in schema.citations.iter().enumerate() {
        let name = if index == 0 { "sources" } else { "" };
        item(name, citation.to_string());
    }
    let row = |p: &axonml::model::Parameter| {
        vec![
            Cell::Text(format!("{}.{}", p.group, p.name)),
            Cell::Raw(p.value.to_string()),
            Cell::text(p.unit.clone()),
        ]
    };
    let table = Table {
        columns: ["parameter", "value", "unit"].map(str::to_owned).to_vec(),
        rows: schema.parameters.iter().map(row).collect(),
    };
    Ok(format!("{}\n\n{}", lines.join("\n"), plain(&table).trim_end()) + "\n")
}

/// Everything about a model, for programs.
fn describe(model: &Model) -> Result<Value, CliError> {
    let schema = model.schema();
    let parameters: Vec<Value> = schema
        .parameters
        .iter()
        .map(|p| json!({"group": p.group, "name": p.name, "value": p.value, "unit": p.unit}))
        .collect();
    let (per_internode, words) = sampling(model)?;
    Ok(json!({
        "model": schema.id,
        "group": ModelGroup::of(model).name(),
        "validations": schema.validations.iter().map(validation).collect::<Vec<Value>>(),
        "summary": schema.summary,
        "citations": schema.citations,
        "states": schema.states,
        "parameters": parameters,
        "diameters_um": [schema.diameters_um.start(), schema.diameters_um.end()],
        "listed_um": schema.listed_um,
        "scheme": schema.scheme,
        "start": {"v_mV": schema.start.v_mv, "states": schema.start.states},
        "temperature_celsius": schema.celsius,
        "delta_z_um": schema.compartment_um,
        "sample_points": {"per_internode": per_internode, "text": words},
        "weights": bundled_weights(model)?,
        "hash": hash(model, Weights::Published)?,
    }))
}

/// A comparison of a model, for programs.
fn validation(validation: &Validation) -> Value {
    let mut value = json!({"against": validation.against, "cases": validation.cases, "text": validation.to_string()});
    match validation.difference {
        Difference::Thresholds {
            mean_pct,
            worst_pct,
        } => {
            value["threshold_mean_pct"] = json!(mean_pct);
            value["threshold_worst_pct"] = json!(worst_pct);
        }
        Difference::Voltages { worst_mv } => value["voltage_worst_mV"] = json!(worst_mv),
    }
    value
}

/// The weights that the library carries for a model, for programs.
fn bundled_weights(model: &dyn FiberModel) -> Result<Vec<Value>, CliError> {
    let schema = model.schema();
    let describe = |bundled: &&Bundled| {
        let weights = NamedWeights::bundled(bundled)?;
        let domain = &weights.file.domain;
        Ok(json!({
            "name": weights.name,
            "default": schema.weights == Some(bundled.name),
            "sha256": weights.sha256,
            "hash": hash(model, Weights::File(weights.file.clone()))?,
            "version": weights.file.version,
            "diameter_um": domain.diameter_um,
            "dt_ms": domain.dt_ms,
            "pulse_width_ms": domain.pulse_width_ms,
            "source_distance_um": domain.source_distance_um,
            "temperature_celsius": domain.celsius,
            "sampling": weights.file.sampling,
            "provenance": weights.file.provenance,
        }))
    };
    bundled_for(&schema).iter().map(describe).collect()
}

/// Hash of what a model computes with these weights.
fn hash(model: &dyn FiberModel, weights: Weights) -> Result<String, CliError> {
    let settings = Settings {
        weights,
        ..Settings::default()
    };
    Ok(model_hash(model, &settings)?)
}

/// Sample points per internode, and where they are, in words.
fn sampling(model: &Model) -> Result<(usize, String), CliError> {
    const NODES: usize = 4;
    let count = samples_um(model, Fiber::new(model.schema().nearest_um(10.0), NODES))?.len();
    let per_internode = (count - 1) / (NODES - 1);
    let words = match per_internode {
        1 => "the n nodes (or compartments)".to_owned(),
        _ => {
            format!("{per_internode} (n - 1) + 1: the middle of every compartment, nodes included")
        }
    };
    Ok((per_internode, words))
}

/// Where a fiber of this many nodes, or of the model's own extent, needs the field, um from its middle.
fn default_samples_um(
    model: &Model,
    diameter_um: f64,
    nodes: Option<usize>,
) -> Result<Vec<f64>, CliError> {
    let length = nodes.map_or(FiberLength::Default, FiberLength::Nodes);
    let mut extents = Extents::new(model, &Settings::default())?;
    let extent = extents.resolve(length, diameter_um, None, None)?;
    samples_um(model, Fiber::new(diameter_um, extent.nodes))
}

/// Where a fiber needs the field, um from its middle.
pub(crate) fn samples_um(model: &Model, fiber: Fiber) -> Result<Vec<f64>, CliError> {
    let size = BatchSize {
        fibers: 1,
        nodes: fiber.nodes,
        steps: 1,
        waveforms: 1,
        threads: 1,
    };
    Memory::available()
        .check(
            &format!("--nodes: a fiber of {} nodes", fiber.nodes),
            size.bytes(),
        )
        .map_err(|error| CliError::request(error).help("ask for fewer nodes"))?;
    // Where a fiber lies does not depend on how it can be stepped.
    let settings = Settings {
        allow_unstable: true,
        ..Settings::default()
    };
    let simulation = Simulation::new(model, vec![fiber], &settings, &Device::auto()?)?;
    Ok(simulation.sample_points_um(0).to_vec())
}
