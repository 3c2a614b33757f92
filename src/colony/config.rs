//! The configuration of a colony. It is validated once, when the colony is made.

use std::num::NonZero;
use std::time::Duration;

use crate::config::{Config, bounded};
use crate::error::ConfigError;
use crate::limits::MAX_SHARDS;
use crate::placement::Placement;

/// The greatest number of threads that a colony may have.
pub const MAX_THREADS: usize = 1_024;
/// The greatest capacity of a shard's inbox, in writes.
pub const MAX_INBOX_CAPACITY: usize = 1 << 20;

/// The configuration of a [`Colony`](crate::Colony).
///
/// ```
/// use tickring::ColonyConfig;
///
/// let config = ColonyConfig { threads: 0, ..ColonyConfig::default() };
/// let wrong = config.validate(3).unwrap_err();
/// assert_eq!(wrong.to_string(), "threads is 0, but must be from 1 to 1024");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct ColonyConfig {
    /// The number of threads that run the shards' phases. With fewer threads than shards, each thread runs several shards in turn. From 1 to
    /// [`MAX_THREADS`]. Default: the number of cores.
    pub threads: usize,
    /// The time that one shard may take for one phase, from the moment a thread starts it. A shard that takes longer is given up. Time
    /// in which the whole process was paused doesn't count. Choose a few times the longest healthy phase. An overrun may be noticed late, by
    /// up to a sixteenth of this time plus 20 ms. From 1 ms to one year. Default: 30 s.
    pub phase_timeout: Duration,
    /// The greatest number of writes that can wait in a shard's inbox for the next tick. When an inbox is full, writers wait or get their
    /// document back. From 1 to [`MAX_INBOX_CAPACITY`]. Default: 4,096.
    pub inbox_capacity: usize,
    /// The greatest number of threads that may be lost at the same time to phases that were given up. One more closes the colony. A
    /// thread whose phase returns after all no longer counts. From 0 to [`MAX_THREADS`]. Default: 8.
    pub max_lost_threads: usize,
    /// The number of points on the ring for each shard; see [`Config::virtual_nodes_per_shard`]. Default: 150.
    pub virtual_nodes_per_shard: u32,
    /// The hash that places documents and points; see [`Config::placement`]. Default: [`Placement::Xxh3`].
    pub placement: Placement,
}

impl Default for ColonyConfig {
    fn default() -> Self {
        let coordinator = Config::default();
        Self {
            threads: std::thread::available_parallelism()
                .map_or(1, NonZero::get)
                .min(MAX_THREADS),
            phase_timeout: coordinator.phase_timeout,
            inbox_capacity: 4_096,
            max_lost_threads: 8,
            virtual_nodes_per_shard: coordinator.virtual_nodes_per_shard,
            placement: coordinator.placement,
        }
    }
}

impl ColonyConfig {
    /// Checks the bounds of all fields, for a colony of this many shards. See the example of [`ColonyConfig`].
    ///
    /// # Errors
    /// [`ConfigError`] names the first field that is out of bounds, its value and the bounds.
    pub fn validate(&self, shards: usize) -> Result<(), ConfigError> {
        let at_most = |field, value, max: usize| bounded(field, value as u64, 0, max as u64);
        let from_one = |field, value, max: usize| bounded(field, value as u64, 1, max as u64);
        from_one("shards", shards, MAX_SHARDS as usize)?;
        from_one("threads", self.threads, MAX_THREADS)?;
        from_one("inbox_capacity", self.inbox_capacity, MAX_INBOX_CAPACITY)?;
        at_most("max_lost_threads", self.max_lost_threads, MAX_THREADS)?;
        self.coordinator(shards).validate()
    }

    /// The coordinator's part. Colony shards have no lease: the phase deadline is their detector.
    pub(super) fn coordinator(&self, shards: usize) -> Config {
        Config {
            num_shards: u32::try_from(shards).unwrap_or(u32::MAX),
            virtual_nodes_per_shard: self.virtual_nodes_per_shard,
            placement: self.placement,
            phase_timeout: self.phase_timeout,
            ..Config::default()
        }
    }
}
