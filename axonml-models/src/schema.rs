//! The declaration of a fiber model as data, read by listings, documentation, files and checks.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use axonml_core::CoreError;

use crate::validation::{Difference, Validation};

/// A name or a text of a model: part of the program, or made at run time.
pub type Text = Cow<'static, str>;

/// Transform from a trained coordinate to a parameter: the change of the parameter per unit of the coordinate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// It is multiplied by e: for positive (or negative) constants, which keep their sign.
    Factor,
    /// This much is added.
    Shift(f64),
    /// It moves with another parameter, in proportion to it, and by this share of itself: for parameters that nearly
    /// cancel each other, where the ratio matters far more than the size.
    Ratio {
        /// The other parameter.
        to: &'static str,
        /// Relative change of the ratio.
        share: f64,
    },
}

/// The physically admissible values of a parameter: others are refused, wherever they come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Physical {
    /// Any finite number: potentials, shifts, coefficients of polynomials.
    #[default]
    Any,
    /// At least 0: conductances.
    NotNegative,
    /// Above 0: capacitances, resistivities, lengths, durations, concentrations, temperature factors.
    Positive,
    /// Above absolute zero, in degrees Celsius.
    Celsius,
}

impl Physical {
    /// The range of a parameter of this group and unit, unless its model states another.
    fn of(group: &str, unit: &str) -> Self {
        match (group, unit) {
            ("conductance", _) | (_, "S/cm2" | "mS/cm2" | "S" | "mS" | "uS" | "nS") => {
                Physical::NotNegative
            }
            ("capacitance" | "resistivity" | "concentration" | "diffusion", _)
            | (_, "uF/cm2" | "mF/cm2" | "F/cm2" | "nF" | "pF")
            | (_, "mM" | "ohm cm" | "ohm-cm" | "Mohm" | "um" | "cm" | "mm" | "ms")
            | ("temperature", "") => Physical::Positive,
            ("temperature", _) => Physical::Celsius,
            _ => Physical::Any,
        }
    }

    /// Whether a parameter can have this value.
    pub fn admits(self, value: f64) -> bool {
        let within = match self {
            Physical::Any => true,
            Physical::NotNegative => value >= 0.0,
            Physical::Positive => value > 0.0,
            Physical::Celsius => value > ABSOLUTE_ZERO_C,
        };
        within && value.is_finite()
    }

    /// The numbers that it admits.
    pub(crate) fn range(self) -> RangeInclusive<f64> {
        match self {
            Physical::Any => f64::MIN..=f64::MAX,
            Physical::NotNegative => 0.0..=f64::MAX,
            Physical::Positive => f64::MIN_POSITIVE..=f64::MAX,
            Physical::Celsius => ABSOLUTE_ZERO_C.next_up()..=f64::MAX,
        }
    }

    /// The range in words.
    pub fn describe(self) -> &'static str {
        match self {
            Physical::Any => "a finite number",
            Physical::NotNegative => "a finite number of at least 0",
            Physical::Positive => "a finite number above 0",
            Physical::Celsius => "degrees Celsius above -273.15",
        }
    }
}

/// Absolute zero, degrees Celsius.
const ABSOLUTE_ZERO_C: f64 = -273.15;

/// A named constant of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Name, unique within the model.
    pub name: Text,
    /// Group that parameters are listed and trained by: `conductance`, `reversal`, `geometry`, ...
    pub group: Text,
    /// Default value.
    pub value: f64,
    /// Unit, in the field's notation; empty for pure numbers.
    pub unit: Text,
    /// Its transform in training.
    pub scale: Scale,
    /// Whether training moves it by default.
    pub trained: bool,
    /// The values that training keeps it within.
    pub range: RangeInclusive<f64>,
    /// The values that are physically admissible.
    pub physical: Physical,
}

impl Parameter {
    /// `group.name`.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.group, self.name)
    }
}

/// The initial state of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct DeclaredStart {
    /// Membrane potential everywhere, mV.
    pub v_mv: f64,
    /// Values of the states, where the publication lists them; otherwise their steady state at that potential.
    pub states: Option<Vec<f64>>,
}

