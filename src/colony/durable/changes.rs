//! What a tick applies, as the log holds it.

use std::collections::HashSet;

use super::kind::Kind;
use super::ledger::too_large;
use super::stored::{Stored, encode_goal, encode_ring};
use crate::colony::moves::Wanted;
use crate::colony::tick::Part;
use crate::error::ColonyError;
use crate::id::{ShardId, Tick};
use crate::publication::View;
use crate::ring::HashRing;
use crate::storage::changes::{Encoded, EncodedChanges, Moved, Ring};
use crate::storage::codec::TooLong;
use crate::storage::record::{Kind as RecordKind, Unplaced};
use crate::sync::Arc;
use crate::topology::Topology;

/// The ring and the goal that the log has.
pub(super) struct Known {
    ring: Arc<HashRing>,
    pub(super) stored: Stored,
}

/// A tick's record, and how many messages, documents and writes it has.
pub(super) struct Recorded {
    pub(super) record: Unplaced,
    pub(super) count: usize,
}

impl Known {
    pub(super) fn new(ring: Arc<HashRing>, stored: Stored) -> Self {
        Self { ring, stored }
    }

    /// Returns whether the log has this ring.
    pub(super) fn is(&self, ring: &Arc<HashRing>) -> bool {
        Arc::ptr_eq(ring, &self.ring) || **ring == *self.ring
    }

    /// Returns the tick's record, or `None` if nothing happens in it. `has_sent` says that the last tick sent messages: if they can't be delivered, this
    /// record says that they are gone.
    pub(super) fn record<D: Send + Sync + 'static, V: View>(
        &mut self,
        kind: &Kind<D, V>,
        tick: Tick,
        (topology, goal): (&Topology, Option<&Wanted>),
        parts: &[Part<D, V>],
        has_sent: bool,
    ) -> Result<Option<Recorded>, ColonyError> {
        let messages = messages(kind, tick, parts)?;
        let moved = moved(kind, tick, parts)?;
        let ahead: usize = parts.iter().flat_map(|part| &part.writes.ahead).sum();
        let writes: usize = parts.iter().map(|part| part.writes.intake.len()).sum();
        let is_same = self.is(topology.ring());
        let ring = (!is_same).then(|| encode_ring(topology.ring()));
        let goal = encode_goal(goal);
        let goal = (goal != *self.stored.goal).then_some(goal);
        let count = messages.0 + moved.0 + writes - ahead;
        let changes = EncodedChanges {
            messages: encoded(&messages),
            ring: ring.as_deref().map(|state| Ring {
                epoch: topology.epoch().get(),
                state,
            }),
            goal: goal.as_deref(),
            moved: encoded(&moved),
            writes: Encoded {
                count: writes - ahead,
                pieces: parts.iter().map(|part| &*part.writes.logged).collect(),
            },
        };
        // So a tick of which something is in the log has a record.
        if count + ahead == 0 && ring.is_none() && goal.is_none() && !has_sent {
            return Ok(None);
        }
        let record = Unplaced::new(RecordKind::Record, tick, |out| changes.encode(out));
        let record = record.map_err(|TooLong(bytes)| too_large("a tick's writes", bytes))?;
        if let Some(ring) = ring {
            self.stored.ring = ring.into();
        }
        self.ring = Arc::clone(topology.ring());
        if let Some(goal) = goal {
            self.stored.goal = goal.into();
        }
        Ok(Some(Recorded { record, count }))
    }
}

fn encoded((count, bytes): &(usize, Vec<u8>)) -> Encoded<'_> {
    Encoded {
        count: *count,
        pieces: vec![bytes],
    }
}

/// Encodes the messages that a tick delivers. Returns how many they are, too.
fn messages<D: Send + Sync + 'static, V: View>(
    kind: &Kind<D, V>,
    tick: Tick,
    parts: &[Part<D, V>],
) -> Result<(usize, Vec<u8>), ColonyError> {
    let (mut count, mut bytes) = (0, Vec::new());
    for (sender, write) in parts.iter().flat_map(|part| part.writes.messages.iter()) {
        let encoded = kind.message(*sender, write, &mut bytes);
        // It could be encoded when it was sent.
        encoded.map_err(|error| {
            let why = format!("its message to the shard of {}: {error}", write.id());
            failed(*sender, tick, why)
        })?;
        count += 1;
    }
    Ok((count, bytes))
}

/// Encodes the documents that move in a tick, each once, by the shard that takes it in. Returns how many they are, too.
fn moved<D: Send + Sync + 'static, V: View>(
    kind: &Kind<D, V>,
    tick: Tick,
    parts: &[Part<D, V>],
) -> Result<(usize, Vec<u8>), ColonyError> {
    let of = |part: &Part<D, V>| part.slot.id();
    let moves = parts
        .iter()
        .flat_map(|part| part.writes.moves.iter().map(move |moves| (of(part), moves)));
    let leaving = moves
        .clone()
        .filter(|(_, (_, write))| write.document().is_none());
    let leaving: HashSet<_> = leaving
        .map(|(from, (_, write))| (from, write.id()))
        .collect();
    let (mut count, mut bytes) = (0, Vec::new());
    for (to, (from, write)) in moves {
        let (from, id) = (*from, write.id());
        let Some(document) = write.document() else {
            continue;
        };
        // It could be encoded when it was chosen.
        let encoded = kind
            .document(document)
            .map_err(|error| failed(from, tick, format!("its document {id}: {error}")))?;
        let moved = Moved {
            from,
            to,
            leaves: leaving.contains(&(from, id)),
            id,
            document: &encoded,
        };
        let put = moved.encode(&mut bytes);
        put.map_err(|TooLong(bytes)| too_large("a document that moves", bytes))?;
        count += 1;
    }
    Ok((count, bytes))
}

fn failed(shard: ShardId, tick: Tick, why: String) -> ColonyError {
    ColonyError::Replay { shard, tick, why }
}
