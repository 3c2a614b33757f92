//! The commands that change the members: join, bind, replace, leave.

use ahash::AHashMap;

use super::{Core, Member};
use crate::barrier::counts::Standing;
use crate::barrier::level::Level;
use crate::error::BarrierError;
use crate::id::{Incarnation, ShardId, Tick};
use crate::limits::MAX_SHARDS;

impl Core {
    pub(in crate::barrier) fn new(shard_count: u32) -> Result<Self, BarrierError> {
        check_bound(u64::from(shard_count))?;
        let mut core = Self {
            members: AHashMap::with_capacity(shard_count as usize),
            ..Self::default()
        };
        for shard in (0..shard_count).map(ShardId::new) {
            core.insert(shard, None, 0);
        }
        Ok(core)
    }

    pub(in crate::barrier) fn shard_count(&self) -> usize {
        self.members.len()
    }

    /// Adds a member and returns the first tick for which it counts.
    pub(in crate::barrier) fn join(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
    ) -> Result<Tick, BarrierError> {
        self.check_open()?;
        if self.members.contains_key(&shard) {
            return Err(BarrierError::MemberExists(shard));
        }
        check_bound(self.members.len() as u64 + 1)?;
        let first_tick = self.next_countable();
        self.insert(shard, incarnation, first_tick);
        Ok(first_tick)
    }

    /// Claims an unclaimed member for this incarnation.
    pub(in crate::barrier) fn bind(
        &mut self,
        shard: ShardId,
        incarnation: Incarnation,
    ) -> Result<(), BarrierError> {
        self.check_open()?;
        let member = self
            .members
            .get_mut(&shard)
            .ok_or(BarrierError::UnknownShard(shard))?;
        match member.incarnation {
            Some(bound) if bound != incarnation => Err(BarrierError::MemberExists(shard)),
            _ => {
                member.incarnation = Some(incarnation);
                Ok(())
            }
        }
    }

    /// Replaces a member. The frontier is computed only after the new incarnation is in, so the shard is a member all the time.
    pub(in crate::barrier) fn replace(
        &mut self,
        shard: ShardId,
        incarnation: Incarnation,
    ) -> Result<Tick, BarrierError> {
        self.check_open()?;
        match self.members.get(&shard) {
            None => return Err(BarrierError::UnknownShard(shard)),
            Some(member) if member.incarnation == Some(incarnation) => {
                return Err(BarrierError::MemberExists(shard));
            }
            Some(_) => {}
        }
        let first_tick = self.next_countable();
        self.remove(shard);
        self.insert(shard, Some(incarnation), first_tick);
        self.settle();
        Ok(first_tick)
    }

    /// Makes each of these incarnations a member. It takes over the progress of an unclaimed member, but not of another incarnation.
    pub(in crate::barrier) fn admit(&mut self, joins: &[(ShardId, Incarnation)]) {
        if self.closed {
            return;
        }
        let first_tick = self.next_countable();
        for &(shard, incarnation) in joins {
            let incarnation = Some(incarnation);
            match self.members.get_mut(&shard) {
                Some(member) if member.incarnation.is_none() => member.incarnation = incarnation,
                Some(member) if member.incarnation == incarnation => {}
                _ => self.insert(shard, incarnation, first_tick),
            }
        }
        self.settle();
    }

    pub(in crate::barrier) fn leave(&mut self, shard: ShardId) -> Result<(), BarrierError> {
        self.check_open()?;
        if !self.remove(shard) {
            return Err(BarrierError::UnknownShard(shard));
        }
        self.settle();
        Ok(())
    }

    pub(in crate::barrier) fn leave_many(&mut self, shards: &[ShardId]) {
        if !self.closed {
            for &shard in shards {
                self.remove(shard);
            }
            self.settle();
        }
    }

    pub(in crate::barrier) fn set_shard_count(
        &mut self,
        shard_count: u32,
    ) -> Result<(), BarrierError> {
        self.check_open()?;
        check_bound(u64::from(shard_count))?;
        let first_tick = self.next_countable();
        for shard in self.select(|shard, _| shard.as_u32() >= shard_count) {
            self.remove(shard);
        }
        for shard in (0..shard_count).map(ShardId::new) {
            if !self.members.contains_key(&shard) {
                self.insert(shard, None, first_tick);
            }
        }
        self.settle();
        Ok(())
    }

    /// Returns the first tick that is later than the current one and has no complete phase. A member that counts from there on doesn't
    /// undo a complete phase.
    fn next_countable(&self) -> Tick {
        self.frontier.next_tick().max(self.current() + 1)
    }

    fn insert(&mut self, shard: ShardId, incarnation: Option<Incarnation>, first_tick: Tick) {
        let standing = Standing {
            first_tick,
            level: Level::start_of(first_tick),
        };
        let member = Member {
            incarnation,
            standing,
        };
        if let Some(replaced) = self.members.insert(shard, member) {
            self.counts.remove(replaced.standing);
        }
        self.counts.add(standing);
    }

    fn remove(&mut self, shard: ShardId) -> bool {
        match self.members.remove(&shard) {
            Some(member) => {
                self.counts.remove(member.standing);
                true
            }
            None => false,
        }
    }
}

fn check_bound(members: u64) -> Result<(), BarrierError> {
    let max = u64::from(MAX_SHARDS);
    if members > max {
        return Err(BarrierError::TooManyMembers {
            value: members,
            max,
        });
    }
    Ok(())
}
