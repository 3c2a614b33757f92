//! The compilation of leaves over values: single ones, sets and ranges.

use std::ops::Bound as RangeBound;

use super::Compiled;
use crate::error::{Excerpt, QueryError};
use crate::search::constant::{Constant, Values};
use crate::search::period::Period;
use crate::search::query::ast::{Bound as RawBound, Value as RawValue};
use crate::search::query::compile::{Compiler, Context};
use crate::search::query::faults::Bound;
use crate::search::query::plan::LeafKind;
use crate::search::query::scan::unescape;
use crate::search::schema::{FieldId, Kind};
use crate::search::value::Value;

/// Which bound of a range.
#[derive(Clone, Copy)]
enum Side {
    Lower,
    Upper,
}

fn alone(value: Value) -> (Value, Value) {
    (value.clone(), value)
}

impl<'a> Compiler<'a, '_> {
    /// Whether the field has values that aren't text.
    pub(super) fn is_value(&self, context: Context) -> bool {
        context.field.is_some_and(|field| {
            !matches!(
                self.parser.schema.kind(field),
                Kind::Text(_) | Kind::Keyword
            )
        })
    }

    /// Compiles one value of a field that isn't text.
    pub(super) fn value(&mut self, text: &str, place: usize, context: Context) -> Compiled {
        let Some(field) = context.field else {
            return Ok(None);
        };
        let kind = self.parser.schema.kind(field);
        let Some(span) = self.read((field, kind), text, place)? else {
            return Ok(None);
        };
        let leaf = Values::set(kind, &[span]).map(|set| Constant::Values(field, set));
        self.tree(
            leaf.map(LeafKind::Constant).into_iter().collect(),
            place,
            context,
        )
    }

    pub(super) fn constant(
        &mut self,
        constant: Constant,
        place: usize,
        context: Context,
    ) -> Compiled {
        if !self.count(place)? {
            return Ok(None);
        }
        self.tree(vec![LeafKind::Constant(constant)], place, context)
    }

    pub(super) fn set(
        &mut self,
        (field, kind): (FieldId, Kind),
        values: &[RawValue<'a>],
        place: usize,
        context: Context,
    ) -> Compiled {
        if matches!(kind, Kind::Text(_)) {
            return self.wrong_field("a set", field, place, &|kind| {
                !matches!(kind, Kind::Text(_))
            });
        }
        if !Bound::SET.allows(values.len()) {
            self.faults.bound(Bound::SET.of(values.len()), place)?;
            return Ok(None);
        }
        let mut read = Vec::new();
        for value in values {
            read.extend(self.read((field, kind), &unescape(value.raw.text), value.raw.place)?);
        }
        match Values::set(kind, &read) {
            Some(set) if !read.is_empty() => {
                self.constant(Constant::Values(field, set), place, context)
            }
            _ => Ok(None),
        }
    }

    pub(super) fn range(
        &mut self,
        (field, kind): (FieldId, Kind),
        from: &RawBound<'a>,
        to: &RawBound<'a>,
        place: usize,
        context: Context,
    ) -> Compiled {
        if matches!(kind, Kind::Text(_)) {
            return self.wrong_field("a range", field, place, &|kind| {
                !matches!(kind, Kind::Text(_))
            });
        }
        let (Some(from), Some(to)) = (
            self.bound((field, kind), from, Side::Lower)?,
            self.bound((field, kind), to, Side::Upper)?,
        ) else {
            return Ok(None);
        };
        match Values::range(kind, &from, &to) {
            Some(range) => self.constant(Constant::Values(field, range), place, context),
            None => Ok(None),
        }
    }

    /// Reads a bound of a range. A day, month or year is included or excluded as a whole.
    fn bound(
        &mut self,
        field: (FieldId, Kind),
        bound: &RawBound<'a>,
        side: Side,
    ) -> Compiled<Option<RangeBound<Value>>> {
        let mut read =
            |value: &RawValue<'a>| self.read(field, &unescape(value.raw.text), value.raw.place);
        Ok(match (bound, side) {
            (RawBound::Open, _) => Some(RangeBound::Unbounded),
            (RawBound::Included(value), Side::Lower) => {
                read(value)?.map(|(first, _)| RangeBound::Included(first))
            }
            (RawBound::Included(value), Side::Upper) => {
                read(value)?.map(|(_, last)| RangeBound::Included(last))
            }
            (RawBound::Excluded(value), Side::Lower) => {
                read(value)?.map(|(_, last)| RangeBound::Excluded(last))
            }
            (RawBound::Excluded(value), Side::Upper) => {
                read(value)?.map(|(first, _)| RangeBound::Excluded(first))
            }
        })
    }

    /// Reads what is written as a value of a field's kind. Returns the first and the last value that are meant, which differ for a day, month
    /// or year.
    fn read(
        &mut self,
        (field, kind): (FieldId, Kind),
        text: &str,
        place: usize,
    ) -> Compiled<Option<(Value, Value)>> {
        let span = match kind {
            Kind::Text(_) | Kind::Keyword => Some(alone(Value::from(text))),
            Kind::Integer => text.parse().ok().map(Value::Integer).map(alone),
            // Adding 0 makes -0 to 0.
            Kind::Float => {
                let number = text.parse::<f64>().ok();
                let number = number.filter(|number| number.is_finite());
                number.map(|number| alone(Value::Float(number + 0.0)))
            }
            Kind::Date => Period::read(text)
                .map(|period| (Value::Date(period.first), Value::Date(period.last))),
            Kind::Boolean => text.parse().ok().map(Value::Boolean).map(alone),
        };
        if span.is_none() {
            let name = self.parser.schema.definition(field).name();
            self.faults.refuse(QueryError::WrongType {
                field: Excerpt::new(name),
                expected: kind.expected(),
                value: Excerpt::new(text),
                place: self.faults.place(place),
            })?;
        }
        Ok(span)
    }
}
