//! The zones of a topology's members.

use std::collections::HashMap;

use super::Members;
use super::members::Member;
use crate::ring::RingMember;
use crate::sync::Arc;

/// The zones of a topology's members as small numbers, so that a look-up compares no names.
#[derive(Debug, Clone)]
pub(super) struct Zones {
    /// For each slot the first slot in the same zone. A member without a zone has its own slot. Shared by successive topologies.
    numbers: Arc<[u16]>,
    /// The number of zones in which a member owns points and serves.
    serving: usize,
}

impl Zones {
    /// Returns the zones of these members, which are in the order of their slots, or `None` if none has one. The zones that serve aren't
    /// [counted](Self::count) yet.
    pub(super) fn of(members: &Members) -> Option<Self> {
        members.iter().find_map(Member::zone)?;
        let mut first = HashMap::new();
        // A ring has at most 65,536 members, so a slot is never cut off.
        let slots = 0..=u16::MAX;
        let number = |(member, slot): (&Member, u16)| match member.zone() {
            Some(zone) => *first.entry(zone).or_insert(slot),
            None => slot,
        };
        Some(Self {
            numbers: members.iter().zip(slots).map(number).collect(),
            serving: 0,
        })
    }

    /// Counts the zones in which a member owns points and serves.
    pub(super) fn count(&mut self, members: &[RingMember], serves: &[bool]) {
        let mut seen = vec![false; self.numbers.len()];
        let serving = members.iter().zip(serves).zip(&*self.numbers);
        let serving = serving.filter(|((member, serves), _)| member.weight > 0 && **serves);
        for (_, &number) in serving {
            seen[usize::from(number)] = true;
        }
        self.serving = seen.into_iter().filter(|&seen| seen).count();
    }

    /// See [`count`](Self::count).
    pub(super) const fn serving(&self) -> usize {
        self.serving
    }

    /// Returns the number of a slot's zone.
    pub(super) fn number(&self, slot: u32) -> Option<u16> {
        self.numbers.get(slot as usize).copied()
    }

    #[cfg(test)]
    pub(super) const fn numbers(&self) -> &Arc<[u16]> {
        &self.numbers
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.numbers)
    }
}
