//! The payloads of log records: what a tick applies, and how its shards decided.
//!
//! Documents are opaque bytes. Encoding and decoding are pure; what is decoded borrows from the payload.

use uuid::Uuid;

use super::codec::{
    Decoded, Put, Reader, Section, TooLong, put_block, put_length, put_list, put_section,
};
use crate::id::{DocumentId, ShardId, Tick};

/// What a tick applies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Changes<'a> {
    /// What shards sent in the tick before, in their order.
    pub(crate) messages: Vec<Message<'a>>,
    /// The ring from this tick on, if it is another one.
    pub(crate) ring: Option<Ring<'a>>,
    /// The goal from this tick on, if it is another one. Empty if there is none any more.
    pub(crate) goal: Option<&'a [u8]>,
    /// The documents that change their owner, in the order of the shards that take them in.
    pub(crate) moved: Vec<Moved<'a>>,
    /// The writes from outside, in their order.
    pub(crate) writes: Vec<Logged<'a>>,
}

/// A write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Logged<'a> {
    Add(DocumentId, &'a [u8]),
    Upsert(DocumentId, &'a [u8]),
    Delete(DocumentId),
}

/// A write that a shard sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    pub(crate) sender: ShardId,
    pub(crate) write: Logged<'a>,
}

/// A ring, and the epoch of the topology that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ring<'a> {
    pub(crate) epoch: u64,
    pub(crate) state: &'a [u8],
}

/// A document that changes its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moved<'a> {
    pub(crate) from: ShardId,
    pub(crate) to: ShardId,
    /// Whether the one shard hands it over in this tick. If not, it has done so before, and the shard that it went to was forgotten.
    pub(crate) leaves: bool,
    pub(crate) id: DocumentId,
    pub(crate) document: &'a [u8],
}

/// How the shards of a tick decided. Written only if it isn't empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outcome<'a> {
    /// The writes that shards refused.
    pub(crate) refused: Vec<Decision<'a>>,
    /// The writes that were set aside, since a shard died of them.
    pub(crate) set_aside: Vec<Decision<'a>>,
    /// What shards sent, by sender and then in the order of the calls.
    pub(crate) messages: Vec<Message<'a>>,
    /// The shards that were dead, and apply the tick later.
    pub(crate) behind: Vec<ShardId>,
    /// The writes of earlier ticks that were set aside when shards caught up in this one, each with its tick.
    pub(crate) late: Vec<(Tick, Decision<'a>)>,
}

/// A decision about one write of a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision<'a> {
    pub(crate) shard: ShardId,
    /// The write's place among the messages of the tick's record, the writes that the log has ahead of it, those of the record, and the documents that
    /// move, counted in this order.
    pub(crate) write: u64,
    pub(crate) reason: Reason<'a>,
}

/// Why a write was refused or set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason<'a> {
    /// The shard holds a document with this id.
    Exists,
    /// The shard's own reason.
    Because(&'a str),
}

const MESSAGES: u16 = 1;
const WRITES: u16 = 5;
const REFUSED: u16 = 6;
const SET_ASIDE: u16 = 7;
const BEHIND: u16 = 8;
const RING: u16 = 9;
const GOAL: u16 = 10;
const MOVED: u16 = 11;
const LATE: u16 = 12;

/// Encoded items, in pieces.
#[derive(Debug, Default)]
pub(crate) struct Encoded<'a> {
    pub(crate) count: usize,
    pub(crate) pieces: Vec<&'a [u8]>,
}

impl Encoded<'_> {
    /// Writes a section with the items, unless there are none.
    fn put(&self, out: &mut Vec<u8>, tag: u16) -> Result<(), TooLong> {
        if self.count == 0 {
            return Ok(());
        }
        put_section(out, tag, |out| {
            put_length(out, self.count)?;
            self.pieces.iter().for_each(|piece| out.put(piece));
            Ok(())
        })
    }
}

/// [`Changes`] whose messages, documents and writes are encoded already.
#[derive(Debug, Default)]
pub(crate) struct EncodedChanges<'a> {
    pub(crate) messages: Encoded<'a>,
    pub(crate) ring: Option<Ring<'a>>,
    pub(crate) goal: Option<&'a [u8]>,
    pub(crate) moved: Encoded<'a>,
    pub(crate) writes: Encoded<'a>,
}

