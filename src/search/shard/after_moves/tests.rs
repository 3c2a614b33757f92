use std::collections::BTreeSet;

use tantivy::Index;
use tantivy::schema::Schema as IndexSchema;

use super::*;
use crate::colony::{Batch, Colony, ColonyConfig, Goal, MoveBudget, Rehearsal, Shard, Write};
use crate::id::{DocumentId, ShardId};
use crate::publication::Publication;
use crate::search::shard::{TextShard, TextShardConfig};
use crate::search::view::TextView;
use crate::search::{Field, QueryParser, Schema, SearchOptions, TextDocument, search_with};
use crate::sync::Arc;
use crate::testing::random::Random;

/// How many ticks a test goes on for before it fails: far more than the merges take.
const PATIENCE: usize = 20_000;

/// A merge of these segments, which had so many live documents when it began.
struct Merge {
    segments: Vec<SegmentId>,
    live: u32,
}

/// An index by the definition: its segments, and the merges on their way.
struct Model {
    index: Index,
    segments: Vec<SegmentMeta>,
    /// Those after moves.
    running: Vec<Merge>,
    /// The others.
    ordinary: Vec<Merge>,
    after: AfterMoves,
}

impl Model {
    fn new() -> Self {
        Self {
            index: Index::create_in_ram(IndexSchema::builder().build()),
            segments: Vec::new(),
            running: Vec::new(),
            ordinary: Vec::new(),
            after: AfterMoves::default(),
        }
    }

    fn add(&mut self, documents: u32, deleted: u32) -> SegmentId {
        let meta = self
            .index
            .new_segment_meta(SegmentId::generate_random(), documents);
        self.segments.push(meta.with_delete_meta(deleted, 1));
        self.segments[self.segments.len() - 1].id()
    }

    fn delete(&mut self, at: usize, more: u32) {
        let segment = &mut self.segments[at];
        let deleted = (segment.num_deleted_docs() + more).min(segment.max_doc());
        *segment = segment.clone().with_delete_meta(deleted, 1);
    }

    /// The segments that are in no merge.
    fn free(&self) -> Vec<SegmentMeta> {
        let merges = || self.running.iter().chain(&self.ordinary);
        let is_free =
            |segment: &&SegmentMeta| merges().all(|merge| !merge.segments.contains(&segment.id()));
        self.segments.iter().filter(is_free).cloned().collect()
    }

    fn merge(&self, segments: Vec<SegmentId>) -> Merge {
        let is_in = |segment: &&SegmentMeta| segments.contains(&segment.id());
        let inputs = self.segments.iter().filter(is_in);
        let live = inputs.map(SegmentMeta::num_docs).sum();
        Merge { segments, live }
    }

    /// What tantivy does after each change: it asks for merges of the segments that are in none.
    fn ask(&mut self) {
        let free = self.free();
        let (chosen, others) = self.after.choose(&free);
        let is_free = |id| free.iter().any(|segment| segment.id() == id);
        assert!(chosen.iter().all(|&id| is_free(id)));
        assert!(others.iter().all(|other| !chosen.contains(&other.id())));
        if chosen.is_empty() {
            return;
        }
        assert!(self.running.is_empty(), "two merges at once");
        let merge = self.merge(chosen);
        let live = merge.live;
        assert!(
            merge.segments.len() == 1 || live <= MOST,
            "{live} documents"
        );
        self.running.push(merge);
    }

    fn commit(&mut self, have_moved: bool) {
        // tantivy drops segments without live documents.
        self.segments.retain(|segment| segment.num_docs() > 0);
        self.ask();
        let segments: Vec<_> = self.segments.iter().map(Thinned::of).collect();
        self.after.committed(&segments, have_moved);
    }

    /// Ends a merge, if there is one.
    fn end(&mut self, is_ordinary: bool, succeeds: bool) {
        let merges = if is_ordinary {
            &mut self.ordinary
        } else {
            &mut self.running
        };
        let Some(merged) = merges.pop() else {
            return;
        };
        // What was deleted meanwhile is deleted in the new segment.
        let is_in = |segment: &&SegmentMeta| merged.segments.contains(&segment.id());
        let left: Vec<_> = self.segments.iter().filter(is_in).cloned().collect();
        if succeeds && left.len() == merged.segments.len() {
            let left: u32 = left.iter().map(SegmentMeta::num_docs).sum();
            let segments = &mut self.segments;
            segments.retain(|segment| !merged.segments.contains(&segment.id()));
            self.add(merged.live, merged.live - left);
            self.ask();
        }
    }

