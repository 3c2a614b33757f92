//! What opening a durable colony did, and how far it is.

use std::time::Duration;

use super::quarantine::Quarantined;
use crate::id::Tick;
use crate::storage::log::Cut;

/// How far the replay of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplayProgress {
    /// The bytes of the log that were read.
    pub bytes: u64,
    /// All bytes of the log. Some of them may be skipped.
    pub of: u64,
    /// The tick that was read last.
    pub tick: Tick,
}

/// What [`Colony::open`](crate::Colony::open) did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct OpenReport {
    /// Whether the colony was created.
    pub created: bool,
    /// Whether the opening before this one was interrupted by the end of its process while it replayed the log. Then this one has applied the log on one thread.
    pub interrupted: bool,
    /// The tick at which all shards are. 0 before the first one.
    pub tick: Tick,
    /// The number of records that were read from the log.
    pub records: usize,
    /// The bytes of these records.
    pub bytes: u64,
    /// The number of writes that were applied again.
    pub writes: usize,
    /// The ends of log files that were not read, since they hold no whole record: what a crash or a power cut left of a record that was never
    /// acknowledged.
    pub cut: Vec<CutOff>,
    /// The files and directories that an ended process left behind, and that were removed, with their bytes.
    pub removed: Vec<(String, u64)>,
    /// What shards refused that no report has told: of the last tick, if it wasn't published, and of ticks in which they were dead. With their reasons.
    pub refused: Vec<String>,
    /// The writes that were set aside, since their shard died of them, in the ticks that were applied again.
    pub set_aside: Vec<Quarantined>,
    /// How long it took.
    pub elapsed: Duration,
}

/// The end of a log file that was not read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct CutOff {
    /// The file.
    pub file: String,
    /// Where the end begins.
    pub offset: u64,
    /// Its bytes.
    pub bytes: u64,
    /// The tick of its first record, if that can be told.
    pub tick: Option<Tick>,
}

impl OpenReport {
    pub(super) fn cut_off(&mut self, cuts: &[Cut]) {
        self.cut.extend(cuts.iter().map(|cut| CutOff {
            file: cut.file.clone(),
            offset: cut.offset,
            bytes: cut.bytes,
            tick: cut.tick,
        }));
    }
}
