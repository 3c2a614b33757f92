//! The generated corpus: documents from a seed, with word frequencies by Zipf's law.

use std::fmt::Write;

use xxhash_rust::xxh3::xxh3_64_with_seed;

const VOCABULARY: u32 = 20_000;
const BODY_WORDS: std::ops::Range<u64> = 40..360;
const TITLE_WORDS: std::ops::Range<u64> = 2..8;
const SYLLABLES: [&str; 16] = [
    "ka", "to", "mi", "ren", "sol", "ve", "dar", "lu", "pi", "nor", "ga", "tes", "ri", "bo",
    "shen", "al",
];

/// The words by rank, and their cumulative frequencies. The word of rank r has frequency 1/(r + 1).
pub(super) struct Vocabulary {
    words: Vec<String>,
    cumulative: Vec<f64>,
}

impl Vocabulary {
    pub(super) fn new() -> Self {
        let mut sum = 0.0;
        let (words, cumulative) = (0..VOCABULARY)
            .map(|rank| {
                sum += 1.0 / f64::from(rank + 1);
                (word(rank), sum)
            })
            .unzip();
        Self { words, cumulative }
    }

    /// Generates the title and the body of the document with this number. It depends only on the seed and the number.
    pub(super) fn document(&self, seed: u64, number: u64) -> (String, String) {
        let mut draws = Draws {
            seed: xxh3_64_with_seed(&number.to_le_bytes(), seed),
            count: 0,
        };
        let title = self.text(&mut draws, TITLE_WORDS);
        let body = self.text(&mut draws, BODY_WORDS);
        (title, body)
    }

    fn text(&self, draws: &mut Draws, words: std::ops::Range<u64>) -> String {
        let count = words.start + draws.next() % (words.end - words.start);
        let mut text = String::new();
        for index in 0..count {
            let separator = if index == 0 { "" } else { " " };
            // Writing to a string can't fail.
            let _ = write!(text, "{separator}{}", self.draw(draws));
        }
        text
    }

    fn draw(&self, draws: &mut Draws) -> &str {
        let total = self.cumulative.last().copied().unwrap_or_default();
        let point = draws.unit() * total;
        let rank = self.cumulative.partition_point(|&sum| sum <= point);
        self.words.get(rank).map_or("", String::as_str)
    }
}

/// Returns the word of a rank: its digits in base 16, each spelled as a syllable.
fn word(rank: u32) -> String {
    let mut word = String::new();
    let mut rest = rank as usize;
    loop {
        word.push_str(SYLLABLES[rest % SYLLABLES.len()]);
        rest /= SYLLABLES.len();
        if rest == 0 {
            return word;
        }
        rest -= 1;
    }
}

/// A stream of random numbers: the hashes of a counter, which are the same on every machine.
struct Draws {
    seed: u64,
    count: u64,
}

impl Draws {
    fn next(&mut self) -> u64 {
        self.count += 1;
        xxh3_64_with_seed(&self.count.to_le_bytes(), self.seed)
    }

    /// Returns a number from 0 up to but not including 1, in steps of 2⁻⁵³.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    #[test]
    fn words_differ() {
        let words: HashSet<_> = (0..VOCABULARY).map(word).collect();
        assert_eq!(words.len(), VOCABULARY as usize);
    }

    #[test]
    fn a_document_depends_on_seed_and_number_alone() {
        let vocabulary = Vocabulary::new();
        let body = |seed, number| vocabulary.document(seed, number).1;
        assert_eq!(body(1, 2), Vocabulary::new().document(1, 2).1);
        assert_ne!(body(1, 2), body(1, 3));
        assert_ne!(body(1, 2), body(2, 2));
        let lengths = (0..200).map(|number| body(0, number).split(' ').count() as u64);
        assert!(lengths.into_iter().all(|words| BODY_WORDS.contains(&words)));
    }

    #[test]
    fn frequencies_follow_the_rank() {
        let vocabulary = Vocabulary::new();
        let mut counts: HashMap<String, u64> = HashMap::new();
        for number in 0..300 {
            for word in vocabulary.document(0, number).1.split(' ') {
                *counts.entry(word.to_owned()).or_default() += 1;
            }
        }
        let count = |rank| counts.get(&word(rank)).copied().unwrap_or(0);
        assert!(count(0) > count(3) && count(3) > count(30) && count(30) > count(300));
    }
}
