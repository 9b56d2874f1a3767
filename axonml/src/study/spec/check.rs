//! Numbers within the bounds that the command line's flags have, and settings that exclude one another.
//!
//! A study file says the same as flags do: what a flag refuses is refused here, under the key's name.

use axonml_models::conditions::cell;
use axonml_models::{NODES_LIMIT, ThresholdSearch};

use super::{
    ConditioningSpec, DetectionSpec, Diameters, FiberGroup, FieldSpec, InjectionSpec, Offset,
    SearchSpec, SourceSpec, StartSpec, Study,
};
use crate::study::StudyError;

/// Refuses a number that `valid`, which flags and table cells use, refuses as text.
pub(in crate::study) fn number(
    key: &str,
    value: f64,
    valid: impl Fn(&str) -> Result<f64, String>,
) -> Result<(), StudyError> {
    match valid(&value.to_string()) {
        Ok(_) => Ok(()),
        Err(expected) => Err(
            StudyError::request(format!("{key}: found {value}, {expected}"))
                .help("correct the number, or leave the key out where it has a default"),
        ),
    }
}

/// Refuses a number that is there and wrong.
pub(in crate::study) fn optional(
    key: &str,
    value: Option<f64>,
    valid: impl Fn(&str) -> Result<f64, String>,
) -> Result<(), StudyError> {
    value.map_or(Ok(()), |value| number(key, value, valid))
}

/// Refuses a list without numbers, or with wrong ones.
pub(in crate::study) fn list(
    key: &str,
    values: Option<&[f64]>,
    valid: impl Fn(&str) -> Result<f64, String>,
) -> Result<(), StudyError> {
    let Some(values) = values else {
        return Ok(());
    };
    if values.is_empty() {
        return Err(empty(key, "numbers"));
    }
    values
        .iter()
        .try_for_each(|value| number(key, *value, &valid))
}

/// An empty list, which would mean nothing.
pub(in crate::study) fn empty(key: &str, of: &str) -> StudyError {
    StudyError::request(format!(
        "{key}: found an empty list, expected one or more {of}"
    ))
    .help("list what is meant, or leave the key out where it has a default")
}

/// Two keys of which one would be ignored.
pub(in crate::study) fn exclusive(one: &str, other: &str) -> StudyError {
    StudyError::request(format!("found {one} and {other}, expected one of them"))
        .help("leave one of them out")
}

/// A setting that does nothing, and why.
pub(in crate::study) fn idle(key: &str, why: &str) -> StudyError {
    StudyError::request(format!("{key} has no effect: {why}")).help("leave it out")
}

/// Fractions of a length.
pub(in crate::study) fn fraction() -> impl Fn(&str) -> Result<f64, String> + Clone {
    cell::between("parts of the fiber's length", 0.0, 1.0)
}

/// The name of the `index`-th of some tables, which needs no number where there is one.
fn nth(name: &str, index: usize, of: usize) -> String {
    match of {
        1 => name.to_owned(),
        _ => format!("{name} {index}"),
    }
}

impl Study {
    /// Refuses numbers that no study can mean, and settings that contradict each other.
    ///
    /// # Errors
    /// [`StudyError`] with table and key, what was found and what was expected.
    pub fn check_numbers(&self) -> Result<(), StudyError> {
        for (index, group) in self.fibers.iter().enumerate() {
            let place = nth("fibers", index, self.fibers.len());
            group.check().map_err(|error| error.at(place))?;
        }
        self.field.check().map_err(|error| error.at("field"))?;
        for (index, source) in self.sources.iter().enumerate() {
            let place = nth("source", index, self.sources.len());
            source.check().map_err(|error| error.at(place))?;
        }
        for (index, injection) in self.injections.iter().enumerate() {
            let place = nth("inject", index, self.injections.len());
            injection.check().map_err(|error| error.at(place))?;
        }
        for (index, conditioning) in self.conditioning.iter().enumerate() {
            let place = nth("conditioning", index, self.conditioning.len());
            conditioning.check().map_err(|error| error.at(place))?;
        }
        self.detection
            .check()
            .map_err(|error| error.at("detection"))?;
        self.search.check().map_err(|error| error.at("search"))?;
        let numerics = [
            ("dt_ms", self.numerics.dt_ms),
            ("tstop_ms", self.numerics.tstop_ms),
        ];
        for (key, value) in numerics {
            optional(key, value, cell::positive("ms")).map_err(|error| error.at("numerics"))?;
        }
        self.check_design()
    }
}

