//! Plausibility checks of a nerve folder: signs of a wrong unit, a wrong shape or a coarse export.

use std::fmt;

use axonml_core::error::short;
use axonml_core::{GapRepair, Nerve, SamplingError};
use ndarray::Array2;

use super::NerveOptions;
use super::units::FieldUnits;

/// A shorter nerve holds no fiber, um.
const SHORTEST_UM: f64 = 1000.0;
/// Potentials below this would need amperes, mV per mA.
const LOWEST_PEAK_MV: f64 = 1.0;
/// Potentials above this fire fibers at less than a microampere, mV per mA.
const HIGHEST_PEAK_MV: f64 = 1e5;
/// Consecutive samples that may be missing inside a line: a longer gap may hide a peak.
const LONGEST_GAP: usize = 5;
/// Interpolation errors from which on a note is given, or the nerve refused, percent of a line's peak.
const COARSE_PCT: f64 = 1.0;
const TOO_COARSE_PCT: f64 = 5.0;

/// Something unusual about a nerve that was read.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum NerveNote {
    /// Lines are sampled coarsely.
    Coarse(SamplingError),
    /// Potentials are higher than a current of 1 mA makes them.
    HighPotential {
        /// Largest magnitude, mV per mA.
        peak_mv: f64,
    },
}

impl fmt::Display for NerveNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Coarse(error) => f.write_str(&coarse(error)),
            Self::HighPotential { peak_mv } => write!(
                f,
                "the potentials reach {} mV per mA, expected {} or less: are they per A? Name their unit in nerve.json, \
                 e.g. \"field_units\": {{\"potential\": \"mV\", \"current\": \"A\"}}",
                short(*peak_mv),
                short(HIGHEST_PEAK_MV)
            ),
        }
    }
}

fn coarse(error: &SamplingError) -> String {
    format!(
        "the lines are sampled coarsely, every {} um: that of contact {}, fiber {} is interpolated with an estimated error of \
         {:.1} % of its peak, expected {COARSE_PCT} % or less; sample more densely",
        short(error.spacing_um),
        error.contact,
        error.fiber,
        error.percent
    )
}

/// Refuses contacts whose axes are swapped.
pub(super) fn transposed(contacts: &[Array2<f64>], samples: usize) -> Result<(), String> {
    for (contact, lines) in contacts.iter().enumerate() {
        let (rows, columns) = lines.dim();
        if rows == samples && columns != samples {
            return Err(format!(
                "{contact}.npy has the shape ({rows}, {columns}) and fiber_z.npy {samples} samples, expected (fibers, samples) \
                 = ({columns}, {samples}): the array is transposed; save its transpose (NumPy: `a.T`)"
            ));
        }
    }
    Ok(())
}

/// Notes on implausible data of a nerve; an error where the data can hardly be right.
pub(super) fn examine(
    nerve: &Nerve,
    units: &FieldUnits,
    options: NerveOptions,
) -> Result<Vec<NerveNote>, String> {
    let z = nerve.fiber_z_um();
    let span = z[z.len() - 1] - z[0];
    if span < SHORTEST_UM && units.z.is_none() {
        let unit = if span < 1.0 { "m" } else { "mm" };
        return Err(format!(
            "fiber_z spans {span}: is it in {unit}? Expected um, {SHORTEST_UM} or more; multiply it, or name its unit in \
             nerve.json: \"field_units\": {{\"z\": \"{unit}\"}}",
            span = short(span)
        ));
    }
    let mut peak_mv = 0.0_f64;
    for contact in 0..nerve.contacts() {
        let known = nerve
            .potentials_mv(contact)
            .iter()
            .filter(|v| v.is_finite());
        let of_contact = known.fold(0.0, |peak: f64, v| peak.max(v.abs()));
        let constant = nerve.potentials_mv(contact).outer_iter().all(|line| {
            let mut known = line.iter().filter(|v| v.is_finite());
            known.next().is_none_or(|first| known.all(|v| v == first))
        });
        if constant {
            return Err(format!(
                "the potentials of {contact}.npy are {} along every line, expected a field that varies along the fibers; \
                 export the field again",
                if of_contact == 0.0 { "0" } else { "constant" }
            ));
        }
        peak_mv = peak_mv.max(of_contact);
    }
    if peak_mv < LOWEST_PEAK_MV && !units.names_potential() {
        return Err(format!(
            "the potentials peak at {} mV per mA, expected {LOWEST_PEAK_MV} or more: are they in V? Multiply them by 1000, or \
             name their unit in nerve.json: \"field_units\": {{\"potential\": \"V\", \"current\": \"mA\"}}",
            short(peak_mv)
        ));
    }
    let long = |repair: &&GapRepair| repair.samples.len() > LONGEST_GAP;
    if let Some(gap) = nerve.repairs().iter().find(long)
        && !options.accept_coarse
    {
        let samples = &gap.samples;
        return Err(format!(
            "samples {} to {} of contact {}, fiber {} are NaN, {} um inside the line, expected at most {LONGEST_GAP} in a row: \
             the field may peak there; export it again, or accept interpolation with --accept-coarse",
            samples.start,
            samples.end - 1,
            gap.contact,
            gap.fiber,
            short(z[samples.end] - z[samples.start - 1]),
        ));
    }
    let mut notes = Vec::new();
    if peak_mv > HIGHEST_PEAK_MV && !units.names_potential() {
        notes.push(NerveNote::HighPotential { peak_mv });
    }
    if let Some(error) = nerve
        .sampling_error()
        .filter(|error| error.percent > COARSE_PCT)
    {
        if error.percent > TOO_COARSE_PCT && !options.accept_coarse {
            return Err(format!(
                "{} (errors above {TOO_COARSE_PCT} % are refused), or accept it with --accept-coarse",
                coarse(&error)
            ));
        }
        notes.push(NerveNote::Coarse(error));
    }
    Ok(notes)
}
