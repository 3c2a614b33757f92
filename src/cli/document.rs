//! The documents of the command line, with name, id and text.

use std::path::{Component, Path};

use tickring::DocumentId;
use tickring::search::{Field, TextDocument, Value};
use uuid::Uuid;

use super::escape;

/// The namespace of the ids of files, records and generated documents. It must never change, as that would change every id.
const NAMESPACE: Uuid = Uuid::from_bytes([
    0x3f, 0x0e, 0x6c, 0x52, 0x9d, 0x1b, 0x5a, 0x07, 0x8c, 0x44, 0x71, 0xd2, 0x5b, 0xe8, 0x90, 0x16,
]);

pub(super) struct Document {
    pub(super) id: DocumentId,
    /// The name in the output: the path, in which bytes that aren't UTF-8 are escaped, or the id of the record, or
    /// its file and line if it has no id, or the document's id if nothing else names it for good.
    pub(super) name: String,
    pub(super) text: TextDocument,
    is_file: bool,
}

impl Document {
    /// Creates the document of a file.
    pub(super) const fn file(id: DocumentId, name: String, text: TextDocument) -> Self {
        Self {
            id,
            name,
            is_file: true,
            text,
        }
    }

    /// Creates the document of a record. Its id is the UUID v5 of the record's id.
    pub(super) fn record(name: String, text: TextDocument) -> Self {
        Self::named(record_id(&name), name, text)
    }

    /// Creates the document of a record whose id doesn't follow from its name.
    pub(super) const fn named(id: DocumentId, name: String, text: TextDocument) -> Self {
        Self {
            id,
            is_file: false,
            text,
            name,
        }
    }

    pub(super) fn generated(number: u64, text: TextDocument) -> Self {
        let name = format!("generated/{number:07}");
        Self {
            id: hashed("generated", name.as_bytes()),
            is_file: false,
            text,
            name,
        }
    }

    /// Returns the size of its texts in bytes. The title of a file is its name, which doesn't count.
    pub(super) fn bytes(&self) -> u64 {
        let fields = self.text.schema().fields().iter().map(Field::name);
        let fields = fields.filter(|&name| !self.is_file || name != "title");
        let values = fields.flat_map(|name| self.text.get_all(name));
        values
            .filter_map(Value::as_str)
            .map(|text| text.len() as u64)
            .sum()
    }
}

/// Returns the number of words that are indexed by their first 255 bytes. Most texts have only short words, which a look at the bytes tells.
pub(super) fn shortened_words(document: &TextDocument) -> u64 {
    let fields = document.schema().fields().iter();
    let mut values = fields.flat_map(|field| document.get_all(field.name()));
    if values.any(|value| value.as_str().is_some_and(has_long_run)) {
        document.shortened_words()
    } else {
        0
    }
}

/// Returns whether the text has a run of bytes that may be a word of more than 255 bytes after folding, which makes the text at most 11 times
/// as long.
fn has_long_run(text: &str) -> bool {
    const LONG: u32 = 255 / 11;
    let mut run = 0;
    text.bytes().any(|byte| {
        let in_word = byte.is_ascii_alphanumeric() || !byte.is_ascii();
        run = if in_word { run + 1 } else { 0 };
        run > LONG
    })
}

/// Returns the id of the document of a record with this id.
pub(super) fn record_id(name: &str) -> DocumentId {
    hashed("record", name.as_bytes())
}

/// Returns the UUID v5 of a name among those of its kind.
pub(super) fn hashed(kind: &str, name: &[u8]) -> DocumentId {
    DocumentId::from(Uuid::new_v5(
        &Uuid::new_v5(&NAMESPACE, kind.as_bytes()),
        name,
    ))
}

/// Converts bytes to text. If they are more than `limit`, or aren't text, returns the reason.
pub(super) fn as_text(bytes: Vec<u8>, limit: u64) -> Result<String, String> {
    if bytes.len() as u64 > limit {
        return Err(format!("larger than {} MiB", limit >> 20));
    }
    if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
        return Err(format!("binary data: NUL byte at offset {at}"));
    }
    String::from_utf8(bytes)
        .map_err(|error| format!("not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
}

/// Returns the path as it was given, with `/` between its components, without `.` and without empty components. It doesn't follow links.
pub(super) fn normalised(path: &Path) -> String {
    escape::name(&normalised_bytes(path))
}

/// Returns the normalised path in the encoding of the system, which need not be UTF-8.
pub(super) fn normalised_bytes(path: &Path) -> Vec<u8> {
    let mut name = Vec::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::RootDir => name.push(b'/'),
            part => {
                if !name.is_empty() && !name.ends_with(b"/") {
                    name.push(b'/');
                }
                name.extend_from_slice(part.as_os_str().as_encoded_bytes());
            }
        }
    }
    if name.is_empty() {
        name.push(b'.');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_as_given() {
        for (given, name) in [
            ("a/b.txt", "a/b.txt"),
            ("./a//b.txt", "a/b.txt"),
            ("/a/./b", "/a/b"),
            ("../x/", "../x"),
            ("/", "/"),
            (".", "."),
            ("./.", "."),
        ] {
            assert_eq!(normalised(Path::new(given)), name, "{given}");
        }
    }
}