impl FiberGroup {
    fn check(&self) -> Result<(), StudyError> {
        let um = cell::positive("um");
        optional(
            "temperature_celsius",
            self.temperature_celsius,
            cell::temperature,
        )?;
        optional("warmup_ms", self.warmup_ms, cell::positive("ms"))?;
        match &self.diameter_um {
            Some(Diameters::One(one)) => number("diameter_um", *one, &um)?,
            Some(Diameters::List(many)) => list("diameter_um", Some(many), &um)?,
            Some(Diameters::Drawn(_)) | None => {}
        }
        if let Some(nodes) = self
            .nodes
            .filter(|nodes| !(3..=NODES_LIMIT).contains(nodes))
        {
            return Err(StudyError::request(format!(
                "nodes: found {nodes}, expected a whole number, 3 or more, at most {NODES_LIMIT}"
            ))
            .help("correct the number, or leave the key out"));
        }
        optional("length_um", self.length_um, &um)?;
        optional("compartment_um", self.compartment_um, &um)?;
        let shift = cell::finite("um");
        match &self.offset_um {
            Some(Offset::Um(one)) => number("offset_um", *one, shift)?,
            Some(Offset::List(many)) => list("offset_um", Some(many), shift)?,
            Some(Offset::Random) | None => {}
        }
        optional("weight", self.weight, cell::positive(""))?;
        for (name, value) in &self.set {
            number(&format!("set.{name}"), *value, cell::finite(""))?;
        }
        if self.nodes.is_some() && self.length_um.is_some() {
            return Err(exclusive("nodes", "length_um"));
        }
        match (self.start, self.warmup_ms) {
            (Some(StartSpec::Published), Some(warmup_ms)) => Err(StudyError::request(format!(
                "warmup_ms {warmup_ms} contradicts start = \"published\": a warmed-up fiber has left its published state"
            ))
            .help("leave one of them out")),
            _ => Ok(()),
        }
    }
}

impl FieldSpec {
    fn check(&self) -> Result<(), StudyError> {
        if let Some(contacts) = &self.contacts {
            // Their number is compared with the nerve's.
            let factors = contacts.iter();
            factors
                .copied()
                .try_for_each(|factor| number("contacts", factor, cell::finite("")))?;
        }
        let distances = self.distance_um.as_ref().map(|list| &list.0[..]);
        list("distance_um", distances, cell::positive("um"))?;
        let resistivities = self.resistivity_ohm_cm.iter().flat_map(|both| both.0);
        for resistivity in resistivities {
            number("resistivity_ohm_cm", resistivity, cell::positive("ohm-cm"))?;
        }
        for (index, point) in self.points.iter().enumerate() {
            let um = [
                ("x_um", point.x_um),
                ("y_um", point.y_um),
                ("z_um", point.z_um),
            ];
            let place = nth("point", index, self.points.len());
            let at = |error: StudyError| error.at(&place);
            for (key, value) in um {
                number(key, value, cell::finite("um")).map_err(at)?;
            }
            number("factor", point.factor, cell::finite("")).map_err(at)?;
        }
        Ok(())
    }
}

