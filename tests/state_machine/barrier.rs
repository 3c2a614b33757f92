//! The barrier's stupid twin: what each member said, tick by tick, and everything else worked out anew.

use std::collections::{BTreeMap, BTreeSet};

use tickring::{BarrierError, Incarnation, ShardId, Tick, TickPhase};

/// Incomplete ticks that a wait still knows of.
const REMEMBERED: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    incarnation: Option<Incarnation>,
    first_tick: Tick,
    /// The last phase that it completed of each tick it named.
    done: BTreeMap<Tick, TickPhase>,
}

impl Member {
    fn did(&self, tick: Tick, phase: TickPhase) -> bool {
        let (same, later) = (self.done.get(&tick), self.done.range(tick + 1..).next());
        same.is_some_and(|&done| done >= phase) || later.is_some()
    }
}

/// What a wait that doesn't wait says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Complete,
    Missing(Vec<ShardId>),
    Never(BarrierError),
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Barrier {
    members: BTreeMap<ShardId, Member>,
    pub(crate) current: Tick,
    complete: BTreeSet<(Tick, TickPhase)>,
    pub(crate) closed: bool,
}

impl Barrier {
    pub(crate) fn new(planned: u32) -> Self {
        let mut barrier = Self::default();
        for id in 0..planned {
            barrier.put(ShardId(id), None, 0);
        }
        barrier
    }

    fn put(&mut self, shard: ShardId, incarnation: Option<Incarnation>, first_tick: Tick) {
        let member = Member {
            incarnation,
            first_tick,
            done: BTreeMap::new(),
        };
        self.members.insert(shard, member);
    }

    fn counting(&self, tick: Tick) -> impl Iterator<Item = (&ShardId, &Member)> {
        let members = self.members.iter();
        members.filter(move |(_, member)| member.first_tick <= tick)
    }

    fn is_done_by_all(&self, (tick, phase): (Tick, TickPhase)) -> bool {
        self.counting(tick).next().is_some() && self.counting(tick).all(|(_, m)| m.did(tick, phase))
    }

    /// Notes what all who count have completed, and with it the phases before of ticks that aren't over.
    fn look(&mut self) {
        let ticks = [self.current, self.current + 1];
        let phases = ticks.map(|tick| TickPhase::ALL.map(|phase| (tick, phase)));
        let phases = phases.as_flattened();
        let highest = phases.iter().rposition(|&phase| self.is_done_by_all(phase));
        let done = highest.map_or(0, |highest| highest + 1);
        self.complete.extend(&phases[..done]);
    }

    /// The first tick after the current one of which nothing is complete.
    fn next_tick_to_count(&self) -> Tick {
        let touched = self.complete.last().map_or(0, |&(tick, _)| tick + 1);
        touched.max(self.current + 1)
    }

    pub(crate) fn complete(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
        phase: TickPhase,
        tick: Tick,
    ) -> Result<(), BarrierError> {
        let current = self.current;
        if self.closed {
            return Err(BarrierError::Closed);
        }
        let Some(member) = self.members.get_mut(&shard) else {
            return Err(BarrierError::UnknownShard(shard));
        };
        if let Some(stale) = incarnation.filter(|&life| member.incarnation != Some(life)) {
            return Err(BarrierError::StaleIncarnation { shard, stale });
        }
        if tick < current {
            return Err(BarrierError::TickOver { tick, current });
        }
        if tick > current + 1 {
            return Err(BarrierError::TickAhead { tick, current });
        }
        let done = member.done.entry(tick).or_insert(phase);
        *done = phase.max(*done);
        self.look();
        Ok(())
    }

    pub(crate) fn claim(&mut self, shard: ShardId, incarnation: Incarnation) {
        if let Some(member) = self.members.get_mut(&shard) {
            member.incarnation = Some(incarnation);
        }
    }

    /// A member joins, or a new incarnation takes the place of one.
    pub(crate) fn join(&mut self, shard: ShardId, incarnation: Incarnation) {
        let first_tick = self.next_tick_to_count();
        self.put(shard, Some(incarnation), first_tick);
        self.look();
    }

    pub(crate) fn leave(&mut self, shards: &[ShardId]) {
        for shard in shards {
            self.members.remove(shard);
        }
        self.look();
    }

    pub(crate) fn advance(&mut self) -> Result<Tick, BarrierError> {
        if self.closed {
            return Err(BarrierError::Closed);
        }
        self.current += 1;
        self.look();
        Ok(self.current)
    }

    pub(crate) fn members(&self) -> Vec<ShardId> {
        self.members.keys().copied().collect()
    }

    pub(crate) fn verdict(&self, phase: TickPhase, tick: Tick) -> Verdict {
        let current = self.current;
        if tick < current {
            let incomplete = |tick: &Tick| !self.complete.contains(&(*tick, TickPhase::Advance));
            let forgotten = (0..current).rev().filter(incomplete).nth(REMEMBERED);
            if forgotten.is_some_and(|forgotten| tick <= forgotten) {
                return Verdict::Never(BarrierError::TickOver { tick, current });
            }
        }
        if self.complete.contains(&(tick, phase)) {
            return Verdict::Complete;
        }
        if tick < current {
            return Verdict::Never(BarrierError::Superseded { phase, tick });
        }
        if self.closed {
            return Verdict::Never(BarrierError::Closed);
        }
        if tick > current + 1 {
            return Verdict::Never(BarrierError::TickAhead { tick, current });
        }
        if self.counting(tick).next().is_none() {
            return Verdict::Never(BarrierError::NoMembers);
        }
        let missing = self.counting(tick).filter(|(_, m)| !m.did(tick, phase));
        Verdict::Missing(missing.map(|(&shard, _)| shard).collect())
    }
}
