//! What one asks a colony that was opened with a directory.

use super::quarantine::Quarantined;
use super::report::OpenReport;
use super::verify::{Verified, verify};
use crate::colony::{Colony, Shard, Write};
use crate::error::ColonyError;
use crate::id::Tick;
use crate::sync::Instant;

impl<S: Shard> Colony<S> {
    /// Returns what [`open`](Self::open) did, or `None` if the colony is in memory.
    pub const fn opened(&self) -> Option<&OpenReport> {
        self.opened.as_ref()
    }

    /// Writes the last publication down, so that the log before it isn't needed any more. Returns its tick.
    ///
    /// A checkpoint also begins by itself when the log is [long](super::DurableConfig::log_bytes), and runs beside the ticks. This call waits for
    /// it. Costs about as much as writing the files of what has changed since the last one, which the shard decides.
    ///
    /// # Errors
    /// [`ColonyError::InMemory`] if the colony has no directory; [`ColonyError::NotDurable`] if the deadline passes first, when the checkpoint goes
    /// on; [`ColonyError::Storage`] or [`ColonyError::Save`] if it fails. The last one that was complete counts then, and the log keeps the rest.
    pub fn checkpoint(&mut self, deadline: Instant) -> Result<Tick, ColonyError> {
        if self.ended.is_some() {
            return Err(ColonyError::Closed);
        }
        let journal = self.journal.as_mut().ok_or(ColonyError::InMemory)?;
        let saved = journal.checkpoint(deadline);
        // The log may have been full.
        self.shared.admission.write().refusal = journal.refusal();
        saved
    }

    /// Returns the tick of the last checkpoint since the colony was opened, and how it ended. `None` if none has ended, or the colony is in memory.
    ///
    /// A checkpoint that begins by itself tells its failure here alone. The log then keeps what it has, as it does for a shard that is behind. If it can't
    /// be cut for long, no write is accepted any more: [`IntakeError::LogFull`](crate::error::IntakeError::LogFull).
    pub fn last_checkpoint(&self) -> Option<(Tick, Result<(), ColonyError>)> {
        self.journal.as_ref()?.last_checkpoint()
    }

    /// Returns the writes that were set aside, in their order, because their shard died of them each time. Empty if the colony is in memory.
    pub fn quarantine(&self) -> Vec<Quarantined> {
        let journal = self.journal.as_ref();
        journal.map_or_else(Vec::new, |journal| journal.quarantine())
    }

    /// Takes a document's writes of one tick out of the quarantine, durably: a checkpoint is written. Write them again, or drop them.
    ///
    /// # Errors
    /// [`ColonyError::NotQuarantined`] if there is no such entry. Otherwise those of [`checkpoint`](Self::checkpoint), and the entry stays.
    pub fn take_quarantined(
        &mut self,
        entry: &Quarantined,
        deadline: Instant,
    ) -> Result<Vec<Write<S::Document>>, ColonyError> {
        if self.ended.is_some() {
            return Err(ColonyError::Closed);
        }
        let journal = self.journal.as_mut().ok_or(ColonyError::InMemory)?;
        let taken = journal.take_quarantined(entry, deadline);
        // It has written a checkpoint.
        self.shared.admission.write().refusal = journal.refusal();
        taken
    }

    /// Checks that each document of the last publication is in one shard, its owner. What moves is right in the shard that it leaves until a publication
    /// shows it in the other one.
    ///
    /// # Errors
    /// [`ColonyError::Documents`] if a view can't list its documents.
    pub fn verify(&self) -> Result<Verified, ColonyError> {
        let handover = self.moving.handover.as_ref();
        let leave =
            |shard| handover.map(|handover| handover.gone_from(shard).into_iter().collect());
        verify(&self.publication(), self.topology().ring(), |shard| {
            leave(shard).unwrap_or_default()
        })
    }
}
