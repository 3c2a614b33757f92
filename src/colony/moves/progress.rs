//! How far a move has come.
#![expect(clippy::cast_precision_loss, reason = "rates are estimates")]

use std::time::Duration;

use crate::id::ShardId;

/// Documents and their bytes, as [`Movable::document_bytes`](crate::publication::Movable::document_bytes) counts them, and in a durable colony as the log
/// holds them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Amount {
    /// The number of documents.
    pub documents: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl Amount {
    pub(super) fn add(&mut self, other: Self) {
        self.documents = self.documents.saturating_add(other.documents);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// Why nothing moves at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MovePause {
    /// [`Colony::pause_moves`](crate::Colony::pause_moves) was called.
    Asked,
    /// This shard is dead or hasn't been made yet. The move goes on once the shard is there.
    Waiting(ShardId),
    /// The log is full, see [`IntakeError::LogFull`](crate::error::IntakeError::LogFull). The move goes on once it has room.
    LogFull,
    /// The view of this shard can't be read.
    Unreadable {
        /// The shard.
        shard: ShardId,
        /// What it said.
        why: String,
    },
    /// The goal can't be reached any more: for instance, the only shard that was to keep documents was forgotten. Set another one.
    Unreachable {
        /// Why.
        why: String,
    },
    /// A shard that is to leave has no documents any more, but something waits for it: writes in its inbox, or messages.
    Leaving(ShardId),
}

/// How far the shards have come towards the goal, from [`Colony::progress`](crate::Colony::progress).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MoveProgress {
    /// What has moved since the goal was set.
    pub moved: Amount,
    /// About how much is left: the shares of the ring that still change their owner, by the number of documents in their shards, as their
    /// [metrics](crate::Shard::metrics) tell it. The bytes go by the mean
    /// size of what has moved.
    pub left: Amount,
    /// The number of ticks in which documents have moved since the goal was set.
    pub ticks: u64,
    /// How long it is since the goal was set.
    pub elapsed: Duration,
    /// Why nothing moves at the moment, if nothing does.
    pub pause: Option<MovePause>,
}

impl MoveProgress {
    /// Returns how many documents have moved a second since the goal was set, pauses included, or `None` before any has.
    pub fn rate(&self) -> Option<f64> {
        let seconds = self.elapsed.as_secs_f64();
        (self.moved.documents > 0 && seconds > 0.0).then(|| self.moved.documents as f64 / seconds)
    }

    /// Returns about how long the rest takes at the rate so far, or `None` before any document has moved.
    pub fn time_left(&self) -> Option<Duration> {
        let seconds = self.left.documents as f64 / self.rate()?;
        Duration::try_from_secs_f64(seconds).ok()
    }
}
