//! Available memory and disk space, and checks whether work fits.

use std::path::Path;

use thiserror::Error;

/// Memory that work may take where the operating system does not report free memory.
const UNKNOWN: u64 = 16 << 30;

/// The memory that work may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    bytes: u64,
    /// Whether the user stated it.
    stated: bool,
}

/// Work that does not fit into memory.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{what} needs {} of memory, but {} {}", size_text(*.needed), size_text((*.limit).into()), .kind)]
pub struct TooLarge {
    /// The work.
    pub what: String,
    /// Bytes that it needs, about; saturates at the largest number.
    pub needed: u128,
    /// Bytes that it may take.
    pub limit: u64,
    kind: &'static str,
}

impl Memory {
    /// The memory available now.
    pub fn available() -> Self {
        Memory {
            bytes: available_memory().unwrap_or(UNKNOWN),
            stated: false,
        }
    }

    /// A limit stated by the user.
    pub fn stated(bytes: u64) -> Self {
        Memory {
            bytes,
            stated: true,
        }
    }

    /// Number of bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Refuses `what` if it needs more.
    ///
    /// # Errors
    /// [`TooLarge`] with both numbers.
    pub fn check(&self, what: &str, needed: u128) -> Result<(), TooLarge> {
        if needed <= u128::from(self.bytes) {
            return Ok(());
        }
        Err(TooLarge {
            what: what.to_owned(),
            needed,
            limit: self.bytes,
            kind: match self.stated {
                true => "are allowed",
                false => "are available",
            },
        })
    }
}

/// Bytes of memory available without swapping; none where the operating system does not report them.
/// On Linux the smaller of the memory available in the machine and the memory left by the process's control groups.
pub fn available_memory() -> Option<u64> {
    let machine = std::fs::read_to_string("/proc/meminfo").ok();
    let machine = machine.as_deref().and_then(available_in_meminfo);
    [machine, left_in_control_group()]
        .into_iter()
        .flatten()
        .min()
}

fn available_in_meminfo(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    kib.checked_mul(1024)
}

/// The memory that the control group (version 2) of this process and those above it leave.
fn left_in_control_group() -> Option<u64> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let root = Path::new("/sys/fs/cgroup");
    let own = root.join(group);
    let left = |folder: &Path| {
        let number = |file: &str| -> Option<u64> {
            let text = std::fs::read_to_string(folder.join(file)).ok()?;
            text.trim().parse().ok()
        };
        // `max` where there is no limit.
        let limit = number("memory.max")?;
        // Cached files count as used but are released under memory pressure.
        let stat = std::fs::read_to_string(folder.join("memory.stat")).ok()?;
        let cached = stat.lines().filter_map(|line| {
            let (name, bytes) = line.split_once(' ')?;
            let cached = matches!(name, "inactive_file" | "active_file");
            bytes.parse::<u64>().ok().filter(|_| cached)
        });
        let used = number("memory.current")?.saturating_sub(cached.sum());
        Some(limit.saturating_sub(used))
    };
    let folders = own
        .ancestors()
        .take_while(|folder| folder.starts_with(root));
    folders.filter_map(left).min()
}

/// Bytes that the disk has room for on which `path` is or will be.
///
/// # Errors
/// The error of the operating system.
pub fn available_disk(path: &Path) -> std::io::Result<u64> {
    let absolute = std::path::absolute(path)?;
    let existing = absolute.ancestors().find(|path| path.exists());
    fs4::available_space(existing.unwrap_or(&absolute))
}

/// Formats `bytes` with a unit: `13.2 GB`.
pub fn size_text(bytes: u128) -> String {
    const UNITS: [&str; 7] = ["kB", "MB", "GB", "TB", "PB", "EB", "ZB"];
    if bytes == u128::MAX {
        return "more than 1000 ZB".to_owned();
    }
    let mut size = bytes as f64 / 1e3;
    for unit in UNITS {
        // Not a thousand of one unit where it is one of the next.
        if size < 999.95 {
            return format!("{size:.1} {unit}");
        }
        size /= 1e3;
    }
    "more than 1000 ZB".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_in_their_units() {
        for (bytes, text) in [
            (0, "0.0 kB"),
            (1_234, "1.2 kB"),
            (999_960, "1.0 MB"),
            (13_200_000_000, "13.2 GB"),
            (1 << 64, "18.4 EB"),
            (u128::MAX, "more than 1000 ZB"),
            (u128::MAX - 1, "more than 1000 ZB"),
        ] {
            assert_eq!(size_text(bytes), text);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_both_numbers() {
        let memory = Memory::stated(8_000_000_000);
        assert_eq!(memory.check("the recording", 8_000_000_000), Ok(()));
        let error = memory.check("the recording", u128::MAX).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the recording needs more than 1000 ZB of memory, but 8.0 GB are allowed"
        );
        let error = Memory::available().check("a run", 1 << 80).unwrap_err();
        assert!(error.to_string().ends_with("are available"), "{error}");
    }

    #[test]
    fn the_system_reports_free_memory() {
        let text = "MemTotal:       65837396 kB\nMemFree: 1 kB\nMemAvailable:   42000000 kB\n";
        assert_eq!(available_in_meminfo(text), Some(43_008_000_000));
        assert_eq!(available_in_meminfo("MemTotal: 1 kB\n"), None);
        if cfg!(target_os = "linux") {
            let bytes = available_memory().unwrap();
            assert!((1 << 20..1 << 50).contains(&bytes), "{bytes}");
        }
        let missing = std::env::temp_dir().join("not/there/yet");
        assert!(available_disk(&missing).unwrap() > 0);
    }
}
