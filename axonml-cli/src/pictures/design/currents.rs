//! Currents of the contacts of a design.

use axonml::design::{Baseline, DesignRecord};

use super::delivery::{Delivery, Form, edges};
use super::{Detail, is_scan};
use crate::plot::{ContactCurrent, CurrentsPanel};

/// The currents, as far as they are known.
pub(super) fn panel(
    record: &DesignRecord,
    delivery: &Delivery,
    detail: Detail,
) -> Option<CurrentsPanel> {
    let result = &record.result;
    let contacts = result.amplitudes_ma.len().max(record.currents_ma.len());
    let best = result.baselines.get("best").filter(|_| !is_scan(record));
    let contact = |at: usize| contact(record, delivery, best, at);
    (contacts > 0).then(|| CurrentsPanel {
        points: detail.points,
        edges_ms: edges(&record.times_ms),
        contacts: (0..contacts).map(contact).collect(),
        bars: match (delivery.form, delivery.polarity) {
            (Form::Waveforms, _) => "range of the current",
            (_, Some(_)) => "first phase",
            (_, None) => "amplitude",
        }
        .to_owned(),
    })
}

fn contact(
    record: &DesignRecord,
    delivery: &Delivery,
    best: Option<&Baseline>,
    at: usize,
) -> ContactCurrent {
    let result = &record.result;
    let currents_ma = record.currents_ma.get(at).cloned().unwrap_or_default();
    let amplitude_ma = result.amplitudes_ma.get(at).copied().unwrap_or(0.0);
    let first_ma = delivery.first_phase_ma(amplitude_ma);
    let phases = delivery.phases.get(at).map_or(&[][..], Vec::as_slice);
    let is_waveform = delivery.form == Form::Waveforms;
    let bar_ma = match is_waveform {
        true => {
            let finite = || currents_ma.iter().copied().filter(|ma| ma.is_finite());
            [finite().fold(0.0, f64::min), finite().fold(0.0, f64::max)]
        }
        false => [first_ma.min(0.0), first_ma.max(0.0)],
    };
    let largest_nc = phases
        .iter()
        .map(|phase| phase.charge_nc.abs())
        .reduce(f64::max);
    ContactCurrent {
        bar_ma,
        before_ma: best
            .filter(|_| !is_waveform)
            .and_then(|best| best.amplitudes_ma.get(at))
            .map(|ma| delivery.first_phase_ma(*ma)),
        bounds_ma: record.bounds_ma.get(at).copied(),
        charge_nc: result.charge_phase_nc.get(at).copied().or(largest_nc),
        sign: delivery.sign(at, amplitude_ma),
        currents_ma,
    }
}
