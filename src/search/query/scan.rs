//! The characters of a query: words, quotes and escapes. It knows nothing of groups and operators.

use super::ast::{Raw, Value};

/// The ways to write an exclusion sign: hyphen, minus sign, and what word processors make of them.
const DASHES: [char; 8] = [
    '-', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2212}', '\u{fe63}', '\u{ff0d}',
];

/// Returns the characters that close a quote, if this character opens one.
fn closers(opener: char) -> Option<&'static [char]> {
    Some(match opener {
        '"' => &['"'],
        '\'' => &['\''],
        '“' | '„' => &['”', '“'],
        '”' => &['”'],
        '‘' | '‚' => &['’', '‘'],
        '«' => &['»'],
        '»' => &['«'],
        '‹' => &['›'],
        '›' => &['‹'],
        '「' => &['」'],
        '『' => &['』'],
        _ => return None,
    })
}

/// Whether the character is a quotation mark that can't be part of a word unless it is escaped or follows a digit.
const fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '“' | '”' | '„' | '«' | '»')
}

/// Whether the character is a quotation mark that is an apostrophe within a word.
const fn is_apostrophe(letter: char) -> bool {
    matches!(letter, '\'' | '‘' | '’')
}

pub(super) enum Symbol {
    Plus,
    Minus,
}

/// A text and a position in it.
#[derive(Clone)]
pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    /// Openers of quotes that nothing closes from here on, so that the text isn't searched to its end for each one.
    unclosed: Vec<char>,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            unclosed: Vec::new(),
        }
    }

    /// Takes over what a copy that went ahead has learnt about quotes that nothing closes.
    pub(super) fn learn_from(&mut self, ahead: Self) {
        self.unclosed = ahead.unclosed;
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Returns the character after the next one.
    pub(super) fn second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    pub(super) fn bump(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    /// Moves past the character if it is the next one.
    pub(super) fn eat(&mut self, letter: char) -> bool {
        let is_next = self.rest().starts_with(letter);
        if is_next {
            self.at += letter.len_utf8();
        }
        is_next
    }

    pub(super) fn skip_spaces(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Moves past the characters that `is` accepts and returns them.
    pub(super) fn take_while(&mut self, is: impl Fn(char) -> bool) -> Raw<'a> {
        let (place, rest) = (self.at, self.rest());
        let end = rest.find(|letter| !is(letter)).unwrap_or(rest.len());
        self.at += end;
        Raw {
            text: &rest[..end],
            place,
        }
    }

    /// Whether nothing that could belong to what precedes stands here.
    pub(super) fn is_at_boundary(&self) -> bool {
        self.peek()
            .is_none_or(|letter| letter.is_whitespace() || letter == ')')
    }

    /// Whether this keyword stands here, as a word of its own.
    pub(super) fn is_at_keyword(&self, keyword: &str) -> bool {
        let rest = self.rest().strip_prefix(keyword);
        rest.is_some_and(|rest| {
            let next = rest.chars().next();
            next.is_none_or(|next| next.is_whitespace() || matches!(next, '(' | ')' | '"'))
        })
    }

    pub(super) fn is_at_operator(&self) -> bool {
        self.is_at_keyword("AND") || self.is_at_keyword("OR")
    }

    /// Moves past a sign of one character.
    pub(super) fn symbol(&mut self) -> Option<Symbol> {
        let symbol = match self.peek()? {
            '+' => Symbol::Plus,
            '!' => Symbol::Minus,
            dash if DASHES.contains(&dash) => Symbol::Minus,
            _ => return None,
        };
        self.bump();
        Some(symbol)
    }

    /// Moves past a word, of which at least one character stands here. A colon ends it if a field is allowed.
    pub(super) fn word(&mut self, may_be_field: bool) -> Raw<'a> {
        let (place, rest) = (self.at, self.rest());
        let mut letters = rest.char_indices().peekable();
        let (mut last, mut end) = (' ', rest.len());
        while let Some((index, letter)) = letters.next() {
            let next = letters.peek().map(|&(_, next)| next);
            let ends = match letter {
                '\\' if next.is_some_and(|next| !next.is_alphanumeric()) => {
                    letters.next();
                    last = ' ';
                    continue;
                }
                '(' | ')' | '^' => true,
                ':' if next == Some(':') => {
                    letters.next();
                    false
                }
                ':' if may_be_field => !rest[index..].starts_with("://"),
                ':' => next.is_none_or(char::is_whitespace),
                letter if is_quote(letter) => !last.is_numeric(),
                letter => letter.is_whitespace(),
            };
            if ends && index > 0 {
                end = index;
                break;
            }
            last = letter;
        }
        self.at += end;
        Raw {
            text: &rest[..end],
            place,
        }
    }

    /// Whether a quotation mark stands here that opens a quote at the beginning of a word.
    pub(super) fn is_at_quote(&self) -> bool {
        self.peek().is_some_and(|letter| closers(letter).is_some())
    }

    /// Moves past a quote and returns what is in it. Moves past the opening mark only, and returns nothing, if nothing closes it.
    pub(super) fn quote(&mut self) -> Option<Raw<'a>> {
        let opener = self.peek()?;
        let closers = closers(opener)?;
        self.bump();
        if self.unclosed.contains(&opener) {
            return None;
        }
        let (place, rest) = (self.at, self.rest());
        let mut letters = rest.char_indices().peekable();
        let mut last = ' ';
        while let Some((index, letter)) = letters.next() {
            let next = letters.peek().map_or(' ', |&(_, next)| next);
            if letter == '\\' && !next.is_alphanumeric() {
                letters.next();
                last = ' ';
                continue;
            }
            let is_within =
                is_apostrophe(letter) && last.is_alphanumeric() && next.is_alphanumeric();
            if closers.contains(&letter) && !is_within {
                self.at += index + letter.len_utf8();
                let text = &rest[..index];
                return Some(Raw { text, place });
            }
            last = letter;
        }
        self.unclosed.push(opener);
        None
    }

    /// Whether a regular expression between slashes stands here.
    pub(super) fn is_at_regex(&self) -> bool {
        let Some(rest) = self.rest().strip_prefix('/') else {
            return false;
        };
        let mut is_escaped = false;
        let end = rest.find(|letter| {
            let ends = letter == '/' && !is_escaped;
            is_escaped = letter == '\\' && !is_escaped;
            ends
        });
        let after = end.map(|end| rest[end + 1..].chars().next());
        end != Some(0)
            && after.is_some_and(|next| {
                next.is_none_or(|next| next.is_whitespace() || matches!(next, ')' | '^'))
            })
    }

    /// Moves past a value of a range or a set: a quote, or what stands up to a space or one of these.
    pub(super) fn value(&mut self, ends: &[char]) -> Option<Value<'a>> {
        if self.is_at_quote() {
            let raw = self.quote()?;
            let is_quoted = true;
            return Some(Value { raw, is_quoted });
        }
        let raw = self.take_while(|letter| !letter.is_whitespace() && !ends.contains(&letter));
        (!raw.text.is_empty()).then_some(Value {
            raw,
            is_quoted: false,
        })
    }
}

