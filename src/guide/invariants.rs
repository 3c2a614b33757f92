//! The invariants: what always holds, as one numbered list.
//!
//! Comments, tests and mutations cite these numbers. A number never changes its meaning. A new invariant gets the next free number.
//!
//! # Ring and topology
//!
//! ## I5: a ring is a function of its members
//! Two rings with the same members, weights, virtual nodes and placement are equal, whatever changes led to them. They answer every look-up as a
//! scan of all points would. A change moves no more than it must, and [`RingPlan`](crate::ring::RingPlan) lists exactly what moves. The steps of a
//! [`Rebalance`](crate::ring::Rebalance) end in the ring of the final members, and move each hash at most once unless the goal changes.
//!
//! Held by [`HashRing`](crate::HashRing). Checked by `src/testing/ring`, `src/ring/tests.rs`, `src/ring/collisions.rs`, `tests/ring.rs` and
//! `tests/rebalance.rs`.
//!
//! ## I10: topology and barrier agree
//! Everything that one call answers belongs to one epoch. A shard that it routes to is on the ring of that epoch and serves. A member that is seen to
//! serve is in the barrier. A waiter woken because a member left no longer sees that member serve.
//!
//! Held by [`Topology`](crate::Topology), which has ring, members and statuses in one value, and by the order in which
//! [`Coordinator`](crate::Coordinator) carries a command out. Checked by `src/testing/membership`, which `tests/state_machine` and
//! `tests/simulation` drive, and by `tests/loom`, `tests/shuttle` and `tests/known_failures.rs`.
//!
//! # Barrier
//!
//! ## I1: a phase is complete exactly if all its members have finished it
//! At least one member counts for the phase, and each that does has completed this phase or a later one. A thread that learns that a phase
//! is complete also sees what each member did before it. Advancing over a tick doesn't change which of its phases are complete.
//!
//! ## I2: what is complete stays complete
//! The frontier never goes back. A member that joins counts from a tick that is later than the current one, and later than every tick of which a phase
//! is complete.
//!
//! ## I3: no wake-up is lost
//! Each change that decides a wait wakes the waiting thread, which looks again. The same holds for waits for a publication and for the end of
//! a monitor.
//!
//! ## I4: a wait ends by its deadline
//! A deadline is computed once. When it has passed, the wait looks at its condition once more. Callers' code, which may take any time, never runs under
//! a lock that others wait for.
//!
//! All four are held by [`TickBarrier`](crate::TickBarrier). They are checked by `src/testing/barrier`, `src/barrier/tests.rs`,
//! `tests/barrier.rs`, `tests/loom` and `tests/shuttle`.
//!
//! # Membership
//!
//! ## I6: a refused call changed nothing
//! A call that can't be carried out returns an error that says why. Unless the error says otherwise, epoch, tick, members, barrier and frequencies are as
//! they were, and no event is sent.
//!
//! Held by checking a command whole before any of it is carried out. Checked by `src/coordinator/tests/refusals.rs`,
//! `src/testing/membership`, `src/testing/frequency` and `tests/simulation`.
//!
//! ## I7: an earlier life can do nothing
//! A call with an [`Incarnation`](crate::id::Incarnation) that has ended is refused. A shard's new life has none of the old one's progress.
//!
//! Held by [`ShardHandle`](crate::ShardHandle), [`ShardRegistry`](crate::ShardRegistry) and the barrier. Checked by `tests/loom`,
//! `src/testing/barrier` and `src/testing/membership`.
//!
//! ## I8: a shard that is heard from in time isn't taken for dead
//! A lease is judged by the last heartbeat before the judgement, and a heartbeat during the judgement isn't lost. A pause of the whole process, or a
//! clock that jumps, is no shard's fault.
//!
//! Held by the lease in the registry and by [`PauseGuard`](crate::coordinator::PauseGuard). Checked by `src/registry/tests.rs`, `src/health.rs`,
//! `tests/loom` and `tests/simulation`.
//!
//! ## I9: a shard that is heard from again comes back
//! A shard that was marked offline serves again after two heartbeats. A heartbeat doesn't undo a status that was set by hand, such as
//! `Draining`. A heartbeat on a closed lease returns an error.
//!
//! Held by [`ShardRegistry`](crate::ShardRegistry). Checked by `src/registry/tests.rs`, `tests/loom` and `tests/simulation`.
//!
//! ## I17: the brake lets no more than its share die
//! Within the time of a [`Brake`](crate::coordinator::Brake), sweeps mark no more than its share of the leased shards, unless it was released
//! meanwhile. While it is on they mark nobody, and no status changes but by a heartbeat or a call.
//!
//! Held by `src/membership`. Checked by `src/coordinator/tests/brake.rs`, `src/membership/tests/brake.rs` and `src/testing/membership`.
//!
//! # Frequencies
//!
//! ## I11: the sum over shards is exact
//! [`aggregate`](crate::aggregate) and [`aggregate_interned`](crate::frequency::aggregate_interned) return what adding the shards one by one would, on any
//! number of threads. Documents and frequencies are summed over the same shards. A sum that exceeds 64 bits is an error.
//!
//! Held by `frequency`. Checked by `src/testing/frequency`, `src/frequency/tests.rs` and `tests/frequency.rs`.
//!
//! ## I12: sums that are kept up to date equal new sums
//! A [`FrequencySnapshot`](crate::frequency::FrequencySnapshot) equals the sum over the shards as they were when it was published, whatever changes led
//! there, in whatever order. It never changes.
//!
//! Held by [`GlobalFrequencies`](crate::frequency::GlobalFrequencies). Checked by `src/testing/frequency` and
//! `src/frequency/interned/tests.rs`.
//!
//! # Colony
//!
//! ## I13: each accepted write is published, pending or returned
//! Exactly one of the three holds, and a write is published or returned only once. A write comes back in a report if a shard refused it, or if its shard's
//! death or the end of the colony kept it from being published. The reason says whether the shard had received it when it died. A shard's death
//! costs the other shards nothing, except that a tick in which documents move is shown only once all shards that take part have finished it.
//!
//! The same holds for the messages that shards send each other. They are accepted together with the publication of the tick in which they were sent.
//! Messages of a shard that didn't finish the tick were never sent, and the shard's fault counts them.
//!
//! ## I14: a publication is there before it is announced
//! A caller that was told of a published tick finds its publication, or a later one.
//!
//! ## I16: a document is in at most one view of a publication
//! A dead shard keeps its part of the ring and its last view, so no other shard is given its documents. They leave the publication only
//! together with the view, when the shard is forgotten or made again.
//!
//! Documents that [move](crate::Colony::set_goal) leave one view and enter another in the same publication, in which the ring has changed too. If a
//! shard dies in that tick, the publications show what it and those that it moves documents with had before, until it has caught up.
//! `tests/moves` compares the answers on the way with those of one index, and the simulated crashes below move documents too.
//!
//! All of these are held by `Colony` and its `Intake`. They are checked by `src/colony/tests`, whose `model.rs` is the naive model of a
//! colony in one thread; by `src/testing/colony`, the naive model of one whose writers and shards run at the same time, which
//! `tests/shuttle` and `tests/soak` drive; and by `tests/colony` and `tests/loom`.
//!
//! # Search
//!
//! ## I15: the shards answer as one index would
//! The hits, their order and the bits of their scores depend on the documents alone. They don't depend on the number of shards and segments, on
//! deletions and merges, or on documents that were skipped because they can't be among the best.
//!
//! Held by the module `search`: statistics over all shards, a sum in the query's order that is rounded once, and proven bounds.
//! Checked by `src/testing/search`, `src/search/prune.rs`, `src/search/slack.rs` and `tests/search`.
//!
//! # Durable colonies
//! Held by `src/storage` and `src/colony/durable`. Checked by `tests/durability`, whose tests are named after these numbers, on a simulated file system
//! that forgets what was not synced.
//!
//! ## D1: what was acknowledged is durable, and what is durable is applied
//! What a tick had accepted before a call of [`wait_durable`](crate::colony::Intake::wait_durable) that has returned is in the log on the disk. Recovery
//! applies everything that is there. No tick is published before it is durable, with what its shards decided.
//!
//! ## D2: after recovery all shards are at one tick
//! It is at or after the last acknowledged one, and each shard holds what it held there.
//!
//! ## D3: at each published tick a document is in one shard, its owner
//! Shards that are behind are told, with their tick.
//!
//! ## D4: the manifest names only files that were synced before it
//! Nothing that it names is changed or removed.
//!
//! ## D5: the log has every record above the lowest tick of the manifest
//! There is no gap, and a record that a shard's files hold has no effect on it.
//!
//! ## D6: one code path applies writes
//! New writes, logged ones, and those that a dead shard catches up with go through the shard's [`act`](crate::Shard::act).
//!
//! ## D7: after the first failed sync, no sync of the process counts
//! Nothing more is written or acknowledged until the colony is opened again.
//!
//! ## D8: whatever was removed, cut off, refused or set aside at opening is in the report
//!
//! ## D9: answers after recovery equal those of one index, to the bit
//! While a shard is behind, they equal those of one index over the documents of the published views.
//!
//! ## D10: what a report told is what replay does
//! A shard that refuses something else in replay than it did the first time is an error, which names the shard and the document.
