//! The formats of input, and how a name tells the format.

use std::path::Path;

use clap::ValueEnum;

/// How files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Files named .jsonl or .ndjson (or .jsonl.gz, .ndjson.zst and so on) as records, others as text
    Auto,
    /// Each file as one document
    Text,
    /// Each line of a file as one JSON object, which is a document
    Records,
}

impl Format {
    /// Returns whether a file of this name contains records.
    pub(super) fn is_records(self, path: &Path) -> bool {
        match self {
            Self::Text => false,
            Self::Records => true,
            Self::Auto => has(inner_name(path), &["jsonl", "ndjson"]),
        }
    }
}

/// Returns the name of a file without its directories and without the extension of its compression.
pub(super) fn inner_name(path: &Path) -> &Path {
    let name = path.file_name().map(Path::new).unwrap_or(path);
    let inner = name.file_stem().map(Path::new);
    inner.filter(|_| has(name, &["gz", "zst"])).unwrap_or(name)
}

fn has(name: &Path, extensions: &[&str]) -> bool {
    name.extension().is_some_and(|extension| {
        extensions
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_the_format() {
        for (name, records) in [
            ("a.jsonl", true),
            ("d/A.NDJSON", true),
            ("a.JsonL.GZ", true),
            ("a.ndjson.zst", true),
            ("a.jsonl.txt", false),
            ("a.gz", false),
            ("jsonl", false),
            ("a.txt", false),
            ("-", false),
        ] {
            let path = Path::new(name);
            assert_eq!(Format::Auto.is_records(path), records, "{name}");
            assert!(Format::Records.is_records(path) && !Format::Text.is_records(path));
        }
    }
}
