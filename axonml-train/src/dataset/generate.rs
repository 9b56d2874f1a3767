//! Writing a set: shard by shard, so that a kill at any moment loses at most the shard under way.

use std::path::{Path, PathBuf};

use axonml_files::{FolderLock, available_disk, size_text};
use axonml_models::Device;

use super::manifest::Manifest;
use super::npy;
use super::shard::Shard;
use super::sizes::Sizes;
use super::{Cases, DatasetError, Progress, Recipe, Recording, Request, simulate};

/// The size of a set and the part of it that is finished.
#[derive(Clone, Debug)]
pub struct Outlook {
    folder: PathBuf,
    /// Bytes of all shards.
    pub bytes: u128,
    /// Bytes of the shards that are not finished yet.
    pub bytes_left: u128,
    /// Bytes that the disk has room for.
    pub bytes_free: u64,
    /// Number of shards.
    pub shards: usize,
    /// Number of finished shards, whose checksums are right.
    pub shards_done: usize,
}

impl Outlook {
    /// Refuses a set that does not fit on the disk.
    ///
    /// # Errors
    /// [`DatasetError::DiskTooSmall`].
    pub fn check_space(&self) -> Result<(), DatasetError> {
        if self.bytes_left <= self.bytes_free.into() {
            return Ok(());
        }
        Err(DatasetError::DiskTooSmall {
            folder: self.folder.display().to_string(),
            needed: size_text(self.bytes_left),
            free: size_text(self.bytes_free.into()),
        })
    }
}

/// A set that is to be written; its folder is locked against other writers.
#[derive(Debug)]
pub struct Plan {
    manifest: Manifest,
    t_ms: Vec<f64>,
    outlook: Outlook,
    _lock: FolderLock,
}

/// The work done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generated {
    /// Fibers simulated now.
    pub simulated: usize,
    /// Fibers that were there already.
    pub kept: usize,
    /// Bytes of all shards.
    pub bytes: u128,
}

impl Plan {
    /// Default number of fibers of a shard: 0.3 GB with five states at every step of 5 ms.
    pub const SHARD_FIBERS: usize = 256;

    /// Plans a set in `folder`, which is made if need be, and keeps other writers out of it; where an unfinished set
    /// lies there, its finished shards are verified and kept.
    ///
    /// # Errors
    /// [`DatasetError::DiskTooSmall`], and [`DatasetError::Folder`] for a folder that holds something else, before
    /// anything is made; [`DatasetError::Folder`] too, at once, if another process writes into the folder;
    /// [`DatasetError::OtherRequest`] naming the first difference to the request of the set that is there;
    /// [`DatasetError::Size`] and [`DatasetError::Checksum`] for damaged shards.
    pub fn new(
        cases: &Cases,
        device: &Device,
        recording: &Recording,
        shard_fibers: usize,
        folder: &Path,
    ) -> Result<Self, DatasetError> {
        let (request, t_ms) = request(cases, device, recording, shard_fibers)?;
        Plan::of_request(request, cases.contacts(), t_ms, folder)
    }

    /// The layout of a set in `folder`; nothing is written, and another process may be writing there.
    ///
    /// # Errors
    /// As [`Plan::new`], but for the other process.
    pub fn outlook_of(
        cases: &Cases,
        device: &Device,
        recording: &Recording,
        shard_fibers: usize,
        folder: &Path,
    ) -> Result<Outlook, DatasetError> {
        let (request, _) = request(cases, device, recording, shard_fibers)?;
        let manifest = found(request, folder)?;
        outlook(&manifest, cases.contacts(), folder)
    }

    /// Approximate bytes of memory during the generation of a set: the current shard, and the traces that are being
    /// simulated for it.
    ///
    /// # Errors
    /// As [`Recipe::trace_bytes`].
    pub fn memory_bytes(
        recipe: &Recipe,
        recording: &Recording,
        shard_fibers: usize,
    ) -> Result<u128, DatasetError> {
        let at_once = simulate::at_once();
        let fibers = shard_fibers.min(recipe.count);
        let traces = |n| recipe.trace_bytes(n, recording.every, recording.states.len());
        // Growing, a shard is in memory twice; traces come in double precision and are rounded.
        let (shard, running) = (traces(fibers)?, traces(at_once)?);
        Ok(shard
            .saturating_mul(2)
            .saturating_add(running.saturating_mul(3)))
    }

