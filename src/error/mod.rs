//! Errors: one enum for each part of the crate, and [`Error`], into which all of them convert.
//!
//! A [`Coordinator`](crate::Coordinator) returns [`Error`]; other parts return their own enums. Every variant says what the failure
//! means for your state, so match on the ones that your program can handle.

#[cfg(all(feature = "search", not(any(loom, shuttle))))]
mod analyzer;
mod barrier;
mod cause;
mod colony;
mod config;
#[cfg(all(feature = "durable", not(any(loom, shuttle))))]
mod durable;
#[cfg(all(any(feature = "search", feature = "durable"), not(any(loom, shuttle))))]
mod excerpt;
mod frequency;
mod goal;
mod parse;
mod publication;
#[cfg(all(feature = "search", not(any(loom, shuttle))))]
mod query;
mod registry;
mod ring;
mod route;
#[cfg(all(feature = "search", not(any(loom, shuttle))))]
mod schema;
#[cfg(all(feature = "search", not(any(loom, shuttle))))]
mod search;
#[cfg(all(feature = "durable", not(any(loom, shuttle))))]
mod storage;

#[cfg(all(feature = "search", not(any(loom, shuttle))))]
pub use self::analyzer::AnalyzerError;
pub use self::barrier::{BarrierError, MissingShards};
pub use self::cause::Cause;
pub use self::colony::{ColonyError, IntakeError, UnsentReason};
pub use self::config::ConfigError;
#[cfg(all(feature = "durable", not(any(loom, shuttle))))]
pub use self::durable::DurableCheckError;
#[cfg(all(any(feature = "search", feature = "durable"), not(any(loom, shuttle))))]
pub use self::excerpt::Excerpt;
pub use self::frequency::FrequencyError;
pub use self::goal::GoalError;
pub use self::parse::ParseError;
pub use self::publication::PublicationError;
#[cfg(all(feature = "search", not(any(loom, shuttle))))]
pub use self::query::{QueryError, QueryPlace};
pub use self::registry::RegistryError;
pub use self::ring::RingError;
pub use self::route::{BatchError, RouteError};
#[cfg(all(feature = "search", not(any(loom, shuttle))))]
pub use self::schema::{DateError, DocumentError, SchemaError};
#[cfg(all(feature = "search", not(any(loom, shuttle))))]
pub use self::search::SearchError;
#[cfg(all(feature = "durable", not(any(loom, shuttle))))]
pub use self::storage::StorageError;
#[cfg(all(feature = "durable", not(any(loom, shuttle))))]
pub(crate) use self::storage::{FailedSync, NamedError};

use crate::id::{Incarnation, ShardId};

/// A [`Result`](std::result::Result) whose error is this crate's [`Error`] by default.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of a [`Coordinator`](crate::Coordinator)'s calls, into which the errors of all other parts convert.
///
/// One function can use every part of the crate with `?`. A conversion loses nothing: the variant holds the whole error of the part, shows
/// its text and returns its [`source`](std::error::Error::source). A few refusals that several parts share have one variant here: an unknown
/// shard, an ended incarnation, a closed coordinator or barrier, and a configuration out of bounds. Its text fits all of them.
///
/// Each variant says what it means for your state. A coordinator's call that fails has changed nothing: a command is checked
/// completely before any part of it is carried out.
///
/// Errors that return a document, such as [`Rejected`](crate::colony::Rejected), don't convert, because `?` would silently drop the
/// document. Use [`Rejected::into_reason`](crate::colony::Rejected::into_reason) to drop it explicitly:
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
    /// No shard with this id is on the ring, or in a registry that is used alone. Nothing changed.
    #[error("{0} is not known")]
    ShardNotFound(ShardId),
    /// The call names an incarnation that isn't the shard's current one. Nothing changed. A shard whose incarnation has ended must
    /// register again.
    #[error("{shard} was called as {stale}, which isn't its current incarnation")]
    StaleIncarnation {
        /// The shard.
        shard: ShardId,
        /// The incarnation that the call names.
        stale: Incarnation,
    },
    /// The coordinator is closed, or a barrier that is used alone. Nothing changed, and nothing can any more; what only reads still
    /// answers.
    #[error("the coordinator or the barrier is closed")]
    Closed,
    /// The configuration is out of bounds. Nothing was built.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The requested change of the ring is refused. Nothing changed.
    #[error(transparent)]
    Ring(RingError),
    /// The document can't be routed. Routing never changes anything.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// The slices of a batch differ in length. Nothing was routed.
    #[error(transparent)]
    Batch(BatchError),
    /// The barrier refused the call, or a wait ended before its phase was complete. Nothing changed.
    #[error(transparent)]
    Barrier(BarrierError),
    /// The registry refused a membership command. Nothing changed.
    #[error(transparent)]
    Registry(RegistryError),
    /// The frequencies can't be summed. The inputs were only read.
    #[error(transparent)]
    Frequency(#[from] FrequencyError),
    /// A colony's call failed. Each variant of [`ColonyError`] says what that means for its state.
    #[error(transparent)]
    Colony(Box<ColonyError>),
    /// A write was not accepted. Nothing changed.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// A shard's message was not sent. Nothing changed.
    #[error(transparent)]
    Unsent(#[from] UnsentReason),
    /// A goal was refused. Nothing changed.
    #[error(transparent)]
    Goal(#[from] GoalError),
    /// A publication can't be built or ranked. Nothing changed.
    #[error(transparent)]
    Publication(#[from] PublicationError),
    /// A text can't be parsed as a value. Nothing changed.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The operating system can't start a thread. Nothing changed.
    #[error("a thread can't be started: {0}")]
    Thread(#[source] Cause),
    /// No analyzer has the name. Nothing was built.
    #[cfg(all(feature = "search", not(any(loom, shuttle))))]
    #[error(transparent)]
    Analyzer(#[from] AnalyzerError),
    /// A query was refused. Nothing was searched.
    #[cfg(all(feature = "search", not(any(loom, shuttle))))]
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A schema was refused. No schema was made.
    #[cfg(all(feature = "search", not(any(loom, shuttle))))]
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A value doesn't fit its document's schema. The document is unchanged.
    #[cfg(all(feature = "search", not(any(loom, shuttle))))]
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A text isn't a date.
    #[cfg(all(feature = "search", not(any(loom, shuttle))))]
    #[error(transparent)]
    Date(#[from] DateError),
    /// A search failed, or a text shard's work did. A search changes nothing. A shard that failed during a write can't be used any more.
    #[cfg(all(feature = "search", not(any(loom, shuttle))))]
    #[error(transparent)]
    Search(SearchError),
    /// A colony's directory can't be read or written. Each variant of [`StorageError`] says what that means.
    #[cfg(all(feature = "durable", not(any(loom, shuttle))))]
    #[error(transparent)]
    Storage(Box<StorageError>),
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

#[cfg(all(feature = "durable", not(any(loom, shuttle))))]
impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        Self::Storage(Box::new(error))
    }
}
