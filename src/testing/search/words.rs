//! Documents from a small vocabulary, so that phrases and ties occur.

use crate::search::TextDocument;
use crate::testing::random::Random;

/// The words of all documents, the most frequent first.
pub const WORDS: [&str; 24] = [
    "sea", "tide", "wind", "boat", "sail", "rope", "port", "star", "moon", "fish", "net", "oar",
    "wave", "salt", "sand", "reef", "gull", "mast", "keel", "knot", "fog", "ice", "bay", "map",
];

/// The first words are much more frequent than the last.
pub fn word(random: &mut Random) -> String {
    let uniform = random.unit();
    WORDS[(uniform * uniform * WORDS.len() as f64) as usize].to_owned()
}

pub fn document(random: &mut Random) -> TextDocument {
    TextDocument::new(text(random, 3), text(random, 14))
}

fn text(random: &mut Random, longest: usize) -> String {
    let length = random.below(longest + 1);
    let mut text: Vec<_> = (0..length).map(|_| word(random)).collect();
    if random.percent(5) {
        text.insert(0, "l".repeat(50));
    }
    text.join(if random.percent(20) { ", " } else { " " })
}
