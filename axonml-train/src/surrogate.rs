//! A surrogate while it is trained: its parameters as functions of the coordinates that an optimizer moves.

use axonml_core::names;
use axonml_models::weights::{ModelFile, ModelFileError, Weights};
use axonml_models::{Model, Parameter, Precision, Scale, Schema, Settings};
use thiserror::Error;

/// Errors of the set of trained parameters.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SurrogateError {
    /// A selection names nothing of the model.
    #[error(
        "model `{model}` has no parameter or group `{found}`{}; it has the groups {}",
        nearest.as_ref().map(|n| format!(" (did you mean `{n}`?)")).unwrap_or_default(),
        groups.join(", ")
    )]
    Unknown {
        /// Id of the model.
        model: String,
        /// The name found.
        found: String,
        /// The most similar name.
        nearest: Option<String>,
        /// The valid groups.
        groups: Vec<String>,
    },
    /// No parameter is left to train.
    #[error(
        "no parameter of model `{model}` is left to train; name parameters or groups in `to_train`, `all` for every one, or \
         give parameters a `train` in the fiber file"
    )]
    Nothing {
        /// Id of the model.
        model: String,
    },
    /// A parameter cannot start from its value.
    #[error(
        "parameter {name} starts from {value}, which training cannot move by factors; start it from another value (`set`), \
         leave it out (`freeze`), or have it shifted (`train = {{ shift = SIZE }}` in a fiber file)"
    )]
    Start {
        /// The parameter.
        name: String,
        /// Its value.
        value: f64,
    },
    /// The weights to start from are wrong.
    #[error(transparent)]
    Weights(#[from] ModelFileError),
}

/// A surrogate's form, the values it starts from, and which of its parameters are trained.
///
/// The coordinates `x` are 0 at the start; one unit is a natural step of a parameter (see [`Scale`]), so that
/// optimizers can treat them alike.
#[derive(Clone)]
pub struct Surrogate {
    model: Model,
    /// With the values it starts from.
    schema: Schema,
    /// Index of the parameter that each coordinate moves.
    trained: Vec<usize>,
}

