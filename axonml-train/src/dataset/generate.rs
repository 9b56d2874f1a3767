//! Writing a set: shard by shard, so that a kill at any moment loses at most the shard under way.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use axonml_models::Device;

use super::manifest::{Manifest, Request};
use super::npy;
use super::shard::{Shard, Sizes};
use super::{Cases, DatasetError, Progress, Recording};

/// What is to be written where, and what is there already.
#[derive(Debug)]
pub struct Plan {
    folder: PathBuf,
    manifest: Manifest,
    contacts: usize,
    t_ms: Vec<f64>,
    /// Bytes of all shards.
    pub bytes: u64,
    /// Bytes of the shards that are not finished yet.
    pub bytes_left: u64,
    /// Bytes that the disk has room for.
    pub bytes_free: u64,
    /// Number of shards.
    pub shards: usize,
    /// Number of finished shards, whose checksums are right.
    pub shards_done: usize,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generated {
    /// Fibres simulated now.
    pub simulated: usize,
    /// Fibres that were there already.
    pub kept: usize,
    /// Bytes of all shards.
    pub bytes: u64,
}

impl Plan {
    /// Fibres of a shard unless asked otherwise: 0.3 GB with five states at every step of 5 ms.
    pub const SHARD_FIBERS: usize = 256;

    /// Plans a set in `folder`, which need not exist; where an unfinished one lies there, its finished shards are
    /// verified and kept. Nothing is written yet.
    ///
    /// # Errors
    /// [`DatasetError::OtherRequest`] naming the first difference to the request of the set that is there;
    /// [`DatasetError::Size`] and [`DatasetError::Checksum`] for damaged shards; [`DatasetError::Folder`] for a folder
    /// that holds something else.
    pub fn new(
        cases: &Cases,
        device: &Device,
        recording: &Recording,
        shard_fibers: usize,
        folder: &Path,
    ) -> Result<Self, DatasetError> {
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
        Plan::of_request(request, cases.contacts(), t_ms, folder)
    }

