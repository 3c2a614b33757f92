//! The pruning of documents that can't be among the best.
//!
//! In each window, every leaf has a bound of its scores. If the sum of the bounds doesn't reach the threshold, the whole window is skipped.
//! In a query of alternatives the leaves are ranked by their bounds. The lowest ones that together don't reach the threshold are optional: a
//! document that matches only those isn't wanted. So only the other leaves are read completely. The optional leaves are then looked up for
//! the documents found so far, the one with the greatest bound first. Before each look-up, documents that can't reach the threshold any
//! more are dropped. This is `MaxScore` (Turtle and Flood, "Query Evaluation: Strategies and Optimizations", 1995), window by window.
//!
//! Pruning changes no answer. A document that is left out has a score below the threshold, and the threshold only rises. No document with
//! exactly the threshold's score is left out, because its id decides. The intermediate sums are in another order than the final ones; `slack`
//! allows for that. The score of each remaining document is summed again, in the query's order.

use super::bitset::Bits;
use super::evaluate::Evaluation;
use super::query::Query;
use super::slack::reaches;

/// A leaf's rank by its bound.
#[derive(Clone, Copy)]
pub(super) struct Rank {
    leaf: usize,
    bound: f64,
    /// The sum of this bound and all lower ones.
    up_to_here: f64,
}

/// Whether a document matches as soon as a leaf does.
fn is_disjunction(query: &Query) -> bool {
    let mut clauses = query.own_clauses().iter();
    clauses.all(|clause| clause.must.is_empty() && clause.must_not.is_empty())
}

impl Evaluation<'_, '_> {
    /// Returns the documents of the current window that match, except some that can't reach a score of `threshold`.
    pub(super) fn matches_reaching(&mut self, threshold: f32) -> Bits {
        self.rank();
        let all = self
            .scratch
            .ranks
            .last()
            .map_or(0.0, |rank| rank.up_to_here);
        if !reaches(all, threshold) {
            return Bits::NONE;
        }
        self.matches_of(|evaluation, wanted| {
            if is_disjunction(evaluation.query) {
                evaluation.best_alternatives(threshold, wanted)
            } else {
                evaluation.matches(evaluation.query.root, wanted)
            }
        })
    }

    /// Returns those of `wanted` that match a query of alternatives, except some that can't reach the threshold.
    fn best_alternatives(&mut self, threshold: f32, wanted: &Bits) -> Bits {
        let ranks = std::mem::take(&mut self.scratch.ranks);
        let optional = ranks.partition_point(|rank| !reaches(rank.up_to_here, threshold));
        let matches = self.alternatives(&ranks, optional, threshold, wanted);
        self.scratch.ranks = ranks;
        // All of these match every clause above a leaf that they match.
        self.scratch.clauses.fill(matches);
        matches
    }

    /// Ranks the leaves by their bounds in the current window.
    fn rank(&mut self) {
        let (start, end) = (self.start, self.end());
        let ranks = &mut self.scratch.ranks;
        ranks.clear();
        ranks.extend(
            self.cursors[..self.query.own_leaves()]
                .iter_mut()
                .enumerate()
                .map(|(leaf, cursor)| Rank {
                    leaf,
                    bound: cursor.bound(self.segment, start, end),
                    up_to_here: 0.0,
                }),
        );
        ranks.sort_unstable_by(|a, b| a.bound.total_cmp(&b.bound));
        let mut sum = 0.0;
        for rank in ranks {
            sum += rank.bound;
            rank.up_to_here = sum;
        }
    }

