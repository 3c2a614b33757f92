//! Which part for which job.
//!
//! The parts build on each other, and each works alone. Take the smallest one that does the job.
//!
//! | you have | take |
//! | --- | --- |
//! | keys or documents to spread over a fixed set of places | [`HashRing`](#a-ring) |
//! | shards that come, go and die, and documents to route to those that serve | [`Coordinator`](#a-coordinator), [`Router`](#a-router) on the hot path |
//! | threads of your own that go through phases together | [`TickBarrier`](#a-barrier) |
//! | a list of shards with leases, on a clock of yours | [`ShardRegistry`](#a-registry) |
//! | terms that several shards count | [frequencies](#frequencies) |
//! | views of several shards that readers see at one moment | [`Publication`](#a-publication) |
//! | shards that somebody should run for you | [`Colony`](#a-colony) |
//! | text to search | [search](#search) |
//!
//! # When not to use this crate
//! - You have one index and one writer. Use tantivy, or a map behind a lock.
//! - The shards are on several machines. This crate opens no connection and replicates nothing.
//! - The data must outlive a disk. A durable colony is in one directory of one machine.
//! - Your program is async throughout. Calls that wait block their thread.
//!
//! # A ring
//! A [`HashRing`](crate::HashRing) says who owns a key. It is a value: a change gives a new ring, and
//! [`RingPlan`](crate::ring::RingPlan) lists what moves between two. **Not** for shards that die: a ring knows no status.
//!
//! ```
//! use tickring::ring::RingPlan;
//! use tickring::{HashRing, ShardId};
//!
//! let ring = HashRing::new(4)?;
//! let owner = ring.get_shard_for_key(b"user:7")?;
//! let smaller = ring.remove_shard(ShardId::new(3))?;
//! let plan = RingPlan::between(&ring, &smaller)?;
//! assert!(plan.moves().iter().all(|range| range.from == Some(ShardId::new(3))));
//! assert!(owner == ShardId::new(3) || smaller.get_shard_for_key(b"user:7")? == owner);
//! # Ok::<(), tickring::Error>(())
//! ```
//!
//! # A coordinator
//! A [`Coordinator`](crate::Coordinator) is ring, registry and barrier in one, always at one epoch. It routes past shards that are offline.
//! Shards run on threads of yours, or in other processes that you talk to. **Not** needed if nobody comes, goes or dies.
//!
//! - **Dead shards are found by a sweep.** A shard sends heartbeats through its [`ShardHandle`](crate::ShardHandle). A
//!   [`HealthMonitor`](crate::coordinator::HealthMonitor) marks those offline that have stopped; without one, call `check_shard_health`.
//! - **Planned shards count from the start.** `Coordinator::new(n)` plans `n` shards, and routes to them before they register. Plan 0, or set
//!   [`registration_timeout`](crate::Config::registration_timeout), if they may never come.
//! - **A brake keeps a fault of the network from emptying the ring**, if you set one ([`Config::brake`](crate::Config::brake)). If more shards than
//!   its share would be marked within its time, none is, until you call [`release_brake`](crate::Coordinator::release_brake). Set it where shards
//!   are in other processes, and where somebody will look at them. Without that, a shard that is really dead stays in the ring.
//! - **Replicas are spread over zones** if the shards' registrations name [zones](crate::id::Zone). With two zones and one
//!   replica besides the owner, the loss of a zone leaves one of each document. Owners and routes don't look at zones, so naming them later moves
//!   no document.
//!
//! ```
//! use tickring::coordinator::HealthMonitor;
//! use tickring::{Coordinator, DocumentId, ShardId, ShardInfo, ShardStatus};
//!
//! let coordinator = Coordinator::new(2)?;
//! let info = ShardInfo::new(ShardId::new(0), "local".to_owned());
//! let shards = [coordinator.register(info.clone())?, coordinator.register(info)?];
//! let _monitor = HealthMonitor::spawn(&coordinator)?; // marks a shard offline when its heartbeats stop
//! shards[0].heartbeat()?;
//!
//! let document = DocumentId::from_seed(42);
//! let owner = coordinator.route_document(&document)?;
//! shards[owner.as_u32() as usize].set_status(ShardStatus::Offline)?;
//! assert_ne!(coordinator.route_document(&document)?, owner);
//! # Ok::<(), tickring::Error>(())
//! ```
//!
//! # A router
//! A [`Router`](crate::Router) is a coordinator's routing for one thread, two to three times as fast, and faster still in batches. **Not** for
//! a thread that seldom routes: the router keeps an old topology alive until its next call.
//!
//! ```
//! use tickring::{Coordinator, DocumentId, ShardId};
//!
//! let coordinator = Coordinator::new(8)?;
//! let mut router = coordinator.router();
//! let documents: Vec<_> = (0..1_000).map(DocumentId::from_seed).collect();
//! let mut shards = vec![ShardId::new(0); documents.len()];
//! router.route_batch(&documents, &mut shards)?;
//! assert_eq!(shards[7], coordinator.route_document(&documents[7])?);
//! # Ok::<(), tickring::Error>(())
//! ```
//!
//! # A barrier
//! A [`TickBarrier`](crate::TickBarrier) makes threads go through phases together. Members may come and go, and a wait has a deadline and
//! names whom it waited for. **Not** for a fixed group of threads that never fails: there `std::sync::Barrier` is simpler.
//!
//! Begin the next tick on one thread, with `advance`. Among equals, let each call `reset_for_tick` with the next tick: the first call advances, and
//! the others change nothing.
//!
//! ```
//! use std::thread;
//! use tickring::error::BarrierError;
//! use tickring::{ShardId, TickBarrier, TickPhase};
//!
//! let barrier = TickBarrier::new(3)?; // shard-0 to shard-2
//! let steps = |shard| {
//!     for tick in 0..100 {
//!         // ... this thread's step ...
//!         barrier.complete(shard, TickPhase::Advance, tick)?; // with all phases before it
//!         barrier.wait_all(TickPhase::Advance, tick)?;
//!         barrier.reset_for_tick(tick + 1)?;
//!     }
//!     Ok::<(), BarrierError>(())
//! };
//! thread::scope(|scope| {
//!     let threads = [0, 1, 2].map(|id| scope.spawn(move || steps(ShardId::new(id))));
//!     threads.into_iter().try_for_each(|thread| thread.join().expect("it doesn't panic"))
//! })?;
//! assert_eq!(barrier.current_tick(), 100);
//! # Ok::<(), BarrierError>(())
//! ```
//!
//! # A registry
//! A [`ShardRegistry`](crate::ShardRegistry) knows who is there and who is alive. It has no clock and no lock, so it suits tests and programs
//! with an event loop. **Not** to be kept beside a coordinator, which has one.
//!
//! ```
//! use std::time::Duration;
//! use tickring::clock::Timestamp;
//! use tickring::{ShardId, ShardInfo, ShardRegistry};
//!
//! let mut registry = ShardRegistry::with_heartbeat_timeout(Duration::from_secs(10));
//! let info = ShardInfo::new(ShardId::new(0), "local".to_owned());
//! let shard = registry.register(info, Timestamp::ZERO)?;
//! let later = Timestamp::ZERO.saturating_add(Duration::from_secs(11));
//! assert_eq!(registry.check_dead_shards(later), [shard]);
//! # Ok::<(), tickring::error::RegistryError>(())
//! ```
//!
//! # Frequencies
//! Sums of document frequencies over shards, for scores of your own. [`aggregate`](crate::aggregate) adds up maps once. For idf and BM25, which
//! need the number of documents too, take [`CorpusStatistics`](crate::frequency::CorpusStatistics). To keep the sums up to date while documents come
//! and go, count with a [`ShardCounter`](crate::frequency::ShardCounter) in each shard, and hand its counts to
//! [`GlobalFrequencies`](crate::frequency::GlobalFrequencies). **Not** needed with search, which has statistics of its own.
//!
//! ```
//! use std::collections::HashMap;
//! use tickring::aggregate;
//!
//! let shards = [HashMap::from([("sea", 2_u64)]), HashMap::from([("sea", 1), ("tide", 4)])];
//! let sums = aggregate(&shards)?;
//! assert_eq!((sums.get("sea"), sums.get("tide"), sums.get("boat")), (Some(3), Some(4), None));
//! # Ok::<(), tickring::error::FrequencyError>(())
//! ```
//!
//! # A publication
//! A [`Publication`](crate::Publication) is the views of all shards at one moment, with statistics over them and a top-k merge. A colony makes
//! one a tick; you can build one of any views. **Not** for a single shard: an `Arc` of its view does. A colony's
//! [`Reader`](crate::colony::Reader) gives the newest one; for your own, keep it in a lock or in an `ArcSwap`.
//!
//! ```
//! use tickring::publication::{Published, ShardFailure};
//! use tickring::{DocumentId, Publication, ShardId, View};
//!
//! struct Scores(Vec<(f32, DocumentId)>);
//!
//! impl View for Scores {
//!     type Statistics = ();
//!     fn holds(&self, document: DocumentId) -> bool {
//!         self.0.iter().any(|&(_, id)| id == document)
//!     }
//!     fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
//!         Ok(self.0.iter().map(|&(_, id)| id).collect())
//!     }
//!     fn statistics(_views: &[&Self]) -> Result<(), ShardFailure> {
//!         Ok(())
//!     }
//! }
//!
//! let view = |seed, score| Scores(vec![(score, DocumentId::from_seed(seed))]);
//! let one = Published::new(ShardId::new(0), view(1, 0.5));
//! let other = Published::new(ShardId::new(1), view(2, 0.9));
//! let publication = Publication::new([one, other])?;
//! let best = publication.top(1, |shard| shard.view().0.iter().copied())?;
//! assert_eq!(best[0].document, DocumentId::from_seed(2));
//! # Ok::<(), tickring::error::PublicationError>(())
//! ```
//!
//! # A colony
//! A [`Colony`](crate::Colony) runs your shards in lockstep on threads of its own, isolates their faults, makes dead ones again, and accounts
//! for each write. A shard writes to any document with [`send`](crate::colony::TickContext::send); it can't address a shard, so make the receiver a
//! document. A shard that can't change its thread lives on one that [`Colony::pinned`](crate::Colony::pinned) starts. [Migrating](super::migrating#from-its-runner-to-a-colony) has one whole. **Not** for writes that must be visible at once,
//! since a write shows with the next tick; nor for shards of very different speed, since a phase takes as long as the slowest.
//!
//! ```
//! use tickring::colony::{Batch, TickContext};
//! use tickring::publication::ShardFailure;
//! use tickring::{Colony, ColonyConfig, DocumentId, Shard};
//!
//! struct Counter(u64);
//!
//! impl Shard for Counter {
//!     type Document = ();
//!     type View = ();
//!     fn act(
//!         &mut self,
//!         _context: &mut TickContext<'_, (), ()>,
//!         batch: &mut Batch<'_, ()>,
//!     ) -> Result<(), ShardFailure> {
//!         self.0 += batch.len() as u64;
//!         Ok(())
//!     }
//!     fn view(&mut self) -> Result<(), ShardFailure> {
//!         Ok(())
//!     }
//! }
//!
//! let mut colony = Colony::new(ColonyConfig::default(), 4, |_| Ok(Counter(0)))?;
//! colony.intake().try_upsert(DocumentId::from_seed(1), ())?;
//! assert_eq!(colony.tick()?.published, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Search
//! With the feature `search`, text shards are tantivy indexes whose answers are the same for any number of shards. They run in a colony, or
//! stand alone: `search::search_views` takes views and statistics from anywhere. **Not** worth it for one index: use tantivy itself.
//!
//! Documents have a title and a body, or the fields of a `Schema` of your own. `tests/examples/library.rs` has one, with filters, totals and
//! snippets.
//!
//! ```
//! # #[cfg(feature = "search")]
//! # fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use tickring::search::{Query, TextDocument, TextShard, TextShardConfig, search};
//! use tickring::{Colony, ColonyConfig, DocumentId};
//!
//! let make = TextShard::factory(TextShardConfig::default());
//! let mut colony = Colony::new(ColonyConfig::default(), 2, make)?;
//! let document = TextDocument::new("The open sea", "");
//! colony.intake().try_upsert(DocumentId::from_seed(1), document)?;
//! colony.tick()?;
//! let hits = search(&colony.publication(), &Query::parse("sea")?, 10, None)?;
//! assert_eq!(hits[0].document, DocumentId::from_seed(1));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "search"))]
//! # fn main() {}
//! ```
