//! What goes wrong.

use tickring::limits::MAX_WEIGHT;

use super::{Command, Event, MS, Mode, SECOND, ShardId, ShardStatus, TickPhase, Whom, World};

/// An id that no simulation assigns.
const NOBODY: ShardId = ShardId(u32::MAX - 7);

impl World {
    pub(super) fn fault(&mut self) {
        let wait = self
            .random
            .range(self.fault_every / 2, self.fault_every * 2);
        self.after(wait, Event::Fault);
        let actors = u64::try_from(self.actors.len()).unwrap();
        let i = usize::try_from(self.random.range(0, actors)).unwrap();
        let kind = self.random.range(0, 100);
        if kind < 5 {
            return self.fault_of_time();
        }
        let up = self.actors[i].mode == Mode::Up;
        let Some(handle) = self.actors[i].handle.filter(|_| up) else {
            return;
        };
        match kind {
            5..15 => self.stop(i, 500 * MS, 40 * SECOND, true),
            15..22 => self.stop(i, SECOND, 20 * SECOND, false),
            22..26 => {
                self.counts.mutes += 1;
                self.falter(i, Mode::Mute);
            }
            26..30 => {
                self.counts.stuck += 1;
                self.falter(i, Mode::Stuck);
            }
            30..36 => self.depart(i, handle),
            36..42 => self.evict(handle),
            42..48 => self.drain(i, handle),
            48..52 => self.set_aside(handle),
            52..56 => {
                self.counts.takeovers += 1;
                self.arrive(i);
            }
            56..74 => self.stale_message(),
            74..82 => self.wrong_message(handle),
            82..86 => self.repeat(i, handle),
            86..90 => self.complete_by_id(),
            90..94 => self.reweigh(handle),
            _ => self.measure(handle),
        }
    }

    /// An actor crashes or pauses without notice. It returns later.
    fn stop(&mut self, i: usize, least: u64, most: u64, crash: bool) {
        let life = self.change(i, Mode::Away);
        let wait = self.random.range(least, most);
        if crash {
            self.counts.crashes += 1;
            self.after(wait, Event::Return(i, life));
        } else {
            self.counts.pauses += 1;
            self.after(wait, Event::Recover(i, life));
        }
    }

    fn falter(&mut self, i: usize, mode: Mode) {
        self.run_as(i, mode);
        let wait = self.random.range(5 * SECOND, 30 * SECOND);
        let life = self.actors[i].life;
        self.after(wait, Event::Recover(i, life));
    }

    fn depart(&mut self, i: usize, handle: usize) {
        self.counts.departures += 1;
        self.ask(Command::Deregister(self.id(handle)));
        let life = self.change(i, Mode::Gone);
        let wait = self.random.range(SECOND, 30 * SECOND);
        self.after(wait, Event::Arrive(i, life));
    }

    fn evict(&mut self, handle: usize) {
        self.counts.evictions += 1;
        self.ask(Command::Evict(handle));
    }

    fn drain(&mut self, i: usize, handle: usize) {
        self.counts.drains += 1;
        self.set_status(handle, ShardStatus::Draining);
        let wait = self.random.range(SECOND, 20 * SECOND);
        let life = self.actors[i].life;
        self.after(wait, Event::Settle(i, life));
    }

    /// A drained shard leaves, or continues.
    pub(super) fn settle(&mut self, i: usize) {
        if let Some(handle) = self.actors[i].handle {
            if self.is_current(handle) && self.random.percent(50) {
                self.depart(i, handle);
            } else {
                self.set_status(handle, ShardStatus::Online);
            }
        }
    }

    fn set_aside(&mut self, handle: usize) {
        self.counts.set_aside += 1;
        let offline = self.random.percent(50);
        let status = if offline {
            ShardStatus::Offline
        } else {
            ShardStatus::Recovering
        };
        self.set_status(handle, status);
    }

    fn set_status(&mut self, handle: usize, status: ShardStatus) {
        let by_id = self.is_current(handle) && self.random.percent(50);
        let whom = if by_id {
            Whom::Id(self.id(handle))
        } else {
            Whom::Handle(handle)
        };
        self.ask(Command::SetStatus(whom, status));
    }

