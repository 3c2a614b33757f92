//! Tests of the simulated file system against simple expectations.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use super::{Fault, Image, Simulation};
use crate::storage::files::{self, Files};

const BOUND: u64 = 1 << 20;

/// One durable file, with an appended part that isn't synced, and a rename and a creation that aren't either.
fn half_synced(seed: u64) -> Simulation {
    let disk = Simulation::new(seed);
    let mut file = disk.create("a").unwrap();
    file.append(&[1; 100]).unwrap();
    file.sync().unwrap();
    disk.sync_dir("").unwrap();
    file.append(&[2; 100]).unwrap();
    disk.rename("a", "b").unwrap();
    disk.create("c").unwrap().append(b"new").unwrap();
    disk
}

fn read(disk: &Simulation, path: &str) -> Vec<u8> {
    files::read(disk, path, BOUND).unwrap()
}

#[test]
fn what_was_synced_survives_alone() {
    for seed in 0..20 {
        let disk = half_synced(seed).power_cut(Image::Synced);
        assert_eq!(disk.all_files(), [("a".to_owned(), 100)]);
        assert_eq!(read(&disk, "a"), [1; 100]);
    }
}

#[test]
fn everything_may_survive() {
    let disk = half_synced(1).power_cut(Image::Everything);
    let files = [("b".to_owned(), 200), ("c".to_owned(), 3)];
    assert_eq!(disk.all_files(), files);
    assert_eq!(read(&disk, "b")[100..], [2; 100]);
    assert_eq!(read(&disk, "c"), b"new");
}

#[test]
fn a_beginning_survives() {
    let mut lengths = BTreeSet::new();
    for seed in 0..200 {
        let disk = half_synced(seed).power_cut(Image::Prefix);
        let names: Vec<_> = disk.all_files().into_iter().map(|(path, _)| path).collect();
        let path = &names[0];
        assert!(
            names == ["a"] || names == ["b"] || names == ["b", "c"],
            "{names:?}"
        );
        let bytes = read(&disk, path);
        assert_eq!(bytes[..100], [1; 100]);
        assert!(bytes[100..].iter().all(|&byte| byte == 2));
        lengths.insert(bytes.len());
    }
    assert!(lengths.len() > 50 && lengths.contains(&100) && lengths.contains(&200));
}

#[test]
fn any_part_may_survive() {
    let mut names = BTreeSet::new();
    let mut torn = 0;
    for seed in 0..200 {
        let disk = half_synced(seed).power_cut(Image::Subset);
        let files = disk.all_files();
        let bytes = read(&disk, &files[0].0);
        assert_eq!(bytes[..100], [1; 100]);
        let has_gap = bytes[100..].contains(&0) && bytes.ends_with(&[2]);
        torn += u32::from(has_gap);
        names.insert(files.into_iter().map(|(path, _)| path).collect::<Vec<_>>());
    }
    // The creation with and without the rename before it.
    assert_eq!(names.len(), 4, "{names:?}");
    assert!(torn > 10, "{torn}");
}

#[test]
fn a_synced_file_without_its_name_is_lost() {
    let disk = Simulation::new(1);
    disk.create_dir("log").unwrap();
    let mut file = disk.create("log/1").unwrap();
    file.append(b"abc").unwrap();
    file.sync().unwrap();
    disk.sync_dir("log").unwrap();
    let lost = disk.power_cut(Image::Synced);
    assert_eq!(lost.all_files(), []);
    assert_eq!(lost.list("log").unwrap_err().kind(), ErrorKind::NotFound);

    let disk = Simulation::new(1);
    disk.create_dir("log").unwrap();
    disk.sync_dir("").unwrap();
    drop(disk.create("log/1").unwrap());
    assert_eq!(disk.power_cut(Image::Synced).list("log").unwrap(), []);
}

