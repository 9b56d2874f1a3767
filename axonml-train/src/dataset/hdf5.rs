//! AxonML's HDF5 sets, in and out.
//!
//! Its training reads datasets of five axes, (group, minibatch, axon, node, time): `e`, the extracellular potential at
//! the nodes in mV, and one per state, `m`, `h`, `p`, `s`, `v` (mV); and of three, (group, minibatch, axon):
//! `diameters` in um and `ys`, the place of the middle node in um. Column t of `e` acts between the states of columns t
//! and t + 1, and the first column of the states is the start.

use std::path::Path;

use axonml_core::format_ms;
use axonml_files::Staged;
use ndarray::{Array1, Array2, Array3};
use rust_hdf5::{H5Dataset, H5File};

use super::generate::{Plan, program};
use super::separate::separate;
use super::shard::Shard;
use super::{Dataset, DatasetError, Progress, Request, Trace};

/// Settings that a file does not contain.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportSettings {
    /// Time between two columns, ms.
    pub dt_ms: f64,
    /// States to import, in this order.
    pub states: Vec<String>,
    /// Fibers of a shard.
    pub shard_fibers: usize,
}

impl Default for ImportSettings {
    /// AxonML's own: 0.005 ms; m, h, p, s and v.
    fn default() -> Self {
        ImportSettings {
            dt_ms: 0.005,
            states: ["m", "h", "p", "s", "v"].map(str::to_owned).to_vec(),
            shard_fibers: Plan::SHARD_FIBERS,
        }
    }
}

/// Report of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ImportReport {
    /// Number of fibers.
    pub fibers: usize,
    /// Largest number of terms (field times waveform) that a fiber's potential was decomposed into.
    pub contacts: usize,
    /// Largest difference between a potential and the sum of its terms, mV.
    pub residual_mv: f64,
}

/// Report of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportReport {
    /// Sizes of the axes: group, minibatch, axon, node, time.
    pub shape: [usize; 5],
}

/// Largest accepted ratio of uncompressed size to file size: more than its compression can reach.
const MAX_RATIO: u64 = 1032;
/// Fibers of a group of an exported file, at most.
const GROUP: usize = 256;
const POTENTIAL: &str = "e";
const DIAMETERS: &str = "diameters";
const POSITIONS: &str = "ys";

/// Writes a set as AxonML reads it, a group at a time. `progress` receives the number of fibers done.
///
/// The last recorded row is left out where no potential acts after it. Axons of a minibatch: one.
///
/// # Errors
/// Those of reading the set; [`DatasetError::Hdf5`] if the file cannot be written.
pub fn export_hdf5(
    set: &Dataset,
    file: &Path,
    progress: &mut Progress<'_>,
) -> Result<ExportReport, DatasetError> {
    let request = set.request();
    let columns = request.rows.min(request.steps.div_ceil(request.every));
    let group = (1..=GROUP.min(set.len()))
        .rev()
        .find(|group| set.len().is_multiple_of(*group))
        .unwrap_or(1);
    let shape = [set.len() / group, group, 1, request.nodes, columns];
    let failed = |error: rust_hdf5::Hdf5Error| DatasetError::Hdf5 {
        path: file.display().to_string(),
        problem: error.to_string(),
        input: false,
    };
    let staged = Staged::create(file).map_err(DatasetError::write(file))?;
    let mut written = || -> Result<(), DatasetError> {
        let out = H5File::create(staged.path()).map_err(failed)?;
        let create = |name: &str, shape: &[usize]| {
            let mut chunk = shape.to_vec();
            chunk[0] = 1;
            let builder = out.new_dataset::<f32>().shape(shape).chunk(&chunk);
            builder.create(name).map_err(failed)
        };
        let potential = create(POTENTIAL, &shape)?;
        let states: Vec<H5Dataset> = request
            .states
            .iter()
            .map(|state| create(state, &shape))
            .collect::<Result<_, _>>()?;
        let diameters = create(DIAMETERS, &shape[..3])?;
        let positions = create(POSITIONS, &shape[..3])?;
        let size = group * request.nodes * columns;
        for number in 0..shape[0] {
            let mut e_mv = Vec::with_capacity(size);
            let mut of_states = vec![Vec::with_capacity(size); states.len()];
            let (mut diameters_um, mut positions_um) = (Vec::new(), Vec::new());
            let fibers: Vec<usize> = (number * group..(number + 1) * group).collect();
            set.read(&fibers, &mut |trace| {
                diameters_um.push(trace.diameter_um as f32);
                positions_um.push(trace.node_z_um[(request.nodes - 1) / 2] as f32);
                let ve_mv = trace.ve_mv();
                for node in 0..request.nodes {
                    let column = |column: usize| ve_mv[[column * request.every, node]];
                    e_mv.extend((0..columns).map(column));
                    for (state, values) in of_states.iter_mut().enumerate() {
                        values.extend((0..columns).map(|row| trace.states[[row, state, node]]));
                    }
                }
                Ok(())
            })?;
            let put = |dataset: &H5Dataset, values: &[f32]| {
                let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
                dataset.write_chunk(number, &bytes).map_err(failed)
            };
            put(&potential, &e_mv)?;
            for (dataset, values) in states.iter().zip(&of_states) {
                put(dataset, values)?;
            }
            put(&diameters, &diameters_um)?;
            put(&positions, &positions_um)?;
            progress((number + 1) * group);
        }
        out.close().map_err(failed)
    };
    written()?;
    staged.commit().map_err(DatasetError::write(file))?;
    Ok(ExportReport { shape })
}

