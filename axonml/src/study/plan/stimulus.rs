//! From the sources of a study to waveforms: one set for each point of its grid.

use std::collections::BTreeMap;
use std::sync::Arc;

use axonml_core::waveform::COMMON_KEYS;
use axonml_core::{CoreError, PULSES, Waveform, names};
use axonml_models::conditions::{Polarity, PulseText};

use crate::study::case::{CaseInjection, CaseInjections};
use crate::study::spec::{InjectionSpec, OneOrMany, Protocol, SourceSpec, Study};
use crate::study::{Cell, StudyError};

/// The part of a field that a source acts through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// All contacts or points, each times its factor.
    Whole,
    /// One contact or point.
    One(usize),
    /// Every contact by itself: there is a source for each.
    Each,
}

/// The waveforms at one point of the grid.
#[derive(Clone, Debug)]
pub(super) struct Waveforms {
    /// Cells of the grid's columns.
    pub(super) cells: Vec<Cell>,
    /// Waveform of each source.
    pub(super) sources: Vec<(Reach, Arc<Waveform>)>,
    /// The waveform as text, for titles.
    pub(super) text: String,
}

impl Waveforms {
    /// End of the last one, ms, if all end.
    pub(super) fn end_ms(&self) -> Option<f64> {
        let mut ends = self.sources.iter().map(|(_, waveform)| waveform.end_ms());
        ends.try_fold(0.0, |last: f64, end| Some(last.max(end?)))
    }
}

/// The grid of waveforms.
#[derive(Clone, Debug, Default)]
pub(super) struct WaveformGrid {
    /// Columns that tell its points apart.
    pub(super) columns: Vec<&'static str>,
    /// Its points.
    pub(super) points: Vec<Waveforms>,
    /// Hashes of the files that pulses were read from.
    pub(super) files_sha256: BTreeMap<String, String>,
}

impl WaveformGrid {
    /// The waveforms of a study's sources; the default pulse where it has none.
    pub(super) fn of(study: &Study) -> Result<Self, StudyError> {
        let sources = &study.sources_or_default()[..];
        let reaches = match &study.protocol {
            Protocol::Optimize(_) => vec![Reach::Each],
            _ => reaches(sources)?,
        };
        let mut with_lists = sources.iter().enumerate().filter(|(_, s)| is_list(s));
        let varied = with_lists.next().map_or(0, |(index, _)| index);
        if let Some((index, _)) = with_lists.next() {
            return Err(StudyError::request(format!(
                "source {varied} and source {index} have lists, expected them in one source"
            ))
            .help("make grids over one source, or write one study for each combination"));
        }
        let mut grid = WaveformGrid {
            columns: columns(&sources[varied]),
            ..WaveformGrid::default()
        };
        for (cells, text) in texts(&sources[varied])? {
            let mut point = Waveforms {
                cells,
                sources: Vec::new(),
                text: String::new(),
            };
            for (index, (source, reach)) in sources.iter().zip(&reaches).enumerate() {
                let own;
                let text = match index == varied {
                    true => &text,
                    false => {
                        own = texts(source)?.swap_remove(0).1;
                        &own
                    }
                };
                let waveform = grid.read(text, source)?;
                let delivered = waveform.to_string();
                point.text = match point.text.is_empty() {
                    true => delivered,
                    false => format!("{} and {delivered}", point.text),
                };
                point.sources.push((*reach, Arc::new(waveform)));
            }
            grid.points.push(point);
        }
        Ok(grid)
    }

    fn read(&mut self, text: &str, source: &SourceSpec) -> Result<Waveform, StudyError> {
        let read = PulseText::read(text).map_err(|error| {
            StudyError::request(error)
                .at("pulse")
                .help("`axonml help pulses` lists the pulses with their keys, units and defaults")
        })?;
        if let Some(hash) = read.file_sha256 {
            self.files_sha256.insert(text.to_owned(), hash);
        }
        let waveform = source
            .polarity
            .unwrap_or(Polarity::Cathodic)
            .of(read.waveform);
        Ok(match source.gain {
            None => waveform,
            Some(gain) if gain.is_finite() => waveform.scaled(gain),
            Some(gain) => {
                return Err(StudyError::request(format!(
                    "gain: found {gain}, expected a finite number"
                )));
            }
        })
    }
}

/// The parts of the field that sources act through.
fn reaches(sources: &[SourceSpec]) -> Result<Vec<Reach>, StudyError> {
    let mut reaches = Vec::new();
    for source in sources {
        let reach = match (source.contact, source.point) {
            (None, None) => Reach::Whole,
            (Some(one), None) | (None, Some(one)) => Reach::One(one),
            (Some(contact), Some(point)) => {
                return Err(StudyError::request(format!(
                    "source: found contact {contact} and point {point}, expected one of them"
                )));
            }
        };
        if reach != Reach::Whole && reaches.contains(&reach) {
            return Err(StudyError::request(format!(
                "source: found two waveforms for {}, expected one",
                match source.contact {
                    Some(contact) => format!("contact {contact}"),
                    None => format!("point {}", source.point.unwrap_or_default()),
                }
            ))
            .help("add them up in one pulse: A + B"));
        }
        reaches.push(reach);
    }
    Ok(reaches)
}

