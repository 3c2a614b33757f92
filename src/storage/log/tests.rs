//! Tests of the log over the simulated file system.

use std::io;

use super::file::{self, HEADER as FILE_HEADER};
use super::{Cut, Extent, Log, LogEnd, LogReader, create_directory};
use crate::error::StorageError;
use crate::id::Tick;
use crate::storage::codec::{Put, TooLong};
use crate::storage::colony_id::ColonyId;
use crate::storage::files::{self, Entry, Files};
use crate::storage::poison::Poisonable;
use crate::storage::record::{HEADER, Kind, Unplaced};
use crate::sync::Arc;
use crate::testing::storage::{Fault, Image, Simulation};

const COLONY: ColonyId = ColonyId(77);
/// Three records of `record` go into one file.
const LIMIT: u64 = 300;
const FROM_THE_BEGINNING: Extent = Extent {
    above: 0,
    through: None,
    next_number: 1,
};

fn record(tick: Tick) -> Unplaced {
    let payload = |out: &mut Vec<u8>| {
        out.put(format!("{tick:50}").as_bytes());
        Ok::<_, TooLong>(())
    };
    Unplaced::new(Kind::Record, tick, payload).unwrap()
}

const RECORD: u64 = HEADER as u64 + 50;

fn empty() -> LogEnd {
    LogEnd {
        files: Vec::new(),
        next_number: 1,
        next_seq: 1,
        cuts: Vec::new(),
    }
}

fn log(disk: &Simulation) -> Log {
    let files = Arc::new(Poisonable::new(Arc::new(disk.clone())));
    Log::new(files, COLONY, LIMIT, empty())
}

/// A log with a record for each of these ticks, and its disk.
fn written(ticks: Tick) -> (Simulation, Log) {
    let disk = Simulation::new(ticks);
    create_directory(&disk).unwrap();
    let mut log = log(&disk);
    for tick in 1..=ticks {
        assert_eq!(log.write(&mut record(tick)).unwrap(), tick);
    }
    (disk, log)
}

fn read_extent(disk: &Simulation, extent: Extent) -> Result<(Vec<Tick>, LogEnd), StorageError> {
    let mut reader = LogReader::new(disk, COLONY, extent)?;
    let mut ticks = Vec::new();
    let mut last = None;
    while let Some(record) = reader.next()? {
        assert_eq!(record.payload, format!("{:50}", record.tick).as_bytes());
        assert!(last.is_none_or(|last| record.seq == last + 1));
        last = Some(record.seq);
        ticks.push(record.tick);
    }
    Ok((ticks, reader.end()))
}

fn read(disk: &Simulation) -> Result<(Vec<Tick>, LogEnd), StorageError> {
    read_extent(disk, FROM_THE_BEGINNING)
}

fn above(above: u64) -> Extent {
    Extent {
        above,
        ..FROM_THE_BEGINNING
    }
}

fn bytes(disk: &Simulation, number: u64) -> Vec<u8> {
    files::read(disk, &file::path(number), 1 << 20).unwrap()
}

/// The place of a damage.
fn damage(found: Result<(Vec<Tick>, LogEnd), StorageError>) -> (String, u64) {
    match found {
        Err(StorageError::Damaged { file, offset, .. }) => (file, offset),
        other => panic!("{other:?} is no damage"),
    }
}

#[test]
fn records_come_back_in_order_over_all_files() {
    let (disk, log) = written(10);
    assert_eq!(disk.all_files().len(), 4);
    let lengths = disk.all_files().into_iter().map(|(_, length)| length);
    assert_eq!(lengths.sum::<u64>(), log.length());
    let (ticks, end) = read(&disk).unwrap();
    assert_eq!(ticks, Vec::from_iter(1..=10));
    assert_eq!((end.next_number, end.next_seq), (5, 11));
    let lasts: Vec<_> = end.files.iter().map(|file| file.last).collect();
    assert_eq!(lasts, [Some(3), Some(6), Some(9), Some(10)]);
    assert_eq!(end.cuts, []);
    assert_eq!(read_extent(&disk, above(7)).unwrap().0, [8, 9, 10]);
    assert_eq!(read_extent(&disk, above(12)).unwrap().1.next_seq, 13);
}