impl Surrogate {
    /// A surrogate that starts from the model's own values, or from `weights`, and trains the parameters that the model
    /// declares as trained.
    ///
    /// # Errors
    /// [`SurrogateError::Weights`] if the weights are another model's or incomplete.
    pub fn new(model: Model, weights: Option<&ModelFile>) -> Result<Self, SurrogateError> {
        let own = model.schema();
        let schema = match weights {
            Some(weights) => weights.schema(own)?,
            None => own,
        };
        let all = schema.parameters.iter().enumerate();
        let trained = all.filter(|(_, p)| p.trained).map(|(index, _)| index);
        Ok(Surrogate {
            model,
            trained: trained.collect(),
            schema,
        })
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The model's declaration, with the values that training starts from.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Trains exactly the parameters that `selections` name: parameters, groups, or `all`.
    ///
    /// # Errors
    /// [`SurrogateError::Unknown`] with the nearest name, [`SurrogateError::Nothing`] for none.
    pub fn train_only(&mut self, selections: &[String]) -> Result<(), SurrogateError> {
        self.trained.clear();
        for selection in selections {
            self.unfreeze(selection)?;
        }
        match self.trained.is_empty() {
            true => Err(SurrogateError::Nothing {
                model: self.schema.id.to_string(),
            }),
            false => Ok(()),
        }
    }

    /// Leaves a parameter, a group or `all` as they are.
    ///
    /// # Errors
    /// [`SurrogateError::Unknown`].
    pub fn freeze(&mut self, selection: &str) -> Result<(), SurrogateError> {
        let frozen = self.select(selection)?;
        self.trained.retain(|index| !frozen.contains(index));
        Ok(())
    }

    /// Trains a parameter, a group or `all`.
    ///
    /// # Errors
    /// [`SurrogateError::Unknown`].
    pub fn unfreeze(&mut self, selection: &str) -> Result<(), SurrogateError> {
        self.trained.extend(self.select(selection)?);
        self.trained.sort_unstable();
        self.trained.dedup();
        Ok(())
    }

    /// Starts a parameter, a group or `all` from the model's own values.
    ///
    /// # Errors
    /// [`SurrogateError::Unknown`].
    pub fn reset(&mut self, selection: &str) -> Result<(), SurrogateError> {
        let own = self.model.schema();
        for index in self.select(selection)? {
            self.schema.parameters[index].value = own.parameters[index].value;
        }
        Ok(())
    }

    /// Starts a parameter from `value`.
    ///
    /// # Errors
    /// [`SurrogateError::Unknown`]; [`SurrogateError::Start`] for a number that is not finite.
    pub fn set(&mut self, name: &str, value: f64) -> Result<(), SurrogateError> {
        let index = self.position(name)?;
        if !value.is_finite() {
            let name = name.to_owned();
            return Err(SurrogateError::Start { name, value });
        }
        self.schema.parameters[index].value = value;
        Ok(())
    }

    /// Checks that the trained parameters can be moved from where they start: no factor moves 0.
    ///
    /// # Errors
    /// [`SurrogateError::Start`].
    pub fn check_start(&self) -> Result<(), SurrogateError> {
        let trained = self
            .trained
            .iter()
            .map(|&index| &self.schema.parameters[index]);
        let mut moved_by_factors = trained.filter(|p| !matches!(p.scale, Scale::Shift(_)));
        match moved_by_factors.find(|p| p.value == 0.0) {
            None => Ok(()),
            Some(parameter) => Err(SurrogateError::Start {
                name: parameter.name.to_string(),
                value: parameter.value,
            }),
        }
    }

    fn select(&self, selection: &str) -> Result<Vec<usize>, SurrogateError> {
        let named = |p: &Parameter| {
            let full = || format!("{}.{}", p.group, p.name);
            selection == "all" || p.name == selection || p.group == selection || full() == selection
        };
        let all = self.schema.parameters.iter().enumerate();
        let found: Vec<usize> = all.filter(|(_, p)| named(p)).map(|(i, _)| i).collect();
        match found.is_empty() {
            true => Err(self.unknown(selection)),
            false => Ok(found),
        }
    }

    fn unknown(&self, found: &str) -> SurrogateError {
        let parameters = &self.schema.parameters;
        let mut groups: Vec<String> = parameters.iter().map(|p| p.group.to_string()).collect();
        groups.dedup();
        let valid = parameters.iter().flat_map(|p| [&*p.name, &*p.group]);
        SurrogateError::Unknown {
            model: self.schema.id.to_string(),
            found: found.to_owned(),
            nearest: names::nearest(found, valid).map(str::to_owned),
            groups,
        }
    }

    /// Number of coordinates.
    pub fn len(&self) -> usize {
        self.trained.len()
    }

    /// Whether nothing is trained.
    pub fn is_empty(&self) -> bool {
        self.trained.is_empty()
    }

    /// Names of the trained parameters, `[coordinate]`.
    pub fn names(&self) -> Vec<&str> {
        let parameters = self.trained.iter();
        parameters
            .map(|&i| &*self.schema.parameters[i].name)
            .collect()
    }

    /// The values of all parameters at `x`, in the schema's order.
    pub fn values(&self, x: &[f64]) -> Vec<f64> {
        let parameters = &self.schema.parameters;
        let mut values: Vec<f64> = parameters.iter().map(|p| p.value).collect();
        for (&index, &x) in self.trained.iter().zip(x) {
            values[index] = match parameters[index].scale {
                Scale::Factor => parameters[index].value * x.exp(),
                Scale::Shift(step) => parameters[index].value + step * x,
                Scale::Ratio { share, .. } => parameters[index].value * (1.0 + share * x),
            };
        }
        // Those that move with another, whether they are trained themselves or not.
        for (index, parameter) in parameters.iter().enumerate() {
            if let Some(partner) = self.partner(parameter) {
                values[index] *= values[partner] / parameters[partner].value;
            }
        }
        let kept = values.iter().zip(parameters);
        kept.map(|(value, p)| value.clamp(*p.range.start(), *p.range.end()))
            .collect()
    }

    /// Index of the trained parameter that this one moves with.
    fn partner(&self, parameter: &Parameter) -> Option<usize> {
        let Scale::Ratio { to, .. } = parameter.scale else {
            return None;
        };
        let partner = self.schema.parameters.iter().position(|p| p.name == to)?;
        self.trained.contains(&partner).then_some(partner)
    }

    /// Index of a parameter among [`Surrogate::values`].
    ///
    /// # Errors
    /// [`SurrogateError::Unknown`].
    pub fn position(&self, name: &str) -> Result<usize, SurrogateError> {
        let found = self.schema.parameters.iter().position(|p| p.name == name);
        found.ok_or_else(|| self.unknown(name))
    }

    /// The values at `x`, as [`Settings::parameters`] takes them.
    pub fn parameters(&self, x: &[f64]) -> Vec<(String, f64)> {
        let names = self.schema.parameters.iter().map(|p| p.name.to_string());
        names.zip(self.values(x)).collect()
    }

    /// Vector-Jacobian product: the derivative by `x` from that by all parameters (in the schema's order). A parameter
    /// at the end of its range has none.
    pub fn vjp(&self, x: &[f64], by_parameters: &[f64]) -> Vec<f64> {
        let values = self.values(x);
        let parameters = &self.schema.parameters;
        let inside = |index: usize| {
            let range = &parameters[index].range;
            *range.start() < values[index] && values[index] < *range.end()
        };
        let mut by_x = vec![0.0; self.trained.len()];
        for (coordinate, &index) in self.trained.iter().enumerate() {
            let slope = match parameters[index].scale {
                Scale::Factor => values[index],
                Scale::Shift(step) => step,
                Scale::Ratio { share, .. } => values[index] * share / (1.0 + share * x[coordinate]),
            };
            if inside(index) {
                by_x[coordinate] += slope * by_parameters[index];
            }
        }
        for (index, parameter) in parameters.iter().enumerate() {
            let Some(partner) = self.partner(parameter) else {
                continue;
            };
            if let Ok(coordinate) = self.trained.binary_search(&partner) {
                // In proportion to the partner, which moves by a factor.
                if inside(index) {
                    by_x[coordinate] += values[index] * by_parameters[index];
                }
            }
        }
        by_x
    }

    /// Settings of a simulation of the surrogate at `x`, from the start and at the temperature of its schema.
    pub fn settings(&self, x: &[f64], dt_ms: f64, tstop_ms: f64, precision: Precision) -> Settings {
        Settings {
            dt_ms,
            tstop_ms,
            precision,
            // `parameters` sets every value.
            weights: Weights::Published,
            parameters: self.parameters(x),
            celsius: Some(self.schema.celsius),
            declared: Some(self.schema.start.clone()),
            // A candidate that is unstable is a bad one, not a wrong request.
            allow_unstable: true,
            ..Settings::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axonml_models::model;

    /// The chain rule against differences, for every kind of scale.
    #[test]
    fn the_derivative_by_coordinates_is_that_of_the_values() {
        for id in ["smf", "two-mode"] {
            let surrogate = Surrogate::new(model(id).unwrap(), None).unwrap();
            let n = surrogate.len();
            let x: Vec<f64> = (0..n)
                .map(|i| 0.2 * ((i * 7 % 11) as f64 / 11.0 - 0.4))
                .collect();
            let weights: Vec<f64> = (0..surrogate.schema().parameters.len())
                .map(|i| ((i * 5 % 7) as f64) - 2.5)
                .collect();
            let weigh = |x: &[f64]| -> f64 {
                let values = surrogate.values(x);
                values.iter().zip(&weights).map(|(v, w)| v * w).sum()
            };
            let found = surrogate.vjp(&x, &weights);
            for i in 0..n {
                let moved = |h: f64| {
                    let mut x = x.clone();
                    x[i] += h;
                    weigh(&x)
                };
                let h = 1e-4;
                let expected = (8.0 * (moved(h) - moved(-h)) - (moved(2.0 * h) - moved(-2.0 * h)))
                    / (12.0 * h);
                let error = (found[i] - expected).abs();
                let name = surrogate.names()[i];
                assert!(
                    error <= 1e-8 * (1.0 + expected.abs()),
                    "{id} {name}: {error:e}"
                );
            }
        }
    }

    #[test]
    fn selections_name_parameters_groups_and_all() {
        let mut surrogate = Surrogate::new(model("smf").unwrap(), None).unwrap();
        assert_eq!(surrogate.len(), 44, "{:?}", surrogate.names());
        surrogate
            .train_only(&["conductance".into(), "rate.amB".into()])
            .unwrap();
        assert_eq!(
            surrogate.names(),
            ["gnabar", "gnapbar", "gkbar", "gl", "amB"]
        );
        surrogate.freeze("gl").unwrap();
        assert_eq!(surrogate.len(), 4);
        surrogate.set("gl", 0.1).unwrap();
        surrogate.reset("conductance").unwrap();
        assert_eq!(surrogate.values(&[0.0; 4])[3], 0.007);
        let error = surrogate.unfreeze("conductanse").unwrap_err().to_string();
        assert!(error.contains("did you mean `conductance`"), "{error}");
    }
}
