//! Writes: changes of documents, and the batch of them that a shard gets in a tick.

use std::fmt;

use crate::guarded::{GuardedList, discard};
use crate::id::{DocumentId, ShardId};
use crate::publication::ShardFailure;
use crate::sync::Arc;

/// One change of a document. A clone shares the document.
pub enum Write<D> {
    /// Adds a document with a new id. If the shard already holds a document with the id, it refuses the write.
    Add {
        /// The document's id.
        id: DocumentId,
        /// The document.
        document: Arc<D>,
    },
    /// Adds a document, or replaces the one with this id.
    Upsert {
        /// The document's id.
        id: DocumentId,
        /// The document.
        document: Arc<D>,
    },
    /// Deletes the document with this id, if there is one.
    Delete {
        /// The document's id.
        id: DocumentId,
    },
}

impl<D> Write<D> {
    /// Returns the id of the document that this write changes.
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

    /// Returns the new document, or `None` for a delete.
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

/// Shows the kind of change and the id, but not the document, which may be large.
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

/// The origin of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// The write came through an [`Intake`](crate::colony::Intake).
    Intake,
    /// This shard [sent](crate::colony::TickContext::send) the write in the previous tick.
    Shard(ShardId),
    /// The document moves between this shard and the one that gets the write: an upsert takes it in from there, a delete hands it over.
    Moved(ShardId),
}

/// The reason why a shard refuses one write. The shard lives on, and the write comes back in the tick's report.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The write adds a document, but the shard already holds one with this id.
    Exists,
    /// A reason that the shard gives.
    Because(ShardFailure),
}

/// One shard's writes in one tick.
///
/// First come the documents that [move](crate::Colony::set_goal) away or in, as deletes and upserts. Then come the messages that shards sent in the
/// previous tick, by the sender's id and then in the order in which they were sent. Then come the writes from outside, in the order in which they
/// were accepted.
#[derive(Debug)]
pub struct Batch<'a, D> {
    moves: &'a [(ShardId, Write<D>)],
    messages: &'a [(ShardId, Write<D>)],
    writes: &'a [Write<D>],
    refused: GuardedList<(usize, Refusal)>,
}

impl<'a, D> Batch<'a, D> {
    /// Makes a batch of these writes from outside, for tests of a shard.
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

    /// Makes a batch of messages from other shards and writes from outside, for tests of a shard.
    pub const fn with_messages(
        messages: &'a [(ShardId, Write<D>)],
        writes: &'a [Write<D>],
    ) -> Self {
        Self::with_moves(&[], messages, writes)
    }

    /// Makes a batch of documents that move, each with the other shard, messages from other shards, and writes from outside, for tests of a shard.
    pub const fn with_moves(
        moves: &'a [(ShardId, Write<D>)],
        messages: &'a [(ShardId, Write<D>)],
        writes: &'a [Write<D>],
    ) -> Self {
        Self {
            moves,
            messages,
            writes,
            refused: GuardedList::new(),
        }
    }

    /// Returns the number of writes, moves and messages included.
    pub const fn len(&self) -> usize {
        self.moves.len() + self.messages.len() + self.writes.len()
    }

    /// Returns whether there are no writes.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the writes in their order, each with its index and origin. The iterator doesn't borrow the batch, so writes can be
    /// refused during the iteration.
    pub fn iter(
        &self,
    ) -> impl ExactSizeIterator<Item = (usize, Origin, &'a Write<D>)> + use<'a, D> {
        let (moves, messages, writes) = (self.moves, self.messages, self.writes);
        (0..self.len()).map(move |index| {
            if let Some((other, write)) = moves.get(index) {
                return (index, Origin::Moved(*other), write);
            }
            let after = index - moves.len();
            match messages.get(after) {
                Some((from, write)) => (index, Origin::Shard(*from), write),
                None => (index, Origin::Intake, &writes[after - messages.len()]),
            }
        })
    }

    /// Refuses the write at this index, which must not change the shard then. If a write is refused twice, the first reason counts.
    /// An index that is out of bounds is ignored.
    pub fn refuse(&mut self, index: usize, why: Refusal) {
        if index < self.len() {
            self.refused.push((index, why));
        }
    }

    /// Returns the indices and reasons of the writes refused so far, in the order of the calls.
    pub fn refused(&self) -> &[(usize, Refusal)] {
        &self.refused
    }

    /// Returns the refused writes by ascending index, each once.
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
