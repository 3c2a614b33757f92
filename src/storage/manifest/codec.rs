//! Encoding and decoding of the manifest.

use xxhash_rust::xxh3::xxh3_64;

use super::{FilePart, Manifest, ShardPart, life};
use crate::error::StorageError;
use crate::id::ShardId;
use crate::storage::codec::{
    Decoded, Put, Reader, Section, TooLong, put_block, put_list, put_optional_section, put_section,
};
use crate::storage::colony_id::ColonyId;

const MAGIC: [u8; 8] = *b"\xF7tickMAN";
/// The version of the manifest.
const FORMAT: u32 = 1;
/// The least version of a reader that understands what is written here.
const LEAST_READER: u32 = 1;
/// The sum, the magic and the two versions. Their layout stays as it is in all versions.
const PREFIX: usize = 8 + MAGIC.len() + 4 + 4;

const COLONY: u16 = 1;
const SETTINGS: u16 = 2;
const CHECKPOINT: u16 = 3;
const RING: u16 = 4;
const GOAL: u16 = 5;
const COUNTERS: u16 = 6;
const SHARDS: u16 = 7;
const QUARANTINE: u16 = 8;
const SENT: u16 = 9;
const LAST_TICKS: u16 = 10;

impl Manifest {
    pub(crate) fn encode(&self) -> Result<Vec<u8>, StorageError> {
        let encoded = self.try_encode();
        encoded.map_err(|TooLong(bytes)| StorageError::TooLarge {
            what: "a part of the manifest",
            bytes: bytes as u64,
            max: u32::MAX.into(),
        })
    }

    fn try_encode(&self) -> Result<Vec<u8>, TooLong> {
        let mut out = vec![0; 8];
        out.put(&MAGIC);
        out.put_u32(FORMAT);
        out.put_u32(LEAST_READER);
        put_section(&mut out, COLONY, |out| {
            out.put_u128(self.colony.0);
            Ok(())
        })?;
        put_section(&mut out, SETTINGS, |out| {
            let settings: Vec<_> = self.settings.iter().collect();
            put_list(out, &settings, |out, (name, value)| {
                put_block(out, name.as_bytes())?;
                put_block(out, value.as_bytes())
            })
        })?;
        put_section(&mut out, CHECKPOINT, |out| {
            out.put_u64s(&[self.seq, self.tick, self.next_log]);
            Ok(())
        })?;
        for (tag, bytes) in [
            (RING, &self.ring),
            (GOAL, &self.goal),
            (QUARANTINE, &self.quarantine),
            (SENT, &self.sent),
        ] {
            put_section(&mut out, tag, |out| {
                out.put(bytes);
                Ok(())
            })?;
        }
        put_optional_section(&mut out, LAST_TICKS, &self.last_ticks);
        put_section(&mut out, COUNTERS, |out| {
            out.put_u32(self.next_shard);
            out.put_u64s(&[self.next_incarnation, self.epoch]);
            Ok(())
        })?;
        put_section(&mut out, SHARDS, |out| {
            put_list(out, &self.shards, |out, shard| shard.encode(out))
        })?;
        let sum = xxh3_64(&out[8..]);
        out[..8].copy_from_slice(&sum.to_le_bytes());
        Ok(out)
    }

    /// Decodes a manifest. `path` is for errors.
    pub(crate) fn decode(bytes: &[u8], path: &str) -> Result<Self, StorageError> {
        let body = check(bytes, path)?;
        let decoded = decode_sections(body);
        decoded.map_err(|malformed| {
            malformed.in_file(path, PREFIX as u64, &format!("format {FORMAT}"))
        })
    }
}

