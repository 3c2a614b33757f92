//! Writes that become durable before their tick begins, for those who wait for that.

use super::Colony;
use super::shard::Shard;
use super::slot::Slot;
use crate::sync::Arc;

/// What became of the writes that were accepted for the next tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ahead {
    /// They are durable.
    Durable,
    /// The log has failed, and may have the last of them or not. The next tick tries again.
    Failed,
    /// The next tick has to come first.
    NotBegun,
}

impl<S: Shard> Colony<S> {
    /// Writes down what was accepted for the next tick, and tells those who wait for that.
    pub(crate) fn write_ahead(&mut self) -> Ahead {
        if self.ended.is_some() || self.unpublished_tick().is_some() {
            return Ahead::NotBegun;
        }
        // Before the inboxes: who asks later may have put something in that isn't seen here.
        let answer = self.shared.gate.begin_answer();
        let topology = self.shared.coordinator.topology();
        let journal = self.journal.as_mut();
        let Some(journal) = journal.filter(|journal| journal.takes_ahead(&topology)) else {
            return Ahead::NotBegun;
        };
        let tick = self.shared.coordinator.current_tick();
        let table = self.shared.table();
        // What waits for a dead shard comes back with the next tick, so that nobody may be told that it is durable. And only a tick makes room.
        let needs_tick = |slot: &Arc<Slot<S::Document, S::View>>| {
            if slot.joins(tick) {
                slot.inbox.is_half_full()
            } else {
                !slot.inbox.is_empty()
            }
        };
        if table.slots().iter().any(needs_tick) {
            return Ahead::NotBegun;
        }
        let (mut count, mut pieces) = (0, Vec::new());
        for slot in table.slots().iter().filter(|slot| slot.joins(tick)) {
            let (writes, logged) = slot.inbox.take_logged(self.ahead);
            count += writes;
            pieces.push(logged);
        }
        if count > 0 {
            self.ahead += 1;
            if !journal.ahead(tick, count, &pieces) {
                return Ahead::Failed;
            }
        }
        self.shared.gate.answer(answer);
        Ahead::Durable
    }
}

#[cfg(all(test, feature = "durable", not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use crate::colony::write::Write;
    use crate::id::DocumentId;
    use crate::testing::durable::Hazards;
    use crate::testing::durable::tests::{die, opened, upsert};
    use crate::testing::storage::Simulation;

    /// A shard accepts writes for the next tick until it dies in this one.
    #[test]
    fn d1_nothing_is_told_to_be_durable_that_comes_back_from_a_dead_shard() {
        let (disk, hazards) = (Simulation::new(1), Hazards::default());
        let mut colony = opened(&disk, &hazards);
        let shard = upsert(&colony, 1, "text");
        colony.tick().unwrap();
        hazards.close(shard, 0, u32::MAX);
        die(&hazards, &colony, shard);
        colony.prepare().unwrap();
        let write = Write::Delete {
            id: DocumentId::from_seed(1),
        };
        let mut logged = Vec::new();
        colony.shared.encode.as_ref().unwrap()(&write, &mut logged).unwrap();
        let table = colony.shared.table();
        let inbox = &table.get(shard).unwrap().inbox;
        inbox.put(&write, &logged, shard).unwrap();
        colony.publish().unwrap();
        assert_eq!(colony.write_ahead(), Ahead::NotBegun);
        assert_eq!(colony.tick().unwrap().returned.len(), 1);
        assert_eq!(colony.write_ahead(), Ahead::Durable);
    }
}
