//! Effects of an accepted command, which the coordinator carries out.

use crate::event::TopologyEvent;
use crate::id::{Incarnation, ShardId};
use crate::registry::ShardRecord;
use crate::sync::Arc;
use crate::topology::Topology;

/// The effects of a command, in the order in which the coordinator carries them out. None can be refused.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Members that join the barrier: new members, the first shard under a planned id, and new incarnations of members.
    pub(crate) joins: Vec<(ShardId, Incarnation)>,
    /// The topology to install, or `None` if no topology shows a change.
    pub(crate) topology: Option<Arc<Topology>>,
    /// Members that leave the barrier.
    pub(crate) leaves: Vec<ShardId>,
    pub(crate) events: Vec<TopologyEvent>,
    /// Whether the coordinator closes.
    pub(crate) closes: bool,
    /// The records of the registered shards, in the order of their registrations.
    pub(crate) registered: Vec<Arc<ShardRecord>>,
}
