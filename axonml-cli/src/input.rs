//! Files that a command reads, by the flag or column that names them.

use std::path::{Path, PathBuf};

use axonml::study::{DeInit, GdInit, OptimizeProtocol, Protocol, Sheet, Study, TargetSpec};
use axonml::table::conditions::PulseText;

/// A file that a command reads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Input {
    /// Its name in messages: the flag or the column.
    pub(crate) what: String,
    /// Where it is.
    pub(crate) path: PathBuf,
}

impl Input {
    /// The file that a flag names.
    pub(crate) fn of(flag: &str, path: &Path) -> Self {
        Input {
            what: format!("{flag} {}", path.display()),
            path: path.to_owned(),
        }
    }

    /// The files of a nerve folder.
    pub(crate) fn nerve(what: &str, folder: &Path) -> Vec<Self> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let arrays = entries.map(|entry| entry.path());
        let arrays = arrays.filter(|path| path.extension().is_some_and(|e| e == "npy"));
        // Also where it is not there: the next reader would find it.
        let described = std::iter::once(folder.join("nerve.json"));
        let input = |path: PathBuf| Input {
            what: format!("{} of {what}", path.display()),
            path,
        };
        arrays.chain(described).map(input).collect()
    }
}

/// The files that a study names, beside those that rows of its table name.
pub(crate) fn of_study(study: &Study) -> Vec<Input> {
    let mut inputs = Vec::new();
    if let Some(conditions) = &study.conditions {
        inputs.push(Input::of("--conditions", &conditions.file));
    }
    for group in &study.fibers {
        let file = group.weights.as_deref().map(Path::new);
        let file = file.filter(|path| path.is_file());
        inputs.extend(file.map(|path| Input::of("--weights", path)));
    }
    if let Some(path) = &study.field.basis {
        inputs.push(Input::of("--basis", path));
    }
    if let Some(folder) = &study.field.nerve {
        let what = format!("--nerve {}", folder.display());
        inputs.extend(Input::nerve(&what, folder));
    }
    if let Protocol::Optimize(protocol) = &study.protocol {
        inputs.extend(of_optimization(study, protocol));
    }
    for source in &study.sources {
        for pulse in source.pulses() {
            let file = PulseText::file(&pulse);
            inputs.extend(file.map(|path| Input::of("--pulse", Path::new(path))));
        }
    }
    inputs
}

/// The files that an optimization names besides.
fn of_optimization(study: &Study, protocol: &OptimizeProtocol) -> Vec<Input> {
    let target = match &protocol.target {
        Some(TargetSpec::File(path)) => Some(("--target", path.as_path())),
        Some(TargetSpec::Fascicles(_)) | None => None,
    };
    let weights = protocol.area_weights.as_deref();
    let bounds = study.limits.bounds.as_deref();
    let waveform = PulseText::file(study.stimulus.waveform());
    let (gd, de) = (study.gd.init(), study.de.init());
    let start = match &gd {
        GdInit::File(path) => Some(path.as_path()),
        _ => None,
    };
    let members = match &de {
        DeInit::File(path) => Some(path.as_path()),
        _ => None,
    };
    let files = [
        target,
        weights.map(|path| ("--area-weights", path)),
        bounds.map(|path| ("--bounds", path)),
        waveform.map(|path| ("--waveform", Path::new(path))),
        start.map(|path| ("--init", path)),
        members.map(|path| ("--init", path)),
    ];
    let nerves = protocol.nerves.iter().flat_map(|folder| {
        let what = format!("--nerve {}", folder.display());
        Input::nerve(&what, folder)
    });
    let files = files.into_iter().flatten();
    files
        .map(|(flag, path)| Input::of(flag, path))
        .chain(nerves)
        .collect()
}

/// The files that rows of a table name, nerves being folders below `nerves`.
pub(crate) fn of_sheet(sheet: &Sheet, nerves: Option<&Path>) -> Vec<Input> {
    let named = sheet.named().into_iter();
    let files = named.flat_map(|(column, cell)| {
        let what = format!("column {column}");
        match (column, PulseText::file(cell), nerves) {
            ("pulse", Some(path), _) => vec![Input::of(&what, Path::new(path))],
            ("nerve", _, Some(root)) => Input::nerve(&format!("{what}, {cell}"), &root.join(cell)),
            _ => Vec::new(),
        }
    });
    files.collect()
}