/// Makes a set in `folder` of a file that AxonML wrote, a group at a time; it can be interrupted and gone on with like
/// [`super::generate`]. `progress` receives the number of fibers done.
/// The potential of each fiber is decomposed into a sum of a few fields times waveforms: exactly, but for
/// rounding in single precision, which is reported.
///
/// # Errors
/// [`DatasetError::Hdf5`] naming the dataset that is missing or has another shape; [`DatasetError::MissingState`];
/// [`DatasetError::NotFinite`]; [`DatasetError::DiskTooSmall`]; those of writing.
pub fn import_hdf5(
    file: &Path,
    folder: &Path,
    settings: &ImportSettings,
    progress: &mut Progress<'_>,
) -> Result<ImportReport, DatasetError> {
    let input = Input::open(file, settings)?;
    let [groups, minibatches, axons, nodes, columns] = input.shape;
    let per_group = minibatches * axons;
    let request = Request {
        program: program(),
        recipe: None,
        imported_from: Some(input.name.clone()),
        fields: Vec::new(),
        backend: None,
        count: groups * per_group,
        nodes,
        dt_ms: settings.dt_ms,
        steps: columns,
        every: 1,
        rows: columns,
        states: settings.states.clone(),
        shard_fibers: settings.shard_fibers.clamp(1, (groups * per_group).max(1)),
    };
    let t_ms = (0..columns).map(|k| k as f64 * settings.dt_ms).collect();
    // The number of contacts is known after the file has been read; cuffs have about as many.
    let mut plan = Plan::of_request(request, 8, t_ms, folder)?;
    plan.begin()?;
    let mut report = ImportReport {
        fibers: groups * per_group,
        ..ImportReport::default()
    };
    let mut shard = Shard::default();
    let mut pending = plan.next();
    let mut read: Option<(usize, Group)> = None;
    while let Some(range) = pending.clone() {
        let mut traces = Vec::with_capacity(range.len());
        for index in range {
            let number = index / per_group;
            let group = match &mut read {
                Some((known, group)) if *known == number => group,
                other => &mut other.insert((number, input.group(number)?)).1,
            };
            let (trace, residual_mv) = input.fiber(group, index, index % per_group)?;
            report.residual_mv = report.residual_mv.max(residual_mv);
            traces.push(trace);
            progress(index + 1);
        }
        let widths = traces.iter().map(|trace| trace.basis_mv_per_ma.nrows());
        let contacts = widths.max().unwrap_or(0).max(1);
        report.contacts = report.contacts.max(contacts);
        for trace in &mut traces {
            trace.widen(contacts);
            shard.push(trace);
        }
        plan.finish_shard(&std::mem::take(&mut shard), contacts)?;
        pending = plan.next();
    }
    Ok(report)
}

