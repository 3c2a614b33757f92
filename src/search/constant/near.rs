//! Phrases with slop, and phrases that end with the beginning of a word.

mod prefix;

use tantivy::DocId;
use tantivy::index::InvertedIndexReader;

use self::prefix::with_prefix;
use super::Near;
use crate::error::SearchError;
use crate::search::deadline::Watch;
use crate::search::phrase::{Documents, Elements};

/// The documents of a segment in which a phrase's elements are near each other.
pub(in crate::search) struct NearMatcher {
    elements: Elements,
    slop: i64,
}

impl NearMatcher {
    /// Returns `None` if a term isn't in the segment.
    pub(super) fn open(
        near: &Near,
        index: &InvertedIndexReader,
        max_doc: DocId,
        watch: Watch,
    ) -> Result<Option<Self>, SearchError> {
        let elements = Elements::open(&near.terms, index, watch, |infos, watch| {
            let Some((offset, prefix)) = &near.prefix else {
                return Ok(None);
            };
            let found = with_prefix(prefix, infos, index, max_doc, watch)?;
            Ok(Some((*offset, found)))
        })?;
        Ok(elements.map(|elements| Self {
            elements,
            slop: near.slop.into(),
        }))
    }

    pub(super) fn size(&self) -> u32 {
        self.elements.size()
    }

    pub(super) fn next_match(&self, from: DocId) -> DocId {
        self.elements.next_match(from)
    }

    pub(super) fn each_match(
        &mut self,
        from: DocId,
        end: DocId,
        wanted: impl Fn(DocId) -> bool,
        mut found: impl FnMut(DocId),
    ) {
        let slop = self.slop;
        self.elements.each(from, end, wanted, |elements, document| {
            if elements.are_near(slop) {
                found(document);
            }
        });
    }

    pub(super) fn contains(&mut self, document: DocId) -> bool {
        self.elements.seek(document) == document && self.elements.are_near(self.slop)
    }
}

impl Elements {
    /// Whether the elements are near each other in the document that all sources are at.
    ///
    /// A position less the element's offset is the place where the phrase would begin. These places must lie in a window of the slop. The window
    /// moves upwards: its beginning never passes the least place of a match.
    fn are_near(&mut self, slop: i64) -> bool {
        self.read();
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
            begin = if greatest - least > slop {
                greatest - slop
            } else if self.differ(least + slop) {
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
                Some(&position) if i64::from(position) - i64::from(element.offset) <= end => {
                    source.free = position + 1;
                    taken.push(position);
                }
                _ => return false,
            }
        }
        true
    }
}