    fn worst(&self) -> u32 {
        let percent =
            |segment: &SegmentMeta| (segment.num_deleted_docs() * 100).div_ceil(segment.max_doc());
        self.segments.iter().map(percent).max().unwrap_or(0)
    }
}

#[test]
fn one_merge_at_a_time_and_in_the_end_nothing_is_left_to_merge() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let below = |random: &mut Random, bound: u32| {
            u32::try_from(random.range(0, u64::from(bound))).unwrap()
        };
        let mut model = Model::new();
        for _ in 0..60 {
            match random.below(8) {
                0 => drop(model.add(1 + below(&mut random, 2 * MOST), 0)),
                1..=3 => {
                    for at in 0..model.segments.len() {
                        let live = model.segments[at].num_docs();
                        let more = below(&mut random, live / 4 + 2);
                        model.delete(at, more);
                    }
                    model.commit(true);
                }
                4 => model.commit(false),
                5 => {
                    let free = model.free();
                    let taken: Vec<_> = free.iter().map(SegmentMeta::id).take(2).collect();
                    if !taken.is_empty() {
                        let merge = model.merge(taken);
                        model.ordinary.push(merge);
                    }
                }
                _ => {
                    let (is_ordinary, succeeds) = (random.below(2) == 0, random.below(4) > 0);
                    model.end(is_ordinary, succeeds);
                }
            }
        }
        model.commit(true);
        let mut ticks = 0;
        while !model.after.is_over() || !model.ordinary.is_empty() {
            model.end(true, true);
            model.end(false, true);
            model.commit(false);
            ticks += 1;
            assert!(ticks < 200, "seed {seed}: {}% are left", model.worst());
        }
        assert!(
            model.worst() <= u32::from(KEPT),
            "seed {seed}: {}%",
            model.worst()
        );
    }
}

#[test]
fn a_larger_segment_is_merged_alone_and_small_ones_together() {
    let mut model = Model::new();
    let large = model.add(3 * MOST, MOST);
    let small: BTreeSet<_> = (0..4).map(|_| model.add(1_000, 100)).collect();
    let whole = model.add(1_000, 50);
    model.commit(true);
    model.commit(false);
    assert_eq!(model.running[0].segments, [large]);
    model.end(false, true);
    for _ in 0..QUIET {
        assert!(
            model.running.is_empty(),
            "10% may stay while documents move"
        );
        model.commit(false);
    }
    let running: BTreeSet<_> = model.running[0].segments.iter().copied().collect();
    assert_eq!(running, small);
    model.end(false, true);
    assert!(
        model.segments.iter().any(|segment| segment.id() == whole),
        "5% may stay"
    );
}

#[test]
fn without_moves_all_segments_are_for_other_merges() {
    let mut model = Model::new();
    for deleted in 0..10 {
        model.add(1_000, 100 * deleted);
    }
    for _ in 0..2 * QUIET {
        model.commit(false);
        let (chosen, others) = model.after.choose(&model.segments);
        assert!(chosen.is_empty() && others.len() == model.segments.len());
        assert!(!model.after.may_begin());
    }
}

fn config() -> TextShardConfig {
    let schema = Schema::builder().field(Field::text("body").stored());
    TextShardConfig {
        schema: schema.build().unwrap(),
        ..TextShardConfig::default()
    }
}

fn document(number: u64) -> TextDocument {
    let mut document = config().schema.document();
    let text = format!("w{} w{} w{} all", number % 3, number % 7, number % 31);
    document.add("body", text).unwrap();
    document
}

/// The greatest percentage of deleted documents in a segment, rounded up.
fn worst(view: &TextView) -> u32 {
    let readers = view.segments().iter().map(|segment| segment.reader());
    let percent =
        |reader: &SegmentReader| (reader.num_deleted_docs() * 100).div_ceil(reader.max_doc());
    readers.map(percent).max().unwrap_or(0)
}

fn answers(publication: &Publication<TextView>) -> Vec<Vec<(DocumentId, u32)>> {
    let schema = config().schema;
    let queries = ["all", "w1", "w5 w30", "+w2 w6 -w0", "\"w1 w2\"", "w3* w12"];
    let answer = |text: &&str| {
        let query = QueryParser::new(&schema).parse(text).unwrap();
        let options = SearchOptions::new().limit(50);
        let found = search_with(publication, &query, &options).unwrap();
        let hits = found.hits.iter();
        hits.map(|hit| (hit.document, hit.score.to_bits()))
            .collect()
    };
    queries.iter().map(answer).collect()
}

