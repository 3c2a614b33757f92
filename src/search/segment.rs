//! The view of one segment of a shard's index, as a search needs it, with counts of live documents.

mod ids;
mod places;
pub(super) mod stored;

use std::collections::HashMap;
use std::path::PathBuf;

use tantivy::directory::{Directory, OwnedBytes};
use tantivy::fastfield::Column;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::{InvertedIndexReader, SegmentComponent, SegmentId, SegmentMeta};
use tantivy::postings::TermInfo;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, Index, Opstamp, SegmentReader, TERMINATED, TantivyError, Term};

use self::ids::Ids;
use self::places::Places;
use super::bitset::Bits;
use super::postings::{FULL_BLOCK, open_blocks};
use super::schema::{ID_HIGH_NAME, ID_LOW_NAME, Schema, TextField, id_field, tokens_name};
use crate::error::{Cause, SearchError};
use crate::id::DocumentId;
use crate::sync::{Arc, OnceLock};

/// The parts of a segment that a search needs, opened once. Two views with the same [`key`](Self::key) hold the same documents.
pub(super) struct SegmentView {
    reader: SegmentReader,
    /// By text field.
    text: Box<[TextPart]>,
    /// A bit for each document that is live, or `None` if all are.
    live: Option<Box<[u64]>>,
    ids: Arc<InvertedIndexReader>,
    id_high: Column<u64>,
    id_low: Column<u64>,
    /// Shared with the index, so that a shard can be made from them even after the index has removed them.
    files: Box<[(PathBuf, OwnedBytes)]>,
    /// Shared by the views of a segment with more and more deleted documents.
    places: Arc<OnceLock<Places>>,
    /// Shared by them too.
    known_ids: Arc<Ids>,
}

/// A segment to search.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) segment: &'a SegmentView,
    /// Its number among the segments of the statistics, or `None` if it isn't one of them.
    pub(super) number: Option<usize>,
}

/// The part of a segment that belongs to one text field.
struct TextPart {
    index: Arc<InvertedIndexReader>,
    lengths: FieldNormReader,
    tokens: u64,
}

/// The identity of a segment's content. Its files never change; a later delete adds a new delete file, named by the operation's stamp.
pub(super) type SegmentKey = (SegmentId, Option<Opstamp>);

pub(super) fn segment_key(reader: &SegmentReader) -> SegmentKey {
    (reader.segment_id(), reader.delete_opstamp())
}

impl SegmentView {
    /// Opens a view. `earlier` is one of the same segment with fewer deleted documents, if there is one.
    pub(super) fn open(
        reader: &SegmentReader,
        index: &Index,
        schema: &Schema,
        earlier: Option<&Self>,
    ) -> Result<Self, SearchError> {
        let text = |field: TextField| {
            let number = schema.field_of(field).number();
            Ok::<_, SearchError>(TextPart {
                index: reader.inverted_index(number).map_err(SearchError::index)?,
                lengths: reader
                    .get_fieldnorms_reader(number)
                    .map_err(SearchError::index)?,
                tokens: live_tokens(reader, field)?,
            })
        };
        Ok(Self {
            text: schema.text_fields().map(text).collect::<Result<_, _>>()?,
            live: reader.alive_bitset().map(|alive| {
                let mut words = vec![0_u64; reader.max_doc().div_ceil(64) as usize];
                for document in alive.iter_alive() {
                    words[document as usize / 64] |= 1 << (document % 64);
                }
                words.into()
            }),
            ids: reader
                .inverted_index(id_field(schema))
                .map_err(SearchError::index)?,
            id_high: reader
                .fast_fields()
                .u64(ID_HIGH_NAME)
                .map_err(SearchError::index)?,
            id_low: reader
                .fast_fields()
                .u64(ID_LOW_NAME)
                .map_err(SearchError::index)?,
            files: files(&segment_meta(reader, index), index)?,
            reader: reader.clone(),
            places: earlier
                .map(|earlier| Arc::clone(&earlier.places))
                .unwrap_or_default(),
            known_ids: earlier
                .map(|earlier| Arc::clone(&earlier.known_ids))
                .unwrap_or_default(),
        })
    }

    pub(super) fn key(&self) -> SegmentKey {
        segment_key(&self.reader)
    }

    pub(super) const fn reader(&self) -> &SegmentReader {
        &self.reader
    }

    pub(super) fn inverted_index(&self, field: TextField) -> &InvertedIndexReader {
        &self.text[field.index()].index
    }

    /// The fields' lengths, quantised to a byte as BM25 takes them.
    pub(super) fn lengths(&self, field: TextField) -> &FieldNormReader {
        &self.text[field.index()].lengths
    }

    /// Live documents.
    pub(super) fn documents(&self) -> u64 {
        u64::from(self.reader.num_docs())
    }

    /// The exact number of tokens of the live documents in one field.
    pub(super) fn tokens(&self, field: TextField) -> u64 {
        self.text[field.index()].tokens
    }

    pub(super) const fn files(&self) -> &[(PathBuf, OwnedBytes)] {
        &self.files
    }

    /// Returns the segment's entry in the list of an index that has these files.
    pub(super) fn meta(&self, index: &Index) -> SegmentMeta {
        segment_meta(&self.reader, index)
    }

    /// The id of a document of the segment.
    pub(super) fn document_id(&self, document: DocId) -> Result<DocumentId, SearchError> {
        match (self.id_high.first(document), self.id_low.first(document)) {
            (Some(high), Some(low)) => Ok(DocumentId(uuid::Uuid::from_u64_pair(high, low))),
            _ => Err(SearchError::Index(Cause::new(format!(
                "document {document} has no id"
            )))),
        }
    }

