//! The configuration of a text shard.

use crate::error::ConfigError;
use crate::search::schema::Schema;

/// The least value of [`TextShardConfig::writer_memory`], in bytes.
pub const MIN_WRITER_MEMORY: u64 = 15_000_000;
/// The greatest value of [`TextShardConfig::writer_memory`], in bytes.
pub const MAX_WRITER_MEMORY: u64 = 4_293_967_294;

/// How a text shard of a durable colony reads the files of its index. The answers are the same. Shards of other colonies have no files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Reading {
    /// Opening reads all files into memory. The index must fit.
    #[default]
    Heap,
    /// Files are mapped, for an index that is larger than memory: the system keeps what is read, and takes it out of memory again when that is
    /// needed. Opening reads each file once, to compare its sum, and takes little memory. Reading what isn't in memory waits for the disk.
    ///
    /// New segments are in memory, up to 32 MB of a shard; more goes to temporary files in the colony's directory. Once a checkpoint has saved a
    /// segment, the shard's next tick maps the saved files. Publications from before keep the memory that they use.
    ///
    /// A process that reads a mapped file which somebody else has truncated, or which the disk can't read, is ended by the system (`SIGBUS`).
    /// The colony never truncates one, and its lock keeps other colonies out of the directory. On Windows a mapped file can't be removed. It
    /// stays until the colony is opened again.
    Mapped,
}

/// The configuration of a [`TextShard`](super::TextShard).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct TextShardConfig {
    /// The memory that the writer fills before it closes a segment, in bytes. Finished segments don't count. A tick that writes more makes
    /// several segments. If many documents have moved to the shard in one tick, each of several threads fills as much.
    /// From [`MIN_WRITER_MEMORY`] to [`MAX_WRITER_MEMORY`]. Default: 15 MB.
    pub writer_memory: u64,
    /// The fields of the documents. All shards of a colony must have the same. Default: [`Schema::default`].
    pub schema: Schema,
    /// How a shard of a durable colony reads its files. It may differ from one opening to the next. Default: [`Reading::Heap`].
    pub reading: Reading,
    /// The greatest size of a shard's saved files with which a durable colony is opened with [`Reading::Heap`], in bytes. With more, opening
    /// fails, and says what [`SearchError::IndexMemory`](crate::error::SearchError::IndexMemory) says. A colony that is open isn't stopped when it
    /// grows beyond this, and a shard of it that has died comes back. Default: `None`, without a bound.
    pub index_memory: Option<u64>,
}

impl Default for TextShardConfig {
    fn default() -> Self {
        Self {
            writer_memory: MIN_WRITER_MEMORY,
            schema: Schema::default(),
            reading: Reading::Heap,
            index_memory: None,
        }
    }
}

impl TextShardConfig {
    /// Checks the bounds of all fields. [`TextShard::new`](super::TextShard::new) does this as well; see the example of [`TextShard`](super::TextShard).
    ///
    /// # Errors
    /// [`ConfigError`] names the field that is out of bounds, its value and the bounds.
    pub const fn validate(&self) -> Result<(), ConfigError> {
        if self.writer_memory >= MIN_WRITER_MEMORY && self.writer_memory <= MAX_WRITER_MEMORY {
            return Ok(());
        }
        Err(ConfigError::OutOfRange {
            field: "writer_memory",
            value: self.writer_memory,
            min: MIN_WRITER_MEMORY,
            max: MAX_WRITER_MEMORY,
        })
    }
}
