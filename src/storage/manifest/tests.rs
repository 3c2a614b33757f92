//! Tests of the manifest and of leftovers.

use xxhash_rust::xxh3::xxh3_64;

use super::store::{NAME, TEMPORARY, read, verify, write};
use super::{FilePart, Manifest, ShardPart, directory, life};
use crate::error::StorageError;
use crate::id::ShardId;
use crate::storage::colony_id::ColonyId;
use crate::storage::files::Files;
use crate::storage::leftovers::{self, Leftover};
use crate::storage::poison::Poisonable;
use crate::sync::Arc;
use crate::testing::storage::{Fault, Image, Simulation};

fn file(directory: &str, name: &str) -> FilePart {
    FilePart {
        directory: directory.to_owned(),
        name: name.to_owned(),
        length: 5,
        sum: xxh3_64(b"bytes"),
    }
}

fn manifest(tick: u64) -> Manifest {
    let shard = |id: u32, tick| ShardPart {
        id: ShardId::new(id),
        tick,
        meta: format!("meta of {id}").into_bytes(),
        files: vec![
            file(&format!("shard-{id}-1"), "a"),
            file(&format!("shard-{id}-3"), "a"),
        ],
    };
    Manifest {
        colony: ColonyId(u128::MAX - 5),
        settings: [("placement", "xxh3"), ("schema", "{}")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        seq: 2 * tick,
        tick,
        next_log: 9,
        ring: b"ring".to_vec(),
        goal: Vec::new(),
        last_ticks: b"ticks".to_vec(),
        quarantine: b"bad".to_vec(),
        sent: b"sent".to_vec(),
        next_shard: 8,
        next_incarnation: 17,
        epoch: 4,
        shards: vec![shard(0, tick), shard(7, tick - 1)],
    }
}

fn decode(bytes: &[u8]) -> Result<Manifest, StorageError> {
    Manifest::decode(bytes, NAME)
}

/// Corrects the sum.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = xxh3_64(&bytes[8..]);
    bytes[..8].copy_from_slice(&sum.to_le_bytes());
    bytes
}

#[test]
fn a_manifest_comes_back_as_it_was() {
    let written = manifest(5);
    assert_eq!(decode(&written.encode().unwrap()).unwrap(), written);
    assert_eq!(written.lowest_tick(), 4);
    assert_eq!(written.files().count(), 4);
}

#[test]
fn every_flipped_bit_and_every_missing_byte_is_refused() {
    let whole = manifest(5).encode().unwrap();
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        decode(&bytes).unwrap_err();
    }
    for length in 0..whole.len() {
        decode(&whole[..length]).unwrap_err();
        // A writer that never writes all sections.
        if length >= 24 {
            decode(&sealed(whole[..length].to_vec())).unwrap_err();
        }
    }
}

#[test]
fn a_later_version_is_refused_only_where_it_must_be() {
    let section = |flags: u8| [&[99, 0, flags, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7][..]].concat();
    let written = manifest(5);
    let whole = written.encode().unwrap();
    let with = |flags| sealed([whole.clone(), section(flags)].concat());
    assert_eq!(decode(&with(0)).unwrap(), written);
    let refused = decode(&with(1)).unwrap_err().to_string();
    assert_eq!(
        refused,
        "MANIFEST needs a later version: section 99, but this one reads format 1"
    );
    let mut later = whole.clone();
    later[16] = 2;
    assert_eq!(decode(&sealed(later.clone())).unwrap(), written);
    later[20] = 2;
    let refused = decode(&sealed(later)).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("format 2, for readers from 2 on"),
        "{refused}"
    );
}

#[test]
fn no_name_leads_out_of_the_directories_of_shards() {
    let names = ["", ".", "..", "a/b", "/etc", "..\\a", "c:a"].map(|name| file("shard-0-1", name));
    let directories = ["", "..", "log", "shard-0", "shard-00-1", "shard-0-1/x"];
    let directories = directories.map(|directory| file(directory, "a"));
    for part in names.into_iter().chain(directories) {
        let mut manifest = manifest(5);
        manifest.shards[0].files.push(part.clone());
        let refused = decode(&manifest.encode().unwrap()).unwrap_err();
        assert!(
            matches!(refused, StorageError::Damaged { .. }),
            "{part:?}: {refused}"
        );
    }
    assert_eq!(
        life(&directory(ShardId::new(3), 12)),
        Some((ShardId::new(3), 12))
    );
}

fn disk_with(manifest: &Manifest, seed: u64) -> Simulation {
    let disk = Simulation::new(seed);
    write(&disk, manifest).unwrap();
    disk
}