/// Checks the sum and the versions, and returns the sections.
fn check<'a>(bytes: &'a [u8], path: &str) -> Result<&'a [u8], StorageError> {
    let mut reader = Reader::new(bytes);
    let prefix = (|| Ok((reader.u64()?, reader.array()?, reader.u32()?, reader.u32()?)))();
    let Ok((sum, magic, format, least)) = prefix as Decoded<(u64, [u8; 8], u32, u32)> else {
        let found = format!("{} bytes", bytes.len());
        let expected = format!("at least {PREFIX}");
        return Err(StorageError::damaged(path, 0, found, expected));
    };
    let actual = xxh3_64(&bytes[8..]);
    if sum != actual {
        let [found, expected] = [actual, sum].map(|sum| format!("bytes with the sum {sum:016x}"));
        return Err(StorageError::damaged(path, 0, found, expected));
    }
    if magic != MAGIC {
        let found = "another beginning";
        return Err(StorageError::damaged(path, 8, found, "that of a manifest"));
    }
    if least > FORMAT {
        return Err(StorageError::Format {
            file: path.to_owned(),
            found: format!("format {format}, for readers from {least} on"),
            supported: format!("format {FORMAT}"),
        });
    }
    Ok(&bytes[PREFIX..])
}

fn decode_sections(bytes: &[u8]) -> Decoded<Manifest> {
    let (mut colony, mut settings, mut checkpoint) = (None, None, None);
    let (mut ring, mut goal) = (None, None);
    let [mut quarantine, mut sent, mut last_ticks] = [const { Vec::new() }; 3];
    let (mut counters, mut shards) = (None, None);
    let mut reader = Reader::new(bytes);
    reader.sections(|tag, mut body| {
        match tag {
            COLONY => colony = Some(ColonyId(body.u128()?)),
            SETTINGS => {
                let list =
                    body.list(|body| Ok((body.text()?.to_owned(), body.text()?.to_owned())))?;
                settings = Some(list.into_iter().collect());
            }
            CHECKPOINT => checkpoint = Some((body.u64()?, body.u64()?, body.u64()?)),
            RING => ring = Some(body.rest().to_vec()),
            GOAL => goal = Some(body.rest().to_vec()),
            QUARANTINE => quarantine = body.rest().to_vec(),
            SENT => sent = body.rest().to_vec(),
            LAST_TICKS => last_ticks = body.rest().to_vec(),
            COUNTERS => counters = Some((body.u32()?, body.u64()?, body.u64()?)),
            SHARDS => {
                let at = body.clone();
                let list = body.list(ShardPart::decode)?;
                if !list.is_sorted_by(|one, next| one.id < next.id) {
                    return at.malformed("shards in another order", "that of their ids");
                }
                shards = Some(list);
            }
            _ => return Ok(Section::Unknown),
        }
        body.end()?;
        Ok(Section::Known)
    })?;
    let parts = (|| {
        Some((
            colony?,
            settings?,
            checkpoint?,
            ring?,
            goal?,
            counters?,
            shards?,
        ))
    })();
    let Some((colony, settings, checkpoint, ring, goal, counters, shards)) = parts else {
        return reader.malformed("the end", "all sections");
    };
    let (seq, tick, next_log) = checkpoint;
    let (next_shard, next_incarnation, epoch) = counters;
    Ok(Manifest {
        colony,
        settings,
        seq,
        tick,
        next_log,
        ring,
        goal,
        last_ticks,
        quarantine,
        sent,
        next_shard,
        next_incarnation,
        epoch,
        shards,
    })
}

impl ShardPart {
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        out.put_u32(self.id.as_u32());
        out.put_u64(self.tick);
        put_block(out, &self.meta)?;
        put_list(out, &self.files, |out, file| {
            put_block(out, file.directory.as_bytes())?;
            put_block(out, file.name.as_bytes())?;
            out.put_u64s(&[file.length, file.sum]);
            Ok(())
        })
    }

    fn decode(body: &mut Reader<'_>) -> Decoded<Self> {
        Ok(Self {
            id: ShardId::new(body.u32()?),
            tick: body.u64()?,
            meta: body.block()?.to_vec(),
            files: body.list(FilePart::decode)?,
        })
    }
}

impl FilePart {
    /// Decodes a file. Refuses names that lead out of the directories of shards.
    fn decode(body: &mut Reader<'_>) -> Decoded<Self> {
        let at = body.clone();
        let (directory, name) = (body.text()?, body.text()?);
        if life(directory).is_none() {
            return at.malformed(format!("{directory:?}"), "the directory of a shard");
        }
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0', ':']) {
            return at.malformed(format!("{name:?}"), "the name of a file");
        }
        Ok(Self {
            directory: directory.to_owned(),
            name: name.to_owned(),
            length: body.u64()?,
            sum: body.u64()?,
        })
    }
}