    fn alternatives(
        &mut self,
        ranks: &[Rank],
        optional: usize,
        threshold: f32,
        live: &Bits,
    ) -> Bits {
        let (optional, needed) = ranks.split_at(optional);
        let mut found = Bits::NONE;
        for rank in needed {
            found = found.combine(&self.leaf_matches(rank.leaf, live), |a, b| a | b);
        }
        if optional.is_empty() {
            return found;
        }
        found.each(|bit| self.scratch.sums[bit] = 0.0);
        for rank in needed {
            self.add_leaf(rank.leaf, &found);
        }
        for rank in optional.iter().rev() {
            let mut left = Bits::NONE;
            found.each(|bit| {
                if reaches(self.scratch.sums[bit] + rank.up_to_here, threshold) {
                    left.insert(bit);
                }
            });
            found = left;
            if found.is_empty() {
                break;
            }
            self.leaf_matches(rank.leaf, &found);
            self.add_leaf(rank.leaf, &found);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use tantivy::DocId;

    use super::*;
    use crate::colony::{Shard, Write};
    use crate::error::SearchError;
    use crate::id::{DocumentId, ShardId};
    use crate::publication::{Hit, Top};
    use crate::search::bitset::WINDOW;
    use crate::search::cursor::Cursor;
    use crate::search::deadline::Deadline;
    use crate::search::evaluate::{Hits, Scratch, each_hit};
    use crate::search::segment::SegmentView;
    use crate::search::weight::LeafWeight;
    use crate::search::{TextDocument, TextShard, TextShardConfig, TextStatistics, TextView};
    use crate::sync::Arc;
    use crate::testing::random::Random;

    /// One of 40 words, of which the first is the most frequent.
    fn word(random: &mut Random) -> String {
        let (a, b) = (random.below(40), random.below(40));
        format!("w{}", a * b / 40)
    }

    fn text(random: &mut Random, words: usize) -> String {
        let words: Vec<_> = (0..words).map(|_| word(random)).collect();
        words.join(" ")
    }

    fn any_query(random: &mut Random) -> String {
        let clause = |random: &mut Random| {
            let (first, second) = (word(random), word(random));
            match random.below(12) {
                0 => format!("title:{first}"),
                1 => {
                    let boost = random.pick(&[0.01, 0.5, 3.0, 100.0]).unwrap();
                    format!("{first}^{boost}")
                }
                2 => format!("+{first}"),
                3 => format!("-{first}"),
                4 => format!("\"{first} {second}\""),
                5 => format!("(+{first} {second})"),
                6 => format!("({first} {second})^2"),
                7 => "*".to_owned(),
                _ => first,
            }
        };
        let clauses: Vec<_> = (0..=random.below(4)).map(|_| clause(random)).collect();
        clauses.join(" ")
    }

    /// A view of documents with at most `words` words, some deleted after they were committed, in one segment or several.
    fn shard(
        random: &mut Random,
        first: u64,
        documents: u64,
        words: usize,
        commits: u64,
    ) -> TextView {
        let mut shard = TextShard::new(&TextShardConfig::default()).unwrap();
        for commit in 0..commits {
            let ids = first + documents * commit..first + documents * (commit + 1);
            let writes: Vec<_> = ids
                .map(|seed| Write::Add {
                    id: DocumentId::from_seed(seed),
                    document: Arc::new({
                        let (title, body) = (random.below(4), random.below(words + 1));
                        TextDocument::new(text(random, title), text(random, body))
                    }),
                })
                .collect();
            shard.apply(&writes).unwrap();
        }
        let gone: Vec<_> = (0..documents / 10)
            .map(|_| Write::Delete {
                id: DocumentId::from_seed(random.range(first, first + documents)),
            })
            .collect();
        shard.apply(&gone).unwrap();
        shard.view().unwrap()
    }

    /// With pruning, or without: then it scores all.
    struct Collect<'a> {
        top: &'a mut Top<'static>,
        segment: &'a SegmentView,
        prunes: bool,
        scored: usize,
    }

    impl Hits for Collect<'_> {
        fn threshold(&self) -> Option<f32> {
            self.top.threshold().filter(|_| self.prunes)
        }

        fn found(&mut self, document: DocId, score: f32) -> Result<(), SearchError> {
            self.scored += 1;
            if self.top.admits(score, || None) {
                let document = self.segment.document_id(document)?;
                let shard = ShardId(0);
                let hit = Hit {
                    document,
                    score,
                    shard,
                };
                self.top.offer(hit, |_| true);
            }
            Ok(())
        }
    }

    /// The best hits, their scores as bits, and how many documents were scored.
    fn best(
        searchers: &[TextView],
        query: &str,
        limit: usize,
        prunes: bool,
    ) -> (Vec<(DocumentId, u32)>, usize) {
        let query = Query::parse(query).unwrap();
        let statistics = TextStatistics::new(&searchers.iter().collect::<Vec<_>>()).unwrap();
        let none = Deadline(None);
        let weights = LeafWeight::for_query(&query, &statistics, none).unwrap();
        let (mut scratch, mut top, mut scored) = (Scratch::new(&query), Top::new(limit, None), 0);
        let mut cursors: Vec<_> = weights.iter().map(Cursor::new).collect();
        let views = searchers.iter().enumerate();
        for part in views.flat_map(|(at, view)| statistics.parts(at, view)) {
            let mut collect = Collect {
                top: &mut top,
                segment: part.segment,
                prunes,
                scored: 0,
            };
            each_hit(&query, &mut cursors, part, &mut scratch, none, &mut collect).unwrap();
            scored += collect.scored;
        }
        let hits = top.into_hits();
        (
            hits.iter()
                .map(|hit| (hit.document, hit.score.to_bits()))
                .collect(),
            scored,
        )
    }

    /// Segments whose average lengths are far apart, in both orders, so that a stored maximum is far from the present one.
    #[test]
    fn pruning_changes_no_answer() {
        let mut fewer = 0;
        for seed in 0..6 {
            let mut random = Random::new(seed);
            let lengths = if seed % 2 == 0 { [3, 60] } else { [60, 3] };
            let searchers = [
                shard(&mut random, 0, 2_500, lengths[0], 1),
                shard(&mut random, 100_000, 400, lengths[1], 2),
            ];
            for _ in 0..60 {
                let query = any_query(&mut random);
                let limit = random.pick(&[1, 3, 10, 40]).unwrap();
                let (pruned, some) = best(&searchers, &query, limit, true);
                let (exhaustive, all) = best(&searchers, &query, limit, false);
                assert_eq!(pruned, exhaustive, "{limit} of {query}, seed {seed}");
                fewer += usize::from(some < all * 3 / 4);
            }
        }
        assert!(
            fewer > 60,
            "{fewer} of 360 queries scored three of four documents or fewer"
        );
    }

    /// Documents with the rare word are wanted, and hardly any others.
    #[test]
    fn documents_without_the_rare_word_are_passed_over() {
        let writes: Vec<_> = (0..4_000_u64)
            .map(|seed| Write::Add {
                id: DocumentId::from_seed(seed),
                document: Arc::new(TextDocument::new(
                    "",
                    if seed % 100 == 7 { "sea tide" } else { "sea" },
                )),
            })
            .collect();
        let searchers = [TextShard::after(&writes)];
        let (pruned, some) = best(&searchers, "sea tide", 10, true);
        let (exhaustive, all) = best(&searchers, "sea tide", 10, false);
        assert_eq!((pruned, all), (exhaustive, 4_000));
        // The first window has no threshold yet.
        assert!((WINDOW..WINDOW + 52).contains(&some), "{some}");
    }
}
