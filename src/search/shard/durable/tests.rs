use std::collections::{BTreeMap, HashMap};
use std::ops::{Bound, RangeBounds};

use proptest::prelude::*;
use tantivy::indexer::NoMergePolicy;

use super::*;
use crate::colony::durable::lives::{Lives, SHARD};
use crate::colony::durable::saved::LifeFiles;
use crate::colony::{Batch, Refusal, Rehearsal, Shard, Write};
use crate::id::DocumentId;
use crate::placement::Placement;
use crate::publication::Publication;
use crate::search::{Field, Schema, SchemaBuilder};
use crate::storage::manifest::ShardPart;
use crate::storage::os::OsFiles;
use crate::sync::Arc;
use crate::testing::random::Random;

/// One tick's writes.
type Writes = Vec<Write<TextDocument>>;
/// The documents that a shard should hold.
type Model = BTreeMap<DocumentId, TextDocument>;

const WORDS: [&str; 4] = ["sea", "tide", "wind", "boat"];

/// No field is stored.
fn settings() -> TextShardConfig {
    let fields = [
        Field::text("title"),
        Field::integer("year"),
        Field::text("body"),
    ];
    let fields = fields.into_iter();
    let schema = fields.fold(Schema::builder(), SchemaBuilder::field);
    TextShardConfig {
        schema: schema.build().unwrap(),
        ..TextShardConfig::default()
    }
}

fn document(words: &[usize]) -> TextDocument {
    let mut document = settings().schema.document();
    for (at, &word) in words.iter().enumerate() {
        let field = ["body", "title"][at % 2];
        document.add(field, WORDS[word]).unwrap();
        document.add("year", i64::try_from(word).unwrap()).unwrap();
    }
    document
}

fn write() -> impl Strategy<Value = Write<TextDocument>> {
    let words = proptest::collection::vec(0..WORDS.len(), 0..4);
    (0..8_u64, 0..10, words).prop_map(|(seed, kind, words)| {
        let id = DocumentId::from_seed(seed);
        let document = Arc::new(document(&words));
        match kind {
            0..=3 => Write::Add { id, document },
            4..=6 => Write::Upsert { id, document },
            7..=8 => Write::Delete { id },
            _ => Write::Upsert {
                id,
                document: Arc::new(TextDocument::new("of another schema", "")),
            },
        }
    })
}

/// Applies writes without making them visible. Returns what was refused.
fn act(shard: &mut TextShard, writes: &[Write<TextDocument>]) -> Vec<(usize, String)> {
    let nothing = Publication::new([]).unwrap();
    let mut rehearsal = Rehearsal::new(ShardId(0), nothing.into()).unwrap();
    let mut batch = Batch::new(writes);
    shard.act(&mut rehearsal.context(0), &mut batch).unwrap();
    let refused = batch.refused().iter();
    let refused = refused.map(|(index, why)| (*index, reason(why)));
    refused.collect()
}

fn reason(why: &Refusal) -> String {
    match why {
        Refusal::Exists => "exists".to_owned(),
        Refusal::Because(why) => why.to_string(),
    }
}

/// The same by the definition.
fn act_in_model(model: &mut Model, writes: &[Write<TextDocument>]) -> Vec<(usize, String)> {
    let mut refused = Vec::new();
    for (at, write) in writes.iter().enumerate() {
        if let Some(document) = write.document()
            && let Err(other) = same_schema(&settings().schema, document.schema(), "the document")
        {
            refused.push((at, other.to_string()));
            continue;
        }
        match write {
            Write::Add { id, .. } if model.contains_key(id) => {
                refused.push((at, "exists".to_owned()));
            }
            Write::Add { id, document } | Write::Upsert { id, document } => {
                model.insert(*id, TextDocument::clone(document));
            }
            Write::Delete { id } => drop(model.remove(id)),
        }
    }
    refused
}

fn held(view: &TextView) -> Model {
    let ids = view.document_ids().unwrap().into_iter();
    ids.map(|id| (id, view.document(id).unwrap().unwrap()))
        .collect()
}