fn is_list(source: &SourceSpec) -> bool {
    let many = |list: &Option<OneOrMany<f64>>| list.as_ref().is_some_and(|list| list.0.len() > 1);
    source.pulse.as_ref().is_some_and(|list| list.0.len() > 1)
        || many(&source.delay_ms)
        || many(&source.pulse_width_ms)
        || many(&source.frequency_khz)
}

/// The columns of the grid that a source makes.
fn columns(source: &SourceSpec) -> Vec<&'static str> {
    let several = source.pulse.as_ref().is_some_and(|list| list.0.len() > 1);
    let given = [
        ("pulse", several),
        ("delay_ms", source.delay_ms.is_some()),
        ("pw_ms", source.pulse_width_ms.is_some()),
        ("frequency_kHz", source.frequency_khz.is_some()),
    ];
    given
        .into_iter()
        .filter_map(|(name, given)| given.then_some(name))
        .collect()
}

/// The texts of a source's pulses, with the cells of the grid's columns.
fn texts(source: &SourceSpec) -> Result<Vec<(Vec<Cell>, String)>, StudyError> {
    let pulses = source.pulses();
    let axis = |list: &Option<OneOrMany<f64>>, key: &str| match list {
        None => Ok(vec![None]),
        Some(list) if list.0.is_empty() => Err(StudyError::request(format!(
            "{key}: found an empty list, expected one or more numbers"
        ))),
        Some(list) => Ok(list.0.iter().copied().map(Some).collect::<Vec<_>>()),
    };
    let delays = axis(&source.delay_ms, "delay_ms")?;
    let widths = axis(&source.pulse_width_ms, "pulse_width_ms")?;
    let frequencies = axis(&source.frequency_khz, "frequency_kHz")?;
    if pulses.is_empty() {
        return Err(StudyError::request(
            "pulse: found an empty list, expected one or more pulses",
        ));
    }
    let mut texts = Vec::new();
    let mut points = Vec::new();
    for delay in &delays {
        for width in &widths {
            for frequency in &frequencies {
                points.push([("delay", *delay), ("pw", *width), ("freq", *frequency)]);
            }
        }
    }
    for pulse in &pulses {
        for point in &points {
            let mut cells = Vec::new();
            if pulses.len() > 1 {
                cells.push(Cell::Text(pulse.clone()));
            }
            let mut text = pulse.clone();
            for (key, value) in point {
                if let Some(value) = value {
                    text = with_key(&text, key, *value)?;
                    cells.push(Cell::Number(*value));
                }
            }
            texts.push((cells, text));
        }
    }
    Ok(texts)
}

/// The pulse `text` with another value for one of its keys.
fn with_key(text: &str, key: &str, value: f64) -> Result<String, StudyError> {
    if is_sum(text) {
        return Err(StudyError::request(format!(
            "{}: found the pulse `{text}`, a sum: expected one pulse, whose {key} it replaces",
            in_place_of(key)
        ))
        .help("give one pulse, or list pulses with their own keys"));
    }
    let (name, settings) = text.split_once(':').unwrap_or((text, ""));
    let canonical = names::canonical(name.trim());
    let kind = PULSES.iter().find(|kind| {
        let mut all = kind.aliases.iter().chain([&kind.name]);
        all.any(|known| names::canonical(known) == canonical)
    });
    let has = kind.is_some_and(|kind| {
        let mut keys = kind.keys.iter().chain(&COMMON_KEYS);
        keys.any(|known| known.name == key)
    });
    if !has {
        let what = in_place_of(key);
        return Err(StudyError::request(format!(
            "{what}: found the pulse `{text}`, which has no key {key} of its own"
        ))
        .help(format!(
            "give a pulse with the key {key} (`axonml help pulses`), or list pulses"
        )));
    }
    let mut kept: Vec<String> = settings_of(settings)
        .into_iter()
        .filter(|setting| key_of(setting) != key)
        .map(str::to_owned)
        .collect();
    kept.insert(0, format!("{key}={value}"));
    Ok(format!("{}:{}", name.trim(), kept.join(",")))
}

/// The key of studies whose numbers replace a pulse's.
fn in_place_of(key: &str) -> &'static str {
    match key {
        "pw" => "pulse_width_ms",
        "freq" => "frequency_kHz",
        _ => "delay_ms",
    }
}

/// Whether the pulse `text` is a sum: it has a plus outside of parentheses that is no sign of a number.
fn is_sum(text: &str) -> bool {
    let mut depth = 0;
    let mut before = ' ';
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            '+' if depth == 0 && !"eE=".contains(before) => return true,
            _ => {}
        }
        if c != ' ' {
            before = c;
        }
    }
    false
}

