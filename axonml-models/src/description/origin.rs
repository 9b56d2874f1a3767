//! Weights that were trained with a fiber file: they hold it, and are those of its formulas.

use axonml_autodiff::ir::{Program, TraceError};

use super::FiberDescription;
use crate::geometry::GeometryKind;
use crate::lower::FiberGeometry;
use crate::membrane::trace_membrane;
use crate::model::{AREA, CELSIUS, COMPARTMENT, DIAMETER, DT, LENGTH, REFERENCE, U};
use crate::weights::{ModelFile, ModelFileError};
use crate::{Ends, FiberModel, Schema, SimulationError};

/// Key of the provenance of weights that holds the fiber file they were trained with.
pub const FIBER_FILE: &str = "fiber_file";

/// Potentials, values of states and parameters at which formulas are compared.
const SAMPLES: usize = 24;

/// Refuses weights that were trained as parameters of other formulas than the model's, where they hold their fiber file.
///
/// Formulas are the same if they give the same numbers up to rounding at some values of their inputs, however they are
/// written and wherever they come from: a fiber file, Python or Rust.
pub(crate) fn check_formulas(
    file: &ModelFile,
    model: &dyn FiberModel,
) -> Result<(), SimulationError> {
    let Some(text) = file.provenance.get(FIBER_FILE) else {
        return Ok(());
    };
    let trained = FiberDescription::from_toml(text).map_err(|error| ModelFileError::Metadata {
        key: FIBER_FILE,
        found: error.to_string(),
        expected: "the fiber file that the weights were trained with".into(),
    })?;
    match Formulas::of(&trained)?.agree_with(&Formulas::of(model)?) {
        true => Ok(()),
        false => Err(ModelFileError::OtherFormulas {
            model: file.model.clone(),
        }
        .into()),
    }
}

/// The traced cable and membrane of a model, and its schema.
struct Formulas {
    schema: Schema,
    kind: GeometryKind,
    programs: [Program; 4],
}

impl Formulas {
    fn of(model: &dyn FiberModel) -> Result<Self, TraceError> {
        let schema = model.schema();
        let geometry = FiberGeometry::trace(model, &schema, Ends::Active)?;
        let membrane = trace_membrane(model, &schema, geometry.kind.section())?;
        let bound = [membrane.rest, membrane.currents, membrane.step];
        let [rest, currents, step] = bound.map(|bound| bound.program);
        Ok(Formulas {
            kind: geometry.kind,
            programs: [geometry.program().clone(), rest, currents, step],
            schema,
        })
    }

    fn agree_with(&self, other: &Formulas) -> bool {
        let names = |program: &Program| -> Vec<String> {
            let outputs = program.outputs().iter();
            outputs.map(|(name, _)| name.clone()).collect()
        };
        self.kind == other.kind
            && self.programs.iter().zip(&other.programs).all(|(a, b)| {
                names(a) == names(b)
                    && (0..SAMPLES).all(|sample| {
                        // Inputs in the order of each, with the same values by name: those of the first schema.
                        let of = |program: &Program| {
                            let inputs = program.inputs().iter();
                            let values = inputs.map(|input| self.value(&input.name, sample));
                            program.eval(&values.collect::<Vec<f64>>())
                        };
                        of(a).iter().zip(&of(b)).all(|(a, b)| are_equal(*a, *b))
                    })
            })
    }

    /// A value of an input in a sample, of an order of magnitude that it has in runs.
    fn value(&self, name: &str, sample: usize) -> f64 {
        let part = sample as f64 / SAMPLES as f64;
        let parameters = &self.schema.parameters;
        if let Some(parameter) = parameters.iter().find(|parameter| parameter.name == name) {
            // No factor is 1, so that one that is left out shows.
            return parameter.value * (1.05 + 0.1 * part) + 1e-3;
        }
        match name {
            // 300 mV to either side of the potential that runs start at: formulas have other branches far from rest.
            U => -300.0 + 600.0 * part,
            REFERENCE => self.schema.start.v_mv,
            DT => 0.005,
            CELSIUS => 20.0 + 15.0 * part,
            DIAMETER => 2.0 + 10.0 * part,
            COMPARTMENT => 8.0 + 3.0 * part,
            LENGTH => 1.0 + part,
            AREA => 1e-6 * (1.0 + part),
            state => {
                let states = &self.schema.states;
                let place = states.iter().position(|own| own == state);
                (0.37 * (1 + place.unwrap_or(states.len())) as f64 + 0.11 * sample as f64) % 1.0
            }
        }
    }
}

/// Whether numbers differ by no more than the order of operations may explain.
fn are_equal(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}
