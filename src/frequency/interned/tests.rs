//! The interned frequencies against their stupid twin: each shard's counts in a B-tree map, folded anew each time.
#![expect(clippy::cast_possible_truncation, reason = "small numbers")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::counts::{CHUNK, Counts, PAGE_IDS};
use super::ledger::Ledger;
use super::*;
use crate::error::FrequencyError;
use crate::id::{ShardId, TermId};
use crate::sync::Arc;

static POOL: LazyLock<ThreadPool> = LazyLock::new(|| {
    let pool = ThreadPoolBuilder::new().num_threads(3).build();
    pool.expect("a few threads can be started")
});

type Map = BTreeMap<TermId, u64>;

/// What one shard has, as the twin knows it.
#[derive(Debug, Clone, Default, PartialEq)]
struct Twin {
    documents: u64,
    tokens: u64,
    counts: Map,
}

impl Twin {
    fn frequencies(&self) -> ShardFrequencies {
        let counts = self.counts.iter().map(|(&term, &count)| (term, count));
        ShardFrequencies::new(self.documents, self.tokens, counts).unwrap()
    }
}

fn fold<'a>(shards: impl IntoIterator<Item = &'a Twin>) -> Twin {
    let mut all = Twin::default();
    for shard in shards {
        all.documents += shard.documents;
        all.tokens += shard.tokens;
        for (&term, &count) in shard.counts.iter().filter(|&(_, &count)| count > 0) {
            *all.counts.entry(term).or_default() += count;
        }
    }
    all
}

fn seen(snapshot: &FrequencySnapshot) -> Twin {
    let counts: Map = snapshot.iter().collect();
    assert!(snapshot.iter().map(|(term, _)| term).is_sorted());
    assert_eq!(snapshot.iter().count(), snapshot.len());
    assert_eq!(snapshot.is_empty(), counts.is_empty());
    for (&term, &count) in &counts {
        assert_eq!(snapshot.document_frequency(term), count);
        let next = TermId(term.0.wrapping_add(1));
        assert_eq!(
            snapshot.document_frequency(next),
            counts.get(&next).copied().unwrap_or(0)
        );
    }
    Twin {
        documents: snapshot.documents(),
        tokens: snapshot.tokens(),
        counts,
    }
}

/// Ids at the edges of chunks and pages, and far off.
fn id() -> impl Strategy<Value = TermId> {
    let (chunk, page) = (CHUNK as u32, PAGE_IDS as u32);
    prop_oneof![
        8 => 0..20_u32,
        4 => chunk - 2..chunk + 2,
        4 => page - 2..page + 2,
        2 => 3 * page - 1..3 * page + chunk + 1,
        1 => 50 * page..50 * page + 2,
    ]
    .prop_map(TermId)
}

fn shard() -> impl Strategy<Value = Twin> {
    (
        0..40_u64,
        0..1_000_u64,
        btree_map(id(), any::<prop::sample::Index>(), 0..20),
    )
        .prop_map(|(documents, tokens, counts)| Twin {
            documents,
            tokens,
            counts: counts
                .into_iter()
                .map(|(term, part)| (term, part.index(documents as usize + 1) as u64))
                .collect(),
        })
}

/// What may happen to a shard.
#[derive(Debug, Clone)]
enum Step {
    Replace(Twin),
    Update(Twin),
    Remove,
}

fn step() -> impl Strategy<Value = (u32, u64, Step, bool)> {
    let step = prop_oneof![
        2 => shard().prop_map(Step::Replace),
        4 => shard().prop_map(Step::Update),
        1 => Just(Step::Remove),
    ];
    (0..4_u32, 0..3_u64, step, any::<bool>())
}

/// The model: generations and contributions, checked in the plainest way.
#[derive(Default)]
struct Model(BTreeMap<ShardId, (u64, Option<Twin>)>);

