//! Whole documents of a part of the ring.

use std::ops::{RangeBounds, RangeInclusive};

use tantivy::DocId;
use tantivy::store::StoreReader;

use super::TextView;
use crate::error::SearchError;
use crate::id::DocumentId;
use crate::placement::Placement;
use crate::publication::{Movable, ShardFailure};
use crate::search::document::TextDocument;
use crate::search::schema::Storing;
use crate::search::segment::{SegmentView, stored};
use crate::sync::Arc;

/// An id and its document.
type Whole = Result<(DocumentId, TextDocument), SearchError>;

impl TextView {
    /// Returns the whole live documents whose [positions](Placement::document_position) lie in a range, as [`document`](Self::document) reads
    /// them. `..` is all documents.
    ///
    /// They come in the order in which the index keeps them, so that each block of about 16 KB is decompressed once. The iterator holds one
    /// block and one document in memory. An error doesn't end it.
    ///
    /// ```
    /// use tickring::placement::Placement;
    /// use tickring::search::{Field, Schema, TextShard, TextShardConfig};
    /// use tickring::{Colony, ColonyConfig, DocumentId};
    ///
    /// let schema = Schema::builder().field(Field::text("body").stored()).build()?;
    /// let config = TextShardConfig { schema: schema.clone(), ..TextShardConfig::default() };
    /// let mut colony = Colony::new(ColonyConfig::default(), 1, TextShard::factory(config))?;
    /// for number in 0..100 {
    ///     let mut document = schema.document();
    ///     document.add("body", format!("page {number}"))?;
    ///     colony.intake().try_add(DocumentId::from_seed(number), document)?;
    /// }
    /// colony.tick()?;
    ///
    /// let publication = colony.publication();
    /// let view = publication.shards()[0].view();
    /// let (placement, middle) = (Placement::default(), u64::MAX / 2);
    /// let lower = view.documents_between(placement, ..middle)?.count();
    /// let upper = view.documents_between(placement, middle..)?.count();
    /// assert_eq!(lower + upper, 100);
    /// for found in view.documents_between(placement, ..)? {
    ///     let (id, document) = found?;
    ///     assert_eq!(view.document(id)?, Some(document));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// ```
    ///
    /// # Errors
    /// [`SearchError::NotStored`] if the index doesn't keep a field. Each item is [`SearchError::Index`] if the index can't be read.
    pub fn documents_between(
        &self,
        placement: Placement,
        positions: impl RangeBounds<u64>,
    ) -> Result<impl Iterator<Item = Whole>, SearchError> {
        self.whole()?;
        let positions = (
            positions.start_bound().cloned(),
            positions.end_bound().cloned(),
        );
        let is_inside = move |id| positions.contains(&placement.document_position(&id));
        Ok(self
            .segments
            .iter()
            .flat_map(move |segment| self.inside(segment, is_inside)))
    }

    fn inside(
        &self,
        segment: &SegmentView,
        is_inside: impl Fn(DocumentId) -> bool,
    ) -> impl Iterator<Item = Whole> {
        // Opened for the first document inside.
        let mut store = None;
        segment.live().filter_map(move |(number, id)| match id {
            Ok(id) if is_inside(id) => Some(self.whole_at(segment, &mut store, number, id)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
    }

    fn whole_at(
        &self,
        segment: &SegmentView,
        store: &mut Option<StoreReader>,
        number: DocId,
        id: DocumentId,
    ) -> Whole {
        let store = match store {
            Some(store) => store,
            None => store.insert(segment.store(1)?),
        };
        let document = stored::read(store, number, &self.schema, Storing::All)?;
        Ok((id, document))
    }
}

impl Movable<TextDocument> for TextView {
    /// Reads the documents from the index, which must keep all fields: that of a colony in memory keeps those that the schema says are stored.
    fn documents_between(
        &self,
        placement: Placement,
        positions: RangeInclusive<u64>,
    ) -> Result<Vec<(DocumentId, Arc<TextDocument>)>, ShardFailure> {
        self.whole()?;
        let mut found = Vec::new();
        for segment in self.segments() {
            let mut live = segment.live_between(placement, &positions)?;
            // In the order of the store, so that each block is decompressed once.
            live.sort_unstable_by_key(|&(_, number)| number);
            let mut store = None;
            for (_, number) in live {
                let id = segment.document_id(number)?;
                let (id, document) = self.whole_at(segment, &mut store, number, id)?;
                found.push((id, Arc::new(document)));
            }
        }
        Ok(found)
    }

    fn positions_between(
        &self,
        placement: Placement,
        positions: RangeInclusive<u64>,
    ) -> Result<Vec<u64>, ShardFailure> {
        let mut found = Vec::new();
        for segment in self.segments() {
            let live = segment.live_between(placement, &positions)?;
            found.extend(live.into_iter().map(|(at, _)| at));
        }
        Ok(found)
    }

    /// Returns the length of the texts, and 8 bytes for each other value.
    fn document_bytes(document: &TextDocument) -> u64 {
        let values = document.values().iter();
        let bytes = values.map(|(_, value)| value.as_str().map_or(8, |text| text.len() as u64));
        bytes.sum()
    }
}
