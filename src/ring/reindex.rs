//! The index after a small change, made from the old index: a copy with some repairs instead of a pass over all points.

use super::index::{Index, entry_bits, fill, start_shift};
use super::layout::Layout;
use super::points::{Point, Points, top};

/// A change to the points of one shard.
#[derive(Clone, Copy)]
pub(super) enum Delta<'a> {
    /// These sorted points are added. If their shard joins with them, the slots from its own on move up by one.
    Added(&'a [Point], Option<u16>),
    /// These sorted points are removed. If their shard leaves with them, the slots above its own move down by one.
    Removed(&'a [Point], Option<u16>),
}

impl Delta<'_> {
    pub(super) const fn is_empty(&self) -> bool {
        let (Self::Added(points, _) | Self::Removed(points, _)) = self;
        points.is_empty()
    }
}

impl Index {
    /// Returns the index of `points`, whose owners are below `slots`. `delta` turned the indexed points into `points`. The result equals a
    /// newly built index.
    pub(super) fn changed(&self, points: &Points, slots: usize, delta: Delta<'_>) -> Self {
        let (Delta::Added(changed, _) | Delta::Removed(changed, _)) = delta;
        let count = points.len();
        let same_shape = self.layout == Layout::new(slots, entry_bits(count))
            && self.start_shift == start_shift(count);
        if !same_shape || !are_few(changed.len(), count) {
            return Self::new(points, slots);
        }
        let mut index = Self {
            entries: renumbered(&self.entries, self.layout, delta),
            starts: moved(&self.starts, self.start_shift, delta),
            ..*self
        };
        for &(position, _) in changed {
            index.repair(position, points);
        }
        index
    }

    /// Rewrites the entries that depend on points at `position`. They begin with the bucket of the last point before it, which names the
    /// next owner, and end with the bucket of `position`.
    fn repair(&mut self, position: u64, points: &Points) {
        let own = self.layout.bucket(position);
        let first = match self.first_at(position, points).checked_sub(1) {
            Some(before) => self.layout.bucket(points.positions()[before]),
            None => {
                // The first point's owner also owns the hashes beyond the last point.
                let last = points.positions()[points.len() - 1];
                self.rewrite(self.layout.bucket(last), self.entries.len() - 1, points);
                0
            }
        };
        self.rewrite(first, own, points);
    }

    fn rewrite(&mut self, first: usize, last: usize, points: &Points) {
        let start = self.first_at(self.layout.bucket_start(first), points);
        fill(
            &mut self.entries[first..=last],
            first,
            start,
            points,
            self.layout,
        );
    }
}

/// Returns whether so few points changed that repairing beats rebuilding. Repairing costs several times more a point. The first points of a
/// ring, and its last ones, are never few.
pub(super) const fn are_few(changed: usize, points: usize) -> bool {
    changed <= points / 8
}

/// Returns the entries with the slots renumbered after the change.
fn renumbered(entries: &[u32], layout: Layout, delta: Delta<'_>) -> Box<[u32]> {
    match delta {
        Delta::Added(_, Some(slot)) => {
            let up = |owner| u32::from(owner >= u32::from(slot));
            mapped(entries, |entry| {
                layout.renumber(entry, up, u32::wrapping_add)
            })
        }
        Delta::Removed(_, Some(slot)) => {
            let down = |owner| u32::from(owner > u32::from(slot));
            mapped(entries, |entry| {
                layout.renumber(entry, down, u32::wrapping_sub)
            })
        }
        Delta::Added(_, None) | Delta::Removed(_, None) => entries.into(),
    }
}

/// Copies a part and changes it while it is in the cache. `collect` took twice as long.
fn mapped(entries: &[u32], map: impl Fn(u32) -> u32) -> Box<[u32]> {
    let mut mapped = Vec::with_capacity(entries.len());
    for part in entries.chunks(2_048) {
        let start = mapped.len();
        mapped.extend_from_slice(part);
        for entry in &mut mapped[start..] {
            *entry = map(*entry);
        }
    }
    mapped.into_boxed_slice()
}

/// Returns the starts with the points renumbered after the change. A start counts the points in the buckets before its own.
fn moved(starts: &[u32], shift: u32, delta: Delta<'_>) -> Box<[u32]> {
    let (changed, move_by): (_, fn(u32, u32) -> u32) = match delta {
        Delta::Added(changed, _) => (changed, u32::wrapping_add),
        Delta::Removed(changed, _) => (changed, u32::wrapping_sub),
    };
    let mut moved: Box<[u32]> = starts.into();
    let buckets = changed
        .iter()
        .map(|&(position, _)| top(position, shift) + 1);
    let ends = buckets.clone().skip(1).chain([starts.len()]);
    for (number, (bucket, end)) in (1..).zip(buckets.zip(ends)) {
        for start in &mut moved[bucket..end] {
            *start = move_by(*start, number);
        }
    }
    moved
}
