use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{DirectoryLock, FileHandle, Lock, WatchCallback, WatchHandle, WritePtr};
use tantivy::{SegmentMeta, TantivyDocument};

use super::*;
use crate::colony::{Birth, Colony, ColonyConfig, Rehearsal};
use crate::id::ShardId;
use crate::publication::Publication;
use crate::search::{Query, search, search_with_local_statistics};
use crate::sync::{Arc, AtomicBool, Ordering};
use crate::testing::random::Random;

#[test]
fn an_empty_store_takes_no_thread() {
    let shard = TextShard::new(&TextShardConfig::default()).unwrap();
    let settings = shard.writer.index().settings();
    assert!(!settings.docstore_compress_dedicated_thread);
}

impl TextShard {
    /// Applies writes and makes them visible, as a tick does.
    pub(in crate::search) fn apply(
        &mut self,
        writes: &[Write<TextDocument>],
    ) -> Result<(), ShardFailure> {
        let nothing = Publication::new([])?;
        let shard = ShardId(0);
        let mut rehearsal = Rehearsal::new(shard, nothing.into())?;
        self.act(&mut rehearsal.context(0), &mut Batch::new(writes))?;
        self.advance(&mut rehearsal.context(0))
    }

    /// What a new shard shows after these writes.
    pub(in crate::search) fn after(writes: &[Write<TextDocument>]) -> TextView {
        let mut shard = Self::new(&TextShardConfig::default()).unwrap();
        shard.apply(writes).unwrap();
        shard.view
    }
}

/// A shard whose only document lacks the id that each one is written with.
fn broken() -> TextShard {
    let mut shard = TextShard::new(&TextShardConfig::default()).unwrap();
    let mut document = TantivyDocument::new();
    document.add_text(tantivy::schema::Field::from_field_id(0), "sea");
    shard.writer.add_document(document).unwrap();
    shard.writer.commit().unwrap();
    shard.commit().unwrap();
    shard
}

#[test]
fn a_segment_that_fails_fails_the_search() {
    let whole = || TextShard::new(&TextShardConfig::default()).unwrap();
    let make = move |birth: Birth<_>| {
        Ok(if birth.shard == ShardId(1) {
            broken()
        } else {
            whole()
        })
    };
    let mut colony = Colony::new(ColonyConfig::default(), 3, make).unwrap();
    for seed in 0..30 {
        let document = TextDocument::new("sea tide", "");
        let accepted = colony
            .intake()
            .try_upsert(DocumentId::from_seed(seed), document);
        assert!(accepted.is_ok());
    }
    assert!(colony.tick().unwrap().faults.is_empty());
    let publication = colony.publication();
    let query = Query::parse("sea").unwrap();
    for outcome in [
        search(&publication, &query, 100, None),
        search_with_local_statistics(&publication, &query, 100, None),
    ] {
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("document 0 has no id"), "{error}");
    }
    // What doesn't come upon the broken document is answered.
    let query = Query::parse("tide").unwrap();
    assert_eq!(search(&publication, &query, 100, None).unwrap().len(), 30);
}

/// Memory that takes nothing more once it is full.
#[derive(Debug, Clone)]
struct Finite {
    memory: RamDirectory,
    full: Arc<AtomicBool>,
}

impl Finite {
    fn check(&self) -> io::Result<()> {
        if self.full.load(Ordering::Relaxed) {
            return Err(io::Error::other("no room is left"));
        }
        Ok(())
    }
}

impl Directory for Finite {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.memory.get_file_handle(path)
    }
    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.memory.delete(path)
    }
    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.memory.exists(path)
    }
    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        self.check()
            .map_err(|error| OpenWriteError::wrap_io_error(error, path.to_owned()))?;
        self.memory.open_write(path)
    }
    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.memory.atomic_read(path)
    }
    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.check()?;
        self.memory.atomic_write(path, data)
    }
    fn sync_directory(&self) -> io::Result<()> {
        self.memory.sync_directory()
    }
    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.memory.watch(callback)
    }
    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.memory.acquire_lock(lock)
    }
}

