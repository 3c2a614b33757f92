//! Five corpora that real people wrote: manuals, code, this crate, records about crates, and a Chinese classic.
//!
//! All but the last are read from the sources that cargo has for this build, so they are the same for each Cargo.lock.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;
use tickring::search::{Field, Schema, TextDocument};

/// The greatest size of a document, in bytes.
const BYTES: usize = 3_000;

pub(crate) struct Corpus {
    pub(crate) name: &'static str,
    pub(crate) schema: Schema,
    pub(crate) documents: Vec<TextDocument>,
}

/// Reads the corpora, with at most this many documents each.
pub(crate) fn all(documents: usize) -> Vec<Corpus> {
    let packages = packages();
    let folders: Vec<_> = packages.iter().filter_map(folder).collect();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = ["src", "tests", "benches"].map(|folder| here.join(folder));
    vec![
        texts("manuals", &folders, "md", "\n\n", documents),
        texts("code", &folders, "rs", "\n}\n", documents),
        texts("this crate", &own, "rs", "\n\n", documents),
        crates(&packages),
        classic(),
    ]
}

/// What cargo knows about the packages of this build.
fn packages() -> Vec<Json> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut metadata: Json = serde_json::from_slice(&output.stdout).unwrap();
    let Json::Array(packages) = metadata["packages"].take() else {
        panic!("cargo lists no packages")
    };
    packages
}

fn folder(package: &Json) -> Option<PathBuf> {
    let manifest = Path::new(package["manifest_path"].as_str()?);
    let is_own = package["name"] == "tickring";
    manifest.parent().filter(|_| !is_own).map(Path::to_owned)
}

/// Cuts the files with this extension into documents of a title, the file's name, and a body.
fn texts(
    name: &'static str,
    folders: &[PathBuf],
    extension: &str,
    cut: &str,
    most: usize,
) -> Corpus {
    let mut files = Vec::new();
    for folder in folders {
        collect(folder, OsStr::new(extension), &mut files);
    }
    // From everywhere, and not only from the first packages.
    let mut documents: Vec<_> = files.iter().flat_map(|file| pieces(file, cut)).collect();
    let step = (documents.len() / most).max(1);
    documents = documents.into_iter().step_by(step).take(most).collect();
    Corpus {
        name,
        schema: Schema::default(),
        documents,
    }
}

fn collect(folder: &Path, extension: &OsStr, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, extension, files);
        } else if path.extension() == Some(extension) {
            files.push(path);
        }
    }
}

fn pieces(file: &Path, cut: &str) -> Vec<TextDocument> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let title = file.file_stem().unwrap_or_default().to_string_lossy();
    let piece = |part: &str| {
        let body = &part[..part.floor_char_boundary(BYTES)];
        TextDocument::new(title.clone(), body)
    };
    let parts = text.split(cut).filter(|part| part.trim().len() > 20);
    parts.map(piece).collect()
}

/// One record a package: its name, description, keywords, authors and so on.
fn crates(packages: &[Json]) -> Corpus {
    let schema = Schema::builder()
        .field(Field::text("body").stored())
        .field(Field::text("title").boost(2.5))
        .field(Field::keyword("author").stored())
        .field(Field::keyword("keyword"))
        .field(Field::integer("edition").stored())
        .field(Field::float("dependencies"))
        .field(Field::date("published"))
        .field(Field::boolean("documented"))
        .build()
        .unwrap();
    let document = |package: &Json| {
        let mut document = schema.document();
        let text = |name: &str| package[name].as_str();
        let list = |name: &str| package[name].as_array().cloned().unwrap_or_default();
        for name in ["body", "name"] {
            if let Some(text) = text(name) {
                let field = if name == "name" { "title" } else { name };
                document.add(field, text).unwrap();
            }
        }
        for (field, name) in [("author", "authors"), ("keyword", "keywords")] {
            for value in list(name) {
                document.add(field, value.as_str().unwrap()).unwrap();
            }
        }
        let edition: i64 = text("edition").unwrap().parse().unwrap();
        document.add("edition", edition).unwrap();
        let dependencies = u32::try_from(list("dependencies").len()).unwrap();
        document
            .add("dependencies", f64::from(dependencies) / 4.0)
            .unwrap();
        document
            .add(
                "published",
                format!("{edition}-{:02}-01", 1 + dependencies % 12),
            )
            .unwrap();
        if !text("documentation").unwrap_or_default().is_empty() {
            document.add("documented", true).unwrap();
        }
        document
    };
    Corpus {
        name: "crates",
        documents: packages.iter().map(document).collect(),
        schema: schema.clone(),
    }
}

/// The Daodejing, about 400 BC, one document a line.
fn classic() -> Corpus {
    let lines = include_str!("daodejing.txt").lines();
    let document = |line: &str| {
        let (title, body) = line
            .split_once(|letter: char| !letter.is_alphabetic())
            .unwrap();
        TextDocument::new(title, body)
    };
    Corpus {
        name: "classic",
        schema: Schema::default(),
        documents: lines.map(document).collect(),
    }
}