    pub(super) fn of_request(
        request: Request,
        contacts: usize,
        t_ms: Vec<f64>,
        folder: &Path,
    ) -> Result<Self, DatasetError> {
        if !folder.join(Manifest::FILE).exists() {
            // A refused request leaves no trace.
            refuse_foreign(folder)?;
            outlook(&Manifest::new(request.clone()), contacts, folder)?.check_space()?;
        }
        let lock = FolderLock::take(folder)?;
        // Decided under the lock: shards that another process has finished are visible.
        let manifest = found(request, folder)?;
        let outlook = outlook(&manifest, contacts, folder)?;
        Ok(Plan {
            manifest,
            t_ms,
            outlook,
            _lock: lock,
        })
    }

    /// The size of the set and the part of it that is finished.
    pub fn outlook(&self) -> &Outlook {
        &self.outlook
    }

    /// Fibers in finished shards.
    pub fn fibers_done(&self) -> usize {
        self.manifest.fibers_done()
    }

    /// Writes the manifest of the planned set.
    ///
    /// # Errors
    /// [`DatasetError::DiskTooSmall`] before anything is written; [`DatasetError::Write`].
    pub(super) fn begin(&self) -> Result<(), DatasetError> {
        self.outlook.check_space()?;
        match self.manifest.shards.is_empty() {
            true => self.manifest.write(&self.outlook.folder),
            false => Ok(()),
        }
    }

    /// Cases of the next shard.
    pub(super) fn next(&self) -> Option<std::ops::Range<usize>> {
        let first = self.fibers_done();
        let request = &self.manifest.request;
        (first < request.count).then(|| first..request.count.min(first + request.shard_fibers))
    }

    /// Writes the next shard.
    pub(super) fn finish_shard(
        &mut self,
        shard: &Shard,
        contacts: usize,
    ) -> Result<(), DatasetError> {
        let Some(cases) = self.next() else {
            return Ok(());
        };
        let index = self.manifest.shards.len();
        let sizes = Sizes::of(&self.manifest.request, cases.len(), contacts);
        let folder = &self.outlook.folder;
        let record = shard.write(folder, index, cases.start, &self.t_ms, &sizes)?;
        self.manifest.shards.push(record);
        self.manifest.write(folder)
    }
}

/// The inputs that a set depends on, and the times of its rows, ms.
fn request(
    cases: &Cases,
    device: &Device,
    recording: &Recording,
    shard_fibers: usize,
) -> Result<(Request, Vec<f64>), DatasetError> {
    let recording = recording.resolve(cases)?;
    let recipe = cases.recipe();
    let t_ms = recording.t_ms(cases);
    let request = Request {
        program: program(),
        recipe: Some(recipe.clone()),
        imported_from: None,
        fields: cases.field_records().to_vec(),
        backend: Some(device.name()),
        count: recipe.count,
        nodes: recipe.nodes,
        dt_ms: recipe.dt_ms,
        steps: cases.grid().steps(),
        every: recording.every,
        rows: t_ms.len(),
        states: recording.states,
        shard_fibers: shard_fibers.clamp(1, recipe.count),
    };
    Ok((request, t_ms))
}

/// The manifest of the set in `folder`, whose finished shards are verified, or a new one.
fn found(request: Request, folder: &Path) -> Result<Manifest, DatasetError> {
    let manifest = match Manifest::read(folder) {
        Ok(manifest) => {
            manifest.request.refuse_other(&request, folder)?;
            manifest
        }
        Err(DatasetError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            refuse_foreign(folder)?;
            Manifest::new(request)
        }
        Err(error) => return Err(error),
    };
    for shard in &manifest.shards {
        for (file, record) in &shard.files {
            check_file(&folder.join(&shard.name).join(file), record, true)?;
        }
    }
    Ok(manifest)
}

