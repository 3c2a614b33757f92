//! The sum over all shards, computed from scratch.

use std::iter;

use super::counts::{Counts, Filled, PAGE_IDS, Page};
use super::shard::Numbers;
use super::snapshot::Totals;
use super::{FrequencySnapshot, ShardFrequencies};
use crate::error::FrequencyError;
use crate::frequency::corpus::sum;
use crate::id::TermId;
use crate::sync::{Arc, AtomicUsize, Ordering};

/// Below this number of entries, over all shards, the calling thread adds up alone.
const SEQUENTIAL_BELOW: usize = 32_768;

/// Adds up the statistics of shards that share a [`TermDictionary`](super::TermDictionary).
///
/// A large input is reduced in parallel over ranges of ids, by the calling thread and its rayon pool. No term is hashed or compared. A
/// small input is added up by the calling thread alone, without any call to rayon.
///
/// Takes time linear in the number of entries over all shards. In addition, each page of 8,192 ids, up to the greatest id, takes two
/// binary searches per shard, and a pass over the page if a shard has any of its ids. The result takes 8 bytes for each id up to the
/// greatest, except for runs of 128 ids that no shard has.
///
/// If shards change little between two sums, [`GlobalFrequencies`](super::GlobalFrequencies) costs less.
///
/// ```
/// use tickring::frequency::{ShardFrequencies, TermDictionary, aggregate_interned};
///
/// let dictionary = TermDictionary::new();
/// let shards = [
///     ShardFrequencies::intern(&dictionary, 10, 80, &[("ring", 2), ("tick", 1)])?,
///     ShardFrequencies::intern(&dictionary, 30, 320, &[("ring", 3)])?,
/// ];
/// let global = aggregate_interned(&shards)?;
/// assert_eq!(global.document_frequency(dictionary.intern("ring")?), 5);
/// assert_eq!((global.documents(), global.tokens()), (40, 400));
/// # Ok::<(), tickring::error::FrequencyError>(())
/// ```
///
/// # Errors
/// [`FrequencyError::TotalOverflow`] if the number of documents or of tokens exceeds 64 bits. No count of a term can overflow otherwise.
pub fn aggregate_interned(
    shards: &[ShardFrequencies],
) -> Result<FrequencySnapshot, FrequencyError> {
    let documents = sum("documents", shards.iter().map(ShardFrequencies::documents))?;
    let tokens = sum("tokens", shards.iter().map(ShardFrequencies::tokens))?;
    let entries: usize = shards
        .iter()
        .map(ShardFrequencies::len)
        .fold(0, usize::saturating_add);
    let greatest = shards
        .iter()
        .filter_map(ShardFrequencies::greatest_id)
        .max();
    let pages = greatest.map_or(0, |id| Counts::page_of(id) + 1);
    let pages: Vec<_> = if entries < SEQUENTIAL_BELOW || pages < 2 {
        (0..pages).map(|number| page(shards, number)).collect()
    } else {
        in_parallel(shards, pages)
    };
    Ok(FrequencySnapshot {
        totals: Totals {
            documents,
            tokens,
            counts: Counts::of(pages),
        },
        ..FrequencySnapshot::default()
    })
}

/// Sums the pages in parallel. The calling thread takes part, and begins before a thread of the pool has woken up.
fn in_parallel(shards: &[ShardFrequencies], pages: usize) -> Vec<Option<(Arc<Page>, Filled)>> {
    // Relaxed: it only has to hand out each number once. The end of the scope makes the results visible.
    let next = AtomicUsize::new(0);
    let some = || -> Vec<_> {
        let numbers = iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        numbers
            .take_while(|&number| number < pages)
            .map(|number| (number, page(shards, number)))
            .collect()
    };
    // The scope waits for every task, even for one that finds nothing left to do. So there are no more tasks than pages.
    let threads = rayon::current_num_threads().min(pages);
    let mut parts = vec![Vec::new(); threads];
    rayon::in_place_scope(|scope| {
        if let Some((own, others)) = parts.split_first_mut() {
            for other in others {
                scope.spawn(|_| *other = some());
            }
            *own = some();
        }
    });
    let mut sums = vec![None; pages];
    for (number, page) in parts.into_iter().flatten() {
        sums[number] = page;
    }
    sums
}

/// Sums one page of ids. `None` if no shard has any of them.
fn page(shards: &[ShardFrequencies], number: usize) -> Option<(Arc<Page>, Filled)> {
    let first = number as u64 * PAGE_IDS as u64;
    let ranges = shards
        .iter()
        .map(|shard| shard.range(first, first + PAGE_IDS as u64));
    let ranges: Vec<_> = ranges.filter(|(ids, _)| !ids.is_empty()).collect();
    let greatest = ranges
        .iter()
        .filter_map(|(ids, _)| ids.last().copied())
        .max()?;
    let mut sums = vec![0_u64; place(greatest) + 1];
    for (ids, counts) in ranges {
        match counts {
            Numbers::Narrow(counts) => add(&mut sums, ids, counts),
            Numbers::Wide(counts) => add(&mut sums, ids, counts),
        }
    }
    let (page, filled) = Page::of(&sums);
    Some((Arc::new(page), filled))
}

/// Returns the place of an id in its page.
const fn place(id: TermId) -> usize {
    id.0 as usize % PAGE_IDS
}

fn add<N: Copy + Into<u64>>(sums: &mut [u64], ids: &[TermId], counts: &[N]) {
    for (&id, &count) in ids.iter().zip(counts) {
        // It can't overflow: no count exceeds its shard's number of documents, and the sum of those has been checked.
        sums[place(id)] += count.into();
    }
}
