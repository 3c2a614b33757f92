//! A comparison of all ways to add up entries with a fold in 128 bits, which can't overflow.

use std::collections::{BTreeMap, HashMap};

use arbitrary::Unstructured;

use super::{Hinted, Sums, content, fold};
use crate::error::FrequencyError;
use crate::frequency::{
    CorpusStatistics, DocumentFrequencies, FrequencySnapshot, GlobalFrequencies, ShardFrequencies,
    TermDictionary, aggregate_interned, aggregate_owned,
};
use crate::{ShardId, aggregate};

type Entries = Vec<(String, u64)>;

/// The maximum number of entries from one input.
const ENTRIES: usize = 120;

/// Adds up the shards of the input as they are, reversed, and split differently, on both paths. Compares each sum with the fold.
pub(super) fn run(data: &[u8]) {
    // An input may end early.
    let _ = sums(&mut Unstructured::new(data));
}

fn sums(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let (shape, split) = (input.arbitrary::<u8>()?, input.arbitrary::<u8>()?);
    let documents = number(input)?;
    let mut shards = vec![Entries::new()];
    while !input.is_empty() && shards.iter().map(Vec::len).sum::<usize>() < ENTRIES {
        if input.arbitrary::<u8>()? % 4 == 0 {
            shards.push(Entries::new());
        }
        let entry = (term(input)?, number(input)?);
        shards.last_mut().unwrap().push(entry);
    }
    let expected = fold(shards.iter().flatten().map(pair));
    // Size hints that lead to one partition, to a few, to the maximum, and to a saturated sum of hints.
    let promise = [0, 1 << 15, 1 << 20, usize::MAX][usize::from(shape % 4)];
    check_sources(&shards, promise, &expected);
    check_splits(&shards, usize::from(split), promise, &expected);
    check_owned(&shards);
    check_statistics(&shards, documents);
    check_interned(&shards, documents);
    if let Ok(df) = DocumentFrequencies::from_entries(shards.into_iter().flatten()) {
        check_result(df, &expected.unwrap());
    }
    Ok(())
}

/// Mostly a few terms, so that they repeat, sometimes any others.
pub(super) fn term(input: &mut Unstructured<'_>) -> arbitrary::Result<String> {
    let byte: u8 = input.arbitrary()?;
    Ok(match byte {
        0..200 => {
            ["", "a", "b", "ab", "ä", "b\0", "ring", "tick"][usize::from(byte % 8)].to_owned()
        }
        200..230 => format!("{byte:x}"),
        230..240 => "long ".repeat(usize::from(byte) * 5),
        _ => input.arbitrary::<[char; 2]>()?.iter().collect(),
    })
}

/// Small numbers, numbers near 2^64 and 2^63, and any others.
fn number(input: &mut Unstructured<'_>) -> arbitrary::Result<u64> {
    let byte: u8 = input.arbitrary()?;
    Ok(match byte {
        0..200 => u64::from(byte),
        200..220 => u64::MAX - u64::from(byte - 200),
        220..240 => (1 << 63) - 10 + u64::from(byte - 220),
        _ => input.arbitrary()?,
    })
}

fn check(found: Result<DocumentFrequencies, FrequencyError>, expected: &Sums) {
    assert_eq!(&content(found), expected);
}

fn pair((term, frequency): &(String, u64)) -> (&String, &u64) {
    (term, frequency)
}

fn promising(entries: &[(String, u64)], promise: usize) -> Hinted<'_> {
    Hinted(entries, (promise, None))
}

/// Adds up the same shards in both forms, forwards and backwards.
fn check_sources(shards: &[Entries], promise: usize, expected: &Sums) {
    check(aggregate(shards), expected);
    let mut hinted: Vec<_> = shards
        .iter()
        .map(|shard| promising(shard, promise))
        .collect();
    check(aggregate(&hinted), expected);
    hinted.reverse();
    check(aggregate(&hinted), expected);
    check(
        DocumentFrequencies::from_entries(shards.iter().flatten().cloned()),
        expected,
    );
}

/// Adds up the same entries spread over other shards, and sums of sums.
fn check_splits(shards: &[Entries], split: usize, promise: usize, expected: &Sums) {
    let all: Entries = shards.iter().flatten().cloned().collect();
    let pieces: Vec<_> = all
        .chunks(1 + split)
        .map(|piece| promising(piece, promise))
        .collect();
    check(aggregate(&pieces), expected);
    let (left, right) = all.split_at(split.min(all.len()));
    let parts = [left, right].map(|part| aggregate(&[promising(part, promise)]));
    match parts {
        [Ok(left), Ok(right)] => check(aggregate(&[left, right]), expected),
        // The sum of the whole is at least that of a part, so it overflows too.
        _ => assert!(expected.is_err()),
    }
}

/// Adds up maps, in which the last entry of a term counts.
fn check_owned(shards: &[Entries]) {
    let maps: Vec<HashMap<String, u64>> = shards
        .iter()
        .map(|shard| shard.iter().cloned().collect())
        .collect();
    let entries: Entries = maps
        .iter()
        .flatten()
        .map(|(t, f)| (t.clone(), *f))
        .collect();
    let expected = fold(entries.iter().map(pair));
    check(aggregate(&maps), &expected);
    check(aggregate_owned(maps), &expected);
}

fn check_result(df: DocumentFrequencies, expected: &BTreeMap<String, u64>) {
    assert_eq!(df.get("nowhere at all"), None);
    assert_eq!(df.is_empty(), expected.is_empty());
    let mut ranked: Vec<_> = expected
        .iter()
        .map(|(term, &f)| (term.as_str(), f))
        .collect();
    ranked.sort_by_key(|&(term, frequency)| (std::cmp::Reverse(frequency), term));
    for n in [0, 1, 3, ranked.len(), usize::MAX] {
        assert_eq!(df.top(n), ranked[..n.min(ranked.len())]);
    }
    let map: HashMap<String, u64> = df.into_map();
    assert_eq!(map.into_iter().collect::<BTreeMap<_, _>>(), *expected);
}

