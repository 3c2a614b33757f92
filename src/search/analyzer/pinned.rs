//! What the names of the analyzers stand for, for good.
//!
//! An index that is kept has the tokens of the analyzer that it was written with. So a test here that fails means that this code, or a new
//! version of Unicode's data or of the stemmers, cuts text otherwise than before. Don't change what is expected. Keep the old behaviour, or
//! make an analyzer `text-2` beside `text-1` and pin that one here as well.

use xxhash_rust::xxh3::Xxh3;

use super::*;
use crate::testing::search::{LANGUAGES, SCRIPTS};

/// Hashes the tokens of texts, with their offsets.
struct Tokens {
    tokenizer: TextAnalyzer,
    hash: Xxh3,
}

impl Tokens {
    fn of(analyzer: Analyzer) -> Self {
        Self {
            tokenizer: analyzer.tokenizer(),
            hash: Xxh3::new(),
        }
    }

    fn add(&mut self, text: &str) {
        self.tokenizer.token_stream(text).process(&mut |token| {
            self.hash.update(token.text.as_bytes());
            for number in [token.offset_from, token.offset_to, token.position] {
                self.hash.update(&(number as u64).to_le_bytes());
            }
        });
        self.hash.update(&[0xFF]);
    }
}

/// Returns the characters that can be in a word, which are those that stemming can change.
fn letters(folding: Folding) -> Vec<char> {
    let is_word = |letter: &char| {
        let mut text = [0; 4];
        let cut = Cutter::new(folding, letter.encode_utf8(&mut text)).next(&mut ());
        cut.is_some_and(|cut| cut.kind == Kind::Word)
    };
    (char::MIN..=char::MAX).filter(is_word).collect()
}

/// Hashes the tokens of each character, alone and between two letters.
fn of_characters(analyzer: Analyzer, characters: impl Iterator<Item = char>) -> u64 {
    let mut tokens = Tokens::of(analyzer);
    let mut text = String::new();
    for letter in characters {
        text.extend([letter, ' ', 'a', letter, 'b', ' ']);
        if text.len() > 1_000 {
            tokens.add(&text);
            text.clear();
        }
    }
    tokens.add(&text);
    tokens.hash.digest()
}

fn of_texts(analyzer: Analyzer) -> u64 {
    let mut tokens = Tokens::of(analyzer);
    for (_, text) in SCRIPTS.iter().chain(&LANGUAGES) {
        tokens.add(text);
    }
    tokens.hash.digest()
}

