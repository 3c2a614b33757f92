//! The faults stop: from then on everything must come right within a time that can be told beforehand.
//!
//! With every beat and every piece of work in time, and the sweeper at its normal rate:
//! - Every shard that beats is routable after three beats at the latest: two bring it back, and the sweep may have marked it
//!   before the first of them.
//! - Every shard that doesn't beat is marked within a lease, or within the lease that the pause guard holds back, and three sweeps; the
//!   clock first has to come back to the highest it ever showed.
//! - From then on each tick is complete as soon as its slowest shard can do it.

use tickring::TickPhase;
use tickring::topology::Member;

use super::{
    Answer, Calm, Command, DRIVER, Event, LEASE, Mode, SLOWEST_BEAT, SLOWEST_SWEEP, SLOWEST_WORK,
    When, World,
};

/// An actor notices a phase up to one piece of work late, and the driver looks up to one interval late.
const TICK: u64 = 4 * 2 * SLOWEST_WORK + 2 * DRIVER;

impl World {
    pub(super) fn begin_calm(&mut self) {
        self.counts.calms += 1;
        let begun = self.clock_now().as_nanos();
        self.calm = Some(Calm {
            tick: self.current_tick(),
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
                Mode::Away | Mode::Gone => self.arrive(i),
            }
        }
        for planned in self.runner.model.lives.planned.clone() {
            self.ask(Command::Deregister(planned));
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
    }

    pub(super) fn check_all_route(&mut self) {
        let topology = self.runner.coordinator.topology();
        for actor in self.actors.iter().filter(|actor| actor.mode == Mode::Up) {
            let Some(handle) = actor.handle.map(|handle| &self.runner.handles[handle]) else {
                continue;
            };
            let member = topology.member(handle.id());
            let routable = member.filter(|member| member.serves());
            let life = routable.and_then(Member::incarnation);
            let is_it = life == Some(handle.incarnation());
            assert!(
                is_it,
                "I9: {handle:?} beats fairly, but isn't routable: {member:?}"
            );
            self.counts.calm_shards += 1;
        }
    }

    /// All members of the next tick are alive, so it must be complete in time.
    pub(super) fn check_tick_begun(&mut self) {
        let up = self.actors.iter().filter(|actor| actor.mode == Mode::Up);
        let up: Vec<_> = up
            .filter_map(|actor| Some(self.id(actor.handle?)))
            .collect();
        for (shard, life) in &self.runner.model.lives.registered {
            let dead = life.status.serves() && !up.contains(shard);
            assert!(!dead, "{shard} doesn't beat, but is still served");
        }
        let tick = self.current_tick() + 1;
        self.calm = Some(Calm { tick });
    }

    pub(super) fn check_tick_done(&mut self) {
        if let Some(Calm { tick }) = self.calm {
            let told = self.ask(Command::Poll(TickPhase::Advance, When::At(tick)));
            assert_eq!(told, Answer::Done(Ok(())), "tick {tick} in time");
            self.counts.calm_ticks += 1;
        }
    }

    pub(super) fn end_calm(&mut self) {
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
    }
}