#[test]
fn a_power_cut_at_any_operation_leaves_the_old_manifest_or_the_new_one() {
    let (old, new) = (manifest(5), manifest(6));
    let (mut olds, mut news) = (0, 0);
    for seed in 0..20 {
        for image in Image::ALL {
            for operation in 1..=6 {
                let disk = disk_with(&old, seed);
                disk.plan(Fault::Crash, disk.operations() + operation);
                let is_written = write(&disk, &new).is_ok();
                assert_eq!(is_written, operation == 6);
                let found = read(&disk.power_cut(image)).unwrap().unwrap();
                assert!(found == old || found == new);
                assert!(found == new || !is_written);
                *(if found == old { &mut olds } else { &mut news }) += 1;
            }
        }
    }
    assert!(olds > 50 && news > 50);
}

#[test]
fn a_full_disk_leaves_the_old_manifest_and_nothing_else() {
    let (old, new) = (manifest(5), manifest(6));
    for operation in 1..=2 {
        let disk = disk_with(&old, operation);
        disk.plan(Fault::Full { operations: 1 }, disk.operations() + operation);
        let full = write(&disk, &new).unwrap_err();
        assert!(matches!(full, StorageError::Full { .. }), "{full}");
        assert_eq!(disk.all_files().len(), 1);
        assert_eq!(read(&disk).unwrap().unwrap(), old);
        write(&disk, &new).unwrap();
        assert_eq!(read(&disk).unwrap().unwrap(), new);
    }
}

#[test]
fn d7_a_manifest_whose_sync_failed_is_final() {
    for sync in 1..=2 {
        let disk = disk_with(&manifest(5), sync);
        let files = Poisonable::new(Arc::new(disk.clone()));
        disk.plan(Fault::FailedSync, disk.syncs() + sync);
        for tick in 6..8 {
            let refused = write(&files, &manifest(tick)).unwrap_err();
            assert!(
                matches!(refused, StorageError::Poisoned { .. }),
                "{refused}"
            );
        }
    }
}

#[test]
fn a_leftover_temporary_file_is_no_hindrance() {
    let disk = disk_with(&manifest(5), 1);
    disk.put(TEMPORARY, b"torn");
    write(&disk, &manifest(6)).unwrap();
    assert_eq!(read(&disk).unwrap().unwrap(), manifest(6));
    assert_eq!(read(&Simulation::new(1)).unwrap(), None);
}

#[test]
fn a_file_that_is_missing_or_changed_is_damage() {
    let disk = Simulation::new(1);
    disk.create_dir("shard-0-1").unwrap();
    let part = file("shard-0-1", "a");
    let refusal = |disk: &Simulation| verify(disk, &part).unwrap_err().to_string();
    assert!(refusal(&disk).contains("shard-0-1/a is damaged at byte 0: nothing"));
    disk.put("shard-0-1/a", b"byte");
    assert!(refusal(&disk).contains("4 bytes instead of 5 bytes"));
    disk.put("shard-0-1/a", b"bytes");
    verify(&disk, &part).unwrap();
    disk.flip("shard-0-1/a", 3);
    assert!(refusal(&disk).contains("with the sum"));
}

#[test]
fn d8_leftovers_are_found_and_removed_and_nothing_else_is() {
    let disk = disk_with(&manifest(5), 1);
    let directories = [
        "log",
        "mine",
        "shard-0-1",
        "shard-0-2",
        "shard-7-1",
        "shard-x",
    ];
    for directory in directories {
        disk.create_dir(directory).unwrap();
    }
    let kept = [
        "LOCK",
        "log/0000001.log",
        "mine/a.tmp",
        "notes",
        "shard-0-1/a",
        "shard-x/a",
    ];
    let left = [
        "MANIFEST.tmp",
        "log/x.tmp",
        "shard-0-1/b",
        "shard-0-2/a",
        "shard-0-2/b",
    ];
    for path in kept.iter().chain(&left) {
        disk.put(path, b"abc");
    }
    let found = leftovers::find(&disk, Some(&manifest(5))).unwrap();
    let leftover = |path: &str, bytes| Leftover {
        path: path.to_owned(),
        bytes,
        is_dir: bytes == 0,
    };
    let mut expected: Vec<_> = left.map(|path| leftover(path, 3)).to_vec();
    expected.extend([leftover("shard-0-2", 0), leftover("shard-7-1", 0)]);
    assert_eq!(found, expected);
    leftovers::remove(&disk, &found).unwrap();
    let all: Vec<_> = disk.all_files().into_iter().map(|(path, _)| path).collect();
    assert_eq!(all, [&["LOCK", NAME][..], &kept[1..]].concat());
    assert_eq!(leftovers::find(&disk, Some(&manifest(5))).unwrap(), []);
    assert_eq!(leftovers::find(&disk, None).unwrap().len(), 2);
}
