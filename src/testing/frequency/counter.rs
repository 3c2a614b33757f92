//! The naive model of a shard's counter, and the commands for the counter and the model.

use arbitrary::{Arbitrary, Unstructured};

use super::command::id;
use super::sums::term;
use super::{Counts, Outcome};
use crate::ShardId;
use crate::error::FrequencyError;
use crate::frequency::{ShardCounter, TermDictionary};
use crate::id::TermId;

/// A document as a counter gets it: by the ids of its terms or by their texts, with repetitions.
#[derive(Debug, Clone)]
pub enum Document {
    Ids(u64, Vec<TermId>),
    Texts(u64, Vec<String>),
}

#[derive(Debug, Clone)]
pub enum Counting {
    Add(Document),
    /// Removes a document that may not be counted.
    Remove(Document),
    /// Removes a counted document, if there is one.
    RemoveAdded(u8),
    /// Removes a counted document without its first term.
    RemovePart(u8),
    Restart,
}

impl<'a> Arbitrary<'a> for Counting {
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(match input.arbitrary::<u8>()? % 16 {
            0..8 => Self::Add(input.arbitrary()?),
            8 => Self::Remove(input.arbitrary()?),
            9 | 10 => Self::RemovePart(input.arbitrary()?),
            11..15 => Self::RemoveAdded(input.arbitrary()?),
            _ => Self::Restart,
        })
    }
}

impl<'a> Arbitrary<'a> for Document {
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let shape: u8 = input.arbitrary()?;
        // A number of tokens that overflows when it is added twice.
        let tokens = if shape < 4 { u64::MAX } else { 9 };
        let length = 0..shape % 5;
        Ok(if shape % 16 < 12 {
            Self::Ids(tokens, length.map(|_| id(input)).collect::<Result<_, _>>()?)
        } else {
            Self::Texts(
                tokens,
                length.map(|_| term(input)).collect::<Result<_, _>>()?,
            )
        })
    }
}

/// A counter with its naive model. The model applies each change to a copy, and then checks whether the result is possible.
#[derive(Debug)]
pub(super) struct CounterPair {
    pub(super) counter: ShardCounter,
    pub(super) model: Counts,
    added: Vec<Document>,
}

impl CounterPair {
    pub(super) fn new(shard: ShardId) -> Self {
        Self {
            counter: ShardCounter::new(shard),
            model: Counts::default(),
            added: Vec::new(),
        }
    }

    pub(super) fn apply(&mut self, command: &Counting, dictionary: &TermDictionary) {
        match command {
            Counting::Add(document) => self.add(document, dictionary),
            Counting::Remove(document) => self.remove(document, dictionary),
            Counting::RemoveAdded(at) if !self.added.is_empty() => {
                let at = usize::from(*at) % self.added.len();
                let document = self.added.swap_remove(at);
                self.remove(&document, dictionary);
            }
            Counting::RemovePart(at) if !self.added.is_empty() => {
                let at = usize::from(*at) % self.added.len();
                let mut document = self.added[at].clone();
                match &mut document {
                    Document::Ids(_, ids) => drop(ids.drain(..ids.len().min(1))),
                    Document::Texts(_, texts) => drop(texts.drain(..texts.len().min(1))),
                }
                self.remove(&document, dictionary);
            }
            Counting::RemoveAdded(_) | Counting::RemovePart(_) => {}
            Counting::Restart => *self = Self::new(self.counter.shard()),
        }
        self.compare();
    }

    fn add(&mut self, document: &Document, dictionary: &TermDictionary) {
        let counter = &mut self.counter;
        let found = match document {
            Document::Ids(tokens, ids) => counter.add(*tokens, ids.iter().copied()),
            Document::Texts(tokens, texts) => counter.add_terms(dictionary, *tokens, texts),
        };
        // After the counter has given the new terms their ids.
        let (tokens, ids) = document.by_id(dictionary).unwrap();
        let expected = self.model.with(tokens, ids);
        assert_eq!(found, expected.clone().map(|_| ()), "{document:?}");
        if let Ok(new) = expected {
            self.model = new;
            self.added.push(document.clone());
        }
    }

    fn remove(&mut self, document: &Document, dictionary: &TermDictionary) {
        let (counter, known) = (&mut self.counter, dictionary.len());
        let found = match document {
            Document::Ids(tokens, ids) => counter.remove(*tokens, ids.iter().copied()),
            Document::Texts(tokens, texts) => counter.remove_terms(dictionary, *tokens, texts),
        };
        assert_eq!(dictionary.len(), known, "taking out makes no term known");
        let (shard, model) = (self.counter.shard(), &self.model);
        let ids = document.by_id(dictionary);
        let expected = ids.and_then(|(tokens, ids)| model.without(shard, tokens, ids));
        assert_eq!(found, expected.clone().map(|_| ()), "{document:?}");
        if let Ok(new) = expected {
            self.model = new;
        }
    }

    fn compare(&self) {
        let (counter, model) = (&self.counter, &self.model);
        assert_eq!(counter.documents(), model.documents);
        assert_eq!(counter.tokens(), model.tokens);
        assert_eq!(counter.frequencies(), model.frequencies());
        for (&term, &count) in &model.counts {
            assert_eq!(counter.document_frequency(term), count);
        }
    }
}

impl Document {
    fn by_id(&self, dictionary: &TermDictionary) -> Result<(u64, Vec<TermId>), FrequencyError> {
        let (tokens, texts) = match self {
            Self::Ids(tokens, ids) => return Ok((*tokens, ids.clone())),
            Self::Texts(tokens, texts) => (*tokens, texts),
        };
        let id = |term: &String| {
            let term = term.clone();
            dictionary
                .get(&term)
                .ok_or(FrequencyError::UnknownTerm { term })
        };
        Ok((tokens, texts.iter().map(id).collect::<Result<_, _>>()?))
    }
}

impl Counts {
    fn with(&self, tokens: u64, ids: Vec<TermId>) -> Result<Self, FrequencyError> {
        let mut new = self.clone();
        let what = "tokens";
        let tokens = new.tokens.checked_add(tokens);
        new.tokens = tokens.ok_or(FrequencyError::TotalOverflow { what })?;
        new.documents += 1;
        for term in std::collections::BTreeSet::from_iter(ids) {
            *new.counts.entry(term).or_default() += 1;
        }
        Ok(new)
    }

    fn without(
        &self,
        shard: ShardId,
        tokens: u64,
        ids: Vec<TermId>,
    ) -> Result<Self, FrequencyError> {
        let mut new = self.clone();
        let below = |what| FrequencyError::TotalBelowZero { shard, what };
        new.documents = new.documents.checked_sub(1).ok_or(below("documents"))?;
        new.tokens = new.tokens.checked_sub(tokens).ok_or(below("tokens"))?;
        for term in std::collections::BTreeSet::from_iter(ids) {
            let count = new.counts.get_mut(&term);
            *count.ok_or(FrequencyError::NotCounted { shard, term })? -= 1;
            new.counts.retain(|_, count| *count > 0);
        }
        new.check()?;
        Ok(new)
    }

    /// Returns whether no term's count exceeds the number of documents.
    pub(super) fn check(&self) -> Outcome {
        let documents = self.documents;
        let above = self.counts.iter().find(|&(_, &n)| n > documents);
        above.map_or(Ok(()), |(&term, &frequency)| {
            Err(FrequencyError::CountAboveDocuments {
                term,
                frequency,
                documents,
            })
        })
    }
}
