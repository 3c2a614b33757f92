//! What a process and a directory take: memory, threads, open files, bytes on the disk.

use std::fmt;
use std::fs;
use std::path::Path;

/// What a process takes at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sample {
    pub(super) resident: u64,
    /// Without the pages of files.
    pub(super) anonymous: u64,
    pub(super) threads: u64,
    pub(super) open_files: usize,
    /// The lengths of all files of the colony.
    pub(super) disk: u64,
}

impl Sample {
    /// Returns `None` if the process has ended, or if the system doesn't say.
    pub(super) fn take(process: u32, directory: &Path) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let value = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        Some(Self {
            resident: value("VmRSS:")? << 10,
            anonymous: value("RssAnon:")? << 10,
            threads: value("Threads:")?,
            open_files: fs::read_dir(format!("/proc/{process}/fd")).ok()?.count(),
            disk: disk_bytes(directory),
        })
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RSS {} MiB, anonymous {} MiB, {} threads, {} open files, {} KiB on the disk",
            self.resident >> 20,
            self.anonymous >> 20,
            self.threads,
            self.open_files,
            self.disk >> 10
        )
    }
}

/// Returns the lengths of all files below a directory. What vanishes meanwhile doesn't count.
pub(super) fn disk_bytes(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else {
        return 0;
    };
    let bytes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => disk_bytes(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    bytes.sum()
}

/// Returns each value's median over the samples.
pub(super) fn median(samples: &[Sample]) -> Sample {
    let middle = |value: &dyn Fn(&Sample) -> u64| {
        let mut values: Vec<_> = samples.iter().map(value).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    Sample {
        resident: middle(&|sample| sample.resident),
        anonymous: middle(&|sample| sample.anonymous),
        threads: middle(&|sample| sample.threads),
        open_files: usize::try_from(middle(&|sample| sample.open_files as u64)).unwrap(),
        disk: middle(&|sample| sample.disk),
    }
}