/// Saves and opens a shard, and drops it.
fn opened(lives: &mut Lives, life: &LifeFiles, view: &TextView) -> TextShard {
    let part = lives.save::<TextShard>(life, view).unwrap();
    lives.open(&settings(), Some(&part)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_refused_and_held_depends_on_the_state_and_the_writes_alone(
        ticks in proptest::collection::vec(proptest::collection::vec(write(), 0..8), 1..8),
        saved in any::<proptest::sample::Index>(),
    ) {
        let (mut lives, mut model) = (Lives::default(), Model::new());
        let life = lives.begin(None);
        let mut stepwise: TextShard = lives.open(&settings(), None).unwrap();
        let mut at_once: TextShard = lives.open(&settings(), None).unwrap();
        let mut reopened = None;
        for (tick, writes) in ticks.iter().enumerate() {
            if tick == saved.index(ticks.len()) {
                reopened = Some(opened(&mut lives, &life, &stepwise.view));
            }
            let expected = act_in_model(&mut model, writes);
            for shard in [&mut stepwise, &mut at_once].into_iter().chain(&mut reopened) {
                prop_assert_eq!(act(shard, writes), &*expected);
            }
            stepwise.commit().unwrap();
            prop_assert_eq!(held(&stepwise.view), model.clone());
        }
        for shard in [at_once, stepwise].into_iter().chain(reopened) {
            let mut shard = shard;
            shard.commit().unwrap();
            prop_assert_eq!(held(&shard.view), model.clone());
        }
    }
}

/// A shard that is saved, or left and opened, at random.
fn at_random(
    lives: &mut Lives,
    settings: &TextShardConfig,
    ticks: &[(u8, Writes)],
) -> Vec<(Model, HashMap<String, u64>)> {
    let mut life = lives.begin(None);
    let mut shard: TextShard = lives.open(settings, None).unwrap();
    let mut shown = Vec::new();
    for (kind, writes) in ticks {
        tick(&mut shard, writes);
        if kind % 3 > 0 {
            let part = lives.save::<TextShard>(&life, &shard.view).unwrap();
            if kind % 3 > 1 {
                life = lives.begin(Some(&part));
                shard = lives.open(settings, Some(&part)).unwrap();
            }
        }
        shown.push((
            held(&shard.view),
            shard.view.term_frequencies("body").unwrap(),
        ));
    }
    shown
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_mapped_shard_shows_what_one_in_the_heap_shows(
        ticks in proptest::collection::vec((any::<u8>(), proptest::collection::vec(write(), 0..8)), 1..14),
    ) {
        let (_directory, mut lives) = on_disk();
        let expected = at_random(&mut Lives::default(), &settings(), &ticks);
        prop_assert_eq!(at_random(&mut lives, &mapping(), &ticks), &*expected);
        // Files that aren't the operating system's can't be mapped.
        prop_assert_eq!(at_random(&mut Lives::default(), &mapping(), &ticks), expected);
    }
}

fn upsert(seed: u64) -> Write<TextDocument> {
    Write::Upsert {
        id: DocumentId::from_seed(seed),
        document: Arc::new(document(&[0, 1])),
    }
}

fn delete(seed: u64) -> Write<TextDocument> {
    let id = DocumentId::from_seed(seed);
    Write::Delete { id }
}

fn tick(shard: &mut TextShard, writes: &[Write<TextDocument>]) {
    act(shard, writes);
    shard.commit().unwrap();
}

fn mapping() -> TextShardConfig {
    TextShardConfig {
        reading: Reading::Mapped,
        ..settings()
    }
}

/// Lives in a directory of the operating system.
fn on_disk() -> (tempfile::TempDir, Lives) {
    let directory = tempfile::tempdir().unwrap();
    let files = OsFiles::new(directory.path().to_owned());
    (directory, Lives::on(Arc::new(files)))
}

fn heap(shard: &TextShard) -> u64 {
    shard.view.files().unwrap().heap()
}

/// The places of the view's bytes.
fn places(view: &TextView) -> Vec<*const u8> {
    let segments = view.segments().iter();
    let files = segments.flat_map(|segment| segment.files());
    files.map(|(_, bytes)| bytes.as_ptr()).collect()
}

#[test]
fn a_mapped_shard_lets_go_of_the_heap_once_its_files_are_saved() {
    let (_directory, mut lives) = on_disk();
    let life = lives.begin(None);
    let mut shard: TextShard = lives.open(&mapping(), None).unwrap();
    shard.writer.set_merge_policy(Box::new(NoMergePolicy));
    tick(&mut shard, &(0..50).map(upsert).collect::<Writes>());
    for round in 0..4 {
        tick(&mut shard, &[upsert(100 + round), delete(round)]);
        let (written, before) = (heap(&shard), places(&shard.view));
        let (expected, old) = (held(&shard.view), shard.view.clone());
        assert!(written > 0);
        // A checkpoint that fails changes nothing.
        let mut failing = life.saving(1_000 + round);
        TextShard::save(&shard.view, &mut failing).unwrap();
        drop(failing.end());
        tick(&mut shard, &[]);
        assert_eq!(
            (heap(&shard), places(&shard.view)),
            (written, before.clone())
        );

        let part = lives.save::<TextShard>(&life, &shard.view).unwrap();
        assert_eq!(heap(&shard), 0, "round {round}");
        assert_eq!(places(&shard.view), before, "until the next tick");
        tick(&mut shard, &[]);
        let after = places(&shard.view);
        // At least the six files of the last segment were in the heap.
        let changed = before
            .iter()
            .zip(&after)
            .filter(|(one, other)| one != other);
        assert!(changed.count() >= 6, "round {round}");
        assert_eq!(held(&shard.view), expected);
        assert_eq!(held(&old), expected);
        let opened: TextShard = lives.open(&mapping(), Some(&part)).unwrap();
        assert_eq!((held(&opened.view), heap(&opened)), (expected, 0));
        // Nothing is left to do.
        tick(&mut shard, &[]);
        assert_eq!(places(&shard.view), after);
    }
}

#[test]
fn a_mapped_file_that_is_saved_again_is_read_from_its_new_place() {
    let (directory, mut lives) = on_disk();
    let life = lives.begin(None);
    let mut shard: TextShard = lives.open(&mapping(), None).unwrap();
    tick(&mut shard, &(0..50).map(upsert).collect::<Writes>());
    tick(&mut shard, &[delete(3)]);
    let part = lives.save::<TextShard>(&life, &shard.view).unwrap();
    let mut opened: TextShard = lives.open(&mapping(), Some(&part)).unwrap();
    let (before, expected) = (places(&opened.view), held(&opened.view));
    // A life that may keep none of the files that it was opened with.
    let life = lives.begin(None);
    let again = lives.save::<TextShard>(&life, &opened.view).unwrap();
    #[cfg(unix)]
    for file in &part.files {
        std::fs::remove_file(directory.path().join(file.path())).unwrap();
    }
    assert_eq!(held(&opened.view), expected);
    tick(&mut opened, &[]);
    let after = places(&opened.view);
    assert!(before.iter().all(|place| !after.contains(place)));
    assert_eq!(held(&opened.view), expected);
    let last: TextShard = lives.open(&mapping(), Some(&again)).unwrap();
    assert_eq!(held(&last.view), expected);
}

#[test]
fn an_index_above_index_memory_is_refused_by_name_unless_the_colony_is_open() {
    let (_directory, mut lives) = on_disk();
    let life = lives.begin(None);
    let mut shard: TextShard = lives.open(&settings(), None).unwrap();
    tick(&mut shard, &[upsert(1), upsert(2)]);
    let part = lives.save::<TextShard>(&life, &shard.view).unwrap();
    let bytes: u64 = part.files.iter().map(|file| file.length).sum();
    let open = |max, settings, purpose| {
        let index_memory = Some(max);
        let settings = TextShardConfig {
            index_memory,
            ..settings
        };
        let saved = lives.saved_for(&part, purpose);
        let opened = TextShard::open(&settings, ShardId(7), Some(&saved));
        opened.map_err(|error| error.to_string())
    };
    for purpose in [Purpose::Opening, Purpose::Reading] {
        open(bytes, settings(), purpose).unwrap();
        open(0, mapping(), purpose).unwrap();
        let max = bytes - 1;
        let expected = format!(
            "the index of shard-7 has {bytes} bytes, but index_memory is {max}: raise it, or map the files with Reading::Mapped"
        );
        assert_eq!(open(max, settings(), purpose).unwrap_err(), expected);
    }
    open(0, settings(), Purpose::Restart).unwrap();
}

/// A saved shard with segments enough for a merge.
fn eight_segments() -> (tempfile::TempDir, Lives, ShardPart) {
    let (directory, mut lives) = on_disk();
    let life = lives.begin(None);
    let mut shard: TextShard = lives.open(&settings(), None).unwrap();
    shard.writer.set_merge_policy(Box::new(NoMergePolicy));
    for seed in 0..8 {
        tick(&mut shard, &[upsert(seed)]);
    }
    let part = lives.save::<TextShard>(&life, &shard.view).unwrap();
    (directory, lives, part)
}

/// Waits for the merges of a shard, and returns how many segments it then has.
fn merged(mut shard: TextShard, lives: &Lives) -> usize {
    let fresh: TextShard = lives.open(&settings(), None).unwrap();
    let writer = std::mem::replace(&mut shard.writer, fresh.writer);
    writer.wait_merging_threads().unwrap();
    shard.commit().unwrap();
    shard.view.segment_count()
}

#[test]
fn a_shard_that_is_only_read_merges_nothing_and_has_no_temporary_files() {
    let (_directory, lives, part) = eight_segments();
    for (purpose, merges) in [(Purpose::Reading, false), (Purpose::Opening, true)] {
        let saved = lives.saved_for(&part, purpose);
        assert_eq!(saved.scratch().is_some(), purpose == Purpose::Opening);
        let mut opened = TextShard::open(&mapping(), SHARD, Some(&saved)).unwrap();
        // One of these ticks is its turn.
        for seed in 8..12 {
            tick(&mut opened, &[upsert(seed)]);
        }
        assert_eq!(merged(opened, &lives) < 8, merges);
    }
}

#[test]
fn a_shard_that_is_opened_begins_no_merge() {
    let (_directory, lives, part) = eight_segments();
    let saved = lives.saved_for(&part, Purpose::Opening);
    let opened = TextShard::open(&mapping(), SHARD, Some(&saved)).unwrap();
    assert_eq!(merged(opened, &lives), 8);
}

/// The names of the files of deletes.
fn deletes(shard: &TextShard) -> Vec<String> {
    let segments = shard.view.segments().iter();
    let files = segments.flat_map(|segment| segment.files());
    let names = files.map(|(path, _)| path.to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".del")).collect()
}

