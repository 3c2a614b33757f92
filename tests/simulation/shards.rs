//! What shards do by themselves: register, beat, work, return.

use tickring::{Error, Registration, ShardHandle, ShardId, ShardInfo, Tick, TickPhase};

use super::{Event, MS, Mode, Outcome, SECOND, World};

impl World {
    pub(super) fn start(&mut self, i: usize) -> Outcome {
        self.run_as(i, Mode::Up);
        Ok(())
    }

    pub(super) fn run_as(&mut self, i: usize, mode: Mode) {
        let life = self.change(i, mode);
        let (beat, work) = (self.actors[i].beat_every, self.actors[i].work);
        let beat = self.random.range(1, beat);
        if mode != Mode::Mute {
            self.after(beat, Event::Beat(i, life));
        }
        if mode != Mode::Stuck {
            self.after(work, Event::Work(i, life));
        }
    }

    pub(super) fn arrive(&mut self, i: usize) -> Outcome {
        let known = self.handle(i).map(|handle| handle.id());
        let id = known.filter(|_| self.random.percent(70));
        let weight = self.random.percent(10).then(|| self.random.range(0, 4));
        let registration = Registration {
            id,
            weight: weight.map(|weight| u32::try_from(weight).unwrap()),
            leased: true,
        };
        let info = ShardInfo::new(ShardId(0), "local".to_owned());
        let expected = id.unwrap_or_else(|| self.ledger.vacant());
        let handle = self
            .coordinator
            .register_with(info, registration)
            .map_err(|error| format!("a registration as {expected} was refused: {error}"))?;
        if handle.id() != expected || handle.incarnation().get() <= self.ledger.last_incarnation {
            return Err(format!("{handle:?} was registered instead of {expected}"));
        }
        let now = self.clock_now();
        self.ledger
            .register(expected, registration.weight, handle.incarnation(), now);
        self.counts.registrations += 1;
        if let Some(old) = self.actors[i].handle.replace(handle) {
            if old.id() != expected {
                let wait = self.random.range(15 * SECOND, 60 * SECOND);
                self.after(wait, Event::CleanUp(old.id()));
            }
            let kept = &mut self.actors[i].old;
            kept.truncate(3);
            kept.push_front(old);
        }
        self.start(i)
    }

    /// Either the same process goes on, or a new one takes its place.
    pub(super) fn come_back(&mut self, i: usize) -> Outcome {
        self.counts.returns += 1;
        if self.random.percent(50) {
            return self.arrive(i);
        }
        self.run_as(i, Mode::Up);
        self.beat(i)
    }

    /// What the shard does with an answer: one that has been told that it is over registers again.
    pub(super) fn heed(&mut self, i: usize, told: &Result<(), Error>, handle: &ShardHandle) {
        if told.is_err() && !self.is_current(handle) {
            let life = self.change(i, Mode::Gone);
            let wait = self.random.range(MS, 500 * MS);
            self.after(wait, Event::Arrive(i, life));
        }
    }

    pub(super) fn beat(&mut self, i: usize) -> Outcome {
        let Some(handle) = self.handle(i) else {
            return Ok(());
        };
        let by_id = self.is_current(&handle) && self.random.percent(20);
        let told = self.send_beat(&handle, by_id)?;
        self.actors[i].beaten = true;
        let (life, every) = (self.actors[i].life, self.actors[i].beat_every);
        let wait = self.random.range(every / 2, every);
        self.after(wait, Event::Beat(i, life));
        self.heed(i, &told, &handle);
        Ok(())
    }

    pub(super) fn send_beat(
        &mut self,
        handle: &ShardHandle,
        by_id: bool,
    ) -> Outcome<Result<(), Error>> {
        let (now, id) = (self.clock_now(), handle.id());
        self.counts.beats += 1;
        let (told, expected) = if by_id {
            (
                self.coordinator.shard_heartbeat(id),
                self.ledger.beat(id, None, now),
            )
        } else {
            let life = Some(handle.incarnation());
            (handle.heartbeat(), self.ledger.beat(id, life, now))
        };
        self.same("a beat", id, told, &expected)
    }

    pub(super) fn wake(&mut self) {
        for (i, life) in std::mem::take(&mut self.waiting) {
            self.after(self.actors[i].work, Event::Work(i, life));
        }
    }

    /// The actor's next phase, and whether all before it is complete, or was given up with its tick.
    pub(super) fn next_phase(&mut self, i: usize) -> (Tick, usize, bool) {
        let current = self.coordinator.current_tick();
        let next = &mut self.actors[i].next;
        if next.0 < current {
            *next = (current, 0);
        }
        let (tick, at) = *next;
        let before = tick * 4 + at as u64;
        let begun = (tick, at) == (current, 0) || before <= self.ledger.frontier;
        (tick, at, begun && tick <= current + 1)
    }

    pub(super) fn work(&mut self, i: usize) -> Outcome {
        let (tick, at, begun) = self.next_phase(i);
        if let Some(handle) = self.handle(i).filter(|_| begun) {
            let told = self.send_complete(handle.id(), Some(&handle), TickPhase::ALL[at], tick)?;
            if told.is_ok() {
                self.actors[i].next = if at == 3 {
                    (tick + 1, 0)
                } else {
                    (tick, at + 1)
                };
            }
            self.heed(i, &told, &handle);
        }
        let (life, work) = (self.actors[i].life, self.actors[i].work);
        if self.next_phase(i).2 {
            self.after(work, Event::Work(i, life));
        } else {
            self.waiting.push((i, life));
        }
        Ok(())
    }
}