impl SourceSpec {
    fn check(&self) -> Result<(), StudyError> {
        let of = |many: &Option<super::OneOrMany<f64>>| many.as_ref().map(|many| many.0.clone());
        optional("gain", self.gain, cell::finite(""))?;
        list(
            "delay_ms",
            of(&self.delay_ms).as_deref(),
            cell::not_negative("ms"),
        )?;
        list(
            "pulse_width_ms",
            of(&self.pulse_width_ms).as_deref(),
            cell::positive("ms"),
        )?;
        list(
            "frequency_kHz",
            of(&self.frequency_khz).as_deref(),
            cell::positive("kHz"),
        )?;
        match &self.pulse {
            Some(pulses) if pulses.0.is_empty() => Err(empty("pulse", "pulses")),
            _ => Ok(()),
        }
    }
}

impl InjectionSpec {
    fn check(&self) -> Result<(), StudyError> {
        if self.node.is_some() && self.at.is_some() {
            return Err(exclusive("node", "at"));
        }
        optional("at", self.at, fraction())?;
        optional("amp_nA", self.amp_na, cell::finite("nA"))?;
        number("pw_ms", self.pw_ms, cell::positive("ms"))?;
        number("delay_ms", self.delay_ms, cell::not_negative("ms"))
    }
}

impl ConditioningSpec {
    fn check(&self) -> Result<(), StudyError> {
        if self.node.is_some() && self.at.is_some() {
            return Err(exclusive("node", "at"));
        }
        optional("at", self.at, fraction())?;
        number("amp_nA", self.amp_na, cell::finite("nA"))?;
        number("pw_ms", self.pw_ms, cell::positive("ms"))?;
        number("at_ms", self.at_ms, cell::not_negative("ms"))
    }
}

impl DetectionSpec {
    fn check(&self) -> Result<(), StudyError> {
        if self.nodes.is_some() && self.at.is_some() {
            return Err(exclusive("nodes", "at"));
        }
        if self.nodes.as_ref().is_some_and(|nodes| nodes.0.is_empty()) {
            return Err(empty("nodes", "nodes"));
        }
        list("at", self.at.as_ref().map(|at| &at.0[..]), fraction())?;
        optional("threshold_mV", self.threshold_mv, cell::finite("mV"))?;
        optional("after_ms", self.after_ms, cell::not_negative("ms"))
    }
}

impl SearchSpec {
    fn check(&self) -> Result<(), StudyError> {
        let first = cell::between("mA", 1e-15, 1e6);
        optional("first_amplitude_mA", self.first_amplitude_ma, first)?;
        let most = cell::between("mA", 1e-9, 1e6);
        optional("max_amplitude_mA", self.max_amplitude_ma, most)?;
        let current = cell::between("nA", 1e-6, 1e9);
        optional("max_current_nA", self.max_current_na, current)?;
        let most_ma = self
            .max_amplitude_ma
            .unwrap_or(ThresholdSearch::default().max_ma);
        if let Some(first) = self.first_amplitude_ma.filter(|first| *first > most_ma) {
            return Err(StudyError::request(format!(
                "first_amplitude_mA: found {first}, expected at most the largest amplitude, {most_ma} mA"
            ))
            .help("lower it, or raise max_amplitude_mA (--max-amplitude)"));
        }
        optional("resolution", self.resolution, cell::between("", 1e-9, 0.5))
    }

    /// The keys that are given.
    pub(in crate::study) fn given(&self) -> impl Iterator<Item = &'static str> {
        let all = [
            ("first_amplitude_mA", self.first_amplitude_ma.is_some()),
            ("max_amplitude_mA", self.max_amplitude_ma.is_some()),
            ("max_current_nA", self.max_current_na.is_some()),
            ("resolution", self.resolution.is_some()),
            ("early_end", self.early_end.is_some()),
            ("extrapolate", self.extrapolate.is_some()),
            ("end_excitation", self.end_excitation.is_some()),
        ];
        all.into_iter()
            .filter_map(|(key, given)| given.then_some(key))
    }
}
