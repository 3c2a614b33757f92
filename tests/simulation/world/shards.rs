//! What shards do by themselves: register, beat, work, return.

use tickring::membership::Registration;
use tickring::{Tick, TickPhase};

use super::{Answer, Command, Event, MS, Mode, SECOND, Whom, World};

impl World {
    pub(super) fn start(&mut self, i: usize) {
        self.run_as(i, Mode::Up);
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

    pub(super) fn arrive(&mut self, i: usize) {
        let known = self.actors[i].handle.map(|handle| self.id(handle));
        let id = known.filter(|_| self.random.percent(70));
        let weight = self.random.percent(10).then(|| self.random.range(0, 4));
        let registration = Registration {
            id,
            weight: weight.map(|weight| u32::try_from(weight).unwrap()),
            leased: true,
            ..Registration::default()
        };
        let told = self.ask(Command::Register {
            registration,
            documents: 0,
        });
        assert!(!told.is_refusal(), "a registration gave {told:?}");
        self.counts.registrations += 1;
        let new = self.runner.handles.len() - 1;
        if let Some(old) = self.actors[i].handle.replace(new) {
            if self.id(old) != self.id(new) {
                let wait = self.random.range(15 * SECOND, 60 * SECOND);
                self.after(wait, Event::CleanUp(self.id(old)));
            }
            let kept = &mut self.actors[i].old;
            kept.truncate(3);
            kept.push_front(old);
        }
        self.start(i);
    }

    /// Either the same process continues, or a new one replaces it.
    pub(super) fn come_back(&mut self, i: usize) {
        self.counts.returns += 1;
        if self.random.percent(50) {
            return self.arrive(i);
        }
        self.run_as(i, Mode::Up);
        self.beat(i);
    }

    /// Handles an answer. A shard whose incarnation has ended registers again.
    pub(super) fn heed(&mut self, i: usize, told: &Answer, handle: usize) {
        if told.is_refusal() && !self.is_current(handle) {
            let life = self.change(i, Mode::Gone);
            let wait = self.random.range(MS, 500 * MS);
            self.after(wait, Event::Arrive(i, life));
        }
    }

    pub(super) fn beat(&mut self, i: usize) {
        let Some(handle) = self.actors[i].handle else {
            return;
        };
        let by_id = self.is_current(handle) && self.random.percent(20);
        let told = self.send_beat(handle, by_id);
        self.actors[i].beaten = true;
        let (life, every) = (self.actors[i].life, self.actors[i].beat_every);
        let wait = self.random.range(every / 2, every);
        self.after(wait, Event::Beat(i, life));
        self.heed(i, &told, handle);
    }

    pub(super) fn send_beat(&mut self, handle: usize, by_id: bool) -> Answer {
        self.counts.beats += 1;
        let whom = match by_id {
            true => Whom::Id(self.id(handle)),
            false => Whom::Handle(handle),
        };
        self.ask(Command::Beat(whom))
    }

    pub(super) fn wake(&mut self) {
        for (i, life) in std::mem::take(&mut self.waiting) {
            self.after(self.actors[i].work, Event::Work(i, life));
        }
    }

    /// Returns the actor's next phase, and whether it may begin: all earlier phases are complete, or their tick was advanced over.
    pub(super) fn next_phase(&mut self, i: usize) -> (Tick, usize, bool) {
        let current = self.current_tick();
        let next = &mut self.actors[i].next;
        if next.0 < current {
            *next = (current, 0);
        }
        let (tick, at) = *next;
        let before = tick * 4 + at as u64;
        let begun = (tick, at) == (current, 0) || before <= self.frontier();
        (tick, at, begun && tick <= current + 1)
    }

    pub(super) fn work(&mut self, i: usize) {
        let (tick, at, begun) = self.next_phase(i);
        if let Some(handle) = self.actors[i].handle.filter(|_| begun) {
            let told = self.send_complete(Whom::Handle(handle), TickPhase::ALL[at], tick);
            if !told.is_refusal() {
                self.actors[i].next = if at == 3 {
                    (tick + 1, 0)
                } else {
                    (tick, at + 1)
                };
            }
            self.heed(i, &told, handle);
        }
        let (life, work) = (self.actors[i].life, self.actors[i].work);
        if self.next_phase(i).2 {
            self.after(work, Event::Work(i, life));
        } else {
            self.waiting.push((i, life));
        }
    }
}
