//! The list of all figures, for recorders.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// All figures and their meanings. The table of the module's documentation has the same, and the labels.
///
/// A name tells the kind and the unit: counters end in `_total`, histograms in `_seconds`, and all others are gauges.
const FIGURES: [(&str, &str); 27] = [
    ("tickring_ticks_total", "ticks published"),
    (
        "tickring_tick_seconds",
        "from the drain of the inboxes to the publication",
    ),
    (
        "tickring_phase_seconds",
        "a phase, until every shard had finished it or died",
    ),
    (
        "tickring_writes_published_total",
        "writes from outside that were published",
    ),
    (
        "tickring_messages_published_total",
        "messages between shards that were published",
    ),
    (
        "tickring_writes_returned_total",
        "writes and messages that came back in a report",
    ),
    (
        "tickring_faults_total",
        "shards that died or could not be made",
    ),
    (
        "tickring_revivals_total",
        "shards that were made again and have finished a tick",
    ),
    ("tickring_shards", "shards that are registered"),
    (
        "tickring_frozen_shards",
        "shards whose view is of an earlier tick",
    ),
    (
        "tickring_documents",
        "documents of all shards, as they count them",
    ),
    (
        "tickring_memory_bytes",
        "memory of all shards, as they count it",
    ),
    ("tickring_epoch", "the topology's epoch"),
    (
        "tickring_lost_threads",
        "threads that a phase blocks beyond its time",
    ),
    (
        "tickring_log_records_total",
        "records written to the log and synced",
    ),
    ("tickring_log_bytes_total", "bytes of these records"),
    ("tickring_log_write_seconds", "a record, written and synced"),
    (
        "tickring_log_distance_bytes",
        "log since the last checkpoint",
    ),
    (
        "tickring_log_distance_writes",
        "writes in the log since the last checkpoint",
    ),
    (
        "tickring_accepts_writes",
        "0 while a full log or disk refuses every write, else 1",
    ),
    ("tickring_quarantined_writes", "writes in the quarantine"),
    ("tickring_checkpoints_total", "checkpoints"),
    (
        "tickring_checkpoint_seconds",
        "a checkpoint, beside the ticks",
    ),
    (
        "tickring_checkpoint_bytes_total",
        "bytes of the files that checkpoints wrote",
    ),
    (
        "tickring_restarts_total",
        "dead shards brought back from the directory, or not",
    ),
    (
        "tickring_open_seconds",
        "an opening, with the replay of the log",
    ),
    ("tickring_search_seconds", "a search"),
];

/// Describes all figures to the recorder, with their units. Call it once, after the recorder is installed.
///
/// Recorders that export text use it for comments. Without it everything is recorded all the same.
///
/// ```
/// // After, for example, the recorder of a Prometheus exporter is installed:
/// tickring::observe::describe_metrics();
/// ```
pub fn describe_metrics() {
    for (name, meaning) in FIGURES {
        let counted = name.strip_suffix("_total");
        let unit = match counted.unwrap_or(name) {
            name if name.ends_with("_bytes") => Unit::Bytes,
            name if name.ends_with("_seconds") => Unit::Seconds,
            _ => Unit::Count,
        };
        match (counted, unit) {
            (Some(_), unit) => describe_counter!(name, unit, meaning),
            (None, Unit::Seconds) => describe_histogram!(name, Unit::Seconds, meaning),
            (None, unit) => describe_gauge!(name, unit, meaning),
        }
    }
}
