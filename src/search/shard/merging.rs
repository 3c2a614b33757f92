//! When a shard's segments are merged.
//!
//! The shards of a colony get about as many documents each, so they would all have enough segments for a merge in the same tick, and this tick would
//! take four times as long as the median. So each shard begins merges in some of its ticks only, and other shards in others: then the slowest takes
//! about twice as long (4 shards, 2 cores, 1,000 documents of 2 KB a tick).
//!
//! Segments from which documents have moved away are merged sooner: see [`after_moves`](super::after_moves).

use tantivy::index::SegmentMeta;
use tantivy::indexer::{LogMergePolicy, MergeCandidate, MergePolicy};

use super::after_moves::{AfterMoves, Thinned};
use crate::sync::{Arc, AtomicBool, AtomicUsize, Mutex, Ordering};

/// The percentage of deleted documents above which a segment is merged.
pub(super) const DELETED_BEFORE_MERGE: u8 = 30;
/// Segments of at most this many documents count as equally large. With tantivy's default of 10,000, a shard that gets few documents a tick
/// rewrites them many times before they leave that layer.
const MERGED_TOGETHER: u32 = 1_000;
/// In one of how many ticks with writes a shard begins merges.
const TURNS: usize = 4;

/// Whose turn the next shard has. Relaxed: it only spreads the shards.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// A shard's turns to begin merges.
#[derive(Debug)]
pub(super) struct Turns {
    commits: usize,
    /// Relaxed: a merge that begins a tick early or late does no harm.
    is_mine: Arc<AtomicBool>,
    after_moves: Arc<Mutex<AfterMoves>>,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self {
            commits: NEXT.fetch_add(1, Ordering::Relaxed),
            // Whoever opens a shard waits for it, and not for merges.
            is_mine: Arc::new(AtomicBool::new(false)),
            after_moves: Arc::default(),
        }
    }

    /// A commit begins.
    pub(super) fn next(&mut self) {
        self.commits = self.commits.wrapping_add(1);
        let is_mine = self.commits.is_multiple_of(TURNS);
        self.is_mine.store(is_mine, Ordering::Relaxed);
    }

    /// A tick has left these segments. Documents may have moved away in it.
    pub(super) fn committed(&self, segments: impl Iterator<Item = Thinned>, have_moved: bool) {
        let mut after_moves = self.after_moves.lock();
        if have_moved || !after_moves.is_over() {
            after_moves.committed(&segments.collect::<Vec<_>>(), have_moved);
        }
    }

    #[cfg(test)]
    pub(super) fn after_moves(&self) -> Arc<Mutex<AfterMoves>> {
        Arc::clone(&self.after_moves)
    }

    /// Whether a merge waits for the next commit, though no document may be written.
    pub(super) fn wait_for_commit(&self) -> bool {
        self.after_moves.lock().may_begin()
    }

    /// Returns a policy that merges in these turns: 8 segments of similar size, or one with many deleted documents. In all ticks it merges what
    /// moves have thinned.
    pub(super) fn policy(&self) -> Box<dyn MergePolicy> {
        let mut sizes = LogMergePolicy::default();
        sizes.set_del_docs_ratio_before_merge(f32::from(DELETED_BEFORE_MERGE) / 100.0);
        sizes.set_min_layer_size(MERGED_TOGETHER);
        Box::new(InTurn {
            sizes,
            is_mine: Arc::clone(&self.is_mine),
            after_moves: Arc::clone(&self.after_moves),
        })
    }
}

#[derive(Debug)]
struct InTurn {
    sizes: LogMergePolicy,
    is_mine: Arc<AtomicBool>,
    after_moves: Arc<Mutex<AfterMoves>>,
}

impl InTurn {
    fn in_turn(&self, segments: &[SegmentMeta]) -> Vec<MergeCandidate> {
        if self.is_mine.load(Ordering::Relaxed) {
            self.sizes.compute_merge_candidates(segments)
        } else {
            Vec::new()
        }
    }
}

impl MergePolicy for InTurn {
    fn compute_merge_candidates(&self, segments: &[SegmentMeta]) -> Vec<MergeCandidate> {
        let mut after_moves = self.after_moves.lock();
        if after_moves.is_over() {
            return self.in_turn(segments);
        }
        let (chosen, others) = after_moves.choose(segments);
        let mut merges = self.in_turn(&others);
        if !chosen.is_empty() {
            merges.push(MergeCandidate(chosen));
        }
        merges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_have_their_turns_one_after_the_other() {
        let mut shards: Vec<_> = (0..TURNS).map(|_| Turns::new()).collect();
        for (at, shard) in shards.iter_mut().enumerate() {
            shard.commits = at;
        }
        for _ in 0..3 * TURNS {
            shards.iter_mut().for_each(Turns::next);
            let is_mine = |shard: &&Turns| shard.is_mine.load(Ordering::Relaxed);
            assert_eq!(shards.iter().filter(is_mine).count(), 1);
        }
    }
}
