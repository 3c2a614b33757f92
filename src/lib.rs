//! Splits documents over shards inside one process, and makes the shards answer as one.
//!
//! Engines that keep their documents in several shards need the same few parts around them. Each of these works alone, and a [`Colony`] puts them
//! together:
//!
//! | question | part |
//! | --- | --- |
//! | Where does this document go? | [`HashRing`], [`Topology`], [`Router`] |
//! | When may all shards move on to the next phase? | [`TickBarrier`] |
//! | Which shards are there, and which are alive? | [`ShardRegistry`], [`HealthMonitor`](coordinator::HealthMonitor) |
//! | How many documents of all shards contain this term? | [`aggregate`], and [`frequency`] for sums that are kept up to date |
//! | Which documents move when the shards change? | [`RingPlan`](ring::RingPlan) |
//! | What do readers see while shards work? | [`Publication`], [`View`] |
//! | Who runs the shards? | [`Coordinator`] with threads of yours, [`Colony`] with threads of its own |
//!
//! The [guide](guide::choosing) shows each part with a program, and says when not to use it.
//!
//! There is no async runtime. Every call returns at once, or blocks its thread until a deadline.
//!
//! # A first program
//! A colony runs shards in lockstep: every tick has four phases, and no shard starts one before all have finished the one before. This shard only
//! counts the documents that it is given. With the feature `search` there are shards that are full-text indexes.
//!
//! ```
//! use tickring::colony::{Batch, TickContext};
//! use tickring::publication::ShardFailure;
//! use tickring::{Colony, ColonyConfig, DocumentId, Shard};
//!
//! struct Counter;
//!
//! impl Shard for Counter {
//!     type Document = String;
//!     type View = ();
//!
//!     fn act(
//!         &mut self,
//!         context: &mut TickContext<'_, String, ()>,
//!         batch: &mut Batch<'_, String>,
//!     ) -> Result<(), ShardFailure> {
//!         println!("{} gets {} documents", context.shard(), batch.iter().count());
//!         Ok(())
//!     }
//!
//!     fn view(&mut self) -> Result<(), ShardFailure> {
//!         Ok(())
//!     }
//! }
//!
//! let mut colony = Colony::new(ColonyConfig::default(), 3, |_birth| Ok(Counter))?;
//! let intake = colony.intake();
//! for number in 0..100 {
//!     intake.try_add(DocumentId::from_seed(number), format!("document {number}"))?;
//! }
//! assert_eq!(colony.tick()?.published, 100);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # One snapshot
//! Ring, members, statuses and epoch are one immutable [`Topology`]. A reader loads it once and answers from it without a lock, so whatever it
//! answers belongs to one epoch. The load (`ArcSwap::load`) is lock-free always, and wait-free except about once in `usize::MAX / 4` loads.
//!
//! # What it is not
//! - **Not durable by itself.** A colony lives in memory, unless it is opened in a directory, with the feature `durable`. Then it is on one
//!   disk of one machine.
//! - **Not a rebalancer of what others keep.** A colony in memory moves its documents towards a [goal](Colony::set_goal). Routing says which shard serves a
//!   document now, and moves nothing.
//! - **Not distributed.** It opens no connection and replicates nothing.
//! - **Not fault-isolating with `panic = "abort"`.** A shard that panics then ends the process. Nothing else depends on unwinding, and no
//!   lock is poisoned by a panic.
//!
//! The guide has the [invariants](guide::invariants), the [limitations and costs](guide::limitations), [what to watch and what each error
//! means](guide::metrics_and_errors), and [how to come from phago-distributed](guide::migrating).
//!
//! # Glossary
//! | term | meaning |
//! | --- | --- |
//! | shard | one partition of the documents, with a [`ShardId`] that no other shard ever gets |
//! | incarnation | one life of a shard id; registering the id again begins the next |
//! | tick | one round of all shards; its phases are Sense, Act, Decay and Advance |
//! | barrier | no member starts a phase before every member has finished the one before |
//! | topology, epoch | ring, members, statuses and weights as one immutable value, and its number |
//! | owner | the shard whose part of the ring contains a document's hash: where the document is written |
//! | route | the shard that serves the document now: the owner, or the next member that can |
//! | publication | the immutable views of all shards at the end of one tick: all that a query reads |
//! | colony | shards that tickring runs itself, in lockstep, on threads of its own |
//!
//! # Features
//! None is on by default.
//! - `serde`: serialisation of identities, statuses, configuration, membership commands, events, faults and figures.
//! - `search`: shards that are tantivy indexes, and exact search over them.
//! - `durable`: colonies in a directory, which survive the end of the process and a power cut, and whose shards come back after they died.
//! - `tracing`, `metrics`: spans, events and figures of colonies and searches, all of which [`observe`] lists.
//! - `cli`: the binary.

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
pub mod observe;
mod phase;
pub mod placement;
pub mod publication;
pub mod registry;
pub mod ring;
mod router;
#[cfg(all(feature = "search", not(any(loom, shuttle))))]
pub mod search;
#[cfg(all(feature = "durable", not(any(loom, shuttle))))]
mod storage;
mod sync;
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod testing;
pub mod topology;

/// The README's program, compiled and run with the documentation's examples.
#[cfg(all(
    doctest,
    feature = "durable",
    feature = "search",
    not(any(loom, shuttle))
))]
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
