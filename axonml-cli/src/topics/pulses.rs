//! Waveforms, from the library's catalogue.

use axonml::PULSES;
use axonml::waveform::{COMMON_KEYS, PulseKey};

use super::layout::{paragraph, rows};

/// The text of `axonml help pulses`.
pub(super) fn text() -> String {
    let mut out = String::new();
    paragraph(
        &mut out,
        "A waveform has unit amplitude and is multiplied by the amplitude under study and by the factor of each contact. \
         Negative values are cathodic. Times are in ms, frequencies in kHz.",
    );
    out.push_str(
        "\n--pulse NAME:KEY=VALUE,...   for example biphasic:pw=0.2,gap=0.05,delay=0.5\n\n",
    );
    for kind in PULSES {
        let mut summary = kind.summary.to_owned();
        if !kind.aliases.is_empty() {
            summary += &format!(" (also called {})", kind.aliases.join(", "));
        }
        rows(&mut out, 2, 22, [(kind.name, summary)]);
        rows(&mut out, 4, 20, kind.keys.iter().map(entry));
    }
    rows(
        &mut out,
        2,
        22,
        [
            (
                "file:W.csv",
                "lines of time_ms,amplitude; each amplitude holds until the next time",
            ),
            (
                "file:W.csv#K",
                "the same of a table with several amplitudes, the first of which is #0: \
                 --pulse 0:file:waveforms.csv#0 --pulse 1:file:waveforms.csv#1 delivers what axonml optimize found",
            ),
        ],
    );
    out.push_str("\nKeys of every pulse:\n");
    rows(&mut out, 4, 20, COMMON_KEYS.iter().map(entry));
    out.push_str(
        "\n\
         A sum of pulses:  monophasic(pw=0.1,delay=0.5)+monophasic(pw=0.1,delay=1,scale=2)\n\
         A train:          train:pulse=biphasic(pw=0.05),freq=10,n=20,delay=0.5\n\
         Polarity:         --polarity anodic flips the sign of the whole waveform; scale=-1 that of one pulse\n\n",
    );
    paragraph(
        &mut out,
        "Rectangular phases are averaged over each time step, so that each carries its exact charge on any grid. Smooth \
         shapes are sampled at the beginning of each step.",
    );
    out.push('\n');
    paragraph(
        &mut out,
        "Tables of conditions have a column `pulse` with such texts, or a column `shape` with pw_ms and delay_ms: mono, \
         anodic, biphasic, biphasic_anodic_first, biphasic_gapG (a gap of G ms), asym_biphasic, triangle, ramp_up, \
         ramp_down, gaussian, sine_cycle, sine_burstF_C (C cycles of F kHz). A shape whose name says a polarity takes no \
         cell in `polarity`.",
    );
    out
}

/// A key with its meaning and default.
fn entry(key: &PulseKey) -> (&'static str, String) {
    let default = key.default.map(|default| format!(" [default: {default}]"));
    (
        key.name,
        format!("{}{}", key.summary, default.unwrap_or_default()),
    )
}
