//! The steps of a colony on its way to a goal: one a tick.

use std::collections::BTreeSet;
use std::time::Duration;

use super::budget::MOST_LOGGED;
use super::driver::Target;
use super::handover::Handover;
use super::plan::choose;
use super::progress::MovePause;
use crate::colony::Colony;
use crate::colony::report::{ReturnReason, Returned};
use crate::colony::settle::lose;
use crate::colony::shard::Shard;
use crate::colony::write::Origin;
use crate::error::{ColonyError, IntakeError};
use crate::id::{DocumentId, ShardId, Tick};
use crate::ring::{HashRing, Rebalance};
use crate::sync::Arc;

/// What moves in a tick, before it is decided.
pub(in crate::colony) struct Chosen<S: Shard> {
    before: Arc<HashRing>,
    after: HashRing,
    documents: usize,
    handover: Option<Handover<S::Document, S::View>>,
}

impl<S: Shard> Colony<S> {
    /// Chooses what moves in a tick, and the ring after it, if anything can move.
    pub(in crate::colony) fn choose_moves(&mut self, tick: Tick) -> Option<Chosen<S>> {
        self.moving.now = 0;
        let target = self.moving.target.as_ref()?;
        if self.closing.is_some() {
            return None;
        }
        self.moving.pause = None;
        if let Some(handover) = &self.moving.handover {
            self.moving.pause = handover.waits_for().map(MovePause::Waiting);
            return None;
        }
        if self.moving.is_paused {
            self.moving.pause = Some(MovePause::Asked);
            return None;
        }
        let topology = self.shared.coordinator.topology();
        let ring = topology.ring();
        if **ring == target.ring {
            return None;
        }
        let refusal = self.journal.as_ref().and_then(|journal| journal.refusal());
        if refusal == Some(IntakeError::LogFull) {
            self.moving.pause = Some(MovePause::LogFull);
            return None;
        }
        let mut rebalance = match Rebalance::new(ring, &target.ring) {
            Ok(rebalance) => rebalance,
            Err(error) => {
                let why = error.to_string();
                self.moving.pause = Some(MovePause::Unreachable { why });
                return None;
            }
        };
        let publication = self.shared.publication.load_full();
        let table = self.shared.table();
        // Its view is of the last tick, and it takes part in this one.
        let is_ready = |shard| {
            let published = publication.shard(shard)?;
            let slot = table.get(shard)?;
            let is_same = published.incarnation() == slot.handle.incarnation();
            (is_same && !published.is_frozen() && slot.joins(tick)).then_some(published)
        };
        if ring.is_empty() {
            // Nothing moves to those who own the ring then, so nothing else would wait for them.
            let members = target.ring.members().iter();
            let mut owners = members.filter(|member| member.weight > 0);
            if let Some(absent) = owners.find(|member| is_ready(member.shard).is_none()) {
                self.moving.pause = Some(MovePause::Waiting(absent.shard));
                return None;
            }
        }
        let is_logged = self.journal.is_some();
        let mut budget = self.moving.allowance.of(self.moving.budget);
        if is_logged {
            budget.bytes = budget.bytes.min(MOST_LOGGED);
        }
        let chosen = choose(
            &mut rebalance,
            ring.placement(),
            budget,
            &target.reading,
            |step| {
                is_ready(step.to).ok_or(MovePause::Waiting(step.to))?;
                let from = is_ready(step.from).ok_or(MovePause::Waiting(step.from))?;
                Ok(from.view())
            },
            |shard, why| MovePause::Unreadable { shard, why },
        );
        match chosen {
            Ok(chosen) => {
                let before = Arc::clone(ring);
                Some(Chosen {
                    before,
                    after: chosen.ring,
                    documents: chosen.amount.documents,
                    handover: Handover::new(chosen.transfers, chosen.amount, is_logged),
                })
            }
            Err(pause) => {
                self.moving.pause = Some(pause);
                None
            }
        }
    }

    /// Takes the step that was chosen, in the critical section of the drain. Returns whether the ring has changed.
    pub(in crate::colony) fn take_step(&mut self, chosen: Chosen<S>) -> bool {
        let coordinator = &self.shared.coordinator;
        match coordinator.replace_ring(&chosen.before, &chosen.after) {
            Ok(()) => {
                self.moving.now = chosen.documents;
                self.moving.handover = chosen.handover;
                true
            }
            // The coordinator is closed, or has no epoch left.
            Err(error) => {
                let why = error.to_string();
                self.moving.pause = Some(MovePause::Unreachable { why });
                false
            }
        }
    }

    /// Takes note of a tick that was published, and that took this long. Removes shards that have nothing any more and are to leave.
    pub(in crate::colony) fn end_moves(&mut self, took: Duration) {
        let moving = &mut self.moving;
        if moving.now > 0 {
            moving.allowance.learn(moving.budget, moving.now, took);
        }
        if let Some(amount) = moving.handover.as_ref().and_then(Handover::ended) {
            let ended = moving.handover.take();
            if let Some(bearable) = ended.and_then(|handover| handover.bearable()) {
                moving.allowance.at_most(bearable);
            }
            moving.pause = None;
            if let Some(target) = &mut moving.target {
                target.moved.add(amount);
                target.ticks += 1;
            }
        }
        if self.closing.is_some() {
            return;
        }
        let topology = self.shared.coordinator.topology();
        let is_there = |target: &Target<_, _>| target.ring == **topology.ring();
        let target = moving.target.as_ref().filter(|target| is_there(target));
        let (Some(target), None) = (target, &moving.handover) else {
            return;
        };
        let leaving = target.wanted.leaving.clone();
        for shard in leaving {
            match self.remove_shard(shard) {
                Ok(()) | Err(ColonyError::UnknownShard(_)) => {}
                Err(ColonyError::NotEmpty(_)) => {
                    self.moving.pause = Some(MovePause::Leaving(shard));
                    return;
                }
                Err(error) => {
                    let why = error.to_string();
                    self.moving.pause = Some(MovePause::Unreadable { shard, why });
                    return;
                }
            }
        }
        self.moving.target = None;
    }

    /// Forgets a dead shard that may take part in a move. What was on its way to it goes to its heirs. Returns what it has handed over.
    pub(in crate::colony) fn forget_in_moves(&mut self, shard: ShardId) -> BTreeSet<DocumentId> {
        let topology = self.shared.coordinator.topology();
        let Some(handover) = &mut self.moving.handover else {
            return BTreeSet::new();
        };
        let gone = handover.gone_from(shard).into_iter().collect();
        let owner = |id| topology.place(&id).ok();
        let left = handover.forget(shard, owner);
        let homeless = left.homeless.into_iter().map(|(from, write)| Returned {
            shard: None,
            origin: Origin::Moved(from),
            write,
            reason: ReturnReason::NoOwner,
        });
        self.returned.extend(homeless);
        self.returned.extend(left.held.into_iter().flat_map(lose));
        gone
    }
}
