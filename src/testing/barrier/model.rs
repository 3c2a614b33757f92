//! The naive model of the barrier. It keeps the progress of each member, and computes every answer from that.

use std::collections::BTreeMap;

use super::history::History;
use super::{Answer, Command, Phase};
use crate::error::BarrierError;
use crate::error::MissingShards;
use crate::id::Incarnation;
use crate::limits::MAX_SHARDS;
use crate::{ShardId, Tick, TickPhase};

/// The greatest tick.
pub(super) const LAST_TICK: Tick = u64::MAX / 4 - 1;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    incarnation: Option<Incarnation>,
    first_tick: Tick,
    /// The last phase that the member completed. All earlier phases count as completed.
    done: Option<Phase>,
}

impl Member {
    fn did(&self, phase: Phase) -> bool {
        self.first_tick <= phase.0 && self.done >= Some(phase)
    }
}

/// The naive model of a [`TickBarrier`](crate::TickBarrier).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NaiveBarrier {
    members: BTreeMap<ShardId, Member>,
    current: Tick,
    /// The last complete phase. All earlier phases are complete too, except those of the incomplete ticks.
    frontier: Option<Phase>,
    history: History,
    closed: bool,
}

impl NaiveBarrier {
    pub fn new(shards: u32) -> Self {
        let mut model = Self::default();
        model.fill(shards, 0);
        model
    }

    pub fn current_tick(&self) -> Tick {
        self.current
    }

    pub fn is_closed(&self) -> bool {
        self.closed
    }

    pub fn frontier(&self) -> Option<Phase> {
        self.frontier
    }

    pub fn members(&self) -> Vec<ShardId> {
        self.members.keys().copied().collect()
    }

    /// Runs a command. The answer has a tick if the barrier returns one.
    pub fn apply(&mut self, command: &Command) -> Answer {
        match *command {
            Command::Complete(shard, incarnation, phase, when) => {
                let tick = when.tick(self.current);
                self.complete(shard, incarnation, (tick, phase))?;
            }
            Command::CompleteAll(phase, when) => {
                for shard in self.members() {
                    self.complete(shard, None, (when.tick(self.current), phase))?;
                }
            }
            Command::Join(shard, incarnation) => return self.join(shard, incarnation).map(Some),
            Command::Bind(shard, incarnation) => self.bind(shard, incarnation)?,
            Command::Replace(shard, incarnation) => {
                return self.replace(shard, incarnation).map(Some);
            }
            Command::Leave(shard) => self.leave(shard)?,
            Command::LeaveMany(ref shards) => self.leave_many(shards),
            Command::SetShardCount(count) => self.set_shard_count(count)?,
            Command::Advance => return self.advance().map(Some),
            Command::Reset(when) => self.advance_to(when.tick(self.current))?,
            Command::Close => self.close(),
        }
        Ok(None)
    }

    fn check_open(&self) -> Result<(), BarrierError> {
        if self.closed {
            return Err(BarrierError::Closed);
        }
        Ok(())
    }

    fn fill(&mut self, count: u32, first_tick: Tick) {
        for shard in (0..count).map(ShardId) {
            self.members.entry(shard).or_insert(Member {
                incarnation: None,
                first_tick,
                done: None,
            });
        }
    }

    fn put(&mut self, shard: ShardId, incarnation: Option<Incarnation>) -> Tick {
        let first_tick = self.next_to_count();
        let member = Member {
            incarnation,
            first_tick,
            done: None,
        };
        self.members.insert(shard, member);
        first_tick
    }

    fn member(&mut self, shard: ShardId) -> Result<&mut Member, BarrierError> {
        let member = self.members.get_mut(&shard);
        member.ok_or(BarrierError::UnknownShard(shard))
    }

    /// The phases for which completions are accepted.
    fn window(&self) -> [Phase; 8] {
        let phase = |i: usize| (self.current + i as u64 / 4, TickPhase::ALL[i % 4]);
        std::array::from_fn(phase)
    }

    fn counting(&self, tick: Tick) -> impl Iterator<Item = (&ShardId, &Member)> {
        let members = self.members.iter();
        members.filter(move |(_, member)| member.first_tick <= tick)
    }

    /// Raises the frontier to the last phase that has members, all of whom have completed it.
    fn settle(&mut self) {
        let is_done = |&phase: &Phase| {
            let mut counting = self.counting(phase.0).peekable();
            counting.peek().is_some() && counting.all(|(_, member)| member.did(phase))
        };
        let last = self.window().into_iter().rev().find(is_done);
        self.frontier = self.frontier.max(last);
    }

    /// The first tick that is later than the current one and has no complete phase.
    fn next_to_count(&self) -> Tick {
        let touched = self.frontier.map_or(0, |(tick, _)| tick + 1);
        touched.max(self.current + 1)
    }

