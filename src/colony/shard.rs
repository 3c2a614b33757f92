//! What the colony asks of a shard: one method a phase, and a view for readers.

use std::fmt;

use crate::id::{DocumentId, Tick};
use crate::sync::Arc;

/// Why a shard can't go on, in its own words.
pub type ShardFailure = Box<dyn std::error::Error + Send + Sync>;

/// A partition of the documents that a colony runs in lockstep with the others.
///
/// A tick calls the four phases in order, on a thread of the colony's pool, one at a time and never two at once for the same shard. No shard
/// starts a phase before every shard finished the one before. Only [`act`](Self::act) may change what the shard holds, and
/// nothing that a tick does may be visible in an earlier [`searcher`](Self::searcher): readers use those at any time.
///
/// A phase that returns an error or panics is a fault: the shard is dropped and evicted, its last published searcher stays readable,
/// and its unpublished documents come back in the tick's report. A phase that outlasts the deadline evicts the shard too; its thread
/// is lost until the phase returns, so bound whatever may block.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::Arc;
/// use tickring::{Batch, DocumentId, Shard, ShardFailure, Tick, Write};
///
/// #[derive(Default)]
/// struct Notes {
///     kept: BTreeMap<DocumentId, Arc<String>>,
/// }
///
/// impl Shard for Notes {
///     type Document = String;
///     type Searcher = BTreeMap<DocumentId, Arc<String>>;
///     type Statistics = usize;
///
///     fn act(&mut self, _tick: Tick, batch: &mut Batch<'_, String>) -> Result<(), ShardFailure> {
///         for (index, write) in batch.writes().iter().enumerate() {
///             match write {
///                 Write::Add { id, .. } if self.kept.contains_key(id) => batch.refuse(index),
///                 Write::Add { id, document } | Write::Upsert { id, document } => {
///                     self.kept.insert(*id, Arc::clone(document));
///                 }
///                 Write::Delete { id } => {
///                     self.kept.remove(id);
///                 }
///             }
///         }
///         Ok(())
///     }
///
///     fn searcher(&self) -> Self::Searcher {
///         self.kept.clone()
///     }
///
///     fn holds(searcher: &Self::Searcher, document: &DocumentId) -> bool {
///         searcher.contains_key(document)
///     }
///
///     fn statistics(searchers: &[&Self::Searcher]) -> usize {
///         searchers.iter().map(|notes| notes.len()).sum()
///     }
/// }
/// ```
pub trait Shard: Send + 'static {
    /// What is written to the shard under a [`DocumentId`].
    type Document: Send + Sync + 'static;
    /// An immutable view of what the shard held at the end of a tick. Making one should be cheap.
    type Searcher: Send + Sync + 'static;
    /// What is known over the searchers of a whole publication; `()` if nothing is.
    type Statistics: Send + Sync + 'static;

    /// The first phase: reads only.
    ///
    /// # Errors
    /// Whatever keeps the shard from going on; see the trait.
    fn sense(&mut self, tick: Tick) -> Result<(), ShardFailure> {
        let _ = tick;
        Ok(())
    }

    /// The second phase: applies the tick's writes, in their order. Called in each tick, also without writes.
    ///
    /// # Errors
    /// Whatever keeps the shard from going on; see the trait.
    fn act(
        &mut self,
        tick: Tick,
        batch: &mut Batch<'_, Self::Document>,
    ) -> Result<(), ShardFailure> {
        let _ = (tick, batch);
        Ok(())
    }

    /// The third phase: maintenance that changes no answer.
    ///
    /// # Errors
    /// Whatever keeps the shard from going on; see the trait.
    fn decay(&mut self, tick: Tick) -> Result<(), ShardFailure> {
        let _ = tick;
        Ok(())
    }

    /// The last phase: makes what was written ready for the [`searcher`](Self::searcher), which is asked for right after it.
    ///
    /// # Errors
    /// Whatever keeps the shard from going on; see the trait.
    fn advance(&mut self, tick: Tick) -> Result<(), ShardFailure> {
        let _ = tick;
        Ok(())
    }

    /// A view of what the shard holds now. Asked for once when the colony starts and after each [`advance`](Self::advance).
    fn searcher(&self) -> Self::Searcher;

    /// Whether a document is in a view. Asked at intake, on the thread of whoever brings the document, for the shards that were
    /// evicted. So it should be fast; it holds up nobody else.
    fn holds(searcher: &Self::Searcher, document: &DocumentId) -> bool;

    /// What is known over all searchers of one publication. Computed once for each publication, when it is first asked for.
    fn statistics(searchers: &[&Self::Searcher]) -> Self::Statistics;
}

