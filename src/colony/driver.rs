//! The tick: four phases in lockstep over the pool, then one publication.

use std::time::Duration;

use super::Colony;
use super::guarded::{Guarded, GuardedList};
use super::publication::{Publication, Published};
use super::report::{Fault, FaultKind, PhaseReport, ReturnReason, Returned, TickReport};
use super::shard::{Shard, Write};
use super::slot::{Outcome, Standing};
use super::watch::Watch;
use crate::error::{BarrierError, ColonyError, Error};
use crate::id::{Epoch, ShardId, Tick};
use crate::phase::TickPhase;
use crate::sync::{Arc, Instant, Ordering};

/// The writes of the present tick, by shard. They stay here until the tick is published, whatever becomes of the shards.
pub(super) type Pending<D> = Vec<Arc<GuardedList<Write<D>>>>;

/// What a tick has found out so far, by shard.
struct Progress<S: Shard> {
    refused: Vec<Vec<usize>>,
    searchers: Vec<Option<Arc<Guarded<S::Searcher>>>>,
}

impl<S: Shard> Colony<S> {
    /// Runs one tick: drains the inboxes, takes all shards through the four phases, and publishes what they hold then.
    ///
    /// A shard that panics, fails or overruns is evicted and reported; the others' tick goes on. The call ends within the
    /// phase deadlines: a phase takes at most [`phase_timeout`](crate::ColonyConfig::phase_timeout) for each round of shards that
    /// the threads have to make.
    ///
    /// # Errors
    /// [`ColonyError::TooManyLostThreads`], [`ColonyError::Threads`] or [`ColonyError::Barrier`] have closed the colony: the tick is not
    /// published, and its writes come back from [`close`](Self::close). [`ColonyError::Closed`] for every tick after that.
    pub fn tick(&mut self) -> Result<TickReport<S::Document>, ColonyError> {
        if self.ended.is_some() {
            return Err(ColonyError::Closed);
        }
        let ticked = self.run_tick();
        if let Err(cause) = &ticked {
            self.ended = Some(cause.clone());
            self.end();
        }
        ticked
    }

    pub(super) fn run_tick(&mut self) -> Result<TickReport<S::Document>, ColonyError> {
        let tick = self.shared.coordinator.current_tick();
        self.drain(tick);
        let shards = self.shared.slots.len();
        let mut progress = Progress {
            refused: vec![Vec::new(); shards],
            searchers: vec![None; shards],
        };
        let mut phases = TickPhase::ALL.map(|phase| PhaseReport {
            phase,
            elapsed: Duration::ZERO,
            slowest: None,
        });
        for report in &mut phases {
            self.run_phase(report, tick, &mut progress)?;
        }
        let epoch = self.publish(tick, &mut progress);
        let (published, returned) = self.settle(&progress.refused);
        Ok(TickReport {
            tick,
            epoch,
            phases,
            published,
            returned,
            faults: self.faults(),
        })
    }

    /// Empties the inboxes, those of evicted shards too: an acceptance that came before the eviction may be in one.
    fn drain(&mut self, tick: Tick) {
        self.shared.admission.write().collecting = tick.saturating_add(1);
        self.pending = self
            .shared
            .slots
            .iter()
            .map(|slot| {
                let waiting = slot.inbox.receiver.len();
                Arc::new(slot.inbox.receiver.try_iter().take(waiting).collect())
            })
            .collect();
        self.shared.gate.drained(tick);
    }

    fn run_phase(
        &mut self,
        report: &mut PhaseReport,
        tick: Tick,
        progress: &mut Progress<S>,
    ) -> Result<(), ColonyError> {
        let phase = report.phase;
        let opened = Instant::now();
        let armed = self.shards().filter(|&(_, slot)| slot.arm(phase, tick));
        for (shard, _) in armed {
            self.dispatch(shard, phase, tick);
        }
        self.await_phase(phase, tick)?;
        report.elapsed = opened.elapsed();
        for (shard, slot) in self.shards() {
            let Some(outcome) = slot.collect() else {
                continue;
            };
            if report
                .slowest
                .is_none_or(|(_, longest)| outcome.elapsed > longest)
            {
                report.slowest = Some((shard, outcome.elapsed));
            }
            progress.note(shard, outcome);
        }
        Ok(())
    }

    fn dispatch(&self, shard: ShardId, phase: TickPhase, tick: Tick) {
        let shared = Arc::clone(&self.shared);
        let writes = match (phase, self.pending.get(shard.as_u32() as usize)) {
            (TickPhase::Act, Some(writes)) => Arc::clone(writes),
            _ => Arc::default(),
        };
        self.pool.spawn(move || {
            shared.run(shard, phase, tick, &writes);
        });
    }

