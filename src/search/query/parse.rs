//! The parser of queries, from text to syntax tree. It keeps open groups in a list and doesn't recurse, and it reads each character at most a
//! few times.

use super::Query;
use super::ast::{Bound, Chain, Groups, Item, List, Raw, Sign, Unary, Value};
use super::faults::{Fault, Faults};
use super::scan::{Scanner, Symbol};
use crate::error::QueryError;

/// Parses a query. Returns what is left of it if the faults are tolerated.
pub(super) fn parse<'a>(text: &'a str, faults: &mut Faults<'a>) -> Result<Groups<'a>, QueryError> {
    let mut parser = Parser {
        scanner: Scanner::new(text),
        faults,
        around: Vec::new(),
        open: Group::default(),
        groups: Vec::new(),
        too_deep: 0,
    };
    loop {
        parser.scanner.skip_spaces();
        match parser.scanner.peek() {
            None => return parser.end(),
            Some(')') => parser.close()?,
            Some(_) if parser.scanner.is_at_operator() => parser.operator()?,
            Some(_) => parser.item()?,
        }
    }
}

/// Returns the parts of a text between spaces, without any syntax.
pub(super) fn literal(text: &str) -> Groups<'_> {
    let mut scanner = Scanner::new(text);
    let mut groups = Groups::default();
    loop {
        scanner.skip_spaces();
        let raw = scanner.take_while(|letter| !letter.is_whitespace());
        if raw.text.is_empty() {
            return groups;
        }
        let item = Item {
            sign: Sign::None,
            field: None,
            unary: Unary::Literal(raw),
            boost: None,
            place: raw.place,
        };
        groups.whole.0.push(Chain(vec![vec![item]]));
    }
}

struct Parser<'a, 'f> {
    scanner: Scanner<'a>,
    faults: &'f mut Faults<'a>,
    /// The groups around the innermost one, which is `open`.
    around: Vec<Group<'a>>,
    open: Group<'a>,
    groups: Vec<List<'a>>,
    /// The number of open groups that are nested too deeply. They are tolerated without being groups.
    too_deep: usize,
}

/// A group up to where the parser is.
#[derive(Default)]
struct Group<'a> {
    head: Head<'a>,
    /// Whether it or a group around it has a field.
    has_field: bool,
    list: List<'a>,
    /// The operator before the next item, and its place.
    operator: Option<(Operator, usize)>,
}

#[derive(Clone, Copy)]
enum Operator {
    And,
    Or,
}

/// What stands before the main part of an item.
#[derive(Clone, Copy)]
struct Head<'a> {
    sign: Sign,
    field: Option<Raw<'a>>,
    place: usize,
}

impl Default for Head<'_> {
    fn default() -> Self {
        Self {
            sign: Sign::None,
            field: None,
            place: 0,
        }
    }
}