/// Conduction velocity as a power of the fiber's diameter, for the default duration of runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConductionSpeed {
    /// Speed at `at_um`, m/s.
    pub m_per_s: f64,
    /// Diameter with that speed, um.
    pub at_um: f64,
    /// Exponent of the diameter: about 1 with myelin, 1/2 without.
    pub exponent: f64,
}

impl ConductionSpeed {
    /// Conduction velocity in a fiber of this diameter, um/ms (mm/s times 1, m/s times 1000).
    pub fn um_per_ms(&self, diameter_um: f64) -> f64 {
        1e3 * self.m_per_s * (diameter_um / self.at_um).powf(self.exponent)
    }
}

/// A model's declaration of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// Id, as `--model` takes it.
    pub id: Text,
    /// Summary in one line.
    pub summary: Text,
    /// Literature sources of equations and constants.
    pub citations: Vec<Text>,
    /// Parameters.
    pub parameters: Vec<Parameter>,
    /// State variables besides the voltage.
    pub states: Vec<Text>,
    /// Fiber diameters for which the geometry is defined, um.
    pub diameters_um: RangeInclusive<f64>,
    /// The only diameters for which it is, where those are a list.
    pub listed_um: Option<Cow<'static, [f64]>>,
    /// Initial state of a run.
    pub start: DeclaredStart,
    /// Temperature unless the user sets another, degrees Celsius.
    pub celsius: f64,
    /// Length of a compartment unless the user sets another, um; none where diameter alone fixes the geometry.
    pub compartment_um: Option<f64>,
    /// Default length of a fiber without nodes of Ranvier, um.
    pub length_um: Option<f64>,
    /// Conduction velocity, from which the default duration of runs follows.
    pub speed: Option<ConductionSpeed>,
    /// Distance of all nodes from their start, mV, below which a fiber whose sources are off will not fire any more: a
    /// search for thresholds ends such trials early. None where that has not been tried.
    pub quiet_band_mv: Option<f64>,
    /// Description of the time stepping scheme.
    pub scheme: Text,
    /// Bundled weights that replace the declared parameters by default; see
    /// [`bundled`](crate::weights::bundled).
    pub weights: Option<&'static str>,
    /// The exact model that this one stands for, of surrogates and other schemes: what its answers are verified with.
    pub exact: Option<Text>,
    /// Comparisons with numbers of others.
    pub validations: Vec<Validation>,
    /// Names that [`Schema::train`], [`Schema::keep_within`] or [`Schema::physical`] were given and that no parameter
    /// declared before has: lowering the model reports the first of them as an error.
    pub(crate) unknown: Vec<String>,
}

impl Schema {
    /// A model called `id`, with nothing declared yet: any diameter, 37 degrees, start at -70 mV.
    pub fn new(id: impl Into<Text>, summary: impl Into<Text>) -> Self {
        Schema {
            id: id.into(),
            summary: summary.into(),
            citations: Vec::new(),
            parameters: Vec::new(),
            states: Vec::new(),
            diameters_um: f64::MIN_POSITIVE..=f64::MAX,
            listed_um: None,
            start: DeclaredStart {
                v_mv: -70.0,
                states: None,
            },
            celsius: 37.0,
            compartment_um: None,
            length_um: None,
            speed: None,
            quiet_band_mv: None,
            scheme: "".into(),
            weights: None,
            exact: None,
            validations: Vec::new(),
            unknown: Vec::new(),
        }
    }

    /// Adds a literature source.
    #[must_use]
    pub fn cite(mut self, source: impl Into<Text>) -> Self {
        self.citations.push(source.into());
        self
    }

