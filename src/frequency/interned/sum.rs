//! The sum over shards, anew.

use std::iter;

use super::counts::{Counts, Filled, PAGE_IDS, Page};
use super::shard::Numbers;
use super::snapshot::Totals;
use super::{FrequencySnapshot, ShardFrequencies};
use crate::error::FrequencyError;
use crate::frequency::corpus::sum;
use crate::id::TermId;
use crate::sync::{Arc, AtomicUsize, Ordering};

/// Fewer entries than this, over all shards, are added up by the calling thread alone.
const SEQUENTIAL_BELOW: usize = 32_768;

/// Adds up the statistics of shards that share a [`TermDictionary`](super::TermDictionary).
///
/// A parallel reduction over ranges of ids by the calling thread and its rayon pool: no term is hashed, moved or compared. A small input is
/// added up by the calling thread alone, without any call to rayon. Takes time linear in the number of entries over all shards, and for each 8,192 ids up
/// to the greatest two binary searches in each shard and, if one has any of these ids, a pass over 8,192 sums; and 8 bytes for each such id, but none for
/// 128 neighbours that no shard has.
///
/// Where the shards change little from one time to the next, [`GlobalFrequencies`](super::GlobalFrequencies) costs less still.
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
/// [`FrequencyError::TotalOverflow`] when the number of documents or of tokens exceeds 64 bits. No other sum can then.
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

/// The calling thread takes part, and begins before a thread of the pool has woken up.
fn in_parallel(shards: &[ShardFrequencies], pages: usize) -> Vec<Option<(Arc<Page>, Filled)>> {
    // Relaxed: that each number is given once is all that is asked of it. What was done with it is seen through the end of the scope.
    let next = AtomicUsize::new(0);
    let some = || -> Vec<_> {
        let numbers = iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        numbers
            .take_while(|&number| number < pages)
            .map(|number| (number, page(shards, number)))
            .collect()
    };
    // Whoever is asked is waited for, also if there is nothing left for it.
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

/// The sums of one page's ids.
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

/// The place of an id in its page.
const fn place(id: TermId) -> usize {
    id.0 as usize % PAGE_IDS
}

fn add<N: Copy + Into<u64>>(sums: &mut [u64], ids: &[TermId], counts: &[N]) {
    for (&id, &count) in ids.iter().zip(counts) {
        // No shard's count is above its documents, whose sum has been checked.
        sums[place(id)] += count.into();
    }
}