    /// The first half of the id of a document of the segment.
    pub(super) fn id_high(&self, document: DocId) -> Option<u64> {
        self.id_high.first(document)
    }

    /// The number of the live document with the id, which is this term.
    pub(super) fn find(&self, id: DocumentId, term: &Term) -> Result<Option<DocId>, SearchError> {
        if !self.may_hold(id) {
            return Ok(None);
        }
        let Some(info) = self.ids.get_term_info(term).map_err(SearchError::index)? else {
            return Ok(None);
        };
        let mut postings = self
            .ids
            .read_postings_from_terminfo(&info, IndexRecordOption::Basic)
            .map_err(SearchError::index)?;
        let is_live = |document| {
            let alive = self.reader.alive_bitset();
            alive.is_none_or(|alive| alive.is_alive(document))
        };
        while postings.doc() != TERMINATED && !is_live(postings.doc()) {
            postings.advance();
        }
        Ok(Some(postings.doc()).filter(|&document| document != TERMINATED))
    }

    /// The live ones among `count` documents from `start` on.
    pub(super) fn live_window(&self, start: DocId, count: usize) -> Bits {
        match &self.live {
            None => Bits::first(count),
            Some(live) => Bits::part_of(live, start as usize, count),
        }
    }

    /// The numbers of the live documents, ascending, with their ids.
    pub(super) fn live(
        &self,
    ) -> impl Iterator<Item = (DocId, Result<DocumentId, SearchError>)> + '_ {
        let live = self.reader.doc_ids_alive();
        live.map(|document| (document, self.document_id(document)))
    }

    /// The term's entry in the dictionary of its field.
    pub(super) fn entry(
        &self,
        field: TextField,
        term: &Term,
    ) -> Result<Option<TermInfo>, SearchError> {
        let index = self.inverted_index(field);
        index.get_term_info(term).map_err(SearchError::index)
    }

    /// Adds the numbers of live documents of each term of a field.
    pub(super) fn add_frequencies(
        &self,
        field: TextField,
        frequencies: &mut HashMap<String, u64>,
    ) -> Result<(), SearchError> {
        let index = self.inverted_index(field);
        let mut terms = index.terms().stream().map_err(SearchError::index)?;
        while terms.advance() {
            let live = self.live_documents(field, terms.value())?;
            if live == 0 {
                continue;
            }
            let term = std::str::from_utf8(terms.key())
                .map_err(|error| TantivyError::InternalError(error.to_string()))
                .map_err(SearchError::index)?;
            if let Some(count) = frequencies.get_mut(term) {
                *count += live;
            } else {
                frequencies.insert(term.to_owned(), live);
            }
        }
        Ok(())
    }

    /// Counts the live documents of a term with this entry. The dictionary's own count includes deleted documents until a merge, so segments
    /// with deletes count their postings.
    pub(super) fn live_documents(
        &self,
        field: TextField,
        info: &TermInfo,
    ) -> Result<u64, SearchError> {
        let Some(live) = &self.live else {
            return Ok(u64::from(info.doc_freq));
        };
        let mut blocks = None;
        let (index, option) = (self.inverted_index(field), IndexRecordOption::Basic);
        open_blocks(&mut blocks, index, info, option)?;
        let bit = |document: &DocId| {
            let word = live.get(*document as usize / 64).copied().unwrap_or(0);
            word >> (document % 64) & 1
        };
        let mut count = 0;
        while let Some(blocks) = &mut blocks {
            count += blocks.docs().iter().map(bit).sum::<u64>();
            if blocks.block_len() < FULL_BLOCK {
                break;
            }
            blocks.advance();
        }
        Ok(count)
    }
}

fn segment_meta(reader: &SegmentReader, index: &Index) -> SegmentMeta {
    let meta = index.new_segment_meta(reader.segment_id(), reader.max_doc());
    match reader.delete_opstamp() {
        Some(opstamp) => meta.with_delete_meta(reader.num_deleted_docs(), opstamp),
        None => meta,
    }
}

/// Opens the files of a segment without copying them. Fails if one is gone, because the segment has been merged meanwhile.
pub(super) fn files(
    meta: &SegmentMeta,
    index: &Index,
) -> Result<Box<[(PathBuf, OwnedBytes)]>, SearchError> {
    let parts = [
        SegmentComponent::Postings,
        SegmentComponent::Positions,
        SegmentComponent::Terms,
        SegmentComponent::Store,
        SegmentComponent::FastFields,
        SegmentComponent::FieldNorms,
    ];
    let deletes = meta.has_deletes().then_some(SegmentComponent::Delete);
    let file = |part| {
        let path = meta.relative_path(part);
        let file = index
            .directory()
            .open_read(&path)
            .map_err(SearchError::index)?;
        Ok((
            path,
            file.read_bytes()
                .map_err(TantivyError::from)
                .map_err(SearchError::index)?,
        ))
    };
    parts.into_iter().chain(deletes).map(file).collect()
}

fn live_tokens(reader: &SegmentReader, field: TextField) -> Result<u64, SearchError> {
    let tokens = reader
        .fast_fields()
        .u64(&tokens_name(field))
        .map_err(SearchError::index)?;
    let count = |document| tokens.first(document).unwrap_or(0);
    Ok(reader.doc_ids_alive().map(count).sum())
}
