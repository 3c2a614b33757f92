//! What an accepted command makes the shell do.

use crate::event::TopologyEvent;
use crate::id::{Incarnation, ShardId};
use crate::registry::ShardRecord;
use crate::sync::Arc;
use crate::topology::Topology;

/// The effects of a command, in the order in which they are to be carried out. None can be refused.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Who is a member of the barrier from here on: a new member, the first to claim a planned place, or the next life of a member.
    pub(crate) joins: Vec<(ShardId, Incarnation)>,
    /// The topology to install. None: the command changed nothing that a topology shows.
    pub(crate) topology: Option<Arc<Topology>>,
    /// Who leaves the barrier.
    pub(crate) leaves: Vec<ShardId>,
    pub(crate) events: Vec<TopologyEvent>,
    /// The coordination ends.
    pub(crate) closes: bool,
    /// The lives that began, in the order of their registrations.
    pub(crate) registered: Vec<Arc<ShardRecord>>,
}
