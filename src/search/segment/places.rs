//! The documents of a segment by their positions on the ring.

use std::ops::RangeInclusive;

use tantivy::DocId;

use super::SegmentView;
use crate::error::SearchError;
use crate::placement::Placement;

/// A segment's documents, deleted ones included, by ascending position. Computed when it is asked for, and kept as long as the segment: 16 bytes a
/// document.
pub(in crate::search) struct Places {
    placement: Placement,
    by_position: Box<[(u64, DocId)]>,
}

impl Places {
    fn of(segment: &SegmentView, placement: Placement) -> Result<Self, SearchError> {
        let place = |number| {
            let id = segment.document_id(number)?;
            Ok((placement.document_position(&id), number))
        };
        let numbers = 0..segment.reader.max_doc();
        let mut by_position = numbers
            .map(place)
            .collect::<Result<Box<[_]>, SearchError>>()?;
        by_position.sort_unstable();
        Ok(Self {
            placement,
            by_position,
        })
    }
}

impl SegmentView {
    /// Returns the numbers of the live documents whose positions lie in a range, with their positions. Costs two binary searches, once the positions
    /// are known.
    pub(in crate::search) fn live_between(
        &self,
        placement: Placement,
        positions: &RangeInclusive<u64>,
    ) -> Result<Vec<(u64, DocId)>, SearchError> {
        let other;
        let places = match self.places.get() {
            Some(places) if places.placement == placement => places,
            // There is one placement for all documents of a ring.
            Some(_) => {
                other = Places::of(self, placement)?;
                &other
            }
            None => {
                let computed = Places::of(self, placement)?;
                self.places.get_or_init(|| computed)
            }
        };
        let places = &places.by_position;
        let first = places.partition_point(|&(at, _)| at < *positions.start());
        let rest = &places[first..];
        let inside = &rest[..rest.partition_point(|&(at, _)| at <= *positions.end())];
        let alive = self.reader.alive_bitset();
        let is_live = |&&(_, number): &&_| alive.is_none_or(|alive| alive.is_alive(number));
        Ok(inside.iter().filter(is_live).copied().collect())
    }
}
