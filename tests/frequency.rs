//! Tests of document frequencies through the public API.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use proptest::prelude::*;
use static_assertions::assert_impl_all;
use tickring::aggregate;
use tickring::error::FrequencyError;
use tickring::frequency::{CorpusStatistics, DocumentFrequencies, aggregate_owned};
use tickring::testing::frequency::Hinted;

assert_impl_all!(DocumentFrequencies: Send, Sync, Clone, Eq, std::fmt::Debug, Default);
assert_impl_all!(CorpusStatistics: Send, Sync, Clone, Eq, std::fmt::Debug, Default);

fn df(pairs: &[(&str, u64)]) -> DocumentFrequencies {
    DocumentFrequencies::from_entries(pairs.iter().copied()).unwrap()
}

fn corpus(documents: u64, tokens: u64, pairs: &[(&str, u64)]) -> CorpusStatistics {
    CorpusStatistics::new(documents, tokens, df(pairs)).unwrap()
}

#[test]
fn all_kinds_of_input_give_the_same() {
    let expected = df(&[("rust", 8), ("python", 3), ("java", 2)]);
    let one = [("rust", 5), ("python", 3)];
    let two = [("rust", 3), ("java", 2)];

    let pairs = [one, two];
    assert_eq!(aggregate(&pairs).unwrap(), expected);
    assert_eq!(aggregate(&[&one[..], &two[..]]).unwrap(), expected);
    assert_eq!(aggregate(&pairs.map(Vec::from)).unwrap(), expected);
    assert_eq!(aggregate(&pairs.map(HashMap::from)).unwrap(), expected);
    assert_eq!(aggregate(&pairs.map(BTreeMap::from)).unwrap(), expected);
    assert_eq!(
        aggregate(&pairs.map(|p| Arc::new(df(&p)))).unwrap(),
        expected
    );
    let owned = pairs.map(|p| p.map(|(t, n)| (t.to_owned(), n)));
    assert_eq!(aggregate(&owned).unwrap(), expected);
    let maps = owned.map(HashMap::<String, u64>::from);
    assert_eq!(aggregate(&maps.each_ref()).unwrap(), expected);
    assert_eq!(aggregate_owned(maps.to_vec()).unwrap(), expected);
}

#[test]
fn nothing_aggregates_to_nothing() {
    let none: [HashMap<String, u64>; 0] = [];
    assert!(aggregate(&none).unwrap().is_empty());
    assert!(
        aggregate_owned::<std::hash::RandomState>(Vec::new())
            .unwrap()
            .is_empty()
    );
    let empty = aggregate(&[HashMap::<String, u64>::new()]).unwrap();
    assert_eq!(empty, DocumentFrequencies::default());
    assert_eq!(
        (empty.len(), empty.get(""), empty.iter().next()),
        (0, None, None)
    );
    assert_eq!(empty.top(3), []);
}

#[test]
fn terms_are_compared_by_bytes() {
    let sums = df(&[("", 1), ("é", 2), ("e\u{301}", 4), ("É", 8), ("", 16)]);
    assert_eq!(sums.len(), 4);
    assert_eq!(sums.get(""), Some(17));
    assert_eq!(sums.get("é"), Some(2));
    assert_eq!(sums.get("e\u{301}"), Some(4));
}

#[test]
fn a_term_listed_with_no_documents_stays_listed() {
    let sums = df(&[("unused", 0)]);
    assert_eq!((sums.get("unused"), sums.get("absent")), (Some(0), None));
}

