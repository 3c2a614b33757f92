//! The trait of a colony's shards, and what their factory gets.

use std::fmt;

use super::context::TickContext;
use super::write::Batch;
use crate::id::{Incarnation, ShardId};
use crate::publication::{Published, ShardFailure, View};

/// A partition of the documents that a colony runs in lockstep with the others.
///
/// A tick calls the four phases in order, each on one of the colony's threads. Two phases of one shard never overlap, and no shard
/// starts a phase before every shard has finished the one before.
///
/// Only [`act`](Self::act) may change what the shard holds. Readers use earlier views at any time, so a tick must not change what an
/// earlier [`view`](Self::view) shows. A phase may use rayon or threads of its own. If a task that it spawns on rayon panics, rayon's
/// panic handler is called; without one, rayon aborts the process. A phase must not wait for room in an inbox: only the tick itself
/// makes room there.
///
/// # Faults
/// A phase that returns an error or panics is a fault: the shard is dropped, its last view stays readable, and the writes of its batch
/// come back in the tick's report. A phase that takes longer than [`phase_timeout`](crate::ColonyConfig::phase_timeout) is a fault too;
/// its thread is lost until the phase returns, so set a limit on everything that may block. In the next tick the colony's factory makes the
/// shard again. A bad document needn't be a fault: [refuse](Batch::refuse) the write, and the shard lives on.
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
/// [`act`](Self::act) has no default, so that no shard ignores its writes by accident:
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
    /// The document that is written under a [`DocumentId`](crate::DocumentId).
    type Document: Send + Sync + 'static;
    /// An immutable view of what the shard held at the end of a tick. One is made in each tick, so it should be cheap to make.
    type View: View;

    /// Runs the first phase, which reads only. Does nothing by default.
    ///
    /// ```
    /// # use tickring::colony::Batch;
    /// use tickring::colony::{Rehearsal, TickContext};
    /// use tickring::publication::{Published, ShardFailure};
    /// use tickring::{Publication, Shard, ShardId};
    ///
    /// /// Counts the shards of the last publication.
    /// struct Peers(usize);
    ///
    /// impl Shard for Peers {
    ///     type Document = ();
    ///     type View = ();
    ///
    ///     fn sense(&mut self, context: &mut TickContext<'_, (), ()>) -> Result<(), ShardFailure> {
    ///         self.0 = context.publication().shards().len();
    ///         Ok(())
    ///     }
    ///     // act and view are left out here.
    /// #   fn act(&mut self, _: &mut TickContext<'_, (), ()>, _: &mut Batch<'_, ()>) -> Result<(), ShardFailure> {
    /// #       Ok(())
    /// #   }
    /// #   fn view(&mut self) -> Result<(), ShardFailure> {
    /// #       Ok(())
    /// #   }
    /// }
    ///
    /// let views = [0, 1].map(|id| Published::new(ShardId::new(id), ()));
    /// let mut rehearsal = Rehearsal::new(ShardId::new(0), Publication::new(views)?.into())?;
    /// let mut shard = Peers(0);
    /// shard.sense(&mut rehearsal.context(0))?;
    /// assert_eq!(shard.0, 2);
    /// # Ok::<(), ShardFailure>(())
    /// ```
    ///
    /// # Errors
    /// Any error is a fault and ends the shard; see [Faults](Self#faults).
    fn sense(
        &mut self,
        context: &mut TickContext<'_, Self::Document, Self::View>,
    ) -> Result<(), ShardFailure> {
        let _ = context;
        Ok(())
    }

    /// Runs the second phase, which applies the tick's writes in their order. Called in each tick, even if there are none. See the
    /// example of [`Shard`].
    ///
    /// # Errors
    /// Any error is a fault and ends the shard; see [Faults](Self#faults). The whole batch comes back.
    fn act(
        &mut self,
        context: &mut TickContext<'_, Self::Document, Self::View>,
        batch: &mut Batch<'_, Self::Document>,
    ) -> Result<(), ShardFailure>;

    /// Runs the third phase: maintenance that changes no answer. Does nothing by default. See the example of [`sense`](Self::sense).
    ///
    /// # Errors
    /// Any error is a fault and ends the shard; see [Faults](Self#faults).
    fn decay(
        &mut self,
        context: &mut TickContext<'_, Self::Document, Self::View>,
    ) -> Result<(), ShardFailure> {
        let _ = context;
        Ok(())
    }

    /// Runs the last phase, which prepares what was written for the [`view`](Self::view) that is made right after it. Does nothing by
    /// default. See the example of [`sense`](Self::sense).
    ///
    /// # Errors
    /// Any error is a fault and ends the shard; see [Faults](Self#faults).
    fn advance(
        &mut self,
        context: &mut TickContext<'_, Self::Document, Self::View>,
    ) -> Result<(), ShardFailure> {
        let _ = context;
        Ok(())
    }

    /// Returns a view of what the shard holds now. Called once when the colony starts, and after each [`advance`](Self::advance) as
    /// a part of the last phase. See the example of [`Shard`].
    ///
    /// # Errors
    /// Any error is a fault and ends the shard; see [Faults](Self#faults). An error of the first view means that the colony isn't built.
    fn view(&mut self) -> Result<Self::View, ShardFailure>;

    /// Returns how much the shard holds, for [`ClusterStats`](crate::coordinator::ClusterStats). Called after each
    /// [`advance`](Self::advance). Zeros by default.
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

/// How much a shard holds, as it reports itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ShardMetrics {
    /// The number of documents.
    pub documents: usize,
    /// The memory that they take, in bytes.
    pub memory_bytes: u64,
}

/// The shard that a factory is asked to make.
#[non_exhaustive]
pub struct Birth<V> {
    /// The shard.
    pub shard: ShardId,
    /// The incarnation that begins. All shards are numbered together, so a shard's first incarnation needn't be 1.
    pub incarnation: Incarnation,
    /// The last view that the previous incarnation published; `None` for a shard's first. The new incarnation should hold the same
    /// documents. Those that it doesn't hold are missing from the next publication, and the report counts them. The previous incarnation
    /// may still be running if it overran, so don't share anything mutable with it.
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

/// A caller's factory.
type Make<T, V> = dyn Fn(Birth<V>) -> Result<T, ShardFailure> + Send + Sync;

/// The factory of a colony's shards.
pub(super) enum Factory<D, V> {
    /// Makes shards that any thread may run.
    Free(Box<Make<AnyShard<D, V>, V>>),
    /// Makes shards that stay on the thread that made them.
    Pinned(Box<Make<Box<dyn Shard<Document = D, View = V>>, V>>),
}
