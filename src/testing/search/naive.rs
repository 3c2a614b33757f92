//! The naive search over the raw texts. It defines the answers of text shards.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use tantivy::fieldnorm::FieldNormReader;

use super::analysis::NaiveAnalyzer;
use super::phrase::Phrase;
use super::{Leaf, Meaning, Occur, Tree};
use crate::DocumentId;
use crate::frequency::bm25::single;
use crate::search::{Field, Schema, TextDocument};

/// The words of a text with their positions.
pub(super) type Tokens = Vec<(usize, String)>;

/// Returns the words of a text. They are remembered, since a text is looked at by every query.
pub(super) fn tokenize(text: &str) -> Rc<Tokens> {
    thread_local!(static REMEMBERED: RefCell<HashMap<String, Rc<Tokens>>> = RefCell::default());
    REMEMBERED.with_borrow_mut(|remembered| {
        if let Some(tokens) = remembered.get(text) {
            return tokens.clone();
        }
        let tokens = NaiveAnalyzer::new("text-1").tokens(text);
        let tokens: Rc<Tokens> = Rc::new(tokens.into_iter().enumerate().collect());
        if remembered.len() == 10_000 {
            remembered.clear();
        }
        remembered.insert(text.to_owned(), tokens.clone());
        tokens
    })
}

/// The least distance between words of two texts of a field: no phrase reaches so far.
const APART: usize = 1_000;

fn tokens_of(document: &TextDocument, field: &str) -> Tokens {
    let texts = document.get_all(field).zip(0..);
    let tokens = texts.flat_map(|(text, number)| {
        let tokens = tokenize(text.as_str().unwrap());
        let tokens = Tokens::clone(&tokens).into_iter();
        tokens.map(move |(place, word)| (number * APART + place, word))
    });
    tokens.collect()
}

/// The text fields of a schema in order, with their boosts.
fn text_fields(schema: &Schema) -> Vec<(String, f32)> {
    let fields = schema.fields().iter().filter(|field| field.is_text());
    let boost = |field: &Field| {
        let json = serde_json::to_value(field).unwrap();
        json["boost"].as_f64().unwrap_or(1.0) as f32
    };
    fields
        .map(|field| (field.name().to_owned(), boost(field)))
        .collect()
}

/// All live documents, with the tokens of each text field.
#[derive(Debug)]
pub struct NaiveSearch {
    fields: Vec<(String, f32)>,
    documents: BTreeMap<DocumentId, (TextDocument, Vec<Tokens>)>,
}

impl NaiveSearch {
    /// Takes documents of the same schema.
    pub fn new<'a>(
        documents: impl IntoIterator<Item = (&'a DocumentId, &'a TextDocument)>,
    ) -> Self {
        let documents: Vec<_> = documents.into_iter().collect();
        let schema = documents
            .first()
            .map(|(_, document)| document.schema().clone());
        let fields = text_fields(&schema.unwrap_or_default());
        let documents = documents.into_iter().map(|(id, document)| {
            let tokens = fields.iter().map(|(field, _)| tokens_of(document, field));
            (*id, (document.clone(), tokens.collect()))
        });
        Self {
            documents: documents.collect(),
            fields,
        }
    }

    fn index(&self, field: &str) -> usize {
        self.fields
            .iter()
            .position(|(name, _)| *name == field)
            .unwrap()
    }

    pub fn document_count(&self) -> u64 {
        self.documents.len() as u64
    }

    pub fn token_count(&self, field: &str) -> u64 {
        let field = self.index(field);
        let tokens = self.documents.values();
        tokens.map(|(_, tokens)| tokens[field].len() as u64).sum()
    }

    pub fn document_frequency(&self, field: &str, word: &str) -> u64 {
        let field = self.index(field);
        let has = |(_, tokens): &&(TextDocument, Vec<Tokens>)| {
            tokens[field].iter().any(|(_, other)| other == word)
        };
        self.documents.values().filter(has).count() as u64
    }

    /// Returns all matches with their scores, the best first.
    pub fn search(&self, tree: &Tree) -> Vec<(DocumentId, f32)> {
        let mut hits = Vec::new();
        let names: Vec<_> = self.fields.iter().map(|(name, _)| name.as_str()).collect();
        let leaves = self.weigh(&tree.meaning_in(&names), 0);
        for (id, document) in &self.documents {
            let mut scores = Vec::new();
            if leaves.evaluate(document, &mut scores) {
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
            Meaning::Words(field, phrase, boost) => self.weigh_words(field, phrase, *boost),
            Meaning::Constant(leaf, boost) => {
                let mut fields = self.fields.iter();
                let field = fields.find(|(name, _)| leaf.field() == name);
                Weighed::Constant(leaf.clone(), boost * field.map_or(1.0, |(_, boost)| *boost))
            }
            Meaning::Clause(children) => {
                let children = children.iter();
                let weighed = children.map(|(occur, child)| (*occur, self.weigh(child, depth + 1)));
                Weighed::Clause(weighed.collect())
            }
        }
    }

    fn weigh_words(&self, field: &str, phrase: &Phrase, boost: f32) -> Weighed {
        let boost = boost * self.fields[self.index(field)].1;
        let Phrase { words, prefix } = phrase.clone();
        if let Some(prefix) = prefix {
            let field = self.fields[self.index(field)].0.clone();
            return Weighed::Near(field, words, prefix, boost);
        }
        let documents = self.document_count();
        let mut idf = 0.0_f32;
        for (_, word) in &words {
            let df = self.document_frequency(field, word);
            idf += single::idf(documents, df);
        }
        Weighed::Words {
            field: self.index(field),
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
        words: Tokens,
        weight: f32,
        average: f32,
    },
    /// Words of a field, and what a word after them begins with.
    Near(String, Tokens, (usize, String), f32),
    Constant(Leaf, f32),
    Clause(Vec<(Occur, Self)>),
}

impl Weighed {
    /// Returns whether the document matches. If so, adds the scores of the matching leaves to `scores`, in the order of the query.
    fn evaluate(&self, document: &(TextDocument, Vec<Tokens>), scores: &mut Vec<f32>) -> bool {
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
                let tokens = &document.1[*field];
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
            Self::Near(field, words, (offset, prefix), score) => {
                let tokens = tokens_of(&document.0, field);
                let at = |place: usize, accept: &dyn Fn(&str) -> bool| {
                    let mut tokens = tokens.iter();
                    tokens.any(|(other, word)| *other == place && accept(word))
                };
                let matches = tokens.iter().any(|(end, word)| {
                    let first = end.checked_sub(*offset);
                    let before = |first| {
                        let mut words = words.iter();
                        words.all(|(offset, word)| at(first + offset, &|other| other == word))
                    };
                    word.starts_with(prefix) && first.is_some_and(before)
                });
                if matches {
                    scores.push(*score);
                }
                matches
            }
            Self::Constant(leaf, score) => {
                let matches = leaf.matches(&document.0);
                if matches {
                    scores.push(*score);
                }
                matches
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

fn frequency(tokens: &Tokens, words: &Tokens) -> u32 {
    let at = |place: usize, word: &str| {
        let found = tokens.binary_search_by_key(&place, |(place, _)| *place);
        found.is_ok_and(|index| tokens[index].1 == word)
    };
    let starts = tokens.iter().filter(|(start, _)| {
        let mut words = words.iter();
        words.all(|(offset, word)| at(start + offset, word))
    });
    starts.count() as u32
}
