//! What the colony asks of a shard: what to do with a tick's writes, and a view for readers.

use std::fmt;

use super::context::TickContext;
use super::write::Batch;
use crate::id::{Incarnation, ShardId};
use crate::publication::{Published, ShardFailure, View};

/// A partition of the documents that a colony runs in lockstep with the others.
///
/// A tick calls the four phases in order, on one of the colony's threads, one at a time and never two at once for the same shard. No shard
/// starts a phase before every shard finished the one before. Only [`act`](Self::act) may change what the shard holds, and
/// nothing that a tick does may be visible in an earlier [`view`](Self::view): readers use those at any time. A phase may use rayon, or
/// threads of its own, as it likes. A panic of a task that it leaves to rayon goes to rayon's handler for panics; if the program
/// sets none, rayon ends the process. A phase must not wait for room in an inbox: only the tick itself makes room there.
///
/// A phase that returns an error or panics is a fault: the shard is dropped, its last view stays readable, and the writes of its batch come
/// back in the tick's report. A phase that outlasts the limit is a fault too; its thread is lost until the phase returns, so bound
/// whatever may block. In the next tick the colony's factory makes the shard again. One bad document is no fault:
/// [refuse](Batch::refuse) it, and the shard lives on.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::Arc;
/// use tickring::colony::{Batch, Refusal, TickContext, Write};
/// use tickring::publication::ShardFailure;
/// use tickring::{DocumentId, Shard, View};
///
/// #[derive(Default, Clone)]
/// struct Notes(BTreeMap<DocumentId, Arc<String>>);
///
/// impl Shard for Notes {
///     type Document = String;
///     type View = Self;
///
///     fn act(
///         &mut self,
///         _context: &mut TickContext<'_, String, Self>,
///         batch: &mut Batch<'_, String>,
///     ) -> Result<(), ShardFailure> {
///         for (index, _origin, write) in batch.iter() {
///             match write {
///                 Write::Add { id, .. } if self.0.contains_key(id) => batch.refuse(index, Refusal::Exists),
///                 Write::Add { document, .. } | Write::Upsert { document, .. } if document.is_empty() => {
///                     batch.refuse(index, Refusal::Because("an empty note".into()));
///                 }
///                 Write::Add { id, document } | Write::Upsert { id, document } => {
///                     self.0.insert(*id, Arc::clone(document));
///                 }
///                 Write::Delete { id } => {
///                     self.0.remove(id);
///                 }
///             }
///         }
///         Ok(())
///     }
///
///     fn view(&mut self) -> Result<Self, ShardFailure> {
///         Ok(self.clone())
///     }
/// }
///
/// impl View for Notes {
///     type Statistics = usize;
///
///     fn holds(&self, document: DocumentId) -> bool {
///         self.0.contains_key(&document)
///     }
///     fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
///         Ok(self.0.keys().copied().collect())
///     }
///     fn statistics(views: &[&Self]) -> Result<usize, ShardFailure> {
///         Ok(views.iter().map(|notes| notes.0.len()).sum())
///     }
/// }
/// ```
///
/// What becomes of the writes has no default:
///
/// ```compile_fail,E0046
/// struct Mute;
///
/// impl tickring::Shard for Mute {
///     type Document = ();
///     type View = ();
///
///     fn view(&mut self) -> Result<(), tickring::publication::ShardFailure> {
///         Ok(())
///     }
/// }
/// ```
pub trait Shard: 'static {
    /// What is written to the shard under a [`DocumentId`](crate::DocumentId).
    type Document: Send + Sync + 'static;
    /// An immutable view of what the shard held at the end of a tick. Making one should be cheap.
    type View: View;

    /// The first phase: reads only.
    ///
    /// # Errors
    /// Whatever keeps the shard from going on; see the trait.
    fn sense(
        &mut self,
        context: &mut TickContext<'_, Self::Document, Self::View>,
    ) -> Result<(), ShardFailure> {
        let _ = context;
        Ok(())
    }

    /// The second phase: applies the tick's writes, in their order. Called in each tick, also without writes.
    ///
    /// # Errors
    /// Whatever keeps the shard from going on; see the trait.
    fn act(
        &mut self,
        context: &mut TickContext<'_, Self::Document, Self::View>,
        batch: &mut Batch<'_, Self::Document>,
    ) -> Result<(), ShardFailure>;

    /// The third phase: maintenance that changes no answer.
    ///
    /// # Errors
    /// Whatever keeps the shard from going on; see the trait.
    fn decay(
        &mut self,
        context: &mut TickContext<'_, Self::Document, Self::View>,
    ) -> Result<(), ShardFailure> {
        let _ = context;
        Ok(())
    }

    /// The last phase: makes what was written ready for the [`view`](Self::view), which is asked for right after it.
    ///
    /// # Errors
    /// Whatever keeps the shard from going on; see the trait.
    fn advance(
        &mut self,
        context: &mut TickContext<'_, Self::Document, Self::View>,
    ) -> Result<(), ShardFailure> {
        let _ = context;
        Ok(())
    }

    /// A view of what the shard holds now. Asked for once when the colony starts and after each [`advance`](Self::advance), of which
    /// it counts as a part.
    ///
    /// # Errors
    /// Whatever keeps the shard from going on; see the trait.
    fn view(&mut self) -> Result<Self::View, ShardFailure>;

    /// How much the shard holds, for [`ClusterStats`](crate::coordinator::ClusterStats). Asked for after each view.
    fn metrics(&self) -> ShardMetrics {
        ShardMetrics::default()
    }
}

