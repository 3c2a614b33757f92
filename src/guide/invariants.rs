//! What always holds: one numbered list.
//!
//! Comments, tests and mutations cite these numbers. A number keeps its meaning; a new invariant gets the next free one.
//!
//! # Ring and topology
//!
//! ## I5: a ring is a function of its members
//! Two rings of the same members, weights, virtual nodes and placement are equal, however they came about, and answer every look-up as
//! a scan of all points would. A change moves only what it has to, and [`RingPlan`](crate::ring::RingPlan) lists exactly that.
//!
//! Held by [`HashRing`](crate::HashRing). Checked by `src/testing/ring`, `src/ring/tests.rs` and `tests/ring.rs`.
//!
//! ## I10: topology and barrier agree
//! Whatever one call answers belongs to one epoch. What it routes to is on the ring of that epoch and serves. Whoever finds that a
//! member serves finds it in the barrier, and whoever is woken by a departure no longer finds that it serves.
//!
//! Held by [`Topology`](crate::Topology), which has ring, members and statuses in one value, and by the order in which
//! [`Coordinator`](crate::Coordinator) carries a command out. Checked by `src/testing/membership`, which `tests/state_machine` and
//! `tests/simulation` drive, and by `tests/loom`, `tests/shuttle` and `tests/known_failures.rs`.
//!
//! # Barrier
//!
//! ## I1: a phase is complete exactly if everybody has finished it
//! A phase that is not over is complete exactly if it, or a later one, was found to have members that count for it, all of which had
//! completed it. Whoever learns that it is complete also sees what each of them did before. A tick that was advanced over stays as
//! complete, or incomplete, as it was.
//!
//! ## I2: what is complete stays complete
//! The frontier never goes back. A member that joins counts from the first tick after both the current one and the last of
//! which anything is complete.
//!
//! ## I3: no wake-up is lost
//! Whoever waits is woken by each change that decides its wait, and looks again. The same holds for waits for a publication and for the
//! end of a monitor.
//!
//! ## I4: a wait ends by its deadline
//! A deadline is computed once. When it has passed, the condition is looked at once more. Nothing that is somebody else's code, and may
//! take as long as it likes, runs under a lock that others wait for.
//!
//! All four are held by [`TickBarrier`](crate::TickBarrier). They are checked by `src/testing/barrier`, `src/barrier/tests.rs`,
//! `tests/barrier.rs`, `tests/loom` and `tests/shuttle`.
//!
//! # Membership
//!
//! ## I6: a refused call changed nothing
//! What can't be done is refused with an error that says why. An error leaves epoch, tick, members, barrier and frequencies as they
//! were, and sends no event, unless it says otherwise.
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
//! ## I8: whoever is heard from in time isn't taken for dead
//! A lease is judged by the last beat before the judgement, and a beat that comes during it isn't lost. A pause of the whole process,
//! or a clock that jumps, is no shard's fault.
//!
//! Held by the lease in the registry and by [`PauseGuard`](crate::coordinator::PauseGuard). Checked by `src/registry/tests.rs`, `src/health.rs`,
//! `tests/loom` and `tests/simulation`.
//!
//! ## I9: whoever is heard from again comes back
//! A shard that was marked offline serves again after two beats. What was decided about it by hand, like a drain, isn't undone by a
//! beat. A beat on a lease that was closed is told so.
//!
//! Held by [`ShardRegistry`](crate::ShardRegistry). Checked by `src/registry/tests.rs`, `tests/loom` and `tests/simulation`.
//!
//! # Frequencies
//!
//! ## I11: the sum over shards is exact
//! [`aggregate`](crate::aggregate) and [`aggregate_interned`](crate::frequency::aggregate_interned) give what adding the shards up one by one would,
//! on any number of threads. Documents and frequencies come from the same shards. A sum that doesn't fit is an error.
//!
//! Held by `frequency`. Checked by `src/testing/frequency`, `src/frequency/tests.rs` and `tests/frequency.rs`.
//!
//! ## I12: what is kept up to date equals a new sum
//! A [`FrequencySnapshot`](crate::frequency::FrequencySnapshot) equals the sum over what the shards had when it was published, whatever changes led
//! there and in whichever order, and never changes.
//!
//! Held by [`GlobalFrequencies`](crate::frequency::GlobalFrequencies). Checked by `src/testing/frequency` and
//! `src/frequency/interned/tests.rs`.
//!
//! # Colony
//!
//! ## I13: each accepted write is published, pending or returned
//! Exactly one of the three holds, and a write gets its end only once. A write that a shard refused comes back in a report, and so does
//! one that its shard's death or the end of the colony kept from being published. Its reason says whether the shard had been given it when
//! it died. One shard's death costs no other shard anything, and is reported as what it was.
//!
//! The same holds for what shards send each other. It is accepted in one step with the publication of the tick in which it was sent; what
//! a shard sent in a tick that it didn't finish was never sent, and its fault counts it.
//!
//! ## I14: a publication is there before it is announced
//! Whoever was told that a tick is published finds its publication, or a later one.
//!
//! ## I16: a document is in at most one view of a publication
//! A shard that has died keeps its part of the ring and its last view, so that no other shard is given its documents. They leave
//! the publication only together with the view, when the shard is forgotten or made again.
//!
//! All three are held by `Colony` and its `Intake`. They are checked by `src/colony/tests`, whose `model.rs` is the naive model of a
//! colony in one thread; by `src/testing/colony`, the naive model of one whose writers and shards run at the same time, which
//! `tests/shuttle` and `tests/soak` drive; and by `tests/colony` and `tests/loom`.
//!
//! # Search
//!
//! ## I15: the shards answer as one index would
//! Documents, order and the bits of the scores depend on the documents alone: not on how they are spread over shards and segments, nor
//! on what was deleted, merged or passed over as hopeless.
//!
//! Held by the module `search`: statistics over all shards, a sum in the query's order that is rounded once, and bounds that are
//! proven. Checked by `src/testing/search`, `src/search/prune.rs`, `src/search/slack.rs` and `tests/search.rs`.
