//! Phrases: the documents that have all elements of one, and the positions of the elements there.

mod documents;

use std::collections::HashMap;

use tantivy::index::InvertedIndexReader;
use tantivy::postings::TermInfo;
use tantivy::{DocId, Term};

pub(super) use self::documents::{Documents, postings};
use super::deadline::Watch;
use crate::error::SearchError;

/// The elements of a phrase in a segment. They are read forwards, document by document.
pub(super) struct Elements {
    /// By term. A term that the phrase has twice is read once.
    pub(super) sources: Vec<Source>,
    /// By ascending offset.
    pub(super) elements: Vec<Element>,
    /// The source with the fewest documents.
    rarest: usize,
    /// Where the phrase may begin in the document that is looked at.
    begins: Vec<u32>,
    pub(super) watch: Watch,
}

/// An element of a phrase.
pub(super) struct Element {
    pub(super) source: usize,
    pub(super) offset: u32,
    /// The first position that can still be its own.
    pub(super) at: usize,
}

/// The positions of a term, or of all terms that begin with the same text.
pub(super) struct Source {
    pub(super) documents: Documents,
    /// Those in the document that is looked at.
    pub(super) positions: Vec<u32>,
    /// The last position that was given to an element, and the first that is free.
    pub(super) free: u32,
}

/// The documents and positions of an element that isn't a single term, in order, and its offset.
pub(super) type Prefix = (usize, Vec<(DocId, u32)>);

impl Elements {
    /// Opens the elements in a segment. `prefix` gets the entries of the terms, and returns the last element if that isn't a term. Returns
    /// `None` if a term isn't in the segment.
    pub(super) fn open(
        terms: &[(usize, Term)],
        index: &InvertedIndexReader,
        watch: Watch,
        prefix: impl FnOnce(&[TermInfo], &Watch) -> Result<Option<Prefix>, SearchError>,
    ) -> Result<Option<Self>, SearchError> {
        let mut known: HashMap<&Term, usize, ahash::RandomState> = HashMap::default();
        let mut infos = Vec::new();
        let mut elements = Vec::new();
        for (offset, term) in terms {
            let source = match known.get(term) {
                Some(source) => *source,
                None => {
                    watch.check()?;
                    let Some(info) = index.get_term_info(term).map_err(SearchError::index)? else {
                        return Ok(None);
                    };
                    infos.push(info);
                    known.insert(term, infos.len() - 1);
                    infos.len() - 1
                }
            };
            elements.push(Element::new(source, *offset));
        }
        let mut documents = Vec::new();
        for info in &infos {
            documents.push(Documents::Term(Box::new(postings(index, info)?)));
        }
        if let Some((offset, found)) = prefix(&infos, &watch)? {
            elements.push(Element::new(documents.len(), offset));
            documents.push(Documents::Prefix(found, 0));
        }
        let sizes = documents.iter().map(Documents::size).enumerate();
        let Some((rarest, 1..)) = sizes.min_by_key(|&(_, size)| size) else {
            return Ok(None);
        };
        let source = |documents| Source {
            documents,
            positions: Vec::new(),
            free: 0,
        };
        Ok(Some(Self {
            sources: documents.into_iter().map(source).collect(),
            elements,
            rarest,
            begins: Vec::new(),
            watch,
        }))
    }

    /// Returns a bound of the number of documents that have all elements.
    pub(super) fn size(&self) -> u32 {
        self.sources[self.rarest].documents.size()
    }

    /// Returns a document at or after `from`, such that none from `from` up to it has all elements.
    pub(super) fn next_match(&self, from: DocId) -> DocId {
        let next = self.sources.iter().map(|source| source.documents.doc());
        next.fold(from, DocId::max)
    }

    /// Calls `found` in each `wanted` document from `from` up to `end` that has all elements. Gives up after the deadline.
    pub(super) fn each(
        &mut self,
        from: DocId,
        end: DocId,
        wanted: impl Fn(DocId) -> bool,
        mut found: impl FnMut(&mut Self, DocId),
    ) {
        let mut document = self.sources[self.rarest].documents.seek(from);
        while document < end && !self.watch.has_passed() {
            let next = if wanted(document) {
                self.seek(document)
            } else {
                document + 1
            };
            if next == document {
                found(self, document);
                document += 1;
            } else {
                document = next;
            }
            document = self.sources[self.rarest].documents.seek(document);
        }
    }

    /// Returns the document if it has all elements, and otherwise a later one such that none before it has.
    pub(super) fn seek(&mut self, document: DocId) -> DocId {
        let mut reached = self.sources.iter_mut().map(|s| s.documents.seek(document));
        let reached = reached.find(|&reached| reached != document);
        reached.unwrap_or(document)
    }

    /// Reads the positions in the document that all elements are at.
    pub(super) fn read(&mut self) {
        for source in &mut self.sources {
            source.documents.read(&mut source.positions);
        }
        self.elements.iter_mut().for_each(|element| element.at = 0);
    }

    /// Counts the places in the document that all elements are at where the phrase begins. Gives up after the deadline.
    pub(super) fn frequency(&mut self) -> u32 {
        self.read();
        let Self {
            sources,
            elements,
            begins,
            watch,
            ..
        } = self;
        let positions = |element: &Element| &sources[element.source].positions[..];
        let numbered = elements.iter().enumerate();
        let Some((fewest, first)) = numbered.min_by_key(|(_, e)| positions(e).len()) else {
            return 0;
        };
        let places = positions(first).iter();
        begins.clear();
        begins.extend(places.filter_map(|position| position.checked_sub(first.offset)));
        for (number, element) in elements.iter().enumerate() {
            if number == fewest {
                continue;
            }
            if begins.is_empty() || watch.has_passed() {
                break;
            }
            let mut places = positions(element).iter().peekable();
            begins.retain(|begin| {
                let place = begin.saturating_add(element.offset);
                while places.next_if(|&&other| other < place).is_some() {}
                places.next_if(|&&other| other == place).is_some()
            });
        }
        u32::try_from(begins.len()).unwrap_or(u32::MAX)
    }
}

impl Element {
    fn new(source: usize, offset: usize) -> Self {
        Self {
            source,
            offset: u32::try_from(offset).unwrap_or(u32::MAX),
            at: 0,
        }
    }

    /// Returns the element's first place from `begin` on. A place is a position less the offset: where the phrase would begin.
    pub(super) fn first(&mut self, positions: &[u32], begin: i64) -> Option<i64> {
        let place = |position: &u32| i64::from(*position) - i64::from(self.offset);
        let rest = &positions[self.at..];
        let skipped = rest.partition_point(|position| place(position) < begin);
        let first = rest.get(skipped).map(place);
        self.at += skipped;
        first
    }
}
