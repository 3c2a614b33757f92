//! The configuration of a durable colony.

use crate::colony::ColonyConfig;
use crate::config::bounded;
use crate::error::ConfigError;
use crate::id::Tick;
use crate::limits::MAX_SHARDS;

/// The greatest number of bytes of one document, encoded.
pub const MAX_DOCUMENT_BYTES: u64 = 64 << 20;

/// The configuration of a durable colony, for [`Colony::open`](crate::Colony::open).
///
/// ```
/// use tickring::colony::DurableConfig;
///
/// let config = DurableConfig { log_writes: 0, ..DurableConfig::default() };
/// let wrong = config.validate().unwrap_err();
/// assert_eq!(wrong.to_string(), "log_writes is 0, but must be from 1 to 4294967295");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct DurableConfig {
    /// What every colony has. The placement and the virtual nodes are those that the colony was created with, and others are refused.
    pub colony: ColonyConfig,
    /// The number of shards that a new colony is created with. An existing one keeps those that it has, since a [goal](crate::Colony::set_goal) may have
    /// changed their number. Default: `None`, for 4.
    pub shards: Option<u32>,
    /// A checkpoint begins when the log has this many bytes more than at the last one. The log takes about twice this on the disk. It grows further while
    /// checkpoints fail or a shard is behind, which still needs it, until [nothing is accepted](crate::error::IntakeError::LogFull) at four times. From 4,096 to 2⁴⁰. Default: 64 MB.
    pub log_bytes: u64,
    /// A checkpoint also begins when the log has this many writes more than at the last one, so that small documents don't make an opening slow.
    /// From 1 to 2³² - 1. Default: 128,000.
    pub log_writes: u64,
    /// The greatest number of bytes that can wait in a shard's inbox for the next tick. A larger document is accepted if the inbox is empty. From 1
    /// to 2⁴⁰. Default: 8 MB.
    pub inbox_bytes: u64,
    /// A tick of the log whose writes are set aside while the colony is opened, for the shard with which the process has ended twice. Only the tick that
    /// [`ColonyError::EndsProcess`](crate::error::ColonyError::EndsProcess) names has an effect. A tick has
    /// all writes since the one before it; with a long pace these are up to half of what the shard's inbox holds. Default: `None`.
    pub set_aside: Option<Tick>,
}

impl Default for DurableConfig {
    fn default() -> Self {
        Self {
            colony: ColonyConfig::default(),
            shards: None,
            log_bytes: 64 << 20,
            log_writes: 128_000,
            inbox_bytes: 8 << 20,
            set_aside: None,
        }
    }
}

impl DurableConfig {
    /// The number of shards of a new colony, unless another is given.
    pub(super) const SHARDS: u32 = 4;

    /// Checks the bounds of all fields. See the example of [`DurableConfig`].
    ///
    /// # Errors
    /// [`ConfigError`] names the first field that is out of bounds, its value and the bounds.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let shards = self.shards.unwrap_or(Self::SHARDS);
        bounded("shards", u64::from(shards), 1, u64::from(MAX_SHARDS))?;
        self.colony.validate(shards as usize)?;
        bounded("log_bytes", self.log_bytes, 4_096, 1 << 40)?;
        bounded("log_writes", self.log_writes, 1, u64::from(u32::MAX))?;
        bounded("inbox_bytes", self.inbox_bytes, 1, 1 << 40)
    }
}