/// A file of AxonML's with its datasets found.
struct Input {
    name: String,
    shape: [usize; 5],
    dt_ms: f64,
    states: Vec<(String, H5Dataset)>,
    potential: H5Dataset,
    diameters: H5Dataset,
    positions: Option<H5Dataset>,
    _file: H5File,
}

/// The values of a group.
struct Group {
    e_mv: Vec<f32>,
    states: Vec<Vec<f32>>,
    diameters_um: Vec<f64>,
    positions_um: Vec<f64>,
}

impl Input {
    fn open(path: &Path, settings: &ImportSettings) -> Result<Self, DatasetError> {
        let name = path.display().to_string();
        let wrong = |problem: String| DatasetError::Hdf5 {
            path: name.clone(),
            problem,
            input: true,
        };
        if !(settings.dt_ms > 0.0 && settings.dt_ms.is_finite()) {
            return Err(DatasetError::recipe(
                "dt",
                settings.dt_ms,
                "a finite number of ms above 0",
            ));
        }
        let present = std::fs::metadata(path)
            .map_err(DatasetError::read(path))?
            .len();
        let file = H5File::open(path).map_err(|error| wrong(error.to_string()))?;
        let names = file.dataset_names();
        let find = |wanted: &str| {
            if !names.iter().any(|name| name == wanted) {
                let found = names.join(", ");
                return Err(wrong(format!(
                    "found no dataset `{wanted}` (there are: {found}), expected AxonML's consolidated layout: e, \
                     diameters and one dataset per state"
                )));
            }
            file.dataset(wanted)
                .map_err(|error| wrong(error.to_string()))
        };
        let potential = find(POTENTIAL)?;
        let shape: [usize; 5] = potential.shape().try_into().map_err(|found: Vec<usize>| {
            wrong(format!(
                "`e` has the shape {found:?}, expected five axes: group, minibatch, axon, node, time"
            ))
        })?;
        if shape.contains(&0) {
            return Err(wrong(format!("`e` is empty: its shape is {shape:?}")));
        }
        let announced = shape
            .iter()
            .try_fold(size_of::<f32>() as u64, |bytes, &n| {
                bytes.checked_mul(n as u64)
            })
            .filter(|bytes| *bytes / MAX_RATIO <= present);
        if announced.is_none() {
            return Err(wrong(format!(
                "`e` announces the shape {shape:?}, which the {present} bytes of the file cannot hold"
            )));
        }
        let checked = |dataset: H5Dataset, label: &str, expected: &[usize]| {
            let found = dataset.shape();
            match found == expected {
                true => Ok(dataset),
                false => Err(wrong(format!(
                    "`{label}` has the shape {found:?}, expected {expected:?} as `e` has it"
                ))),
            }
        };
        let mut states = Vec::with_capacity(settings.states.len());
        for state in &settings.states {
            if !names.contains(state) {
                let other = [POTENTIAL, DIAMETERS, POSITIONS];
                let available = names.iter().filter(|name| !other.contains(&name.as_str()));
                return Err(DatasetError::MissingState {
                    path: name.clone(),
                    state: state.clone(),
                    available: available.cloned().collect(),
                });
            }
            states.push((state.clone(), checked(find(state)?, state, &shape)?));
        }
        let positions = match names.iter().any(|name| name == POSITIONS) {
            true => Some(checked(find(POSITIONS)?, POSITIONS, &shape[..3])?),
            false => None,
        };
        let diameters = checked(find(DIAMETERS)?, DIAMETERS, &shape[..3])?;
        Ok(Input {
            shape,
            dt_ms: settings.dt_ms,
            states,
            potential,
            diameters,
            positions,
            name,
            _file: file,
        })
    }

