//! Changes of documents, and a shard's part of them in one tick.

use std::fmt;

use crate::guarded::{GuardedList, discard};
use crate::id::{DocumentId, ShardId};
use crate::publication::ShardFailure;
use crate::sync::Arc;

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
    /// assert_eq!(tickring::colony::Write::<String>::Delete { id }.id(), id);
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

/// Where a write came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// It came in through an [`Intake`](crate::colony::Intake).
    Intake,
    /// This shard [sent](crate::colony::TickContext::send) it in the tick before.
    Shard(ShardId),
}

/// Why a shard refuses one write. The shard lives on, and the write comes back in the tick's report.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// It was to add a document whose id the shard holds already.
    Exists,
    /// A reason of the shard's own.
    Because(ShardFailure),
}

/// The writes of one tick for one shard: first what shards sent in the tick before, by the sender's id and in the order in which it sent
/// them, then what came in from outside, in the order in which it was accepted.
#[derive(Debug)]
pub struct Batch<'a, D> {
    messages: &'a [(ShardId, Write<D>)],
    writes: &'a [Write<D>],
    refused: GuardedList<(usize, Refusal)>,
}

impl<'a, D> Batch<'a, D> {
    /// A batch of these writes from outside, as the colony makes one; for tests of a shard.
    ///
    /// ```
    /// use tickring::DocumentId;
    /// use tickring::colony::{Batch, Refusal, Write};
    ///
    /// let writes = [Write::<String>::Delete { id: DocumentId::from_seed(1) }];
    /// let mut batch = Batch::new(&writes);
    /// batch.refuse(0, Refusal::Because("deletes are for others".into()));
    /// assert_eq!(batch.refused().len(), 1);
    /// ```
    pub const fn new(writes: &'a [Write<D>]) -> Self {
        Self::with_messages(&[], writes)
    }

    /// The same with messages from other shards, ahead of the writes.
    pub const fn with_messages(
        messages: &'a [(ShardId, Write<D>)],
        writes: &'a [Write<D>],
    ) -> Self {
        Self {
            messages,
            writes,
            refused: GuardedList::new(),
        }
    }

    /// How many writes there are.
    pub const fn len(&self) -> usize {
        self.messages.len() + self.writes.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The writes in their order: the index of each, where it came from, and what it is. The iterator doesn't borrow the batch, so
    /// that writes can be refused on the way.
    pub fn iter(
        &self,
    ) -> impl ExactSizeIterator<Item = (usize, Origin, &'a Write<D>)> + use<'a, D> {
        let (messages, writes) = (self.messages, self.writes);
        (0..self.len()).map(move |index| match messages.get(index) {
            Some((from, write)) => (index, Origin::Shard(*from), write),
            None => (index, Origin::Intake, &writes[index - messages.len()]),
        })
    }

    /// Refuses the write at this index: the shard has let it change nothing. Of several reasons for one write the first counts; an index
    /// without a write is ignored.
    pub fn refuse(&mut self, index: usize, why: Refusal) {
        if index < self.len() {
            self.refused.push((index, why));
        }
    }

    /// What was refused so far, in the order of the calls.
    pub fn refused(&self) -> &[(usize, Refusal)] {
        &self.refused
    }

    /// The same, ascending and each once.
    pub(super) fn into_refused(mut self) -> GuardedList<(usize, Refusal)> {
        let mut all = self.refused.take();
        all.sort_by_key(|&(index, _)| index);
        for (index, why) in all {
            if self.refused.last().is_some_and(|&(last, _)| last == index) {
                discard(why);
            } else {
                self.refused.push((index, why));
            }
        }
        self.refused
    }
}
