//! The ledger behind a lock, published as a snapshot.

use super::counts::Counts;
use super::ledger::Ledger;
use super::{FrequencySnapshot, ShardFrequencies};
use crate::error::FrequencyError;
use crate::id::ShardId;
use crate::sync::{Arc, Mutex, MutexGuard, Retired, SnapshotCell};

/// The document frequencies of all shards, kept up to date by what changes in each.
///
/// It holds each shard's contribution and their sum. A shard that changes sends [what it has now](Self::replace) or
/// [what has changed](Self::update), or has a [`ShardCounter`](super::ShardCounter) do that; one that leaves is [taken out](Self::remove). [`publish`](Self::publish) shows the changes so far to
/// readers, all at once: after a tick, once for all shards. Readers [take the snapshot](Self::snapshot) without waiting for anyone.
///
/// The sums are exact at all times: those that [`aggregate_interned`](super::aggregate_interned) would give for what the shards have
/// now, whatever came in between and in whichever order.
///
/// # Generations
/// Each call carries a number that the shard's last one must be below: its tick, for example. Late and duplicate calls
/// are refused, including those from before a removal. Only [`remove`](Self::remove) may carry the last one's number.
///
/// # Cost
/// A change costs by the number of terms that it names, a replacement by the number of terms that the shard has and had. An update by which the shard
/// has fewer documents than before also looks through those of the shard's pages, of 8,192 ids each, in which a term was in more than there are now. Each
/// change looks at one number for each page up to the shard's greatest id. The first change of a term after a publication copies 1 KiB.
///
/// A contribution, and the sum, take 8 bytes a term where they have most of 128 neighbouring ids, up to 1 KiB where they have one of them, and
/// 16 bytes for each page up to their greatest id.
///
/// A replaced snapshot that a reader holds is kept for it, so that mostly no reader pays for freeing one: at most 64 of them and 8 MiB in sum. Each
/// call but [`snapshot`](Self::snapshot) frees those that nobody reads any more.
///
/// ```
/// use tickring::ShardId;
/// use tickring::frequency::{GlobalFrequencies, ShardFrequencies, TermDictionary};
///
/// let dictionary = TermDictionary::new();
/// let (ring, tick) = (dictionary.intern("ring")?, dictionary.intern("tick")?);
/// let global = GlobalFrequencies::new();
/// let (a, b) = (ShardId::new(0), ShardId::new(1));
/// global.replace(a, 1, &ShardFrequencies::new(10, 80, [(ring, 2), (tick, 1)])?)?;
/// global.replace(b, 1, &ShardFrequencies::new(30, 320, [(ring, 3)])?)?;
/// let first = global.publish();
/// assert_eq!((first.documents(), first.document_frequency(ring)), (40, 5));
///
/// // One more document with "ring" in shard 0.
/// global.update(a, 2, &ShardFrequencies::new(11, 90, [(ring, 3)])?)?;
/// global.remove(b, 2)?;
/// assert_eq!(*global.snapshot(), *first);
/// let second = global.publish();
/// assert_eq!((second.documents(), second.document_frequency(ring)), (11, 3));
/// assert_eq!(second.document_frequency(tick), 1);
/// # Ok::<(), tickring::error::FrequencyError>(())
/// ```
#[derive(Debug)]
pub struct GlobalFrequencies {
    writer: Mutex<Writer>,
    published: SnapshotCell<FrequencySnapshot>,
}

#[derive(Debug, Default)]
struct Writer {
    ledger: Ledger,
    retired: Retired<FrequencySnapshot>,
    /// Something has changed since the last publication.
    changed: bool,
}

impl GlobalFrequencies {
    /// Without any shard. The published snapshot is empty.
    pub fn new() -> Self {
        Self {
            writer: Mutex::new(Writer::default()),
            published: SnapshotCell::new(Arc::new(FrequencySnapshot::default())),
        }
    }

    /// What the shard has, in place of whatever it had.
    ///
    /// # Errors
    /// [`FrequencyError::StaleGeneration`] or [`FrequencyError::TotalOverflow`]. Nothing changes then.
    pub fn replace(
        &self,
        shard: ShardId,
        generation: u64,
        statistics: &ShardFrequencies,
    ) -> Result<(), FrequencyError> {
        self.change(|ledger| ledger.replace(shard, generation, statistics))
    }

    /// What a counter has, in place of whatever the shard had.
    pub(super) fn share(
        &self,
        shard: ShardId,
        generation: u64,
        totals: (u64, u64),
        counts: &Counts,
    ) -> Result<(), FrequencyError> {
        self.change(|ledger| ledger.share(shard, generation, totals, counts))
    }

    /// What has changed in the shard: its number of documents and of tokens now, and the frequencies now of those terms that changed. A term
    /// that the shard has no more is named with 0; what isn't named stays as it was.
    ///
    /// # Errors
    /// As [`replace`](Self::replace), [`FrequencyError::NoContribution`] for a shard that has never contributed or has been taken out, and
    /// [`FrequencyError::CountAboveDocuments`] when a term that stays is in more documents than there are now. Nothing changes then.
    pub fn update(
        &self,
        shard: ShardId,
        generation: u64,
        changed: &ShardFrequencies,
    ) -> Result<(), FrequencyError> {
        self.change(|ledger| ledger.update(shard, generation, changed))
    }

    /// Takes out what the shard has contributed. Its generation may be that of its last contribution.
    ///
    /// # Errors
    /// [`FrequencyError::NoContribution`] or [`FrequencyError::StaleGeneration`]. Nothing changes then.
    pub fn remove(&self, shard: ShardId, generation: u64) -> Result<(), FrequencyError> {
        self.change(|ledger| ledger.remove(shard, generation))
    }

    /// Shows all changes so far to the readers. Without any since the last time it gives the snapshot that there is.
    pub fn publish(&self) -> Arc<FrequencySnapshot> {
        let mut writer = self.writer();
        if !writer.changed {
            return self.published.load_full();
        }
        let snapshot = Arc::new(FrequencySnapshot {
            // Saturates: at a publication a nanosecond the last one is 584 years away.
            version: self.published.load().version.saturating_add(1),
            totals: writer.ledger.totals().clone(),
            generations: writer.ledger.generations().collect(),
        });
        let replaced = self.published.swap(Arc::clone(&snapshot));
        let bytes = replaced.memory_bytes();
        writer.retired.put(replaced, bytes);
        writer.changed = false;
        snapshot
    }

    /// What was published last. Takes no lock.
    pub fn snapshot(&self) -> Arc<FrequencySnapshot> {
        self.published.load_full()
    }

    /// The writer's side. Whoever comes by frees the replaced snapshots that nobody reads any more.
    fn writer(&self) -> MutexGuard<'_, Writer> {
        let mut writer = self.writer.lock();
        writer.retired.sweep();
        writer
    }

    fn change(
        &self,
        change: impl FnOnce(&mut Ledger) -> Result<(), FrequencyError>,
    ) -> Result<(), FrequencyError> {
        let mut writer = self.writer();
        change(&mut writer.ledger)?;
        writer.changed = true;
        Ok(())
    }
}

impl Default for GlobalFrequencies {
    fn default() -> Self {
        Self::new()
    }
}