fn outlook(manifest: &Manifest, contacts: usize, folder: &Path) -> Result<Outlook, DatasetError> {
    let request = &manifest.request;
    let shards = request.count.div_ceil(request.shard_fibers);
    let bytes_of = |fibers: usize| Sizes::of(request, fibers, contacts).bytes();
    // All shards but the last are alike.
    let last = request.count - (shards - 1) * request.shard_fibers;
    let bytes = bytes_of(request.shard_fibers.min(request.count))
        .saturating_mul(shards as u128 - 1)
        .saturating_add(bytes_of(last));
    let files = manifest
        .shards
        .iter()
        .flat_map(|shard| shard.files.values());
    let done: u128 = files.map(|file| u128::from(file.bytes)).sum();
    Ok(Outlook {
        bytes,
        bytes_left: bytes.saturating_sub(done),
        bytes_free: available_disk(folder).map_err(DatasetError::read(folder))?,
        shards,
        shards_done: manifest.shards.len(),
        folder: folder.to_owned(),
    })
}

/// Simulates and writes the missing shards of a planned set. `progress` receives the number of fibers done, `finished`
/// the number of shards.
///
/// The bytes written depend on the request alone: not on threads, interruptions or the folder.
///
/// # Errors
/// [`DatasetError::DiskTooSmall`] before the work begins; [`DatasetError::Write`], [`DatasetError::Diverged`], after
/// which the finished shards remain and the same call resumes.
pub fn generate(
    cases: &Cases,
    device: &Device,
    mut plan: Plan,
    progress: &mut Progress<'_>,
    finished: &mut dyn FnMut(usize),
) -> Result<Generated, DatasetError> {
    let kept = plan.fibers_done();
    plan.begin()?;
    let recording = Recording {
        every: plan.manifest.request.every,
        states: plan.manifest.request.states.clone(),
    };
    while let Some(range) = plan.next() {
        let mut shard = Shard::default();
        cases.simulate(range, device, &recording, &mut |trace| {
            shard.push(&trace);
            progress(trace.index + 1);
            Ok(())
        })?;
        plan.finish_shard(&shard, cases.contacts())?;
        finished(plan.manifest.shards.len());
    }
    Ok(Generated {
        simulated: plan.fibers_done() - kept,
        kept,
        bytes: plan.outlook.bytes,
    })
}

pub(super) fn program() -> String {
    format!("axonml {}", env!("CARGO_PKG_VERSION"))
}

/// Checks size and, if requested, checksum of a file.
pub(super) fn check_file(
    path: &Path,
    record: &super::FileRecord,
    checksum: bool,
) -> Result<(), DatasetError> {
    let found = std::fs::metadata(path)
        .map_err(DatasetError::read(path))?
        .len();
    if found != record.bytes {
        return Err(DatasetError::Size {
            path: path.display().to_string(),
            found,
            expected: record.bytes,
        });
    }
    if checksum {
        let found = npy::sha256(path)?;
        if found != record.sha256 {
            return Err(DatasetError::Checksum {
                path: path.display().to_string(),
                found,
                expected: record.sha256.clone(),
            });
        }
    }
    Ok(())
}

/// A folder without a manifest must be empty, except for names that begin with a dot.
fn refuse_foreign(folder: &Path) -> Result<(), DatasetError> {
    if !folder.exists() {
        return Ok(());
    }
    let entries = std::fs::read_dir(folder).map_err(DatasetError::read(folder))?;
    let visible = |name: &std::ffi::OsString| !name.to_string_lossy().starts_with('.');
    match entries
        .flatten()
        .map(|entry| entry.file_name())
        .find(visible)
    {
        None => Ok(()),
        Some(name) => Err(DatasetError::Folder {
            folder: folder.display().to_string(),
            problem: format!(
                "holds `{}` but no `{}`: it is not a set; name a new or empty folder",
                name.to_string_lossy(),
                Manifest::FILE
            ),
        }),
    }
}
