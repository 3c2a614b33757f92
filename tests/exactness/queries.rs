//! Random queries of a corpus: words and phrases that are in it, leaves of every kind, with all operators.

use std::ops::Bound;

use arbitrary::Unstructured;
use tickring::search::{Schema, Value};
use tickring::testing::random::Random;
use tickring::testing::search::{Leaf, Member, Sign, Tree};

use super::corpora::Corpus;

const WORDS: usize = 12;

pub(crate) struct Queries<'a> {
    corpus: &'a Corpus,
}

impl<'a> Queries<'a> {
    pub(crate) const fn new(corpus: &'a Corpus) -> Self {
        Self { corpus }
    }

    pub(crate) fn next(&mut self, random: &mut Random) -> Tree {
        let words: Vec<String> = (0..WORDS).map(|_| self.word(random)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let bytes: Vec<u8> = (0..200).map(|_| random.below(256) as u8).collect();
        let depth = random.below(3) as u8;
        let mut members = vec![Member {
            signs: vec![],
            tree: Tree::generate(&mut Unstructured::new(&bytes), &words, depth).unwrap(),
        }];
        for _ in 0..random.below(3) {
            let sign = random.pick(&[Sign::Plus, Sign::Minus, Sign::Not]).unwrap();
            let signs = if random.percent(30) {
                vec![sign]
            } else {
                vec![]
            };
            let tree = self.leaf(random);
            members.push(Member { signs, tree });
        }
        match (members.len(), random.below(4)) {
            (1, _) => members.remove(0).tree,
            (_, 0) => Tree::And(members),
            (_, 1) => Tree::Or(members),
            _ => Tree::List(members),
        }
    }

    /// Returns the runs of a text of the corpus that are ASCII letters and digits, or of a script without spaces.
    fn runs(&self, random: &mut Random) -> Vec<&'a str> {
        loop {
            let document = &self.corpus.documents[random.below(self.corpus.documents.len())];
            let field = random.pick(&["title", "body", "body"]).unwrap();
            let text = document.text(field).unwrap_or_default();
            let runs = text.split(|letter: char| !letter.is_alphanumeric());
            let runs: Vec<_> = runs.filter(|run| is_asked_for(run)).collect();
            if !runs.is_empty() {
                return runs;
            }
        }
    }

    fn word(&self, random: &mut Random) -> String {
        let runs = self.runs(random);
        let run = runs[random.below(runs.len())];
        cut(run, random)
    }

    fn leaf(&self, random: &mut Random) -> Tree {
        let is_default = self.corpus.schema == Schema::default();
        let field = random.pick(&["title", "body"]).unwrap();
        if !is_default && random.percent(60) {
            return Tree::Constant(self.value_leaf(random));
        }
        let word = loop {
            let word = self.word(random);
            if !word.is_ascii() || word.len() > 3 {
                break word.to_lowercase();
            }
        };
        let letters: Vec<char> = word.chars().collect();
        let start: String = letters.iter().take(3).collect();
        // Patterns are of scripts with spaces.
        let kinds = if word.is_ascii() { 5 } else { 2 };
        Tree::Constant(match random.below(5) % kinds {
            2 if letters.len() >= 2 => Leaf::Prefix(field, start),
            3 if letters.len() >= 3 => {
                let rest: String = letters[3..].iter().skip(1).collect();
                Leaf::Wildcard(field, format!("{start}?*{rest}"))
            }
            4 if letters.len() >= 3 => Leaf::Fuzzy(field, word, 1),
            0 => Leaf::Exists(field),
            _ => return self.near(random),
        })
    }

    /// Returns a phrase with slop. Most have words that are near each other in a text.
    fn near(&self, random: &mut Random) -> Tree {
        let field = random.pick(&["title", "body", "body", "body"]).unwrap();
        let count = 2 + random.below(3);
        let words = if random.percent(20) {
            (0..count).map(|_| self.word(random)).collect()
        } else {
            let runs = self.runs(random);
            let from = random.below(runs.len());
            let runs = &runs[from..runs.len().min(from + 5)];
            let words = (0..count).map(|_| cut(runs[random.below(runs.len())], random));
            words.collect()
        };
        Tree::Near(field, words, 1 + random.below(8))
    }

    fn value_leaf(&self, random: &mut Random) -> Leaf {
        let document = &self.corpus.documents[random.below(self.corpus.documents.len())];
        let field = random
            .pick(&[
                "edition",
                "dependencies",
                "published",
                "documented",
                "author",
                "keyword",
            ])
            .unwrap();
        let Some(value) = document.get(field).cloned() else {
            return Leaf::Exists(field);
        };
        match (random.below(4), value) {
            (0, value) => Leaf::Set(field, vec![value]),
            (_, Value::Boolean(value)) => Leaf::Set(field, vec![Value::Boolean(value)]),
            (1, value) => Leaf::Range(field, Bound::Included(value), Bound::Unbounded),
            (2, value) => Leaf::Range(field, Bound::Unbounded, Bound::Excluded(value)),
            (_, value) => Leaf::Range(field, Bound::Excluded(value), Bound::Unbounded),
        }
    }
}

/// Whether queries can have the run, or a part of it, as a word.
fn is_asked_for(run: &str) -> bool {
    if run.is_ascii() {
        let is_operator = ["AND", "OR", "NOT", "IN", "TO"].contains(&run);
        return (2..=40).contains(&run.len()) && !is_operator;
    }
    let mut letters = run.chars();
    letters.all(|letter| ('\u{4e00}'..'\u{a000}').contains(&letter))
}

/// Returns the run if it is ASCII, and otherwise some neighbours in it.
fn cut(run: &str, random: &mut Random) -> String {
    if run.is_ascii() {
        return run.to_owned();
    }
    let letters: Vec<char> = run.chars().collect();
    let from = random.below(letters.len());
    let length = 1 + random.below(3);
    letters[from..].iter().take(length).collect()
}

/// Whether tantivy reads the query as we do, has such leaves, and adds at most 64 scores.
pub(crate) fn is_scored_alike_by_tantivy(tree: &Tree) -> bool {
    let text = tree.render();
    let leaves = text.split_whitespace().count() * 2;
    let has = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    // tantivy finds nothing where an operand is excluded, and fails an assertion of its own for excluded phrases.
    let has_others = has(&["-", "NOT", "!"]) && has(&["AND", "OR", "\""]);
    tree.is_shared()
        && !tree.has(&|tree| matches!(tree, Tree::Near(..) | Tree::Constant(_) | Tree::Everything))
        && !tree.meaning().has_everything()
        && !has_others
        && text.is_ascii()
        && leaves <= 64
}
