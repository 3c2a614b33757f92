//! What happens at a fault of a query: it is refused, or the part with the fault is left out.

use crate::error::{QueryError, QueryPlace};
use crate::search::constant::{Near, Wildcard};

/// The faults of a query that are tolerated so far, or the rule that none is.
pub(super) struct Faults<'a> {
    text: &'a str,
    left_out: Option<Vec<QueryError>>,
}

impl<'a> Faults<'a> {
    /// The first fault ends the parsing.
    pub(super) const fn strict(text: &'a str) -> Self {
        let left_out = None;
        Self { text, left_out }
    }

    /// Faults are collected, and the caller goes on without the part.
    pub(super) const fn lenient(text: &'a str) -> Self {
        let left_out = Some(Vec::new());
        Self { text, left_out }
    }

    pub(super) fn place(&self, byte: usize) -> QueryPlace {
        QueryPlace::new(self.text, byte)
    }

    /// Whether the query ends at this byte.
    pub(super) const fn is_end(&self, byte: usize) -> bool {
        byte == self.text.len()
    }

    pub(super) fn refuse(&mut self, error: QueryError) -> Result<(), QueryError> {
        match &mut self.left_out {
            Some(left_out) => {
                left_out.push(error);
                Ok(())
            }
            None => Err(error),
        }
    }

    pub(super) fn syntax(&mut self, fault: Fault, byte: usize) -> Result<(), QueryError> {
        let Fault(problem, remedy) = fault;
        self.refuse(QueryError::Syntax {
            problem,
            place: self.place(byte),
            remedy,
        })
    }

    pub(super) fn bound(&mut self, bound: Bound, byte: usize) -> Result<(), QueryError> {
        self.refuse(QueryError::OutOfBounds {
            what: bound.what,
            value: bound.value,
            min: bound.min,
            max: bound.max,
            place: self.place(byte),
            remedy: bound.remedy,
        })
    }

    pub(super) fn into_left_out(self) -> Vec<QueryError> {
        self.left_out.unwrap_or_default()
    }
}

/// A fault of syntax: what is wrong, and what would be right.
#[derive(Clone, Copy)]
pub(super) struct Fault(&'static str, &'static str);

