//! A term's entries in the dictionaries of segments.

use tantivy::postings::TermInfo;

/// Where a term occurs in the segments of a publication, and in how many live documents.
#[derive(Default)]
pub(super) struct Entries {
    pub(super) frequency: u64,
    /// By ascending segments.
    entries: Box<[Entry]>,
}

/// A dictionary's entry without the positions, which only phrases need.
struct Entry {
    segment: usize,
    documents: u32,
    begin: usize,
    end: usize,
}

impl Entries {
    /// The entries of these segments, which are given by their numbers.
    pub(super) fn new(frequency: u64, entries: &[(usize, TermInfo)]) -> Self {
        let entry = |(segment, info): &(usize, TermInfo)| Entry {
            segment: *segment,
            documents: info.doc_freq,
            begin: info.postings_range.start,
            end: info.postings_range.end,
        };
        Self {
            frequency,
            entries: entries.iter().map(entry).collect(),
        }
    }

    /// Returns the entry in the dictionary of the segment with this number, without the positions.
    pub(super) fn in_segment(&self, segment: usize) -> Option<TermInfo> {
        let find = |entry: &Entry| entry.segment.cmp(&segment);
        let entry = &self.entries[self.entries.binary_search_by(find).ok()?];
        Some(TermInfo {
            doc_freq: entry.documents,
            postings_range: entry.begin..entry.end,
            positions_range: 0..0,
        })
    }

    /// The memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.entries)
    }
}
