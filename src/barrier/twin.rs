//! The barrier's stupid twin: it keeps every completion of every member and works out everything else anew at each question.

use std::collections::{BTreeMap, BTreeSet};
use std::task::Poll;

use super::history::REMEMBERED;
use crate::error::BarrierError;
use crate::id::{Incarnation, ShardId, Tick};
use crate::phase::TickPhase;

type Phase = (Tick, TickPhase);

#[derive(Debug)]
struct Member {
    incarnation: Option<Incarnation>,
    first_tick: Tick,
    done: BTreeSet<Phase>,
}

#[derive(Debug, Default)]
pub(super) struct Twin {
    members: BTreeMap<ShardId, Member>,
    pub(super) current: Tick,
    complete: BTreeSet<Phase>,
    pub(super) closed: bool,
}

impl Member {
    fn did(&self, phase: Phase) -> bool {
        self.first_tick <= phase.0 && self.done.iter().any(|&done| done >= phase)
    }
}

impl Twin {
    pub(super) fn new(shard_count: u32) -> Self {
        let mut twin = Self::default();
        for id in 0..shard_count {
            twin.put(ShardId(id), None, 0);
        }
        twin
    }

    fn put(&mut self, shard: ShardId, incarnation: Option<Incarnation>, first_tick: Tick) {
        let member = Member {
            incarnation,
            first_tick,
            done: BTreeSet::new(),
        };
        self.members.insert(shard, member);
    }

    fn window(&self) -> impl Iterator<Item = Phase> + use<> {
        let current = self.current;
        (current..=current + 1).flat_map(|tick| TickPhase::ALL.map(|phase| (tick, phase)))
    }

    fn required(&self, tick: Tick) -> impl Iterator<Item = (&ShardId, &Member)> {
        self.members
            .iter()
            .filter(move |(_, member)| member.first_tick <= tick)
    }

    fn recompute(&mut self) {
        let satisfied: Vec<Phase> = self
            .window()
            .filter(|&(tick, phase)| {
                self.required(tick).count() > 0
                    && self
                        .required(tick)
                        .all(|(_, member)| member.did((tick, phase)))
            })
            .collect();
        for highest in satisfied {
            let passed: Vec<_> = self.window().filter(|&phase| phase <= highest).collect();
            self.complete.extend(passed);
        }
    }

    fn open(&self) -> Result<(), BarrierError> {
        if self.closed {
            return Err(BarrierError::Closed);
        }
        Ok(())
    }

    fn first_countable(&self) -> Tick {
        let touched = self.complete.last().map_or(0, |&(tick, _)| tick + 1);
        touched.max(self.current + 1)
    }

    pub(super) fn complete(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
        phase: TickPhase,
        tick: Tick,
    ) -> Result<(), BarrierError> {
        self.open()?;
        let current = self.current;
        let Some(member) = self.members.get_mut(&shard) else {
            return Err(BarrierError::UnknownShard(shard));
        };
        match incarnation {
            Some(stale) if member.incarnation != Some(stale) => {
                Err(BarrierError::StaleIncarnation { shard, stale })
            }
            _ if tick < current => Err(BarrierError::TickOver { tick, current }),
            _ if tick > current + 1 => Err(BarrierError::TickAhead { tick, current }),
            _ => {
                member.done.insert((tick, phase));
                self.recompute();
                Ok(())
            }
        }
    }

    pub(super) fn join(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
    ) -> Result<Tick, BarrierError> {
        self.open()?;
        if self.members.contains_key(&shard) {
            return Err(BarrierError::MemberExists(shard));
        }
        let first_tick = self.first_countable();
        self.put(shard, incarnation, first_tick);
        Ok(first_tick)
    }

    pub(super) fn bind(
        &mut self,
        shard: ShardId,
        incarnation: Incarnation,
    ) -> Result<(), BarrierError> {
        self.open()?;
        let Some(member) = self.members.get_mut(&shard) else {
            return Err(BarrierError::UnknownShard(shard));
        };
        if *member.incarnation.get_or_insert(incarnation) == incarnation {
            Ok(())
        } else {
            Err(BarrierError::MemberExists(shard))
        }
    }

    pub(super) fn replace(
        &mut self,
        shard: ShardId,
        incarnation: Incarnation,
    ) -> Result<Tick, BarrierError> {
        self.open()?;
        let Some(member) = self.members.get(&shard) else {
            return Err(BarrierError::UnknownShard(shard));
        };
        if member.incarnation == Some(incarnation) {
            return Err(BarrierError::MemberExists(shard));
        }
        let first_tick = self.first_countable();
        self.put(shard, Some(incarnation), first_tick);
        self.recompute();
        Ok(first_tick)
    }

    pub(super) fn leave(&mut self, shard: ShardId) -> Result<(), BarrierError> {
        self.open()?;
        if self.members.remove(&shard).is_none() {
            return Err(BarrierError::UnknownShard(shard));
        }
        self.recompute();
        Ok(())
    }

    pub(super) fn leave_many(&mut self, shards: &[ShardId]) {
        if !self.closed {
            self.members.retain(|shard, _| !shards.contains(shard));
            self.recompute();
        }
    }

    pub(super) fn set_shard_count(&mut self, shard_count: u32) -> Result<(), BarrierError> {
        self.open()?;
        let first_tick = self.first_countable();
        self.members.retain(|shard, _| shard.0 < shard_count);
        for shard in (0..shard_count).map(ShardId) {
            if !self.members.contains_key(&shard) {
                self.put(shard, None, first_tick);
            }
        }
        self.recompute();
        Ok(())
    }

    pub(super) fn advance_to(&mut self, tick: Tick) -> Result<(), BarrierError> {
        self.open()?;
        let current = self.current;
        if tick < current {
            return Err(BarrierError::TickBackwards { tick, current });
        }
        self.current = tick;
        Ok(())
    }

    pub(super) fn verdict(&self, phase: TickPhase, tick: Tick) -> Poll<Result<(), BarrierError>> {
        let current = self.current;
        let complete = self.complete.contains(&(tick, phase));
        let incomplete: Vec<Tick> = (0..current)
            .rev()
            .filter(|&tick| !self.complete.contains(&(tick, TickPhase::Advance)))
            .collect();
        Poll::Ready(Err(match tick {
            _ if incomplete.get(REMEMBERED).is_some_and(|&old| tick <= old) => {
                BarrierError::TickOver { tick, current }
            }
            _ if complete => return Poll::Ready(Ok(())),
            _ if tick < current => BarrierError::Superseded { phase, tick },
            _ if self.closed => BarrierError::Closed,
            _ if tick > current + 1 => BarrierError::TickAhead { tick, current },
            _ if self.required(tick).count() == 0 => BarrierError::NoMembers,
            _ => return Poll::Pending,
        }))
    }

    pub(super) fn is_complete(&self, shard: ShardId, phase: TickPhase, tick: Tick) -> bool {
        self.completed(phase, tick).contains(&shard)
    }

    pub(super) fn completed(&self, phase: TickPhase, tick: Tick) -> Vec<ShardId> {
        let in_window = self.window().any(|(known, _)| known == tick);
        self.required(tick)
            .filter(|(_, member)| in_window && member.did((tick, phase)))
            .map(|(&shard, _)| shard)
            .collect()
    }

    pub(super) fn missing(&self, phase: TickPhase, tick: Tick) -> Vec<ShardId> {
        self.required(tick)
            .filter(|(_, member)| !member.did((tick, phase)))
            .map(|(&shard, _)| shard)
            .collect()
    }

    pub(super) fn members(&self) -> Vec<ShardId> {
        self.members.keys().copied().collect()
    }
}
