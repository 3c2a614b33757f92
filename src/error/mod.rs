//! Errors: one enum per concern, and [`Error`], which a coordinator's calls return.
//!
//! Match on them if a program reacts to a certain refusal. Every variant says what it means for the caller's state.

mod barrier;
mod cause;
mod colony;
mod config;
mod frequency;
mod parse;
mod publication;
mod registry;
mod ring;
mod route;
#[cfg(all(feature = "search", not(any(loom, shuttle))))]
mod search;

pub use self::barrier::{BarrierError, MissingShards};
pub use self::cause::Cause;
pub use self::colony::{ColonyError, IntakeError, UnsentReason};
pub use self::config::ConfigError;
pub use self::frequency::FrequencyError;
pub use self::parse::ParseError;
pub use self::publication::PublicationError;
pub use self::registry::RegistryError;
pub use self::ring::RingError;
pub use self::route::{BatchError, RouteError};
#[cfg(all(feature = "search", not(any(loom, shuttle))))]
pub use self::search::{QueryError, QueryExcerpt, SearchError};

use crate::id::{Incarnation, ShardId};

/// The result of a call, with this crate's [`Error`] unless another is named.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of a [`Coordinator`](crate::Coordinator)'s calls, into which the errors of all other parts convert.
///
/// So one function can use every part with `?`. Nothing is lost on the way: a variant holds the whole error of its part, shows its text and
/// returns its [`source`](std::error::Error::source). What several parts refuse for the same reason is one variant here: an unknown
/// shard, an ended incarnation, a closed coordinator, a configuration out of bounds.
///
/// Each variant says what became of the caller's state. A coordinator's call that fails changed nothing, whatever the variant: each command
/// is checked whole before any of it is carried out.
///
/// An error that gives a document back, such as [`Rejected`](crate::colony::Rejected), doesn't convert, because `?` would drop the
/// document. [`Rejected::into_reason`](crate::colony::Rejected::into_reason) drops it by name:
///
/// ```
/// # use tickring::colony::{Batch, Rejected, TickContext};
/// # use tickring::publication::ShardFailure;
/// use tickring::{Colony, ColonyConfig, DocumentId, Shard};
/// # struct Counter;
/// # impl Shard for Counter {
/// #     type Document = ();
/// #     type View = ();
/// #     fn act(&mut self, _: &mut TickContext<'_, (), ()>, _: &mut Batch<'_, ()>) -> Result<(), ShardFailure> {
/// #         Ok(())
/// #     }
/// #     fn view(&mut self) -> Result<(), ShardFailure> {
/// #         Ok(())
/// #     }
/// # }
///
/// fn main() -> tickring::Result<()> {
///     let mut colony = Colony::new(ColonyConfig::default(), 2, |_| Ok(Counter))?;
///     colony.intake().try_add(DocumentId::from_seed(1), ()).map_err(Rejected::into_reason)?;
///     colony.tick()?;
///     Ok(())
/// }
/// ```
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
    /// A colony's call failed. Whether anything changed is said by each of [`ColonyError`]'s variants.
    #[error(transparent)]
    Colony(Box<ColonyError>),
    /// A write was not accepted. Nothing changed.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// A shard's message was not sent. Nothing changed.
    #[error(transparent)]
    Unsent(#[from] UnsentReason),
    /// A publication can't be made or ranked. Nothing changed.
    #[error(transparent)]
    Publication(#[from] PublicationError),
    /// A text can't be read as a value. Nothing changed.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The operating system can't start a thread. Nothing changed.
    #[error("a thread can't be started: {0}")]
    Thread(#[source] Cause),
    /// A query is refused. Nothing was searched.
    #[cfg(all(feature = "search", not(any(loom, shuttle))))]
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A search, or the work of a shard that is searched, failed. A search changes nothing; a shard that failed while it was written can't be
    /// used any more.
    #[cfg(all(feature = "search", not(any(loom, shuttle))))]
    #[error(transparent)]
    Search(SearchError),
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

impl From<ColonyError> for Error {
    fn from(error: ColonyError) -> Self {
        match error {
            ColonyError::Config(config) => Self::Config(config),
            other => Self::Colony(Box::new(other)),
        }
    }
}

#[cfg(all(feature = "search", not(any(loom, shuttle))))]
impl From<SearchError> for Error {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Config(config) => Self::Config(config),
            other => Self::Search(other),
        }
    }
}