impl EncodedChanges<'_> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        self.messages.put(out, MESSAGES)?;
        if let Some(ring) = self.ring {
            put_section(out, RING, |out| {
                out.put_u64(ring.epoch);
                out.put(ring.state);
                Ok(())
            })?;
        }
        if let Some(goal) = self.goal {
            put_section(out, GOAL, |out| {
                out.put(goal);
                Ok(())
            })?;
        }
        self.moved.put(out, MOVED)?;
        self.writes.put(out, WRITES)
    }
}

impl<'a> Changes<'a> {
    /// Encodes all of it. A colony has its messages, documents and writes encoded already.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        let [mut messages, mut moved, mut writes] = [const { Vec::new() }; 3];
        for message in &self.messages {
            message.encode(&mut messages)?;
        }
        for document in &self.moved {
            document.encode(&mut moved)?;
        }
        for write in &self.writes {
            write.encode(&mut writes)?;
        }
        let encoded = |count, bytes| Encoded {
            count,
            pieces: vec![bytes],
        };
        let changes = EncodedChanges {
            messages: encoded(self.messages.len(), &messages),
            ring: self.ring,
            goal: self.goal,
            moved: encoded(self.moved.len(), &moved),
            writes: encoded(self.writes.len(), &writes),
        };
        changes.encode(out)
    }

    pub(crate) fn decode(payload: &'a [u8]) -> Decoded<Self> {
        let mut changes = Self::default();
        Reader::new(payload).sections(|tag, mut body| {
            match tag {
                MESSAGES => changes.messages = body.list(Message::decode)?,
                RING => {
                    let (epoch, state) = (body.u64()?, body.rest());
                    changes.ring = Some(Ring { epoch, state });
                }
                GOAL => changes.goal = Some(body.rest()),
                MOVED => changes.moved = body.list(Moved::decode)?,
                WRITES => changes.writes = body.list(Logged::decode)?,
                _ => return Ok(Section::Unknown),
            }
            body.end()?;
            Ok(Section::Known)
        })?;
        Ok(changes)
    }
}

impl<'a> Outcome<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        let Self {
            refused,
            set_aside,
            messages,
            behind,
            late,
        } = self;
        let is_decided = refused.is_empty() && set_aside.is_empty() && late.is_empty();
        is_decided && messages.is_empty() && behind.is_empty()
    }

    /// Encodes all of it. A colony has its messages encoded already.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        list(out, MESSAGES, &self.messages, Message::encode)?;
        self.encode_sent(&Encoded::default(), out)
    }

    /// Encodes an outcome with messages that are encoded already, in the place of its own.
    pub(crate) fn encode_sent(
        &self,
        messages: &Encoded<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), TooLong> {
        messages.put(out, MESSAGES)?;
        list(out, REFUSED, &self.refused, Decision::encode)?;
        list(out, SET_ASIDE, &self.set_aside, Decision::encode)?;
        list(out, BEHIND, &self.behind, |shard, out| {
            out.put_u32(shard.as_u32());
            Ok(())
        })?;
        list(out, LATE, &self.late, |(tick, decision), out| {
            out.put_u64(*tick);
            decision.encode(out)
        })
    }

    pub(crate) fn decode(payload: &'a [u8]) -> Decoded<Self> {
        let mut outcome = Self::default();
        Reader::new(payload).sections(|tag, mut body| {
            match tag {
                REFUSED => outcome.refused = body.list(Decision::decode)?,
                SET_ASIDE => outcome.set_aside = body.list(Decision::decode)?,
                MESSAGES => outcome.messages = body.list(Message::decode)?,
                BEHIND => outcome.behind = body.list(|body| Ok(ShardId::new(body.u32()?)))?,
                LATE => {
                    outcome.late = body.list(|body| Ok((body.u64()?, Decision::decode(body)?)))?;
                }
                _ => return Ok(Section::Unknown),
            }
            body.end()?;
            Ok(Section::Known)
        })?;
        Ok(outcome)
    }
}

/// Writes a section with a list, unless that is empty.
fn list<T>(
    out: &mut Vec<u8>,
    tag: u16,
    items: &[T],
    encode: impl Fn(&T, &mut Vec<u8>) -> Result<(), TooLong>,
) -> Result<(), TooLong> {
    if items.is_empty() {
        return Ok(());
    }
    put_section(out, tag, |out| {
        put_list(out, items, |out, item| encode(item, out))
    })
}

