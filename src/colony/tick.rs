//! The tick: four phases in lockstep on the colony's threads, then one publication.
//!
//! [`Colony::prepare`] does all the work and shows nothing. [`Colony::publish`] makes all of it visible at once, and can't fail after a
//! successful `prepare`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Colony;
use super::intake::Taken;
use super::journal::Healed;
use super::moves::Handover;
use super::occupant::Made;
use super::phases::is_small;
use super::placing::place;
use super::report::{MessageCounts, PhaseReport, ReturnReason, Returned, Revival, TickReport};
use super::round::{Input, Share, Work, Writes};
use super::settle::settle;
use super::shard::Shard;
use super::slot::Slot;
use super::table::Table;
use super::write::{Origin, Refusal, Write};
use crate::error::ColonyError;
use crate::guarded::GuardedList;
use crate::id::{DocumentId, ShardId, Tick};
use crate::observe;
use crate::phase::TickPhase;
use crate::publication::{Publication, Published, View};
use crate::sync::Arc;

/// One shard's part of the running tick.
pub(super) struct Part<D, V: View> {
    pub(super) slot: Arc<Slot<D, V>>,
    pub(super) writes: Arc<Writes<D>>,
    pub(super) refused: GuardedList<(usize, Refusal)>,
    pub(super) made: Option<Made<V>>,
    /// The writes that were set aside, by their index, and why.
    pub(super) aside: Vec<(usize, String)>,
    /// Its next life, if the shard died and has applied the tick again.
    pub(super) risen: Option<Arc<Slot<D, V>>>,
    /// Whether the tick is published without it, since a shard that it moves documents with has died.
    pub(super) is_held: bool,
    /// Whether what it decided then is in the log, so that it stays so if the life dies.
    pub(super) is_logged: bool,
    /// Whether the log has the writes, and the shard applies them once it is alive again.
    pub(super) is_behind: bool,
}

impl<D: Send + Sync + 'static, V: View> Part<D, V> {
    /// Returns the life that has finished the tick, if one has.
    pub(super) fn life(&self) -> &Arc<Slot<D, V>> {
        self.risen.as_ref().unwrap_or(&self.slot)
    }
}

/// Parts of several ticks, by shard.
pub(super) type Parts<D, V> = BTreeMap<ShardId, Vec<Part<D, V>>>;

/// A tick that all shards have finished and that isn't visible yet.
pub(super) struct Ready<D, V: View> {
    pub(super) tick: Tick,
    pub(super) phases: [PhaseReport; 4],
    pub(super) publication: Arc<Publication<V>>,
    pub(super) parts: Vec<Part<D, V>>,
    pub(super) messages: GuardedList<(ShardId, Write<D>)>,
    pub(super) revived: Vec<Revival>,
    pub(super) healed: Healed<D, V>,
    pub(super) watch: observe::TickWatch,
}

/// The tick that [`Colony::prepare`] has prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Prepared {
    /// The tick.
    pub tick: Tick,
}

impl<S: Shard> Colony<S> {
    /// Runs one tick and publishes it: [`prepare`](Self::prepare) and [`publish`](Self::publish) in one call. If a tick is already
    /// prepared, publishes that one. See the example of [`Colony`].
    ///
    /// # Errors
    /// The same as [`prepare`](Self::prepare), except [`ColonyError::AlreadyPrepared`].
    pub fn tick(&mut self) -> Result<TickReport<S::Document>, ColonyError> {
        if self.ready.is_none() {
            self.prepare()?;
        }
        self.publish()
    }