#[test]
fn d1_what_was_written_survives_a_power_cut() {
    for image in Image::ALL {
        let (disk, _log) = written(10);
        let (ticks, _) = read(&disk.power_cut(image)).unwrap();
        assert_eq!(ticks, Vec::from_iter(1..=10));
    }
}

#[test]
fn d8_a_torn_tail_is_cut_off_and_told() {
    let (disk, _log) = written(5);
    let whole = bytes(&disk, 2);
    let start = FILE_HEADER + usize::try_from(RECORD).unwrap();
    for length in start + 1..whole.len() {
        disk.put(&file::path(2), &whole[..length]);
        let (ticks, end) = read(&disk).unwrap();
        assert_eq!(ticks, [1, 2, 3, 4]);
        let cut = Cut {
            file: file::path(2),
            offset: start as u64,
            bytes: (length - start) as u64,
            tick: (length >= start + HEADER).then_some(5),
        };
        assert_eq!(end.cuts, [cut]);
        assert_eq!(end.next_seq, 5);
    }
    // A file without a whole header holds nothing either.
    for length in 0..FILE_HEADER {
        disk.put(&file::path(2), &whole[..length]);
        let (ticks, end) = read(&disk).unwrap();
        assert_eq!((ticks.len(), end.cuts.len()), (3, 1));
        assert_eq!((end.next_seq, end.next_number), (4, 3));
    }
}

#[test]
fn the_log_goes_on_behind_a_torn_tail_in_a_new_file() {
    let (disk, _log) = written(5);
    let whole = bytes(&disk, 2);
    disk.put(&file::path(2), &whole[..whole.len() - 1]);
    let (_, end) = read(&disk).unwrap();
    let mut log = Log::new(Arc::new(disk.clone()), COLONY, LIMIT, end);
    for tick in 5..=6 {
        log.write(&mut record(tick)).unwrap();
    }
    let (ticks, end) = read(&disk).unwrap();
    assert_eq!(ticks, [1, 2, 3, 4, 5, 6]);
    assert_eq!((end.cuts.len(), end.files.len()), (1, 3));
}

#[test]
fn a_flipped_bit_is_damage_except_in_the_last_record_which_is_told() {
    let (disk, _log) = written(5);
    let tail = FILE_HEADER as u64 + RECORD;
    for (path, length) in disk.all_files() {
        for bit in (0..length * 8).step_by(3) {
            disk.flip(&path, bit);
            let found = read(&disk);
            disk.flip(&path, bit);
            let byte = bit / 8;
            if path == file::path(2) && byte >= tail {
                let (ticks, end) = found.unwrap();
                assert_eq!((ticks.len(), end.cuts.len()), (4, 1));
                continue;
            }
            let (file, offset) = damage(found);
            let start = byte.checked_sub(FILE_HEADER as u64);
            let start = start.map_or(0, |byte| FILE_HEADER as u64 + byte / RECORD * RECORD);
            assert_eq!((file, offset), (path.clone(), start), "byte {byte}");
        }
    }
    read(&disk).unwrap();
}

#[test]
fn d5_a_missing_file_is_a_gap() {
    for number in 1..=3 {
        let (disk, _log) = written(10);
        disk.remove(&file::path(number)).unwrap();
        assert_eq!(damage(read(&disk)), (file::path(number + 1), 0));
        // Unless the manifest has all that it held.
        let (ticks, _) = read_extent(&disk, above(3 * number)).unwrap();
        assert_eq!(ticks, Vec::from_iter(3 * number + 1..=10));
    }
}

