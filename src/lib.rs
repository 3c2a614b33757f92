//! Synchronous coordinator of a colony of document shards inside one process.
//!
//! Engines that keep their documents in several shards need the same few things around them, and tickring is those things:
//!
//! | question | part |
//! | --- | --- |
//! | Where does this document go? | [`HashRing`], [`Topology`], [`Router`] |
//! | When may we move on to the next phase? | [`TickBarrier`] |
//! | Who is there, and who is alive? | [`ShardRegistry`], [`HealthMonitor`](coordinator::HealthMonitor) |
//! | What does the whole colony know? | [`aggregate`]; with lengths, for scores, or kept up to date: [`frequency`] |
//! | What moves when the topology changes? | [`RingPlan`](ring::RingPlan) |
//! | What do readers see? | [`Publication`], [`View`] |
//! | Who runs it all? | [`Coordinator`], [`Colony`] |
//!
//! There is no async runtime: every call either returns at once or blocks the calling thread with a deadline.
//!
//! # One snapshot
//! Ring, members, statuses and epoch are one immutable [`Topology`], installed in one cell. A reader loads it once and
//! answers from it, without a lock: `ArcSwap::load` is lock-free always, and wait-free but for once in about `usize::MAX / 4` accesses.
//! Whatever it answers belongs to one epoch.
//!
//! # A first program
//! ```
//! use tickring::{Coordinator, DocumentId, ShardId, ShardInfo, TickPhase};
//!
//! let coordinator = Coordinator::new(2)?;
//! let shard = |name: &str| ShardInfo::new(ShardId::new(0), name.to_owned());
//! let shards = [coordinator.register(shard("a"))?, coordinator.register(shard("b"))?];
//!
//! let document = DocumentId::from_seed(42);
//! println!("{document} belongs to {}", coordinator.route_document(&document)?);
//!
//! std::thread::scope(|scope| {
//!     for shard in &shards {
//!         let coordinator = &coordinator;
//!         scope.spawn(move || {
//!             for phase in TickPhase::ALL {
//!                 // ... this shard's work in this phase ...
//!                 shard.complete(phase, 0)?;
//!                 coordinator.wait_for_phase(phase, 0)?;
//!             }
//!             Ok::<(), tickring::Error>(())
//!         });
//!     }
//! });
//! assert_eq!(coordinator.advance_tick(), 1);
//! # Ok::<(), tickring::Error>(())
//! ```
//!
//! # Before using it
//! - **Nothing is durable.** The colony lives in memory.
//! - **Routing moves nothing.** It says which shard serves a document now. Documents are written to their placement owner.
//! - **`panic = "abort"`** takes away what isolates faults: a shard that panics then ends the process, as any panic does. Nothing
//!   else depends on unwinding; no lock is poisoned by a panic.
//!
//! The [`guide`] says [which part](crate::guide::choosing) does which job, [what always holds](crate::guide::invariants), what the
//! [limitations](crate::guide::limitations) are, what [to watch and what each error means](crate::guide::metrics_and_errors), and how
//! to [come from phago-distributed](crate::guide::migrating).
//!
//! # Features
//! None by default. `serde`: serialisation of identities and configuration. `search`: shards that are tantivy indexes. `cli`: the binary.

// Some modules of the binary are compiled into `testing::jsonl`, and name this crate from outside.
#[cfg(all(any(test, feature = "testing"), feature = "search"))]
extern crate self as tickring;

pub mod barrier;
pub mod clock;
pub mod colony;
mod config;
pub mod coordinator;
pub mod error;
mod event;
pub mod frequency;
mod guarded;
pub mod guide;
mod health;
pub mod id;
pub mod limits;
pub mod membership;
#[cfg(any(loom, shuttle))]
#[doc(hidden)]
pub mod model;
mod phase;
pub mod placement;
pub mod publication;
pub mod registry;
pub mod ring;
mod router;
#[cfg(all(feature = "search", not(any(loom, shuttle))))]
pub mod search;
mod sync;
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod testing;
pub mod topology;

/// The README's program, compiled and run with the documentation's examples.
#[cfg(all(doctest, feature = "search", not(any(loom, shuttle))))]
#[doc = include_str!("../README.md")]
struct Readme;

pub use crate::config::Config;
pub use crate::phase::TickPhase;
pub use crate::router::Router;
#[doc(inline)]
pub use crate::{
    barrier::TickBarrier,
    colony::{Colony, ColonyConfig, Shard},
    coordinator::{Coordinator, ShardHandle},
    error::{Error, Result},
    frequency::aggregate,
    id::{DocumentId, ShardId, Tick},
    publication::{Publication, View},
    registry::{NodeAddress, ShardInfo, ShardRegistry, ShardStatus},
    ring::HashRing,
    topology::Topology,
};
