//! Documents and queries from real text: the sources and texts of this package's locked dependencies, which are the same on every machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use tickring::DocumentId;
use tickring::search::TextDocument;

use tickring::testing::random::Random;

/// A file is cut after the line that reaches this many bytes.
const BYTES: usize = 2_000;

pub struct Corpus {
    /// Each word as often as it should be drawn.
    words: Vec<String>,
    pub documents: Vec<(DocumentId, TextDocument)>,
}

impl Corpus {
    /// Creates a corpus of this number of documents, drawn from all.
    pub fn new(documents: usize) -> Self {
        let mut texts = Vec::new();
        for package in packages() {
            files(&package, &mut |path| cut(path, &mut texts));
        }
        let mut random = Random::new(7);
        for last in (1..texts.len()).rev() {
            texts.swap(last, random.below(last + 1));
        }
        assert!(texts.len() >= documents, "{} documents only", texts.len());
        texts.truncate(documents);
        Self {
            words: words(&texts),
            documents: (0..).map(DocumentId::from_seed).zip(texts).collect(),
        }
    }

    pub fn describe(&self) -> String {
        let documents = self.documents.iter().map(|(_, document)| document);
        let bytes: usize = documents
            .filter_map(|document| document.text("body"))
            .map(str::len)
            .sum();
        format!(
            "S: {} documents, {:.0} MB: the locked dependencies' sources and texts, files cut after 2,000 bytes, drawn at random.",
            self.documents.len(),
            bytes as f64 / 1e6
        )
    }

    /// Draws queries of one to four words.
    pub fn queries(&self, count: usize) -> Vec<String> {
        let mut random = Random::new(99);
        (0..count)
            .map(|number| {
                let mut word = || self.words[random.below(self.words.len())].as_str();
                let words: Vec<_> = (0..1 + number % 4).map(|_| word()).collect();
                words.join(" ")
            })
            .collect()
    }
}

/// Returns the folders of the locked dependencies, by name.
fn packages() -> Vec<PathBuf> {
    let metadata = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--manifest-path",
        ])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .expect("cargo runs");
    assert!(metadata.status.success(), "cargo metadata fails");
    let metadata = String::from_utf8(metadata.stdout).expect("cargo writes UTF-8");
    let mut manifests: Vec<_> = metadata
        .split("\"manifest_path\":\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|path| path.contains("registry"))
        .filter_map(|path| Some(Path::new(path).parent()?.to_path_buf()))
        .collect();
    manifests.sort();
    manifests
}

/// Returns the texts below a folder, by name.
fn files(folder: &Path, found: &mut dyn FnMut(&Path)) {
    let entries = std::fs::read_dir(folder).expect("cargo has unpacked it");
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files(&path, found);
        } else if path
            .extension()
            .is_some_and(|kind| kind == "rs" || kind == "md")
        {
            found(&path);
        }
    }
}

fn cut(path: &Path, texts: &mut Vec<TextDocument>) {
    let Ok(text) = std::fs::read_to_string(path) else {
        return;
    };
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut body = String::new();
    let mut end = |body: &mut String| {
        texts.push(TextDocument::new(name.to_string(), std::mem::take(body)));
    };
    for line in text.lines() {
        body.push_str(line);
        body.push('\n');
        if body.len() >= BYTES {
            end(&mut body);
        }
    }
    if !body.is_empty() {
        end(&mut body);
    }
}

/// Returns the words that at least five documents contain, in lower case, since `NOT` and others are operators in a query.
fn words(texts: &[TextDocument]) -> Vec<String> {
    let mut frequencies = BTreeMap::<String, usize>::new();
    for text in texts {
        let body = text.text("body").unwrap_or_default().to_ascii_lowercase();
        let words = body.split(|letter: char| !letter.is_ascii_alphabetic());
        let words: std::collections::BTreeSet<_> =
            words.filter(|word| (3..20).contains(&word.len())).collect();
        for word in words {
            match frequencies.get_mut(word) {
                Some(frequency) => *frequency += 1,
                None => drop(frequencies.insert(word.to_owned(), 1)),
            }
        }
    }
    let frequencies = frequencies
        .into_iter()
        .filter(|&(_, frequency)| frequency >= 5);
    // A word is drawn in proportion to the square root of its frequency, since people search for rarer words than they write.
    frequencies
        .flat_map(|(word, frequency)| {
            let draws = (frequency as f64).sqrt() as usize;
            std::iter::repeat_n(word, draws)
        })
        .collect()
}
