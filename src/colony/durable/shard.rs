//! The trait of shards that survive the end of the process.

use super::saved::{Saved, Saving};
use crate::colony::Shard;
use crate::id::ShardId;
use crate::publication::ShardFailure;

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
/// If the shard refuses other writes than it did the first time, the colony can't be opened.
pub trait DurableShard: Shard + Send + Sized {
    /// What all shards of a colony are made with, such as a schema or a budget of memory. `()` if there is nothing.
    type Settings: Send + Sync + 'static;

    /// Returns the settings that the stored documents depend on, by name. Opening a colony with another value for one of them is refused.
    /// None by default.
    fn identity(settings: &Self::Settings) -> Vec<(String, String)> {
        let _ = settings;
        Vec::new()
    }

    /// Appends the bytes of a document, from which [`decode`](Self::decode) makes it again. Called on the thread that offers the document.
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
