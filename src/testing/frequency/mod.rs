//! The naive model of frequencies: the statistics of all shards, added up from scratch for each query.

mod command;
mod counter;
mod sums;

use std::collections::BTreeMap;

pub use self::command::{Change, Command, Pair};
pub use self::counter::{Counting, Document};

use crate::ShardId;
use crate::error::FrequencyError;
use crate::frequency::{
    DocumentFrequencies, FrequencySnapshot, FrequencySource, ShardFrequencies, aggregate_interned,
};
use crate::id::TermId;

/// The sums by term, or the least term whose sum overflows.
pub type Sums = Result<BTreeMap<String, u64>, FrequencyError>;

/// Adds up the entries that the bytes encode on every path, and runs the commands that the same bytes encode.
pub fn run(data: &[u8]) {
    sums::run(data);
    command::run(data);
}

/// The sequential fold, which defines the result of every way to add up.
pub fn fold<'a>(entries: impl IntoIterator<Item = (&'a String, &'a u64)>) -> Sums {
    let mut sums: BTreeMap<&str, u128> = BTreeMap::new();
    for (term, &frequency) in entries {
        *sums.entry(term).or_default() += u128::from(frequency);
    }
    let narrow = |(term, sum): (&str, u128)| {
        let term = term.to_owned();
        match u64::try_from(sum) {
            Ok(sum) => Ok((term, sum)),
            Err(_) => Err(FrequencyError::TermOverflow { term }),
        }
    };
    sums.into_iter().map(narrow).collect()
}

/// A shard of these entries, whose iterator has this `size_hint`. A wrong one costs time and changes no sum.
#[derive(Debug, Clone)]
pub struct Hinted<'a>(pub &'a [(String, u64)], pub (usize, Option<usize>));

impl FrequencySource for Hinted<'_> {
    fn frequencies(&self) -> impl Iterator<Item = (&str, u64)> {
        WithHint(self.0.frequencies(), self.1)
    }
}

struct WithHint<I>(I, (usize, Option<usize>));

impl<I: Iterator> Iterator for WithHint<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.1
    }
}

/// Returns the sums as a map, and checks that they are the same on every path.
pub fn content(found: Result<DocumentFrequencies, FrequencyError>) -> Sums {
    let found = found?;
    let sums: BTreeMap<_, _> = found.iter().map(|(t, n)| (t.to_owned(), n)).collect();
    assert_eq!(sums.len(), found.len(), "each term comes once");
    let mut left = found.iter();
    for len in (0..=found.len()).rev() {
        assert_eq!(left.len(), len);
        assert_eq!(left.next().is_some(), len > 0);
    }
    for (term, &sum) in &sums {
        assert_eq!(found.get(term), Some(sum), "what is iterated over is found");
    }
    Ok(sums)
}

/// The statistics of one shard, or of all together, by interned terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub documents: u64,
    pub tokens: u64,
    pub counts: BTreeMap<TermId, u64>,
}

impl Counts {
    pub fn frequencies(&self) -> ShardFrequencies {
        let counts = self.counts.iter().map(|(&term, &count)| (term, count));
        ShardFrequencies::new(self.documents, self.tokens, counts).unwrap()
    }

    pub fn fold<'a>(shards: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self::default();
        for shard in shards {
            all.documents += shard.documents;
            all.tokens += shard.tokens;
            for (&term, &count) in shard.counts.iter().filter(|&(_, &count)| count > 0) {
                *all.counts.entry(term).or_default() += count;
            }
        }
        all
    }

    /// Returns the content of a snapshot, and checks that all its methods agree.
    pub fn seen(snapshot: &FrequencySnapshot) -> Self {
        let counts: BTreeMap<_, _> = snapshot.iter().collect();
        assert!(snapshot.iter().map(|(term, _)| term).is_sorted());
        assert_eq!(snapshot.iter().count(), snapshot.len());
        assert_eq!(snapshot.is_empty(), counts.is_empty());
        let of = |term| counts.get(&term).copied().unwrap_or(0);
        for &term in counts.keys() {
            for term in [term, TermId(term.0.wrapping_add(1))] {
                assert_eq!(snapshot.document_frequency(term), of(term));
            }
        }
        Self {
            documents: snapshot.documents(),
            tokens: snapshot.tokens(),
            counts,
        }
    }
}

