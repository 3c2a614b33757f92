//! Synchronous coordinator of a colony of document shards inside one process.

mod clock;
mod config;
mod error;
mod id;
mod phase;
mod placement;
mod sync;

pub use crate::clock::{Clock, ManualClock, MonotonicClock, Timestamp};
pub use crate::config::{
    Config, MAX_POINTS, MAX_REPLICAS, MAX_SHARDS, MAX_VIRTUAL_NODES, MAX_WEIGHT,
};
pub use crate::error::{
    BarrierError, ConfigError, Error, FrequencyError, MissingShards, RegistryError, Result,
    RingError, RouteError,
};
pub use crate::id::{DocumentId, Epoch, Incarnation, ShardId, Tick};
pub use crate::phase::TickPhase;
pub use crate::placement::Placement;
