//! Tests of the operating system's files, the lock and the poison.

use std::fs;
use std::io::ErrorKind;

use super::files::{self, Entry, Files};
use super::memory::Memory;
use super::os::OsFiles;
use super::poison::Poisonable;
use super::{Access, Directory};
use crate::error::StorageError;
use crate::sync::Arc;

fn entry(name: &str, length: u64, is_dir: bool) -> Entry {
    let name = name.to_owned();
    Entry {
        name,
        length,
        is_dir,
    }
}

#[test]
fn files_do_what_the_trait_says() {
    let root = tempfile::tempdir().unwrap();
    do_what_the_trait_says(&OsFiles::new(root.path().to_owned()));
    do_what_the_trait_says(&Memory::default());
}

fn do_what_the_trait_says(system: &dyn Files) {
    system.create_dir("log").unwrap();
    let mut file = system.create("log/1").unwrap();
    file.append(b"abc").unwrap();
    file.append(b"def").unwrap();
    file.sync().unwrap();
    system.sync_dir("log").unwrap();
    system.sync_dir("").unwrap();
    assert_eq!(file.length().unwrap(), 6);
    let mut bytes = [0; 3];
    let read = system.open("log/1").unwrap();
    read.read_at(&mut bytes, 2).unwrap();
    assert_eq!(&bytes, b"cde");
    assert_eq!(
        read.read_at(&mut bytes, 4).unwrap_err().kind(),
        ErrorKind::UnexpectedEof
    );
    assert_eq!(files::read(system, "log/1", 6).unwrap(), b"abcdef");
    assert_eq!(
        files::read(system, "log/1", 5).unwrap_err().kind(),
        ErrorKind::InvalidData
    );
    assert_eq!(
        system.create("log/1").unwrap_err().kind(),
        ErrorKind::AlreadyExists
    );
    assert_eq!(
        system.create_dir("log").unwrap_err().kind(),
        ErrorKind::AlreadyExists
    );
    drop(system.create("log/2").unwrap());
    system.rename("log/1", "log/2").unwrap();
    assert_eq!(system.list("log").unwrap(), [entry("2", 6, false)]);
    assert_eq!(system.list("").unwrap(), [entry("log", 0, true)]);
    for fails in [
        system.create("other/1").map(drop),
        system.create_dir("log/2").map(drop),
        system.open("1").map(drop),
        system.list("1").map(drop),
        system.list("log/2").map(drop),
        system.remove("log"),
        system.remove("log/1"),
        system.remove_dir("log"),
        system.rename("log/1", "log/2"),
        system.rename("log/2", "log"),
    ] {
        fails.unwrap_err();
    }
    system.remove("log/2").unwrap();
    system.remove_dir("log").unwrap();
    assert_eq!(system.list("").unwrap(), []);
}

#[test]
fn an_error_names_the_path() {
    let root = tempfile::tempdir().unwrap();
    let system = OsFiles::new(root.path().to_owned());
    let path = root.path().join("a").join("b").display().to_string();
    let shown = [
        system.open("a/b").map(drop).unwrap_err(),
        system.create("a/b").map(drop).unwrap_err(),
        system.remove("a/b").unwrap_err(),
        system.rename("a/b", "c").unwrap_err(),
        system.create_dir("a/b").unwrap_err(),
        system.remove_dir("a/b").unwrap_err(),
        system.sync_dir("a/b").unwrap_err(),
        system.list("a/b").map(drop).unwrap_err(),
    ];
    for error in shown {
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains(&path), "{error}");
    }
}

#[test]
fn one_writer_or_several_readers_hold_a_directory() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a/b");
    let open = |access| Directory::open(&path, access);
    let held = |access| matches!(open(access), Err(StorageError::Locked { path }) if path.ends_with("LOCK"));
    let absent = |access| matches!(open(access), Err(StorageError::NoColony { .. }));
    assert!(absent(Access::Read));
    let writer = open(Access::Create).unwrap();
    let clone = writer.clone();
    drop(writer);
    assert!(held(Access::Create) && held(Access::Read));
    drop(clone);
    let readers = [(); 2].map(|()| open(Access::Read).unwrap());
    assert!(held(Access::Create));
    drop(readers);
    open(Access::Create).unwrap();
}

#[test]
fn a_reader_writes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let refused = Directory::open(root.path(), Access::Read);
    assert!(matches!(refused, Err(StorageError::NoColony { .. })));
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
}

#[test]
fn a_file_is_no_directory() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("file");
    fs::write(&path, "text").unwrap();
    for access in [Access::Create, Access::Read] {
        let refused = Directory::open(&path, access).unwrap_err();
        assert!(refused.to_string().contains("it is a file"), "{refused}");
    }
    assert_eq!(fs::read(&path).unwrap(), b"text");
}

#[test]
fn d7_after_a_failed_sync_nothing_is_written_or_synced() {
    let root = tempfile::tempdir().unwrap();
    let system = Arc::new(OsFiles::new(root.path().to_owned()));
    let files = Poisonable::new(system);
    let mut file = files.create("a").unwrap();
    file.append(b"abc").unwrap();
    file.sync().unwrap();
    files.sync_dir("absent").unwrap_err();
    let refused = [
        file.append(b"d").unwrap_err(),
        file.sync().unwrap_err(),
        files.sync_dir("").unwrap_err(),
        files.create("b").map(drop).unwrap_err(),
        files.rename("a", "b").unwrap_err(),
        files.remove("a").unwrap_err(),
        files.create_dir("b").unwrap_err(),
        files.remove_dir("b").unwrap_err(),
    ];
    let absent = root.path().join("absent").display().to_string();
    for error in refused {
        let error = StorageError::io("sync", "a", error);
        assert!(
            matches!(&error, StorageError::Poisoned { path, .. } if *path == absent),
            "{error}"
        );
        // The message names the path once.
        assert_eq!(error.to_string().matches("absent").count(), 1, "{error}");
    }
    assert_eq!(files::read(&files, "a", 3).unwrap(), b"abc");
    assert_eq!(files.list("").unwrap(), [entry("a", 3, false)]);
}
