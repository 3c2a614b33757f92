//! The kinds of the values that a member has in different records, and the field that fits most of them.

use icu_properties::props::Script;
use icu_properties::script::ScriptWithExtensions;
use serde_json::Value;
use tickring::search::{Date, Field};

use super::item::Place;

/// The maximum length of a keyword in bytes.
const KEYWORD_BYTES: usize = 100;

/// The names that are text whenever their values are strings.
const ALWAYS_TEXT: [&str; 3] = ["title", "body", "text"];

/// The kind of a field that values fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guess {
    Boolean,
    Integer,
    Float,
    Date,
    Keyword,
    Text,
    /// An object, or an array in an array.
    Nested,
    /// An array of values of several forms.
    Several,
}

impl Guess {
    /// Returns what fits a member's value, unless it is null.
    fn of(value: &Value) -> Option<Self> {
        let values = match value {
            Value::Array(values) => values,
            value => std::slice::from_ref(value),
        };
        let guesses = values.iter().filter_map(Self::of_one);
        guesses.reduce(|one, other| match one.form() == other.form() {
            true => one.and(other),
            false => Self::Several,
        })
    }

    fn of_one(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Null => return None,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_i64() => Self::Integer,
            Value::Number(_) => Self::Float,
            Value::String(text) if text.parse::<Date>().is_ok() => Self::Date,
            Value::String(text) if is_keyword(text) => Self::Keyword,
            Value::String(_) => Self::Text,
            Value::Array(_) | Value::Object(_) => Self::Nested,
        })
    }

    /// Returns what fits both, which have the same form.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Integer | Self::Float, _) => Self::Float,
            (Self::Date | Self::Keyword, Self::Date | Self::Keyword) => Self::Keyword,
            _ => Self::Text,
        }
    }

    /// Returns the form of the values in JSON. Guesses of different forms have nothing in common.
    const fn form(self) -> &'static str {
        match self {
            Self::Boolean => "a boolean",
            Self::Integer | Self::Float => "a number",
            Self::Date | Self::Keyword | Self::Text => "a string",
            Self::Nested => "an object",
            Self::Several => "an array of several kinds",
        }
    }

    fn field(self, name: &str) -> Option<Field> {
        Some(match self {
            Self::Boolean => Field::boolean(name),
            Self::Integer => Field::integer(name),
            Self::Float => Field::float(name),
            Self::Date | Self::Keyword | Self::Text if ALWAYS_TEXT.contains(&name) => {
                Field::text(name)
            }
            Self::Date => Field::date(name),
            Self::Keyword => Field::keyword(name),
            Self::Text => Field::text(name),
            Self::Nested | Self::Several => return None,
        })
    }
}

fn is_keyword(text: &str) -> bool {
    text.len() <= KEYWORD_BYTES && !text.contains(|c: char| c.is_whitespace() || is_unspaced(c))
}

/// Returns whether it is a letter of a script that writes words without spaces between them. These are the scripts of which the analyzers take
/// two letters at a time as words.
fn is_unspaced(letter: char) -> bool {
    const UNSPACED: [Script; 8] = [
        Script::Han,
        Script::Hiragana,
        Script::Katakana,
        Script::Hangul,
        Script::Thai,
        Script::Lao,
        Script::Khmer,
        Script::Myanmar,
    ];
    let scripts = ScriptWithExtensions::new();
    let has = |&script: &_| scripts.has_script(letter, script);
    letter.is_alphabetic() && !letter.is_ascii() && UNSPACED.iter().any(has)
}

/// The records in which a member's values have one form.
struct Seen {
    guess: Guess,
    records: usize,
    /// The first of them.
    places: Vec<String>,
}

/// What a member's values are in all records, each form with its records, in the order in which the forms came.
#[derive(Default)]
pub(super) struct Kinds(Vec<Seen>);

impl Kinds {
    /// Adds a record's value. Null counts as nothing.
    pub(super) fn add(&mut self, value: &Value, place: &Place) {
        /// The number of places that are named.
        const PLACES: usize = 3;
        let Some(guess) = Guess::of(value) else {
            return;
        };
        let mut all = self.0.iter_mut();
        match all.find(|seen| seen.guess.form() == guess.form()) {
            Some(seen) => {
                seen.guess = seen.guess.and(guess);
                seen.records += 1;
                if seen.places.len() < PLACES {
                    seen.places.push(place.to_string());
                }
            }
            None => self.0.push(Seen {
                guess,
                records: 1,
                places: vec![place.to_string()],
            }),
        }
    }

    /// Returns the field of this name that fits more than half of the records, or the reason why there is none.
    pub(super) fn field(&self, name: &str) -> Result<Field, String> {
        if self.0.is_empty() {
            return Err("its values are all null".to_owned());
        }
        let Some(most) = self.most(name) else {
            return Err(format!("it is {}", self.described()));
        };
        most.guess.field(name).ok_or_else(|| match most.guess {
            Guess::Nested => "its values are objects".to_owned(),
            _ => "its values are of several kinds".to_owned(),
        })
    }

    /// Returns what to say about the records that the field doesn't fit, if there are any.
    pub(super) fn misfits(&self, name: &str) -> Option<String> {
        let form = self.most(name)?.guess.form();
        let kinds = self.described();
        let said =
            || format!("the member {name:?} is {kinds}: records where it isn't {form} are skipped");
        (self.0.len() > 1).then(said)
    }

    /// Returns whether its values differ in form.
    pub(super) fn is_mixed(&self) -> bool {
        self.0.len() > 1
    }

    /// Returns the form that more than half of the records have. Without one, a member that is always text counts as strings.
    fn most(&self, name: &str) -> Option<&Seen> {
        let all: usize = self.0.iter().map(|seen| seen.records).sum();
        let is_text =
            |seen: &&Seen| ALWAYS_TEXT.contains(&name) && seen.guess.form() == Guess::Text.form();
        let most = self.0.iter().find(|seen| 2 * seen.records > all);
        most.or_else(|| self.0.iter().find(is_text))
    }

    /// Returns all forms with their records, the most frequent first.
    fn described(&self) -> String {
        let mut seen: Vec<_> = self.0.iter().collect();
        seen.sort_by_key(|seen| std::cmp::Reverse(seen.records));
        let described = seen.iter().enumerate().map(|(at, seen)| {
            let (form, count) = (seen.guess.form(), seen.records);
            let records = match (at, count) {
                (0, 1) => " record",
                (0, _) => " records",
                _ => "",
            };
            let more = if count > seen.places.len() {
                ", …"
            } else {
                ""
            };
            format!(
                "{form} in {count}{records} ({}{more})",
                seen.places.join(", ")
            )
        });
        described.collect::<Vec<_>>().join(" and ")
    }
}
