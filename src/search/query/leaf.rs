//! The compilation of a leaf: its text is analysed, and its bounds are checked.

mod values;

use tantivy::query_grammar::Occur;

use super::Query;
use super::ast::{Item, Raw, Sign, Unary};
use super::compile::{Compiler, Context};
use super::faults::{Bound, Fault};
use super::plan::LeafKind;
use super::scan::{Shape, unescape};
use super::terms::{Terms, Trouble};
use super::tree::{Members, PartId};
use crate::error::{Excerpt, QueryError};
use crate::search::constant::Constant;
use crate::search::schema::{FieldId, Kind};

type Compiled<T = Option<PartId>> = Result<T, QueryError>;

/// A word or phrase as it is written, without escapes.
#[derive(Clone, Copy)]
struct Written<'t> {
    text: &'t str,
    place: usize,
    /// Whether it is ignored if it has no token.
    may_be_empty: bool,
    /// Whether words that begin with it match as well.
    goes_on: bool,
}

impl<'a> Compiler<'a, '_> {
    pub(super) fn leaf(&mut self, item: &Item<'a>, context: Context) -> Compiled {
        let kind = context
            .field
            .map(|field| (field, self.parser.schema.kind(field)));
        match (&item.unary, kind) {
            // Its field isn't there.
            (Unary::Everything, None) if item.field.is_some() => Ok(None),
            (Unary::Everything, None) => self.tree(vec![LeafKind::Everything], item.place, context),
            (Unary::Everything, Some((field, _))) => {
                self.constant(Constant::Exists(field), item.place, context)
            }
            (Unary::Range(from, to), Some((field, kind))) => {
                self.range((field, kind), from, to, item.place, context)
            }
            (Unary::Set(values), Some((field, kind))) => {
                self.set((field, kind), values, item.place, context)
            }
            (Unary::Word(raw), _) => self.word(*raw, item, context),
            (Unary::Literal(raw), _) => {
                let written = Written {
                    text: raw.text,
                    place: raw.place,
                    may_be_empty: true,
                    goes_on: self.goes_on(*raw, item),
                };
                self.words(written, 0, context)
            }
            (
                Unary::Phrase {
                    text,
                    slop,
                    is_prefix,
                },
                _,
            ) => {
                let slop = self.slop(*slop)?;
                self.phrase(*text, slop, *is_prefix, context)
            }
            // The parser reads them after a field only, and groups aren't leaves.
            (Unary::Range(..) | Unary::Set(_) | Unary::Group(_), _) => Ok(None),
        }
    }

    /// Compiles a word, or what is written as one. Directly after a field it can contain a colon, but not a second field.
    fn word(&mut self, raw: Raw<'a>, item: &Item<'a>, context: Context) -> Compiled {
        let name = raw.text.split(':').next().unwrap_or("");
        let is_name = name.len() < raw.text.len() && self.parser.schema.field(name).is_some();
        if item.field.is_some() && is_name {
            self.faults.syntax(Fault::NESTED_FIELD, raw.place)?;
        }
        let place = raw.place;
        let least = self.least();
        let is_text = |field| matches!(self.parser.schema.kind(field), Kind::Text(_));
        if item.field.is_some()
            && raw.text.starts_with(['+', '-'])
            && context.field.is_some_and(is_text)
        {
            self.faults.syntax(Fault::SIGN_IN_FIELD, place)?;
        }
        match Shape::of(raw.text) {
            Shape::Plain => {
                let written = Written {
                    text: &unescape(raw.text),
                    place,
                    may_be_empty: false,
                    goes_on: self.goes_on(raw, item),
                };
                self.words(written, 0, context)
            }
            _ if self.is_value(context) => self.value(raw.text, place, context),
            Shape::Prefix(begin) => {
                let text = unescape(begin);
                self.pattern("a prefix", raw, context, |terms| terms.prefix(&text, least))
            }
            Shape::Wildcard => self.pattern("a wildcard", raw, context, |terms| {
                terms.wildcard(raw.text, least)
            }),
            Shape::Fuzzy(word, distance) => {
                let word = unescape(word);
                self.pattern("a fuzzy word", raw, context, |terms| {
                    terms.fuzzy(&word, distance)
                })
            }
        }
    }

    /// Whether somebody may still be typing this word.
    fn goes_on(&self, raw: Raw<'a>, item: &Item<'a>) -> bool {
        self.parser.last_word_goes_on
            && item.sign != Sign::Excluded
            && self.faults.is_end(raw.place + raw.text.len())
            && raw.text.ends_with(char::is_alphanumeric)
    }

    fn least(&self) -> usize {
        if self.parser.leading_wildcards {
            0
        } else {
            Bound::BEFORE_WILDCARD.min
        }
    }

    fn phrase(&mut self, raw: Raw<'a>, slop: u32, is_prefix: bool, context: Context) -> Compiled {
        let text = unescape(raw.text);
        if !is_prefix {
            let written = Written {
                text: &text,
                place: raw.place,
                may_be_empty: false,
                goes_on: false,
            };
            return self.words(written, slop, context);
        }
        let least = self.least();
        self.pattern("a prefix", raw, context, |terms| {
            // A separator at the end says nothing about the word before it.
            let end = match terms.text {
                Some(_) => text.trim_end_matches(|letter: char| !letter.is_alphanumeric()),
                None => &text,
            };
            terms.prefix(end, least)
        })
    }

    fn slop(&mut self, slop: Option<Raw<'a>>) -> Compiled<u32> {
        let Some(raw) = slop else {
            return Ok(0);
        };
        let slop = raw.text.parse().unwrap_or(u32::MAX);
        if Bound::SLOP.allows(slop as usize) {
            return Ok(slop);
        }
        self.faults
            .bound(Bound::SLOP.of(slop as usize), raw.place)?;
        Ok(0)
    }

    /// Returns the fields in which a word is searched for: its own, or those of the parser.
    fn fields(&self, context: Context) -> Vec<FieldId> {
        let schema = &self.parser.schema;
        match context.field {
            Some(field) => vec![field],
            None => {
                let fields = self.parser.fields.iter();
                fields.map(|&field| schema.field_of(field)).collect()
            }
        }
    }

    /// Compiles a word or phrase: a leaf in its field, or one in each text field.
    fn words(&mut self, written: Written<'_>, slop: u32, context: Context) -> Compiled {
        let Written { text, place, .. } = written;
        let (mut leaves, mut is_constant) = (Vec::new(), false);
        for field in self.fields(context) {
            let Kind::Text(text_field) = self.parser.schema.kind(field) else {
                if slop > 0 {
                    return self.wrong_field("a phrase with slop", field, place, &|kind| {
                        matches!(kind, Kind::Text(_))
                    });
                }
                return self.value(text, place, context);
            };
            let terms = Terms {
                schema: &self.parser.schema,
                field,
                text: Some(text_field),
            };
            let leaf = terms.words(text, slop);
            is_constant |= matches!(leaf, Some(LeafKind::Constant(_)));
            leaves.extend(leaf);
            if written.goes_on
                && self.patterns < Query::MAX_PATTERNS
                && let Ok(Some(prefix)) = terms.prefix(text, Bound::BEFORE_WILDCARD.min)
            {
                is_constant = true;
                leaves.push(prefix);
            }
        }
        if leaves.is_empty() && !written.may_be_empty {
            self.no_token(text, place)?;
        }
        if is_constant && !self.count(place)? {
            return Ok(None);
        }
        self.tree(leaves, place, context)
    }

    fn no_token(&mut self, text: &str, place: usize) -> Compiled<()> {
        self.faults.refuse(QueryError::NoToken {
            word: Excerpt::new(text),
            place: self.faults.place(place),
        })
    }

    /// Compiles a pattern: a leaf in its field, or one in each text field.
    fn pattern(
        &mut self,
        what: &'static str,
        raw: Raw<'a>,
        context: Context,
        make: impl Fn(Terms<'_>) -> Result<Option<LeafKind>, Trouble>,
    ) -> Compiled {
        let mut leaves = Vec::new();
        for field in self.fields(context) {
            let text = match self.parser.schema.kind(field) {
                Kind::Text(text) => Some(text),
                Kind::Keyword => None,
                _ => {
                    return self.wrong_field(what, field, raw.place, &|kind| {
                        matches!(kind, Kind::Text(_) | Kind::Keyword)
                    });
                }
            };
            let terms = Terms {
                schema: &self.parser.schema,
                field,
                text,
            };
            match make(terms) {
                Ok(leaf) => leaves.extend(leaf),
                Err(Trouble::Bound(bound)) => {
                    return self.faults.bound(bound, raw.place).map(|()| None);
                }
                Err(Trouble::Syntax(fault)) => {
                    return self.faults.syntax(fault, raw.place).map(|()| None);
                }
            }
        }
        if leaves.is_empty() {
            self.no_token(raw.text, raw.place)?;
        }
        if !self.count(raw.place)? {
            return Ok(None);
        }
        self.tree(leaves, raw.place, context)
    }

    /// Counts a part with a constant score. Returns false if there are too many.
    fn count(&mut self, place: usize) -> Compiled<bool> {
        if self.patterns == Query::MAX_PATTERNS {
            self.faults.refuse(QueryError::TooManyPatterns {
                max: Query::MAX_PATTERNS,
                place: self.faults.place(place),
            })?;
            return Ok(false);
        }
        self.patterns += 1;
        Ok(true)
    }

    fn wrong_field(
        &mut self,
        what: &'static str,
        field: FieldId,
        place: usize,
        fits: &dyn Fn(Kind) -> bool,
    ) -> Compiled {
        let schema = &self.parser.schema;
        let fields = (0..schema.fields().len()).map(FieldId::new);
        let fitting: Vec<_> = fields
            .filter(|&field| fits(schema.kind(field)))
            .map(|field| schema.definition(field).name())
            .collect();
        self.faults.refuse(QueryError::WrongField {
            what,
            field: Excerpt::new(schema.definition(field).name()),
            kind: schema.kind(field).expected(),
            fields: if fitting.is_empty() {
                "no field of the schema allows it".to_owned()
            } else {
                format!("the fields for it are {}", fitting.join(", "))
            },
            place: self.faults.place(place),
        })?;
        Ok(None)
    }

    /// Returns the tree that matches if one of these leaves does.
    fn tree(&mut self, leaves: Vec<LeafKind>, place: usize, context: Context) -> Compiled {
        if self.leaves + leaves.len() > Query::MAX_LEAVES {
            self.faults.refuse(QueryError::TooManyLeaves {
                max: Query::MAX_LEAVES,
                place: self.faults.place(place),
            })?;
            return Ok(None);
        }
        self.leaves += leaves.len();
        let schema = &self.parser.schema;
        let mut members = Members::default();
        for leaf in leaves {
            let text = match &leaf {
                LeafKind::Term(field, _) | LeafKind::Phrase(field, _) => Some(*field),
                LeafKind::Constant(constant) => constant.text_field(schema),
                LeafKind::Everything => None,
            };
            let boost = text.map_or(1.0, |field| schema.boost(field));
            let leaf = self.forest.leaf(leaf, context.boost * boost);
            self.add(&mut members, Occur::Should, Some(leaf));
        }
        Ok(self.clause(members, context.boost))
    }
}
