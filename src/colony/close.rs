//! The end of a colony: closed by its caller, closed by a tick that failed, or dropped.

use super::Colony;
use super::report::{CloseReport, ReturnReason, Returned};
use super::settle::settle;
use super::shard::Shard;
use super::slot::Standing;
use super::threads::move_out;
use super::write::{Origin, Write};
use crate::observe;
use crate::sync::Instant;

impl<S: Shard> Colony<S> {
    /// Closes the colony: publishes the pending writes and messages in a last tick, then waits for the threads to end.
    ///
    /// No more writes are accepted from the moment of the call. A [prepared](Self::prepare) tick is published first. Writes that can't be
    /// published before the deadline, or that an earlier failed tick left, come back in the report. Returns at the deadline at the
    /// latest, unless your own code for views, statistics or drops blocks this thread.
    ///
    /// Readers keep the last publication. [`Intake::wait_published`](crate::colony::Intake::wait_published) still succeeds for published
    /// ticks.
    pub fn close(mut self, deadline: Instant) -> CloseReport<S::Document> {
        self.shared.admission.write().closed = true;
        self.closing = Some(deadline);
        if self.unsealed.is_some() {
            // What it fails with, the last tick fails with as well.
            let _ = self.prepare();
        }
        let prepared = self.ready.is_some().then(|| self.publish());
        let mut last = match self.ended.take() {
            Some(cause) => Err(cause),
            None => self.tick(),
        };
        if let (Some(_), Ok(report)) = (&self.journal, &mut last) {
            // Nobody has seen yet what they decided. The log has it, and the next opening shows it.
            for part in self.moving.take_held() {
                settle(part, report);
            }
        }
        // Publishing a prepared tick can't fail.
        let prepared = prepared.and_then(Result::ok);
        let is_last = last.is_ok();
        let journal = self.journal.as_mut().filter(|_| is_last);
        let checkpoint = journal.map(|journal| journal.checkpoint(deadline));
        self.end();
        let report = CloseReport {
            checkpoint,
            prepared,
            last,
            faults: std::mem::take(&mut self.unreported),
            returned: self.take_unpublished(),
            threads_left: self.crew.join(deadline) + self.leave_journal(deadline),
        };
        observe::closed(&report);
        report
    }

    /// Ends writes, ticks and publications, and drops the shards. Idempotent.
    ///
    /// Intakes and readers may live longer. The shards are dropped on the colony's threads, because a drop may block.
    pub(super) fn end(&mut self) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        self.shared.close();
        let table = self.shared.table();
        let mut standings = table.slots().iter().map(|slot| slot.standing());
        if standings.any(|standing| matches!(standing, Standing::Running(_))) {
            // Blocked threads drop nothing. Without new ones the shards would wait until those return.
            drop(self.crew.help(self.config.threads));
        }
        for slot in table.slots() {
            if let Some(held) = slot.retire() {
                self.crew.spawn(slot.id(), move |_| {
                    drop(held);
                    move_out();
                });
            }
        }
        // A shard that is still running can't die any more, and has no fault.
        let faults = table.slots().iter().filter_map(|slot| slot.take_fault());
        self.unreported.extend(faults.inspect(observe::fault));
    }

    /// Ends the journal's threads. Returns how many are still running at the deadline.
    fn leave_journal(&mut self, deadline: Instant) -> usize {
        let journal = self.journal.take();
        journal.map_or(0, |mut journal| journal.leave(deadline))
    }

    /// Takes the writes that a failed tick left with the driver, and those that are still in the inboxes.
    fn take_unpublished(&mut self) -> Vec<Returned<S::Document>> {
        let mut returned = self.returned.take();
        let closed = |shard, origin, write: Write<_>| Returned {
            shard: Some(shard),
            origin,
            write,
            reason: ReturnReason::Closed,
        };
        let mut drained = std::mem::take(&mut self.parts);
        drained.extend(self.unsealed.take().into_iter().flat_map(|tick| tick.parts));
        drained.extend(self.moving.take_held());
        drained.extend(std::mem::take(&mut self.behind).into_values().flatten());
        for part in drained {
            let (shard, writes) = (part.slot.id(), part.writes.written());
            returned.extend(writes.map(|(origin, write)| {
                let mut returned = closed(shard, origin, write.clone());
                if self.journal.is_some() {
                    returned.reason = ReturnReason::Undecided;
                }
                returned
            }));
        }
        let table = self.shared.table();
        let unseen = self.moving.take_unseen(|shard| table.get(shard).is_some());
        let unseen = unseen.into_iter();
        returned
            .extend(unseen.map(|(shard, from, write)| closed(shard, Origin::Moved(from), write)));
        for slot in table.slots() {
            // Nothing of it was written ahead: a colony ends in a tick, which has taken that.
            let waiting = slot.inbox.take().writes.take().into_iter();
            returned.extend(waiting.map(|write| closed(slot.id(), Origin::Intake, write)));
        }
        returned
    }
}

/// Wakes everyone who waits for the colony. Unpublished writes are lost.
impl<S: Shard> Drop for Colony<S> {
    fn drop(&mut self) {
        self.end();
    }
}