impl<S: Shard + ?Sized> Shard for Box<S> {
    type Document = S::Document;
    type View = S::View;

    fn sense(
        &mut self,
        context: &mut TickContext<'_, S::Document, S::View>,
    ) -> Result<(), ShardFailure> {
        (**self).sense(context)
    }

    fn act(
        &mut self,
        context: &mut TickContext<'_, S::Document, S::View>,
        batch: &mut Batch<'_, S::Document>,
    ) -> Result<(), ShardFailure> {
        (**self).act(context, batch)
    }

    fn decay(
        &mut self,
        context: &mut TickContext<'_, S::Document, S::View>,
    ) -> Result<(), ShardFailure> {
        (**self).decay(context)
    }

    fn advance(
        &mut self,
        context: &mut TickContext<'_, S::Document, S::View>,
    ) -> Result<(), ShardFailure> {
        (**self).advance(context)
    }

    fn view(&mut self) -> Result<S::View, ShardFailure> {
        (**self).view()
    }

    fn metrics(&self) -> ShardMetrics {
        (**self).metrics()
    }
}

/// How much a shard holds, by its own account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ShardMetrics {
    /// Documents.
    pub documents: usize,
    /// Memory in bytes.
    pub memory_bytes: u64,
}

/// What a shard's factory is told: whose life begins.
#[non_exhaustive]
pub struct Birth<V> {
    /// The shard.
    pub shard: ShardId,
    /// The life that begins. These numbers grow over all shards, so that a shard's first needn't be 1.
    pub incarnation: Incarnation,
    /// What its last life published last; nothing in its first. The new life should hold the same: what it doesn't hold is missing from the
    /// next publication, and counted in the report. The last life itself is gone, unless it hangs and may still use what it has.
    pub last: Option<Published<V>>,
}

impl<V> fmt::Debug for Birth<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Birth")
            .field("shard", &self.shard)
            .field("incarnation", &self.incarnation)
            .field("last", &self.last)
            .finish()
    }
}

/// A shard as the colony holds it.
pub(super) type AnyShard<D, V> = Box<dyn Shard<Document = D, View = V> + Send>;

/// Makes a shard of whoever begins a life.
type Make<T, V> = dyn Fn(Birth<V>) -> Result<T, ShardFailure> + Send + Sync;

/// Makes the colony's shards.
pub(super) enum Factory<D, V> {
    /// Which any thread may run.
    Free(Box<Make<AnyShard<D, V>, V>>),
    /// Which stay on the thread that made them.
    Pinned(Box<Make<Box<dyn Shard<Document = D, View = V>>, V>>),
}