#[test]
fn an_index_that_cannot_be_written_fails_the_shard_and_not_its_published_view() {
    let full = Arc::new(AtomicBool::new(false));
    let directory = Finite {
        memory: RamDirectory::create(),
        full: Arc::clone(&full),
    };
    let directory: Box<dyn Directory> = Box::new(directory);
    let mut shard = TextShard::on(directory, &TextShardConfig::default(), Storing::Chosen).unwrap();
    let tick = |shard: &mut TextShard, seed| -> Result<(), ShardFailure> {
        let writes = [Write::Upsert {
            id: DocumentId::from_seed(seed),
            document: Arc::new(TextDocument::default()),
        }];
        shard.apply(&writes)
    };
    tick(&mut shard, 0).unwrap();
    let published = shard.view().unwrap();
    full.store(true, Ordering::Relaxed);
    let failure = tick(&mut shard, 1).unwrap_err();
    assert!(!failure.to_string().is_empty());
    assert_eq!(shard.view().unwrap().document_count(), 1);
    assert!(published.contains(DocumentId::from_seed(0)).unwrap());
    assert!(!published.contains(DocumentId::from_seed(1)).unwrap());
}

fn upsert(seed: u64, body: &str) -> Write<TextDocument> {
    Write::Upsert {
        id: DocumentId::from_seed(seed),
        document: Arc::new(TextDocument::new("", body)),
    }
}

fn delete(seed: u64) -> Write<TextDocument> {
    let id = DocumentId::from_seed(seed);
    Write::Delete { id }
}

/// The next life of a shard that showed this last.
fn next_life(last: &TextView) -> TextShard {
    let config = TextShardConfig::default();
    TextShard::again(last, &config).unwrap()
}

fn holding(view: &TextView) -> (Vec<DocumentId>, HashMap<String, u64>) {
    let mut ids = view.document_ids().unwrap();
    ids.sort();
    (ids, view.term_frequencies("body").unwrap())
}

#[test]
fn a_life_begins_with_what_the_last_one_published_and_goes_on_as_that_would_have() {
    let mut first = TextShard::new(&TextShardConfig::default()).unwrap();
    for tick in 0..12 {
        let writes = [
            upsert(tick, "sea"),
            upsert(tick / 2, "tide"),
            delete(tick / 3),
        ];
        first.apply(&writes).unwrap();
        let published = first.view().unwrap();
        // Neither what the last life does later, nor its end, reaches the next.
        let mut next = next_life(&published);
        assert_eq!(
            holding(&next.view().unwrap()),
            holding(&published),
            "{tick}"
        );
        let later = [upsert(tick, "wind"), delete(tick / 2), upsert(100, "boat")];
        first.apply(&later).unwrap();
        next.apply(&later).unwrap();
        assert_eq!(
            holding(&next.view().unwrap()),
            holding(&first.view().unwrap())
        );
        // A life after that, too.
        let third = next_life(&next.view().unwrap());
        assert!(!third.is_live(DocumentId::from_seed(tick / 2)).unwrap());
        assert_eq!(holding(&third.view), holding(&next.view));
    }
}

/// Each look at an id that isn't there may be the one after which a segment knows its ids.
#[test]
fn ids_are_found_before_and_after_their_segments_know_them() {
    let mut random = Random::new(7);
    let mut shard = TextShard::new(&TextShardConfig::default()).unwrap();
    let mut expected = BTreeSet::new();
    for tick in 0..12 {
        let writes: Vec<_> = (0..1 + random.below(400))
            .map(|_| match (random.below(600) as u64, random.below(4)) {
                (seed, 0) => {
                    expected.remove(&seed);
                    delete(seed)
                }
                (seed, _) => {
                    expected.insert(seed);
                    upsert(seed, "sea")
                }
            })
            .collect();
        shard.apply(&writes).unwrap();
        for seed in 0..1_000 {
            let held = shard.view.contains(DocumentId::from_seed(seed)).unwrap();
            assert_eq!(held, expected.contains(&seed), "{seed} in tick {tick}");
        }
    }
}

#[test]
fn files_that_a_next_life_has_merged_are_gone() {
    let mut first = TextShard::new(&TextShardConfig::default()).unwrap();
    for seed in 0..20 {
        first.apply(&[upsert(seed, "sea")]).unwrap();
    }
    let mut next = next_life(&first.view().unwrap());
    let before = next.view.memory_bytes();
    for seed in 0..20 {
        next.apply(&[delete(seed)]).unwrap();
    }
    let writer = std::mem::replace(&mut next.writer, next_life(&next.view.clone()).writer);
    writer.wait_merging_threads().unwrap();
    next.commit().unwrap();
    assert_eq!(next.view.document_count(), 0);
    assert!(
        next.view.memory_bytes() < before,
        "segments without documents are dropped"
    );
}

