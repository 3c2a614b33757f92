//! The two entry points, and which path an input takes.

use std::collections::HashMap;
use std::hash::BuildHasher;

use ahash::RandomState;
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::partition::{Merge, hash_of};
use super::spread::{Gathered, Spread, merge};
use super::{DocumentFrequencies, FrequencySource};
use crate::error::FrequencyError;

/// Which path an input takes. The result is the same for any.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Fewer entries than this, over all shards, are added up by the calling thread alone.
    pub(super) sequential_below: usize,
    /// About how many entries, over all shards, a partition gets.
    pub(super) entries_per_partition: usize,
    /// The most partitions: a power of two.
    pub(super) max_partitions: usize,
}

impl Plan {
    /// Chosen by measuring; see `benches/peers/src/frequency.rs`.
    pub(super) const MEASURED: Self = Self {
        sequential_below: 32_768,
        entries_per_partition: 8_192,
        max_partitions: 128,
    };

    pub(super) fn partitions(&self, entries: usize) -> usize {
        (entries / self.entries_per_partition.max(1))
            .clamp(1, self.max_partitions)
            .next_power_of_two()
    }
}

/// Adds up the shards' document frequencies by term.
///
/// A parallel reduction over hash partitions on the calling thread's rayon pool; a small input is added up by the calling thread
/// alone, without any call to rayon. The result doesn't depend on the order of the shards or the number of threads.
///
/// Takes time linear in the number of entries over all shards, and while it runs, on the parallel path, a copy of each
/// of them: 24 bytes and the term's text, and up to as much again unused. Reading is parallel over shards, adding up over terms.
///
/// ```
/// use std::collections::HashMap;
/// use tickring::aggregate;
///
/// let shards = [
///     HashMap::from([("ring", 2), ("tick", 1)]),
///     HashMap::from([("ring", 3)]),
/// ];
/// let global = aggregate(&shards)?;
/// assert_eq!(global.get("ring"), Some(5));
/// assert_eq!(global.get("absent"), None);
///
/// // What was aggregated can be aggregated further.
/// let all = aggregate(&[&global, &global])?;
/// assert_eq!(all.top(1), [("ring", 10)]);
/// # Ok::<(), tickring::error::FrequencyError>(())
/// ```
///
/// # Errors
/// [`FrequencyError::TermOverflow`] when a sum exceeds 64 bits. It names the least of the terms that do.
pub fn aggregate<M>(shards: &[M]) -> Result<DocumentFrequencies, FrequencyError>
where
    M: FrequencySource + Sync,
{
    aggregate_as(Plan::MEASURED, shards)
}

pub(super) fn aggregate_as<M>(
    plan: Plan,
    shards: &[M],
) -> Result<DocumentFrequencies, FrequencyError>
where
    M: FrequencySource + Sync,
{
    let entries = total(shards.iter().map(|shard| {
        let (least, most) = shard.frequencies().size_hint();
        most.unwrap_or(least)
    }));
    if entries < plan.sequential_below {
        let all = shards.iter().flat_map(FrequencySource::frequencies);
        return sequential(entries, all);
    }
    parallel(
        plan.partitions(entries),
        shards.par_iter(),
        |spread, shard| {
            for (term, frequency) in shard.frequencies() {
                spread.push(term, frequency);
            }
        },
    )
}

/// As [`aggregate`], and frees the shards' maps while it reads them, in parallel too.
///
/// Freeing many maps of owned strings by one thread can take longer than adding them up. Prefer this where the maps aren't needed any more.
///
/// ```
/// use std::collections::HashMap;
/// use tickring::frequency::aggregate_owned;
///
/// let shard = |df| HashMap::from([("ring".to_owned(), df)]);
/// assert_eq!(aggregate_owned(vec![shard(2), shard(3)])?.get("ring"), Some(5));
/// # Ok::<(), tickring::error::FrequencyError>(())
/// ```
///
/// # Errors
/// As [`aggregate`]. The shards' maps are gone all the same.
pub fn aggregate_owned<S>(
    shards: Vec<HashMap<String, u64, S>>,
) -> Result<DocumentFrequencies, FrequencyError>
where
    S: BuildHasher + Send + Sync,
{
    aggregate_owned_as(Plan::MEASURED, shards)
}

pub(super) fn aggregate_owned_as<S>(
    plan: Plan,
    shards: Vec<HashMap<String, u64, S>>,
) -> Result<DocumentFrequencies, FrequencyError>
where
    S: BuildHasher + Send + Sync,
{
    let entries = total(shards.iter().map(HashMap::len));
    if entries < plan.sequential_below {
        return sequential(entries, shards.into_iter().flatten());
    }
    let partitions = plan.partitions(entries);
    parallel(partitions, shards.into_par_iter(), |spread, shard| {
        for (term, frequency) in shard {
            spread.push(&term, frequency);
        }
    })
}

fn total(entries: impl Iterator<Item = usize>) -> usize {
    entries.fold(0, usize::saturating_add)
}

/// Adds up on the calling thread, into one partition with room for `expected` terms.
pub(super) fn sequential<K: AsRef<str>>(
    expected: usize,
    entries: impl Iterator<Item = (K, u64)>,
) -> Result<DocumentFrequencies, FrequencyError> {
    let hasher = RandomState::new();
    let mut merge = Merge::with_capacity(expected);
    for (term, frequency) in entries {
        let term = term.as_ref();
        merge.add(hash_of(&hasher, term), term, frequency);
    }
    finish(hasher, vec![merge])
}

/// Folds the shards into spreads, reduces those to one, and merges each partition of it. `read` puts a shard's entries into a
/// spread. `partitions` is a power of two.
fn parallel<I>(
    partitions: usize,
    shards: I,
    read: impl Fn(&mut Spread<'_>, I::Item) + Sync + Send,
) -> Result<DocumentFrequencies, FrequencyError>
where
    I: ParallelIterator,
{
    // New keys each time: adding up results in the order of their own tables would crowd a table with the same hashes.
    let hasher = RandomState::new();
    let gathered = shards
        .fold(
            || Spread::new(&hasher, partitions),
            |mut spread, shard| {
                read(&mut spread, shard);
                spread
            },
        )
        .map(Spread::gather)
        .reduce(Gathered::default, Gathered::append);
    let merged = gathered
        .into_partitions()
        .into_par_iter()
        .map(merge)
        .collect();
    finish(hasher, merged)
}

/// The result, unless a sum overflowed.
fn finish(hasher: RandomState, merged: Vec<Merge>) -> Result<DocumentFrequencies, FrequencyError> {
    let (partitions, overflows): (Vec<_>, Vec<_>) = merged.into_iter().map(Merge::finish).unzip();
    match overflows.into_iter().flatten().min() {
        None => Ok(DocumentFrequencies::of(hasher, partitions)),
        Some(term) => Err(FrequencyError::TermOverflow { term: term.into() }),
    }
}