    /// Runs the next tick without making it visible. [`publish`](Self::publish) then does that, and can't fail.
    ///
    /// Drains the inboxes, places the messages, runs the four phases and computes the statistics. Blocks until every shard has finished
    /// or died. A shard that panics, fails or overruns dies and is reported; the tick of the others goes on. If there are more shards than
    /// threads, each phase may take a multiple of [`phase_timeout`](crate::ColonyConfig::phase_timeout).
    ///
    /// ```
    /// use tickring::error::ColonyError;
    /// use tickring::{Colony, ColonyConfig};
    /// # use tickring::colony::{Batch, TickContext};
    /// # use tickring::publication::ShardFailure;
    /// # struct Sink;
    /// # impl tickring::Shard for Sink {
    /// #     type Document = ();
    /// #     type View = ();
    /// #     fn act(&mut self, _: &mut TickContext<'_, (), ()>, _: &mut Batch<'_, ()>) -> Result<(), ShardFailure> {
    /// #         Ok(())
    /// #     }
    /// #     fn view(&mut self) -> Result<(), ShardFailure> {
    /// #         Ok(())
    /// #     }
    /// # }
    ///
    /// let mut colony = Colony::new(ColonyConfig::default(), 2, |_| Ok(Sink))?;
    /// let tick = colony.prepare()?.tick;
    /// assert_eq!(colony.publication().tick(), None); // not visible yet
    /// assert_eq!(colony.prepare(), Err(ColonyError::AlreadyPrepared { tick }));
    ///
    /// colony.publish()?;
    /// assert_eq!(colony.publication().tick(), Some(tick));
    /// assert_eq!(colony.publish().unwrap_err(), ColonyError::NothingPrepared);
    /// # Ok::<(), ColonyError>(())
    /// ```
    ///
    /// # Errors
    /// - [`ColonyError::AlreadyPrepared`]: nothing changed; publish the prepared tick first.
    /// - [`ColonyError::TooManyLostThreads`], [`ColonyError::Threads`], [`ColonyError::Statistics`], [`ColonyError::Barrier`] and
    ///   [`ColonyError::Coordinator`]: the colony is now closed. The tick is not published, and its writes come back from
    ///   [`close`](Self::close).
    /// - `ColonyError::Storage`, in a durable colony: without space, or if the log can't be written, the tick stays as it is, and the next call tries
    ///   again. After a failed sync the colony is closed, and [`close`](Self::close) returns the tick's writes as undecided.
    /// - [`ColonyError::Closed`]: an earlier call has closed the colony.
    pub fn prepare(&mut self) -> Result<Prepared, ColonyError> {
        if self.ended.is_some() {
            return Err(ColonyError::Closed);
        }
        if let Some(ready) = &self.ready {
            return Err(ColonyError::AlreadyPrepared { tick: ready.tick });
        }
        if self.unsealed.is_none() {
            self.unsealed = Some(self.run_phases().map_err(|cause| self.fail(cause))?);
        }
        self.seal()
    }

    /// Makes the tick durable that has run.
    fn seal(&mut self) -> Result<Prepared, ColonyError> {
        if let (Some(journal), Some(ready)) = (&mut self.journal, &mut self.unsealed) {
            let _entered = ready.watch.enter();
            let sealed = journal.seal(ready, &mut self.returned);
            self.shared.admission.write().refusal = journal.refusal();
            match sealed {
                Err(cause) if cause.keeps_tick() => return Err(cause),
                Err(cause) => return Err(self.fail(cause)),
                Ok(()) => {}
            }
        }
        self.ready = self.unsealed.take();
        let ready = self.ready.as_ref().ok_or(ColonyError::NothingPrepared)?;
        Ok(Prepared { tick: ready.tick })
    }

    /// Closes the colony for this reason.
    fn fail(&mut self, cause: ColonyError) -> ColonyError {
        observe::failed(&cause);
        self.ended = Some(cause.clone());
        self.end();
        cause
    }

    fn run_phases(&mut self) -> Result<Ready<S::Document, S::View>, ColonyError> {
        let tick = self.shared.coordinator.current_tick();
        let watch = observe::TickWatch::begin(tick);
        let _entered = watch.enter();
        self.drain(tick);
        watch.drained(self.parts.len());
        let share = |part: &Part<_, _>| Share {
            slot: Arc::clone(&part.slot),
            writes: Arc::clone(&part.writes),
        };
        let work = Arc::new(Work {
            input: Input {
                tick,
                closing: self.closing.is_some(),
                topology: self.shared.coordinator.topology(),
                publication: self.shared.publication.load_full(),
                blank: self
                    .journal
                    .as_ref()
                    .map(|journal| Arc::clone(journal.blank())),
            },
            shares: self.parts.iter().map(share).collect(),
        });
        let mut phases = TickPhase::ALL.map(|phase| PhaseReport {
            phase,
            elapsed: Duration::ZERO,
            slowest: None,
        });
        self.is_small = is_small(self.worked, self.parts.len());
        self.worked = Duration::ZERO;
        for report in &mut phases {
            let span = observe::phase(report.phase);
            let _entered = span.enter();
            self.run_phase(report, &work)?;
            observe::phase_ended(&span, report);
        }
        self.conclude(tick, &work.input.publication, phases, watch)
    }

