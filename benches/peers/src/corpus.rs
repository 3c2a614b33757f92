//! Documents and queries with words as frequent as Zipf's law has it, the same in every run.

use tickring::DocumentId;
use tickring::search::TextDocument;

use crate::random::Random;

const VOCABULARY: usize = 50_000;
const TITLE: std::ops::Range<usize> = 2..8;
const BODY: std::ops::Range<usize> = 40..360;

pub struct Corpus {
    words: Vec<String>,
    pub documents: Vec<(DocumentId, TextDocument)>,
}

impl Corpus {
    pub fn new(documents: usize) -> Self {
        let mut words: Vec<_> = (0..2 * VOCABULARY).map(crate::frequency::term).collect();
        let mut seen = std::collections::HashSet::new();
        words.retain(|word| seen.insert(word.clone()));
        words.truncate(VOCABULARY);
        let mut random = Random(7);
        let mut text = |range: std::ops::Range<usize>| {
            let count = range.start + random.below(range.len());
            let words: Vec<_> = (0..count).map(|_| draw(&words, &mut random)).collect();
            words.join(" ")
        };
        let documents = (0..documents as u64)
            .map(|seed| {
                let document = TextDocument {
                    title: text(TITLE),
                    body: text(BODY),
                };
                (DocumentId::from_seed(seed), document)
            })
            .collect();
        Self { words, documents }
    }

    /// Queries of one to four words.
    pub fn queries(&self, count: usize) -> Vec<String> {
        let mut random = Random(99);
        (0..count)
            .map(|number| {
                let words: Vec<_> = (0..1 + number % 4)
                    .map(|_| draw(&self.words, &mut random))
                    .collect();
                words.join(" ")
            })
            .collect()
    }
}

/// A word whose rank is log-uniform: Zipf's law with exponent 1.
fn draw<'a>(words: &'a [String], random: &mut Random) -> &'a str {
    let rank = (words.len() as f64).powf(random.unit()) as usize - 1;
    &words[rank]
}
