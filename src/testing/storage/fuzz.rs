//! The body of the fuzz target `storage`.

use xxhash_rust::xxh3::xxh3_64;

use super::Simulation;
use crate::error::StorageError;
use crate::storage::changes::{Changes, Outcome};
use crate::storage::codec::{Put, TooLong};
use crate::storage::colony_id::ColonyId;
use crate::storage::files::{self, Files};
use crate::storage::log::{self, Extent, Log, LogEnd, LogReader, file};
use crate::storage::manifest::Manifest;
use crate::storage::record::{Kind, Unplaced};
use crate::sync::Arc;

const COLONY: ColonyId = ColonyId(3);

/// Decodes bytes as a record's payload, an outcome's, a manifest or the log's files, or does damage to a log that was written.
///
/// # Panics
/// If what was decoded isn't the same after encoding and decoding, or if a log returns what was never written.
pub fn run(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else {
        return;
    };
    match kind % 5 {
        0 => changes(data),
        1 => outcome(data),
        2 => manifest(data),
        3 => foreign_log(data),
        _ => damaged_log(data),
    }
}

fn changes(data: &[u8]) {
    if let Ok(changes) = Changes::decode(data) {
        let mut again = Vec::new();
        changes.encode(&mut again).expect("it was short enough");
        assert_eq!(Changes::decode(&again), Ok(changes));
    }
}

fn outcome(data: &[u8]) {
    if let Ok(outcome) = Outcome::decode(data) {
        let mut again = Vec::new();
        outcome.encode(&mut again).expect("it was short enough");
        assert_eq!(Outcome::decode(&again), Ok(outcome));
    }
}

fn manifest(data: &[u8]) {
    _ = Manifest::decode(data, "MANIFEST");
    // Hardly any bytes have the right sum, so it is put in.
    let mut sealed = xxh3_64(data).to_le_bytes().to_vec();
    sealed.put(data);
    if let Ok(manifest) = Manifest::decode(&sealed, "MANIFEST") {
        let again = manifest.encode().expect("it was short enough");
        let decoded = Manifest::decode(&again, "MANIFEST");
        assert_eq!(decoded.expect("it was encoded"), manifest);
    }
}

/// Reads bytes as up to three files of a log.
fn foreign_log(data: &[u8]) {
    let disk = Simulation::new(0);
    log::create_directory(&disk).expect("a new directory");
    for (number, bytes) in (1..).zip(data.chunks(data.len() / 3 + 1)) {
        disk.put(&file::path(number), bytes);
    }
    _ = read(&disk, data.first().map_or(0, |&above| above.into()));
}

/// Writes a log as the first bytes say, does damage as the others say, and reads it.
fn damaged_log(data: &[u8]) {
    let (lengths, damages) = data.split_at(data.len().min(8));
    let disk = Simulation::new(0);
    log::create_directory(&disk).expect("a new directory");
    let end = LogEnd {
        files: Vec::new(),
        next_number: 1,
        next_seq: 1,
        cuts: Vec::new(),
    };
    let mut log = Log::new(Arc::new(disk.clone()), COLONY, 300, end);
    let mut written = Vec::new();
    for (tick, &length) in (1..).zip(lengths) {
        let payload = vec![length; length.into()];
        let record = Unplaced::new(Kind::Record, tick, |out| {
            out.put(&payload);
            Ok::<_, TooLong>(())
        });
        log.write(&mut record.expect("a short record"))
            .expect("nothing goes wrong");
        written.push((tick, payload));
    }
    assert_eq!(read(&disk, 0).expect("a whole log"), written);
    let above = damages.first().map_or(0, |above| u64::from(above % 9));
    let damages: Vec<_> = damages.as_chunks::<4>().0.iter().take(4).collect();
    for damage in &damages {
        damaged(&disk, **damage);
    }
    if let Ok(read) = read(&disk, above) {
        let start = usize::try_from(above).expect("below nine");
        let rest = written.get(start..).unwrap_or_default();
        assert!(rest.starts_with(&read), "{read:?} was never written");
        let is_flip = |damage: &[u8; 4]| damage[0] % 3 == 2;
        if let [damage] = damages[..]
            && is_flip(damage)
        {
            let missing = rest.len() - read.len();
            assert!(missing <= 1, "{missing} records are missing after a flip");
        }
    }
}

/// Removes, cuts or changes a file.
fn damaged(disk: &Simulation, [kind, number, high, low]: [u8; 4]) {
    let files = disk.all_files();
    let Some((path, length)) = files.get(usize::from(number) % files.len().max(1)) else {
        return;
    };
    let place = u64::from(u16::from_be_bytes([high, low])) % (8 * length).max(1);
    match kind % 3 {
        0 => disk.remove(path).expect("a file"),
        1 => {
            let bytes = files::read(disk, path, *length).expect("a file");
            let end = usize::try_from(place).expect("a short file");
            disk.put(path, &bytes[..end.min(bytes.len())]);
        }
        _ if *length > 0 => disk.flip(path, place),
        _ => {}
    }
}

fn read(disk: &Simulation, above: u64) -> Result<Vec<(u64, Vec<u8>)>, StorageError> {
    let extent = Extent {
        above,
        through: None,
        next_number: 1,
    };
    let mut reader = LogReader::new(disk, COLONY, extent)?;
    let mut records = Vec::new();
    while let Some(record) = reader.next()? {
        assert!(record.seq > above);
        records.push((record.tick, record.payload.to_vec()));
    }
    let end = reader.end();
    assert_eq!(end.next_seq, above + records.len() as u64 + 1);
    Ok(records)
}