/// Returns the text without the backslashes that escape. One before a letter or a digit doesn't.
pub(super) fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut letters = raw.chars().peekable();
    while let Some(letter) = letters.next() {
        let escaped = letters.next_if(|next| letter == '\\' && !next.is_alphanumeric());
        text.push(escaped.unwrap_or(letter));
    }
    text
}

/// What a word is, by its wildcards. One or more `?` at its end are question marks, unless there is another wildcard.
pub(super) enum Shape<'a> {
    Plain,
    /// What stands before a `*` at the end.
    Prefix(&'a str),
    Wildcard,
    /// The word before the `~`, and the distance after it.
    Fuzzy(&'a str, &'a str),
}

impl<'a> Shape<'a> {
    pub(super) fn of(raw: &'a str) -> Self {
        let is_word = |text: &str| text.ends_with(char::is_alphanumeric);
        let is_distance = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '.');
        let mut is_escaped = false;
        let wildcard = raw.find(|letter| {
            let is_wildcard = matches!(letter, '*' | '?') && !is_escaped;
            is_escaped = letter == '\\' && !is_escaped;
            is_wildcard
        });
        let wildcard = wildcard.filter(|&at| !raw[at..].chars().all(|letter| letter == '?'));
        match (wildcard, raw.rsplit_once('~')) {
            (Some(at), _) if at > 0 && &raw[at..] == "*" => Self::Prefix(&raw[..at]),
            (Some(_), _) => Self::Wildcard,
            (None, Some((word, distance))) if is_word(word) && is_distance(distance) => {
                Self::Fuzzy(word, distance)
            }
            _ => Self::Plain,
        }
    }
}
