//! The trait of shards that survive the end of the process.

use super::saved::{Saved, Saving};
use crate::colony::Shard;
use crate::id::ShardId;
use crate::publication::{Movable, ShardFailure};

/// A shard whose documents survive the end of the process, in a colony that was opened with [`Colony::open`](crate::Colony::open).
///
/// The colony writes each tick's writes to a log before it publishes the tick. From time to time it [saves](Self::save) all views, so that the
/// log can be cut. When it is opened again, or a shard has died, it [opens](Self::open) the shard from what was saved last, and runs the logged
/// writes through [`act`](Shard::act) and [`advance`](Shard::advance) once more.
///
/// # What the shard must not do
/// What [`act`](Shard::act) and [`advance`](Shard::advance) change must depend on the shard's own state and the batch alone: not on a clock, on
/// randomness, or on other shards. Both may run for a tick that is never published, and once more for one that was. So in a durable colony the
/// [publication](crate::colony::TickContext::publication) that these two phases see is empty. A shard that wants to derive something from the
/// other shards' views does so in [`sense`](Shard::sense) and [sends](crate::colony::TickContext::send) it to itself: messages are logged.
///
/// Replay calls [`act`](Shard::act) for each tick that had writes for the colony, and [`advance`](Shard::advance) after every few megabytes of writes
/// and at its end. It doesn't call
/// [`sense`](Shard::sense) and [`decay`](Shard::decay). So what a shard changes in another phase than Act, or in ticks without writes, is gone after a
/// replay, and must not change what the shard holds. If the shard refuses other writes than it did the first time, the colony can't be opened.
///
/// [`check_durable`](crate::colony::check_durable) looks whether a shard of yours keeps to this.
///
/// # Moves
/// Documents [move](crate::Colony::set_goal) between the shards, so the view has to be [`Movable`]: what it reads back is encoded, logged, and given to
/// another shard as an upsert. The shard must not fail when it deletes a document: that delete can't be set aside, since the document would be in two
/// shards.
///
/// # Poison
/// A shard that dies is opened again within the tick if that takes at most a fifth of [`phase_timeout`](crate::ColonyConfig::phase_timeout). If it dies
/// three times at one tick, the writes of that tick are halved until those are found of which it dies. They are
/// [set aside](crate::colony::ReturnReason::SetAside), all writes of one document together. After it has hung twice at one tick, all its writes of
/// that tick are.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::ops::RangeInclusive;
/// use std::sync::Arc;
/// use std::time::{Duration, Instant};
/// use tickring::colony::{Batch, DurableConfig, DurableShard, Saved, Saving, TickContext, Write};
/// use tickring::placement::Placement;
/// use tickring::publication::{Movable, ShardFailure};
/// use tickring::{Colony, DocumentId, Shard, ShardId, View};
///
/// #[derive(Default, Clone)]
/// struct Numbers(Arc<BTreeMap<DocumentId, u32>>);
///
/// impl Shard for Numbers {
///     type Document = u32;
///     type View = Self;
///
///     fn act(
///         &mut self,
///         _context: &mut TickContext<'_, u32, Self>,
///         batch: &mut Batch<'_, u32>,
///     ) -> Result<(), ShardFailure> {
///         let numbers = Arc::make_mut(&mut self.0);
///         for (_, _, write) in batch.iter() {
///             match write {
///                 Write::Add { id, document } | Write::Upsert { id, document } => numbers.insert(*id, **document),
///                 Write::Delete { id } => numbers.remove(id),
///             };
///         }
///         Ok(())
///     }
///     fn view(&mut self) -> Result<Self, ShardFailure> {
///         Ok(self.clone())
///     }
/// }
///
/// impl Movable<u32> for Numbers {
///     fn documents_between(
///         &self,
///         placement: Placement,
///         positions: RangeInclusive<u64>,
///     ) -> Result<Vec<(DocumentId, Arc<u32>)>, ShardFailure> {
///         let numbers = self.0.iter();
///         let inside = numbers.filter(|(id, _)| positions.contains(&placement.document_position(id)));
///         Ok(inside.map(|(id, number)| (*id, Arc::new(*number))).collect())
///     }
/// }
///
/// impl DurableShard for Numbers {
///     type Settings = ();
///
///     fn encode((): &(), number: &u32, out: &mut Vec<u8>) -> Result<(), ShardFailure> {
///         out.extend(number.to_le_bytes());
///         Ok(())
///     }
///     fn decode((): &(), bytes: &[u8]) -> Result<u32, ShardFailure> {
///         Ok(u32::from_le_bytes(bytes.try_into()?))
///     }
///     fn open((): &(), _shard: ShardId, saved: Option<&Saved>) -> Result<Self, ShardFailure> {
///         let mut numbers = Self::default();
///         if let Some(saved) = saved {
///             let bytes = saved.read("numbers")?;
///             for bytes in bytes.chunks_exact(20) {
///                 let (id, number) = (bytes[..16].try_into()?, bytes[16..].try_into()?);
///                 Arc::make_mut(&mut numbers.0).insert(DocumentId::from_bytes(id), u32::from_le_bytes(number));
///             }
///         }
///         Ok(numbers)
///     }
///     fn save(view: &Self, saving: &mut Saving<'_>) -> Result<(), ShardFailure> {
///         let pairs = view.0.iter();
///         let bytes = pairs.flat_map(|(id, number)| [&id.as_bytes()[..], &number.to_le_bytes()].concat());
///         Ok(saving.write("numbers", &bytes.collect::<Vec<_>>())?)
///     }
/// }
///
/// impl View for Numbers {
///     type Statistics = ();
///     fn holds(&self, document: DocumentId) -> bool {
///         self.0.contains_key(&document)
///     }
///     fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
///         Ok(self.0.keys().copied().collect())
///     }
///     fn statistics(_views: &[&Self]) -> Result<(), ShardFailure> {
///         Ok(())
///     }
/// }
///
/// let directory = tempfile::tempdir()?;
/// let soon = || Instant::now() + Duration::from_secs(10);
/// let id = DocumentId::from_seed(1);
///
/// let mut colony = Colony::<Numbers>::open(directory.path(), DurableConfig::default(), ())?;
/// let ticket = colony.intake().try_upsert(id, 7)?;
/// colony.tick()?;
/// colony.intake().wait_durable(ticket.tick(), soon())?; // from here on, no crash can take it away
/// drop(colony);
///
/// let colony = Colony::<Numbers>::open(directory.path(), DurableConfig::default(), ())?;
/// assert_eq!(colony.opened().expect("it has a directory").writes, 1);
/// assert!(colony.publication().shards().iter().any(|shard| shard.view().holds(id)));
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
pub trait DurableShard: Shard<View: Movable<Self::Document>> + Send + Sized {
    /// What all shards of a colony are made with, such as a schema or a budget of memory. `()` if there is nothing.
    type Settings: Send + Sync + 'static;

