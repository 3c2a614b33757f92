//! What a program can watch while a colony works: spans and events with the feature `tracing`, figures with the feature `metrics`.
//!
//! Both are facades. You install a subscriber of `tracing`, or a recorder of `metrics`, and all colonies and searches of the process tell it
//! what they do. Without one nothing is kept. The [reports](crate::guide::metrics_and_errors) that calls return say the same, without
//! either feature.
//!
//! # What is told, and what isn't
//! - Nothing has the text of a query, and no document. `why` is the reason that a shard, a panic or the operating system gave. If the errors of your
//!   shards quote documents, it does too.
//! - A shard is told by its number, and a document by its id.
//! - Two colonies in one process can't be told apart in the figures: their counters and histograms are added up, and a gauge is that of
//!   the colony that ticked last.
//! - The spans `tick` and `phase` are on the thread that calls [`Colony::tick`](crate::Colony::tick); the threads that run the shards have none. `tick` is
//!   entered again by [`publish`](crate::Colony::publish). `log`, `checkpoint` and `restart` are on threads of their own, so they have no
//!   parent, except the checkpoint of an opening. Their `tick` says where they belong.
//! - All is told on the threads that do the work, so a subscriber or a recorder must neither block nor panic. If it panics on the log's thread, the
//!   colony waits for that thread forever.
//!
//! # Cost
//! Without the features, nothing: no call, and no look at the clock. With both, and nobody who listens, a tick takes less than a microsecond longer,
//! and a search about 0.1 µs. What a subscriber or a recorder takes comes on top: a tick sets or adds to about 20 figures, and has 5 spans and one
//! event. Accepted writes have no figure of their own, so none of this grows with their number.
//!
//! # Spans
//! Times in fields end in `_us` and are microseconds. Fields in brackets are there only if there is something to tell.
//!
//! | span | target | level | of | fields |
//! | --- | --- | --- | --- | --- |
//! | `tick` | `tickring::colony` | `DEBUG` | a tick, from the drain of the inboxes to the publication | `tick`, `shards` |
//! | `phase` | `tickring::colony` | `TRACE` | one of its phases | `phase`, `elapsed_us`, \[`slowest`, `slowest_us`\]: the slowest shard and its time |
//! | `open` | `tickring::durable` | `INFO` | the opening of a directory | `directory`, `read_only` |
//! | `replay` | `tickring::durable` | `DEBUG` | in it, the log that the shards apply | `checkpoint`: the tick from which on |
//! | `log` | `tickring::durable` | `TRACE` | a record of the log, written and synced | `tick`, `bytes` |
//! | `checkpoint` | `tickring::durable` | `DEBUG` | a checkpoint | `tick` |
//! | `restart` | `tickring::durable` | `DEBUG` | a dead shard that is brought to a tick | `shard`, `tick` |
//! | `search` | `tickring::search` | `TRACE` | a search | `shards`, `leaves`: words, phrases and patterns of the query; `end`: offset and limit together, \[`hits`, `total`, `why`\] |
//!
//! # Events
//! Each has a message besides. Select by target and level, as in `tickring=info`.
//!
//! | event | target | level | says | fields |
//! | --- | --- | --- | --- | --- |
//! | `published` | `tickring::colony` | `DEBUG` | a tick is published | `tick`, `epoch`, `published`: writes, `returned`: writes and messages, `messages`, `faults`, `frozen`: shards |
//! | `fault` | `tickring::colony` | `WARN` | a shard died, or could not be made | `shard`, `incarnation`, `phase`, `why`, `unsent`: messages |
//! | `shard_frozen` | `tickring::colony` | `WARN` | from this tick on a shard is dead or behind, or moves documents with one that died, so its view of an earlier tick stays | `shard`, `tick`, \[`view_tick`\] |
//! | `shard_revived` | `tickring::colony` | `INFO` | a shard is back | `shard`, `incarnation`, \[`missing`\]: documents |
//! | `colony_failed` | `tickring::colony` | `ERROR` | a tick has closed the colony | `why` |
//! | `closed` | `tickring::colony` | `INFO` | the caller has closed the colony | `returned`: writes, `threads_left` |
//! | `replaying` | `tickring::durable` | `INFO` | how far a replay is, at each tenth of the log, if that is a mebibyte | `bytes`, `of`: bytes, `tick` |
//! | `opened` | `tickring::durable` | `INFO` | the colony is open | `tick`, `created`, `interrupted`, `records`, `bytes`, `writes`, `removed`: files, `refused`: writes, `elapsed_us` |
//! | `log_cut_off` | `tickring::durable` | `WARN` | the end of a log file held no whole record | `file`, `offset`, `bytes`, \[`tick`\] |
//! | `write_set_aside` | `tickring::durable` | `WARN` | a shard died of a write each time; it is in the quarantine | `shard`, `tick`, `document`, `why` |
//! | `died_in_replay` | `tickring::durable` | `WARN` | a shard died of what the log has for it | `shard`, `tick`, `attempt`, `why` |
//! | `restart_hangs` | `tickring::durable` | `WARN` | a shard hangs while it is brought back, and is given up | `shard`, `tick` |
//! | `writes_refused` | `tickring::durable` | `WARN` | no write is accepted at the moment: the log or the disk is full | `why` |
//! | `writes_accepted` | `tickring::durable` | `INFO` | writes are accepted again | |
//! | `checkpoint_complete` | `tickring::durable` | `DEBUG` | a checkpoint is complete | `tick`, `files`, `bytes`: what is new |
//! | `checkpoint_failed` | `tickring::durable` | `WARN` | a checkpoint failed; the log keeps what it would have had | `tick`, `why` |
//! | `sync_failed` | `tickring::durable` | `ERROR` | a sync failed, so nothing more is written until the colony is opened again | `path`, `why` |
//!
//! # Figures
//! `observe::describe_metrics` tells the recorder the units and meanings. Histograms of times are in seconds.
//!
//! | figure | kind | unit | labels | meaning |
//! | --- | --- | --- | --- | --- |
//! | `tickring_ticks_total` | counter | count | | ticks published |
//! | `tickring_tick_seconds` | histogram | seconds | | from the drain of the inboxes to the publication |
//! | `tickring_phase_seconds` | histogram | seconds | `phase`: `sense`, `act`, `decay`, `advance` | a phase, until every shard had finished it or died |
//! | `tickring_writes_published_total` | counter | count | | writes from outside that were published |
//! | `tickring_messages_published_total` | counter | count | | messages between shards that were published |
//! | `tickring_writes_returned_total` | counter | count | `reason`: `exists`, `refused`, `set_aside`, `died`, `died_suspect`, `recovering`, `no_owner`, `closed`, `undecided` | writes and messages that came back in a report |
//! | `tickring_faults_total` | counter | count | `kind`: `panicked`, `failed`, `overran`, `not_made` | shards that died or could not be made |
//! | `tickring_revivals_total` | counter | count | | shards that were made again and have finished a tick |
//! | `tickring_shards` | gauge | count | | shards that are registered |
//! | `tickring_frozen_shards` | gauge | count | | shards whose view is of an earlier tick |
//! | `tickring_documents` | gauge | count | | documents of all shards, as they count them |
//! | `tickring_memory_bytes` | gauge | bytes | | memory of all shards, as they count it |
//! | `tickring_epoch` | gauge | count | | the topology's epoch |
//! | `tickring_lost_threads` | gauge | count | | threads that a phase blocks beyond its time |
//! | `tickring_log_records_total` | counter | count | | records written to the log and synced |
//! | `tickring_log_bytes_total` | counter | bytes | | bytes of these records |
//! | `tickring_log_write_seconds` | histogram | seconds | | a record, written and synced |
//! | `tickring_log_distance_bytes` | gauge | bytes | | log since the last checkpoint |
//! | `tickring_log_distance_writes` | gauge | count | | writes in the log since the last checkpoint |
//! | `tickring_accepts_writes` | gauge | count | | 0 while a full log or disk refuses every write, else 1 |
//! | `tickring_quarantined_writes` | gauge | count | | writes in the quarantine |
//! | `tickring_checkpoints_total` | counter | count | `result`: `ok`, `failed` | checkpoints |
//! | `tickring_checkpoint_seconds` | histogram | seconds | `result`: `ok`, `failed` | a checkpoint, beside the ticks |
//! | `tickring_checkpoint_bytes_total` | counter | bytes | | bytes of the files that checkpoints wrote |
//! | `tickring_restarts_total` | counter | count | `result`: `back`, `failed`, `hangs` | dead shards brought back from the directory, or not |
//! | `tickring_open_seconds` | histogram | seconds | | an opening, with the replay of the log |
//! | `tickring_search_seconds` | histogram | seconds | `result`: `ok`, `deadline`, `failed` | a search |
#![cfg_attr(
    not(all(feature = "tracing", feature = "metrics")),
    allow(
        clippy::needless_pass_by_value,
        dead_code,
        unused_variables,
        reason = "what one of the features needs, nobody uses without it"
    )
)]

mod colony;
#[cfg(feature = "metrics")]
mod described;
#[cfg(all(feature = "durable", not(any(loom, shuttle))))]
mod durable;
#[cfg(feature = "metrics")]
mod figures;
#[cfg(all(feature = "search", not(any(loom, shuttle))))]
mod search;
mod span;

pub(crate) use self::colony::*;
#[cfg(feature = "metrics")]
pub use self::described::describe_metrics;
#[cfg(all(feature = "durable", not(any(loom, shuttle))))]
pub(crate) use self::durable::*;
#[cfg(all(feature = "search", not(any(loom, shuttle))))]
pub(crate) use self::search::SearchWatch;

/// A write was set aside.
#[cfg(feature = "tracing")]
fn set_aside(
    shard: Option<crate::id::ShardId>,
    tick: crate::id::Tick,
    document: crate::id::DocumentId,
    why: &str,
) {
    tracing::event!(
        name: "write_set_aside", target: "tickring::durable", tracing::Level::WARN,
        shard = shard.map(crate::id::ShardId::as_u32),
        tick,
        %document,
        why,
        "a shard died of a write each time, so it is in the quarantine"
    );
}