#[test]
fn new_documents_fill_as_many_segments_as_their_memory_takes() {
    let shard = TextShard::new(&TextShardConfig::default()).unwrap();
    let index = shard.writer.index();
    let text: Vec<_> = (0..2_000).map(|word| format!("word{word}")).collect();
    let text = text.join(" ");
    let document = Arc::new(TextDocument::new("", &*text));
    let mut new = NewDocuments::default();
    let places: Vec<_> = (0..300)
        .map(|seed| new.push(DocumentId::from_seed(seed), &document))
        .collect();
    for place in places.into_iter().step_by(3) {
        new.remove(place);
    }
    for (memory, many) in [(1_000_000, true), (usize::MAX, false)] {
        let segments = new.write(index, memory).unwrap();
        assert_eq!(segments.len() > 1, many, "{}", segments.len());
        let documents: u32 = segments.iter().map(SegmentMeta::max_doc).sum();
        assert_eq!(documents, 200);
    }
}

/// Postings come in blocks of 128, of which the last isn't full.
#[test]
fn the_frequency_of_a_term_is_that_of_live_documents_whatever_the_size_of_its_postings() {
    let random = &mut Random::new(3);
    for documents in [1, 63, 64, 127, 128, 129, 255, 256, 300] {
        let mut shard = TextShard::new(&TextShardConfig::default()).unwrap();
        let all: Vec<_> = (0..documents).map(|seed| upsert(seed, "sea")).collect();
        shard.apply(&all).unwrap();
        let mut live: BTreeSet<u64> = (0..documents).collect();
        for percent in [0, 1, 40, 100] {
            let gone: Vec<_> = (0..documents).filter(|_| random.percent(percent)).collect();
            live.retain(|seed| !gone.contains(seed));
            let deletes: Vec<_> = gone.into_iter().map(delete).collect();
            shard.apply(&deletes).unwrap();
            let frequencies = shard.view.term_frequencies("body").unwrap();
            let counted = frequencies.get("sea").copied().unwrap_or(0);
            assert_eq!(counted, live.len() as u64, "{documents} {percent}");
        }
        assert!(live.is_empty());
    }
}

#[test]
fn many_documents_that_have_moved_are_indexed_by_several_threads() {
    let shard = TextShard::new(&TextShardConfig::default()).unwrap();
    let (index, document) = (shard.writer.index(), Arc::new(TextDocument::new("", "sea")));
    let mut new = NewDocuments::default();
    let write = |new: &NewDocuments| {
        let segments = new.write(index, 15_000_000).unwrap();
        let documents: u32 = segments.iter().map(SegmentMeta::max_doc).sum();
        (segments.len(), documents)
    };
    let places: Vec<_> = (0..999)
        .map(|seed| new.push(DocumentId::from_seed(seed), &document))
        .collect();
    assert_eq!(write(&new), (1, 999));
    for _ in 0..999 {
        new.count_moved();
    }
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(write(&new), (cores.min(2), 999));
    places.into_iter().for_each(|place| new.remove(place));
    assert_eq!(write(&new), (0, 0));
    new.clear();
    new.push(DocumentId::from_seed(1), &document);
    assert_eq!(write(&new), (1, 1));
}

#[test]
fn the_last_write_of_a_document_in_a_tick_counts() {
    let mut shard = TextShard::new(&TextShardConfig::default()).unwrap();
    shard.apply(&[upsert(1, "old"), upsert(2, "old")]).unwrap();
    let writes = [
        upsert(1, "middle"),
        delete(1),
        upsert(1, "new"),
        upsert(2, "new"),
        delete(2),
        upsert(3, "new"),
        upsert(3, "newer"),
        delete(4),
    ];
    shard.apply(&writes).unwrap();
    let (mut ids, words) = holding(&shard.view);
    ids.sort();
    let mut expected = [1, 3].map(DocumentId::from_seed);
    expected.sort();
    assert_eq!(ids, expected);
    let expected = [("new", 1), ("newer", 1)].map(|(word, count)| (word.to_owned(), count));
    assert_eq!(words, HashMap::from(expected));
}
