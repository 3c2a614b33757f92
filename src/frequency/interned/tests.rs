//! The interned frequencies against the naive model.
#![expect(clippy::cast_possible_truncation, reason = "small numbers")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::LazyLock;

use arbitrary::{Arbitrary, Unstructured};
use proptest::collection::vec;
use proptest::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::counts::{CHUNK, Counts, PAGE_IDS};
use super::ledger::Ledger;
use super::*;
use crate::error::FrequencyError;
use crate::frequency::{CorpusStatistics, DocumentFrequencies};
use crate::id::{ShardId, TermId};
use crate::sync::Arc;
use crate::testing::frequency::{Command, Counts as NaiveCounts, Pair};

static POOL: LazyLock<ThreadPool> = LazyLock::new(|| {
    let pool = ThreadPoolBuilder::new().num_threads(3).build();
    pool.expect("a few threads can be started")
});

/// The naive model makes ids at these edges.
const _: () = assert!(CHUNK == 128 && PAGE_IDS == 8_192);

type Map = BTreeMap<TermId, u64>;

/// Generates a value from random bytes.
fn made<T: for<'a> Arbitrary<'a> + Debug>() -> impl Strategy<Value = T> {
    vec(any::<u8>(), 100).prop_map(|bytes| Unstructured::new(&bytes).arbitrary().unwrap())
}

fn shard() -> impl Strategy<Value = NaiveCounts> {
    made()
}