/// One change of a document.
pub enum Write<D> {
    /// Adds a document whose id is new. If the shard holds the id already, the write is refused and comes back.
    Add {
        /// The document's id.
        id: DocumentId,
        /// The document.
        document: Arc<D>,
    },
    /// Adds a document, in the place of the one with this id if there is one.
    Upsert {
        /// The document's id.
        id: DocumentId,
        /// The document.
        document: Arc<D>,
    },
    /// Takes a document away. Without effect if there is none.
    Delete {
        /// The document's id.
        id: DocumentId,
    },
}

impl<D> Write<D> {
    /// The id of the document that it changes.
    ///
    /// ```
    /// let id = tickring::DocumentId::from_seed(1);
    /// assert_eq!(tickring::Write::<String>::Delete { id }.id(), id);
    /// ```
    pub const fn id(&self) -> DocumentId {
        match self {
            Self::Add { id, .. } | Self::Upsert { id, .. } | Self::Delete { id } => *id,
        }
    }

    /// The document that it brings, if any.
    pub const fn document(&self) -> Option<&Arc<D>> {
        match self {
            Self::Add { document, .. } | Self::Upsert { document, .. } => Some(document),
            Self::Delete { .. } => None,
        }
    }
}

impl<D> Clone for Write<D> {
    fn clone(&self) -> Self {
        match self {
            Self::Add { id, document } => Self::Add {
                id: *id,
                document: Arc::clone(document),
            },
            Self::Upsert { id, document } => Self::Upsert {
                id: *id,
                document: Arc::clone(document),
            },
            Self::Delete { id } => Self::Delete { id: *id },
        }
    }
}

/// Names the change and the id; a document may be large.
impl<D> fmt::Debug for Write<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Add { .. } => "Add",
            Self::Upsert { .. } => "Upsert",
            Self::Delete { .. } => "Delete",
        };
        f.debug_tuple(name).field(&self.id().0).finish()
    }
}

/// The writes of one tick for one shard, in the order in which they were accepted.
#[derive(Debug)]
pub struct Batch<'a, D> {
    writes: &'a [Write<D>],
    refused: Vec<usize>,
}

impl<'a, D> Batch<'a, D> {
    /// A batch of these writes, as the colony makes one; for tests of a shard.
    ///
    /// ```
    /// use tickring::{Batch, DocumentId, Write};
    ///
    /// let writes = [Write::<String>::Delete { id: DocumentId::from_seed(1) }];
    /// let mut batch = Batch::new(&writes);
    /// batch.refuse(0);
    /// assert_eq!(batch.refused(), [0]);
    /// ```
    pub const fn new(writes: &'a [Write<D>]) -> Self {
        Self {
            writes,
            refused: Vec::new(),
        }
    }

    /// The writes.
    pub const fn writes(&self) -> &'a [Write<D>] {
        self.writes
    }

    /// Refuses the write at this index, because the shard holds its id already: it changes nothing and comes back in the tick's
    /// report. An index without a write is ignored.
    pub fn refuse(&mut self, index: usize) {
        if index < self.writes.len() {
            self.refused.push(index);
        }
    }

    /// The indices refused so far, in the order of the calls.
    pub fn refused(&self) -> &[usize] {
        &self.refused
    }

    /// The same, ascending and each once.
    pub(super) fn into_refused(mut self) -> Vec<usize> {
        self.refused.sort_unstable();
        self.refused.dedup();
        self.refused
    }
}
