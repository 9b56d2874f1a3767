//! The pulses that have a name, with their keys, for the parser, its messages and the help texts.

use super::Waveform;
use super::kind::{PulseKey, PulseKind, key};
use crate::names::canonical;

const PW: PulseKey = key("pw", "0.1", "pulse width in ms");
const GAP: PulseKey = key("gap", "0", "pause between the phases in ms");
const DIR: PulseKey = key(
    "dir",
    "up",
    "whether its magnitude rises (up) or falls (down)",
);

/// All pulses that have a name.
pub static PULSES: &[PulseKind] = &[
    PulseKind {
        name: "monophasic",
        aliases: &["mono"],
        summary: "-1 for pw",
        keys: &[PW],
        build: |given| Waveform::monophasic(given.number("pw")?),
    },
    PulseKind {
        name: "biphasic",
        aliases: &[],
        summary: "-1 for pw, 0 for gap, +1 for pw",
        keys: &[PW, GAP],
        build: |given| Waveform::biphasic(given.number("pw")?, given.number("gap")?),
    },
    PulseKind {
        name: "charge-balanced",
        aliases: &[],
        summary: "-1 for pw1, 0 for gap, +pw1/pw2 for pw2",
        keys: &[
            key("pw1", "0.1", "width of the first phase in ms"),
            key("pw2", "0.4", "width of the recharging phase in ms"),
            GAP,
        ],
        build: |given| {
            Waveform::charge_balanced(
                given.number("pw1")?,
                given.number("pw2")?,
                given.number("gap")?,
            )
        },
    },
    PulseKind {
        name: "asymmetric-biphasic",
        aliases: &["asym-biphasic"],
        summary: "-1 for pw, +0.25 for 4 pw",
        keys: &[PW],
        build: |given| Waveform::asymmetric_biphasic(given.number("pw")?),
    },
    PulseKind {
        name: "triangle",
        aliases: &[],
        summary: "down to -1 in the middle of pw and back",
        keys: &[PW],
        build: |given| Waveform::triangle(given.number("pw")?),
    },
    PulseKind {
        name: "ramp",
        aliases: &[],
        summary: "straight from 0 to -1 (up) or from -1 to 0 (down) within pw",
        keys: &[PW, DIR],
        build: |given| Waveform::ramp(given.number("pw")?, given.text("dir").parse()?),
    },
    PulseKind {
        name: "gaussian",
        aliases: &["gauss"],
        summary: "a bell of depth -1 within pw, its standard deviation pw/6",
        keys: &[PW],
        build: |given| Waveform::gaussian(given.number("pw")?),
    },
    PulseKind {
        name: "exp",
        aliases: &["exponential"],
        summary: "-exp((t-pw)/tau) (up) or -exp(-t/tau) (down) within pw",
        keys: &[PW, key("tau", "0.05", "time constant in ms"), DIR],
        build: |given| {
            Waveform::exponential(
                given.number("pw")?,
                given.number("tau")?,
                given.text("dir").parse()?,
            )
        },
    },
    PulseKind {
        name: "sine",
        aliases: &[],
        summary: "+sin(2 pi freq t) for dur, or to the end of the run",
        keys: &[
            key("freq", "10", "frequency in kHz"),
            PulseKey {
                name: "dur",
                summary: "duration in ms; without it, to the end of the run",
                default: None,
            },
        ],
        build: |given| Waveform::sine(given.number("freq")?, given.optional_number("dur")?),
    },
    PulseKind {
        name: "sine-cycle",
        aliases: &[],
        summary: "-sin(2 pi t / pw), one cycle",
        keys: &[PW],
        build: |given| Waveform::sine_cycle(given.number("pw")?),
    },
    PulseKind {
        name: "train",
        aliases: &[],
        summary: "n repetitions of a pulse, 1/freq ms apart",
        keys: &[
            key(
                "pulse",
                "monophasic",
                "the repeated pulse, written like biphasic(pw=0.1,gap=0)",
            ),
            key("freq", "1", "pulses per ms, i.e. kHz"),
            key("n", "3", "number of pulses"),
        ],
        build: |given| {
            Waveform::train(
                given.pulse("pulse")?,
                given.number("freq")?,
                given.count("n")?,
            )
        },
    },
];

/// All names and aliases of pulses.
pub(super) fn names() -> impl Iterator<Item = &'static str> + Clone {
    PULSES
        .iter()
        .flat_map(|kind| std::iter::once(kind.name).chain(kind.aliases.iter().copied()))
}

impl PulseKind {
    /// The kind with this name or alias.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        let name = canonical(name);
        PULSES
            .iter()
            .find(|kind| kind.name == name || kind.aliases.contains(&name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_and_keys_are_canonical_and_unique() {
        let mut seen = HashSet::new();
        for name in names() {
            assert!(seen.insert(name), "two pulses are called {name}");
            assert_eq!(canonical(name), name);
            assert!(
                PulseKind::named(name)
                    .is_some_and(|kind| kind.name == name || kind.aliases.contains(&name))
            );
        }
        for kind in PULSES {
            let keys: Vec<_> = kind.all_keys().map(|key| key.name).collect();
            let unique: HashSet<_> = keys.iter().collect();
            assert_eq!(unique.len(), keys.len(), "{}: {keys:?}", kind.name);
            assert!(keys.iter().all(|key| canonical(key) == *key));
        }
    }
}
