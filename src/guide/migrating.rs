//! From phago-distributed 1.0.0.
//!
//! **A mechanical port moves documents unless it uses [`Config::phago`](crate::Config::phago).** The default placement differs: on three
//! shards, two documents of three get another owner.
//!
//! # The recipe
//! 1. Build the coordinator from [`Config::phago`](crate::Config::phago), and rings and colonies with its placement.
//! 2. Take out `.await` and the async runtime: `tokio::spawn` becomes `std::thread::spawn`. A call returns at once, or blocks its thread until
//!    a deadline.
//! 3. Add `?` where a call can now refuse: constructors, registration, routing, heartbeats, metrics, sums.
//! 4. Rename: `DistributedConfig` to [`Config`](crate::Config), `DistributedError` to [`Error`](crate::Error), `DistributedResult` to
//!    [`Result`](crate::Result), `ConsistentHashRing` to [`HashRing`](crate::HashRing). `DocumentId` and `Tick` come from this crate.
//! 5. Hash other keys with [`Placement::key_bytes`](crate::placement::Placement::key_bytes).
//! 6. Go through the [differences](#differences).
//!
//! ```
//! use tickring::{Config, Coordinator, DocumentId, ShardId, ShardInfo, TickPhase};
//!
//! let coordinator = Coordinator::with_config(Config { num_shards: 2, ..Config::phago() })?;
//! for address in ["127.0.0.1:8081", "127.0.0.1:8082"] {
//!     coordinator.register_shard(ShardInfo::new(ShardId::new(0), address.to_owned()))?;
//! }
//! let owner = coordinator.route_document(&DocumentId::from_seed(42))?;
//! let tick = coordinator.current_tick();
//! for shard in coordinator.online_shards() {
//!     coordinator.phase_complete(shard.id, TickPhase::Sense, tick)?;
//! }
//! coordinator.wait_for_phase(TickPhase::Sense, tick)?;
//! assert_eq!((owner, coordinator.advance_tick()), (ShardId::new(0), 1));
//! # Ok::<(), tickring::Error>(())
//! ```
//!
//! # Where documents lie
//! The preset has SipHash-1-3 as its [`Placement`](crate::placement::Placement), 3 shards, 2 replicas and 150 virtual nodes. Owners and replicas
//! are those of phago-distributed for every number of shards, as long as both have the same shards and virtual nodes.
//!
//! - **Look at your `Cargo.lock` first.** phago-distributed hashes an id through the `Hash` of the crate uuid, which changed in 1.17.0.
//!   The preset agrees with 1.17.0 and later. With an older uuid, a document lies where
//!   `coordinator.route_key(&Placement::key_bytes(document.as_bytes()))` says: read it there, and write it again by its id.
//! - **A ring of your own** takes the placement: [`HashRing::with_placement`](crate::HashRing::with_placement).
//! - **A colony** takes the placement in its configuration.
//! - **A stored configuration** is refused, for its `rpc_timeout_ms`. Take that field out, and set `placement`. Timeouts are
//!   durations, written `{"secs": 5, "nanos": 0}`.
//!
//! ```
//! # #[cfg(feature = "serde")] {
//! use std::time::Duration;
//! use tickring::Config;
//!
//! let stored = r#"{"num_shards": 4, "placement": "siphash13", "phase_timeout": {"secs": 5, "nanos": 0}}"#;
//! let config: Config = serde_json::from_str(stored)?;
//! assert_eq!((config.num_shards, config.phase_timeout), (4, Duration::from_secs(5)));
//! assert_eq!(config.placement, Config::phago().placement);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ```
//! use tickring::{ColonyConfig, Config, Coordinator, DocumentId, HashRing};
//!
//! let placement = Config::phago().placement;
//! let ring = HashRing::with_placement(placement, 3, 150)?;
//! let coordinator = Coordinator::with_config(Config::phago())?;
//! let document = DocumentId::from_seed(42);
//! assert_eq!(ring.get_shard(&document)?, coordinator.route_document(&document)?);
//!
//! let of_a_colony = ColonyConfig { placement, ..ColonyConfig::default() };
//! assert_eq!(of_a_colony.virtual_nodes_per_shard, 150);
//! # Ok::<(), tickring::Error>(())
//! ```
//!
//! # Other keys
//! `get_shard_for_key` took any `Hash` type and hashed what its `Hash` writes. Here it takes bytes.
//! [`Placement::key_bytes`](crate::placement::Placement::key_bytes) gives the bytes that `Hash` writes. They work with
//! [`HashRing::get_shard_for_key`](crate::HashRing::get_shard_for_key), [`Coordinator::route_key`](crate::Coordinator::route_key) and
//! [`Router::route_key`](crate::Router::route_key). Each call allocates; keep the bytes of keys that you route often. Keys lie where they lay for any
//! version of uuid.
//!
//! | key | bytes |
//! | --- | --- |
//! | `&str`, `String` | the text, then `0xFF` |
//! | `&[u8]`, `Vec<u8>`, `[u8; N]` | the length in 8 bytes, the lowest first, then the bytes |
//! | integers | their own bytes, the lowest first; `usize` takes 8 |
//! | tuples | one part after the other |
//!
//! ```
//! use tickring::placement::Placement;
//! use tickring::{Config, Coordinator};
//!
//! assert_eq!(Placement::key_bytes("user:123"), b"user:123\xFF");
//! let coordinator = Coordinator::with_config(Config::phago())?;
//! let shard = coordinator.route_key(&Placement::key_bytes("user:123"))?;
//! // The plain bytes are another key.
//! let keys = (0..100).map(|n| format!("user:{n}"));
//! let moved = keys.filter(|key| {
//!     coordinator.route_key(key.as_bytes()) != coordinator.route_key(&Placement::key_bytes(key))
//! });
//! assert!(moved.count() > 50);
//! # Ok::<(), tickring::Error>(())
//! ```
//!
//! # Differences
//! Each row is a test in `tests/migration/differences.rs`, with its number in the name.
//!
//! | | phago-distributed 1.0.0 | tickring |
//! | --- | --- | --- |
//! | 1 | registry calls take `&ShardId` | `ShardId` by value; `get` returns a copy |
//! | 2 | timeouts in seconds or milliseconds | `Duration` |
//! | 3 | the registry reads the clock; `heartbeat_with_timestamp` sets a time | `register`, `register_with_id`, `heartbeat`, `check_dead_shards`, `set_status` take a [`Timestamp`](crate::clock::Timestamp). Start at `Timestamp::ZERO`; to make a shard look old, pass a later time to `check_dead_shards`. |
//! | 4 | `register_with_id(info, 42)` returns the id, and the next id is 43 | returns the [`Incarnation`](crate::id::Incarnation) that begins; the next id is the lowest free one, 0 |
//! | 5 | the barrier counts in `usize` | `u32` |
//! | 6 | any number of replicas, in a `Vec` | at most 15 besides the owner, in a value that derefs to `[ShardId]`; more are refused |
//! | 7 | a completion is for one phase | it covers every phase before it, so phases can't be completed out of order |
//! | 8 | any tick can be completed | the current tick and the next; others are refused |
//! | 9 | `reset_for_tick` forgets all completions, whatever the tick | it advances to that tick and keeps what came early; going back is refused |
//! | 10 | `wait_for_phase` counts completions up to the number of registered shards | it waits for each member by identity, planned shards too, unless [`Config::registration_timeout`](crate::Config::registration_timeout) gives them up |
//! | 11 | `new(3)` and three registrations make a `shard_count` of 6 | 3: a registration claims a planned shard |
//! | 12 | `add_shard` and `remove_shard` change the ring | they return a new ring; what can't be done is an error |
//! | 13 | zero shards panic | an empty ring; each look-up and wait is refused |
//! | 14 | a dead shard keeps its documents and the barrier waits for it | it is routed past and not waited for; [`Topology::place`](crate::Topology::place) still names the owner |
//! | 15 | a heartbeat doesn't bring an offline shard back | the first makes it `Recovering`, the second `Online` |
//! | 16 | calls about an unknown shard do nothing | they are refused, also for a planned shard that nobody registered |
//! | 17 | `aggregate_global_df` returns a `HashMap`, and may overflow | [`DocumentFrequencies`](crate::frequency::DocumentFrequencies): `get` returns a number, `into_map` a map; an overflow is an error |
//! | 18 | lists come in any order | by id; `least_loaded_shard` prefers the lowest |
//! | 19 | one error type | see below |
//!
//! | `DistributedError` | here | your state, and what to do |
//! | --- | --- | --- |
//! | `ShardNotFound(id)` | [`Error::ShardNotFound`](crate::Error::ShardNotFound) | nothing changed; register first |
//! | `PhaseTimeout(phase)` | [`BarrierError::PhaseTimeout`](crate::error::BarrierError::PhaseTimeout) in [`Error::Barrier`](crate::Error::Barrier), with the missing shards | nothing changed; wait again |
//! | `BarrierFailed` | [`BarrierError::Superseded`](crate::error::BarrierError::Superseded), [`NoMembers`](crate::error::BarrierError::NoMembers) | the phase never will be complete; go on with the current tick |
//! | `RoutingFailed(id)` | [`RouteError::NoneServing`](crate::error::RouteError::NoneServing), [`EmptyRing`](crate::error::RouteError::EmptyRing) in [`Error::Route`](crate::Error::Route) | nothing changed; try again once a shard serves |
//! | `CoordinatorUnavailable` | [`Error::Closed`](crate::Error::Closed) | final; build another |
//! | `EdgeResolutionFailed`, `GhostNodeNotFound` | a message in [`TickReport::returned`](crate::colony::TickReport), with its reason | it is yours again |
//! | `RpcError` | none: there is no RPC | |
//!
//! # From its runner to a colony
//! A [`Colony`](crate::Colony) does the work of `DistributedRunner`, `ShardedColony`, ghost caches and the query engine. Your shard implements
//! [`Shard`](crate::Shard); what readers see of it implements [`View`](crate::View).
//!
//! | phago-distributed | tickring |
//! | --- | --- |
//! | `DistributedRunner::tick` | [`Colony::tick`](crate::Colony::tick) |
//! | `DistributedRunner::run(n)` | `tick` in a loop, or [`Colony::run`](crate::Colony::run) until a [`Stop`](crate::colony::Stop) |
//! | `ShardedColony::tick_phase` | the methods `sense`, `act`, `decay`, `advance` of [`Shard`](crate::Shard) |
//! | `ingest_document` | [`Intake::try_upsert`](crate::colony::Intake::try_upsert); `act` gets the writes as a [`Batch`](crate::colony::Batch) |
//! | a colony that is not `Send` | [`Colony::pinned`](crate::Colony::pinned) |
//! | `GhostNodeCache`, `GhostNode` | [`TickContext::publication`](crate::colony::TickContext::publication): all shards as the last tick left them. Nothing is cached or fetched. |
//! | `CrossShardEdge`, `CrossShardEdgeManager` | [`TickContext::send`](crate::colony::TickContext::send): a message to the shard that owns the id, which arrives in the next tick. A shard can't be addressed: make the receiver a document. |
//! | `PhaseResult`, `DistributedTickResult` | [`TickReport`](crate::colony::TickReport) |
//! | `DistributedQueryEngine` | `search`, with the feature of that name: text shards and exact BM25 |
//! | `merge_results`, `ScoredNode` | [`Publication::top`](crate::Publication::top) with scores of your own, [`Hit`](crate::publication::Hit) |
//! | `LocalQueryRequest::global_df` | [`Publication::statistics`](crate::Publication::statistics), computed once for each tick |
//! | `ShardHealth`, `ColonyStats` | [`Shard::metrics`](crate::Shard::metrics), [`Colony::cluster_stats`](crate::Colony::cluster_stats) |
//! | `RunnerConfig::phase_timeout_ms` | [`ColonyConfig::phase_timeout`](crate::ColonyConfig::phase_timeout) |
//!
//! A node that links to another, on whichever shard that is:
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::sync::Arc;
//! use tickring::colony::{Batch, Birth, TickContext, Write};
//! use tickring::publication::ShardFailure;
//! use tickring::{Colony, ColonyConfig, Config, DocumentId, Shard, View};
//!
//! /// What is written under a node's id.
//! enum Fact {
//!     Node { link: DocumentId },
//!     /// An edge from another node, which may lie on another shard.
//!     Edge,
//! }
//!
//! #[derive(Clone, Default)]
//! struct Graph {
//!     /// The number of edges to each node.
//!     edges: BTreeMap<DocumentId, u32>,
//!     /// The nodes of the whole colony, as the last tick left it.
//!     seen: usize,
//! }
//!
//! impl Shard for Graph {
//!     type Document = Fact;
//!     type View = Self;
//!
//!     fn sense(&mut self, context: &mut TickContext<'_, Fact, Self>) -> Result<(), ShardFailure> {
//!         self.seen = *context.publication().statistics();
//!         Ok(())
//!     }
//!     fn act(
//!         &mut self,
//!         context: &mut TickContext<'_, Fact, Self>,
//!         batch: &mut Batch<'_, Fact>,
//!     ) -> Result<(), ShardFailure> {
//!         for (_, _origin, write) in batch.iter() {
//!             match write.document().map(|fact| &**fact) {
//!                 Some(Fact::Node { link }) => {
//!                     self.edges.entry(write.id()).or_default();
//!                     let edge = Write::Upsert { id: *link, document: Arc::new(Fact::Edge) };
//!                     let _ = context.send(edge); // refused in a colony's last tick, or beyond 1,048,576 a tick
//!                 }
//!                 Some(Fact::Edge) => *self.edges.entry(write.id()).or_default() += 1,
//!                 None => drop(self.edges.remove(&write.id())),
//!             }
//!         }
//!         Ok(())
//!     }
//!     fn view(&mut self) -> Result<Self, ShardFailure> {
//!         Ok(self.clone())
//!     }
//! }
//!
//! impl View for Graph {
//!     type Statistics = usize;
//!
//!     fn holds(&self, node: DocumentId) -> bool {
//!         self.edges.contains_key(&node)
//!     }
//!     fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
//!         Ok(self.edges.keys().copied().collect())
//!     }
//!     fn statistics(views: &[&Self]) -> Result<usize, ShardFailure> {
//!         Ok(views.iter().map(|graph| graph.edges.len()).sum())
//!     }
//! }
//!
//! let config = ColonyConfig { placement: Config::phago().placement, ..ColonyConfig::default() };
//! let make = |birth: Birth<Graph>| Ok(birth.last.map(|last| last.view().clone()).unwrap_or_default());
//! let mut colony = Colony::new(config, 3, make)?;
//! for n in 0..100 {
//!     let link = DocumentId::from_seed(n / 10);
//!     colony.intake().try_add(DocumentId::from_seed(n), Fact::Node { link })?;
//! }
//! for _ in 0..2 {
//!     colony.tick()?; // nodes in the first, edges in the second
//! }
//! let publication = colony.publication();
//! let score = |(&node, &edges): (&DocumentId, &u32)| (edges as f32, node);
//! let best = publication.top(1, |shard| shard.view().edges.iter().map(score))?;
//! assert_eq!(best[0].score, 10.0);
//! assert!(publication.shards().iter().all(|shard| shard.view().seen == 100));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What has no counterpart
//! - **RPC**: `rpc::server`, `rpc::client` and the tarpc services. Shards live in one process; calls are method calls. A shard elsewhere needs a
//!   connection of yours, which calls the coordinator for it.
//! - **`rpc_timeout_ms`**: only waits take time, and [`Config::phase_timeout`](crate::Config::phase_timeout) bounds them.
//! - **phago's own nodes and agents**: `NodeData`, `Digester` and the like stay yours, as a shard's documents.
//! - **`get_registered_mut`**: use `set_status` and `update_metrics`.
//! - **`bench`**: the measurements of this crate are in `benches/RESULTS.md`.
//! - **`tokenize`** with its stop words: keep yours for shards of your own. Text shards have no stop words.