impl Model {
    fn apply(
        &mut self,
        shard: ShardId,
        generation: u64,
        step: &Step,
    ) -> Result<(), FrequencyError> {
        let (last, has) = match self.0.get(&shard) {
            Some((last, has)) => (Some(*last), has.clone()),
            None => (None, None),
        };
        let stale = |late: bool| match last {
            Some(last) if late => Err(FrequencyError::StaleGeneration {
                shard,
                generation,
                last,
            }),
            _ => Ok(()),
        };
        let none = FrequencyError::NoContribution { shard };
        let has = match step {
            Step::Replace(new) => {
                stale(last.is_some_and(|last| generation <= last))?;
                Some(new.clone())
            }
            Step::Update(new) => {
                stale(last.is_some_and(|last| generation <= last))?;
                let mut has = has.ok_or(none)?;
                has.counts
                    .extend(new.counts.iter().map(|(&term, &count)| (term, count)));
                has.counts.retain(|_, count| *count > 0);
                let documents = new.documents;
                if let Some((&term, &frequency)) =
                    has.counts.iter().find(|&(_, &count)| count > documents)
                {
                    return Err(FrequencyError::CountAboveDocuments {
                        term,
                        frequency,
                        documents,
                    });
                }
                has.documents = documents;
                has.tokens = new.tokens;
                Some(has)
            }
            Step::Remove => {
                has.ok_or(none)?;
                stale(last.is_some_and(|last| generation < last))?;
                None
            }
        };
        self.0.insert(shard, (generation, has));
        Ok(())
    }

    fn contributions(&self) -> impl Iterator<Item = &Twin> {
        self.0.values().filter_map(|(_, has)| has.as_ref())
    }
}

proptest! {
    #[test]
    fn the_sum_anew_is_the_fold(shards in vec(shard(), 0..10), turn in any::<prop::sample::Index>()) {
        let mut frequencies: Vec<_> = shards.iter().map(Twin::frequencies).collect();
        let global = aggregate_interned(&frequencies).unwrap();
        prop_assert_eq!(seen(&global), fold(&shards));
        if !shards.is_empty() {
            frequencies.rotate_left(turn.index(shards.len()));
        }
        let turned = aggregate_interned(&frequencies).unwrap();
        prop_assert_eq!(&turned, &global);
    }

    /// Published or not, refused or carried out: the published sums are those of what the shards have, and refusals are the model's.
    #[test]
    fn every_sequence_of_changes_gives_the_fold(steps in vec(step(), 1..60)) {
        let global = GlobalFrequencies::new();
        let mut model = Model::default();
        let mut held: Vec<(_, Twin)> = Vec::new();
        let mut generation = 0;
        for (shard, back, step, publish) in steps {
            generation += 1;
            let (shard, said) = (ShardId(shard), u64::saturating_sub(generation, 2 * back));
            let outcome = match &step {
                Step::Replace(new) => global.replace(shard, said, &new.frequencies()),
                Step::Update(new) => global.update(shard, said, &new.frequencies()),
                Step::Remove => global.remove(shard, said),
            };
            prop_assert_eq!(outcome, model.apply(shard, said, &step));
            if publish {
                let version = global.snapshot().version();
                let snapshot = global.publish();
                prop_assert!(snapshot.version() <= version + 1);
                prop_assert_eq!(&seen(&snapshot), &fold(model.contributions()));
                let generations: Vec<_> = model.0.iter()
                    .filter(|(_, (_, has))| has.is_some())
                    .map(|(&shard, &(generation, _))| (shard, generation))
                    .collect();
                prop_assert_eq!(snapshot.generations(), &generations[..]);
                held.push((snapshot, fold(model.contributions())));
            }
        }
        for (snapshot, expected) in &held {
            prop_assert_eq!(&seen(snapshot), expected, "a snapshot never changes");
        }
    }

    #[test]
    fn adding_and_taking_out_is_the_identity(shards in vec(shard(), 1..6), guest in shard()) {
        let global = GlobalFrequencies::new();
        for (id, shard) in (0..).zip(&shards) {
            global.replace(ShardId(id), 1, &shard.frequencies()).unwrap();
        }
        let before = global.publish();
        let id = ShardId(99);
        global.replace(id, 1, &guest.frequencies()).unwrap();
        prop_assert_eq!(seen(&global.publish()), fold(shards.iter().chain([&guest])));
        global.remove(id, 1).unwrap();
        prop_assert_eq!(&global.publish(), &before);
        prop_assert_eq!(seen(&before), fold(&shards));
    }

    #[test]
    fn counts_are_what_was_set(sets in vec((id(), 0..3_u64), 0..60)) {
        let mut counts = Counts::default();
        let mut twin = Map::new();
        let mut clones = Vec::new();
        for (term, count) in sets {
            clones.push((counts.clone(), twin.clone()));
            counts.set(term, count);
            twin.insert(term, count);
            twin.retain(|_, count| *count > 0);
        }
        clones.push((counts, twin));
        for (counts, twin) in &clones {
            prop_assert_eq!(counts.terms(), twin.len());
            prop_assert_eq!(&counts.iter().collect::<Map>(), twin);
        }
    }

    #[test]
    fn a_dictionary_numbers_terms_in_the_order_they_come(terms in vec("[a-c]{0,3}|.{0,20}", 0..300)) {
        let dictionary = TermDictionary::new();
        let mut first = Vec::<String>::new();
        for term in &terms {
            let known = first.iter().position(|other| other == term);
            prop_assert_eq!(dictionary.get(term), known.map(|id| TermId(id as u32)));
            let id = dictionary.intern(term).unwrap();
            prop_assert_eq!(id.0 as usize, known.unwrap_or(first.len()));
            if known.is_none() {
                first.push(term.clone());
            }
            prop_assert_eq!(dictionary.term(id), Some(term.as_str()));
        }
        prop_assert_eq!(dictionary.len(), first.len() as u64);
        prop_assert_eq!(dictionary.term(TermId(first.len() as u32)), None);
    }
}