/// Checks each shard as a corpus with this number of documents, then all of them merged.
fn check_statistics(shards: &[Entries], documents: u64) {
    let mut parts = Vec::new();
    let mut merged = Entries::new();
    for (tokens, shard) in shards.iter().enumerate() {
        let tokens = documents.rotate_left(3) ^ tokens as u64;
        let Ok(df) = fold(shard.iter().map(pair)) else {
            return;
        };
        let above = df.iter().find(|&(_, &frequency)| frequency > documents);
        let part = DocumentFrequencies::from_entries(df.clone())
            .and_then(|df| CorpusStatistics::new(documents, tokens, df));
        match (part, above) {
            (Ok(part), None) => parts.push(part),
            (found, Some((term, &frequency))) => {
                let refused = FrequencyError::FrequencyAboveDocuments {
                    term: term.clone(),
                    frequency,
                    documents,
                };
                assert_eq!(found, Err(refused));
                continue;
            }
            (Err(error), None) => panic!("{error}"),
        }
        merged.extend(df);
    }
    let total = |of: fn(&CorpusStatistics) -> u64| {
        u64::try_from(parts.iter().map(|part| u128::from(of(part))).sum::<u128>())
    };
    let (documents, tokens) = (
        total(CorpusStatistics::documents),
        total(CorpusStatistics::tokens),
    );
    match (documents, tokens, CorpusStatistics::merge(&parts)) {
        (Ok(documents), Ok(tokens), Ok(whole)) => {
            assert_eq!((whole.documents(), whole.tokens()), (documents, tokens));
            check(
                Ok(whole.document_frequencies().clone()),
                &fold(merged.iter().map(pair)),
            );
            check_weights(&whole);
        }
        (Err(_), _, found) => {
            assert_eq!(
                found,
                Err(FrequencyError::TotalOverflow { what: "documents" })
            );
        }
        (Ok(_), Err(_), found) => {
            assert_eq!(found, Err(FrequencyError::TotalOverflow { what: "tokens" }));
        }
        (_, _, Err(error)) => panic!("{error}"),
    }
}

fn check_weights(whole: &CorpusStatistics) {
    let average = whole.average_length();
    assert!(average.is_finite() && average >= 0.0);
    for (term, df) in whole.document_frequencies() {
        assert_eq!(whole.document_frequency(term), df);
        let (n, df) = (whole.documents() as f64, df as f64);
        let (smoothed, bm25) = (whole.smoothed_idf(term), whole.bm25_idf(term));
        assert!(smoothed >= 1.0 && smoothed.is_finite(), "{smoothed}");
        assert!(bm25 > 0.0 && bm25.is_finite(), "{bm25}");
        assert!((smoothed - (((1.0 + n) / (1.0 + df)).ln() + 1.0)).abs() < 1e-9);
        assert!((bm25 - ((n - df + 0.5) / (df + 0.5)).ln_1p()).abs() < 1e-6);
    }
    assert!(whole.smoothed_idf("nowhere at all") >= 1.0);
    assert!(whole.bm25_idf("nowhere at all") > 0.0);
}

/// Adds up the shards by ids: all at once, one after the other, half of each first, and with shards removed again.
fn check_interned(shards: &[Entries], documents: u64) {
    let dictionary = TermDictionary::new();
    let mut interned = Vec::new();
    let mut all = Entries::new();
    for shard in shards {
        let of_shard = ShardFrequencies::intern(&dictionary, documents, 1, shard);
        let expected = fold(shard.iter().map(pair));
        let above = |frequency: &u64| *frequency > documents;
        match (of_shard, expected) {
            (Ok(of_shard), Ok(expected)) if !expected.values().any(above) => {
                interned.push(of_shard);
                all.extend(expected);
            }
            (Err(FrequencyError::CountAboveDocuments { .. }), Err(_)) => {}
            (Err(FrequencyError::CountAboveDocuments { .. }), Ok(expected)) => {
                assert!(expected.values().any(above));
            }
            (found, expected) => panic!("{found:?}, {expected:?}"),
        }
    }
    let anew = aggregate_interned(&interned);
    if u128::from(documents) * interned.len() as u128 > u128::from(u64::MAX) {
        let refused = FrequencyError::TotalOverflow { what: "documents" };
        assert_eq!(anew.unwrap_err(), refused);
        return;
    }
    let anew = anew.unwrap();
    let mut expected = fold(all.iter().map(pair)).unwrap();
    expected.retain(|_, frequency| *frequency > 0);
    let term = |id| dictionary.term(id).unwrap().to_owned();
    let sums: BTreeMap<String, u64> = anew.iter().map(|(id, sum)| (term(id), sum)).collect();
    assert_eq!(sums, expected);

    let global = GlobalFrequencies::new();
    for (id, shard) in (0..).map(ShardId::new).zip(&interned) {
        let half = ShardFrequencies::new(documents, 7, shard.iter().step_by(2)).unwrap();
        global.replace(id, 1, &half).unwrap();
        global.update(id, 2, shard).unwrap();
        assert!(global.replace(id, 2, &half).is_err());
    }
    assert_eq!(*global.publish(), anew);
    for id in (0..interned.len() as u32).rev().map(ShardId::new) {
        global.remove(id, 2).unwrap();
    }
    assert_eq!(*global.publish(), FrequencySnapshot::default());
    assert_eq!(global.publish().generations(), []);
}