#[test]
fn a_file_of_another_colony_or_place_or_version_is_refused() {
    let (disk, _log) = written(4);
    let whole = bytes(&disk, 2);
    let header = file::Header::new(COLONY, 2, 4);
    let cases = [
        file::Header {
            colony: ColonyId(78),
            ..header
        },
        file::Header {
            format: 2,
            ..header
        },
        file::Header {
            number: 3,
            ..header
        },
        file::Header { first: 5, ..header },
        file::Header { first: 3, ..header },
    ];
    let refusals = cases.map(|header| {
        let mut bytes = whole.clone();
        bytes[..FILE_HEADER].copy_from_slice(&header.encode());
        disk.put(&file::path(2), &bytes);
        read(&disk).unwrap_err().to_string()
    });
    let parts = [
        "belongs to colony 00000000-0000-0000-0000-00000000004e",
        "format 2",
        "log file 3",
        "record 5 as its first",
        "record 4 instead of record 3",
    ];
    for (refusal, part) in refusals.iter().zip(parts) {
        assert!(refusal.contains(part), "{refusal}");
    }
}

#[test]
fn records_of_a_log_inside_a_document_are_no_records() {
    let (disk, mut log) = written(2);
    let inner = bytes(&disk, 1);
    let mut outer = Unplaced::new(Kind::Record, 3, |out| {
        out.put(&inner);
        Ok::<_, TooLong>(())
    });
    log.write(outer.as_mut().unwrap()).unwrap();
    let whole = bytes(&disk, 1);
    disk.put(&file::path(1), &whole[..whole.len() - 1]);
    let (ticks, end) = read_extent(&disk, above(0)).unwrap();
    assert_eq!((ticks, end.cuts.len()), (vec![1, 2], 1));
}

#[test]
fn after_an_error_the_same_record_goes_to_a_new_file() {
    for seed in 0..200 {
        let disk = Simulation::new(seed);
        create_directory(&disk).unwrap();
        let mut log = log(&disk);
        log.write(&mut record(1)).unwrap();
        let fault = match seed % 2 {
            0 => Fault::ShortWrite,
            _ => Fault::Full {
                operations: seed % 7 + 1,
            },
        };
        disk.plan(fault, disk.operations() + 1);
        let mut second = record(2);
        let mut failures = 0;
        while let Err(error) = log.write(&mut second) {
            let is_full = matches!(error, StorageError::Full { .. });
            assert_eq!(is_full, seed % 2 == 1, "{error}");
            failures += 1;
        }
        assert!(failures > 0);
        log.write(&mut record(3)).unwrap();
        for image in Image::ALL {
            let (ticks, end) = read(&disk.power_cut(image)).unwrap();
            assert_eq!(ticks, [1, 2, 3], "{image:?}");
            assert_eq!(end.next_seq, 4);
        }
    }
}

#[test]
fn d7_a_failed_sync_is_final() {
    for at in 2..=3 {
        let disk = Simulation::new(1);
        create_directory(&disk).unwrap();
        let mut log = log(&disk);
        disk.plan(Fault::FailedSync, at);
        for _ in 0..3 {
            let error = log.write(&mut record(1)).unwrap_err();
            assert!(matches!(error, StorageError::Poisoned { .. }), "{error}");
        }
        assert_eq!(disk.syncs(), at);
    }
}

#[test]
fn d5_files_are_removed_from_the_front_alone_and_only_whole() {
    let (disk, mut log) = written(10);
    log.remove_through(5).unwrap();
    assert_eq!(disk.all_files().len(), 3);
    log.remove_through(10).unwrap();
    assert_eq!(disk.all_files().len(), 1);
    log.rotate();
    log.remove_through(9).unwrap();
    assert_eq!(disk.all_files().len(), 1);
    log.remove_through(10).unwrap();
    assert_eq!((disk.all_files().len(), log.length()), (0, 0));
    log.write(&mut record(11)).unwrap();
    assert_eq!(log.next_number(), 6);
    // After a power cut, any of the files that were removed may be there again.
    for _ in 0..100 {
        let (ticks, end) = read_extent(&disk.power_cut(Image::Subset), above(10)).unwrap();
        assert_eq!((ticks, end.next_number), (vec![11], 6));
    }
}

