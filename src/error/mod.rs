//! Errors: one enum per concern, and [`Error`], which a coordinator's calls return.
//!
//! Match on them if a program reacts to a certain refusal. Every variant says what it means for the caller's state.

mod barrier;
mod colony;
mod config;
mod frequency;
mod publication;
mod registry;
mod ring;
mod route;

pub use self::barrier::{BarrierError, MissingShards};
pub use self::colony::{ColonyError, IntakeError};
pub use self::config::ConfigError;
pub use self::frequency::FrequencyError;
pub use self::publication::PublicationError;
pub use self::registry::RegistryError;
pub use self::ring::RingError;
pub use self::route::{BatchError, RouteError};

use crate::id::{Incarnation, ShardId};

/// The result of a coordinator's call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of a [`Coordinator`](crate::Coordinator)'s call.
///
/// Whatever the variant, the call changed nothing: each command is checked whole before any of it is carried out. What ring,
/// registry and barrier refuse for the same reason (an unknown shard, an ended incarnation, a closed coordinator) is one
/// variant here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No shard with this id is on the ring. Nothing changed.
    #[error("{0} is not known to this coordinator")]
    ShardNotFound(ShardId),
    /// The caller speaks for an incarnation that isn't the shard's current one. Nothing changed; one that has ended must register
    /// again.
    #[error("{shard} was called as {stale}, which isn't its current one")]
    StaleIncarnation {
        /// The shard.
        shard: ShardId,
        /// The incarnation that the caller named.
        stale: Incarnation,
    },
    /// The coordinator is closed. Nothing changed, and nothing will any more.
    #[error("the coordinator is closed")]
    Closed,
    /// The configuration is out of bounds. Nothing was built.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The ring can't be changed as asked. Nothing changed.
    #[error(transparent)]
    Ring(RingError),
    /// The document can't be routed. Routing never changes anything.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// The slices of a batch differ in length. Nothing was routed.
    #[error(transparent)]
    Batch(BatchError),
    /// The barrier refused the call, or a wait ended without its phase. Nothing changed.
    #[error(transparent)]
    Barrier(BarrierError),
    /// The command about membership was refused. Nothing changed.
    #[error(transparent)]
    Registry(RegistryError),
    /// The frequencies can't be added up. The inputs were only read.
    #[error(transparent)]
    Frequency(#[from] FrequencyError),
}

impl From<RingError> for Error {
    fn from(error: RingError) -> Self {
        match error {
            RingError::ShardNotFound(id) => Self::ShardNotFound(id),
            other => Self::Ring(other),
        }
    }
}

impl From<BatchError> for Error {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Route(route) => Self::Route(route),
            other => Self::Batch(other),
        }
    }
}

impl From<BarrierError> for Error {
    fn from(error: BarrierError) -> Self {
        match error {
            BarrierError::Closed => Self::Closed,
            BarrierError::StaleIncarnation { shard, stale } => {
                Self::StaleIncarnation { shard, stale }
            }
            other => Self::Barrier(other),
        }
    }
}

impl From<RegistryError> for Error {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Closed => Self::Closed,
            RegistryError::StaleIncarnation { shard, stale } => {
                Self::StaleIncarnation { shard, stale }
            }
            RegistryError::ShardNotFound(id) => Self::ShardNotFound(id),
            RegistryError::Ring(ring) => Self::from(ring),
            other => Self::Registry(other),
        }
    }
}
