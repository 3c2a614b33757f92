//! How much may move in a tick.

use std::time::Duration;

/// How much may move in a tick, at most. At least one document moves all the same, with all others at its position.
///
/// More fields may be added: end literals with `..MoveBudget::default()`.
///
/// ```
/// use tickring::colony::MoveBudget;
///
/// let gentle = MoveBudget { documents: 100, ..MoveBudget::default() };
/// assert_eq!(gentle.bytes, 8_000_000);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MoveBudget {
    /// The number of documents.
    pub documents: usize,
    /// The bytes of these documents, as [`Movable::document_bytes`](crate::publication::Movable::document_bytes) counts them, and in a durable colony as
    /// the log holds them. There, more than 256 MB don't move in a tick, unless the documents of one position are
    /// larger.
    pub bytes: u64,
    /// How long the phases of a tick may take together before less is moved in the next one. The number of documents then shrinks in
    /// proportion, down to a sixteenth of [`documents`](Self::documents), and grows again by a quarter a tick.
    pub time: Duration,
}

impl Default for MoveBudget {
    /// Returns 1,000 documents, 8 MB and 100 ms.
    fn default() -> Self {
        Self {
            documents: 1_000,
            bytes: 8_000_000,
            time: Duration::from_millis(100),
        }
    }
}

/// How many bytes of documents may move in a tick of a durable colony, so that its record is bounded.
pub(super) const MOST_LOGGED: u64 = 256_000_000;

/// However long a tick takes, one part in so many of a budget may move.
const LEAST: usize = 16;

/// The number of documents that may move in the next tick, by how long the last ones took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    documents: usize,
}

impl Allowance {
    pub(super) const fn new() -> Self {
        Self {
            documents: usize::MAX,
        }
    }

    /// Returns what may move under a budget.
    pub(super) fn of(self, budget: MoveBudget) -> MoveBudget {
        MoveBudget {
            documents: self.documents.min(budget.documents).max(1),
            ..budget
        }
    }

    /// Lets at most this many move next, since a shard has died of more.
    pub(super) fn at_most(&mut self, documents: usize) {
        self.documents = self.documents.min(documents);
    }

    /// Learns that a tick in which `moved` documents moved took this long.
    pub(super) fn learn(&mut self, budget: MoveBudget, moved: usize, took: Duration) {
        let allowed = self.of(budget).documents;
        if took > budget.time {
            let share = budget.time.as_secs_f64() / took.as_secs_f64();
            // Less than what has moved, if that was less than allowed.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "between 0 and `moved`, and about right"
            )]
            let fewer = (moved.min(allowed) as f64 * share) as usize;
            // Writes can make each tick slow, and the move still has to come to an end.
            self.documents = fewer.max(budget.documents / LEAST);
        } else {
            let more = allowed.saturating_add(allowed / 4).saturating_add(1);
            self.documents = more.min(budget.documents);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_ticks_move_less_and_fast_ones_more_again() {
        let budget = MoveBudget::default();
        let mut allowance = Allowance::new();
        assert_eq!(allowance.of(budget).documents, 1_000);
        allowance.learn(budget, 1_000, Duration::from_millis(400));
        assert_eq!(allowance.of(budget).documents, 250);
        allowance.learn(budget, 100, Duration::from_millis(200));
        assert_eq!(allowance.of(budget).documents, 62, "a sixteenth");
        for _ in 0..40 {
            allowance.learn(budget, 50, Duration::from_millis(1));
        }
        assert_eq!(allowance.of(budget).documents, 1_000);
        for _ in 0..40 {
            allowance.learn(budget, 1, Duration::from_secs(1_000));
        }
        assert_eq!(allowance.of(budget).documents, 62);
        let none = MoveBudget {
            documents: 0,
            time: Duration::ZERO,
            ..budget
        };
        assert_eq!(allowance.of(none).documents, 1, "something always moves");
        allowance.learn(none, 1, Duration::from_millis(1));
        assert_eq!(allowance.of(none).documents, 1);
    }
}