impl Fault {
    pub(super) const UNCLOSED_QUOTE: Self = Self(
        "a quote isn't closed",
        "close it, or put a backslash before it to mean the character",
    );
    pub(super) const UNCLOSED_GROUP: Self = Self(
        "a parenthesis isn't closed",
        "close it, or put a backslash before it to mean the character",
    );
    pub(super) const UNOPENED_GROUP: Self = Self(
        "a parenthesis closes nothing",
        "open it, or put a backslash before it to mean the character",
    );
    pub(super) const EMPTY_GROUP: Self = Self(
        "a group is empty",
        "write a word in it, or put backslashes before the parentheses to mean the characters",
    );
    pub(super) const NOTHING_BEFORE: Self = Self(
        "an operator has nothing before it",
        "write a word before it, or write the operator in small letters to mean the word",
    );
    pub(super) const NOTHING_AFTER: Self = Self(
        "an operator has nothing after it",
        "write a word after it, or write the operator in small letters to mean the word",
    );
    pub(super) const LONELY_SIGN: Self = Self(
        "a sign has no word directly after it",
        "write it directly before a word, or leave it out",
    );
    pub(super) const DASH: Self = Self(
        "a dash stands before a word",
        "write - to exclude the word, or leave the dash out",
    );
    pub(super) const SIGN_IN_FIELD: Self = Self(
        "a sign stands between a field and what it should contain",
        "put the sign before the field",
    );
    pub(super) const EMPTY_FIELD: Self = Self(
        "a field has nothing after its colon",
        "write a word after it, or put a backslash before the colon to mean the character",
    );
    pub(super) const NESTED_FIELD: Self = Self(
        "a field stands within a field",
        "name one field, or put a backslash before the second colon to mean the character",
    );
    pub(super) const LONELY_COLON: Self = Self(
        "a colon has no field before it",
        "write a field before it, or put a backslash before it to mean the character",
    );
    pub(super) const NO_FIELD: Self = Self(
        "a range or comparison has no field before it",
        "name a field, as in year:[2000 TO 2010] or year:>2000, or quote the characters to mean them",
    );
    pub(super) const RANGE: Self = Self(
        "a range can't be read",
        "write it as [2000 TO 2010], with { or } for a bound that is excluded and * for none",
    );
    pub(super) const SET: Self = Self(
        "a set can't be read",
        "write its values between [ and ], separated by spaces, and quote those with a space or comma",
    );
    pub(super) const BOOST: Self = Self(
        "a boost can't be read",
        "write a number that isn't negative directly after ^, as in sea^2.5, or put a backslash before ^ to mean the character",
    );
    pub(super) const LONELY_BOOST: Self = Self(
        "a boost has nothing directly before it",
        "write it directly after a word, phrase or group, or put a backslash before ^ to mean the character",
    );
    pub(super) const PATTERN: Self = Self(
        "a pattern has a character that no word has, or one of a script without spaces",
        "use letters and digits of scripts with spaces beside the wildcards, or put backslashes before the wildcards to mean the characters",
    );
    pub(super) const DISTANCE: Self = Self(
        "the distance of a fuzzy word can't be read",
        "write sea~1 or sailor~2, or put a backslash before ~ to mean the character",
    );
    pub(super) const SLOP: Self = Self(
        "the slop of a phrase can't be read",
        "write a whole number directly after ~, as in \"open sea\"~3",
    );
    pub(super) const GROUP_IN_WORD: Self = Self(
        "a group begins directly after a word",
        "put a space before it, or quote the word with its parentheses",
    );
    pub(super) const QUOTE_IN_WORD: Self = Self(
        "a quote begins directly after a word",
        "put a space before it, or a backslash to mean the character",
    );
    pub(super) const NO_SPACE: Self = Self(
        "something stands directly after a phrase, group, set or range",
        "put a space before it",
    );
}

/// A quantity in a query, and its bounds.
#[derive(Clone, Copy)]
pub(super) struct Bound {
    what: &'static str,
    remedy: &'static str,
    value: usize,
    pub(super) min: usize,
    pub(super) max: usize,
}

impl Bound {
    /// Without the option for less.
    pub(super) const BEFORE_WILDCARD: Self = Self::new(
        "the number of characters before the first wildcard",
        (2, 255),
        "write more of the word before the wildcard, or put a backslash before the wildcard to mean the character",
    );
    pub(super) const PATTERN_BYTES: Self = Self::new(
        "the length of a pattern in bytes",
        (1, Wildcard::MAX_BYTES),
        "shorten it",
    );
    pub(super) const FUZZY_ONCE: Self = Self::new(
        "the number of characters of a fuzzy word with one change",
        (3, 64),
        "leave out the ~",
    );
    pub(super) const FUZZY_TWICE: Self = Self::new(
        "the number of characters of a fuzzy word with two changes",
        (6, 64),
        "write ~1, or leave it out",
    );
    pub(super) const SLOP: Self = Self::new(
        "the slop of a phrase",
        (0, Near::MAX_SLOP as usize),
        "write a smaller number after the ~, or join the words with AND",
    );
    pub(super) const SET: Self = Self::new(
        "the number of values in a set",
        (1, 1_024),
        "write some values between [ and ], or write several sets",
    );

    const fn new(what: &'static str, (min, max): (usize, usize), remedy: &'static str) -> Self {
        let value = 0;
        Self {
            what,
            remedy,
            value,
            min,
            max,
        }
    }

    pub(super) const fn of(mut self, value: usize) -> Self {
        self.value = value;
        self
    }

    pub(super) fn allows(self, value: usize) -> bool {
        (self.min..=self.max).contains(&value)
    }
}
