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

    /// Returns the entry in the dictionary of the segment with this number, without the positions. `at` is where the last one was, or 0. Then
    /// a walk through all segments in their order compares each entry once.
    pub(super) fn in_segment(&self, segment: usize, at: &mut usize) -> Option<TermInfo> {
        if *at > 0 && self.entries[*at - 1].segment >= segment {
            *at = self
                .entries
                .partition_point(|entry| entry.segment < segment);
        }
        while self.entries.get(*at)?.segment < segment {
            *at += 1;
        }
        let entry = Some(&self.entries[*at]).filter(|entry| entry.segment == segment)?;
        Some(TermInfo {
            doc_freq: entry.documents,
            postings_range: entry.begin..entry.end,
            positions_range: 0..0,
        })
    }

    pub(super) fn is_in_segment(&self, segment: usize) -> bool {
        let find = |entry: &Entry| entry.segment.cmp(&segment);
        self.entries.binary_search_by(find).is_ok()
    }

    /// The memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::random::Random;

    #[test]
    fn an_entry_is_found_in_any_order_of_the_segments() {
        let info = |segment| TermInfo {
            doc_freq: 1,
            postings_range: segment..segment + 1,
            positions_range: 0..0,
        };
        let has = |segment: usize| segment % 3 == 1 && segment != 10;
        let infos = (0..20).filter(|&segment| has(segment));
        let infos: Vec<_> = infos.map(|segment| (segment, info(segment))).collect();
        let entries = Entries::new(7, &infos);
        let (mut random, mut at) = (Random::new(1), 0);
        let any = std::iter::repeat_with(|| random.below(22)).take(200);
        for segment in (0..22).chain(any) {
            let expected = has(segment).then(|| info(segment)).filter(|_| segment < 20);
            assert_eq!(entries.in_segment(segment, &mut at), expected, "{segment}");
            assert_eq!(entries.is_in_segment(segment), expected.is_some());
        }
        assert_eq!(Entries::default().in_segment(0, &mut 0), None);
    }
}