#[test]
fn lives_that_use_the_same_name_for_other_deletes_do_not_mix_them() {
    let mut lives = Lives::default();
    let life = lives.begin(None);
    let mut first: TextShard = lives.open(&settings(), None).unwrap();
    tick(&mut first, &(0..10).map(upsert).collect::<Writes>());
    let part = lives.save::<TextShard>(&life, &first.view).unwrap();
    tick(&mut first, &[delete(1)]);
    let of_first = lives.save::<TextShard>(&life, &first.view).unwrap();
    // The name has the number of the operation. A life that begins with the earlier view comes to this number by other operations.
    let next = |more: u64| {
        let mut next: TextShard = lives.open(&settings(), Some(&part)).unwrap();
        let writes = (100..100 + more).map(upsert);
        tick(&mut next, &writes.chain([delete(2)]).collect::<Writes>());
        next
    };
    let mut lengths = (0..30_u64).map(next);
    let second = lengths.find(|next| deletes(next) == deletes(&first));
    let second = second.expect("a life that uses the name again");
    drop(lengths);
    let life = lives.begin(Some(&part));
    let of_second = lives.save::<TextShard>(&life, &second.view).unwrap();
    for (part, shard) in [(&of_first, &first), (&of_second, &second)] {
        let again: TextShard = lives.open(&settings(), Some(part)).unwrap();
        assert_eq!(held(&again.view), held(&shard.view));
    }
}