    /// Waits until every shard has finished the phase or was evicted.
    fn await_phase(&mut self, phase: TickPhase, tick: Tick) -> Result<(), ColonyError> {
        let timeout = self.config.phase_timeout;
        let mut watch = Watch::new(timeout, Instant::now(), self.taken_up());
        loop {
            let now = Instant::now();
            let patience = watch.patience(now, self.standings());
            let left = self.closing.map(|end| end.saturating_duration_since(now));
            let patience = left.map_or(patience, |left| left.min(patience));
            let coordinator = &self.shared.coordinator;
            match coordinator.wait_for_phase_timeout(phase, tick, patience) {
                Ok(()) | Err(Error::Barrier(BarrierError::NoMembers)) => return Ok(()),
                Err(Error::Barrier(BarrierError::PhaseTimeout { .. })) => {}
                Err(Error::Barrier(other)) => return Err(ColonyError::Barrier(other)),
                Err(other) => return Err(ColonyError::Coordinator(other)),
            }
            let before = now;
            let now = Instant::now();
            watch.woke(now, patience, now.saturating_duration_since(before));
            if self.closing.is_some_and(|end| now >= end) {
                return Err(ColonyError::NotPublished { tick });
            }
            watch.look(now, self.taken_up());
            let evicted = self.evict_overrun(phase, &watch, now);
            let lost = watch.lost(evicted, now, self.standings());
            if lost > 0 {
                self.lost_threads += lost;
                self.replace_pool()?;
                watch.dispatched(Instant::now());
                for (shard, slot) in self.shards() {
                    if slot.standing() == Standing::Queued {
                        self.dispatch(shard, phase, tick);
                    }
                }
            }
        }
    }

    fn taken_up(&self) -> u64 {
        self.shared.taken_up.load(Ordering::Relaxed)
    }

    pub(super) fn standings(&self) -> impl Iterator<Item = Standing> {
        self.shards().map(|(_, slot)| slot.standing())
    }

    /// Evicts the shards that have been running for longer than the timeout, and says how many; their threads are lost.
    fn evict_overrun(&self, phase: TickPhase, watch: &Watch, now: Instant) -> usize {
        let evicted = self.shards().filter(|&(shard, slot)| {
            watch
                .overrun(now, slot.standing())
                .is_some_and(|ran| self.shared.evict(shard, phase, FaultKind::Overran(ran)))
        });
        evicted.count()
    }

    fn replace_pool(&mut self) -> Result<(), ColonyError> {
        let (lost, max) = (self.lost_threads, self.config.max_lost_threads);
        if lost > max {
            return Err(ColonyError::TooManyLostThreads { lost, max });
        }
        self.pool
            .replace()
            .map_err(|error| ColonyError::Threads(error.to_string()))
    }

    /// Publishes all shards at once, evicted ones with their last searchers, and begins the next tick.
    fn publish(&self, tick: Tick, progress: &mut Progress<S>) -> Epoch {
        let shared = &self.shared;
        let mut shards = shared.admission.read().frozen.to_vec();
        // A shard evicted in its last phase yielded no searcher, and is among the frozen.
        for ((shard, slot), searcher) in self.shards().zip(&mut progress.searchers) {
            if let Some(searcher) = searcher.take() {
                shards.push(Published {
                    shard,
                    incarnation: slot.handle.incarnation(),
                    tick: Some(tick),
                    frozen: false,
                    searcher,
                });
            }
        }
        shards.sort_unstable_by_key(Published::shard);
        let epoch = shared.coordinator.load_topology().epoch();
        let publication = Publication::new(Some(tick), epoch, shards.into_boxed_slice());
        drop(shared.publication.swap(Arc::new(publication)));
        shared.coordinator.advance_tick();
        shared.gate.published(tick);
        epoch
    }

    /// Decides about each write of the tick: published, or returned.
    fn settle(&mut self, refused: &[Vec<usize>]) -> (usize, Vec<Returned<S::Document>>) {
        let mut published = 0;
        let mut returned = Vec::new();
        let pending = std::mem::take(&mut self.pending);
        for (((shard, slot), writes), refused) in self.shards().zip(&pending).zip(refused) {
            let evicted = slot.standing() == Standing::Evicted;
            for (index, write) in writes.iter().enumerate() {
                let reason = if evicted {
                    ReturnReason::Evicted
                } else if refused.binary_search(&index).is_ok() {
                    ReturnReason::Exists
                } else {
                    published += 1;
                    continue;
                };
                returned.push(Returned {
                    shard,
                    write: write.clone(),
                    reason,
                });
            }
        }
        (published, returned)
    }

    /// The faults that no report has named yet.
    pub(super) fn faults(&self) -> Vec<Fault> {
        self.shards()
            .filter_map(|(shard, slot)| {
                let (phase, kind) = slot.take_fault()?;
                Some(Fault { shard, phase, kind })
            })
            .collect()
    }
}

impl<S: Shard> Progress<S> {
    fn note(&mut self, shard: ShardId, outcome: Outcome<S>) {
        let index = shard.as_u32() as usize;
        if let Some(refused) = self.refused.get_mut(index)
            && !outcome.refused.is_empty()
        {
            *refused = outcome.refused;
        }
        if let Some(searcher) = self.searchers.get_mut(index) {
            *searcher = outcome.searcher;
        }
    }
}
