//! The documents and positions of a phrase's last word, which may go on.

use tantivy::index::InvertedIndexReader;
use tantivy::postings::{Postings, TermInfo};
use tantivy::{DocId, DocSet, TERMINATED};

use crate::error::SearchError;
use crate::search::constant::marked::Marked;
use crate::search::constant::pattern::each_with_prefix;
use crate::search::deadline::Watch;
use crate::search::phrase::postings;

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
