//! Colonies whose documents survive the end of the process.

#![allow(dead_code, reason = "the opening of a durable colony is being built")]

mod config;
pub(crate) mod lives;
pub(crate) mod saved;
mod shard;

pub use self::config::{DurableConfig, MAX_DOCUMENT_BYTES};
pub use self::saved::{Saved, Saving};
pub use self::shard::DurableShard;