/// Opens a shard from a saved one, makes these writes, and waits for the merges.
fn after(lives: &Lives, part: &ShardPart, writes: &[Write<TextDocument>]) -> TextView {
    let mut shard: TextShard = lives.open(&settings(), Some(part)).unwrap();
    tick(&mut shard, writes);
    let fresh: TextShard = lives.open(&settings(), None).unwrap();
    let writer = std::mem::replace(&mut shard.writer, fresh.writer);
    writer.wait_merging_threads().unwrap();
    shard.commit().unwrap();
    shard.view
}

#[test]
fn the_numbers_of_a_life_begin_above_those_of_the_saved_deletes() {
    // Eight segments are merged when the next life begins, and three aren't.
    for segments in [3, 8] {
        let mut lives = Lives::default();
        let life = lives.begin(None);
        let mut first: TextShard = lives.open(&settings(), None).unwrap();
        first.writer.set_merge_policy(Box::new(NoMergePolicy));
        for at in 0..segments {
            let seeds = 10 * at..10 * (at + 1);
            tick(&mut first, &seeds.map(upsert).collect::<Writes>());
        }
        tick(&mut first, &[delete(1)]);
        let part = lives.save::<TextShard>(&life, &first.view).unwrap();
        // The numbers of these writes reach that of the saved deletes, if they begin too low.
        for more in (0..36).map(|more| more * segments / 3) {
            let mut writes: Writes = vec![delete(11)];
            writes.extend((100..100 + more).map(upsert));
            // Of the segment that has deletes.
            writes.push(delete(2));
            let mut expected = held(&first.view);
            act_in_model(&mut expected, &writes);
            let found = held(&after(&lives, &part, &writes));
            assert_eq!(found, expected, "{segments} segments, {more} more");
        }
    }
}

