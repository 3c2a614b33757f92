//! A record: a line of JSON with the id, the text and maybe the title of a document.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Number, Value};

use super::document::Document;

/// The largest whole number below which every whole number is an `f64`.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// The names of the fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) id: &'a str,
    pub(super) text: &'a str,
    /// If it is given, the records that have it must have a string there.
    pub(super) title: Option<&'a str>,
}

/// The fields of a JSON object. Reading one with a field twice fails.
struct Object(HashMap<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut fields = HashMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    match fields.entry(name) {
                        Entry::Vacant(entry) => entry.insert(value),
                        Entry::Occupied(entry) => {
                            let name = entry.key();
                            return Err(A::Error::custom(format_args!(
                                "the field {name:?} is there twice"
                            )));
                        }
                    };
                }
                Ok(Object(fields))
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// Reads a record, or returns the reason why it isn't one.
pub(super) fn record(names: Fields<'_>, line: &str) -> Result<Document, String> {
    let Object(mut fields) = serde_json::from_str(line).map_err(|error| explained(line, &error))?;
    let missing = |name: &str| format!("the field {name:?} is missing");
    // A field may be used twice, so only the text, the largest, is taken out.
    let id = fields.get(names.id).ok_or_else(|| missing(names.id))?;
    let id = id_of(names.id, id)?;
    let title = match names.title.and_then(|name| fields.get(name)) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(title)) => title.clone(),
        Some(_) if names.title == Some(names.id) => id.clone(),
        Some(_) => {
            let name = names.title.unwrap_or_default();
            return Err(format!("the field {name:?} is not a string"));
        }
    };
    if names.text == names.id {
        return Ok(Document::record(id.clone(), title, id));
    }
    match fields.remove(names.text) {
        Some(Value::String(text)) => Ok(Document::record(id, title, text)),
        Some(_) => Err(format!("the field {:?} is not a string", names.text)),
        None => Err(missing(names.text)),
    }
}

fn id_of(name: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::String(id) => Ok(id.clone()),
        Value::Number(number) => whole(number).ok_or_else(|| {
            format!("the field {name:?} is {number}, not a whole number of at most 64 bits: write it as a string")
        }),
        _ => Err(format!("the field {name:?} is neither a string nor a number")),
    }
}

/// Returns the digits of a whole number, however it is written: `1.0` and `1e0` are `1`, and `-0` is `0`.
fn whole(number: &Number) -> Option<String> {
    if !number.is_f64() {
        return Some(number.to_string());
    }
    let value = number.as_f64()?;
    let exact = value.fract() == 0.0 && value.abs() <= MAX_EXACT;
    // Adding 0 makes -0 to 0.
    exact.then(|| format!("{:.0}", value + 0.0))
}

/// Returns why a line isn't a JSON object, with the place in the line.
fn explained(line: &str, error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = error.to_string();
    let reason = message.strip_suffix(&place).unwrap_or(&message);
    if error.is_data() {
        // The line is JSON.
        return match reason.strip_suffix(", expected a JSON object") {
            Some(_) => "not a JSON object".to_owned(),
            None => reason.to_owned(),
        };
    }
    let column = error.column();
    let at = line.as_bytes().get(column.saturating_sub(1)..);
    for word in ["NaN", "Infinity"] {
        if at.is_some_and(|at| at.starts_with(word.as_bytes())) {
            return format!("{word} at byte {column} is not JSON: write null or a string");
        }
    }
    format!("not JSON at byte {column}: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: Fields<'_> = Fields {
        id: "id",
        text: "text",
        title: Some("title"),
    };

    fn reason(line: &str) -> String {
        record(FIELDS, line).err().unwrap()
    }

    #[test]
    fn s12_a_field_twice_is_an_error_with_its_name() {
        let twice = r#"{"id": 1, "text": "sea", "text": "tide"}"#;
        assert_eq!(reason(twice), "the field \"text\" is there twice");
        let escaped = r#"{"id": 1, "text": "sea", "\u0074ext": "sea"}"#;
        assert_eq!(reason(escaped), "the field \"text\" is there twice");
        let unused = r#"{"id": 1, "a": 1, "text": "sea", "a": 1}"#;
        assert_eq!(reason(unused), "the field \"a\" is there twice");
    }

    #[test]
    fn s14_ids_are_whole_numbers_however_they_are_written() {
        for (written, id) in [
            ("-0", "0"),
            ("1.0", "1"),
            ("-0.0", "0"),
            ("1e3", "1000"),
            ("-7", "-7"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            let line = format!("{{\"id\": {written}, \"text\": \"\"}}");
            let document = record(FIELDS, &line).ok().unwrap();
            assert_eq!(document.name, id, "{written}");
        }
        for written in ["1.5", "18446744073709551617", "1e300"] {
            let line = format!("{{\"id\": {written}, \"text\": \"\"}}");
            assert!(reason(&line).contains("not a whole number"), "{written}");
        }
    }

    #[test]
    fn s14_a_reason_has_one_place_and_says_what_would_be_right() {
        let nan = r#"{"id": 1, "text": "sea", "score": NaN}"#;
        let expected = "NaN at byte 35 is not JSON: write null or a string";
        assert_eq!(reason(nan), expected);
        let infinite = r#"{"id": 1, "text": "sea", "score": -Infinity}"#;
        assert!(
            reason(infinite).starts_with("Infinity at byte "),
            "{}",
            reason(infinite)
        );
        let cut = reason(r#"{"id": 1, "text": "#);
        assert!(
            cut.starts_with("not JSON at byte ") && !cut.contains("line"),
            "{cut}"
        );
        assert_eq!(reason("[1]"), "not a JSON object");
        assert_eq!(reason("5"), "not a JSON object");
    }

    #[test]
    fn a_title_may_be_missing_but_is_a_string() {
        let title = |line| {
            record(FIELDS, line).map(|document| document.text.text("title").map(str::to_owned))
        };
        assert_eq!(
            title(r#"{"id":1,"text":"","title":"a"}"#)
                .unwrap()
                .as_deref(),
            Some("a")
        );
        assert_eq!(title(r#"{"id":1,"text":""}"#).unwrap().as_deref(), Some(""));
        assert_eq!(
            title(r#"{"id":1,"text":"","title":null}"#)
                .unwrap()
                .as_deref(),
            Some("")
        );
        assert!(title(r#"{"id":1,"text":"","title":5}"#).is_err());
    }
}
