//! The hooks by which a durable colony writes its ticks down. A colony in memory has none of them.

#[cfg(all(feature = "durable", not(any(loom, shuttle))))]
use super::durable::Quarantined;
use super::moves::Wanted;
use super::report::{Fault, Returned, TickReport};
use super::tick::{Part, Ready};
use super::write::Write;
use crate::error::{ColonyError, IntakeError};
use crate::guarded::GuardedList;
use crate::id::{ShardId, Tick};
use crate::publication::{Publication, View};
use crate::sync::{Arc, Instant};
use crate::topology::Topology;

/// Appends what the log holds of a write.
pub(super) type Encode<D> =
    Arc<dyn Fn(&Write<D>, &mut Vec<u8>) -> Result<(), IntakeError> + Send + Sync>;

/// What became of the dead shards in a tick.
pub(super) struct Healed<D, V: View> {
    /// What shards have decided of earlier ticks that they have caught up with, in order.
    pub(super) late: Vec<Part<D, V>>,
    /// Why shards could not be brought back.
    pub(super) faults: Vec<Fault>,
}

impl<D, V: View> Default for Healed<D, V> {
    fn default() -> Self {
        let (late, faults) = (Vec::new(), Vec::new());
        Self { late, faults }
    }
}

/// What makes a colony's ticks durable.
pub(super) trait Journal<D, V: View>: Send {
    /// Hands to the log what a tick applies, and its ring and goal if they are others than before. The log is written while the phases run.
    fn begin(
        &mut self,
        tick: Tick,
        topology: &Topology,
        goal: Option<&Wanted>,
        parts: &[Part<D, V>],
    );

    /// Hands writes of the next tick to the log, and waits until they are durable: this many, encoded in pieces. Returns whether they are. If not, the
    /// next [`seal`](Self::seal) tells why.
    fn ahead(&mut self, tick: Tick, count: usize, pieces: &[Vec<u8>]) -> bool;

    /// Returns whether the log can take writes ahead of their tick, on this ring. If not, a tick has to come first.
    fn takes_ahead(&self, topology: &Topology) -> bool;

    /// Brings the shards that are dead to the tick, from the files and the log. Sets the view and the refusals of those that get there in time. The
    /// other ones stay behind, and are tried again in the next tick.
    fn heal(&mut self, tick: Tick, parts: &mut [Part<D, V>]) -> Healed<D, V>;

    /// Waits until the tick is durable, and what its shards decided with it.
    ///
    /// Messages that can't be encoded are taken out, and added to `returned`. If there is no space, the tick stays as it is, and the next call tries
    /// again.
    fn seal(
        &mut self,
        ready: &mut Ready<D, V>,
        returned: &mut GuardedList<Returned<D>>,
    ) -> Result<(), ColonyError>;

    /// Learns what was published. May begin a checkpoint, and may wait for the one that is running, if it can't keep up.
    fn published(&mut self, publication: &Arc<Publication<V>>);

    /// Takes note of what a tick did. Comes after [`published`](Self::published).
    fn reported(&mut self, report: &TickReport<D>);

    /// Returns why no write is accepted at the moment, if none is.
    fn refusal(&self) -> Option<IntakeError>;

    /// Returns the publication that the phases see whose changes are repeated. It has no views.
    fn blank(&self) -> &Arc<Publication<V>>;

    /// Returns the id of the next shard that is added, and uses it up.
    fn next_shard(&mut self) -> ShardId;

    /// Saves the last publication, and waits for that until the deadline.
    fn checkpoint(&mut self, deadline: Instant) -> Result<Tick, ColonyError>;

    /// Returns the tick of the last checkpoint that has ended, and how it ended.
    #[cfg(all(feature = "durable", not(any(loom, shuttle))))]
    fn last_checkpoint(&self) -> Option<(Tick, Result<(), ColonyError>)>;

    /// Returns the writes that were set aside.
    #[cfg(all(feature = "durable", not(any(loom, shuttle))))]
    fn quarantine(&self) -> Vec<Quarantined>;

    /// Takes a document's writes of a tick out of the quarantine, durably.
    #[cfg(all(feature = "durable", not(any(loom, shuttle))))]
    fn take_quarantined(
        &mut self,
        entry: &Quarantined,
        deadline: Instant,
    ) -> Result<Vec<Write<D>>, ColonyError>;

    /// Lets the journal's threads end, and waits for them until the deadline. Returns how many are still running then.
    fn leave(&mut self, deadline: Instant) -> usize;

    /// Tries to bring a dead shard back in the next tick, however often that has failed.
    fn revive(&mut self, shard: ShardId);

    /// Forgets a shard that was removed.
    fn removed(&mut self, shard: ShardId);
}
