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
        let has = |path: &Path, extensions: &[&str]| {
            path.extension().is_some_and(|extension| {
                extensions
                    .iter()
                    .any(|known| extension.eq_ignore_ascii_case(known))
            })
        };
        match self {
            Self::Text => false,
            Self::Records => true,
            Self::Auto => {
                let name = path.file_name().map(Path::new).unwrap_or(path);
                let inner = name.file_stem().map(Path::new);
                let inner = inner.filter(|_| has(name, &["gz", "zst"]));
                has(inner.unwrap_or(name), &["jsonl", "ndjson"])
            }
        }
    }
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
