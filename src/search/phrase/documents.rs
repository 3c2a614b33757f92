//! The documents and positions of an element of a phrase.

use tantivy::index::InvertedIndexReader;
use tantivy::postings::{Postings, SegmentPostings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, TERMINATED};

use crate::error::SearchError;

/// The documents of a term, or of all terms that begin with the same text. They can only be read forwards.
pub(in crate::search) enum Documents {
    Term(Box<SegmentPostings>),
    /// The documents and positions in order, and the place of the current one.
    Prefix(Vec<(DocId, u32)>, usize),
}

impl Documents {
    pub(super) fn doc(&self) -> DocId {
        match self {
            Self::Term(postings) => postings.doc(),
            Self::Prefix(found, at) => found.get(*at).map_or(TERMINATED, |&(document, _)| document),
        }
    }

    /// Goes to the first document from here on.
    pub(super) fn seek(&mut self, from: DocId) -> DocId {
        match self {
            Self::Term(postings) => match postings.doc() {
                document if document >= from => document,
                // Faster than to seek.
                document if document + 1 == from => postings.advance(),
                _ => postings.seek(from),
            },
            Self::Prefix(found, at) => {
                *at += found[*at..].partition_point(|&(document, _)| document < from);
                self.doc()
            }
        }
    }

    pub(super) fn size(&self) -> u32 {
        match self {
            Self::Term(postings) => postings.doc_freq(),
            Self::Prefix(found, _) => u32::try_from(found.len()).unwrap_or(u32::MAX),
        }
    }

    pub(super) fn read(&mut self, positions: &mut Vec<u32>) {
        positions.clear();
        match self {
            Self::Term(postings) => postings.positions(positions),
            Self::Prefix(found, at) => {
                let here = found[*at..].iter();
                let document = found.get(*at).map(|&(document, _)| document);
                let here = here.take_while(|&&(other, _)| Some(other) == document);
                positions.extend(here.map(|&(_, position)| position));
            }
        }
    }
}

pub(in crate::search) fn postings(
    index: &InvertedIndexReader,
    info: &TermInfo,
) -> Result<SegmentPostings, SearchError> {
    let option = IndexRecordOption::WithFreqsAndPositions;
    index
        .read_postings_from_terminfo(info, option)
        .map_err(SearchError::index)
}
