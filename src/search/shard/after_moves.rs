//! Which segments are merged after documents have moved away.
//!
//! A move leaves deleted documents in all segments of a shard, and each search counts the postings of such a segment to get its frequencies. So the
//! segments that a move has thinned are merged, to be rid of what is deleted: one such merge at a time, and each of a bounded size.
//!
//! The shard's thread says what the last commit left, and whether a merge may begin. tantivy's thread chooses the segments, because it alone knows
//! which of them are in another merge. A merge has ended when its segments are gone from the list of the index.

#[cfg(test)]
mod tests;

use tantivy::SegmentReader;
use tantivy::index::{SegmentId, SegmentMeta};

use super::merging::DELETED_BEFORE_MERGE;

/// The percentage of deleted documents that a segment may keep once the moves are over.
const KEPT: u8 = 5;
/// The percentage that a segment may keep while documents move away. Each tick of a move adds deletes to all segments, so a lower one would
/// rewrite the whole shard again and again.
const KEPT_IN_MOVES: u8 = DELETED_BEFORE_MERGE;
/// After how many ticks in which nothing moved away the moves are taken to be over. A move that waits for a shard, or shares its budget
/// out over ticks, goes on within a few.
const QUIET: u32 = 4;
/// The most live documents of one merge, unless it is of a single segment. The tick after a merge opens the new segment on its own thread:
/// one of 40,000 documents of 2 KB took 4 to 7 ms, and ten times as many would make the tick wait ten times as long (2 cores, with other work beside).
const MOST: u32 = 50_000;

/// A segment of the last commit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thinned {
    pub(super) id: SegmentId,
    /// With deleted ones.
    pub(super) documents: u32,
    pub(super) deleted: u32,
}

impl Thinned {
    fn of(segment: &SegmentMeta) -> Self {
        Self {
            id: segment.id(),
            documents: segment.max_doc(),
            deleted: segment.num_deleted_docs(),
        }
    }

    pub(super) fn of_reader(segment: &SegmentReader) -> Self {
        Self {
            id: segment.segment_id(),
            documents: segment.max_doc(),
            deleted: segment.num_deleted_docs(),
        }
    }

    const fn live(&self) -> u32 {
        self.documents.saturating_sub(self.deleted)
    }

    fn keeps_more_than(&self, percent: u8) -> bool {
        u64::from(self.deleted) * 100 > u64::from(percent) * u64::from(self.documents)
    }
}

/// The segments of a shard that moves have thinned.
#[derive(Debug, Default)]
pub(super) struct AfterMoves {
    /// Those that moves have left with more than [`KEPT`] of deleted documents, and that haven't been merged since.
    thinned: Vec<SegmentId>,
    /// Those of the merge that is on its way, which are thinned, too.
    running: Vec<SegmentId>,
    /// Whether documents have moved away since that merge began. The segment that it makes gets the deletes when it ends.
    moved_since: bool,
    /// The segments of the last commit.
    known: Vec<SegmentId>,
    /// The ticks since documents moved away, up to [`QUIET`].
    quiet: u32,
    may_begin: bool,
}

impl AfterMoves {
    /// Whether no segment is left that moves have thinned. Ticks in which nothing moves away don't count then.
    pub(super) const fn is_over(&self) -> bool {
        self.thinned.is_empty()
    }

    /// A tick has been committed, in which documents may have moved away, and left these segments.
    pub(super) fn committed(&mut self, segments: &[Thinned], have_moved: bool) {
        if have_moved {
            self.quiet = 0;
            self.moved_since = true;
        } else if self.quiet < QUIET {
            self.quiet += 1;
        }
        let is_there = |id: &SegmentId| segments.iter().any(|segment| segment.id == *id);
        // Other merges may have begun before the documents moved away.
        let is_merged =
            |id: &SegmentId| !is_there(id) && (self.moved_since || !self.running.contains(id));
        let inherit = self.thinned.iter().any(is_merged);
        for segment in segments {
            let is_new = inherit && !self.known.contains(&segment.id);
            if (have_moved || is_new)
                && segment.keeps_more_than(KEPT)
                && !self.thinned.contains(&segment.id)
            {
                self.thinned.push(segment.id);
            }
        }
        self.thinned.retain(is_there);
        if !self.running.iter().any(is_there) {
            self.running.clear();
        }
        self.known = segments.iter().map(|segment| segment.id).collect();
        let is_due = |segment: &Thinned| self.is_due(segment);
        self.may_begin = self.running.is_empty() && segments.iter().any(is_due);
    }

    /// Whether a merge may begin with the next commit.
    pub(super) const fn may_begin(&self) -> bool {
        self.may_begin
    }

    fn is_due(&self, segment: &Thinned) -> bool {
        let kept = if self.quiet < QUIET {
            KEPT_IN_MOVES
        } else {
            KEPT
        };
        segment.keeps_more_than(kept) && self.thinned.contains(&segment.id)
    }

    /// Chooses the segments of a merge from those that are in none, if one may begin: first those from which the most is to be had. Returns
    /// them, and the segments that another merge may have.
    pub(super) fn choose(&mut self, free: &[SegmentMeta]) -> (Vec<SegmentId>, Vec<SegmentMeta>) {
        let is_free = |id: &SegmentId| free.iter().any(|segment| segment.id() == *id);
        if self.running.iter().any(is_free) {
            // The merge has failed. Another one may begin with a later tick.
            self.running.clear();
        }
        let mut due: Vec<_> = free.iter().map(Thinned::of).collect();
        due.retain(|segment| self.is_due(segment));
        due.sort_by_key(|segment| std::cmp::Reverse(segment.deleted));
        let mut chosen = Vec::new();
        if self.may_begin && self.running.is_empty() {
            let mut live = 0_u32;
            for segment in &due {
                let with = live.saturating_add(segment.live());
                if chosen.is_empty() || with <= MOST {
                    live = with;
                    chosen.push(segment.id);
                }
            }
        }
        if !chosen.is_empty() {
            self.may_begin = false;
            self.moved_since = false;
            self.running.clone_from(&chosen);
        }
        // What isn't chosen now, though it has many deleted documents, waits for its turn here.
        let crowded = |segment: &&SegmentMeta| {
            let segment = Thinned::of(segment);
            segment.keeps_more_than(KEPT_IN_MOVES) && self.is_due(&segment)
        };
        let is_chosen = |segment: &&SegmentMeta| chosen.contains(&segment.id());
        let others = free.iter();
        let others = others.filter(|segment| !is_chosen(segment) && !crowded(segment));
        let others = others.cloned().collect();
        (chosen, others)
    }
}