#[test]
fn each_document_is_read_once_in_the_ranges_of_any_partition() {
    let mut lives = Lives::default();
    let life = lives.begin(None);
    let mut shard: TextShard = lives.open(&settings(), None).unwrap();
    let mut random = Random::new(1);
    for at in 0..6 {
        let writes = (0..60).map(|seed| match random.below(4) {
            0 => delete(seed),
            _ => upsert(seed + 20 * at),
        });
        tick(&mut shard, &writes.collect::<Writes>());
    }
    let view = opened(&mut lives, &life, &shard.view).view;
    let expected = held(&view);
    for placement in Placement::ALL {
        let position = |id: &DocumentId| placement.document_position(id);
        let between = |positions: (Bound<u64>, Bound<u64>)| -> Vec<_> {
            let found = view.documents_between(placement, positions).unwrap();
            found.map(Result::unwrap).collect()
        };
        // Some borders are positions of documents, as the points of a ring can be.
        let mut borders: Vec<_> = expected.keys().step_by(7).map(position).collect();
        borders.extend((0..5).map(|_| random.next()));
        borders.sort_unstable();
        let ends = borders.iter().map(|&border| Bound::Included(border));
        let starts = borders.iter().map(|&border| Bound::Excluded(border));
        let starts = [Bound::Unbounded].into_iter().chain(starts);
        let mut all = Vec::new();
        for range in starts.zip(ends.chain([Bound::Unbounded])) {
            let found = between(range);
            assert!(found.iter().all(|(id, _)| range.contains(&position(id))));
            all.extend(found);
        }
        assert_eq!(all.len(), expected.len());
        assert_eq!(all.into_iter().collect::<Model>(), expected);
        // In the order of the index.
        let order = between((Bound::Unbounded, Bound::Unbounded)).into_iter();
        let order: Vec<_> = order.map(|(id, _)| id).collect();
        assert_eq!(order, view.document_ids().unwrap());
    }
    let in_memory = TextShard::new(&settings()).unwrap().view;
    let refused = in_memory.documents_between(Placement::Xxh3, ..);
    assert!(matches!(
        refused.map(drop),
        Err(SearchError::NotStored { .. })
    ));
}

