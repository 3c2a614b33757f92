//! Colonies whose documents survive the end of the process.

mod api;
pub(crate) mod attempts;
mod check;
mod checkpoint;
mod config;
mod distance;
mod entry;
mod kind;
mod ledger;
pub(crate) mod lives;
mod members;
mod open;
mod outcome;
mod quarantine;
mod read_only;
mod recover;
mod replay;
mod report;
mod rescue;
mod restart;
pub(crate) mod saved;
mod settings;
mod shard;
mod start;
mod store;
mod verify;
mod writer;

pub use self::check::check_durable;
pub use self::config::{DurableConfig, MAX_DOCUMENT_BYTES};
pub use self::quarantine::Quarantined;
pub use self::read_only::ReadOnly;
pub use self::report::{CutOff, OpenReport, Replaying};
pub use self::saved::{Saved, Saving};
pub use self::settings::stored_settings;
pub use self::shard::DurableShard;
pub use self::verify::Verified;