/// The analyzers, with the hashes of the tokens of all characters and of the texts.
const PINNED: [(&str, u64, u64); 38] = [
    ("text-1", 0xf14d7effd5caea7b, 0x3bfd4ec46b1e2951),
    ("text-1-arabic", 0x86946cc0f46babb5, 0xc1d665d4d85c4abd),
    ("text-1-danish", 0x1f7e6153159d8976, 0xd8908f48af7c7f6d),
    ("text-1-dutch", 0x1f7e6153159d8976, 0x24d093cede7fd818),
    ("text-1-english", 0x1f7e6153159d8976, 0xfd744eb054bf3ffb),
    ("text-1-finnish", 0xdfbf1f4f8a1b2ce9, 0x7d606779b2f8d4b0),
    ("text-1-french", 0x0a9b2498eb2803fd, 0xe4ab22c3a63ecfb5),
    ("text-1-german", 0xa61d82717285bdfd, 0xd61185468586aa44),
    ("text-1-greek", 0xf1335d94f79947f0, 0x2a898ce3812744f4),
    ("text-1-hungarian", 0xb74189b4088ed419, 0xa5592fcac07f92b2),
    ("text-1-italian", 0xd0482a5378bfd615, 0xd52e3eac7681f5fb),
    ("text-1-norwegian", 0x1f7e6153159d8976, 0xf5a5b7e865d8289b),
    ("text-1-portuguese", 0xd891e8335c9230f2, 0x06b717b8e6480b41),
    ("text-1-romanian", 0x7df19f35a7c8e8cf, 0xe937be7659774cb3),
    ("text-1-russian", 0x9d2fe3c904961279, 0x9db4a5a756eae664),
    ("text-1-spanish", 0xf7c08f239378315b, 0xac60cfdf7b0cc6c7),
    ("text-1-swedish", 0x1f7e6153159d8976, 0x47927d2a30691f49),
    ("text-1-tamil", 0x1f7e6153159d8976, 0x097e87ad853fed1c),
    ("text-1-turkish", 0x7f347c8f37ea4153, 0x5c0441d9afc2c4cb),
    ("text-1-folded", 0x8115837ca3874588, 0x45fcbadf132daf39),
    (
        "text-1-folded-arabic",
        0x72c504769cdd202b,
        0xfcbc6958aad65203,
    ),
    (
        "text-1-folded-danish",
        0x1862affed7db020f,
        0x1bfcac2c6abebe07,
    ),
    (
        "text-1-folded-dutch",
        0x1862affed7db020f,
        0xcca3d1075ee82d67,
    ),
    (
        "text-1-folded-english",
        0x1862affed7db020f,
        0xcd722b0cbf30434b,
    ),
    (
        "text-1-folded-finnish",
        0xd10830938084a29a,
        0x485c2f03ecf0734b,
    ),
    (
        "text-1-folded-french",
        0x7d26fd8b63b17a1d,
        0x5a6db7c111fb002d,
    ),
    (
        "text-1-folded-german",
        0xf3c0eb42e2f31b58,
        0xf351e6c7a1e103d4,
    ),
    (
        "text-1-folded-greek",
        0x1862affed7db020f,
        0xed6f10b9f3311de2,
    ),
    (
        "text-1-folded-hungarian",
        0x07e61afeff71ae98,
        0x4f1b2406bd0b1f8b,
    ),
    (
        "text-1-folded-italian",
        0x7d26fd8b63b17a1d,
        0x1e1c9b5065647817,
    ),
    (
        "text-1-folded-norwegian",
        0x1862affed7db020f,
        0x5fae7f47c7c28322,
    ),
    (
        "text-1-folded-portuguese",
        0x7d26fd8b63b17a1d,
        0xd01ac10561aebc3d,
    ),
    (
        "text-1-folded-romanian",
        0x7d26fd8b63b17a1d,
        0x75c04a6c1acfab9a,
    ),
    (
        "text-1-folded-russian",
        0x1862affed7db020f,
        0xc7dd983a9fd5b354,
    ),
    (
        "text-1-folded-spanish",
        0x1862affed7db020f,
        0x5c058dbf5084f0c7,
    ),
    (
        "text-1-folded-swedish",
        0x1862affed7db020f,
        0x180ed601ddb755f8,
    ),
    (
        "text-1-folded-tamil",
        0x1862affed7db020f,
        0xc57ebff121304c70,
    ),
    (
        "text-1-folded-turkish",
        0xcc67bdc5e083ad01,
        0xaa0c90e732c4e160,
    ),
];

/// Compares the hashes of the analyzers with this folding.
fn check_pinned(folding: Folding) {
    let letters = letters(folding);
    let found = Analyzer::all().filter(|analyzer| analyzer.folding == folding);
    let found = found.map(|analyzer| {
        let characters = match analyzer.language {
            None => of_characters(analyzer, char::MIN..=char::MAX),
            Some(_) => of_characters(analyzer, letters.iter().copied()),
        };
        let (name, texts) = (analyzer.name(), of_texts(analyzer));
        format!("(\"{name}\", 0x{characters:016x}, 0x{texts:016x})")
    });
    let is_folded = |name: &str| name.starts_with("text-1-folded");
    let pinned = PINNED
        .iter()
        .filter(|(name, _, _)| is_folded(name) == (folding == Folding::Accents));
    let pinned = pinned.map(|(name, characters, texts)| {
        format!("(\"{name}\", 0x{characters:016x}, 0x{texts:016x})")
    });
    let (found, pinned): (Vec<_>, Vec<_>) = (found.collect(), pinned.collect());
    assert_eq!(found.len(), 19);
    assert_eq!(found, pinned, "see above what to do");
}

#[test]
fn each_analyzer_is_pinned() {
    check_pinned(Folding::Case);
}

#[test]
fn each_analyzer_that_folds_accents_is_pinned() {
    check_pinned(Folding::Accents);
}