    fn group(&self, number: usize) -> Result<Group, DatasetError> {
        let [_, minibatches, axons, nodes, columns] = self.shape;
        let wrong = |label: &str| {
            let path = format!("{}: {label}", self.name);
            move |error: rust_hdf5::Hdf5Error| DatasetError::Hdf5 {
                path,
                problem: error.to_string(),
                input: true,
            }
        };
        let full = [1, minibatches, axons, nodes, columns];
        let cube = |dataset: &H5Dataset, label: &str| {
            dataset
                .read_numeric_slice_as::<f32>(&[number, 0, 0, 0, 0], &full)
                .map_err(wrong(label))
        };
        let line = |dataset: &H5Dataset, label: &str| {
            dataset
                .read_numeric_slice_as::<f64>(&[number, 0, 0], &full[..3])
                .map_err(wrong(label))
        };
        Ok(Group {
            e_mv: cube(&self.potential, POTENTIAL)?,
            states: self
                .states
                .iter()
                .map(|(label, dataset)| cube(dataset, label))
                .collect::<Result<_, _>>()?,
            diameters_um: line(&self.diameters, DIAMETERS)?,
            positions_um: match &self.positions {
                Some(positions) => line(positions, POSITIONS)?,
                None => vec![0.0; minibatches * axons],
            },
        })
    }

    /// The `position`-th fiber of a group, and the error of the decomposition of its potential, mV.
    fn fiber(
        &self,
        group: &Group,
        index: usize,
        position: usize,
    ) -> Result<(Trace, f64), DatasetError> {
        let [.., nodes, columns] = self.shape;
        let not_finite = |what: &str, found: f64, place: String| DatasetError::NotFinite {
            path: self.name.clone(),
            what: what.to_owned(),
            fiber: index,
            found,
            place,
        };
        let part = |values: &'_ [f32], label: &str| -> Result<Vec<f32>, DatasetError> {
            let size = nodes * columns;
            let values = &values[position * size..(position + 1) * size];
            match values.iter().position(|value| !value.is_finite()) {
                None => Ok(values.to_vec()),
                Some(at) => {
                    let time_ms = format_ms((at % columns) as f64 * self.dt_ms);
                    let place = format!(" at node {}, {time_ms} ms", at / columns);
                    Err(not_finite(label, values[at].into(), place))
                }
            }
        };
        let diameter_um = group.diameters_um[position];
        if !(diameter_um > 0.0 && diameter_um.is_finite()) {
            return Err(not_finite(DIAMETERS, diameter_um, String::new()));
        }
        let middle_um = group.positions_um[position];
        if !middle_um.is_finite() {
            return Err(not_finite(POSITIONS, middle_um, String::new()));
        }
        let mut states = Array3::zeros((columns, self.states.len(), nodes));
        for (state, (label, _)) in self.states.iter().enumerate() {
            let values = part(&group.states[state], &format!("state {label}"))?;
            for (node, values) in values.chunks_exact(columns).enumerate() {
                for (row, value) in values.iter().enumerate() {
                    states[[row, state, node]] = *value;
                }
            }
        }
        let e_mv = part(&group.e_mv, "potential e")?;
        let separated = separate(&e_mv, nodes, columns);
        let trace = Trace {
            index,
            diameter_um,
            // The file gives the position of the middle node, but not the distances of the others from it.
            node_z_um: Array1::from_elem(nodes, middle_um),
            basis_mv_per_ma: rows(separated.fields, nodes),
            waveforms_ma: rows(separated.waveforms, columns),
            states,
        };
        Ok((trace, separated.residual_mv))
    }
}

fn rows(values: Vec<f32>, columns: usize) -> Array2<f32> {
    let count = values.len() / columns;
    Array2::from_shape_vec((count, columns), values).expect("whole rows")
}

#[cfg(test)]
mod tests;
