//! How much log there is since the last checkpoint, and what follows from it.

use super::config::DurableConfig;

/// From how many distances of log on a tick waits for the checkpoint.
const SLOW: u64 = 2;
/// From how many distances of log on nothing is accepted.
const FULL: u64 = 4;
/// The parts of a distance after which a checkpoint is tried again that has failed.
const PARTS: u64 = 4;

/// The part of the log that is still needed: what was written since the last checkpoint that is complete. If a shard was behind then, what it hadn't
/// applied counts too.
#[derive(Debug)]
pub(super) struct Distance {
    limit: Length,
    /// All that was ever written.
    written: Length,
    /// What of it isn't needed.
    saved: Length,
    running: Option<Running>,
    /// The parts of a distance that the last checkpoint has left, of what was written when it began.
    left: u64,
    /// Whether it has failed.
    has_failed: bool,
}

/// A checkpoint that runs.
#[derive(Debug)]
struct Running {
    written: Length,
    /// What isn't needed once it is complete.
    covers: Length,
}

/// A length of the log, from its beginning.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Length {
    bytes: u64,
    writes: u64,
}

impl Length {
    fn since(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(other.bytes),
            writes: self.writes.saturating_sub(other.writes),
        }
    }
}

impl Distance {
    pub(super) fn new(config: &DurableConfig) -> Self {
        let limit = Length {
            bytes: config.log_bytes,
            writes: config.log_writes,
        };
        Self {
            limit,
            written: Length::default(),
            saved: Length::default(),
            running: None,
            left: 0,
            has_failed: false,
        }
    }

    /// Adds a record with this many writes.
    pub(super) fn add(&mut self, bytes: u64, writes: usize) {
        self.written.bytes += bytes;
        self.written.writes += writes as u64;
    }

    /// Returns the length of all that was ever written.
    pub(super) fn written(&self) -> Length {
        self.written
    }

    /// A checkpoint begins, after which nothing before this length is needed.
    pub(super) fn begin(&mut self, covers: Length) {
        let written = self.written;
        self.running = Some(Running { written, covers });
    }

    /// No checkpoint is running, and the last one is complete or not.
    pub(super) fn end(&mut self, is_complete: bool) {
        let Some(Running { written, covers }) = self.running.take() else {
            return;
        };
        if is_complete && covers.since(self.saved).bytes > 0 {
            self.saved = covers;
        }
        self.left = self.parts(written.since(self.saved));
        self.has_failed = !is_complete;
    }

    /// Whether a checkpoint is to begin, if none is running. One that has left something is tried again a little later.
    pub(super) fn is_due(&self) -> bool {
        self.reaches_limit() && self.parts(self.needed()) > self.left
    }

    /// Whether a checkpoint that covers this length would free much of a long log, or anything of a full one.
    pub(super) fn is_worth(&self, covers: Length) -> bool {
        let freed = covers.since(self.saved);
        let is_much = self.reaches_limit() && self.parts(freed) > 0;
        (is_much && !self.has_failed) || (self.is_full() && freed.bytes > 0)
    }

    /// Whether the log is so long that a checkpoint may be of use.
    pub(super) fn reaches_limit(&self) -> bool {
        self.parts(self.needed()) >= PARTS
    }

    /// Whether a tick waits for the checkpoint.
    pub(super) fn is_long(&self) -> bool {
        self.parts(self.needed()) >= SLOW * PARTS
    }

    /// Whether nothing is accepted.
    pub(super) fn is_full(&self) -> bool {
        self.parts(self.needed()) >= FULL * PARTS
    }

    /// Returns the bytes of the log, and the writes in it.
    pub(super) fn length(&self) -> (u64, u64) {
        let needed = self.needed();
        (needed.bytes, needed.writes)
    }

    fn needed(&self) -> Length {
        self.written.since(self.saved)
    }

    fn parts(&self, length: Length) -> u64 {
        let bytes = length.bytes.saturating_mul(PARTS) / self.limit.bytes;
        bytes.max(length.writes.saturating_mul(PARTS) / self.limit.writes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance() -> Distance {
        Distance::new(&DurableConfig {
            log_bytes: 4_000,
            log_writes: 40,
            ..DurableConfig::default()
        })
    }

    #[test]
    fn bytes_and_writes_count() {
        let (mut bytes, mut writes) = (distance(), distance());
        bytes.add(3_999, 39);
        writes.add(3_999, 39);
        assert!(!bytes.is_due() && !writes.is_due());
        bytes.add(1, 0);
        writes.add(0, 1);
        assert!(bytes.is_due() && writes.is_due() && !bytes.is_long());
        bytes.add(4_000, 0);
        assert!(bytes.is_long() && !bytes.is_full());
        bytes.add(8_000, 0);
        assert!(bytes.is_full());
    }

    #[test]
    fn a_checkpoint_takes_away_what_it_covers() {
        let mut distance = distance();
        distance.add(4_000, 1);
        distance.begin(distance.written());
        distance.add(3_999, 1);
        distance.end(true);
        assert!(!distance.is_due());
        distance.end(true);
        distance.add(1, 1);
        assert!(distance.is_due());
    }

    #[test]
    fn a_checkpoint_that_fails_takes_nothing_away_and_is_tried_again_later() {
        let mut distance = distance();
        distance.add(4_000, 1);
        distance.begin(distance.written());
        distance.end(false);
        assert!(!distance.is_due());
        distance.add(1_000, 1);
        assert!(distance.is_due());
        distance.add(11_000, 1);
        distance.begin(distance.written());
        distance.end(false);
        // Nothing is accepted, so it doesn't get longer.
        assert!(distance.is_full() && distance.is_worth(distance.written()));
        distance.begin(distance.written());
        distance.end(true);
        assert!(!distance.is_full() && !distance.is_due());
    }

    #[test]
    fn what_a_shard_needs_that_is_behind_still_counts() {
        let mut distance = distance();
        distance.add(1_000, 1);
        let behind = distance.written();
        for parts in 4..16 {
            distance.add(if parts == 4 { 4_000 } else { 1_000 }, 1);
            // Each part once, although the checkpoint is complete.
            assert!(distance.is_due() && !distance.is_full());
            distance.begin(behind);
            distance.end(true);
            assert!(!distance.is_due() && !distance.is_worth(behind));
            // If it came back, its log could be cut at once.
            assert!(distance.is_worth(distance.written()));
        }
        distance.add(1_000, 1);
        assert!(distance.is_full() && distance.is_due());
        distance.begin(behind);
        distance.end(true);
        // Nothing is accepted, and only the shard can help.
        assert!(distance.is_full() && !distance.is_due() && !distance.is_worth(behind));
        let now = distance.written();
        assert!(distance.is_worth(now));
        distance.begin(now);
        distance.end(true);
        assert!(!distance.is_full() && !distance.is_worth(now));
        assert_eq!(distance.length(), (0, 0));
    }
}
