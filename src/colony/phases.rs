//! A phase of a tick: handed to the colony's threads, waited for, and what came of it.

use std::time::Duration;

use super::Colony;
use super::overrun::Watch;
use super::pool::Worker;
use super::report::{FaultKind, PhaseReport};
use super::round::{Round, Work};
use super::shard::Shard;
use super::slot::{Outcome, Standing};
use super::threads::Crew;
use super::tick::Part;
use crate::error::{BarrierError, Cause, ColonyError, Error};
use crate::id::Tick;
use crate::phase::TickPhase;
use crate::sync::{Arc, Instant, Ordering};

/// How long all shards together may work in a tick, so that the next tick's phases are tried with one thread each. A second would come too late.
///
/// For longer phases that is a bad beginning: the second thread is then often put on the first one's core, and stays there. Phases of 4 shards that
/// work 20 µs each took 87 µs that way, as long as on one thread, and 45 µs if both threads got them at once.
const SMALL: Duration = Duration::from_micros(8);
/// What each shard may add to that. To hand its four phases out takes about as long, and two threads don't do that faster than one.
const SMALL_SHARD: Duration = Duration::from_nanos(800);

/// Whether a tick of this many shards was small, for the time that they worked in it.
pub(super) fn is_small(worked: Duration, shards: usize) -> bool {
    let shards = u32::try_from(shards).unwrap_or(u32::MAX);
    worked <= SMALL.saturating_add(SMALL_SHARD.saturating_mul(shards))
}

impl<S: Shard> Colony<S> {
    pub(super) fn run_phase(
        &mut self,
        report: &mut PhaseReport,
        work: &Arc<Work<S::Document, S::View>>,
    ) -> Result<(), ColonyError> {
        let (phase, tick) = (report.phase, work.input.tick);
        let opened = Instant::now();
        let rounds = self.begin_phase(phase, work);
        let awaited = self.await_phase(phase, tick, &rounds);
        rounds.iter().for_each(|round| round.end());
        awaited?;
        report.elapsed = opened.elapsed();
        for part in &mut self.parts {
            let Some(outcome) = part.slot.collect() else {
                continue;
            };
            let Outcome {
                elapsed,
                refused,
                view,
            } = outcome;
            self.worked = self.worked.saturating_add(elapsed);
            if report.slowest.is_none_or(|(_, longest)| elapsed > longest) {
                report.slowest = Some((part.slot.id(), elapsed));
            }
            if phase == TickPhase::Act {
                part.refused = refused;
            }
            part.made = view;
        }
        Ok(())
    }

    /// Hands the phase to the threads of the pool, or to each shard's own thread.
    fn begin_phase(
        &self,
        phase: TickPhase,
        work: &Arc<Work<S::Document, S::View>>,
    ) -> Vec<Arc<Round<S::Document, S::View>>> {
        let tick = work.input.tick;
        let parts = self.parts.iter().enumerate();
        let armed: Vec<_> = parts
            .filter(|(_, part)| part.slot.arm(phase, tick))
            .map(|(at, part)| (part.slot.id(), at))
            .collect();
        let round = |places| Arc::new(Round::new(phase, work, places));
        let places = armed.iter().map(|&(_, at)| at);
        match &self.crew {
            Crew::Own(_) => {
                let rounds: Vec<_> = places.map(|at| round(vec![at])).collect();
                for (&(shard, _), round) in armed.iter().zip(&rounds) {
                    self.crew.spawn(shard, self.task(round));
                }
                rounds
            }
            Crew::Pool(_) if armed.is_empty() => Vec::new(),
            Crew::Pool(pool) => {
                let round = round(places.collect());
                let is_over = || self.shared.coordinator.is_complete(phase, tick);
                let mut tasks = self.config.threads.min(armed.len());
                if self.is_small {
                    let over = pool.try_alone(self.task(&round), is_over);
                    tasks = if over { 0 } else { tasks - 1 };
                }
                for _ in 0..tasks {
                    pool.spawn(self.task(&round));
                }
                vec![round]
            }
        }
    }

    /// The task of one thread in a round.
    fn task(
        &self,
        round: &Arc<Round<S::Document, S::View>>,
    ) -> impl FnOnce(&Worker) + Send + 'static {
        let (shared, round) = (Arc::clone(&self.shared), Arc::clone(round));
        move |worker| shared.run(&round, worker)
    }

    /// Waits until every shard has finished the phase or is given up.
    fn await_phase(
        &self,
        phase: TickPhase,
        tick: Tick,
        rounds: &[Arc<Round<S::Document, S::View>>],
    ) -> Result<(), ColonyError> {
        let limit = self.config.phase_timeout;
        let mut watch = Watch::new(limit, self.shared.moment(), Instant::now());
        loop {
            let now = Instant::now();
            let left = self.closing.map(|end| end.saturating_duration_since(now));
            let patience = watch.patience(now);
            let patience = left.map_or(patience, |left| left.min(patience));
            let coordinator = &self.shared.coordinator;
            match coordinator.wait_for_phase_timeout(phase, tick, patience) {
                Ok(()) | Err(Error::Barrier(BarrierError::NoMembers)) => return Ok(()),
                Err(Error::Barrier(BarrierError::PhaseTimeout { .. })) => {}
                Err(Error::Barrier(other)) => return Err(ColonyError::Barrier(other)),
                Err(other) => return Err(ColonyError::Coordinator(other)),
            }
            let now = Instant::now();
            if self.closing.is_some_and(|end| now >= end) {
                return Err(ColonyError::NotPublished { tick });
            }
            self.shared.moment.store(watch.look(now), Ordering::Relaxed);
            self.give_up_overrun(&watch, rounds)?;
        }
    }

    /// Gives up the shards that have been running for too long. Their threads are lost until they return, and new threads take their place.
    fn give_up_overrun(
        &self,
        watch: &Watch,
        rounds: &[Arc<Round<S::Document, S::View>>],
    ) -> Result<(), ColonyError> {
        let max = self.config.max_lost_threads;
        let kind = FaultKind::Overran(self.config.phase_timeout);
        let mut lost = 0;
        for Part { slot, .. } in &self.parts {
            let overrun =
                matches!(slot.standing(), Standing::Running(since) if watch.is_overrun(since));
            if overrun && self.shared.give_up(slot, kind.clone()) {
                lost = self
                    .crew
                    .replace(slot.id())
                    .map_err(|error| ColonyError::Threads(Cause::new(error)))?;
                if let (Crew::Pool(_), Some(round)) = (&self.crew, rounds.first()) {
                    self.crew.spawn(slot.id(), self.task(round));
                }
            }
        }
        if lost > max {
            return Err(ColonyError::TooManyLostThreads { lost, max });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_small_by_the_work_of_its_shards_and_their_number() {
        let micros = Duration::from_micros;
        assert!(is_small(micros(8), 0) && !is_small(micros(9), 0));
        assert!(is_small(micros(16), 10) && !is_small(micros(17), 10));
        let unknown = Duration::MAX;
        assert!(!is_small(unknown, usize::MAX), "as before the first tick");
    }
}
