//! The two entry points, and the choice between one thread and several.

use std::collections::HashMap;
use std::hash::BuildHasher;

use ahash::RandomState;
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::partition::{Merge, hash_of};
use super::spread::{Gathered, Spread, merge};
use super::{DocumentFrequencies, FrequencySource};
use crate::error::FrequencyError;

/// The thresholds that decide how an input is added up. They don't affect the result.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Below this number of entries, over all shards, the calling thread adds up alone.
    pub(super) sequential_below: usize,
    /// The approximate number of entries per partition, over all shards.
    pub(super) entries_per_partition: usize,
    /// The maximum number of partitions, a power of two.
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
/// A large input is reduced in parallel on the calling thread's rayon pool: shards are read in parallel, and terms are added up in
/// parallel. A small input is added up by the calling thread alone, without any call to rayon. The result doesn't depend on the order of
/// the shards or the number of threads.
///
/// Takes time linear in the number of entries over all shards. The parallel path also needs temporary memory: 24 bytes and the text for
/// each entry, and up to the same amount again in spare capacity.
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
/// [`FrequencyError::TermOverflow`] if a sum exceeds 64 bits. It names the least such term.
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

/// Adds up the shards' document frequencies like [`aggregate`], and frees the maps while it reads them, in parallel.
///
/// Prefer it if you don't need the maps any more: freeing many maps of owned strings on one thread can take longer than adding them up.
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
/// The same as for [`aggregate`]. The maps are freed in that case, too.
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

/// Adds up on the calling thread into one partition, which has room for `expected` terms.
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

/// Folds the shards into spreads, joins these, and merges each partition. `read` puts a shard's entries into a spread. `partitions` is
/// a power of two.
fn parallel<I>(
    partitions: usize,
    shards: I,
    read: impl Fn(&mut Spread<'_>, I::Item) + Sync + Send,
) -> Result<DocumentFrequencies, FrequencyError>
where
    I: ParallelIterator,
{
    // Each aggregation has keys of its own. Inputs that are results of earlier ones iterate in the order of their tables, and with the
    // same hashes that order would crowd the new tables.
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

/// Returns the result, or an error if a sum overflowed.
fn finish(hasher: RandomState, merged: Vec<Merge>) -> Result<DocumentFrequencies, FrequencyError> {
    let (partitions, overflows): (Vec<_>, Vec<_>) = merged.into_iter().map(Merge::finish).unzip();
    match overflows.into_iter().flatten().min() {
        None => Ok(DocumentFrequencies::of(hasher, partitions)),
        Some(term) => Err(FrequencyError::TermOverflow { term: term.into() }),
    }
}
