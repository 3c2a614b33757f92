//! The naive model of leaves with constant scores: it looks at the raw values of a document, one after the other.

use std::cmp::Ordering;
use std::fmt::{self, Debug, Display, Formatter};
use std::ops::Bound;

use super::naive::tokenize;
use crate::search::{TextDocument, Value};

/// A leaf with a constant score, in one field.
#[derive(Debug, Clone, PartialEq)]
pub enum Leaf {
    Prefix(&'static str, String),
    Wildcard(&'static str, String),
    Fuzzy(&'static str, String, usize),
    Near {
        field: &'static str,
        words: Vec<(usize, String)>,
        prefix: Option<(usize, String)>,
        slop: usize,
    },
    Range(&'static str, Bound<Value>, Bound<Value>),
    Set(&'static str, Vec<Value>),
    Exists(&'static str),
}

impl Leaf {
    /// Returns the name of its field.
    pub(super) const fn field(&self) -> &'static str {
        match self {
            Self::Prefix(field, _)
            | Self::Wildcard(field, _)
            | Self::Fuzzy(field, ..)
            | Self::Near { field, .. }
            | Self::Range(field, ..)
            | Self::Set(field, _)
            | Self::Exists(field) => field,
        }
    }

    pub fn matches(&self, document: &TextDocument) -> bool {
        let any_value = |field: &str, accept: &dyn Fn(&Value) -> bool| {
            let mut values = document.get_all(field);
            values.any(accept)
        };
        let any_word = |field: &str, accept: &dyn Fn(&str) -> bool| {
            let definition = document.schema().fields().iter();
            let is_text = definition.clone().any(|f| f.name() == field && f.is_text());
            any_value(field, &|value| match value.as_str() {
                Some(text) if is_text => tokenize(text).iter().any(|(_, word)| accept(word)),
                Some(text) => accept(text),
                None => false,
            })
        };
        match self {
            Self::Prefix(field, prefix) => any_word(field, &|word| word.starts_with(prefix)),
            Self::Wildcard(field, pattern) => {
                let pattern: Vec<_> = pattern.chars().collect();
                any_word(field, &|word| {
                    wildcard(&pattern, &word.chars().collect::<Vec<_>>())
                })
            }
            Self::Fuzzy(field, word, most) => any_word(field, &|other| {
                let [a, b] = [word, other].map(|word| word.chars().collect::<Vec<_>>());
                a.first() == b.first() && distance(&a, &b) <= *most
            }),
            Self::Near {
                field,
                words,
                prefix,
                slop,
            } => any_value(field, &|value| {
                let tokens = tokenize(value.as_str().unwrap_or(""));
                let places = |accept: &dyn Fn(&str) -> bool| -> Vec<usize> {
                    let accepted = tokens.iter().filter(|(_, word)| accept(word));
                    accepted.map(|(place, _)| *place).collect()
                };
                let mut elements: Vec<(usize, Vec<usize>)> = words
                    .iter()
                    .map(|(offset, word)| (*offset, places(&|other| other == word)))
                    .collect();
                if let Some((offset, prefix)) = prefix {
                    elements.push((*offset, places(&|other| other.starts_with(prefix))));
                }
                near(&elements, &mut Vec::new(), *slop)
            }),
            Self::Range(field, from, to) => {
                any_value(field, &|value| above(from, value) && below(value, to))
            }
            Self::Set(field, set) => any_value(field, &|value| {
                set.iter().any(|wanted| order(wanted, value).is_eq())
            }),
            Self::Exists(field) => {
                any_word(field, &|_| true) || any_value(field, &|value| value.as_str().is_none())
            }
        }
    }
}

/// Shows the leaf as it is written in a query. The words of a phrase are in scripts with spaces, and their offsets ascend by 1: otherwise it
/// isn't what the query asks for. `Tree::Near` is a phrase of any words.
impl Display for Leaf {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(field, prefix) => {
                write!(f, "{field}:")?;
                for letter in prefix.chars() {
                    let escape = if letter.is_alphanumeric() { "" } else { "\\" };
                    write!(f, "{escape}{letter}")?;
                }
                f.write_str("*")
            }
            Self::Wildcard(field, pattern) => write!(f, "{field}:{pattern}"),
            Self::Fuzzy(field, word, distance) => write!(f, "{field}:{word}~{distance}"),
            Self::Near {
                field,
                words,
                prefix,
                slop,
            } => {
                let words = words.iter().chain(prefix).map(|(_, word)| word.as_str());
                let words = words.collect::<Vec<_>>().join(" ");
                match prefix {
                    Some(_) => write!(f, "{field}:\"{words}\"*"),
                    None => write!(f, "{field}:\"{words}\"~{slop}"),
                }
            }
            Self::Range(field, from, to) => {
                let end = |bound: &Bound<Value>, excluded, included| match bound {
                    Bound::Unbounded => ("*".to_owned(), included),
                    Bound::Excluded(value) => (written(value), excluded),
                    Bound::Included(value) => (written(value), included),
                };
                let (from, opening) = end(from, '{', '[');
                let (to, closing) = end(to, '}', ']');
                write!(f, "{field}:{opening}{from} TO {to}{closing}")
            }
            Self::Set(field, values) => {
                let values: Vec<_> = values.iter().map(written).collect();
                write!(f, "{field}: IN [{}]", values.join(" "))
            }
            Self::Exists(field) => write!(f, "{field}:*"),
        }
    }
}

fn written(value: &Value) -> String {
    match value.as_str() {
        Some(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        None => value.to_string(),
    }
}

/// Whether the text matches the pattern. The only marks are the combining diacritical ones.
pub fn wildcard(pattern: &[char], text: &[char]) -> bool {
    let is_mark = |letter: &&char| ('\u{300}'..='\u{36f}').contains(*letter);
    match (pattern, text) {
        ([], text) => text.is_empty(),
        (['*', rest @ ..], _) => (0..=text.len()).any(|skipped| wildcard(rest, &text[skipped..])),
        (['?', rest @ ..], [_, after @ ..]) => {
            let marks = after.iter().take_while(is_mark).count();
            wildcard(rest, &after[marks..])
        }
        (['\\', escaped, rest @ ..], [first, after @ ..]) => {
            escaped == first && wildcard(rest, after)
        }
        ([letter, rest @ ..], [first, after @ ..]) if *letter != '?' => {
            letter == first && wildcard(rest, after)
        }
        _ => false,
    }
}

/// Returns the least number of insertions, removals, replacements and exchanges of neighbours, none of which changes what another one has
/// changed.
pub fn distance(a: &[char], b: &[char]) -> usize {
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            if i == 0 || j == 0 {
                table[i][j] = i + j;
                continue;
            }
            let replaced = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(table[i - 2][j - 2] + 1);
            }
            table[i][j] = least;
        }
    }
    table[a.len()][b.len()]
}

/// Tries all positions.
fn near(elements: &[(usize, Vec<usize>)], chosen: &mut Vec<(usize, usize)>, slop: usize) -> bool {
    let Some(((offset, places), rest)) = elements.split_first() else {
        // Counted from further up, so that no difference is negative.
        let begins = chosen.iter().map(|(place, offset)| place + 1_000 - offset);
        let (least, greatest) = (begins.clone().min(), begins.max());
        return least.is_some() && greatest <= least.map(|least| least + slop);
    };
    places.iter().any(|&place| {
        if chosen.iter().any(|&(other, _)| other == place) {
            return false;
        }
        chosen.push((place, *offset));
        let is_near = near(rest, chosen, slop);
        chosen.pop();
        is_near
    })
}

fn above(bound: &Bound<Value>, value: &Value) -> bool {
    match bound {
        Bound::Unbounded => true,
        Bound::Included(bound) => order(bound, value).is_le(),
        Bound::Excluded(bound) => order(bound, value).is_lt(),
    }
}

fn below(value: &Value, bound: &Bound<Value>) -> bool {
    match bound {
        Bound::Unbounded => true,
        Bound::Included(bound) => order(value, bound).is_le(),
        Bound::Excluded(bound) => order(value, bound).is_lt(),
    }
}

fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b).unwrap(),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
        (a, b) => panic!("{a:?} and {b:?} are of different kinds"),
    }
}
