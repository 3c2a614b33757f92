//! What goes wrong.

use tickring::MAX_WEIGHT;

use super::{
    Event, MS, Mode, Outcome, SECOND, ShardHandle, ShardId, ShardStatus, TickPhase, World,
};

/// An id that no run reaches.
const NOBODY: ShardId = ShardId(u32::MAX - 7);

impl World {
    pub(super) fn fault(&mut self) -> Outcome {
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
        let (up, handle) = (self.actors[i].mode == Mode::Up, self.handle(i));
        let Some(handle) = handle.filter(|_| up) else {
            return Ok(());
        };
        match kind {
            5..15 => self.stop(i, 500 * MS, 40 * SECOND, true),
            15..22 => self.stop(i, SECOND, 20 * SECOND, false),
            22..26 => {
                self.counts.mutes += 1;
                self.falter(i, Mode::Mute)
            }
            26..30 => {
                self.counts.stuck += 1;
                self.falter(i, Mode::Stuck)
            }
            30..36 => self.depart(i, handle.id()),
            36..42 => self.evict(&handle),
            42..48 => self.drain(i, &handle),
            48..52 => self.set_aside(&handle),
            52..56 => {
                self.counts.takeovers += 1;
                self.arrive(i)
            }
            56..74 => self.stale_message(),
            74..82 => self.wrong_message(&handle),
            82..86 => self.repeat(i, &handle),
            86..90 => self.complete_by_id(),
            90..94 => self.reweigh(handle.id()),
            _ => self.measure(&handle),
        }
    }

    /// Crashes, or is paused: nobody is told. Returns later.
    fn stop(&mut self, i: usize, least: u64, most: u64, crash: bool) -> Outcome {
        let life = self.change(i, Mode::Away);
        let wait = self.random.range(least, most);
        if crash {
            self.counts.crashes += 1;
            self.after(wait, Event::Return(i, life));
        } else {
            self.counts.pauses += 1;
            self.after(wait, Event::Recover(i, life));
        }
        Ok(())
    }

    fn falter(&mut self, i: usize, mode: Mode) -> Outcome {
        self.run_as(i, mode);
        let wait = self.random.range(5 * SECOND, 30 * SECOND);
        let life = self.actors[i].life;
        self.after(wait, Event::Recover(i, life));
        Ok(())
    }

    fn depart(&mut self, i: usize, id: ShardId) -> Outcome {
        self.counts.departures += 1;
        self.deregister(id)?;
        let life = self.change(i, Mode::Gone);
        let wait = self.random.range(SECOND, 30 * SECOND);
        self.after(wait, Event::Arrive(i, life));
        Ok(())
    }

    fn evict(&mut self, handle: &ShardHandle) -> Outcome {
        self.counts.evictions += 1;
        let told = self.coordinator.evict(handle);
        let expected = self.ledger.remove(handle.id(), Some(handle.incarnation()));
        self.same("the eviction", handle.id(), told, &expected)
            .map(drop)?;
        self.look_at_phases()
    }

    fn drain(&mut self, i: usize, handle: &ShardHandle) -> Outcome {
        self.counts.drains += 1;
        self.set_status(handle, ShardStatus::Draining)?;
        let wait = self.random.range(SECOND, 20 * SECOND);
        let life = self.actors[i].life;
        self.after(wait, Event::Settle(i, life));
        Ok(())
    }

    /// A shard that was drained leaves, or goes on.
    pub(super) fn settle(&mut self, i: usize) -> Outcome {
        match self.handle(i) {
            Some(handle) if self.is_current(&handle) && self.random.percent(50) => {
                self.depart(i, handle.id())
            }
            Some(handle) => self.set_status(&handle, ShardStatus::Online),
            None => Ok(()),
        }
    }

    fn set_aside(&mut self, handle: &ShardHandle) -> Outcome {
        self.counts.set_aside += 1;
        let offline = self.random.percent(50);
        let status = if offline {
            ShardStatus::Offline
        } else {
            ShardStatus::Recovering
        };
        self.set_status(handle, status)
    }

    fn set_status(&mut self, handle: &ShardHandle, status: ShardStatus) -> Outcome {
        let (now, id) = (self.clock_now(), handle.id());
        let by_id = self.is_current(handle) && self.random.percent(50);
        let (told, life) = if by_id {
            (self.coordinator.set_status(id, status), None)
        } else {
            (handle.set_status(status), Some(handle.incarnation()))
        };
        let expected = self.ledger.set_status(id, life, status, now);
        self.same("the status", id, told, &expected).map(drop)?;
        self.look_at_phases()
    }

