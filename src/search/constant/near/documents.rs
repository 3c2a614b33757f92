//! The documents and positions of a phrase's elements.

use tantivy::index::InvertedIndexReader;
use tantivy::postings::{Postings, SegmentPostings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, TERMINATED};

use crate::error::SearchError;
use crate::search::constant::marked::Marked;
use crate::search::constant::pattern::each_with_prefix;
use crate::search::deadline::Watch;

/// The documents of a term, or of all terms that begin with the same text. They can only be read forwards.
pub(super) enum Documents {
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
            Self::Term(postings) if postings.doc() < from => postings.seek(from),
            Self::Term(postings) => postings.doc(),
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

pub(super) fn postings(
    index: &InvertedIndexReader,
    info: &TermInfo,
) -> Result<SegmentPostings, SearchError> {
    let option = IndexRecordOption::WithFreqsAndPositions;
    index
        .read_postings_from_terminfo(info, option)
        .map_err(SearchError::index)
}

/// Returns the documents and positions of the terms with this prefix, in order, in the documents that have all of `others`.
pub(super) fn with_prefix(
    prefix: &str,
    others: &[TermInfo],
    index: &InvertedIndexReader,
    max_doc: DocId,
    watch: &Watch,
) -> Result<Vec<(DocId, u32)>, SearchError> {
    let candidates = documents_of_all(others, index, max_doc, watch)?;
    let (mut found, mut positions) = (Vec::new(), Vec::new());
    each_with_prefix(index.terms(), prefix, watch, |info| {
        let mut postings = postings(index, info)?;
        let mut document = candidates.next(postings.doc());
        while document != TERMINATED {
            watch.check()?;
            if postings.doc() < document {
                postings.seek(document);
            }
            if postings.doc() == document {
                postings.positions(&mut positions);
                found.extend(positions.iter().map(|&position| (document, position)));
                postings.advance();
            }
            document = candidates.next(postings.doc());
        }
        Ok(())
    })?;
    found.sort_unstable();
    Ok(found)
}

/// Returns the documents that have all of these terms.
fn documents_of_all(
    terms: &[TermInfo],
    index: &InvertedIndexReader,
    max_doc: DocId,
    watch: &Watch,
) -> Result<Marked, SearchError> {
    let mut all = Marked::new(max_doc);
    match terms.split_first() {
        None => (0..max_doc).for_each(|document| all.insert(document)),
        Some((first, _)) => all.mark(index, first, watch)?,
    }
    for info in terms.iter().skip(1) {
        let mut term = Marked::new(max_doc);
        term.mark(index, info, watch)?;
        all.keep(&term);
    }
    Ok(all)
}