/// The naive model of [`GlobalFrequencies`](crate::frequency::GlobalFrequencies): the statistics and the last generation of each shard.
#[derive(Debug, Clone, Default)]
pub struct NaiveFrequencies(BTreeMap<ShardId, (u64, Option<Counts>)>);

impl NaiveFrequencies {
    pub fn replace(&mut self, shard: ShardId, generation: u64, new: &Counts) -> Outcome {
        self.check(shard, |last| generation <= last, generation)?;
        self.put(shard, generation, new.clone())
    }

    pub fn update(&mut self, shard: ShardId, generation: u64, new: &Counts) -> Outcome {
        self.check(shard, |last| generation <= last, generation)?;
        let mut has = self.contribution(shard)?;
        has.counts.extend(&new.counts);
        has.counts.retain(|_, count| *count > 0);
        (has.documents, has.tokens) = (new.documents, new.tokens);
        has.check()?;
        self.put(shard, generation, has)
    }

    pub fn remove(&mut self, shard: ShardId, generation: u64) -> Outcome {
        self.contribution(shard)?;
        self.check(shard, |last| generation < last, generation)?;
        self.0.insert(shard, (generation, None));
        Ok(())
    }

    /// Succeeds unless a total would overflow.
    fn put(&mut self, shard: ShardId, generation: u64, has: Counts) -> Outcome {
        let others = self.0.iter().filter(|&(&id, _)| id != shard);
        let all: Vec<_> = others
            .filter_map(|(_, (_, has))| has.as_ref())
            .chain([&has])
            .collect();
        for (what, of) in [
            ("documents", (|has| has.documents) as fn(&Counts) -> u64),
            ("tokens", |has| has.tokens),
        ] {
            let sum = all.iter().map(|has| u128::from(of(has))).sum::<u128>();
            u64::try_from(sum).map_err(|_| FrequencyError::TotalOverflow { what })?;
        }
        self.0.insert(shard, (generation, Some(has)));
        Ok(())
    }

    fn check(&self, shard: ShardId, is_late: impl Fn(u64) -> bool, generation: u64) -> Outcome {
        match self.0.get(&shard) {
            Some(&(last, _)) if is_late(last) => Err(FrequencyError::StaleGeneration {
                shard,
                generation,
                last,
            }),
            _ => Ok(()),
        }
    }

    fn contribution(&self, shard: ShardId) -> Result<Counts, FrequencyError> {
        let has = self.0.get(&shard).and_then(|(_, has)| has.clone());
        has.ok_or(FrequencyError::NoContribution { shard })
    }

    pub fn contributions(&self) -> impl Iterator<Item = &Counts> {
        self.0.values().filter_map(|(_, has)| has.as_ref())
    }

    /// Compares a publication with the sum of all contributions, and with `aggregate_interned`.
    pub fn compare(&self, snapshot: &FrequencySnapshot) {
        assert_eq!(Counts::seen(snapshot), Counts::fold(self.contributions()));
        let shards: Vec<_> = self.contributions().map(Counts::frequencies).collect();
        assert_eq!(&aggregate_interned(&shards).unwrap(), snapshot);
        let present = self.0.iter().filter(|(_, (_, has))| has.is_some());
        let generations: Vec<_> = present.map(|(&id, &(last, _))| (id, last)).collect();
        assert_eq!(snapshot.generations(), generations);
        for (&id, (last, has)) in &self.0 {
            assert_eq!(snapshot.generation(id), has.is_some().then_some(*last));
        }
    }
}

type Outcome = Result<(), FrequencyError>;
