//! Values of fields: the columns of a segment, and which of their values a leaf wants.
//!
//! A column holds numbers. Integers, dates, booleans and floats are mapped to them in order; of a keyword it holds the place in the segment's
//! own dictionary, which is in the order of the keywords' bytes.

use std::collections::BTreeSet;
use std::ops::{Bound, RangeInclusive};

use tantivy::columnar::{Column, MonotonicallyMappableToU64};
use tantivy::{DocId, SegmentReader};

use crate::error::SearchError;
use crate::search::schema::Kind;
use crate::search::value::Value;

/// Values of a keyword, number, date or boolean field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::search) enum Values {
    /// Numbers of the column of a field that isn't keyword.
    Numbers(Wanted),
    KeywordRange(Bound<String>, Bound<String>),
    Keywords(BTreeSet<String>),
}

impl Values {
    /// Makes a range, which may be empty. `None` if the field is text, or a value is of another kind than the field.
    pub(in crate::search) fn range(
        kind: Kind,
        from: &Bound<Value>,
        to: &Bound<Value>,
    ) -> Option<Self> {
        if kind == Kind::Keyword {
            let text = |value: &Value| value.as_str().map(str::to_owned);
            return Some(Self::KeywordRange(mapped(from, text)?, mapped(to, text)?));
        }
        if matches!(kind, Kind::Text(_)) {
            return None;
        }
        let number = |value: &Value| number(kind, value);
        let range = range(mapped(from, number)?, mapped(to, number)?);
        Some(Self::Numbers(Wanted::Range(range)))
    }

    /// Makes a set of spans, each from its first to its last value. `None` if the field is text, or a value is of another kind than the field.
    /// Of keywords, only the first of each span counts.
    pub(in crate::search) fn set(kind: Kind, spans: &[(Value, Value)]) -> Option<Self> {
        if kind == Kind::Keyword {
            let texts = spans
                .iter()
                .map(|(value, _)| value.as_str().map(str::to_owned));
            return texts.collect::<Option<_>>().map(Self::Keywords);
        }
        if matches!(kind, Kind::Text(_)) {
            return None;
        }
        let numbers = spans
            .iter()
            .map(|(first, last)| Some((number(kind, first)?, number(kind, last)?)));
        let mut numbers: Vec<_> = numbers.collect::<Option<_>>()?;
        numbers.sort_unstable();
        let mut set: Vec<RangeInclusive<u64>> = Vec::new();
        for (first, last) in numbers {
            match set.last_mut() {
                Some(before) if first <= *before.end() => {
                    *before = *before.start()..=last.max(*before.end());
                }
                _ => set.push(first..=last),
            }
        }
        Some(Self::Numbers(Wanted::Set(set.into())))
    }
}

/// The numbers of a column that a leaf wants.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::search) enum Wanted {
    /// None if the first is above the last.
    Range(RangeInclusive<u64>),
    /// In order, and apart from each other.
    Set(Box<[RangeInclusive<u64>]>),
}

impl Wanted {
    fn contains(&self, number: u64) -> bool {
        match self {
            Self::Range(range) => range.contains(&number),
            Self::Set(set) => {
                let before = set.partition_point(|range| *range.end() < number);
                set.get(before).is_some_and(|range| range.contains(&number))
            }
        }
    }

    /// Whether a number from the least to the greatest may be wanted.
    fn reaches(&self, least: u64, greatest: u64) -> bool {
        match self {
            Self::Range(range) => *range.start() <= greatest && least <= *range.end(),
            Self::Set(set) => set
                .iter()
                .any(|range| *range.start() <= greatest && least <= *range.end()),
        }
    }
}

/// Returns the number of a value in the column of a field. `None` if the value is of another kind.
fn number(kind: Kind, value: &Value) -> Option<u64> {
    Some(match (kind, value) {
        (Kind::Integer, Value::Integer(integer)) => integer.to_u64(),
        (Kind::Date, Value::Date(date)) => date.nanoseconds().to_u64(),
        (Kind::Boolean, Value::Boolean(boolean)) => i64::from(*boolean).to_u64(),
        // Adding 0 makes -0 to 0.
        (Kind::Float, Value::Float(float)) if !float.is_nan() => (float + 0.0).to_u64(),
        _ => return None,
    })
}

fn mapped<T, U>(bound: &Bound<T>, map: impl FnOnce(&T) -> Option<U>) -> Option<Bound<U>> {
    Some(match bound {
        Bound::Unbounded => Bound::Unbounded,
        Bound::Included(value) => Bound::Included(map(value)?),
        Bound::Excluded(value) => Bound::Excluded(map(value)?),
    })
}

/// Returns the numbers between two bounds.
fn range(from: Bound<u64>, to: Bound<u64>) -> RangeInclusive<u64> {
    let from = match from {
        Bound::Unbounded => Some(0),
        Bound::Included(number) => Some(number),
        Bound::Excluded(number) => number.checked_add(1),
    };
    let to = match to {
        Bound::Unbounded => Some(u64::MAX),
        Bound::Included(number) => Some(number),
        Bound::Excluded(number) => number.checked_sub(1),
    };
    match (from, to) {
        (Some(from), Some(to)) if from <= to => from..=to,
        _ => NOTHING,
    }
}

#[expect(clippy::reversed_empty_ranges, reason = "it is meant to be empty")]
const NOTHING: RangeInclusive<u64> = 1..=0;

/// The documents with a wanted number in a column.
pub(in crate::search) struct ColumnMatcher {
    column: Column<u64>,
    wanted: Wanted,
    found: Vec<DocId>,
}

impl ColumnMatcher {
    /// Returns `None` if the segment has no wanted value.
    pub(super) fn open(
        reader: &SegmentReader,
        name: &str,
        wanted: &Wanted,
    ) -> Result<Option<Self>, SearchError> {
        let column = reader
            .fast_fields()
            .u64_lenient(name)
            .map_err(SearchError::index)?;
        Ok(column.and_then(|(column, _)| Self::new(column, wanted.clone())))
    }

    pub(super) fn of_keywords(
        reader: &SegmentReader,
        name: &str,
        from: &Bound<String>,
        to: &Bound<String>,
    ) -> Result<Option<Self>, SearchError> {
        let column = reader.fast_fields().str(name).map_err(SearchError::index)?;
        let Some(column) = column else {
            return Ok(None);
        };
        let (from, to) = column
            .dictionary()
            .term_bounds_to_ord(from.as_ref(), to.as_ref())
            .map_err(SearchError::index)?;
        let wanted = Wanted::Range(range(from, to));
        Ok(Self::new(column.ords().clone(), wanted))
    }

    fn new(column: Column<u64>, wanted: Wanted) -> Option<Self> {
        let may_match = wanted.reaches(column.min_value(), column.max_value());
        may_match.then_some(Self {
            column,
            wanted,
            found: Vec::new(),
        })
    }

    pub(super) fn size(&self) -> u32 {
        self.column.num_docs()
    }

    pub(super) fn contains(&self, document: DocId) -> bool {
        let mut numbers = self.column.values_for_doc(document);
        numbers.any(|number| self.wanted.contains(number))
    }

    pub(super) fn each_match(&mut self, from: DocId, end: DocId, mut found: impl FnMut(DocId)) {
        match &self.wanted {
            Wanted::Range(range) => {
                self.found.clear();
                self.column
                    .get_docids_for_value_range(range.clone(), from..end, &mut self.found);
                self.found.iter().copied().for_each(found);
            }
            Wanted::Set(_) => (from..end)
                .filter(|&document| self.contains(document))
                .for_each(&mut found),
        }
    }
}