/// The settings of a pulse, split at commas outside of parentheses.
fn settings_of(settings: &str) -> Vec<&str> {
    let mut depth = 0;
    let commas_outside = |c: char| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        c == ',' && depth == 0
    };
    let settings = settings.split(commas_outside);
    settings
        .filter(|setting| !setting.trim().is_empty())
        .collect()
}

fn key_of(setting: &str) -> &str {
    setting.split('=').next().unwrap_or_default().trim()
}

/// Whether the pulse `text` has a value for one of its keys.
pub(in crate::study) fn has_key(text: &str, key: &str) -> bool {
    let settings = text.split_once(':').map_or("", |(_, settings)| settings);
    settings_of(settings)
        .into_iter()
        .any(|setting| key_of(setting) == key)
}

/// The currents injected by a study: conditioning ones first.
pub(crate) fn injections(study: &Study) -> Result<Vec<CaseInjection>, StudyError> {
    let conditioning = study.conditioning.iter().map(|spec| spec.injection());
    let all = conditioning.chain(study.injections.iter().copied());
    let injection = |(index, spec): (usize, InjectionSpec)| -> Result<_, StudyError> {
        let wrong = |error: CoreError| StudyError::request(error).at(format!("inject {index}"));
        Ok(CaseInjection {
            node: spec.node.unwrap_or(0),
            at: spec.at,
            amp_na: spec.amp_na,
            pw_ms: spec.pw_ms,
            delay_ms: spec.delay_ms,
            waveform: Arc::new(spec.waveform().map_err(wrong)?),
        })
    };
    all.enumerate().map(injection).collect()
}

/// Injected currents with their nodes in a fiber of that many.
pub(crate) fn placed_injections(injections: &CaseInjections, nodes: usize) -> CaseInjections {
    if injections.iter().all(|injection| injection.at.is_none()) {
        return injections.clone();
    }
    let placed = injections.iter().cloned().map(|mut injection| {
        if let Some(at) = injection.at {
            injection.node = (at * (nodes - 1) as f64).round() as i64;
        }
        injection
    });
    Arc::new(placed.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_a_pulse_is_replaced() {
        for (text, key, expected) in [
            ("biphasic:pw=0.2,gap=0.1", "pw", "biphasic:pw=0.5,gap=0.1"),
            ("mono", "pw", "mono:pw=0.5"),
            (
                "train:pulse=biphasic(pw=0.05,gap=0.1),freq=10,n=3",
                "freq",
                "train:freq=0.5,pulse=biphasic(pw=0.05,gap=0.1),n=3",
            ),
        ] {
            assert_eq!(with_key(text, key, 0.5).unwrap(), expected);
        }
        let nested = with_key("train:pulse=biphasic(pw=0.05),freq=10,n=3", "pw", 0.5);
        assert!(nested.unwrap_err().message().contains("no key pw"));
        assert!(with_key("file:a.csv", "pw", 0.5).is_err());
        // Of a sum only one pulse would change, and the others might be lost.
        for sum in [
            "mono:pw=0.1+mono:delay=1",
            "mono + biphasic:pw=0.1,delay=1e+0",
        ] {
            let refused = with_key(sum, "pw", 0.5).unwrap_err().message();
            assert!(refused.contains("a sum"), "{refused}");
        }
        let signed = with_key("mono:scale=+1e+0", "pw", 0.5);
        assert_eq!(signed.unwrap(), "mono:pw=0.5,scale=+1e+0");
    }

    #[test]
    fn lists_make_a_grid() {
        let study = Study::from_toml(
            "[[source]]\npulse = [\"biphasic:gap=0.1\", \"mono\"]\npulse_width_ms = [0.1, 0.2, 0.4]\ngain = -2\n[protocol]\nkind = \"threshold\"",
        );
        let grid = WaveformGrid::of(&study.unwrap()).unwrap();
        assert_eq!(grid.columns, ["pulse", "pw_ms"]);
        assert_eq!(grid.points.len(), 6);
        assert_eq!(grid.points[1].cells[1], Cell::Number(0.2));
        let (reach, waveform) = &grid.points[5].sources[0];
        let expected = Waveform::monophasic(0.4).unwrap().delayed(0.1).scaled(-2.0);
        assert_eq!((*reach, &**waveform), (Reach::Whole, &expected));
    }

    #[test]
    fn contradictions_are_refused() {
        let of = |text: &str| {
            let study = Study::from_toml(&format!("{text}\n[protocol]\nkind = \"threshold\""));
            WaveformGrid::of(&study.unwrap()).unwrap_err().message()
        };
        let twice = of("[[source]]\ncontact = 1\n[[source]]\ncontact = 1");
        assert!(twice.contains("two waveforms for contact 1"), "{twice}");
        let lists = of(
            "[[source]]\ncontact = 1\npulse_width_ms = [1, 2]\n[[source]]\ncontact = 2\nfrequency_kHz = [1, 2]\npulse = \"sine\"",
        );
        assert!(lists.contains("in one source"), "{lists}");
    }
}
