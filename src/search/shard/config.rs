//! The configuration of a text shard.

use crate::error::ConfigError;
use crate::search::schema::Schema;

/// The least value of [`TextShardConfig::writer_memory`], in bytes.
pub const MIN_WRITER_MEMORY: u64 = 15_000_000;
/// The greatest value of [`TextShardConfig::writer_memory`], in bytes.
pub const MAX_WRITER_MEMORY: u64 = 4_293_967_294;

/// The configuration of a [`TextShard`](super::TextShard).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct TextShardConfig {
    /// The memory that the writer fills before it closes a segment, in bytes. Finished segments don't count. A tick that writes more makes
    /// several segments. From [`MIN_WRITER_MEMORY`] to [`MAX_WRITER_MEMORY`]. Default: 15 MB.
    pub writer_memory: u64,
    /// The fields of the documents. All shards of a colony must have the same. Default: [`Schema::default`].
    pub schema: Schema,
}

impl Default for TextShardConfig {
    fn default() -> Self {
        Self {
            writer_memory: MIN_WRITER_MEMORY,
            schema: Schema::default(),
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