#[test]
fn equality_is_by_content() {
    let a = df(&[("x", 1), ("y", 2)]);
    assert!(!a.is_empty());
    assert_eq!(a, df(&[("y", 2), ("x", 1)]));
    assert_eq!(a, a.clone());
    assert_ne!(a, df(&[("x", 1), ("y", 3)]));
    assert_ne!(a, df(&[("x", 1), ("z", 2)]));
    assert_ne!(a, df(&[("x", 1)]));
    assert_ne!(df(&[("x", 1)]), a);
    assert_eq!(format!("{:?}", df(&[("x", 1)])), r#"{"x": 1}"#);
}

#[test]
fn top_is_by_falling_frequency_then_by_term() {
    let sums = df(&[("b", 5), ("a", 5), ("c", 9), ("d", 1), ("e", 5)]);
    let all = [("c", 9), ("a", 5), ("b", 5), ("e", 5), ("d", 1)];
    for n in 0..=5 {
        assert_eq!(sums.top(n), all[..n]);
    }
    assert_eq!(sums.top(usize::MAX), all);
}

#[test]
fn a_large_result_becomes_a_map_of_any_hasher() {
    let shards: Vec<HashMap<String, u64>> = (0..8)
        .map(|shard| {
            (0..10_000)
                .map(|t| (format!("t{}", shard * 1_000 + t), 1))
                .collect()
        })
        .collect();
    let sums = aggregate(&shards).unwrap();
    assert_eq!(sums.len(), 17_000);
    let same: HashMap<String, u64, BuildHasherDefault<DefaultHasher>> = sums.clone().into_map();
    assert_eq!(same.len(), 17_000);
    assert_eq!((same["t0"], same["t7000"], same["t16999"]), (1, 8, 1));
    assert_eq!(aggregate(&[same]).unwrap(), sums);
    let read: BTreeMap<&str, u64> = (&sums).into_iter().collect();
    assert_eq!(read.values().sum::<u64>(), 80_000);
}

#[test]
fn overflow_names_the_term_and_leaves_the_inputs() {
    let shards = vec![
        HashMap::from([("x".to_owned(), u64::MAX), ("y".to_owned(), u64::MAX)]),
        HashMap::from([("y".to_owned(), 1), ("x".to_owned(), 1)]),
    ];
    let error = aggregate(&shards).unwrap_err();
    assert_eq!(
        error,
        FrequencyError::TermOverflow {
            term: "x".to_owned()
        }
    );
    assert!(error.to_string().contains("\"x\""));
    assert_eq!(shards[0]["x"], u64::MAX);
    assert_eq!(aggregate_owned(shards).unwrap_err(), error);
    let entries = [("x", u64::MAX), ("x", 1)];
    assert_eq!(
        DocumentFrequencies::from_entries(entries).unwrap_err(),
        error
    );
}

#[test]
fn a_wrong_size_hint_changes_nothing() {
    let entries = [("a", 1), ("b", 2), ("a", 3)].map(|(term, n)| (term.to_owned(), n));
    for hint in [0, 1, 1 << 20, usize::MAX] {
        for hint in [(0, Some(hint)), (hint, None)] {
            let shard = Hinted(&entries, hint);
            assert_eq!(
                aggregate(&[shard.clone(), shard]).unwrap(),
                df(&[("a", 8), ("b", 4)])
            );
        }
    }
}

#[test]
fn frequencies_of_more_documents_than_there_are_are_refused() {
    let error = CorpusStatistics::new(10, 100, df(&[("a", 10), ("c", 31), ("b", 30)])).unwrap_err();
    assert_eq!(
        error,
        FrequencyError::FrequencyAboveDocuments {
            term: "b".to_owned(),
            frequency: 30,
            documents: 10,
        }
    );
    assert!(CorpusStatistics::new(31, 100, df(&[("a", 10), ("c", 31), ("b", 30)])).is_ok());
    assert!(CorpusStatistics::new(0, 0, df(&[("a", 1)])).is_err());
    assert!(CorpusStatistics::new(0, 0, df(&[("a", 0)])).is_ok());
}

#[test]
fn corpora_merge_count_by_count() {
    let parts = [
        corpus(10, 100, &[("a", 10), ("b", 1)]),
        corpus(5, 20, &[("b", 5)]),
        corpus(0, 0, &[]),
    ];
    let merged = CorpusStatistics::merge(&parts).unwrap();
    assert_eq!(merged, corpus(15, 120, &[("a", 10), ("b", 6)]));
    assert_eq!(merged.document_frequencies().len(), 2);
    assert_eq!(merged.average_length(), 8.0);
    assert_eq!((merged.documents(), merged.tokens()), (15, 120));
    assert_eq!(
        CorpusStatistics::merge([]).unwrap(),
        CorpusStatistics::default()
    );
}

#[test]
fn totals_that_overflow_are_named() {
    let merge = |a, b| CorpusStatistics::merge(&[a, b]).unwrap_err();
    let documents = merge(
        corpus(u64::MAX, 0, &[("a", u64::MAX)]),
        corpus(1, 0, &[("a", 1)]),
    );
    assert_eq!(
        documents,
        FrequencyError::TotalOverflow { what: "documents" }
    );
    let tokens = merge(corpus(1, u64::MAX, &[]), corpus(1, 1, &[]));
    assert_eq!(tokens, FrequencyError::TotalOverflow { what: "tokens" });
}

#[test]
fn idf_follows_its_formulas() {
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    let corpus = corpus(10, 100, &[("all", 10), ("some", 3)]);
    close(corpus.smoothed_idf("all"), 1.0);
    close(corpus.smoothed_idf("some"), (11.0_f64 / 4.0).ln() + 1.0);
    close(corpus.smoothed_idf("none"), 11.0_f64.ln() + 1.0);
    close(corpus.bm25_idf("all"), (1.0_f64 + 0.5 / 10.5).ln());
    close(corpus.bm25_idf("some"), (1.0_f64 + 7.5 / 3.5).ln());
    close(corpus.bm25_idf("none"), 22.0_f64.ln());
}

#[test]
fn idf_of_no_documents_is_a_number() {
    let none = CorpusStatistics::default();
    assert_eq!(none.smoothed_idf("a"), 1.0);
    assert_eq!(none.bm25_idf("a"), 2.0_f64.ln());
    assert_eq!(none.average_length(), 0.0);
}

proptest! {
    /// The reason why all statistics come from one snapshot: no idf is negative, whatever the shards.
    #[test]
    fn idf_of_merged_shards_is_never_negative(
        shards in prop::collection::vec((0..u64::MAX / 16, any::<u64>(), any::<u64>()), 1..8),
    ) {
        let shards: Vec<_> = shards
            .into_iter()
            .map(|(documents, tokens, any)| {
                let pairs = [("a", any % (documents + 1)), ("b", documents)];
                corpus(documents, tokens / 16, &pairs)
            })
            .collect();
        let colony = CorpusStatistics::merge(&shards).unwrap();
        for term in ["a", "b", "absent"] {
            prop_assert!(colony.document_frequency(term) <= colony.documents());
            prop_assert!(colony.smoothed_idf(term) >= 1.0);
            prop_assert!(colony.bm25_idf(term) > 0.0);
        }
        prop_assert!(colony.average_length() >= 0.0);
    }
}