#[test]
fn after_a_crash_nothing_happens_any_more() {
    for seed in 0..20 {
        let disk = Simulation::new(seed);
        let mut file = disk.create("a").unwrap();
        disk.plan(Fault::Crash, 3);
        file.append(b"abc").unwrap();
        file.append(b"def").unwrap_err();
        assert!(disk.has_crashed());
        let dead = [
            file.append(b"ghi").unwrap_err(),
            file.sync().unwrap_err(),
            disk.sync_dir("").unwrap_err(),
            disk.create("b").unwrap_err(),
            disk.open("a").unwrap_err(),
            disk.list("").unwrap_err(),
            file.length().unwrap_err(),
        ];
        assert!(
            dead.iter()
                .all(|error| error.to_string() == "simulated crash")
        );
        let bytes = read(&disk.power_cut(Image::Everything), "a");
        assert!(bytes == b"abc" || bytes == b"abcdef");
        assert_eq!(disk.power_cut(Image::Synced).all_files(), []);
    }
}

#[test]
fn d7_what_a_failed_sync_lost_never_arrives_though_the_next_sync_says_ok() {
    let mut kept = 0;
    for seed in 0..100 {
        let disk = Simulation::new(seed);
        disk.plan(Fault::FailedSync, 2);
        let mut file = disk.create("a").unwrap();
        disk.sync_dir("").unwrap();
        file.append(&[7; 100]).unwrap();
        file.sync().unwrap_err();
        file.sync().unwrap();
        // The page cache has it, so a new process sees it.
        let next = disk.restart();
        assert_eq!(read(&next, "a"), [7; 100]);
        file.append(b"x").unwrap_err();
        let images = Image::ALL.map(|image| next.power_cut(image));
        for disk in images {
            kept += usize::from(read(&disk, "a") == [7; 100]);
        }
    }
    // Sometimes a few sectors arrive, rarely all of them.
    assert!(kept < 40, "{kept}");
}

#[test]
fn names_that_a_failed_sync_lost_never_arrive() {
    let lost = (0..50).filter(|&seed| {
        let disk = Simulation::new(seed);
        disk.plan(Fault::FailedSync, 1);
        drop(disk.create("a").unwrap());
        disk.sync_dir("").unwrap_err();
        disk.sync_dir("").unwrap();
        assert_eq!(disk.all_files().len(), 1);
        disk.power_cut(Image::Everything).all_files().is_empty()
    });
    assert!((25..50).contains(&lost.count()));
}

#[test]
fn a_full_disk_cuts_what_is_written_and_has_room_again_later() {
    let disk = Simulation::new(3);
    let mut file = disk.create("a").unwrap();
    disk.plan(Fault::Full { operations: 2 }, 2);
    let full = file.append(&[1; 1000]).unwrap_err();
    assert_eq!(full.kind(), ErrorKind::StorageFull);
    let full = disk.create("b").unwrap_err();
    assert_eq!(full.kind(), ErrorKind::StorageFull);
    let length = file.length().unwrap();
    assert!(length <= 1000);
    file.append(b"more").unwrap();
    assert_eq!(file.length().unwrap(), length + 4);
    assert_eq!((disk.operations(), disk.syncs()), (4, 0));
}

#[test]
fn a_short_write_is_told() {
    let disk = Simulation::new(4);
    disk.plan(Fault::ShortWrite, 1);
    let mut file = disk.create("a").unwrap();
    file.append(&[1; 1000]).unwrap_err();
    assert!((1..1000).contains(&file.length().unwrap()));
    file.append(&[2; 10]).unwrap();
}

#[test]
fn a_seed_does_the_same_again() {
    for image in Image::ALL {
        let [one, other] = [9, 9].map(|seed| {
            let disk = half_synced(seed).power_cut(image);
            let files = disk.all_files();
            let bytes: Vec<_> = files.iter().map(|(path, _)| read(&disk, path)).collect();
            (files, bytes)
        });
        assert_eq!(one, other);
    }
}

#[test]
fn a_file_that_was_removed_or_replaced_is_still_read_by_who_has_it_open() {
    let disk = Simulation::new(5);
    disk.put("a", b"old");
    disk.put("b", b"new");
    let file = disk.open("a").unwrap();
    disk.rename("b", "a").unwrap();
    disk.remove("a").unwrap();
    let mut bytes = [0; 3];
    file.read_at(&mut bytes, 0).unwrap();
    assert_eq!(&bytes, b"old");
    assert_eq!(disk.open("a").unwrap_err().kind(), ErrorKind::NotFound);
}
