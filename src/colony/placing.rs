//! The writes of a tick in the order of the log, and whose they are if the ring has changed since they were accepted.

use super::intake::Taken;
use super::table::Table;
use crate::id::{DocumentId, ShardId};
use crate::publication::View;

/// The numbers of a tick's writes from outside: first those of each record ahead of the tick, then those of its own record, and in each of them
/// shard by shard.
pub(super) struct Numbers {
    /// Of the next shard's first write in each of these records.
    next: Vec<usize>,
}

impl Numbers {
    /// Begins with the first shard, given how many of each shard's writes are in each record ahead of the tick.
    pub(super) fn new<'a>(ahead: impl Iterator<Item = &'a Vec<usize>> + Clone) -> Self {
        let records = ahead.clone().map(Vec::len).max().unwrap_or(0);
        let mut next = vec![0; 1 + records];
        for (record, count) in ahead.flat_map(|ahead| ahead.iter().enumerate()) {
            next[record + 1] += count;
        }
        for record in 1..next.len() {
            next[record] += next[record - 1];
        }
        Self { next }
    }

    /// Returns the number of a write of the next shard, given how many of its writes are in each record ahead of the tick.
    pub(super) fn of(&self, mut index: usize, ahead: &[usize]) -> usize {
        for (next, &count) in self.next.iter().zip(ahead) {
            if index < count {
                return next + index;
            }
            index -= count;
        }
        self.next.last().map_or(index, |next| next + index)
    }

    /// Goes on behind a shard with this many writes.
    pub(super) fn pass(&mut self, ahead: &[usize], writes: usize) {
        let own = writes - ahead.iter().sum::<usize>();
        if let Some(next) = self.next.last_mut() {
            *next += own;
        }
        for (next, count) in self.next.iter_mut().zip(ahead) {
            *next += count;
        }
    }
}

/// Puts the writes that were taken out of the inboxes of the shards that take part to their owners. Each shard gets its writes in the order of
/// the log, in which all writes of a document are as they were accepted, since they were in one inbox.
pub(super) fn place<D: Send + Sync + 'static, V: View>(
    mut taken: Vec<Taken<D>>,
    joining: &[bool],
    table: &Table<D, V>,
    owner: impl Fn(&DocumentId) -> Option<ShardId>,
) -> Vec<Taken<D>> {
    let mut placed: Vec<Vec<_>> = taken.iter().map(|_| Vec::new()).collect();
    let of_joining = taken.iter().zip(joining).filter(|(_, joins)| **joins);
    let mut numbers = Numbers::new(of_joining.map(|(taken, _)| &taken.ahead));
    for (at, (taken, joins)) in taken.iter_mut().zip(joining).enumerate() {
        if !joins {
            continue;
        }
        let writes = taken.writes.take();
        let count = writes.len();
        for (index, write) in writes.into_iter().enumerate() {
            let owner = owner(&write.id()).and_then(|owner| table.place(owner).ok());
            let number = numbers.of(index, &taken.ahead);
            placed[owner.unwrap_or(at)].push((number, write));
        }
        numbers.pass(&taken.ahead, count);
    }
    for (taken, mut placed) in taken.iter_mut().zip(placed) {
        placed.sort_by_key(|(number, _)| *number);
        for (number, write) in placed {
            taken.numbers.push(number);
            taken.writes.push(write);
        }
    }
    taken
}