fn pairs(shard: &[(u32, u64)]) -> ShardFrequencies {
    let greatest = shard.iter().map(|&(_, count)| count).max().unwrap_or(0);
    ShardFrequencies::new(
        greatest,
        0,
        shard.iter().map(|&(id, count)| (TermId(id), count)),
    )
    .unwrap()
}

#[test]
fn the_greatest_id_is_one_like_any_other() {
    let (first, last) = (TermId(0), TermId(u32::MAX));
    let shard = ShardFrequencies::new(5, 0, [(last, 2), (first, 1)]).unwrap();
    let sums = [(first, 2), (last, 4)];
    let anew = aggregate_interned(&[shard.clone(), shard.clone()]).unwrap();
    assert!(anew.iter().eq(sums));
    let global = GlobalFrequencies::new();
    global.replace(ShardId(0), 1, &shard).unwrap();
    global.replace(ShardId(1), 1, &shard).unwrap();
    assert_eq!(*global.publish(), anew);
    assert_eq!(anew.document_frequency(last), 4);
}

#[test]
fn counts_beyond_32_bits_are_added_to_others() {
    let wide = u64::from(u32::MAX) + 1;
    let pairs = |counts: [u64; 3]| {
        let ids = [0, 9, PAGE_IDS as u32 + 1].map(TermId);
        ids.into_iter().zip(counts)
    };
    let shard = |counts| ShardFrequencies::new(1 << 40, 0, pairs(counts)).unwrap();
    let all = [
        [1, wide - 1, 2],
        [3, wide, wide + 5],
        [1 << 40, 7, wide - 2],
    ];
    for counts in all {
        let shard = shard(counts);
        assert!(shard.iter().eq(pairs(counts)));
        for (id, count) in pairs(counts) {
            assert_eq!(shard.get(id), Some(count));
        }
    }
    let sums = [4 + (1 << 40), 2 * wide + 6, 2 * wide + 5];
    let anew = aggregate_interned(&all.map(shard)).unwrap();
    assert!(anew.iter().eq(pairs(sums)), "{anew:?}");
    let global = GlobalFrequencies::new();
    for (id, counts) in (0..).map(ShardId).zip(all) {
        global.replace(id, 1, &shard(counts)).unwrap();
    }
    assert_eq!(*global.publish(), anew);
}

#[test]
fn terms_that_have_gone_take_no_room() {
    let (chunk, page) = (CHUNK as u32, PAGE_IDS as u32);
    let ids = [0, 1, chunk, page, page + 2 * chunk, 3 * page];
    let mut counts = Counts::default();
    for (number, id) in ids.into_iter().enumerate() {
        counts.set(TermId(id), number as u64 + 1);
    }
    assert_eq!(counts.room(), (3, 5));
    // Each leaves as much room as there was before it came.
    for (id, room) in [
        (page, (3, 4)),
        (1, (3, 4)),
        (3 * page, (2, 3)),
        (0, (2, 2)),
        (page + 2 * chunk, (1, 1)),
        (chunk, (0, 0)),
    ] {
        counts.set(TermId(id), 0);
        assert_eq!((counts.get(TermId(id)), counts.room()), (0, room), "{id}");
    }
    assert_eq!((counts.terms(), counts.iter().next()), (0, None));
}

