//! The files of a durable colony: the layer below them, the log and the manifest.
//!
//! Everything that a colony writes goes through [`Files`], which tests replace by a simulation that loses what was not synced.

pub(crate) mod changes;
pub(crate) mod codec;
pub(crate) mod colony_id;
pub(crate) mod directory;
pub(crate) mod files;
pub(crate) mod leftovers;
pub(crate) mod lock;
pub(crate) mod log;
pub(crate) mod manifest;
pub(crate) mod memory;
pub(crate) mod os;
pub(crate) mod poison;
pub(crate) mod record;
#[cfg(test)]
mod tests;

pub(crate) use self::directory::{Access, Directory};
pub(crate) use self::files::Files;