proptest! {
    #[test]
    fn the_sum_anew_is_the_fold(shards in vec(shard(), 0..10), turn in any::<prop::sample::Index>()) {
        let mut frequencies: Vec<_> = shards.iter().map(NaiveCounts::frequencies).collect();
        let global = aggregate_interned(&frequencies).unwrap();
        prop_assert_eq!(NaiveCounts::seen(&global), NaiveCounts::fold(&shards));
        if !shards.is_empty() {
            frequencies.rotate_left(turn.index(shards.len()));
        }
        let turned = aggregate_interned(&frequencies).unwrap();
        prop_assert_eq!(&turned, &global);
    }

    /// After any commands, the published sums are the sums of the shards' contributions, and the same commands are refused as by the naive
    /// model.
    #[test]
    fn every_sequence_of_changes_gives_the_fold(
        commands in vec(made::<Command>(), 1..80),
    ) {
        let mut pair = Pair::default();
        commands.iter().for_each(|command| pair.apply(command));
        pair.finish();
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
        prop_assert_eq!(NaiveCounts::seen(&global.publish()), NaiveCounts::fold(shards.iter().chain([&guest])));
        global.remove(id, 1).unwrap();
        prop_assert_eq!(&global.publish(), &before);
        prop_assert_eq!(NaiveCounts::seen(&before), NaiveCounts::fold(&shards));
    }

    #[test]
    fn counts_are_what_was_set(shards in vec(shard(), 0..8)) {
        let mut counts = Counts::default();
        let mut model = Map::new();
        let mut clones = Vec::new();
        let sets = shards.into_iter().flat_map(|shard| shard.counts);
        for (term, count) in sets.map(|(term, count)| (term, count % 3)) {
            clones.push((counts.clone(), model.clone()));
            counts.set(term, count);
            model.insert(term, count);
            model.retain(|_, count| *count > 0);
        }
        clones.push((counts, model));
        for (counts, model) in &clones {
            prop_assert_eq!(counts.terms(), model.len());
            prop_assert_eq!(&counts.iter().collect::<Map>(), model);
        }
    }

    #[test]
    fn a_dictionary_numbers_terms_in_the_order_they_come(terms in vec("[a-c]{0,3}|.{0,20}", 0..300)) {
        let mut pair = Pair::default();
        terms.into_iter().for_each(|term| pair.apply(&Command::Intern(term)));
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
fn snapshots_that_differ_in_one_thing_are_not_equal() {
    let of = |documents, tokens, counts: &[(u32, u64)]| {
        let named = counts.iter().map(|&(id, count)| (TermId(id), count));
        let shard = ShardFrequencies::new(documents, tokens, named).unwrap();
        assert_eq!(shard.len(), counts.len());
        aggregate_interned(&[shard]).unwrap()
    };
    let one = of(5, 9, &[(1, 2), (3, 4)]);
    assert_eq!(one, of(5, 9, &[(1, 2), (3, 4)]));
    for other in [
        of(6, 9, &[(1, 2), (3, 4)]),
        of(5, 8, &[(1, 2), (3, 4)]),
        of(5, 9, &[(1, 2), (3, 5)]),
        of(5, 9, &[(1, 2), (4, 4)]),
        of(5, 9, &[(1, 2), (3, 4), (5, 1)]),
    ] {
        assert!(one != other, "{other:?}");
    }
}

#[test]
fn scores_are_those_of_the_formula() {
    // ln(1 + 8.5 / 2.5); three occurrences in twice the average length weigh 3 * 2.2 / (3 + 1.2 * 1.75).
    let (idf, score) = (1.481_604_540_924_215_6, 1.917_370_582_372_514_5);
    let near = |one: f64, other: f64| assert!((one - other).abs() < 1e-14, "{one} {other}");
    let shard = ShardFrequencies::new(10, 80, [(TermId(7), 2)]).unwrap();
    let snapshot = aggregate_interned(&[shard]).unwrap();
    near(snapshot.bm25_score(TermId(7), 1, 8), idf);
    near(snapshot.bm25_score(TermId(7), 3, 16), score);
    let frequencies = DocumentFrequencies::from_entries([("ring", 2)]).unwrap();
    let corpus = CorpusStatistics::new(10, 80, frequencies).unwrap();
    near(corpus.bm25_score("ring", 1, 8), idf);
    near(corpus.bm25_score("ring", 3, 16), score);
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
    let before = global.snapshot().version();
    assert_eq!(*global.publish(), anew);
    assert!(global.snapshot().version() > before);
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
    // Each shard leaves as much room as there was before it.
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

/// An input that is large enough for several threads.
#[test]
fn the_parallel_sum_is_the_fold() {
    let shards: Vec<_> = (0..8_u64)
        .map(|shard| NaiveCounts {
            documents: 1_000,
            tokens: 7 * shard,
            counts: (0..30_000_u32)
                .filter(|term| u64::from(term % 11) != shard)
                .map(|term| (TermId(term * 3), u64::from(term) % 900 + shard))
                .collect(),
        })
        .collect();
    let frequencies: Vec<_> = shards.iter().map(NaiveCounts::frequencies).collect();
    let (one, expected) = (
        ThreadPoolBuilder::new().num_threads(1),
        NaiveCounts::fold(&shards),
    );
    let one = one.build().expect("a thread can be started");
    let add_up = || aggregate_interned(&frequencies).unwrap();
    for global in [POOL.install(add_up), one.install(add_up), add_up()] {
        assert_eq!(NaiveCounts::seen(&global), expected);
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
    // Nor does a replacement copy chunks that it doesn't change.
    let published = ledger.totals().counts.clone();
    ledger.replace(ShardId(0), 3, &pairs(&all)).unwrap();
    assert_eq!(
        ledger.totals().counts.chunks_shared_with(&published),
        (18, 20)
    );
}

/// The counter and the ledger share every chunk that hasn't changed since the hand-over.
#[test]
fn a_hand_over_shares_what_it_hands_over() {
    let (mut ledger, shard, terms) = (Ledger::default(), ShardId(0), 20 * CHUNK as u32);
    let mut counter = ShardCounter::new(shard);
    counter.add(1, (0..terms).map(TermId)).unwrap();
    counter.add(1, (1..terms).map(TermId)).unwrap();
    let share = |ledger: &mut Ledger, counter: &ShardCounter, generation| {
        ledger.share(shard, generation, (2, 2), &counter.counts)
    };
    share(&mut ledger, &counter, 1).unwrap();
    let shared = |ledger: &Ledger, counter: &ShardCounter| {
        let contributed = ledger.contributed(shard).unwrap();
        counter.counts.chunks_shared_with(contributed)
    };
    assert_eq!(shared(&ledger, &counter), (20, 20));

    let (handed, published) = (counter.clone(), ledger.totals().counts.clone());
    counter.remove(1, (0..terms).map(TermId)).unwrap();
    counter.add(1, (0..terms - 1).map(TermId)).unwrap();
    let changed = counter.counts.differing(&handed.counts);
    assert_eq!(changed.collect::<Vec<_>>(), [(TermId(terms - 1), 1)]);
    share(&mut ledger, &counter, 1).unwrap_err();
    assert!(
        ledger
            .contributed(shard)
            .unwrap()
            .iter()
            .eq(handed.counts.iter())
    );
    share(&mut ledger, &counter, 2).unwrap();
    assert_eq!(shared(&ledger, &counter), (20, 20));
    // Only this one chunk of the sums was copied.
    let sums = &ledger.totals().counts;
    assert_eq!(sums.chunks_shared_with(&published), (19, 20));
    assert!(sums.iter().eq(counter.counts.iter()));
}

#[test]
fn a_counter_keeps_no_term_in_more_documents_than_there_are() {
    let [a, b, c] = [0, 1, 2].map(TermId);
    let mut counter = ShardCounter::new(ShardId(0));
    counter.add(1, [a, b, c]).unwrap();
    counter.add(1, [c, b]).unwrap();
    counter.remove(1, [b]).unwrap_err();
    counter.remove(1, [b, c]).unwrap();
    let refused = |terms: &[TermId], term| {
        let found = counter.clone().remove(1, terms.iter().copied());
        let expected = FrequencyError::CountAboveDocuments {
            term,
            frequency: 1,
            documents: 0,
        };
        assert_eq!(found, Err(expected));
    };
    refused(&[], a);
    refused(&[c, a], b);
    refused(&[b, c], a);
    counter.remove(1, [b, c, a, b]).unwrap();
    assert_eq!(counter.frequencies(), ShardFrequencies::default());
}

#[test]
fn what_a_counter_hands_over_takes_the_place_of_anything() {
    let (global, shard) = (GlobalFrequencies::new(), ShardId(0));
    let (here, far) = (TermId(5), TermId(u32::MAX));
    let mut counter = ShardCounter::new(shard);
    counter.add(3, [here, here, far]).unwrap();
    let seen = |generation| {
        counter.hand_over(&global, generation).unwrap();
        let snapshot = global.publish();
        assert_eq!((snapshot.documents(), snapshot.tokens()), (1, 3));
        assert_eq!(snapshot.iter().collect::<Vec<_>>(), [(here, 1), (far, 1)]);
    };
    seen(1);
    let other = ShardFrequencies::new(2, 9, [(here, 2), (TermId(6), 1)]).unwrap();
    global.replace(shard, 2, &other).unwrap();
    seen(3);
    global.remove(shard, 3).unwrap();
    seen(4);
    // Once a new life of the shard has handed over, the counter of the old life is refused.
    let mut next = ShardCounter::new(shard);
    next.add(1, [TermId(6)]).unwrap();
    next.hand_over(&global, 5).unwrap();
    let late = counter.hand_over(&global, 5).unwrap_err();
    let (generation, last) = (5, 5);
    let stale = FrequencyError::StaleGeneration {
        shard,
        generation,
        last,
    };
    assert_eq!(late, stale);
    assert!(global.publish().iter().eq([(TermId(6), 1)]));
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
    let before = NaiveCounts::seen(&global.publish());
    let documents = FrequencyError::TotalOverflow { what: "documents" };
    let tokens = FrequencyError::TotalOverflow { what: "tokens" };
    assert_eq!(global.replace(b, 1, &of(6, 0, 6)).unwrap_err(), documents);
    assert_eq!(
        global.replace(b, 1, &of(5, u64::MAX - 9, 5)).unwrap_err(),
        tokens
    );
    assert_eq!(NaiveCounts::seen(&global.publish()), before);
    global.replace(b, 1, &of(5, u64::MAX - 10, 5)).unwrap();
    assert_eq!(global.update(b, 2, &of(6, 0, 6)).unwrap_err(), documents);
    // A decrease of one shard makes room for an increase of another.
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

/// Readers keep the snapshots that they hold, and see only complete publications: in each, every term has the same frequency.
#[test]
fn readers_see_whole_publications() {
    let global = GlobalFrequencies::new();
    assert_eq!(global.snapshot().version(), 0);
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
    assert!(dictionary.is_empty());
    let (a, b) = (
        dictionary.intern("a").unwrap(),
        dictionary.intern("b").unwrap(),
    );
    assert!(!dictionary.is_empty());
    assert!(ShardFrequencies::new(3, 3, []).unwrap().is_empty());
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

    // A lower id comes first, even if its count is only just above the number of documents.
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
    // One term in each of 1,600 chunks of 1 KiB.
    let chunks = 1_600;
    let ids = || (0..chunks).map(|chunk| TermId(chunk * CHUNK as u32));
    let has = |count| ShardFrequencies::new(1_000, 1, ids().map(|id| (id, count))).unwrap();
    let global = GlobalFrequencies::new();
    let publish = |generation| {
        global
            .replace(ShardId(0), generation, &has(generation))
            .unwrap();
        global.publish()
    };
    let held: Vec<_> = (1..=20).map(publish).collect();
    let bytes = held[1].memory_bytes();
    // And 25 pages of 64 pointers.
    let (least, most) = ((chunks << 10) + 25 * 512, (chunks + 20) << 10);
    assert!((least..most).contains(&(bytes as u32)), "{bytes} bytes");
    let replaced = &held[..19];
    let kept = replaced.iter().filter(|held| Arc::strong_count(held) > 1);
    assert_eq!(kept.count(), (8 << 20) / bytes);
}