    /// Empties the inboxes and places the messages of the last tick. Returns the writes for dead shards that have no new life yet.
    fn drain(&mut self, tick: Tick) {
        self.ahead = 0;
        let (table, taken) = self.collect_for_next(tick);
        let topology = self.shared.coordinator.topology();
        let slots = table.slots().iter();
        let joining: Vec<_> = slots.clone().map(|slot| slot.joins(tick)).collect();
        let handover = self.moving.handover.as_ref();
        let is_partial = |slot: &Arc<Slot<_, _>>| {
            let is_partial = |handover: &Handover<_, _>| handover.is_partial(slot.id());
            handover.is_some_and(is_partial)
        };
        let waiting: Vec<_> = slots.clone().map(is_partial).collect();
        let mut messages: Vec<GuardedList<_>> = slots.map(|_| GuardedList::default()).collect();
        for (from, write) in self.messages.take() {
            let owner = topology.place(&write.id()).ok();
            let at = owner.and_then(|owner| table.place(owner).ok());
            match at.filter(|&at| joining[at]) {
                Some(at) if waiting[at] && self.closing.is_none() => {
                    self.messages.push((from, write));
                }
                Some(at) if !waiting[at] => messages[at].push((from, write)),
                _ => self.returned.push(Returned {
                    shard: owner,
                    origin: Origin::Shard(from),
                    write,
                    reason: at.map_or(ReturnReason::NoOwner, |_| ReturnReason::Recovering),
                }),
            }
        }
        let owner = |id: &DocumentId| topology.place(id).ok();
        let taken = taken.map(|taken| place(taken, &joining, &table, owner));
        let mut taken = taken.into_iter().flatten();
        self.parts.clear();
        let slots = table.slots().iter().zip(waiting);
        for (((slot, waits), messages), joins) in slots.zip(messages).zip(joining) {
            let Taken {
                writes: mut intake,
                mut logged,
                ahead,
                numbers,
            } = match taken.next() {
                Some(taken) => taken,
                // In the inbox they wait, and those that come later behind them.
                None if joins && waits => Taken::default(),
                None => slot.inbox.take(),
            };
            if !joins {
                // The log was given nothing of it: between two ticks no shard dies, and one that doesn't join gives nothing ahead.
                self.give_back(slot.id(), intake.take());
                logged.clear();
            }
            let handover = self.moving.handover.as_ref();
            let moves = handover.map(|handover| handover.due(slot.id(), joins));
            self.parts.push(Part {
                slot: Arc::clone(slot),
                writes: Arc::new(Writes {
                    moves: moves.unwrap_or_default(),
                    messages,
                    intake,
                    logged,
                    ahead,
                    numbers,
                }),
                refused: GuardedList::new(),
                made: None,
                aside: Vec::new(),
                risen: None,
                is_held: false,
                is_logged: false,
                is_behind: false,
            });
        }
        if let Some(journal) = &mut self.journal {
            journal.begin(tick, &topology, self.moving.wanted(), &self.parts);
        }
        self.shared.gate.drained(tick);
    }

    /// Lets tickets name the next tick, and takes the step towards the goal. Returns the shards, and if the ring has changed, what was in their inboxes.
    fn collect_for_next(&mut self, tick: Tick) -> Collected<S> {
        let chosen = self.choose_moves(tick);
        let shared = Arc::clone(&self.shared);
        let mut admission = shared.admission.write();
        admission.collecting = tick.saturating_add(1);
        let is_other_ring = chosen.is_some_and(|chosen| self.take_step(chosen));
        // What is accepted from here on is placed by the other ring, and must not come before what was accepted for the same document.
        let slots = admission.table.slots().iter();
        let taken = is_other_ring.then(|| slots.map(|slot| slot.inbox.take()).collect());
        (Arc::clone(&admission.table), taken)
    }

