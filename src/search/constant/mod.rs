//! Leaves with constant scores: patterns of words, phrases whose words may stand apart, values of fields, and the existence of a field.
//!
//! Such a leaf adds its boost if the document matches, however many terms or values do. So the score depends on no statistics, and the answer
//! on no dictionary. A search [prepares](Prepared) each leaf once, and opens a [`Matcher`] for each segment.
//!
//! Patterns, and sets of keywords, mark their matches when they are opened, with one bit for each document of the segment: 16 leaves in a
//! segment of a million documents take 2 MB. Ranges and other sets read the field's column in the windows that the search comes to.

mod marked;
mod near;
mod pattern;
#[cfg(test)]
mod tests;
mod values;
mod wildcard;

use std::ops::Bound;

use tantivy::schema::Field as IndexField;
use tantivy::{DocId, TERMINATED, Term};

use self::marked::Marked;
use self::near::NearMatcher;
pub(super) use self::pattern::Automatic;
pub(super) use self::values::Values;
use self::values::{ColumnMatcher, Wanted};
pub(super) use self::wildcard::Wildcard;
use super::deadline::{Deadline, Watch};
use super::schema::{FieldId, Kind, Schema, TextField, tokens_name};
use super::segment::SegmentView;
use crate::error::SearchError;

/// A leaf with a constant score.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Constant {
    /// A pattern of terms of a text or keyword field.
    Pattern(FieldId, Pattern),
    Near(TextField, Near),
    /// Values of a keyword, number, date or boolean field. A document matches if one of its values does.
    Values(FieldId, Values),
    /// The field has a value. A text field has one if it has a token.
    Exists(FieldId),
}

/// A pattern of terms. It is folded like the field's text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Pattern {
    Prefix(String),
    Wildcard(Wildcard),
    /// Terms at this distance or less, which begin with the same code point. The distance is the least number of steps, each of which inserts,
    /// removes or replaces a code point, or exchanges two neighbours. No step changes what another one has changed.
    Fuzzy {
        word: String,
        /// At most [`Pattern::MAX_DISTANCE`].
        distance: u8,
    },
}

/// A phrase with slop, or one that ends with the beginning of a word.
///
/// A document matches if it has the elements at positions that are all different, and the positions less the elements' offsets differ by at
/// most the slop.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Near {
    /// The terms with their offsets, which ascend.
    pub(super) terms: Vec<(usize, Term)>,
    /// Any term that begins with this text, after all others.
    pub(super) prefix: Option<(usize, String)>,
    pub(super) slop: u32,
}

impl Near {
    /// The greatest slop. The texts of a field are further apart than that.
    ///
    /// A phrase that has elements in two texts has two neighbouring elements in them. Their offsets differ by at most 1, or by 2 if the first one is
    /// a pair without the character after it. Then that one isn't the last of its text. So the places where the phrase would begin differ by more
    /// than this.
    pub(super) const MAX_SLOP: u32 = 64;
}

/// A leaf as a search needs it.
pub(super) enum Prepared {
    Pattern(IndexField, Automatic),
    Near(IndexField, Near),
    Keywords(IndexField, Vec<Term>),
    KeywordRange(String, Bound<String>, Bound<String>),
    /// Values of the column with this name.
    Column(String, Wanted),
}

impl Constant {
    /// Returns the text field that the leaf is about, if it is one.
    pub(super) fn text_field(&self, schema: &Schema) -> Option<TextField> {
        match self {
            Self::Near(field, _) => Some(*field),
            Self::Pattern(field, _) | Self::Values(field, _) | Self::Exists(field) => {
                match schema.kind(*field) {
                    Kind::Text(field) => Some(field),
                    _ => None,
                }
            }
        }
    }

    pub(super) fn prepare(&self, schema: &Schema) -> Prepared {
        let name = |field| schema.definition(field).name().to_owned();
        match self {
            Self::Pattern(field, pattern) => {
                Prepared::Pattern(field.number(), Automatic::new(pattern))
            }
            Self::Near(field, near) => {
                Prepared::Near(schema.field_of(*field).number(), near.clone())
            }
            Self::Exists(field) => match schema.kind(*field) {
                Kind::Text(text) => {
                    Prepared::Column(tokens_name(text), Wanted::Range(1..=u64::MAX))
                }
                _ => Prepared::Column(name(*field), Wanted::Range(0..=u64::MAX)),
            },
            Self::Values(field, Values::Numbers(wanted)) => {
                Prepared::Column(name(*field), wanted.clone())
            }
            Self::Values(field, Values::KeywordRange(from, to)) => {
                Prepared::KeywordRange(name(*field), from.clone(), to.clone())
            }
            Self::Values(field, Values::Keywords(set)) => {
                let term = |text: &String| Term::from_field_text(field.number(), text);
                Prepared::Keywords(field.number(), set.iter().map(term).collect())
            }
        }
    }
}

