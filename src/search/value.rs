//! Values of documents' fields.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use tantivy::time::OffsetDateTime;
use tantivy::time::format_description::well_known::Rfc3339;

use super::period::day;
use super::schema::{Kind, Schema};
use crate::error::{DateError, DocumentError, Excerpt};

/// A value of a document's field.
///
/// ```
/// use tickring::search::Value;
///
/// assert_eq!(Value::from("sea").to_string(), "sea");
/// assert_eq!(Value::from(1851), Value::Integer(1851));
/// assert_eq!(Value::from(1851).as_integer(), Some(1851));
/// assert_eq!(Value::from(1851).as_str(), None);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A text or a keyword.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A finite number.
    Float(f64),
    /// A point in time.
    Date(Date),
    /// `true` or `false`.
    Boolean(bool),
}

/// Whole numbers up to this magnitude have an exact floating-point form.
const EXACT: u64 = 1 << 53;

impl Value {
    /// Returns the text or keyword, or `None` if the value is something else.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the whole number, or `None` if the value is something else.
    pub const fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the number of a field of floats, or `None` if the value is something else.
    pub const fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the date, or `None` if the value is something else.
    pub const fn as_date(&self) -> Option<Date> {
        match self {
            Self::Date(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the boolean, or `None` if the value is something else.
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    /// Checks that the value fits a field of this kind, and converts it where that loses nothing.
    pub(super) fn fitted(self, kind: Kind, field: &str) -> Result<Self, DocumentError> {
        match (kind, self) {
            (Kind::Float, Self::Float(value)) if !value.is_finite() => {
                Err(DocumentError::NotFinite {
                    field: Excerpt::new(field),
                    value: value.to_string(),
                })
            }
            // Adding 0 makes -0 to 0.
            (Kind::Float, Self::Float(value)) => Ok(Self::Float(value + 0.0)),
            #[expect(clippy::cast_precision_loss, reason = "up to 2^53 nothing is lost")]
            (Kind::Float, Self::Integer(value)) if value.unsigned_abs() <= EXACT => {
                Ok(Self::Float(value as f64))
            }
            (Kind::Keyword, Self::Text(value)) if value.len() > Schema::MAX_KEYWORD_BYTES => {
                Err(DocumentError::LongKeyword {
                    field: Excerpt::new(field),
                    bytes: value.len(),
                    max: Schema::MAX_KEYWORD_BYTES,
                    value: Excerpt::new(&value),
                })
            }
            (Kind::Date, Self::Text(text)) => match text.parse() {
                Ok(date) => Ok(Self::Date(date)),
                Err(_) => Err(wrong_type(kind, &Self::Text(text), field)),
            },
            (Kind::Text(_) | Kind::Keyword, value @ Self::Text(_))
            | (Kind::Integer, value @ Self::Integer(_))
            | (Kind::Date, value @ Self::Date(_))
            | (Kind::Boolean, value @ Self::Boolean(_)) => Ok(value),
            (_, value) => Err(wrong_type(kind, &value, field)),
        }
    }
}

fn wrong_type(kind: Kind, value: &Value, field: &str) -> DocumentError {
    DocumentError::WrongType {
        field: Excerpt::new(field),
        expected: kind.expected(),
        value: Excerpt::new(&value.to_string()),
    }
}

/// Shows the value alone: a text as it is, a date as in RFC 3339.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(value) => f.write_str(value),
            Self::Integer(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Date(value) => value.fmt(f),
            Self::Boolean(value) => value.fmt(f),
        }
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<Date> for Value {
    fn from(value: Date) -> Self {
        Self::Date(value)
    }
}

/// A point in time, in nanoseconds since 1970-01-01 UTC. It reaches from the year 1677 to 2262.
///
/// It is read from a date (`2026-11-27`, midnight UTC) or a time as in RFC 3339, and shown as a time in UTC.
///
/// ```
/// use tickring::search::Date;
///
/// let noon: Date = "2026-11-27T12:00:00+01:00".parse()?;
/// assert_eq!(noon.to_string(), "2026-11-27T11:00:00Z");
/// assert!("2026-11-27".parse::<Date>()? < noon);
/// assert!("27.11.2026".parse::<Date>().is_err());
/// # Ok::<(), tickring::error::DateError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date(i64);

impl Date {
    /// Makes a date from nanoseconds since 1970-01-01 UTC.
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self(nanoseconds)
    }

    /// Returns the nanoseconds since 1970-01-01 UTC.
    pub const fn nanoseconds(self) -> i64 {
        self.0
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let error = || DateError(Excerpt::new(text));
        let time = OffsetDateTime::parse(text, &Rfc3339);
        let nanoseconds = match time {
            Ok(time) => time.unix_timestamp_nanos(),
            Err(_) => day(text)
                .ok_or_else(error)?
                .midnight()
                .assume_utc()
                .unix_timestamp_nanos(),
        };
        i64::try_from(nanoseconds).map(Self).map_err(|_| error())
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time =
            OffsetDateTime::from_unix_timestamp_nanos(self.0.into()).map_err(|_| fmt::Error)?;
        f.write_str(&time.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

/// The time, or the nearest one that a [`Date`] can have.
impl From<SystemTime> for Date {
    fn from(time: SystemTime) -> Self {
        let nanoseconds = |span: Duration| i64::try_from(span.as_nanos());
        Self(match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => nanoseconds(since).unwrap_or(i64::MAX),
            Err(before) => nanoseconds(before.duration()).map_or(i64::MIN, |span| -span),
        })
    }
}
