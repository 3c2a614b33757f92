//! The parser of queries, from text to syntax tree. It keeps open groups in a list and doesn't recurse, and it reads each character at most a
//! few times.

mod item;

use super::Query;
use super::ast::{Chain, Groups, Item, List, Raw, Sign, Unary};
use super::faults::{Fault, Faults};
use super::scan::Scanner;
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