impl Prepared {
    pub(super) fn open(
        &self,
        segment: &SegmentView,
        deadline: Deadline,
    ) -> Result<Matcher, SearchError> {
        let reader = segment.reader();
        let watch = Watch::new(deadline);
        let index = |field: IndexField| reader.inverted_index(field).map_err(SearchError::index);
        Ok(match self {
            Self::Pattern(field, automatic) => {
                let index = index(*field)?;
                let mut marked = Marked::new(reader.max_doc());
                automatic.each(index.terms(), &watch, |info| {
                    marked.mark(&index, info, &watch)
                })?;
                marked.into()
            }
            Self::Keywords(field, terms) => {
                let index = index(*field)?;
                let mut marked = Marked::new(reader.max_doc());
                for term in terms {
                    watch.check()?;
                    if let Some(info) = index.get_term_info(term).map_err(SearchError::index)? {
                        marked.mark(&index, &info, &watch)?;
                    }
                }
                marked.into()
            }
            Self::Near(field, near) => {
                let index = index(*field)?;
                match NearMatcher::open(near, &index, reader.max_doc(), watch)? {
                    Some(near) => Matcher::Near(Box::new(near)),
                    None => Matcher::Nothing,
                }
            }
            Self::KeywordRange(name, from, to) => {
                column_or_nothing(ColumnMatcher::of_keywords(reader, name, from, to)?)
            }
            Self::Column(name, wanted) => {
                column_or_nothing(ColumnMatcher::open(reader, name, wanted)?)
            }
        })
    }
}

fn column_or_nothing(column: Option<ColumnMatcher>) -> Matcher {
    column.map_or(Matcher::Nothing, Matcher::Column)
}

/// A leaf's matches in a segment, deleted documents included. They can only be read forwards.
///
/// A matcher may give up when the deadline has passed. So its reader checks the deadline afterwards.
pub(super) enum Matcher {
    Nothing,
    Marked(Marked),
    Near(Box<NearMatcher>),
    Column(ColumnMatcher),
}

impl From<Marked> for Matcher {
    fn from(marked: Marked) -> Self {
        match marked.count() {
            0 => Self::Nothing,
            _ => Self::Marked(marked),
        }
    }
}

impl Matcher {
    /// Returns an estimate of the number of matches.
    pub(super) fn size(&self) -> u32 {
        match self {
            Self::Nothing => 0,
            Self::Marked(marked) => marked.count(),
            Self::Near(near) => near.size(),
            Self::Column(column) => column.size(),
        }
    }

    /// Returns a document at or after `from`, such that no document from `from` up to it matches.
    pub(super) fn next_match(&self, from: DocId) -> DocId {
        match self {
            Self::Nothing => TERMINATED,
            Self::Marked(marked) => marked.next(from),
            Self::Near(near) => near.next_match(from),
            Self::Column(_) => from,
        }
    }

    /// Calls `found` with each `wanted` match from `from` up to `end`, by ascending documents.
    pub(super) fn each_match(
        &mut self,
        from: DocId,
        end: DocId,
        wanted: impl Fn(DocId) -> bool,
        mut found: impl FnMut(DocId),
    ) {
        let mut check = |document| {
            if wanted(document) {
                found(document);
            }
        };
        match self {
            Self::Nothing => {}
            Self::Marked(marked) => marked.each(from, end, check),
            Self::Near(near) => near.each_match(from, end, wanted, found),
            Self::Column(column) => column.each_match(from, end, &mut check),
        }
    }

    /// Returns whether a document matches. Must be called with ascending documents.
    pub(super) fn contains(&mut self, document: DocId) -> bool {
        match self {
            Self::Nothing => false,
            Self::Marked(marked) => marked.contains(document),
            Self::Near(near) => near.contains(document),
            Self::Column(column) => column.contains(document),
        }
    }
}