impl<'a> Parser<'a, '_> {
    fn end(mut self) -> Result<Groups<'a>, QueryError> {
        while let Some(around) = self.around.pop() {
            let place = self.open.head.place;
            self.faults.syntax(Fault::UNCLOSED_GROUP, place)?;
            let group = std::mem::replace(&mut self.open, around);
            self.check_operator(&group)?;
            self.groups.push(group.list);
            self.push(group.head, Unary::Group(self.groups.len() - 1), None);
        }
        let whole = std::mem::take(&mut self.open);
        self.check_operator(&whole)?;
        Ok(Groups {
            whole: whole.list,
            groups: self.groups,
        })
    }

    fn check_operator(&mut self, group: &Group<'a>) -> Result<(), QueryError> {
        match group.operator {
            Some((_, place)) => self.faults.syntax(Fault::NOTHING_AFTER, place),
            None => Ok(()),
        }
    }

    fn operator(&mut self) -> Result<(), QueryError> {
        let place = self.scanner.at;
        let operator = if self.scanner.is_at_keyword("AND") {
            self.scanner.at += "AND".len();
            Operator::And
        } else {
            self.scanner.at += "OR".len();
            Operator::Or
        };
        if self.open.list.0.is_empty() {
            return self.faults.syntax(Fault::NOTHING_BEFORE, place);
        }
        if let Some((_, earlier)) = self.open.operator.replace((operator, place)) {
            return self.faults.syntax(Fault::NOTHING_AFTER, earlier);
        }
        Ok(())
    }

    fn open(&mut self, head: Head<'a>) -> Result<(), QueryError> {
        let place = self.scanner.at;
        self.scanner.bump();
        if self.around.len() == Query::MAX_GROUPS {
            self.too_deep += 1;
            return self.faults.refuse(QueryError::TooNested {
                max: Query::MAX_GROUPS,
                place: self.faults.place(place),
            });
        }
        let group = Group {
            head,
            has_field: head.field.is_some() || self.open.has_field,
            ..Group::default()
        };
        self.around.push(std::mem::replace(&mut self.open, group));
        Ok(())
    }

    fn close(&mut self) -> Result<(), QueryError> {
        let place = self.scanner.at;
        self.scanner.bump();
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return Ok(());
        }
        let Some(around) = self.around.pop() else {
            return self.faults.syntax(Fault::UNOPENED_GROUP, place);
        };
        let group = std::mem::replace(&mut self.open, around);
        self.check_operator(&group)?;
        if group.list.0.is_empty() {
            return self.faults.syntax(Fault::EMPTY_GROUP, group.head.place);
        }
        self.groups.push(group.list);
        self.finish(group.head, Unary::Group(self.groups.len() - 1))
    }

    fn item(&mut self) -> Result<(), QueryError> {
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

    /// Reads what stands after the main part of an item, and adds the item to its group.
    fn finish(&mut self, head: Head<'a>, unary: Unary<'a>) -> Result<(), QueryError> {
        let boost = self.boost()?;
        let at = self.scanner.at;
        let is_word = matches!(unary, Unary::Word(_));
        self.push(head, unary, boost);
        if self.scanner.is_at_boundary() {
            return Ok(());
        }
        let fault = match self.scanner.peek() {
            Some('(') if is_word => Fault::GROUP_IN_WORD,
            Some('^') => Fault::BOOST,
            Some(':') => Fault::NESTED_FIELD,
            Some(_) if is_word => Fault::QUOTE_IN_WORD,
            _ => Fault::NO_SPACE,
        };
        self.faults.syntax(fault, at)
    }

    fn boost(&mut self) -> Result<Option<f32>, QueryError> {
        let at = self.scanner.at;
        if !self.scanner.eat('^') {
            return Ok(None);
        }
        let number = self
            .scanner
            .take_while(|letter| !letter.is_whitespace() && !matches!(letter, ')' | '^'));
        let is_number = number
            .text
            .chars()
            .all(|letter| letter.is_ascii_digit() || letter == '.');
        match number.text.parse::<f32>() {
            // What overflows becomes infinite, and is refused as too large.
            Ok(boost) if is_number => Ok(Some(boost)),
            _ => self.faults.syntax(Fault::BOOST, at).map(|()| None),
        }
    }

    fn push(&mut self, head: Head<'a>, unary: Unary<'a>, boost: Option<f32>) {
        let Head { sign, field, place } = head;
        let item = Item {
            sign,
            field,
            unary,
            boost,
            place,
        };
        let group = &mut self.open;
        let operator = group.operator.take().map(|(operator, _)| operator);
        match (operator, group.list.0.last_mut()) {
            (Some(Operator::Or), Some(Chain(alternatives))) => alternatives.push(vec![item]),
            (Some(Operator::And), Some(Chain(alternatives))) => match alternatives.last_mut() {
                Some(items) => items.push(item),
                None => alternatives.push(vec![item]),
            },
            _ => group.list.0.push(Chain(vec![vec![item]])),
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
