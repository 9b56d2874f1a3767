//! Reading a set.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use axonml_core::format_ms;
use ndarray::{Array1, Array2, Array3};

use super::generate::check_file;
use super::manifest::{Manifest, ShardRecord};
use super::shard::ShardReader;
use super::sizes::Sizes;
use super::{DatasetError, Progress, Request, Trace};

/// A finished set in a folder.
///
/// The checksums of a shard are verified when it is first read.
#[derive(Debug)]
pub struct Dataset {
    folder: PathBuf,
    manifest: Manifest,
    contacts: usize,
    verified: Vec<AtomicBool>,
}

impl Dataset {
    /// Opens a set: reads the manifest and checks that all files are there with their sizes.
    ///
    /// # Errors
    /// [`DatasetError::Read`], [`DatasetError::Manifest`], [`DatasetError::Unfinished`], [`DatasetError::Size`].
    pub fn open(folder: &Path) -> Result<Self, DatasetError> {
        let manifest = Manifest::read(folder)?;
        let done = manifest.fibers_done();
        if done < manifest.request.count {
            return Err(DatasetError::Unfinished {
                folder: folder.display().to_string(),
                done,
                count: manifest.request.count,
            });
        }
        for shard in &manifest.shards {
            for (file, record) in &shard.files {
                check_file(&folder.join(&shard.name).join(file), record, false)?;
            }
        }
        let contacts = manifest.shards.iter().map(|shard| shard.contacts).max();
        Ok(Dataset {
            folder: folder.to_owned(),
            contacts: contacts.unwrap_or(0),
            verified: manifest
                .shards
                .iter()
                .map(|_| AtomicBool::new(false))
                .collect(),
            manifest,
        })
    }

