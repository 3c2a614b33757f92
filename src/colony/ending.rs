//! How a colony ends: closed by its caller, given up by a tick, or dropped.

use super::Colony;
use super::report::{CloseReport, ReturnReason, Returned};
use super::shard::Shard;
use super::slot::Standing;
use crate::sync::Instant;

impl<S: Shard> Colony<S> {
    /// Ends the colony: accepts nothing more, publishes what is in the inboxes by a last tick, and waits for the threads. What the
    /// deadline or a lost thread keeps from being published comes back in the report.
    ///
    /// Readers keep the last publication, and [`Intake::wait_published`](crate::Intake::wait_published) still answers for what was
    /// published.
    pub fn close(mut self, deadline: Instant) -> CloseReport<S::Document> {
        self.shared.admission.write().closed = true;
        self.closing = Some(deadline);
        let last = match self.ended.take() {
            Some(cause) => Err(cause),
            None => self.run_tick(),
        };
        self.end();
        CloseReport {
            last,
            faults: std::mem::take(&mut self.unreported),
            returned: self.take_unpublished(),
            threads_left: self.pool.join(deadline),
        }
    }

    /// No more writes, ticks or publications. Doing it again changes nothing.
    ///
    /// The shards are dropped, though intakes and readers may live on: on the colony's threads, since a drop may block as long as it likes.
    pub(super) fn end(&mut self) {
        self.shared.close();
        let running = self.standings().any(|s| matches!(s, Standing::Running(_)));
        let shards: Vec<_> = self
            .shards()
            .filter_map(|(_, slot)| slot.retire())
            .collect();
        // What runs on can't be evicted any more, and has no fault.
        let faults = self.faults();
        self.unreported.extend(faults);
        if !shards.is_empty() && (running || self.lost_threads > 0) {
            // Threads that are held drop nothing. Without new ones the shards wait for the old ones to get free.
            drop(self.pool.replace());
        }
        for shard in shards {
            self.pool.spawn(move || drop(shard));
        }
    }

    /// The writes that a tick that failed left with the driver, and what still was in the inboxes then.
    fn take_unpublished(&mut self) -> Vec<Returned<S::Document>> {
        let mut returned = Vec::new();
        let pending = std::mem::take(&mut self.pending);
        for (index, (shard, slot)) in self.shards().enumerate() {
            let drained = pending
                .get(index)
                .into_iter()
                .flat_map(|writes| writes.iter());
            let waiting = slot.inbox.receiver.try_iter();
            returned.extend(drained.cloned().chain(waiting).map(|write| Returned {
                shard,
                write,
                reason: ReturnReason::Closed,
            }));
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
