//! Phrases with slop, and phrases that end with the beginning of a word.

mod documents;

use tantivy::index::InvertedIndexReader;
use tantivy::{DocId, Term};

use self::documents::{Documents, postings, with_prefix};
use super::Near;
use crate::error::SearchError;
use crate::search::deadline::Watch;

/// The documents of a segment in which a phrase's elements are near each other.
pub(in crate::search) struct NearMatcher {
    /// By term. A term that the phrase has twice is read once.
    sources: Vec<Source>,
    /// By ascending offset.
    elements: Vec<Element>,
    /// The source with the fewest documents.
    rarest: usize,
    slop: i64,
    watch: Watch,
}

/// An element of the phrase.
struct Element {
    source: usize,
    offset: i64,
    /// The first position that can still be its own.
    at: usize,
}

/// The positions of a term, or of all terms that begin with the same text.
struct Source {
    documents: Documents,
    /// Those in the document that is looked at.
    positions: Vec<u32>,
    /// The last position that was given to an element, and the first that is free.
    free: u32,
}

impl NearMatcher {
    /// Returns `None` if a term isn't in the segment.
    pub(super) fn open(
        near: &Near,
        index: &InvertedIndexReader,
        max_doc: DocId,
        watch: Watch,
    ) -> Result<Option<Self>, SearchError> {
        let mut terms: Vec<&Term> = Vec::new();
        let mut infos = Vec::new();
        let mut elements = Vec::new();
        for (offset, term) in &near.terms {
            let known = terms.iter().position(|known| *known == term);
            if known.is_none() {
                let Some(info) = index.get_term_info(term).map_err(SearchError::index)? else {
                    return Ok(None);
                };
                terms.push(term);
                infos.push(info);
            }
            elements.push(Element::new(known.unwrap_or(terms.len() - 1), *offset));
        }
        let mut documents = Vec::new();
        for info in &infos {
            documents.push(Documents::Term(Box::new(postings(index, info)?)));
        }
        if let Some((offset, prefix)) = &near.prefix {
            let found = with_prefix(prefix, &infos, index, max_doc, &watch)?;
            elements.push(Element::new(documents.len(), *offset));
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
            slop: near.slop.into(),
            watch,
        }))
    }

    pub(super) fn size(&self) -> u32 {
        self.sources[self.rarest].documents.size()
    }

    pub(super) fn next_match(&self, from: DocId) -> DocId {
        let next = self.sources.iter().map(|source| source.documents.doc());
        next.fold(from, DocId::max)
    }

    pub(super) fn each_match(
        &mut self,
        from: DocId,
        end: DocId,
        wanted: impl Fn(DocId) -> bool,
        mut found: impl FnMut(DocId),
    ) {
        let mut document = self.sources[self.rarest].documents.seek(from);
        while document < end {
            let next = if wanted(document) {
                self.seek(document)
            } else {
                document + 1
            };
            if next == document {
                if self.is_near() {
                    found(document);
                }
                document += 1;
            } else {
                document = next;
            }
            document = self.sources[self.rarest].documents.seek(document);
        }
    }

    pub(super) fn contains(&mut self, document: DocId) -> bool {
        self.seek(document) == document && self.is_near()
    }

    /// Returns the document if all sources have it, and otherwise a later one such that none before it can match.
    fn seek(&mut self, document: DocId) -> DocId {
        let mut reached = self.sources.iter_mut().map(|s| s.documents.seek(document));
        let reached = reached.find(|&reached| reached != document);
        reached.unwrap_or(document)
    }

    /// Whether the elements are near each other in the document that all sources are at.
    ///
    /// A position less the element's offset is the place where the phrase would begin. These places must lie in a window of the slop. The window
    /// moves upwards: its beginning never passes the least place of a match.
    fn is_near(&mut self) -> bool {
        for source in &mut self.sources {
            source.documents.read(&mut source.positions);
        }
        self.elements.iter_mut().for_each(|element| element.at = 0);
        let mut begin = i64::MIN;
        loop {
            let (mut least, mut greatest) = (i64::MAX, i64::MIN);
            for element in &mut self.elements {
                if self.watch.has_passed() {
                    return false;
                }
                let Some(place) = element.first(&self.sources[element.source].positions, begin)
                else {
                    return false;
                };
                (least, greatest) = (least.min(place), greatest.max(place));
            }
            begin = if greatest - least > self.slop {
                greatest - self.slop
            } else if self.differ(least + self.slop) {
                return true;
            } else {
                least + 1
            };
        }
    }

    /// Whether each element can have a position of its own, from its first one up to the place `end`.
    ///
    /// Each element takes the least free position, by ascending offsets. Two terms have all positions in common or none, and both ends of an
    /// element's positions ascend with the offset. So no choice lets more elements of a term have one, and none takes lower ones. The prefix
    /// comes last. It has the greatest offset, so what the others leave free by taking low positions is what it can use.
    fn differ(&mut self, end: i64) -> bool {
        for source in &mut self.sources {
            source.free = 0;
        }
        let mut taken = Vec::with_capacity(self.elements.len());
        for element in &self.elements {
            let source = &mut self.sources[element.source];
            let is_prefix = matches!(source.documents, Documents::Prefix(..));
            let is_free = |position: &&u32| {
                **position >= source.free && !(is_prefix && taken.contains(*position))
            };
            match source.positions[element.at..].iter().find(is_free) {
                Some(&position) if i64::from(position) - element.offset <= end => {
                    source.free = position + 1;
                    taken.push(position);
                }
                _ => return false,
            }
        }
        true
    }
}

impl Element {
    fn new(source: usize, offset: usize) -> Self {
        Self {
            source,
            offset: i64::try_from(offset).unwrap_or(i64::MAX),
            at: 0,
        }
    }

    /// Returns the element's first place from `begin` on.
    fn first(&mut self, positions: &[u32], begin: i64) -> Option<i64> {
        let place = |position: &u32| i64::from(*position) - self.offset;
        let rest = &positions[self.at..];
        let skipped = rest.partition_point(|position| place(position) < begin);
        let first = rest.get(skipped).map(place);
        self.at += skipped;
        first
    }
}
