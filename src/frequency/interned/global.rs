//! The ledger behind a lock, and the snapshot of it that readers take.

use super::counts::Counts;
use super::ledger::Ledger;
use super::{FrequencySnapshot, ShardFrequencies};
use crate::error::FrequencyError;
use crate::id::ShardId;
use crate::sync::{Arc, Mutex, MutexGuard, Retired, SnapshotCell};

/// The document frequencies of all shards, kept up to date by each shard's changes.
///
/// It holds the contribution of each shard and the sum of all contributions. A shard [replaces](Self::replace) its contribution, or
/// [updates](Self::update) it with the counts that have changed, or lets a [`ShardCounter`](super::ShardCounter) do that. A shard that
/// leaves is [removed](Self::remove). [`publish`](Self::publish) shows all changes so far to readers in one step; call it once per tick,
/// after all shards. Readers take the [`snapshot`](Self::snapshot) without waiting.
///
/// The sums are exact at all times. They equal the result of [`aggregate_interned`](super::aggregate_interned) over the current
/// contributions, whatever changes came before, in whatever order.
///
/// # Generations
/// Each call carries a generation, for example the tick. It must be greater than that of the shard's last call. Late and duplicate calls
/// are refused, including those from before a removal. Only [`remove`](Self::remove) may repeat the last generation.
///
/// # Cost
/// Every change takes a lock. An update takes time in proportion to the terms that it names, a replacement in proportion to the terms of
/// the old and the new contribution. An update that lowers the number of documents also searches those pages, of 8,192 ids each, in
/// which a term was in more documents than the shard has now. Each change reads one number per page up to the shard's greatest id. The
/// first change of a term after a publication copies 1 KiB.
///
/// A contribution, and likewise the sum, takes 8 bytes per term where most of 128 neighbouring ids have a count, up to 1 KiB where only
/// one has, and 16 bytes for each page up to the greatest id.
///
/// A replaced snapshot is kept while readers hold it, so that readers rarely have to free one: at most 64 snapshots and 8 MiB in total.
/// Every call except [`snapshot`](Self::snapshot) frees those that no reader holds any more.
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
    /// Whether anything has changed since the last publication.
    changed: bool,
}

impl GlobalFrequencies {
    /// Creates the frequencies of no shards. The published snapshot is empty.
    pub fn new() -> Self {
        Self {
            writer: Mutex::new(Writer::default()),
            published: SnapshotCell::new(Arc::new(FrequencySnapshot::default())),
        }
    }

    /// Replaces the contribution of the shard, or adds the first one.
    ///
    /// ```
    /// use tickring::ShardId;
    /// use tickring::error::FrequencyError;
    /// use tickring::frequency::{GlobalFrequencies, ShardFrequencies};
    ///
    /// let (global, shard) = (GlobalFrequencies::new(), ShardId::new(0));
    /// global.replace(shard, 5, &ShardFrequencies::new(10, 80, [])?)?;
    /// let late = global.replace(shard, 4, &ShardFrequencies::new(9, 70, [])?);
    /// assert_eq!(late, Err(FrequencyError::StaleGeneration { shard, generation: 4, last: 5 }));
    /// assert_eq!(global.publish().documents(), 10);
    /// # Ok::<(), FrequencyError>(())
    /// ```
    ///
    /// # Errors
    /// Nothing changed.
    /// - [`FrequencyError::StaleGeneration`]: the call came late or twice. Ignore it.
    /// - [`FrequencyError::TotalOverflow`]: the documents or tokens of all shards exceed 64 bits.
    pub fn replace(
        &self,
        shard: ShardId,
        generation: u64,
        statistics: &ShardFrequencies,
    ) -> Result<(), FrequencyError> {
        self.change(|ledger| ledger.replace(shard, generation, statistics))
    }

    /// Replaces the contribution of the shard by a counter's counts, and shares their chunks.
    pub(super) fn share(
        &self,
        shard: ShardId,
        generation: u64,
        totals: (u64, u64),
        counts: &Counts,
    ) -> Result<(), FrequencyError> {
        self.change(|ledger| ledger.share(shard, generation, totals, counts))
    }

    /// Updates the contribution of the shard. `changed` has the current numbers of documents and tokens, and the current frequencies of
    /// the terms that have changed. List a term that is gone with frequency 0. Terms that aren't listed keep their frequency.
    ///
    /// ```
    /// use tickring::ShardId;
    /// use tickring::error::FrequencyError;
    /// use tickring::frequency::{GlobalFrequencies, ShardFrequencies};
    /// use tickring::id::TermId;
    ///
    /// let (shard, ring, tick) = (ShardId::new(0), TermId::new(0), TermId::new(1));
    /// let global = GlobalFrequencies::new();
    /// let changed = ShardFrequencies::new(9, 70, [(ring, 0)])?;
    /// assert_eq!(global.update(shard, 1, &changed), Err(FrequencyError::NoContribution { shard }));
    ///
    /// global.replace(shard, 1, &ShardFrequencies::new(10, 80, [(ring, 2), (tick, 4)])?)?;
    /// global.update(shard, 2, &changed)?;
    /// let snapshot = global.publish();
    /// assert_eq!(snapshot.iter().collect::<Vec<_>>(), [(tick, 4)]);
    /// # Ok::<(), FrequencyError>(())
    /// ```
    ///
    /// # Errors
    /// The same as for [`replace`](Self::replace), and two more. Nothing changed.
    /// - [`FrequencyError::NoContribution`]: the shard has never contributed, or has been removed. Call [`replace`](Self::replace).
    /// - [`FrequencyError::CountAboveDocuments`]: a term that isn't listed is in more documents than the shard has now.
    pub fn update(
        &self,
        shard: ShardId,
        generation: u64,
        changed: &ShardFrequencies,
    ) -> Result<(), FrequencyError> {
        self.change(|ledger| ledger.update(shard, generation, changed))
    }

    /// Removes the contribution of the shard. The generation may repeat that of the shard's last call.
    ///
    /// ```
    /// use tickring::ShardId;
    /// use tickring::error::FrequencyError;
    /// use tickring::frequency::{GlobalFrequencies, ShardFrequencies};
    ///
    /// let (global, shard) = (GlobalFrequencies::new(), ShardId::new(0));
    /// global.replace(shard, 1, &ShardFrequencies::new(10, 80, [])?)?;
    /// global.remove(shard, 1)?;
    /// assert_eq!(global.remove(shard, 2), Err(FrequencyError::NoContribution { shard }));
    /// assert_eq!(global.publish().documents(), 0);
    /// # Ok::<(), FrequencyError>(())
    /// ```
    ///
    /// # Errors
    /// [`FrequencyError::NoContribution`] or [`FrequencyError::StaleGeneration`]. Nothing changed.
    pub fn remove(&self, shard: ShardId, generation: u64) -> Result<(), FrequencyError> {
        self.change(|ledger| ledger.remove(shard, generation))
    }

    /// Publishes all changes so far as a new snapshot, and returns it. Returns the current snapshot if nothing has changed. Copies a pointer
    /// for each page of 8,192 ids and a generation for each shard.
    pub fn publish(&self) -> Arc<FrequencySnapshot> {
        let mut writer = self.writer();
        if !writer.changed {
            return self.published.load_full();
        }
        let snapshot = Arc::new(FrequencySnapshot {
            // At one publication per nanosecond it would saturate after 584 years.
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

    /// Returns the last published snapshot. Takes no lock.
    pub fn snapshot(&self) -> Arc<FrequencySnapshot> {
        self.published.load_full()
    }

    /// Locks the writer's side, and frees the replaced snapshots that no reader holds any more.
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
