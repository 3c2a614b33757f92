//! How much log there is since the last checkpoint, and what follows from it.

use super::config::DurableConfig;

/// From how many distances of log on a tick waits for the checkpoint.
const SLOW: u64 = 2;
/// From how many distances of log on nothing is accepted.
const FULL: u64 = 4;
/// The parts of a distance after which a checkpoint is tried again that has failed.
const PARTS: u64 = 4;

/// The log since the last checkpoint that is complete.
#[derive(Debug)]
pub(super) struct Distance {
    limit: Length,
    length: Length,
    /// What the checkpoint has that runs.
    covered: Option<Length>,
    /// The parts of a distance there were when the last checkpoint began, if it has failed.
    failed: Option<u64>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Length {
    bytes: u64,
    writes: u64,
}

impl Distance {
    pub(super) fn new(config: &DurableConfig) -> Self {
        let limit = Length {
            bytes: config.log_bytes,
            writes: config.log_writes,
        };
        Self {
            limit,
            length: Length::default(),
            covered: None,
            failed: None,
        }
    }

    /// Adds a record with this many writes.
    pub(super) fn add(&mut self, bytes: u64, writes: usize) {
        self.length.bytes += bytes;
        self.length.writes += writes as u64;
    }

    /// A checkpoint begins.
    pub(super) fn begin(&mut self) {
        self.covered = Some(self.length);
    }

    /// No checkpoint is running, and the last one is complete or not.
    pub(super) fn end(&mut self, is_complete: bool) {
        let Some(covered) = self.covered.take() else {
            return;
        };
        self.failed = (!is_complete).then(|| self.parts(covered));
        if is_complete {
            self.length.bytes -= covered.bytes;
            self.length.writes -= covered.writes;
        }
    }

    /// Whether a checkpoint is to begin, if none is running. One that has failed is tried again a little later.
    pub(super) fn is_due(&self) -> bool {
        let parts = self.parts(self.length);
        parts >= PARTS && (self.is_full() || self.failed.is_none_or(|failed| parts > failed))
    }

    /// Whether a tick waits for the checkpoint.
    pub(super) fn is_long(&self) -> bool {
        self.parts(self.length) >= SLOW * PARTS
    }

    /// Whether nothing is accepted.
    pub(super) fn is_full(&self) -> bool {
        self.parts(self.length) >= FULL * PARTS
    }

    /// Returns the bytes of the log, and the writes in it.
    pub(super) fn length(&self) -> (u64, u64) {
        (self.length.bytes, self.length.writes)
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
        distance.begin();
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
        distance.begin();
        distance.end(false);
        assert!(!distance.is_due());
        distance.add(1_000, 1);
        assert!(distance.is_due());
        distance.add(11_000, 1);
        distance.begin();
        distance.end(false);
        // Nothing is accepted, so it doesn't get longer.
        assert!(distance.is_full() && distance.is_due());
        distance.begin();
        distance.end(true);
        assert!(!distance.is_full() && !distance.is_due());
    }
}
