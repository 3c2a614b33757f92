//! The writer's side: one command at a time, decided by [`Membership`] and carried out in one critical section.
//!
//! # Order
//! The topology and the barrier's members change under the writer's lock, in an order in which no reader can be misled:
//! joins change the barrier before the topology is installed, so whoever sees that the member serves finds it in the barrier;
//! leaves come after it, so whoever is woken no longer sees the member serve. A new incarnation of a member takes its place in the
//! barrier with the joins: from then on the old handle is refused, and nobody has the new one yet. Events come last.
//!
//! Lock order: the writer's, then the barrier's. The barrier never calls back. The clock is the only code of the caller's that
//! runs under the writer's lock, before anything is decided: if it panics, nothing has changed.

use crossbeam::channel::{Receiver, Sender, unbounded};

use super::Shared;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::event::TopologyEvent;
use crate::id::ShardId;
use crate::membership::{Action, Command, Effects, Membership};
use crate::registry::ShardRecord;
use crate::sync::{Arc, Retired};
use crate::topology::Topology;

/// The most events that wait for a subscriber.
const MAX_SUBSCRIPTION: usize = 1 << 16;

#[derive(Debug)]
pub(super) struct Writer {
    membership: Membership,
    retired: Retired<Topology>,
    subscribers: Vec<Subscriber>,
}

/// The channel takes memory for the events that are in it, and has no bound of its own: the writer is the only one who sends.
#[derive(Debug)]
struct Subscriber {
    events: Sender<TopologyEvent>,
    capacity: usize,
}

impl Subscriber {
    /// Says whether the subscriber is still there. One that is gone takes no room, so that it is never found full.
    fn tell(&self, event: TopologyEvent) -> bool {
        self.events.len() >= self.capacity || self.events.send(event).is_ok()
    }
}

impl Writer {
    pub(super) fn new(membership: Membership) -> Self {
        Self {
            membership,
            retired: Retired::default(),
            subscribers: Vec::new(),
        }
    }

    pub(super) fn subscribe(&mut self, capacity: usize) -> Receiver<TopologyEvent> {
        self.retired.sweep();
        let capacity = capacity.min(MAX_SUBSCRIPTION);
        let (events, receiver) = unbounded();
        if capacity > 0 && !self.membership.is_closed() {
            self.subscribers.push(Subscriber { events, capacity });
        }
        receiver
    }

    #[cfg(test)]
    pub(super) fn retired_len(&self) -> usize {
        self.retired.len()
    }

    #[cfg(test)]
    pub(super) fn subscribers(&self) -> usize {
        self.subscribers.len()
    }
}

impl Shared {
    /// Decides a command and carries it out. Returns the lives that it began.
    pub(super) fn apply(&self, command: impl Into<Command>) -> Result<Vec<Arc<ShardRecord>>> {
        let mut writer = self.writer.lock();
        writer.retired.sweep();
        let now = self.clock.now();
        Ok(self.decide(&mut writer, command.into(), now)?.registered)
    }

    /// Takes out those whose leases had run out at `now`, and the planned shards whose time had, and returns them by id. If the clock
    /// has stepped back since `now` was read, the earlier time counts.
    pub(super) fn sweep(&self, now: Timestamp) -> Vec<ShardId> {
        let mut writer = self.writer.lock();
        writer.retired.sweep();
        let ahead = writer.membership.leases_ahead(now);
        let later = self.clock.now();
        let overdue = writer.membership.judge(now.min(later));
        writer.membership.renew_leases(ahead, later);
        let absent = writer.membership.judge_planned(now.min(later));
        let offline: Vec<_> = overdue.iter().map(|&(shard, _)| shard).collect();
        let verdicts = [
            (offline, Action::MarkOffline(overdue)),
            (absent.clone(), Action::MarkAbsent(absent)),
        ];
        let mut out = Vec::new();
        for (shards, action) in verdicts {
            // Under the lock that they were judged under, nothing has changed since: nothing is refused, unless the epochs are
            // used up.
            if !shards.is_empty() && self.decide(&mut writer, action.into(), now).is_ok() {
                out.extend(shards);
            }
        }
        out.sort_unstable();
        out
    }

    /// See the head of this file for the order.
    fn decide(&self, writer: &mut Writer, command: Command, now: Timestamp) -> Result<Effects> {
        let mut effects = writer.membership.apply(command, now)?;
        self.barrier.admit(&effects.joins);
        if let Some(topology) = effects.topology.take() {
            let replaced = self.topology.swap(topology);
            let bytes = replaced.memory_bytes();
            writer.retired.put(replaced, bytes);
        }
        if !effects.leaves.is_empty() {
            self.barrier.leave_many(&effects.leaves);
        }
        for &event in &effects.events {
            writer
                .subscribers
                .retain(|subscriber| subscriber.tell(event));
        }
        if effects.closes {
            writer.subscribers.clear();
            self.barrier.close();
        }
        Ok(effects)
    }
}
