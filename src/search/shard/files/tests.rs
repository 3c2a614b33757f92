use std::fs;
use std::io::Write as _;

use tantivy::directory::TerminatingWrite as _;

use super::*;

const MAX_HEAP: u64 = 1_000;

fn mapped(scratch: &Path) -> IndexFiles {
    let files = IndexFiles::new(Reading::Mapped, Some(scratch.to_owned()));
    files.shared.lock().max_heap = MAX_HEAP;
    files
}

fn content(length: usize) -> Vec<u8> {
    let bytes = (0..length).map(|at| u8::try_from(at % 251).unwrap());
    bytes.collect()
}

/// Writes a file in pieces, so that some of it is in the heap first.
fn write(files: &IndexFiles, name: &str, bytes: &[u8]) {
    let mut writer = files.open_write(Path::new(name)).unwrap();
    for piece in bytes.chunks(300) {
        writer.write_all(piece).unwrap();
        writer.flush().unwrap();
    }
    writer.terminate().unwrap();
}

fn read(files: &IndexFiles, name: &str) -> Vec<u8> {
    let file = files.open_read(Path::new(name)).unwrap();
    file.read_bytes().unwrap().to_vec()
}

fn place(files: &IndexFiles, name: &str) -> Place {
    files.held(Path::new(name)).unwrap().place
}

#[test]
fn a_file_with_its_end_apart_reads_like_the_whole() {
    let whole = content(20);
    for border in 0..=whole.len() {
        let (bytes, end) = whole.split_at(border);
        let [bytes, end] = [bytes, end].map(|part| OwnedBytes::new(part.to_vec()));
        let place = Place::Saved;
        let held = Held { bytes, end, place };
        assert_eq!(held.len(), whole.len());
        for start in 0..=whole.len() {
            for end in start..=whole.len() {
                let found = held.read_bytes(start..end).unwrap();
                assert_eq!(found.as_slice(), &whole[start..end]);
            }
        }
        assert!(held.read_bytes(0..whole.len() + 1).is_err());
    }
}

#[test]
fn what_finds_no_room_in_the_heap_goes_to_temporary_files() {
    let directory = tempfile::tempdir().unwrap();
    let files = mapped(directory.path());
    let sizes = [
        ("small", 400),
        ("large", 9_000),
        ("next", 500),
        ("over", 101),
    ];
    for (name, size) in sizes {
        write(&files, name, &content(size));
        assert!(files.heap() <= MAX_HEAP, "{name}");
    }
    for (name, size) in sizes {
        assert_eq!(read(&files, name), content(size), "{name}");
        files.check(Path::new(name)).unwrap();
    }
    let in_heap = sizes.map(|(name, _)| place(&files, name) == Place::Heap);
    assert_eq!((in_heap, files.heap()), ([true, false, true, false], 900));
    // The mapping is all that holds them.
    #[cfg(unix)]
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    for (name, _) in sizes {
        files.delete(Path::new(name)).unwrap();
    }
    assert_eq!(files.heap(), 0);
    let heap = IndexFiles::new(Reading::Heap, Some(directory.path().to_owned()));
    heap.shared.lock().max_heap = MAX_HEAP;
    write(&heap, "large", &content(9_000));
    assert_eq!(place(&heap, "large"), Place::Heap);
}

#[test]
fn a_temporary_file_that_cannot_be_written_goes_on_in_the_heap() {
    let directory = tempfile::tempdir().unwrap();
    let missing = mapped(&directory.path().join("missing"));
    write(&missing, "large", &content(9_000));
    assert_eq!(read(&missing, "large"), content(9_000));
    assert_eq!(
        (place(&missing, "large"), missing.heap()),
        (Place::Heap, 9_000)
    );

    // At each piece, the disk is full.
    for good in 0..10 {
        let files = mapped(directory.path());
        let mut writing = Writing::new(files.clone(), PathBuf::from("large"));
        files.shared.lock().writing.insert(PathBuf::from("large"));
        for (at, piece) in content(9_000).chunks(900).enumerate() {
            if at == good {
                writing.seal();
            }
            writing.write_all(piece).unwrap();
        }
        writing.terminate().unwrap();
        assert_eq!(read(&files, "large"), content(9_000), "{good}");
        let is_sealed = (2..10).contains(&good);
        let expected = if is_sealed { (true, 9_000) } else { (false, 0) };
        let in_heap = place(&files, "large") == Place::Heap;
        assert_eq!((in_heap, files.heap()), expected, "{good}");
        #[cfg(unix)]
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_file_that_is_given_up_takes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let files = mapped(directory.path());
    for size in [500, 5_000] {
        let mut writer = files.open_write(Path::new("file")).unwrap();
        assert!(files.open_write(Path::new("file")).is_err());
        writer.write_all(&content(size)).unwrap();
        writer.flush().unwrap();
        drop(writer);
        assert_eq!(files.heap(), 0);
        assert!(!files.exists(Path::new("file")).unwrap());
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_temporary_file_of_which_the_disk_has_lost_something_is_not_saved() {
    let directory = tempfile::tempdir().unwrap();
    let files = mapped(directory.path());
    write(&files, "large", &content(9_000));
    let mut state = files.shared.lock();
    let held = state.files.get_mut(Path::new("large")).unwrap();
    let mut bytes = content(9_000);
    bytes[4_096..8_192].fill(0);
    held.bytes = OwnedBytes::new(bytes);
    drop(state);
    let refused = files.check(Path::new("large")).unwrap_err().to_string();
    assert!(
        refused.starts_with("large is damaged at byte 0: the sum "),
        "{refused}"
    );
}
