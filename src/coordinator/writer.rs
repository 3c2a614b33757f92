//! The writer: commands are decided by [`Membership`] one at a time, and carried out in one critical section.
//!
//! # Order
//! The topology and the barrier's members change under the writer's lock, in an order that can't mislead a reader. Joins change the barrier
//! before the topology is installed, so a reader that sees a member serve finds it in the barrier. Leaves change the barrier after the
//! topology is installed, so a thread that they wake no longer sees the member serve. A new incarnation of a member takes its place in the
//! barrier with the joins. From then on the old handle is refused, and nobody has the new one yet. Events come last.
//!
//! Lock order: the writer's, then the barrier's. The barrier never calls back. The clock is the only code of the caller's that runs under
//! the writer's lock. It is read before anything is decided, so if it panics, nothing has changed.

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

/// The most events that wait for one subscriber.
const MAX_SUBSCRIPTION: usize = 1 << 16;

#[derive(Debug)]
pub(super) struct Writer {
    membership: Membership,
    retired: Retired<Topology>,
    subscribers: Vec<Subscriber>,
}

/// A subscriber. Its channel takes memory only for the events in it, and has no bound of its own: the writer is the only sender, and checks
/// `capacity`.
#[derive(Debug)]
struct Subscriber {
    events: Sender<TopologyEvent>,
    capacity: usize,
}

impl Subscriber {
    /// Sends an event, and returns whether the subscriber still exists. The channel of one that is gone is empty, so it is never taken for
    /// full.
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
    /// Decides a command and carries it out. Returns the records of the shards that it registered.
    pub(super) fn apply(&self, command: impl Into<Command>) -> Result<Vec<Arc<ShardRecord>>> {
        let mut writer = self.writer.lock();
        writer.retired.sweep();
        let now = self.clock.now();
        Ok(self.decide(&mut writer, command.into(), now)?.registered)
    }

    /// Marks the shards whose leases had run out at `now`, gives up the planned shards whose time had run out, and returns both by id. If
    /// the clock has stepped back since `now` was read, the earlier time counts. Puts the brake on instead if too many would have died, and
    /// then, or if it is on already, returns nobody.
    pub(super) fn sweep(&self, now: Timestamp) -> Vec<ShardId> {
        let mut writer = self.writer.lock();
        writer.retired.sweep();
        let ahead = writer.membership.leases_ahead(now);
        let later = self.clock.now();
        if let Some(brake) = writer.membership.judge_brake(now.min(later)) {
            // Refused only if the epochs are used up. Then what follows is refused too.
            let _ = self.decide(&mut writer, brake.into(), now);
        }
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
            // They were judged under this lock, so nothing has changed since. Nothing is refused unless the epochs are used up.
            if !shards.is_empty() && self.decide(&mut writer, action.into(), now).is_ok() {
                out.extend(shards);
            }
        }
        out.sort_unstable();
        out
    }

    /// Releases the brake, and marks the shards whose leases have run out, if it is on. Returns these shards by id.
    pub(super) fn release_brake(&self) -> Result<Vec<ShardId>> {
        let mut writer = self.writer.lock();
        writer.retired.sweep();
        let now = self.clock.now();
        let overdue = writer.membership.judge_braked(now);
        let shards = overdue.iter().map(|&(shard, _)| shard).collect();
        self.decide(&mut writer, Action::ReleaseBrake(overdue).into(), now)?;
        Ok(shards)
    }

    /// Decides a command and carries out its effects. The module's documentation explains the order.
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