    /// Declares the state variables besides the voltage.
    #[must_use]
    pub fn states<const N: usize>(mut self, names: [&'static str; N]) -> Self {
        self.states.extend(names.map(Text::from));
        self
    }

    /// Adds a parameter.
    #[must_use]
    pub fn param(
        mut self,
        group: impl Into<Text>,
        name: impl Into<Text>,
        value: f64,
        unit: impl Into<Text>,
    ) -> Self {
        let (group, unit) = (group.into(), unit.into());
        self.parameters.push(Parameter {
            physical: Physical::of(&group, &unit),
            name: name.into(),
            group,
            value,
            unit,
            scale: Scale::Factor,
            trained: false,
            range: f64::MIN..=f64::MAX,
        });
        self
    }

    /// States which values parameters of these names or groups, declared before, can have, where their group and unit
    /// do not imply it: coefficients of a polynomial may be negative lengths.
    #[must_use]
    pub fn physical(mut self, names: &[&str], range: Physical) -> Self {
        self.each_named(names, |parameter| parameter.physical = range);
        self
    }

    /// Checks that no parameter is set twice, by `name`, by `group.name` or by one of each; unknown names pass.
    ///
    /// # Errors
    /// [`CoreError::BadValue`] with both settings.
    pub fn refuse_repeated(&self, settings: &[(String, f64)]) -> Result<(), CoreError> {
        let of = |name: &str| {
            let named = |p: &&Parameter| p.name == name || p.full_name() == name;
            self.parameters.iter().find(named).map(Parameter::full_name)
        };
        for (index, (name, value)) in settings.iter().enumerate() {
            let Some(parameter) = of(name) else {
                continue;
            };
            let before = settings[..index].iter();
            let mut same = before.filter(|(other, _)| of(other).as_ref() == Some(&parameter));
            if let Some((first, first_value)) = same.next() {
                return Err(CoreError::BadValue {
                    what: format!("parameter {parameter}"),
                    found: format!("{first}={first_value} and {name}={value}"),
                    expected: "one value: leave out one of them".into(),
                });
            }
        }
        Ok(())
    }

    /// Changes the parameters of these names or groups; notes unknown names.
    fn each_named(&mut self, names: &[&str], mut change: impl FnMut(&mut Parameter)) {
        for &name in names {
            let mut known = false;
            let has = |p: &&mut Parameter| p.name == name || p.group == name;
            for parameter in self.parameters.iter_mut().filter(has) {
                known = true;
                change(parameter);
            }
            if !known {
                self.unknown.push(name.to_owned());
            }
        }
    }

    /// Lets training move the parameters of these names or groups, declared before, by `scale`. A name that no
    /// parameter or group has is an error when the model is used.
    #[must_use]
    pub fn train(mut self, names: &[&str], scale: Scale) -> Self {
        self.each_named(names, |parameter| {
            parameter.scale = scale;
            parameter.trained = true;
        });
        if let Scale::Ratio { to, .. } = scale
            && self.parameters.iter().all(|p| p.name != to)
        {
            self.unknown.push(to.to_owned());
        }
        self
    }

    /// Keeps a parameter or group, declared before, within a range during training. An unknown name is an error when
    /// the model is used.
    #[must_use]
    pub fn keep_within(mut self, name: &str, range: RangeInclusive<f64>) -> Self {
        self.each_named(&[name], |parameter| parameter.range = range.clone());
        self
    }

    /// Limits the diameters, um.
    #[must_use]
    pub fn diameters_um(mut self, range: RangeInclusive<f64>) -> Self {
        self.diameters_um = range;
        self
    }

    /// Limits the diameters to a list, um, ascending.
    #[must_use]
    pub fn diameters_listed_um(mut self, listed: impl Into<Cow<'static, [f64]>>) -> Self {
        let listed = listed.into();
        if let (Some(first), Some(last)) = (listed.first(), listed.last()) {
            self.diameters_um = *first..=*last;
        }
        self.listed_um = Some(listed);
        self
    }

    /// The diameters that the model has, in words, if this one (um) is none of them.
    pub fn wrong_diameter(&self, diameter_um: f64) -> Option<String> {
        let has = match &self.listed_um {
            Some(listed) => listed.contains(&diameter_um),
            None => self.diameters_um.contains(&diameter_um),
        };
        if has {
            return None;
        }
        let nearest = self.nearest_um(diameter_um);
        Some(match &self.listed_um {
            Some(_) => format!("{} um; the nearest is {nearest}", self.diameters()),
            None => format!("{} um", self.diameters()),
        })
    }

    /// The diameter of the model that is next to this one, um.
    pub fn nearest_um(&self, diameter_um: f64) -> f64 {
        let distance = |x: &f64| (x - diameter_um).abs();
        let listed = self
            .listed_um
            .as_deref()
            .unwrap_or_default()
            .iter()
            .copied();
        let nearest = listed.min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.unwrap_or_else(|| {
            let range = &self.diameters_um;
            diameter_um.max(*range.start()).min(*range.end())
        })
    }

    /// The diameters that the model has, um, in words: a range or a list.
    pub fn diameters(&self) -> String {
        let range = &self.diameters_um;
        match &self.listed_um {
            Some(listed) => {
                let each: Vec<String> = listed.iter().map(f64::to_string).collect();
                each.join(", ")
            }
            None if *range.start() <= f64::MIN_POSITIVE && *range.end() == f64::MAX => "any".into(),
            None => format!("{} to {}", range.start(), range.end()),
        }
    }

    /// Starts runs at `v_mv` with all states at their steady state there.
    #[must_use]
    pub fn start_mv(mut self, v_mv: f64) -> Self {
        self.start.v_mv = v_mv;
        self
    }

    /// Starts runs with these values of the states instead.
    #[must_use]
    pub fn start_states<const N: usize>(mut self, values: [f64; N]) -> Self {
        self.start.states = Some(values.to_vec());
        self
    }

    /// Sets the default temperature, degrees Celsius.
    #[must_use]
    pub fn celsius(mut self, celsius: f64) -> Self {
        self.celsius = celsius;
        self
    }

    /// Cuts the fiber into compartments of this length, um, which users may change.
    #[must_use]
    pub fn compartment_um(mut self, length: f64) -> Self {
        self.compartment_um = Some(length);
        self
    }

    /// Makes fibers without nodes of Ranvier this long, um, by default.
    #[must_use]
    pub fn length_um(mut self, length: f64) -> Self {
        self.length_um = Some(length);
        self
    }

    /// Declares the conduction velocity: `m_per_s` in a fiber of `at_um`, growing with this power of the diameter.
    #[must_use]
    pub fn conducts(mut self, m_per_s: f64, at_um: f64, exponent: f64) -> Self {
        self.speed = Some(ConductionSpeed {
            m_per_s,
            at_um,
            exponent,
        });
        self
    }

    /// Declares the distance from their start, mV, within which nodes are at rest again: see [`Schema::quiet_band_mv`].
    #[must_use]
    pub fn quiet_band_mv(mut self, band: f64) -> Self {
        self.quiet_band_mv = Some(band);
        self
    }

    /// Describes the time stepping scheme.
    #[must_use]
    pub fn scheme(mut self, scheme: impl Into<Text>) -> Self {
        self.scheme = scheme.into();
        self
    }

    /// Names the bundled weights that are used unless the user chooses others.
    #[must_use]
    pub fn weights(mut self, name: &'static str) -> Self {
        self.weights = Some(name);
        self
    }

    /// Names the exact model that this one stands for: see [`Schema::exact`](#structfield.exact).
    #[must_use]
    pub fn stands_for(mut self, id: impl Into<Text>) -> Self {
        self.exact = Some(id.into());
        self
    }

    /// States how far the thresholds of this many cases are from another program's, %: mean and largest size.
    #[must_use]
    pub fn thresholds_of(
        self,
        against: &'static str,
        cases: usize,
        [mean_pct, worst_pct]: [f64; 2],
    ) -> Self {
        self.validated(
            against,
            cases,
            Difference::Thresholds {
                mean_pct,
                worst_pct,
            },
        )
    }

    /// States how far the voltages of this many runs are from another implementation's, mV.
    #[must_use]
    pub fn voltages_of(self, against: &'static str, cases: usize, worst_mv: f64) -> Self {
        self.validated(against, cases, Difference::Voltages { worst_mv })
    }

    fn validated(mut self, against: &'static str, cases: usize, difference: Difference) -> Self {
        self.validations.push(Validation {
            against,
            cases,
            difference,
        });
        self
    }
}