    /// Something that an ended incarnation sent arrives.
    fn stale_message(&mut self) -> Outcome {
        let old: Vec<_> = self.actors.iter().flat_map(|actor| &actor.old).collect();
        let Some(old) = self.random.pick(&old).cloned() else {
            return Ok(());
        };
        if self.is_current(&old) {
            return Ok(());
        }
        self.counts.stale_messages += 1;
        let (id, life) = (old.id(), Some(old.incarnation()));
        let tick = self.ledger.current;
        match self.random.range(0, 5) {
            0 => self.send_beat(&old, false).map(drop),
            1 => self
                .send_complete(id, Some(&old), TickPhase::Advance, tick)
                .map(drop),
            2 => self.evict(&old),
            3 => self.set_status(&old, ShardStatus::Offline),
            _ => {
                let told = old.update_metrics(9, 9);
                let expected = self.ledger.metrics(id, life, 9);
                self.same("the metrics", id, told, &expected).map(drop)
            }
        }
    }

    /// A current shard, or nobody, says what can't be.
    fn wrong_message(&mut self, handle: &ShardHandle) -> Outcome {
        self.counts.wrong_messages += 1;
        let (current, phase) = (self.ledger.current, TickPhase::Sense);
        let id = handle.id();
        match self.random.range(0, 6) {
            0 => {
                let tick = current.saturating_sub(self.random.range(1, 4));
                self.send_complete(id, Some(handle), phase, tick).map(drop)
            }
            1 => self
                .send_complete(id, Some(handle), phase, current + 2)
                .map(drop),
            2 => self.send_complete(NOBODY, None, phase, current).map(drop),
            3 => {
                let told = self.coordinator.shard_heartbeat(NOBODY);
                let expected = self.ledger.beat(NOBODY, None, self.clock_now());
                self.same("a beat", NOBODY, told, &expected).map(drop)
            }
            4 => self.deregister(NOBODY),
            _ => {
                let told = self.coordinator.set_weight(id, MAX_WEIGHT + 1);
                let expected = self.ledger.set_weight(id, MAX_WEIGHT + 1);
                self.same("the weight", id, told, &expected).map(drop)
            }
        }
    }

    /// Says again what it has said before.
    fn repeat(&mut self, i: usize, handle: &ShardHandle) -> Outcome {
        let (tick, at) = self.actors[i].next;
        let Some(&phase) = at.checked_sub(1).and_then(|at| TickPhase::ALL.get(at)) else {
            return Ok(());
        };
        self.counts.repeats += 1;
        self.send_complete(handle.id(), Some(handle), phase, tick)
            .map(drop)
    }

    /// An operator speaks for a planned shard, or for one that is stuck.
    fn complete_by_id(&mut self) -> Outcome {
        self.counts.by_id += 1;
        let stuck = self.actors.iter().filter(|actor| actor.mode == Mode::Stuck);
        let stuck = stuck.filter_map(|actor| Some(actor.handle.as_ref()?.id()));
        let ids: Vec<_> = self
            .ledger
            .planned
            .iter()
            .copied()
            .take(8)
            .chain(stuck)
            .collect();
        let tick = self.ledger.current + self.random.range(0, 2);
        match (self.random.pick(&ids), self.random.pick(&TickPhase::ALL)) {
            (Some(id), Some(phase)) => self.send_complete(id, None, phase, tick).map(drop),
            _ => Ok(()),
        }
    }

    fn reweigh(&mut self, id: ShardId) -> Outcome {
        self.counts.weights += 1;
        let weight = u32::try_from(self.random.range(0, 4)).unwrap();
        let told = self.coordinator.set_weight(id, weight);
        let expected = self.ledger.set_weight(id, weight);
        self.same("the weight", id, told, &expected).map(drop)
    }

    fn measure(&mut self, handle: &ShardHandle) -> Outcome {
        self.counts.metrics += 1;
        let documents = usize::try_from(self.random.range(0, 1_000)).unwrap();
        let told = handle.update_metrics(documents, 1);
        let life = Some(handle.incarnation());
        let expected = self.ledger.metrics(handle.id(), life, documents);
        self.same("the metrics", handle.id(), told, &expected)
            .map(drop)
    }

    /// The sweeper is paused, the machine is, or the clock is set. Some seconds lie between two of these.
    fn fault_of_time(&mut self) -> Outcome {
        if self.now < self.last_jump + 3 * SECOND {
            return Ok(());
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
        Ok(())
    }

    pub(super) fn restart_sweeper(&mut self, wait: u64) {
        self.sweeper += 1;
        self.after(wait, Event::Sweep(self.sweeper));
    }

    /// By a random time between these seconds.
    fn jump(&mut self, sign: i64, from: u64, to: u64) {
        let by = self.random.range(from * SECOND, to * SECOND);
        self.offset += sign * i64::try_from(by).unwrap();
        self.set_clock();
    }
}