    /// Returns the settings that the stored documents depend on, by name. Opening a colony with another value for one of them is refused.
    /// None by default.
    fn identity(settings: &Self::Settings) -> Vec<(String, String)> {
        let _ = settings;
        Vec::new()
    }

    /// Appends the bytes of a document, from which [`decode`](Self::decode) makes it again. Called on the thread that offers
    /// the document. For a message, and for a document that [moves](crate::Colony::set_goal), called twice on the thread that runs the ticks.
    ///
    /// # Errors
    /// Any error means that the document isn't accepted. Its writer gets the error. Refuse what `decode` couldn't make again with these settings.
    fn encode(
        settings: &Self::Settings,
        document: &Self::Document,
        out: &mut Vec<u8>,
    ) -> Result<(), ShardFailure>;

    /// Makes a document from the bytes that [`encode`](Self::encode) appended.
    ///
    /// # Errors
    /// Any error means that the colony can't be opened.
    fn decode(settings: &Self::Settings, bytes: &[u8]) -> Result<Self::Document, ShardFailure>;

    /// Opens a shard that holds what was saved, or an empty one. What it returns must not share anything mutable with another life of this
    /// shard, which may still be running if it hangs.
    ///
    /// # Errors
    /// Any error means that the colony can't be opened. If the shard has died, it is tried again in a later tick.
    fn open(
        settings: &Self::Settings,
        shard: ShardId,
        saved: Option<&Saved>,
    ) -> Result<Self, ShardFailure>;

    /// Saves a view, so that a shard which is opened with it holds the same documents. Called on a thread of its own while ticks go on.
    ///
    /// # Errors
    /// Any error means that nothing is saved. The log then keeps what it has, and the saving is tried again later.
    fn save(view: &Self::View, saving: &mut Saving<'_>) -> Result<(), ShardFailure>;
}
