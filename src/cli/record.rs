//! A record: a line of JSON with the id, the text and maybe the title of a document.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Number, Value};

/// The whole number from which on an `f64` stands for more than one whole number.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// The name of a field, and whether the user gave it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name<'a> {
    pub(super) name: &'a str,
    pub(super) is_given: bool,
}

impl<'a> Name<'a> {
    pub(super) fn new(given: Option<&'a str>, default: &'a str) -> Self {
        Self {
            name: given.unwrap_or(default),
            is_given: given.is_some(),
        }
    }
}

/// The names of the fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    /// If it is given, each record must have it.
    pub(super) id: Name<'a>,
    pub(super) text: &'a str,
    /// If it is given, the records that have it must have a string there.
    pub(super) title: Name<'a>,
}

/// A record with its id, text and title.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) id: Option<String>,
    pub(super) text: String,
    /// Empty if it has none.
    pub(super) title: String,
}

/// The members of a JSON object, each with its position. Reading one with a member twice fails.
pub(super) struct Object<'a> {
    members: HashMap<String, (usize, Value)>,
    line: &'a str,
}

impl<'a> Object<'a> {
    /// Reads a line, or returns the reason why it isn't a JSON object.
    pub(super) fn read(line: &'a str) -> Result<Self, String> {
        match serde_json::from_str(line) {
            Ok(Members(members)) => Ok(Self { members, line }),
            Err(error) => Err(explained(line, &error)),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name).map(|(_, value)| value)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Returns the members as they are written.
    pub(super) fn written(&self) -> HashMap<String, &'a RawValue> {
        // The line was read before.
        serde_json::from_str(self.line).unwrap_or_default()
    }

    /// Returns the object as JSON, without the members of these names.
    pub(super) fn without(&self, names: &HashSet<String>) -> String {
        let mut written = self.written();
        written.retain(|name, _| !names.contains(name));
        serde_json::to_string(&written).unwrap_or_default()
    }

    /// Returns the names of the members, in no particular order.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.members.keys()
    }

    /// Returns the members in order.
    pub(super) fn into_members(self) -> Vec<(String, Value)> {
        let mut members: Vec<_> = self.members.into_iter().collect();
        members.sort_unstable_by_key(|(_, (position, _))| *position);
        let member = |(name, (_, value))| (name, value);
        members.into_iter().map(member).collect()
    }
}

struct Members(HashMap<String, (usize, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = HashMap::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            let position = members.len();
            match members.entry(name) {
                Entry::Vacant(entry) => entry.insert((position, value)),
                Entry::Occupied(entry) => {
                    let name = entry.key();
                    let reason = format!("the field {name:?} is there twice");
                    return Err(A::Error::custom(reason));
                }
            };
        }
        Ok(Members(members))
    }
}

/// Takes a record from an object, or returns the reason why it isn't one.
pub(super) fn record(names: Fields<'_>, mut object: Object<'_>) -> Result<Record, String> {
    let id = id_of(&object, names.id)?;
    let Name { name, is_given } = names.title;
    let title = match object.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(title)) => title.clone(),
        Some(_) if name == names.id.name => id.clone().unwrap_or_default(),
        Some(_) if is_given => return Err(format!("the field {name:?} is not a string")),
        Some(_) => String::new(),
    };
    // The id may be the text too. It may then be a number.
    let as_id = id.clone().filter(|_| names.text == names.id.name);
    let text = match (as_id, object.members.remove(names.text)) {
        (Some(id), _) => id,
        (None, Some((_, Value::String(text)))) => text,
        (None, Some(_)) => return Err(format!("the field {:?} is not a string", names.text)),
        (None, None) => return Err(without_text(object, names.text)),
    };
    Ok(Record { id, text, title })
}

fn missing(name: &str) -> String {
    format!("the field {name:?} is missing")
}

/// Returns what a record without a text has instead, and how to search that.
fn without_text(object: Object<'_>, name: &str) -> String {
    /// The bound of what is shown in bytes.
    const ALL: usize = 100;
    let mut others = String::new();
    for (name, _) in object.into_members() {
        if others.len() > ALL {
            others.push_str(", …");
            break;
        }
        let comma = if others.is_empty() { "" } else { ", " };
        others.push_str(&format!("{comma}{:?}", short(&name)));
    }
    let others = match others.as_str() {
        "" => "and there are no others".to_owned(),
        others => format!("there are {others}"),
    };
    let missing = missing(name);
    format!(
        "{missing}, {others}; --text-field names the field to search, --schema infer searches all"
    )
}

/// Returns the beginning of a text that may be long.
fn short(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Returns the id of a record, if it has one.
pub(super) fn id_of(object: &Object<'_>, id: Name<'_>) -> Result<Option<String>, String> {
    let name = id.name;
    match object.get(name) {
        None if id.is_given => Err(missing(name)),
        None => Ok(None),
        Some(Value::String(id)) => Ok(Some(id.clone())),
        Some(Value::Number(number)) => whole(number).map(Some).ok_or_else(|| {
            let written = object.written();
            let written = written.get(name).map_or_else(|| number.to_string(), |raw| short(raw.get()));
            format!("the field {name:?} is {written}, not a whole number of at most 64 bits: write it as a string")
        }),
        Some(_) => Err(format!("the field {name:?} is neither a string nor a number")),
    }
}

/// Returns the id of a record that has this value as its id.
pub(super) fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::String(id) => Some(id.clone()),
        Value::Number(number) => whole(number),
        _ => None,
    }
}

/// Returns the digits of a whole number, however it is written: `1.0` and `1e0` are `1`, and `-0` is `0`.
fn whole(number: &Number) -> Option<String> {
    if !number.is_f64() {
        return Some(number.to_string());
    }
    let value = number.as_f64()?;
    let exact = value.fract() == 0.0 && value.abs() < MAX_EXACT;
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
    let is_after_return = line.trim_end().contains('\r') && reason == "trailing characters";
    let hint = match is_after_return {
        true => "; a record ends with a line feed, but here are carriage returns without one",
        false => "",
    };
    format!("not JSON at byte {column}: {reason}{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Record, String> {
        let fields = Fields {
            id: Name::new(Some("id"), ""),
            text: "text",
            title: Name::new(Some("title"), ""),
        };
        record(fields, Object::read(line)?)
    }

    fn reason(line: &str) -> String {
        read(line).unwrap_err()
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
            let document = read(&line).unwrap();
            assert_eq!(document.id.as_deref(), Some(id), "{written}");
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
        let title = |line| read(line).map(|record| record.title);
        assert_eq!(title(r#"{"id":1,"text":"","title":"a"}"#).unwrap(), "a");
        assert_eq!(title(r#"{"id":1,"text":""}"#).unwrap(), "");
        assert_eq!(title(r#"{"id":1,"text":"","title":null}"#).unwrap(), "");
        assert!(title(r#"{"id":1,"text":"","title":5}"#).is_err());
    }
}
