//! How a colony ends: closed by its caller, given up by a tick, or dropped.

use super::Colony;
use super::crew::move_out;
use super::report::{CloseReport, ReturnReason, Returned};
use super::shard::Shard;
use super::slot::Standing;
use super::write::{Origin, Write};
use crate::sync::Instant;

impl<S: Shard> Colony<S> {
    /// Ends the colony: accepts nothing more, publishes what is in the inboxes and what shards have sent by a last tick, and waits for the
    /// threads. A tick that is [prepared](Self::prepare) is published before. What the deadline or a lost thread keeps from being published
    /// comes back in the report.
    ///
    /// Readers keep the last publication, and [`Intake::wait_published`](crate::colony::Intake::wait_published) still answers for what was
    /// published.
    pub fn close(mut self, deadline: Instant) -> CloseReport<S::Document> {
        self.shared.admission.write().closed = true;
        self.closing = Some(deadline);
        let prepared = self.ready.is_some().then(|| self.publish());
        let last = match self.ended.take() {
            Some(cause) => Err(cause),
            None => self.tick(),
        };
        // Some tick that was prepared is published, and can't fail.
        let prepared = prepared.and_then(Result::ok);
        self.end();
        CloseReport {
            prepared,
            last,
            faults: std::mem::take(&mut self.unreported),
            returned: self.take_unpublished(),
            threads_left: self.crew.join(deadline),
        }
    }

    /// No more writes, ticks or publications. Doing it again changes nothing.
    ///
    /// The shards are dropped, though intakes and readers may live on: on the colony's threads, since a drop may block as long as it likes.
    pub(super) fn end(&mut self) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        self.shared.close();
        let table = self.shared.table();
        let mut standings = table.slots().iter().map(|slot| slot.standing());
        if standings.any(|standing| matches!(standing, Standing::Running(_))) {
            // Threads that are held drop nothing. Without new ones the shards wait for the old ones to get free.
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
        // What runs on can't die any more, and has no fault.
        let faults = table.slots().iter().filter_map(|slot| slot.take_fault());
        self.unreported.extend(faults);
    }

    /// The writes that a tick that failed left with the driver, and what still was in the inboxes then.
    fn take_unpublished(&mut self) -> Vec<Returned<S::Document>> {
        let mut returned = self.returned.take();
        let closed = |shard, origin, write: Write<_>| Returned {
            shard: Some(shard),
            origin,
            write,
            reason: ReturnReason::Closed,
        };
        for part in std::mem::take(&mut self.parts) {
            let (shard, drained) = (part.slot.id(), part.writes.iter());
            returned.extend(drained.map(|(origin, write)| closed(shard, origin, write.clone())));
        }
        for slot in self.shared.table().slots() {
            let waiting = slot.inbox.take().take().into_iter();
            returned.extend(waiting.map(|write| closed(slot.id(), Origin::Intake, write)));
        }
        returned
    }
}

/// Ends what others may wait for. What was not published is lost.
impl<S: Shard> Drop for Colony<S> {
    fn drop(&mut self) {
        self.end();
    }
}