/// Large enough for several threads.
#[test]
fn the_parallel_sum_is_the_fold() {
    let shards: Vec<_> = (0..8_u64)
        .map(|shard| Twin {
            documents: 1_000,
            tokens: 7 * shard,
            counts: (0..30_000_u32)
                .filter(|term| u64::from(term % 11) != shard)
                .map(|term| (TermId(term * 3), u64::from(term) % 900 + shard))
                .collect(),
        })
        .collect();
    let frequencies: Vec<_> = shards.iter().map(Twin::frequencies).collect();
    let (one, expected) = (ThreadPoolBuilder::new().num_threads(1), fold(&shards));
    let one = one.build().expect("a thread can be started");
    let add_up = || aggregate_interned(&frequencies).unwrap();
    for global in [POOL.install(add_up), one.install(add_up), add_up()] {
        assert_eq!(seen(&global), expected);
    }
}

#[test]
fn a_publication_copies_what_changes_and_no_more() {
    let mut ledger = Ledger::default();
    let many = 20 * CHUNK as u32;
    let all: Vec<_> = (0..many).map(|id| (id, 1)).collect();
    ledger.replace(ShardId(0), 1, &pairs(&all)).unwrap();
    let published = ledger.totals().counts.clone();
    assert_eq!(
        ledger.totals().counts.chunks_shared_with(&published),
        (20, 20)
    );
    let changed = [(5, 0), (6, 0), (many - 1, 0)];
    let changed = changed.map(|(id, count)| (TermId(id), count));
    let update = ShardFrequencies::new(1, 0, changed).unwrap();
    ledger.update(ShardId(0), 2, &update).unwrap();
    assert_eq!(
        ledger.totals().counts.chunks_shared_with(&published),
        (18, 20)
    );
    // What a replacement leaves as it is isn't copied either.
    let published = ledger.totals().counts.clone();
    ledger.replace(ShardId(0), 3, &pairs(&all)).unwrap();
    assert_eq!(
        ledger.totals().counts.chunks_shared_with(&published),
        (18, 20)
    );
}

#[test]
fn totals_that_overflow_are_refused_and_change_nothing() {
    let global = GlobalFrequencies::new();
    let of = |documents, tokens, count| {
        ShardFrequencies::new(documents, tokens, [(TermId(3), count)]).unwrap()
    };
    let (a, b) = (ShardId(0), ShardId(1));
    global
        .replace(a, 1, &of(u64::MAX - 5, 10, u64::MAX - 5))
        .unwrap();
    let before = seen(&global.publish());
    let documents = FrequencyError::TotalOverflow { what: "documents" };
    let tokens = FrequencyError::TotalOverflow { what: "tokens" };
    assert_eq!(global.replace(b, 1, &of(6, 0, 6)).unwrap_err(), documents);
    assert_eq!(
        global.replace(b, 1, &of(5, u64::MAX - 9, 5)).unwrap_err(),
        tokens
    );
    assert_eq!(seen(&global.publish()), before);
    global.replace(b, 1, &of(5, u64::MAX - 10, 5)).unwrap();
    assert_eq!(global.update(b, 2, &of(6, 0, 6)).unwrap_err(), documents);
    // One shard's decrease makes room for another's increase.
    global.update(a, 2, &of(7, 10, 7)).unwrap();
    global
        .update(b, 2, &of(u64::MAX - 7, 0, u64::MAX - 7))
        .unwrap();
    assert_eq!(global.publish().document_frequency(TermId(3)), u64::MAX);

    let shards = [of(u64::MAX, 0, 1), of(1, 0, 1)];
    assert_eq!(aggregate_interned(&shards).unwrap_err(), documents);
    let shards = [of(1, 1, 1), of(1, u64::MAX, 1)];
    assert_eq!(aggregate_interned(&shards).unwrap_err(), tokens);
}

