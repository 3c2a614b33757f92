//! The faults stop: from then on everything must come right within a time that can be told beforehand.
//!
//! With every beat and every piece of work in time, and the sweeper at its normal rate:
//! - Every shard that beats is routable after three beats at the latest: two bring it back, and the sweep may have marked it
//!   before the first of them.
//! - Every shard that doesn't beat is marked within a lease, or within the lease that the pause guard holds back, and three sweeps; the
//!   clock first has to come back to the highest it ever showed.
//! - From then on each tick is complete as soon as its slowest shard can do it.

use super::{
    Calm, DRIVER, Event, LEASE, Mode, Outcome, SLOWEST_BEAT, SLOWEST_SWEEP, SLOWEST_WORK, World,
};
use crate::ledger::Verdict;
use tickring::TickPhase;

/// Each phase is found open up to one piece of work late, and the driver looks up to one interval late.
const TICK: u64 = 4 * 2 * SLOWEST_WORK + 2 * DRIVER;

impl World {
    pub(super) fn begin_calm(&mut self) -> Outcome {
        self.counts.calms += 1;
        let begun = self.clock_now().as_nanos();
        self.calm = Some(Calm {
            tick: self.ledger.current,
        });
        for i in 0..self.actors.len() {
            let first = i == 0;
            match self.actors[i].mode {
                Mode::Up | Mode::Mute | Mode::Stuck => self.run_as(i, Mode::Up),
                Mode::Away if !first && self.random.percent(40) => {
                    self.change(i, Mode::Gone);
                }
                Mode::Gone if !first => {
                    self.change(i, Mode::Gone);
                }
                Mode::Away | Mode::Gone => self.arrive(i)?,
            }
        }
        for planned in self.ledger.planned.clone() {
            self.deregister(planned)?;
        }
        let wait = self.random.range(1, SLOWEST_SWEEP);
        self.restart_sweeper(wait);
        let lease = u64::try_from(LEASE.as_nanos()).unwrap();
        let all_judged = self.highest - begun + lease + 3 * SLOWEST_SWEEP;
        self.after(3 * SLOWEST_BEAT, Event::CalmRoutes);
        self.after(all_judged, Event::CalmBegins);
        self.after(all_judged + 2 * TICK, Event::CalmTick);
        self.after(all_judged + 2 * TICK + 1, Event::CalmRoutes);
        self.after(all_judged + 2 * TICK + 2, Event::Chaos);
        Ok(())
    }

    pub(super) fn check_all_route(&mut self) -> Outcome {
        let topology = self.coordinator.topology();
        for actor in &self.actors {
            let Some(handle) = actor.handle.as_ref().filter(|_| actor.mode == Mode::Up) else {
                continue;
            };
            let member = topology
                .member(handle.id())
                .filter(|member| member.serves());
            if member.and_then(tickring::Member::incarnation) != Some(handle.incarnation()) {
                return Err(format!(
                    "I9: {} beats fairly, but isn't routable: {member:?}",
                    handle.id()
                ));
            }
            self.counts.calm_shards += 1;
        }
        Ok(())
    }

    /// Whoever counts for the next tick is alive: it is to be done in time.
    pub(super) fn check_tick_begun(&mut self) -> Outcome {
        let tick = self.coordinator.current_tick() + 1;
        let dead = self.ledger.lives.iter().find(|&(shard, life)| {
            let beats = self.actors.iter().any(|actor| {
                let handle = actor.handle.as_ref().filter(|_| actor.mode == Mode::Up);
                handle.is_some_and(|handle| handle.id() == *shard)
            });
            life.status.serves() && !beats
        });
        if let Some((shard, _)) = dead {
            return Err(format!("{shard} doesn't beat, but is still served"));
        }
        self.calm = Some(Calm { tick });
        Ok(())
    }

    pub(super) fn check_tick_done(&mut self) -> Outcome {
        let Some(Calm { tick }) = self.calm else {
            return Ok(());
        };
        let verdict = self
            .witness
            .poll(&self.coordinator, TickPhase::Advance, tick)?;
        if verdict != Verdict::Complete {
            return Err(format!("tick {tick} isn't complete in time: {verdict:?}"));
        }
        self.counts.calm_ticks += 1;
        Ok(())
    }

    pub(super) fn end_calm(&mut self) -> Outcome {
        self.calm = None;
        for i in 0..self.actors.len() {
            if self.actors[i].mode == Mode::Gone {
                let life = self.change(i, Mode::Gone);
                let wait = self.random.range(1, SLOWEST_BEAT * 3);
                self.after(wait, Event::Arrive(i, life));
            }
        }
        let (fault, calm) = (self.random.range(1, DRIVER), self.random.range(10, 60));
        self.after(fault, Event::Fault);
        if self.calms {
            self.after(calm * super::SECOND, Event::Calm);
        }
        Ok(())
    }
}