/// Two shards of a thousand documents become four.
fn half_moves_away(writes_later: bool) {
    let make = |shards| {
        let factory = TextShard::factory(config());
        Colony::new(ColonyConfig::default(), shards, factory).unwrap()
    };
    let (mut colony, mut single) = (make(2), make(1));
    for seed in 0..1_000 {
        for colony in [&colony, &single] {
            let id = DocumentId::from_seed(seed);
            colony.intake().try_upsert(id, document(seed)).unwrap();
        }
        if seed % 100 == 99 {
            colony.tick().unwrap();
        }
    }
    single.tick().unwrap();
    let mut expected = answers(&single.publication());
    assert_eq!(answers(&colony.publication()), expected);
    colony.set_move_budget(MoveBudget {
        documents: 70,
        ..MoveBudget::default()
    });
    let goal = Goal::new().add_shard(1).add_shard(1);
    colony.set_goal(&goal).unwrap();
    let mut worst_seen = 0;
    let worst = |colony: &Colony<TextShard>| {
        let publication = colony.publication();
        let views = publication.shards().iter().map(|shard| worst(shard.view()));
        views.max().unwrap()
    };
    while colony.progress().is_some() {
        colony.tick().unwrap();
        assert_eq!(answers(&colony.publication()), expected);
        worst_seen = worst_seen.max(worst(&colony));
    }
    assert!(worst_seen > 3 * u32::from(KEPT), "{worst_seen}%");
    for tick in 0.. {
        if worst(&colony) <= u32::from(KEPT) {
            break;
        }
        assert!(tick < PATIENCE, "{}% are left", worst(&colony));
        if writes_later {
            for colony in [&colony, &single] {
                let intake = colony.intake();
                let id = DocumentId::from_seed(1_000 + tick as u64);
                intake.try_upsert(id, document(tick as u64)).unwrap();
            }
            single.tick().unwrap();
            expected = answers(&single.publication());
        }
        colony.tick().unwrap();
        assert_eq!(answers(&colony.publication()), expected);
    }
}

#[test]
fn after_a_move_ticks_without_writes_leave_few_deleted_documents_and_the_same_answers() {
    half_moves_away(false);
}

#[test]
fn after_a_move_ticks_with_writes_leave_few_deleted_documents_and_the_same_answers() {
    half_moves_away(true);
}

/// Applies a tick in which these documents move away.
fn leave(shard: &mut TextShard, seeds: impl Iterator<Item = u64>) {
    let nothing = Publication::new([]).unwrap();
    let mut rehearsal = Rehearsal::new(ShardId(0), nothing.into()).unwrap();
    let delete = |seed| {
        (
            ShardId(1),
            Write::Delete {
                id: DocumentId::from_seed(seed),
            },
        )
    };
    let moves: Vec<_> = seeds.map(delete).collect();
    let mut batch = Batch::with_moves(&moves, &[], &[]);
    shard.act(&mut rehearsal.context(0), &mut batch).unwrap();
    shard.advance(&mut rehearsal.context(0)).unwrap();
}

#[test]
fn in_an_index_no_merge_begins_before_the_segments_of_the_last_one_are_gone() {
    let mut shard = TextShard::new(&config()).unwrap();
    for tick in 0..7 {
        let writes: Vec<_> = (0..300)
            .map(|seed| Write::Upsert {
                id: DocumentId::from_seed(tick * 300 + seed),
                document: Arc::new(document(seed)),
            })
            .collect();
        shard.apply(&writes).unwrap();
    }
    let (mut last, mut merges) = (Vec::new(), 0);
    for tick in 0.. {
        assert!(tick < PATIENCE, "{}% are left", worst(&shard.view));
        if tick < 30 {
            leave(
                &mut shard,
                (0..2_100).filter(|seed| seed % 70 == tick as u64),
            );
        } else if worst(&shard.view) <= u32::from(KEPT) {
            break;
        } else {
            shard.apply(&[]).unwrap();
        }
        let state = shard.turns.after_moves();
        let running = state.lock().running.clone();
        if !running.is_empty() && running != last {
            let held = shard.view.segments().iter();
            let held: Vec<_> = held.map(|segment| segment.reader().segment_id()).collect();
            assert!(
                last.iter().all(|id| !held.contains(id)),
                "two merges at once"
            );
            (last, merges) = (running, merges + 1);
        }
    }
    assert!(merges > 1, "{merges}");
    assert_eq!(shard.view.document_count(), 1_200);
}
