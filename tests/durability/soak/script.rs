//! The writes of a soak: each follows from the seed and its number alone, so the parent and its child processes agree on them without a word.

use std::path::PathBuf;

use serde_json::{Value, json};
use tickring::DocumentId;
use tickring::search::TextDocument;
use tickring::testing::random::Random;

/// The number of ids, and with it the most documents.
pub(super) const IDS: u64 = 3_000;
/// The words of the texts. The first are much more frequent than the last.
const WORDS: u64 = 1_500;
/// One write in this many kills its shard each time.
const POISON: usize = 4_000;
/// The title of a document that kills its shard begins with this.
pub(super) const POISONED: &str = "poison";

/// What a write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Add,
    Upsert,
    Delete,
    /// An upsert that its shard never survives.
    Poison,
}

/// Makes the writes from a seed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Script {
    pub(super) seed: u64,
}

impl Script {
    /// Returns the id's number of this write, and what it does.
    pub(super) fn write(self, number: u64) -> (u64, Kind) {
        let mut random = Random::stream(self.seed, number);
        let id = random.range(0, IDS);
        let kind = match random.below(10) {
            _ if random.one_in(POISON) => Kind::Poison,
            0 => Kind::Add,
            1 | 2 => Kind::Delete,
            _ => Kind::Upsert,
        };
        (id, kind)
    }

    /// Returns the document of this write. Its title names the number.
    pub(super) fn document(self, number: u64) -> TextDocument {
        let mut random = Random::stream(!self.seed, number);
        let title = match self.write(number).1 {
            Kind::Poison => format!("{POISONED} {number}"),
            _ => format!("write {number}"),
        };
        let words = random.range(10, 120);
        let text: Vec<_> = (0..words).map(|_| word(&mut random)).collect();
        TextDocument::new(title, text.join(" "))
    }
}

/// Returns the number of the write that a document comes from.
pub(super) fn number(document: &TextDocument) -> Option<u64> {
    document.text("title")?.rsplit(' ').next()?.parse().ok()
}

pub(super) fn id(number: u64) -> DocumentId {
    DocumentId::from_seed(number)
}

fn word(random: &mut Random) -> String {
    let word = random.range(0, WORDS);
    format!("w{}", word * random.range(0, WORDS) / WORDS)
}

/// Returns a random query.
pub(super) fn query(random: &mut Random) -> String {
    let [one, other, third] = [(); 3].map(|()| word(random));
    match random.below(6) {
        0 => one,
        1 => format!("{one} {other} {third}"),
        2 => format!("+{one} -{other}"),
        3 => format!("\"{one} {other}\""),
        4 => format!("{one} AND ({other} OR {third})"),
        _ => format!("w{}* {other}^2", random.range(10, 150)),
    }
}

/// What a child process is told at its start.
#[derive(Debug, Clone)]
pub(super) struct Life {
    pub(super) directory: PathBuf,
    pub(super) script: Script,
    /// The number of the life.
    pub(super) number: u64,
    /// The number of its first write.
    pub(super) first: u64,
    /// The directory of a new colony into which it copies all documents, instead of writing.
    pub(super) copy: Option<PathBuf>,
}

impl Life {
    pub(super) fn to_json(&self) -> String {
        json!({
            "directory": self.directory,
            "seed": self.script.seed,
            "number": self.number,
            "first": self.first,
            "copy": self.copy,
        })
        .to_string()
    }

    pub(super) fn from_json(text: &str) -> Self {
        let life: Value = serde_json::from_str(text).unwrap();
        let number = |name: &str| life[name].as_u64().unwrap();
        Self {
            directory: life["directory"].as_str().unwrap().into(),
            script: Script {
                seed: number("seed"),
            },
            number: number("number"),
            first: number("first"),
            copy: life["copy"].as_str().map(PathBuf::from),
        }
    }
}
