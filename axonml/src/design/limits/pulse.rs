//! Which stimuli a converter makes by amplitudes alone.

use super::super::Delivered;

/// How far from 1 the largest magnitude of a waveform may be that is a pulse times an amplitude.
const ROUNDING: f64 = 1e-12;

/// Whether the contacts that deliver anything share one waveform whose largest magnitude is 1: amplitudes are what a
/// converter sets then, see [`Limits::dac_ma`](super::Limits::dac_ma).
pub(super) fn is_of_one_pulse(stimulus: &Delivered) -> bool {
    let contacts = 0..stimulus.contacts();
    let mut delivering = contacts.filter(|contact| stimulus.peak_ma(*contact) > 0.0);
    let Some(first) = delivering.next() else {
        return true;
    };
    let waveform = &stimulus.waveforms[first];
    has_unit_peak(waveform) && delivering.all(|other| stimulus.waveforms[other] == *waveform)
}

/// Whether the largest magnitude of a waveform is 1.
pub(super) fn has_unit_peak(waveform: &[f64]) -> bool {
    let largest = waveform
        .iter()
        .fold(0.0_f64, |most, value| most.max(value.abs()));
    (largest - 1.0).abs() <= ROUNDING
}
