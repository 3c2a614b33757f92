//! A shard's part of a tick, as the log has it.

use std::collections::{BTreeMap, BTreeSet};

use super::applied::{LeftOut, Suspect};
use super::kind::Kind;
use super::quarantine::Kept;
use crate::colony::round::Writes;
use crate::colony::write::{Origin, Write};
use crate::error::ColonyError;
use crate::id::{DocumentId, ShardId, Tick};
use crate::publication::View;
use crate::ring::HashRing;
use crate::storage::changes::{Changes, Logged};

/// Why writes are set aside that end the process.
const ENDS_ALL: &str = "the process ended each time when the tick was applied";

/// A shard's writes in a record, documents that move and messages included.
pub(super) struct Own<D> {
    /// The numbers of those that are left out.
    pub(super) left_out: Vec<u64>,
    /// The bytes of the others, as the log has them.
    pub(super) bytes: usize,
    pub(super) writes: Writes<D>,
    pub(super) numbers: Vec<u64>,
    pub(super) ids: Vec<DocumentId>,
    /// The place of each among all writes of the shard in the record, with those that are left out.
    pub(super) places: Vec<usize>,
    pub(super) aside: Vec<LeftOut<D>>,
    /// Those that can be left out.
    pub(super) suspects: Vec<Suspect>,
    pub(super) kept: Vec<Kept>,
    place: usize,
}

/// A shard's part of a record, before it is decoded.
pub(super) struct Share<'a, D, V: View> {
    pub(super) kind: &'a Kind<D, V>,
    pub(super) shard: ShardId,
    pub(super) ring: &'a HashRing,
    pub(super) tick: Tick,
    pub(super) aside: &'a BTreeMap<u64, String>,
    /// The numbers of those that were refused when the tick ran. They have come back, so that they aren't kept.
    pub(super) refused: BTreeSet<u64>,
    /// Whether everything is left out, because it ends the process.
    pub(super) ends_all: bool,
}

impl<D: Send + Sync + 'static, V: View> Share<'_, D, V> {
    /// Decodes the shard's part: first what it hands over, then what it takes in, then its messages, then the writes.
    pub(super) fn of(&self, changes: &Changes<'_>) -> Result<Own<D>, ColonyError> {
        let mut own = Own {
            left_out: Vec::new(),
            bytes: 0,
            writes: Writes::default(),
            numbers: Vec::new(),
            ids: Vec::new(),
            places: Vec::new(),
            aside: Vec::new(),
            suspects: Vec::new(),
            kept: Vec::new(),
            place: 0,
        };
        let messages = changes.messages.iter();
        let messages = messages.map(|message| (Origin::Shard(message.sender), message.write));
        let writes = changes.writes.iter().map(|write| (Origin::Intake, *write));
        let behind = (changes.messages.len() + changes.writes.len()) as u64;
        let moved = || (behind..).zip(&changes.moved);
        for (number, moved) in moved().filter(|(_, moved)| moved.leaves && moved.from == self.shard)
        {
            // It is never left out: the document would be in two shards.
            self.take(
                &mut own,
                number,
                Origin::Moved(moved.to),
                Logged::Delete(moved.id),
            )?;
        }
        for (number, moved) in moved().filter(|(_, moved)| moved.to == self.shard) {
            let enters = Logged::Upsert(moved.id, moved.document);
            self.offer(&mut own, number, Origin::Moved(moved.from), enters)?;
        }
        for (number, (origin, logged)) in (0..).zip(messages.chain(writes)) {
            if self.ring.get_shard(&logged.id()) == Ok(self.shard) {
                self.offer(&mut own, number, origin, logged)?;
            }
        }
        Ok(own)
    }

    /// Takes a write, unless it is left out.
    fn offer(
        &self,
        own: &mut Own<D>,
        number: u64,
        origin: Origin,
        logged: Logged<'_>,
    ) -> Result<(), ColonyError> {
        let ends_all = self.ends_all.then_some(ENDS_ALL);
        let Some(why) = self.aside.get(&number).map(|why| &**why).or(ends_all) else {
            own.suspects.push(Suspect {
                number,
                document: logged.id(),
                is_moved: matches!(origin, Origin::Moved(_)),
            });
            return self.take(own, number, origin, logged);
        };
        let was_refused = self.refused.contains(&number);
        if !was_refused {
            let kept = Kept::new(self.shard, self.tick, &logged, why);
            own.kept.extend(kept);
        }
        own.left_out.push(number);
        own.aside.push(LeftOut {
            number,
            place: own.place,
            origin,
            write: self.write(&logged)?,
            why: why.to_owned(),
            was_refused,
        });
        own.place += 1;
        Ok(())
    }

    fn take(
        &self,
        own: &mut Own<D>,
        number: u64,
        origin: Origin,
        logged: Logged<'_>,
    ) -> Result<(), ColonyError> {
        let write = self.write(&logged)?;
        own.bytes += logged.length();
        own.numbers.push(number);
        own.ids.push(logged.id());
        own.places.push(own.place);
        own.place += 1;
        match origin {
            Origin::Moved(other) => own.writes.moves.push((other, write)),
            Origin::Shard(sender) => own.writes.messages.push((sender, write)),
            Origin::Intake => own.writes.intake.push(write),
        }
        Ok(())
    }

    fn write(&self, logged: &Logged<'_>) -> Result<Write<D>, ColonyError> {
        let write = self.kind.write(logged);
        write.map_err(|kind| ColonyError::Replay {
            shard: self.shard,
            tick: self.tick,
            why: kind.to_string(),
        })
    }
}