#[test]
fn fewer_documents_than_a_term_that_stays_is_in_are_refused() {
    let global = GlobalFrequencies::new();
    let shard = ShardId(0);
    let of = |documents, pairs: &[(u32, u64)]| {
        ShardFrequencies::new(
            documents,
            0,
            pairs.iter().map(|&(id, count)| (TermId(id), count)),
        )
        .unwrap()
    };
    global
        .replace(shard, 1, &of(10, &[(0, 10), (1, 8), (2, 3)]))
        .unwrap();
    let refused = |term, frequency, documents| FrequencyError::CountAboveDocuments {
        term: TermId(term),
        frequency,
        documents,
    };
    assert_eq!(
        global.update(shard, 2, &of(9, &[])).unwrap_err(),
        refused(0, 10, 9)
    );
    assert_eq!(
        global.update(shard, 2, &of(7, &[(0, 7)])).unwrap_err(),
        refused(1, 8, 7)
    );
    global.update(shard, 2, &of(7, &[(0, 7), (1, 0)])).unwrap();
    assert_eq!(
        global.update(shard, 3, &of(6, &[])).unwrap_err(),
        refused(0, 7, 6)
    );
    global.update(shard, 3, &of(6, &[(0, 2)])).unwrap();
    global.update(shard, 4, &of(3, &[])).unwrap();
    assert_eq!(
        global.update(shard, 5, &of(2, &[])).unwrap_err(),
        refused(2, 3, 2)
    );
    assert_eq!(
        global.publish().iter().collect::<Vec<_>>(),
        [(TermId(0), 2), (TermId(2), 3)]
    );
}

/// Readers go on with what they hold, and see whole publications only: in each, every term has the same frequency.
#[test]
fn readers_see_whole_publications() {
    let global = GlobalFrequencies::new();
    let terms = 3 * CHUNK as u32;
    let all = |count: u64| pairs(&(0..terms).map(|id| (id, count)).collect::<Vec<_>>());
    global.replace(ShardId(0), 0, &all(1)).unwrap();
    global.publish();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..200 {
                global.replace(ShardId(0), round, &all(round + 1)).unwrap();
                global.replace(ShardId(1), round, &all(2 * round)).unwrap();
                global.publish();
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                let mut version = 0;
                for _ in 0..2_000 {
                    let snapshot = global.snapshot();
                    assert!(snapshot.version() >= version, "never an older one");
                    version = snapshot.version();
                    let frequencies: BTreeSet<_> =
                        snapshot.iter().map(|(_, count)| count).collect();
                    assert_eq!((frequencies.len(), snapshot.len()), (1, terms as usize));
                    assert_eq!(snapshot.documents(), frequencies.into_iter().sum::<u64>());
                }
            });
        }
    });
    assert_eq!(
        global.snapshot().document_frequency(TermId(7)),
        200 + 2 * 199
    );
}

#[test]
fn threads_that_intern_the_same_terms_get_the_same_ids() {
    let dictionary = TermDictionary::new();
    let terms: Vec<String> = (0..2_000).map(|term| format!("t{}", term % 700)).collect();
    let ids = |turn: usize| -> Vec<_> {
        let mut turned = terms.clone();
        turned.rotate_left(turn);
        turned
            .iter()
            .map(|term| (dictionary.intern(term).unwrap(), term.clone()))
            .collect()
    };
    let found: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = [0, 500, 1_000, 1_500]
            .map(|turn| scope.spawn(move || ids(turn)))
            .into();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(dictionary.len(), 700);
    let by_id: BTreeMap<_, _> = found.iter().cloned().collect();
    assert_eq!(
        by_id.keys().map(|id| id.0).collect::<Vec<_>>(),
        (0..700).collect::<Vec<_>>()
    );
    for (id, term) in &found {
        assert_eq!(&by_id[id], term);
        assert_eq!(dictionary.term(*id), Some(term.as_str()));
    }
}

#[test]
fn a_full_dictionary_goes_on_answering() {
    let dictionary = TermDictionary::with_limit(2);
    let (a, b) = (
        dictionary.intern("a").unwrap(),
        dictionary.intern("b").unwrap(),
    );
    let full = FrequencyError::DictionaryFull { limit: 2 };
    assert_eq!(dictionary.intern("c").unwrap_err(), full);
    assert_eq!(
        ShardFrequencies::intern(&dictionary, 9, 9, &[("a", 1), ("c", 1)]).unwrap_err(),
        full
    );
    assert_eq!(
        (
            dictionary.get("a"),
            dictionary.get("b"),
            dictionary.get("c")
        ),
        (Some(a), Some(b), None)
    );
    assert_eq!(dictionary.intern("b").unwrap(), b);
    assert_eq!(dictionary.len(), 2);
}

