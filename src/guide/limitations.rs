//! What the parts don't do, and what they cost.
//!
//! Times are of 2 cores of an AMD EPYC; `benches/RESULTS.md` has all of them, with how they were measured.
//!
//! # What is not durable
//! - **Everything is in memory**, unless the colony was opened in a directory, with the feature `durable`. A process that ends, or a colony that is
//!   dropped without [`close`](crate::Colony::close), loses it.
//! - **A durable colony is on one disk.** What [`wait_durable`](crate::colony::Intake::wait_durable) has returned for survives the end of the
//!   process and a power cut, as far as the disk keeps what it has synced. It doesn't survive the disk. Copies are up to you: with the colony closed,
//!   a copy of its directory is one.
//! - **Writes that no tick has taken and nobody has waited for are not durable**, and a drop loses them. [`close`](crate::Colony::close) takes them in its last tick.
//! - **The messages of a tick that was never published are lost** with the process, since its Sense never happened. With a long pace, that tick has all
//!   writes since the one before.
//! - **A ring by itself moves nothing.** It says where a document belongs. A [colony](crate::Colony::set_goal) moves its documents; beside a
//!   [`Coordinator`](crate::Coordinator) alone you do.
//! - **A death in a move hides all that take part in it.** Until the dead shard has caught up, the publications show what each of them had in the tick
//!   before: with writes since then that nobody sees. In memory, it is given fewer documents at a time, and what is written for it waits. A shard that stays dead
//!   has to be [revived](crate::Colony::revive_shard) or [forgotten](crate::Colony::forget_shard).
//! - **A shard that dies of handing a document over stays dead** until its code is mended, and a durable colony with one can't be opened: without that delete
//!   the document would be in two shards.
//! - **In memory, a dead shard comes back with what its factory gives it.** Its last view is at hand ([`Birth::last`](crate::colony::Birth::last)). What
//!   the new life doesn't hold is missing from then on, and counted in the report.
//! - **One process.** Addresses are for display.
//! - **With `panic = "abort"`** a shard that panics ends the process.
//!
//! # What blocks
//! | call | waits for |
//! | --- | --- |
//! | routing, replicas, heartbeats of live shards, statistics, `Reader::publication` | nothing |
//! | registration, leave, status, weight, sweep | the coordinator's lock; [`Clock::now`](crate::clock::Clock::now) runs under it |
//! | `phase_complete` | the barrier's lock, for a time that doesn't depend on the number of members |
//! | `wait_for_phase` and its like | the phase, at most until the deadline |
//! | [`Colony::tick`](crate::Colony::tick) | the slowest shard in each phase, at most [`phase_timeout`](crate::ColonyConfig::phase_timeout) for each round of shards |
//! | [`Intake::try_add`](crate::colony::Intake::try_add) and its like | nothing that takes long |
//! | [`Intake::add`](crate::colony::Intake::add) and its like | room in the inbox, until the deadline |
//! | [`Intake::wait_durable`](crate::colony::Intake::wait_durable) | a sync, and at most the tick that is running, while [`Colony::run`](crate::Colony::run) ticks; otherwise the record of the tick; until the deadline |
//! | [`Colony::tick`](crate::Colony::tick) of a durable colony | also the sync, dead shards for at most a fifth of `phase_timeout`, and a checkpoint that can't keep up for at most the tick's own length |
//! | dropping a durable colony | the checkpoint that is running |
//! | [`Intake::wait_published`](crate::colony::Intake::wait_published) | the tick, until the deadline |
//!
//! - **A phase must not wait in [`Intake::add`](crate::colony::Intake::add)**, nor may the thread that ticks: only the tick makes room. A
//!   phase [sends](crate::colony::TickContext::send) instead, which never blocks.
//! - **A phase that hangs keeps its thread.** The shard is given up after `phase_timeout`. The thread is lost until the phase returns, and a
//!   colony with more than [`max_lost_threads`](crate::ColonyConfig::max_lost_threads) closes. In a durable colony each life that hangs while it is
//!   brought back keeps a thread too, which isn't counted there: two for each tick whose writes are then set aside, and four for a shard whose writes aren't.
//!   Such a thread changes nothing in the directory but temporary files of its own, and keeps nobody from opening it once the colony has ended.
//! - **A first life that is never finished** keeps [`Colony::pinned`](crate::Colony::pinned) waiting. So does the factory of
//!   [`Colony::new`](crate::Colony::new), which runs on the calling thread.
//!
//! # What callers' code meets
//! - **Documents, views and statistics are dropped by the thread that lets go of them last.** That may be the one that ticks. Shards are dropped on
//!   the colony's threads.
//! - **A panic of callers' code** in a phase, a factory, a view or a drop ends there. A panic of a task that a phase left to rayon goes to rayon's
//!   handler; without one, rayon ends the process.
//! - **Completions are cumulative**: a completed phase includes the phases before it. Ticks are a window: the current one and the next.
//! - **Zones are preferred, not required.** If fewer zones serve than a document has replicas, two of them share one. A zone with few points makes the
//!   look-up of replicas walk farther.
//! - **A brake that is on waits for somebody.** Until [`release_brake`](crate::Coordinator::release_brake) is called, documents are routed to shards that
//!   may be dead, and phases wait for them until their deadline. Evicting one, or setting it offline, takes it out at once.
//! - **Events are hints.** Those that find the channel full are dropped, and if they were the last, no gap in the epochs shows it. Compare with
//!   [`Coordinator::topology`](crate::Coordinator::topology).
//! - **Messages arrive in an order that depends on the number of shards.** If you add up floats, sort them by the sender's key first.
//!
//! ```
//! use tickring::{Coordinator, ShardId, TickPhase};
//! use tickring::error::{BarrierError, Error};
//!
//! let coordinator = Coordinator::new(3)?;
//! let events = coordinator.subscribe(1);
//! coordinator.deregister_shard(ShardId::new(0))?;
//! coordinator.deregister_shard(ShardId::new(1))?; // its event finds no room
//! let last = events.try_iter().last().expect("the first one");
//! assert_ne!(last.epoch, coordinator.topology().epoch());
//!
//! let shard = ShardId::new(2);
//! coordinator.phase_complete(shard, TickPhase::Advance, 1)?; // all of ticks 0 and 1
//! let ahead = coordinator.phase_complete(shard, TickPhase::Sense, 2);
//! assert!(matches!(ahead, Err(Error::Barrier(BarrierError::TickAhead { .. }))));
//! # Ok::<(), tickring::Error>(())
//! ```
//!
//! # What takes memory
//! | what | memory |
//! | --- | --- |
//! | a ring | 28 to 46 bytes a point, 16 to 32 more with up to 255 shards and 65,536 points, at least 16 KiB; 64 shards of 150 points: 650 KB |
//! | a topology that was replaced | until nobody reads it; at most 64 of them and 8 MiB are kept to free them with a later change. A [`Router`](crate::Router) keeps one until its next call, so drop idle routers. |
//! | an inbox | what is in it, at most [`inbox_capacity`](crate::ColonyConfig::inbox_capacity) writes a shard |
//! | the inbox of a durable colony's shard | also the encoded documents, at most `inbox_bytes` a shard, and one document that is larger |
//! | a text shard of a durable colony | its whole index, with all fields stored. With `Reading::Mapped` at most 32 MB of new segments, and 2 bytes a document for a filter of the ids; more go to temporary files, except those of the log in a colony that is only read |
//! | messages | what is sent, at most [`MAX_OUTBOX`](crate::colony::MAX_OUTBOX) a shard and tick |
//! | a tick | its writes, kept until it is published, and the views before and after |
//! | event channels | the events in them, at most 65,536 each |
//! | a search, on each of its threads | at most 64 KB, 8 KB for each word in each field, and its hits; a prefix, wildcard, fuzzy word or set of keywords also one bit for each document of a segment, and a phrase with a prefix 8 bytes for each place of its last word in the documents that have the others |
//! | interned terms | 83 to 92 bytes a term from 100,000 terms on |
//! | a snapshot of frequencies that was replaced | until nobody reads it; at most 64 of them and 8 MiB are kept to free them later |
//!
//! [`HashRing::memory_bytes`](crate::HashRing::memory_bytes) tells a ring's:
//!
//! ```
//! use tickring::HashRing;
//!
//! let ring = HashRing::new(64)?;
//! let bytes = ring.memory_bytes() / ring.total_virtual_nodes();
//! assert!((28..=80).contains(&bytes), "{bytes}");
//! # Ok::<(), tickring::error::RingError>(())
//! ```
//!
//! # What takes time
//! | what | 3 shards | 64 | 1,000 | 10,000 |
//! | --- | --- | --- | --- | --- |
//! | a document by the coordinator | 7 ns | 8 ns | 12 ns | 26 ns |
//! | by a router | 3 ns | 4 ns | 7 ns | 16 ns |
//! | with one replica, by a router | 16 ns | 12 ns | 21 ns | 62 ns |
//! | a ring built | 7 µs | 0.3 ms | 5 ms | 55 ms |
//! | a shard added | 9 µs | 0.1 ms | 0.4 ms | 6 ms |
//! | a change of status | 0.3 µs | 0.6 µs | 2.5 µs | 3 µs |
//!
//! - **A phase** of threads that do nothing else takes 0.2 µs for 2 threads when it runs alone, 7 µs for 8, 0.7 ms for 256.
//! - **A wait that times out** lists whom it waited for: 2 ms for 65,536 members, under the barrier's lock.
//! - **Statistics** are computed once a publication, on the ticking thread. A view with costly statistics slows each tick.
//! - **[`Colony::add_shard`](crate::Colony::add_shard)** asks each view for its documents, so its cost grows with their number.
//! - **A step towards a [goal](crate::Colony::set_goal)** copies the ring and orders its points, so its cost grows with the number of points: 10 to 20 ms a
//!   tick at 1,000 shards. A shard that joins four of 20,000 documents of 2 KB takes 6,000 a second at 250 a tick, and 11,000 at 1,000 a tick.
//! - **A new sum of 1,000,000 interned terms** over 4 shards takes 3 ms; an update of 100 of them 0.1 ms.
//! - **Indexing** text over 8 shards takes 1.5 times as long as one tantivy index with as many threads as cores.
//! - **A message is in no publication while it is on its way.** Statistics over a graph count it from the next tick on.
//!
//! # What is bounded
//! What lies beyond is refused with an error that names the bound; see [`limits`](crate::limits).
//!
//! | what | at most |
//! | --- | --- |
//! | shards, and members of a barrier | 65,536 |
//! | points of a ring | 16,777,216 |
//! | replicas besides the owner | 15 |
//! | a zone's name | 63 bytes |
//! | ticks | `u64::MAX / 4 - 1` |
//! | a colony's threads | 1,024 |
//! | timeouts | from 1 ms to one year |
//! | shards that are text indexes | 128 |
//! | fields of a schema | 100, with names of 64 bytes, and boosts of 1,000,000 |
//! | a keyword | 1,024 bytes |
//! | a query | 8,192 bytes, 100 nested groups, and boosts whose product is 1,000,000,000 |
//! | words and phrases of a query | 512; one without a field counts for each text field |
//! | its prefixes, wildcards, fuzzy words, slops, ranges, sets and checks of existence | 16 together |
//! | values of a set | 1,024 |
//! | a phrase's slop | 64 |
//! | a wildcard | 255 bytes; it begins with two characters |
//! | a fuzzy word | from 3 to 64 characters, and two changes from 6 characters on |
//! | hits of a search, with its offset | 100,000 |
//!
//! A longer word isn't refused: its first 255 bytes are indexed and searched for, and `TextDocument::shortened_words` counts such words.
//!
//! ```
//! use tickring::limits::{MAX_POINTS, MAX_REPLICAS, MAX_SHARDS};
//! use tickring::{Config, HashRing};
//!
//! assert_eq!((MAX_SHARDS, MAX_POINTS, MAX_REPLICAS), (65_536, 16_777_216, 15));
//! assert!(HashRing::with_virtual_nodes(65_536, 257).is_err());
//! let config = Config { replication_factor: 16, ..Config::default() };
//! assert_eq!(
//!     config.validate().unwrap_err().to_string(),
//!     "replication_factor is 16, but must be from 0 to 15",
//! );
//! # Ok::<(), tickring::Error>(())
//! ```
//!
//! The search refuses what is one above its bounds, too:
//!
//! ```
//! # #[cfg(feature = "search")] {
//! use tickring::search::{Field, MAX_TEXT_SHARDS, Query, QueryParser, Schema, SearchOptions};
//!
//! assert_eq!((MAX_TEXT_SHARDS, SearchOptions::MAX_HITS), (128, 100_000));
//! assert_eq!((Schema::MAX_FIELDS, Schema::MAX_NAME_BYTES), (100, 64));
//! assert_eq!((Schema::MAX_KEYWORD_BYTES, Schema::MAX_BOOST), (1_024, 1_000_000));
//! assert_eq!((Query::MAX_BYTES, Query::MAX_GROUPS), (8_192, 100));
//! assert_eq!((Query::MAX_LEAVES, Query::MAX_PATTERNS), (512, 16));
//! assert_eq!(Query::MAX_BOOST, 1_000_000_000);
//!
//! let fields = Schema::builder().field(Field::text("body")).field(Field::keyword("author"));
//! let schema = fields.build().expect("two fields");
//! let parser = QueryParser::new(&schema);
//! let set = |values| format!("author: IN [{}]", "Verne ".repeat(values));
//! let fuzzy = |letters| format!("{}~1", "x".repeat(letters));
//! let wildcard = |letters| format!("{}*", "x".repeat(letters));
//! for (allowed, refused) in [
//!     (set(1_024), set(1_025)),
//!     ("\"a sea\"~64".to_owned(), "\"a sea\"~65".to_owned()),
//!     (wildcard(2), wildcard(1)),
//!     (fuzzy(3), fuzzy(2)),
//!     (fuzzy(64), fuzzy(65)),
//!     ("abcdef~2".to_owned(), "abcde~2".to_owned()),
//! ] {
//!     assert!(parser.parse(&allowed).is_ok(), "{allowed}");
//!     assert!(parser.parse(&refused).is_err(), "{refused}");
//! }
//! # }
//! ```
//!
//! # What the search lacks
//! - **No index on disk yet.** It is built again whenever the process starts.
//! - **No facets**, and no other sums over the hits besides their number.
//! - **No sort by a field.** Hits are ordered by score; `SearchOptions::ties_by` orders those with the same score by what you know of them.
//! - **No regular expressions.** There are wildcards, and fuzzy words of at most two changes.
//! - **No builders of queries.** A query is parsed from text. `Query::literal` takes a text in which no character has a meaning.
//! - **No synonyms**, stop words, or suggestions of other spellings.
//! - **No explanation of a score.** The documentation of `Query` says how it is computed.