fn id(body: &mut Reader<'_>) -> Decoded<DocumentId> {
    Ok(DocumentId(Uuid::from_bytes(body.array()?)))
}

const ADD: u8 = 0;
const UPSERT: u8 = 1;
const DELETE: u8 = 2;

impl<'a> Logged<'a> {
    pub(crate) fn id(&self) -> DocumentId {
        match *self {
            Self::Add(id, _) | Self::Upsert(id, _) | Self::Delete(id) => id,
        }
    }

    /// The bytes of the id and of the document.
    pub(crate) fn length(&self) -> usize {
        let document = match self {
            Self::Add(_, document) | Self::Upsert(_, document) => document.len(),
            Self::Delete(_) => 0,
        };
        size_of::<DocumentId>() + document
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        let (code, document) = match self {
            Self::Add(_, document) => (ADD, Some(document)),
            Self::Upsert(_, document) => (UPSERT, Some(document)),
            Self::Delete(_) => (DELETE, None),
        };
        out.push(code);
        out.put(self.id().0.as_bytes());
        document.map_or(Ok(()), |document| put_block(out, document))
    }

    pub(crate) fn decode(body: &mut Reader<'a>) -> Decoded<Self> {
        let at = body.clone();
        Ok(match body.u8()? {
            ADD => Self::Add(id(body)?, body.block()?),
            UPSERT => Self::Upsert(id(body)?, body.block()?),
            DELETE => Self::Delete(id(body)?),
            code => return at.malformed(format!("{code} as the kind of a write"), "0, 1 or 2"),
        })
    }
}

/// Encodes messages that no tick has delivered, for a manifest. Nothing if there are none.
pub(crate) fn encode_messages(messages: &Encoded<'_>) -> Result<Vec<u8>, TooLong> {
    let mut out = Vec::new();
    if messages.count > 0 {
        put_length(&mut out, messages.count)?;
        messages.pieces.iter().for_each(|piece| out.put(piece));
    }
    Ok(out)
}

/// Decodes the messages of a manifest.
pub(crate) fn decode_messages(bytes: &[u8]) -> Decoded<Vec<Message<'_>>> {
    let mut reader = Reader::new(bytes);
    if reader.left() == 0 {
        return Ok(Vec::new());
    }
    let messages = reader.list(Message::decode)?;
    reader.end()?;
    Ok(messages)
}

impl<'a> Message<'a> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        out.put_u32(self.sender.as_u32());
        self.write.encode(out)
    }

    fn decode(body: &mut Reader<'a>) -> Decoded<Self> {
        Ok(Self {
            sender: ShardId::new(body.u32()?),
            write: Logged::decode(body)?,
        })
    }
}

impl<'a> Moved<'a> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        out.put_u32(self.from.as_u32());
        out.put_u32(self.to.as_u32());
        out.push(u8::from(self.leaves));
        out.put(self.id.0.as_bytes());
        put_block(out, self.document)
    }

    fn decode(body: &mut Reader<'a>) -> Decoded<Self> {
        let (from, to) = (ShardId::new(body.u32()?), ShardId::new(body.u32()?));
        let at = body.clone();
        let leaves = match body.u8()? {
            0 => false,
            1 => true,
            code => return at.malformed(format!("{code} as the kind of a move"), "0 or 1"),
        };
        Ok(Self {
            from,
            to,
            leaves,
            id: id(body)?,
            document: body.block()?,
        })
    }
}

impl<'a> Decision<'a> {
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        out.put_u32(self.shard.as_u32());
        out.put_u64(self.write);
        match self.reason {
            Reason::Exists => {
                out.push(0);
                Ok(())
            }
            Reason::Because(text) => {
                out.push(1);
                put_block(out, text.as_bytes())
            }
        }
    }

    fn decode(body: &mut Reader<'a>) -> Decoded<Self> {
        let (shard, write, at) = (ShardId::new(body.u32()?), body.u64()?, body.clone());
        let reason = match body.u8()? {
            0 => Reason::Exists,
            1 => Reason::Because(body.text()?),
            code => return at.malformed(format!("{code} as the kind of a reason"), "0 or 1"),
        };
        Ok(Self {
            shard,
            write,
            reason,
        })
    }
}

#[cfg(test)]
mod tests;