    /// A message of an ended incarnation arrives.
    fn stale_message(&mut self) {
        let old = self.actors.iter().flat_map(|actor| &actor.old).copied();
        let old: Vec<_> = old.collect();
        let Some(old) = self.random.pick(&old) else {
            return;
        };
        if self.is_current(old) {
            return;
        }
        self.counts.stale_messages += 1;
        let (whom, tick) = (Whom::Handle(old), self.current_tick());
        match self.random.range(0, 5) {
            0 => drop(self.send_beat(old, false)),
            1 => drop(self.send_complete(whom, TickPhase::Advance, tick)),
            2 => self.evict(old),
            3 => self.set_status(old, ShardStatus::Offline),
            _ => drop(self.ask(Command::Metrics(whom, 9, 9))),
        }
    }

    /// A call arrives that must be refused, for a current shard or an unknown one.
    fn wrong_message(&mut self, handle: usize) {
        self.counts.wrong_messages += 1;
        let (current, phase) = (self.current_tick(), TickPhase::Sense);
        let (whom, nobody) = (Whom::Handle(handle), Whom::Id(NOBODY));
        let told = match self.random.range(0, 6) {
            0 => {
                let tick = current.saturating_sub(self.random.range(1, 4));
                self.send_complete(whom, phase, tick)
            }
            1 => self.send_complete(whom, phase, current + 2),
            2 => self.send_complete(nobody, phase, current),
            3 => self.ask(Command::Beat(nobody)),
            4 => self.ask(Command::Deregister(NOBODY)),
            _ => self.ask(Command::SetWeight(self.id(handle), MAX_WEIGHT + 1)),
        };
        assert!(told.is_refusal() || current == 0, "{told:?}");
    }

    /// An actor repeats an earlier call.
    fn repeat(&mut self, i: usize, handle: usize) {
        let (tick, at) = self.actors[i].next;
        let Some(&phase) = at.checked_sub(1).and_then(|at| TickPhase::ALL.get(at)) else {
            return;
        };
        self.counts.repeats += 1;
        self.send_complete(Whom::Handle(handle), phase, tick);
    }

    /// An operator makes a call for a planned or stuck shard.
    fn complete_by_id(&mut self) {
        self.counts.by_id += 1;
        let stuck = self.actors.iter().filter(|actor| actor.mode == Mode::Stuck);
        let stuck = stuck.filter_map(|actor| Some(self.id(actor.handle?)));
        let planned = self.runner.model.lives.planned.iter().copied().take(8);
        let ids: Vec<_> = planned.chain(stuck).collect();
        let tick = self.current_tick() + self.random.range(0, 2);
        if let (Some(id), Some(phase)) = (self.random.pick(&ids), self.random.pick(&TickPhase::ALL))
        {
            self.send_complete(Whom::Id(id), phase, tick);
        }
    }

    fn reweigh(&mut self, handle: usize) {
        self.counts.weights += 1;
        let weight = u32::try_from(self.random.range(0, 4)).unwrap();
        self.ask(Command::SetWeight(self.id(handle), weight));
    }

    fn measure(&mut self, handle: usize) {
        self.counts.metrics += 1;
        let documents = usize::try_from(self.random.range(0, 1_000)).unwrap();
        self.ask(Command::Metrics(Whom::Handle(handle), documents, 1));
    }

    /// Pauses the sweeper or the machine, or sets the clock. There are some seconds between two of these.
    fn fault_of_time(&mut self) {
        if self.now < self.last_jump + 3 * SECOND {
            return;
        }
        self.last_jump = self.now;
        match self.random.range(0, 4) {
            0 => {
                self.counts.sweeper_pauses += 1;
                let wait = self.random.range(4 * SECOND, 40 * SECOND);
                self.restart_sweeper(wait);
            }
            1 => {
                self.counts.machine_pauses += 1;
                self.jump(1, 4, 60);
            }
            2 => {
                self.counts.jumps_forward += 1;
                self.jump(1, 0, 2);
            }
            _ => {
                self.counts.jumps_back += 1;
                self.jump(-1, 0, 5);
            }
        }
    }

    pub(super) fn restart_sweeper(&mut self, wait: u64) {
        self.sweeper += 1;
        self.after(wait, Event::Sweep(self.sweeper));
    }

    /// Returns a random duration between these numbers of seconds.
    fn jump(&mut self, sign: i64, from: u64, to: u64) {
        let by = self.random.range(from * SECOND, to * SECOND);
        self.offset += sign * i64::try_from(by).unwrap();
        self.set_clock();
    }
}