    /// Returns the pending writes of a dead shard.
    pub(super) fn give_back(&mut self, shard: ShardId, writes: Vec<Write<S::Document>>) {
        self.returned
            .extend(writes.into_iter().map(|write| Returned {
                shard: Some(shard),
                origin: Origin::Intake,
                write,
                reason: ReturnReason::Died { suspect: false },
            }));
    }

    /// Publishes the tick that [`prepare`](Self::prepare) has prepared: the views of all shards become visible at once.
    ///
    /// Then the next tick begins, and the dead shards' next incarnations are registered. See the example of [`prepare`](Self::prepare).
    ///
    /// # Errors
    /// [`ColonyError::NothingPrepared`] or [`ColonyError::Closed`]. Nothing changed.
    pub fn publish(&mut self) -> Result<TickReport<S::Document>, ColonyError> {
        if self.ended.is_some() {
            return Err(ColonyError::Closed);
        }
        let mut ready = self.ready.take().ok_or(ColonyError::NothingPrepared)?;
        let messages = ready.messages.take();
        let _entered = ready.watch.enter();
        let (tick, publication) = (ready.tick, ready.publication);
        observe::frozen(tick, &self.shared.publication, &publication);
        let epoch = publication.epoch();
        let frozen = publication.shards().iter().filter(|p| p.is_frozen());
        let frozen = frozen.map(Published::shard).collect();
        drop(self.shared.publication.swap(publication));
        let sent = messages.len();
        // Behind those that wait for a shard that catches up.
        self.messages.extend(messages);
        self.rise(&ready.parts);
        for part in &ready.parts {
            let is_alive = part.risen.is_some() || part.slot.joins(tick);
            part.life().accept(is_alive);
        }
        let faults = ready.parts.iter();
        let faults = faults.filter_map(|part| part.slot.take_fault()).collect();
        self.begin_lives();
        self.shared.coordinator.advance_tick();
        self.shared.gate.published(tick);
        let mut report = TickReport {
            tick,
            epoch,
            phases: ready.phases,
            published: 0,
            moved: 0,
            messages: MessageCounts { published: 0, sent },
            returned: self.returned.take(),
            faults,
            revived: ready.revived,
            frozen,
        };
        for risen in ready.parts.iter().filter(|part| part.risen.is_some()) {
            // What it has decided of that comes late.
            self.behind.remove(&risen.slot.id());
        }
        for part in ready.healed.late.into_iter().chain(ready.parts) {
            self.tell(part, &mut report);
        }
        report.faults.extend(ready.healed.faults);
        if let Some(journal) = &mut self.journal {
            journal.published(&self.shared.publication.load_full());
            self.shared.admission.write().refusal = journal.refusal();
        }
        if let Some(journal) = &mut self.journal {
            journal.reported(&report);
        }
        self.end_moves(report.phases.iter().map(|phase| phase.elapsed).sum());
        let coordinator = &self.shared.coordinator;
        ready
            .watch
            .published(&report, coordinator, || self.crew.lost());
        Ok(report)
    }
}

impl<S: Shard> Colony<S> {
    /// Tells what became of a shard's part of a tick, unless nobody can see it yet.
    fn tell(&mut self, part: Part<S::Document, S::View>, report: &mut TickReport<S::Document>) {
        if part.is_behind {
            if part.writes.written().next().is_some() {
                self.behind.entry(part.slot.id()).or_default().push(part);
            }
            return;
        }
        match &mut self.moving.handover {
            None => settle(part, report),
            Some(handover) => {
                for part in handover.settle(part) {
                    settle(part, report);
                }
            }
        }
    }
}

/// The shards of a tick, and what was in their inboxes if the ring has changed.
type Collected<S> = (
    Arc<Table<<S as Shard>::Document, <S as Shard>::View>>,
    Option<Vec<Taken<<S as Shard>::Document>>>,
);