    pub fn complete(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
        phase: Phase,
    ) -> Result<(), BarrierError> {
        self.check_open()?;
        let (tick, current) = (phase.0, self.current);
        let member = self.member(shard)?;
        if let Some(stale) = incarnation.filter(|_| member.incarnation != incarnation) {
            return Err(BarrierError::StaleIncarnation { shard, stale });
        }
        if tick < current {
            return Err(BarrierError::TickOver { tick, current });
        }
        if tick > LAST_TICK || tick > current + 1 {
            return Err(BarrierError::TickAhead { tick, current });
        }
        member.done = member.done.max(Some(phase));
        self.settle();
        Ok(())
    }

    pub fn join(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
    ) -> Result<Tick, BarrierError> {
        self.check_open()?;
        if self.members.contains_key(&shard) {
            return Err(BarrierError::MemberExists(shard));
        }
        Ok(self.put(shard, incarnation))
    }

    pub fn bind(&mut self, shard: ShardId, incarnation: Incarnation) -> Result<(), BarrierError> {
        self.check_open()?;
        let member = self.member(shard)?;
        if *member.incarnation.get_or_insert(incarnation) != incarnation {
            return Err(BarrierError::MemberExists(shard));
        }
        Ok(())
    }

    pub fn replace(
        &mut self,
        shard: ShardId,
        incarnation: Incarnation,
    ) -> Result<Tick, BarrierError> {
        self.check_open()?;
        if self.member(shard)?.incarnation == Some(incarnation) {
            return Err(BarrierError::MemberExists(shard));
        }
        let first_tick = self.put(shard, Some(incarnation));
        self.settle();
        Ok(first_tick)
    }

    pub fn leave(&mut self, shard: ShardId) -> Result<(), BarrierError> {
        self.check_open()?;
        self.member(shard)?;
        self.leave_many(&[shard]);
        Ok(())
    }

    pub fn leave_many(&mut self, shards: &[ShardId]) {
        if !self.closed {
            self.members.retain(|shard, _| !shards.contains(shard));
            self.settle();
        }
    }

    fn set_shard_count(&mut self, count: u32) -> Result<(), BarrierError> {
        self.check_open()?;
        if count > MAX_SHARDS {
            return Err(BarrierError::TooManyMembers {
                value: count.into(),
                max: MAX_SHARDS.into(),
            });
        }
        let first_tick = self.next_to_count();
        self.members.retain(|shard, _| shard.0 < count);
        self.fill(count, first_tick);
        self.settle();
        Ok(())
    }

    pub fn advance(&mut self) -> Result<Tick, BarrierError> {
        let next = self.current + 1;
        self.advance_to(next).map(|()| next)
    }

    fn advance_to(&mut self, to: Tick) -> Result<(), BarrierError> {
        self.check_open()?;
        let (tick, current) = (to, self.current);
        if tick < current {
            return Err(BarrierError::TickBackwards { tick, current });
        }
        if tick > LAST_TICK {
            return Err(BarrierError::TickAhead { tick, current });
        }
        self.history.advance(current..to, self.frontier);
        self.current = to;
        Ok(())
    }

    pub fn close(&mut self) {
        self.closed = true;
    }

    /// The answer to a wait with a timeout of zero.
    pub fn poll(&self, phase: TickPhase, tick: Tick) -> Result<(), BarrierError> {
        self.settled((tick, phase)).unwrap_or_else(|| {
            let missing = MissingShards::new(self.missing((tick, phase)));
            Err(BarrierError::PhaseTimeout {
                phase,
                tick,
                missing,
            })
        })
    }

    /// The answer to a wait, or `None` if it has to wait.
    pub fn settled(&self, (tick, phase): Phase) -> Option<Result<(), BarrierError>> {
        let current = self.current;
        if tick < current {
            return Some(self.history.poll((tick, phase), current));
        }
        if self.frontier >= Some((tick, phase)) {
            return Some(Ok(()));
        }
        if self.closed {
            return Some(Err(BarrierError::Closed));
        }
        if tick > LAST_TICK || tick > current + 1 {
            return Some(Err(BarrierError::TickAhead { tick, current }));
        }
        let nobody = self.counting(tick).next().is_none();
        nobody.then_some(Err(BarrierError::NoMembers))
    }

    /// The members that count for the phase and have completed it. None outside of the current and the next tick.
    pub fn completed(&self, phase: Phase) -> Vec<ShardId> {
        if phase.0 > LAST_TICK || !self.window().contains(&phase) {
            return Vec::new();
        }
        let done = self.counting(phase.0).filter(|(_, m)| m.did(phase));
        done.map(|(&shard, _)| shard).collect()
    }

    pub fn missing(&self, phase: Phase) -> Vec<ShardId> {
        let missing = self.counting(phase.0).filter(|(_, m)| !m.did(phase));
        missing.map(|(&shard, _)| shard).collect()
    }
}
