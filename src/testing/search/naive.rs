//! The naive search over the raw texts. It defines the answers of text shards.

use std::collections::BTreeMap;

use tantivy::fieldnorm::FieldNormReader;

use super::analysis::NaiveAnalyzer;
use super::{Meaning, Occur, Tree};
use crate::DocumentId;
use crate::frequency::bm25::single;
use crate::search::TextDocument;

/// The words of a text with their positions.
pub(super) type Tokens = Vec<(usize, String)>;

pub(super) fn tokenize(text: &str) -> Tokens {
    let tokens = NaiveAnalyzer::new("text-1").tokens(text);
    tokens.into_iter().enumerate().collect()
}

const FIELDS: [&str; 2] = ["title", "body"];

fn index(field: &str) -> usize {
    FIELDS.iter().position(|name| *name == field).unwrap()
}

/// All live documents, tokenised.
#[derive(Debug)]
pub struct NaiveSearch {
    documents: BTreeMap<DocumentId, [Tokens; 2]>,
}

impl NaiveSearch {
    pub fn new<'a>(
        documents: impl IntoIterator<Item = (&'a DocumentId, &'a TextDocument)>,
    ) -> Self {
        let tokens = |document: &TextDocument| {
            FIELDS.map(|field| tokenize(document.text(field).unwrap_or("")))
        };
        let documents = documents.into_iter();
        Self {
            documents: documents
                .map(|(id, document)| (*id, tokens(document)))
                .collect(),
        }
    }

    pub fn document_count(&self) -> u64 {
        self.documents.len() as u64
    }

    pub fn token_count(&self, field: &str) -> u64 {
        let tokens = self.documents.values();
        tokens.map(|tokens| tokens[index(field)].len() as u64).sum()
    }

    pub fn document_frequency(&self, field: &str, word: &str) -> u64 {
        let has = |tokens: &&[Tokens; 2]| tokens[index(field)].iter().any(|(_, w)| w == word);
        self.documents.values().filter(has).count() as u64
    }

    /// Returns all matches with their scores, the best first.
    pub fn search(&self, tree: &Tree) -> Vec<(DocumentId, f32)> {
        let mut hits = Vec::new();
        let leaves = self.weigh(&tree.meaning(), 0);
        for (id, tokens) in &self.documents {
            let mut scores = Vec::new();
            if leaves.evaluate(tokens, &mut scores) {
                let mut sum = 0.0_f64;
                scores.iter().for_each(|&score| sum += f64::from(score));
                hits.push((*id, sum as f32));
            }
        }
        hits.sort_by(|(a, x), (b, y)| y.total_cmp(x).then(a.cmp(b)));
        hits
    }

    /// Everything scores as the root or one of its members only.
    fn weigh(&self, meaning: &Meaning, depth: usize) -> Weighed {
        match meaning {
            Meaning::Everything(boost) => Weighed::Everything(if depth > 1 { 0.0 } else { *boost }),
            Meaning::Words(field, words, boost) => self.weigh_words(field, words, *boost),
            Meaning::Clause(children) => {
                let children = children.iter();
                let weighed = children.map(|(occur, child)| (*occur, self.weigh(child, depth + 1)));
                Weighed::Clause(weighed.collect())
            }
        }
    }

    fn weigh_words(&self, field: &str, words: &[String], boost: f32) -> Weighed {
        let words = words.iter().flat_map(|word| tokenize(word));
        let words: Vec<String> = words.map(|(_, word)| word).collect();
        let documents = self.document_count();
        let mut idf = 0.0_f32;
        for word in &words {
            let df = self.document_frequency(field, word);
            idf += single::idf(documents, df);
        }
        Weighed::Words {
            field: index(field),
            words,
            weight: single::weight(idf) * boost,
            average: single::average_length(self.token_count(field), documents),
        }
    }
}

enum Weighed {
    Everything(f32),
    Words {
        field: usize,
        words: Vec<String>,
        weight: f32,
        average: f32,
    },
    Clause(Vec<(Occur, Self)>),
}

impl Weighed {
    /// Returns whether the document matches. If so, adds the scores of the matching leaves to `scores`, in the order of the query.
    fn evaluate(&self, document: &[Tokens; 2], scores: &mut Vec<f32>) -> bool {
        match self {
            Self::Everything(score) => {
                scores.push(*score);
                true
            }
            Self::Words {
                field,
                words,
                weight,
                average,
            } => {
                let tokens = &document[*field];
                let frequency = frequency(tokens, words);
                if frequency > 0 {
                    let length = tokens.len() as u32;
                    let length = FieldNormReader::fieldnorm_to_id(length);
                    let length = FieldNormReader::id_to_fieldnorm(length);
                    scores.push(single::score(
                        *weight,
                        frequency,
                        single::norm(length, *average),
                    ));
                }
                frequency > 0
            }
            Self::Clause(children) => {
                let (mut required, mut any, mut fails) = (false, false, false);
                let mut sum = Vec::new();
                for (occur, child) in children {
                    let mut part = Vec::new();
                    let matches = child.evaluate(document, &mut part);
                    match occur {
                        Occur::MustNot => fails |= matches,
                        Occur::Must => {
                            required = true;
                            fails |= !matches;
                        }
                        Occur::Should => any |= matches,
                    }
                    if matches && *occur != Occur::MustNot {
                        sum.extend(part);
                    }
                }
                let matches = !fails && (required || any);
                if matches {
                    scores.extend(sum);
                }
                matches
            }
        }
    }
}

fn frequency(tokens: &Tokens, words: &[String]) -> u32 {
    let at = |place: usize, word: &str| tokens.iter().any(|(p, w)| *p == place && w == word);
    let starts = tokens.iter().filter(|(start, _)| {
        let mut words = words.iter().enumerate();
        words.all(|(offset, word)| at(start + offset, word))
    });
    starts.count() as u32
}