#[test]
fn a_reader_beside_the_writer_ends_where_it_is_told_to() {
    let (disk, mut log) = written(5);
    let extent = Extent {
        through: Some(4),
        ..above(2)
    };
    let mut reader = LogReader::new(&disk, COLONY, extent).unwrap();
    log.write(&mut record(6)).unwrap();
    disk.plan(Fault::ShortWrite, disk.operations() + 1);
    log.write(&mut record(7)).unwrap_err();
    for tick in 3..=4 {
        assert_eq!(reader.next().unwrap().unwrap().tick, tick);
    }
    assert_eq!(reader.next().unwrap(), None);
    let extent = Extent {
        through: Some(8),
        ..above(2)
    };
    damage(read_extent(&disk, extent));
}

#[test]
fn a_file_that_would_replace_two_records_is_refused() {
    let (disk, _log) = written(10);
    let mut last = bytes(&disk, 4);
    for (first, place) in [(9, None), (8, Some(2))] {
        last[..FILE_HEADER].copy_from_slice(&file::Header::new(COLONY, 4, first).encode());
        disk.put(&file::path(4), &last);
        let place = place.map(|records| FILE_HEADER as u64 + records * RECORD);
        let place = place.map_or((file::path(4), FILE_HEADER as u64), |at| {
            (file::path(3), at)
        });
        assert_eq!(damage(read(&disk)), place);
    }
}

#[test]
fn the_log_is_not_cut_under_a_reader() {
    let (disk, mut log) = written(10);
    let pins = log.pins().clone();
    let [first, second, third] = [4, 4, 7].map(|tick| pins.above(tick));
    for (pin, kept) in [(first, 3), (second, 3), (third, 2)] {
        log.remove_through(10).unwrap();
        assert_eq!(disk.all_files().len(), kept);
        drop(pin);
    }
    log.remove_through(10).unwrap();
    assert_eq!(disk.all_files().len(), 1);
}

/// Files whose first log file is removed as soon as it was listed.
#[derive(Debug)]
struct Removing(Simulation);

impl Files for Removing {
    fn list(&self, path: &str) -> io::Result<Vec<Entry>> {
        let listed = self.0.list(path);
        self.0.remove(&file::path(1))?;
        listed
    }
    fn open(&self, path: &str) -> io::Result<Box<dyn files::File>> {
        self.0.open(path)
    }
    fn create(&self, path: &str) -> io::Result<Box<dyn files::File>> {
        self.0.create(path)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        self.0.remove(path)
    }
    fn create_dir(&self, path: &str) -> io::Result<()> {
        self.0.create_dir(path)
    }
    fn remove_dir(&self, path: &str) -> io::Result<()> {
        self.0.remove_dir(path)
    }
    fn sync_dir(&self, path: &str) -> io::Result<()> {
        self.0.sync_dir(path)
    }
}

#[test]
fn a_file_that_its_writer_removes_under_a_reader_is_missed_only_if_it_is_needed() {
    let needed = |above| {
        let (disk, _log) = written(7);
        let extent = Extent {
            above,
            through: Some(7),
            next_number: 0,
        };
        let mut reader = LogReader::new(&Removing(disk), COLONY, extent)?;
        let mut read = Vec::new();
        while let Some(record) = reader.next()? {
            read.push(record.tick);
        }
        Ok::<_, StorageError>(read)
    };
    assert_eq!(needed(3).unwrap(), [4, 5, 6, 7]);
    let missed = needed(2).unwrap_err();
    assert!(matches!(missed, StorageError::Damaged { .. }), "{missed}");
}
