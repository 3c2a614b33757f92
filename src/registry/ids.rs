//! Which ids are planned, and which have been used: an id that a shard has had is never given to another.

use std::collections::BTreeSet;

use crate::id::ShardId;

#[derive(Debug)]
pub(super) struct Ids {
    planned: BTreeSet<ShardId>,
    /// Every id below it has been given out, planned or named once. Nothing once all have.
    next: Option<u32>,
    /// Ids from `next` on that were named by who registered.
    named: BTreeSet<ShardId>,
}

impl Ids {
    pub(super) const fn new() -> Self {
        Self {
            planned: BTreeSet::new(),
            next: Some(0),
            named: BTreeSet::new(),
        }
    }

    /// The ids from 0 to `planned` are kept for the first registrations.
    pub(super) fn with_planned(planned: u32) -> Self {
        Self {
            planned: (0..planned).map(ShardId).collect(),
            next: Some(planned),
            named: BTreeSet::new(),
        }
    }

    /// None below `next` is planned or vacant.
    #[cfg(test)]
    pub(super) fn starting_at(next: u32) -> Self {
        Self {
            next: Some(next),
            ..Self::new()
        }
    }

    /// The lowest planned id, else the lowest that nobody has ever had.
    pub(super) fn vacant(&self) -> Option<ShardId> {
        // `take` keeps `next` out of `named`.
        self.planned.first().copied().or(self.next.map(ShardId))
    }

    /// Notes that `id` is used from now on. Says whether it was planned.
    pub(super) fn take(&mut self, id: ShardId) -> bool {
        if self.next.is_some_and(|next| id.0 >= next) {
            self.named.insert(id);
            while let Some(next) = self.next
                && self.named.remove(&ShardId(next))
            {
                self.next = next.checked_add(1);
            }
        }
        self.planned.remove(&id)
    }

    /// A planned id that nobody claimed isn't planned any more.
    pub(super) fn unplan(&mut self, id: ShardId) {
        self.planned.remove(&id);
    }

    pub(super) fn is_planned(&self, id: ShardId) -> bool {
        self.planned.contains(&id)
    }

    /// Ascending.
    pub(super) fn planned(&self) -> impl ExactSizeIterator<Item = ShardId> {
        self.planned.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planned_ids_come_first_then_those_that_nobody_has_had() {
        let mut ids = Ids::with_planned(2);
        assert!(!ids.take(ShardId(3)));
        ids.unplan(ShardId(0));
        let mut given = Vec::new();
        for _ in 0..4 {
            let id = ids.vacant().unwrap();
            given.push((id.0, ids.take(id)));
        }
        assert_eq!(given, [(1, true), (2, false), (4, false), (5, false)]);
        assert!(ids.named.is_empty());
    }

    #[test]
    fn after_the_last_id_there_is_none() {
        let mut ids = Ids::starting_at(u32::MAX - 1);
        assert!(!ids.take(ShardId(u32::MAX)));
        assert_eq!(ids.vacant(), Some(ShardId(u32::MAX - 1)));
        ids.take(ShardId(u32::MAX - 1));
        assert_eq!(ids.vacant(), None);
        ids.take(ShardId(7));
        assert_eq!(ids.vacant(), None);
    }
}