    /// The request that the set was made for.
    pub fn request(&self) -> &Request {
        &self.manifest.request
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Number of fibers.
    pub fn len(&self) -> usize {
        self.manifest.request.count
    }

    /// Whether there is no fiber.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The most contacts of a fiber; fibers with fewer are padded with contacts that deliver nothing.
    pub fn contacts(&self) -> usize {
        self.contacts
    }

    /// Times of the rows, ms.
    pub fn t_ms(&self) -> Vec<f64> {
        let request = self.request();
        (0..request.rows)
            .map(|row| (row * request.every) as f64 * request.dt_ms)
            .collect()
    }

    /// Index of a state among the recorded ones.
    ///
    /// # Errors
    /// [`DatasetError::MissingState`] that lists those there are.
    pub fn state(&self, name: &str) -> Result<usize, DatasetError> {
        let states = &self.request().states;
        let found = states.iter().position(|state| state == name);
        found.ok_or_else(|| DatasetError::MissingState {
            path: self.folder.display().to_string(),
            state: name.to_owned(),
            available: states.clone(),
        })
    }

    /// Fiber `index`.
    ///
    /// # Errors
    /// [`DatasetError::NoFiber`]; [`DatasetError::Checksum`]; [`DatasetError::NotFinite`] for a number that is none.
    pub fn fiber(&self, index: usize) -> Result<Trace, DatasetError> {
        let mut traces = Vec::with_capacity(1);
        self.read(&[index], &mut |trace| {
            traces.push(trace);
            Ok(())
        })?;
        traces.pop().ok_or(DatasetError::NoFiber {
            fiber: index,
            count: self.len(),
        })
    }

    /// Hands the fibers with these numbers to `each`, in their order.
    ///
    /// # Errors
    /// As [`Dataset::fiber`], and whatever `each` returns.
    pub fn read(
        &self,
        indices: &[usize],
        each: &mut dyn FnMut(Trace) -> Result<(), DatasetError>,
    ) -> Result<(), DatasetError> {
        let mut open: Option<(usize, ShardReader)> = None;
        for &index in indices {
            if index >= self.len() {
                return Err(DatasetError::NoFiber {
                    fiber: index,
                    count: self.len(),
                });
            }
            let shard = index / self.request().shard_fibers;
            let record = &self.manifest.shards[shard];
            let reader = match &mut open {
                Some((number, reader)) if *number == shard => reader,
                other => &mut other.insert((shard, self.open_shard(shard)?)).1,
            };
            let numbers = reader.read(index - record.first)?;
            each(self.trace(index, record, numbers)?)?;
        }
        Ok(())
    }

    /// Verifies every checksum and every number; `progress` receives the number of fibers done.
    ///
    /// # Errors
    /// The first [`DatasetError`] that is found.
    pub fn verify(&self, progress: &mut Progress<'_>) -> Result<(), DatasetError> {
        for shard in &self.manifest.shards {
            self.verify_shard(shard)?;
            let fibers: Vec<usize> = (shard.first..shard.first + shard.fibers).collect();
            self.read(&fibers, &mut |_| Ok(()))?;
            progress(shard.first + shard.fibers);
        }
        Ok(())
    }

    fn verify_shard(&self, shard: &ShardRecord) -> Result<(), DatasetError> {
        for (file, record) in &shard.files {
            check_file(&self.folder.join(&shard.name).join(file), record, true)?;
        }
        Ok(())
    }

    fn open_shard(&self, index: usize) -> Result<ShardReader, DatasetError> {
        let shard = &self.manifest.shards[index];
        if !self.verified[index].load(Ordering::Relaxed) {
            self.verify_shard(shard)?;
            self.verified[index].store(true, Ordering::Relaxed);
        }
        let sizes = Sizes::of(self.request(), shard.fibers, shard.contacts);
        ShardReader::open(&self.folder.join(&shard.name), &sizes)
    }

    fn trace(
        &self,
        index: usize,
        shard: &ShardRecord,
        numbers: super::shard::FiberNumbers,
    ) -> Result<Trace, DatasetError> {
        let request = self.request();
        let (nodes, steps) = (request.nodes, request.steps);
        let path = self.folder.join(&shard.name).display().to_string();
        let not_finite = |what: String, found: f64, place: String| DatasetError::NotFinite {
            path: path.clone(),
            what,
            fiber: index,
            found,
            place,
        };
        let bad64 = |values: &[f64]| values.iter().position(|value| !value.is_finite());
        let bad32 = |values: &[f32]| values.iter().position(|value| !value.is_finite());
        let no_diameter = |found: &&f64| !(**found > 0.0 && found.is_finite());
        if let Some(&found) = numbers.diameter_um.iter().find(no_diameter) {
            return Err(not_finite("diameter_um".to_owned(), found, String::new()));
        }
        if let Some(at) = bad64(&numbers.node_z_um) {
            let place = format!(" at node {at}");
            return Err(not_finite(
                "node_z_um".to_owned(),
                numbers.node_z_um[at],
                place,
            ));
        }
        if let Some(at) = bad32(&numbers.basis_mv_per_ma) {
            let place = format!(" for contact {} at node {}", at / nodes, at % nodes);
            let found = numbers.basis_mv_per_ma[at].into();
            return Err(not_finite("basis_mv_per_ma".to_owned(), found, place));
        }
        if let Some(at) = bad32(&numbers.waveforms_ma) {
            let time_ms = format_ms((at % steps) as f64 * request.dt_ms);
            let place = format!(" for contact {} at {time_ms} ms", at / steps);
            let found = numbers.waveforms_ma[at].into();
            return Err(not_finite("waveforms_ma".to_owned(), found, place));
        }
        if let Some(at) = bad32(&numbers.states) {
            let states = &request.states;
            let row = at / (states.len() * nodes);
            let state = &states[at / nodes % states.len()];
            let time_ms = format_ms((row * request.every) as f64 * request.dt_ms);
            let place = format!(" at node {}, {time_ms} ms", at % nodes);
            let found = numbers.states[at].into();
            return Err(not_finite(format!("state {state}"), found, place));
        }

        // Missing contacts deliver nothing.
        let wide = |mut values: Vec<f32>, columns: usize| {
            values.resize(self.contacts * columns, 0.0);
            Array2::from_shape_vec((self.contacts, columns), values)
        };
        let built = (|| {
            Ok(Trace {
                index,
                diameter_um: numbers.diameter_um[0],
                node_z_um: Array1::from_vec(numbers.node_z_um),
                basis_mv_per_ma: wide(numbers.basis_mv_per_ma, nodes)?,
                waveforms_ma: wide(numbers.waveforms_ma, steps)?,
                states: Array3::from_shape_vec(
                    (request.rows, request.states.len(), nodes),
                    numbers.states,
                )?,
            })
        })();
        built.map_err(|error: ndarray::ShapeError| DatasetError::Manifest {
            path,
            problem: error.to_string(),
        })
    }
}
