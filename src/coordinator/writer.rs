//! The writer's side: one command at a time, its transition carried out in one critical section.
//!
//! # Publication
//! The topology and the barrier's members change under the writer's lock, in an order in which no reader can be misled:
//! a join changes the barrier first and then publishes, so whoever sees the member on the ring finds it in the barrier;
//! a leave publishes first, then changes the barrier and wakes, so whoever is woken no longer sees the member.
//! A new incarnation of a member takes its place in the barrier before the publication, like a join: from then on the old
//! handle is refused, and nobody has the new one yet.
//!
//! Lock order: the writer's, then the barrier's. The barrier never calls back.
//!
//! # Refusals
//! A command has one join at most, and it is the first thing that is carried out, after all else has been checked. If the
//! barrier refuses, the command's caller gets the error, and neither the barrier nor the membership has changed. No refusal is
//! expected:
//! - Closed: the barrier is closed under the writer's lock, together with the writer, which takes no command then.
//! - Too many members: the barrier's are those of the ring that serve or are planned. Both have the same bound, and the ring is
//!   asked first.
//! - A member already, or none: the barrier's members change here alone, as the registry's statuses do.

use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};

use crate::barrier::TickBarrier;
use crate::error::BarrierError;
use crate::event::TopologyEvent;
use crate::membership::{Join, Membership, Transition};
use crate::sync::{Retired, SnapshotCell};
use crate::topology::Topology;

/// The channel takes its memory at once.
const MAX_SUBSCRIPTION: usize = 1 << 16;

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) membership: Membership,
    /// Most cost a few dozen bytes per member: after a status change a topology shares the ring with its predecessor.
    retired: Retired<Topology>,
    subscribers: Vec<Sender<TopologyEvent>>,
    pub(super) closed: bool,
}

impl Writer {
    pub(super) fn new(membership: Membership) -> Self {
        Self {
            membership,
            retired: Retired::default(),
            subscribers: Vec::new(),
            closed: false,
        }
    }

    /// Publishes a transition whose join, if any, has been carried out; see the head of this file for the order.
    pub(super) fn publish(
        &mut self,
        transition: Transition,
        cell: &SnapshotCell<Topology>,
        barrier: &TickBarrier,
    ) {
        let epoch = transition.topology.epoch();
        let replaced = cell.swap(transition.topology);
        let bytes = replaced.memory_bytes();
        self.retired.put(replaced, bytes);
        if !transition.leaves.is_empty() {
            barrier.leave_many(&transition.leaves);
        }
        for change in transition.changes {
            let event = TopologyEvent { epoch, change };
            self.subscribers.retain(|subscriber| {
                !matches!(
                    subscriber.try_send(event),
                    Err(TrySendError::Disconnected(_))
                )
            });
        }
    }

    #[cfg(test)]
    pub(super) fn retired_len(&self) -> usize {
        self.retired.len()
    }

    pub(super) fn subscribe(&mut self, capacity: usize) -> Receiver<TopologyEvent> {
        let (sender, receiver) = bounded(capacity.min(MAX_SUBSCRIPTION));
        if !self.closed {
            self.subscribers.push(sender);
        }
        receiver
    }

    /// No more commands, no more events.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.subscribers.clear();
    }
}

/// Carries out a join; see "Refusals" at the head of this file.
pub(super) fn join(join: Join, barrier: &TickBarrier) -> Result<(), BarrierError> {
    match join {
        Join::Claim(shard, incarnation) => barrier.bind(shard, incarnation),
        Join::New(shard, incarnation) => barrier.join_as(shard, incarnation).map(drop),
        Join::Replace(shard, incarnation) => barrier.replace_as(shard, incarnation).map(drop),
    }
}