#[test]
fn idf_is_that_of_the_corpus_statistics() {
    use crate::frequency::{CorpusStatistics, DocumentFrequencies};
    let terms = [("the", 40), ("ring", 3)];
    let dictionary = TermDictionary::default();
    let shard = ShardFrequencies::intern(&dictionary, 40, 320, &terms).unwrap();
    let global = aggregate_interned(&[shard]).unwrap();
    let corpus =
        CorpusStatistics::new(40, 320, DocumentFrequencies::from_entries(terms).unwrap()).unwrap();
    for (term, _) in terms {
        let id = dictionary.get(term).unwrap();
        assert_eq!(
            global.bm25_idf(id).to_bits(),
            corpus.bm25_idf(term).to_bits()
        );
        assert_eq!(
            global.smoothed_idf(id).to_bits(),
            corpus.smoothed_idf(term).to_bits()
        );
    }
    assert_eq!(
        global.average_length().to_bits(),
        corpus.average_length().to_bits()
    );
    assert_eq!(FrequencySnapshot::default().average_length(), 0.0);
}

#[test]
fn a_sum_beyond_64_bits_is_above_any_number_of_documents() {
    let pairs = [(3, u64::MAX), (5, 2), (2, u64::MAX), (5, u64::MAX), (3, 1)];
    let found = ShardFrequencies::new(u64::MAX, 1, pairs.map(|(id, count)| (TermId(id), count)));
    let refused = FrequencyError::CountAboveDocuments {
        term: TermId(3),
        frequency: u64::MAX,
        documents: u64::MAX,
    };
    assert_eq!(found.unwrap_err(), refused);

    // A lower id that is merely above the number of documents comes first.
    let found = ShardFrequencies::new(9, 1, pairs.map(|(id, count)| (TermId(id), count)));
    let refused = FrequencyError::CountAboveDocuments {
        term: TermId(2),
        frequency: u64::MAX,
        documents: 9,
    };
    assert_eq!(found.unwrap_err(), refused);
}

#[test]
fn c6_replaced_snapshots_that_nobody_reads_are_freed_by_each_call() {
    let (a, b, one) = (ShardId(0), ShardId(1), TermId(0));
    let has = |count| ShardFrequencies::new(100, 100, [(one, count)]).unwrap();
    let global = GlobalFrequencies::new();
    global.replace(a, 1, &has(1)).unwrap();
    let calls: [&dyn Fn(); 6] = [
        &|| drop(global.publish()),
        &|| global.replace(a, 100, &has(7)).unwrap(),
        &|| global.update(a, 101, &has(8)).unwrap(),
        &|| assert!(global.replace(a, 101, &has(9)).is_err()),
        &|| assert!(global.remove(b, 1).is_err()),
        &|| global.remove(a, 101).unwrap(),
    ];
    for (number, call) in calls.into_iter().enumerate() {
        let held = global.publish();
        let generation = number as u64 + 1;
        global.replace(b, 2 * generation, &has(generation)).unwrap();
        global.publish();
        let replaced = Arc::downgrade(&held);
        drop(held);
        assert!(replaced.upgrade().is_some(), "kept for its reader");
        call();
        assert!(replaced.upgrade().is_none(), "call {number} frees it");
    }
}

#[test]
fn c6_replaced_snapshots_are_kept_up_to_some_megabytes() {
    let terms = 200_000;
    let has = |count| ShardFrequencies::new(1_000, 1, (0..terms).map(|id| (TermId(id), count)));
    let global = GlobalFrequencies::new();
    let held: Vec<_> = (1..=20)
        .map(|generation| {
            let has = has(generation).unwrap();
            global.replace(ShardId(0), generation, &has).unwrap();
            global.publish()
        })
        .collect();
    let bytes = held[1].memory_bytes();
    let (least, most) = (8 * terms as usize, 9 * terms as usize);
    assert!((least..most).contains(&bytes), "{bytes} bytes");
    let replaced = &held[..19];
    let kept = replaced.iter().filter(|held| Arc::strong_count(held) > 1);
    assert_eq!(kept.count(), (8 << 20) / bytes);
}