#[test]
fn a_file_is_written_once_in_a_life_and_never_again_by_the_next() {
    let mut lives = Lives::default();
    let life = lives.begin(None);
    let mut shard: TextShard = lives.open(&settings(), None).unwrap();
    tick(&mut shard, &(0..10).map(upsert).collect::<Writes>());
    let first = lives.save::<TextShard>(&life, &shard.view).unwrap();
    tick(&mut shard, &[upsert(20), delete(3)]);
    let second = lives.save::<TextShard>(&life, &shard.view).unwrap();
    assert!(first.files.iter().all(|file| second.files.contains(file)));
    // Six files of another segment, and the deletes of the first.
    assert_eq!((first.files.len(), second.files.len()), (6, 13));
    let mut next: TextShard = lives.open(&settings(), Some(&second)).unwrap();
    let life = lives.begin(Some(&second));
    let third = lives.save::<TextShard>(&life, &next.view).unwrap();
    assert_eq!(third.files, second.files);
    tick(&mut next, &[delete(4)]);
    let fourth = lives.save::<TextShard>(&life, &next.view).unwrap();
    let new = fourth
        .files
        .iter()
        .filter(|file| !third.files.contains(file));
    assert_eq!(new.count(), 1);
}

#[test]
fn a_view_whose_segments_were_merged_away_is_saved_whole() {
    let mut lives = Lives::default();
    let life = lives.begin(None);
    let mut shard: TextShard = lives.open(&settings(), None).unwrap();
    for seed in 0..20 {
        tick(&mut shard, &[upsert(seed)]);
    }
    let old = shard.view.clone();
    for seed in 0..20 {
        tick(&mut shard, &[delete(seed)]);
    }
    let fresh: TextShard = lives.open(&settings(), None).unwrap();
    let writer = std::mem::replace(&mut shard.writer, fresh.writer);
    writer.wait_merging_threads().unwrap();
    let opened = opened(&mut lives, &life, &old);
    assert_eq!(held(&opened.view), held(&old));
    assert_eq!(held(&old).len(), 20);
}

#[test]
fn the_fields_of_the_schema_are_shown_and_all_are_kept() {
    let lives = Lives::default();
    let mut shard: TextShard = lives.open(&settings(), None).unwrap();
    tick(&mut shard, &[upsert(1)]);
    let id = DocumentId::from_seed(1);
    assert!(shard.view.stored(id).unwrap().unwrap().is_empty());
    assert_eq!(shard.view.document(id).unwrap(), Some(document(&[0, 1])));
    let mut in_memory = TextShard::new(&settings()).unwrap();
    in_memory.apply(&[upsert(1)]).unwrap();
    assert_eq!(
        in_memory.view.document(id).unwrap_err().to_string(),
        "the field \"title\" isn't stored in this index, so whole documents can't be read"
    );
    let mut lives = Lives::default();
    let life = lives.begin(None);
    let refused = lives.save::<TextShard>(&life, &in_memory.view);
    assert!(refused.unwrap_err().to_string().contains("isn't stored"));
}

#[test]
fn a_document_of_another_schema_is_refused_when_it_is_encoded() {
    let other = TextDocument::new("sea", "");
    let refused = TextShard::encode(&settings(), &other, &mut Vec::new());
    let error = refused.unwrap_err().to_string();
    assert!(
        error.starts_with("the document has another schema: field 2 is"),
        "{error}"
    );
}

#[test]
fn what_cannot_be_opened_says_why() {
    let mut lives = Lives::default();
    let life = lives.begin(None);
    let mut shard: TextShard = lives.open(&settings(), None).unwrap();
    tick(&mut shard, &[upsert(1)]);
    let part = lives.save::<TextShard>(&life, &shard.view).unwrap();
    let version = format!("{INDEX_FORMAT_VERSION}\n");
    let list = part.meta.strip_prefix(version.as_bytes()).unwrap();
    let cases: [(Vec<u8>, &str); 4] = [
        (Vec::new(), "a list of segments"),
        (b"x\n{}".to_vec(), "a list of segments"),
        (
            [b"99\n", list].concat(),
            "version 99 of tantivy's format, but this program reads 4 to",
        ),
        ([version.as_bytes(), b"{}"].concat(), "the index failed"),
    ];
    for (meta, expected) in cases {
        let mut part = part.clone();
        part.meta = meta;
        let error = lives
            .open::<TextShard>(&settings(), Some(&part))
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let mut lacking = part.clone();
    lacking.files.remove(0);
    lives
        .open::<TextShard>(&settings(), Some(&lacking))
        .unwrap_err();
    let other = TextShardConfig::default();
    lives.open::<TextShard>(&other, Some(&part)).unwrap_err();
}