    pub(super) fn of_request(
        request: Request,
        contacts: usize,
        t_ms: Vec<f64>,
        folder: &Path,
    ) -> Result<Self, DatasetError> {
        let manifest = match Manifest::read(folder) {
            Ok(manifest) => {
                manifest.request.refuse_other(&request, folder)?;
                manifest
            }
            Err(DatasetError::Read { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
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
        let request = &manifest.request;
        let shards = request.count.div_ceil(request.shard_fibers);
        let bytes_of = |shard: usize| {
            let first = shard * request.shard_fibers;
            let fibers = request.shard_fibers.min(request.count - first);
            Sizes::of(request, fibers, contacts).bytes()
        };
        // All shards but the last are alike.
        let bytes = bytes_of(0) * (shards as u64 - 1) + bytes_of(shards - 1);
        let files = manifest
            .shards
            .iter()
            .flat_map(|shard| shard.files.values());
        let done: u64 = files.map(|file| file.bytes).sum();
        Ok(Plan {
            bytes,
            bytes_left: bytes.saturating_sub(done),
            bytes_free: free_bytes(folder)?,
            shards,
            shards_done: manifest.shards.len(),
            folder: folder.to_owned(),
            manifest,
            contacts,
            t_ms,
        })
    }

    /// Fibres in finished shards.
    pub fn fibers_done(&self) -> usize {
        self.manifest.fibers_done()
    }

    /// Refuses what the disk has no room for.
    ///
    /// # Errors
    /// [`DatasetError::DiskTooSmall`].
    pub fn check_space(&self) -> Result<(), DatasetError> {
        if self.bytes_left <= self.bytes_free {
            return Ok(());
        }
        Err(DatasetError::DiskTooSmall {
            folder: self.folder.display().to_string(),
            needed: size_text(self.bytes_left),
            free: size_text(self.bytes_free),
        })
    }

    /// Makes the folder, keeps other writers out, and says in the manifest what will be written.
    pub(super) fn begin(&self) -> Result<Lock, DatasetError> {
        std::fs::create_dir_all(&self.folder).map_err(DatasetError::write(&self.folder))?;
        let lock = Lock::take(&self.folder)?;
        if self.manifest.shards.is_empty() {
            self.manifest.write(&self.folder)?;
        }
        Ok(lock)
    }

    /// Cases of the next shard.
    pub(super) fn next(&self) -> Option<std::ops::Range<usize>> {
        let first = self.fibers_done();
        let request = &self.manifest.request;
        (first < request.count).then(|| first..request.count.min(first + request.shard_fibers))
    }

    /// Writes the next shard.
    pub(super) fn finish_shard(&mut self, shard: &Shard) -> Result<(), DatasetError> {
        let Some(cases) = self.next() else {
            return Ok(());
        };
        let index = self.manifest.shards.len();
        let sizes = Sizes::of(&self.manifest.request, cases.len(), self.contacts);
        let record = shard.write(&self.folder, index, cases.start, &self.t_ms, &sizes)?;
        self.manifest.shards.push(record);
        self.manifest.write(&self.folder)
    }
}

/// Simulates what is missing of a planned set and writes it. `progress` hears how many fibres are done, `finished` how
/// many shards.
///
/// The bytes written depend on the request alone: not on threads, interruptions or the folder.
///
/// # Errors
/// [`DatasetError::DiskTooSmall`] before the work begins; [`DatasetError::Write`], [`DatasetError::Diverged`], after
/// which the finished shards remain and the same call goes on.
pub fn generate(
    cases: &Cases,
    device: &Device,
    mut plan: Plan,
    progress: &mut Progress<'_>,
    finished: &mut dyn FnMut(usize),
) -> Result<Generated, DatasetError> {
    plan.check_space()?;
    let kept = plan.fibers_done();
    let lock = plan.begin()?;
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
        plan.finish_shard(&shard)?;
        finished(plan.manifest.shards.len());
    }
    lock.release();
    Ok(Generated {
        simulated: plan.fibers_done() - kept,
        kept,
        bytes: plan.bytes,
    })
}

pub(super) fn program() -> String {
    format!("axonml {}", env!("CARGO_PKG_VERSION"))
}

/// Keeps other processes from writing into the folder.
pub(super) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    fn take(folder: &Path) -> Result<Self, DatasetError> {
        let path = folder.join(".lock");
        let file = File::create(&path).map_err(DatasetError::write(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { path, _file: file }),
            Err(TryLockError::WouldBlock) => Err(DatasetError::Folder {
                folder: folder.display().to_string(),
                problem: "is being written by another process; wait for it or end it".to_owned(),
            }),
            Err(TryLockError::Error(error)) => Err(DatasetError::write(&path)(error)),
        }
    }

    /// Leaves no trace.
    pub(super) fn release(self) {
        _ = std::fs::remove_file(&self.path);
    }
}

/// Checks size and, if asked for, checksum of a file.
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

/// A folder without a manifest must be empty, but for what begins with a dot.
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

/// Room on the disk that `folder` is or will be on.
fn free_bytes(folder: &Path) -> Result<u64, DatasetError> {
    let absolute = std::path::absolute(folder).map_err(DatasetError::read(folder))?;
    let existing = absolute.ancestors().find(|path| path.exists());
    let existing = existing.unwrap_or(&absolute);
    fs4::available_space(existing).map_err(DatasetError::read(existing))
}

/// `bytes` as people say it.
pub(super) fn size_text(bytes: u64) -> String {
    let bytes = bytes as f64;
    match bytes {
        b if b >= 1e9 => format!("{:.1} GB", b / 1e9),
        b if b >= 1e6 => format!("{:.1} MB", b / 1e6),
        b => format!("{:.1} kB", b / 1e3),
    }
}
