//! The parsing of items: signs and field, then a word, phrase, range or set.

use super::{Head, Parser};
use crate::error::QueryError;
use crate::search::query::ast::{Bound, Raw, Sign, Unary, Value};
use crate::search::query::faults::Fault;
use crate::search::query::scan::{Scanner, Symbol};

impl<'a> Parser<'a, '_> {
    /// Reads an item: its signs, its field, and its main part.
    pub(super) fn item(&mut self) -> Result<(), QueryError> {
        let place = self.scanner.at;
        let Some(sign) = self.signs()? else {
            return Ok(());
        };
        let field = self.field();
        let head = Head { sign, field, place };
        match self.scanner.peek() {
            Some('(') => self.open(head),
            Some(letter) if field.is_some() => self.value(letter, head),
            Some('[' | '{') if self.open.has_field => self.range(head),
            Some('<' | '>') if self.open.has_field => self.comparison(head),
            Some(letter) => self.plain(letter, head),
            None => self.faults.syntax(Fault::EMPTY_FIELD, place),
        }
    }

    /// Moves past signs and returns what they amount to, or nothing if nothing follows that they could stand before.
    fn signs(&mut self) -> Result<Option<Sign>, QueryError> {
        let (mut is_required, mut is_excluded) = (false, false);
        loop {
            let place = self.scanner.at;
            let ends = if self.scanner.is_at_keyword("NOT") {
                self.scanner.at += "NOT".len();
                is_excluded = !is_excluded;
                self.scanner.skip_spaces();
                self.scanner.is_at_boundary()
            } else if let Some(symbol) = self.scanner.symbol() {
                match symbol {
                    Symbol::Plus => is_required = true,
                    Symbol::Minus => is_excluded = !is_excluded,
                }
                self.scanner.is_at_boundary()
            } else {
                return Ok(Some(match (is_excluded, is_required) {
                    (true, _) => Sign::Excluded,
                    (false, true) => Sign::Required,
                    (false, false) => Sign::None,
                }));
            };
            if ends || self.scanner.is_at_operator() {
                self.faults.syntax(Fault::LONELY_SIGN, place)?;
                return Ok(None);
            }
        }
    }

    /// Moves past a field's name and its colon, if they stand here.
    fn field(&mut self) -> Option<Raw<'a>> {
        if self.scanner.is_at_quote()
            || matches!(
                self.scanner.peek(),
                Some('(' | '[' | '{' | '<' | '>' | '^' | ':')
            )
        {
            return None;
        }
        let before = self.scanner.at;
        let name = self.scanner.word(true);
        self.scanner.skip_spaces();
        let is_apart = self.scanner.at > name.place + name.text.len();
        if self.scanner.peek() != Some(':') || (is_apart && self.scanner.second() == Some(':')) {
            self.scanner.at = before;
            return None;
        }
        self.scanner.bump();
        self.scanner.skip_spaces();
        Some(name)
    }

    /// Reads the main part of an item without a field.
    fn plain(&mut self, letter: char, head: Head<'a>) -> Result<(), QueryError> {
        let at = self.scanner.at;
        let fault = match letter {
            '[' | '{' | '<' | '>' => Fault::NO_FIELD,
            '^' => Fault::LONELY_BOOST,
            ':' if self.scanner.second() != Some(':') => Fault::LONELY_COLON,
            '\u{2014}' | '\u{2015}' if self.scanner.second().is_some_and(char::is_alphanumeric) => {
                Fault::DASH
            }
            _ => return self.term(head),
        };
        self.scanner.bump();
        self.faults.syntax(fault, at)
    }

    /// Reads the main part of an item with a field.
    fn value(&mut self, letter: char, head: Head<'a>) -> Result<(), QueryError> {
        let at = self.scanner.at;
        let is_number = self.scanner.second().is_some_and(char::is_numeric);
        let fault = match letter {
            ')' => Fault::EMPTY_FIELD,
            '[' | '{' => return self.range(head),
            '<' | '>' => return self.comparison(head),
            'I' if self.is_at_set() => return self.set(head),
            '+' | '-' if is_number => return self.term(head),
            '^' => Fault::LONELY_BOOST,
            ':' if self.scanner.second() != Some(':') => Fault::LONELY_COLON,
            _ if self.scanner.clone().symbol().is_some() || self.scanner.is_at_keyword("NOT") => {
                Fault::SIGN_IN_FIELD
            }
            _ if self.scanner.is_at_operator() => Fault::EMPTY_FIELD,
            _ => return self.term(head),
        };
        if matches!(letter, '^' | ':') {
            self.scanner.bump();
        }
        self.faults.syntax(fault, at)
    }

    /// Reads a word, a phrase or a `*`.
    fn term(&mut self, head: Head<'a>) -> Result<(), QueryError> {
        let at = self.scanner.at;
        if self.scanner.is_at_quote() {
            return self.phrase(head);
        }
        if self.scanner.is_at_regex() {
            self.faults.refuse(QueryError::Unsupported {
                what: "a regular expression",
                place: self.faults.place(at),
            })?;
        }
        let mut after = self.scanner.clone();
        if after.eat('*') && (after.is_at_boundary() || after.peek() == Some('^')) {
            self.scanner = after;
            return self.finish(head, Unary::Everything);
        }
        let word = self.scanner.word(head.field.is_none());
        self.finish(head, Unary::Word(word))
    }

    fn phrase(&mut self, head: Head<'a>) -> Result<(), QueryError> {
        let at = self.scanner.at;
        let Some(text) = self.scanner.quote() else {
            return self.faults.syntax(Fault::UNCLOSED_QUOTE, at);
        };
        let (mut slop, mut is_prefix) = (None, false);
        let place = self.scanner.at;
        if self.scanner.eat('~') {
            let digits = self.scanner.take_while(|letter| letter.is_ascii_digit());
            if digits.text.is_empty() {
                self.faults.syntax(Fault::SLOP, place)?;
            } else {
                slop = Some(digits);
            }
        } else {
            is_prefix = self.scanner.eat('*');
        }
        let phrase = Unary::Phrase {
            text,
            slop,
            is_prefix,
        };
        self.finish(head, phrase)
    }

    fn range(&mut self, head: Head<'a>) -> Result<(), QueryError> {
        let at = self.scanner.at;
        let mut scanner = self.scanner.clone();
        match read_range(&mut scanner) {
            Some(range) => {
                self.scanner = scanner;
                self.finish(head, range)
            }
            None => {
                self.scanner.learn_from(scanner);
                self.scanner.bump();
                self.faults.syntax(Fault::RANGE, at)
            }
        }
    }

    fn comparison(&mut self, head: Head<'a>) -> Result<(), QueryError> {
        let at = self.scanner.at;
        let is_below = self.scanner.eat('<');
        if !is_below {
            self.scanner.bump();
        }
        let is_included = self.scanner.eat('=');
        self.scanner.skip_spaces();
        let Some(value) = self.scanner.value(&[')', '^']) else {
            return self.faults.syntax(Fault::RANGE, at);
        };
        let bound = if is_included {
            Bound::Included(value)
        } else {
            Bound::Excluded(value)
        };
        let range = if is_below {
            Unary::Range(Bound::Open, bound)
        } else {
            Unary::Range(bound, Bound::Open)
        };
        self.finish(head, range)
    }

    fn is_at_set(&self) -> bool {
        let mut scanner = self.scanner.clone();
        scanner.at += "IN".len();
        self.scanner.rest().starts_with("IN") && {
            scanner.skip_spaces();
            scanner.peek() == Some('[')
        }
    }

    fn set(&mut self, head: Head<'a>) -> Result<(), QueryError> {
        let at = self.scanner.at;
        self.scanner.at += "IN".len();
        self.scanner.skip_spaces();
        self.scanner.bump();
        let mut values = Vec::new();
        loop {
            self.scanner.skip_spaces();
            if self.scanner.eat(']') {
                return self.finish(head, Unary::Set(values));
            }
            let before = self.scanner.at;
            let value = self.scanner.value(&[']', '[', ',', '"']);
            let follows = self.scanner.peek();
            match value {
                Some(value) if follows.is_some_and(|next| next.is_whitespace() || next == ']') => {
                    values.push(value);
                }
                _ => {
                    self.scanner.at = before;
                    return self.faults.syntax(Fault::SET, at);
                }
            }
        }
    }
}

fn read_range<'a>(scanner: &mut Scanner<'a>) -> Option<Unary<'a>> {
    const ENDS: [char; 7] = ['[', ']', '{', '}', '(', ')', '"'];
    let bound = |value: Value<'a>, is_included| match value {
        Value {
            raw: Raw { text: "*", .. },
            is_quoted: false,
        } => Bound::Open,
        value if is_included => Bound::Included(value),
        value => Bound::Excluded(value),
    };
    let is_included = scanner.eat('[');
    if !is_included {
        scanner.bump();
    }
    scanner.skip_spaces();
    let lower = bound(scanner.value(&ENDS)?, is_included);
    scanner.skip_spaces();
    if !scanner.is_at_keyword("TO") {
        return None;
    }
    scanner.at += "TO".len();
    scanner.skip_spaces();
    let upper = scanner.value(&ENDS)?;
    scanner.skip_spaces();
    let is_included = scanner.eat(']');
    (is_included || scanner.eat('}')).then(|| Unary::Range(lower, bound(upper, is_included)))
}
