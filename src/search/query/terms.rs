//! Leaves over the terms of a text or keyword field: words, phrases and patterns.

use super::faults::{Bound, Fault};
use super::plan::LeafKind;
use crate::search::analyzer::QueryToken;
use crate::search::constant::{Constant, Near, Pattern, Wildcard};
use crate::search::schema::{FieldId, Schema, TextField};

/// A text or keyword field.
#[derive(Clone, Copy)]
pub(super) struct Terms<'s> {
    pub(super) schema: &'s Schema,
    pub(super) field: FieldId,
    /// The field, if it is text.
    pub(super) text: Option<TextField>,
}

/// Why a pattern can't be searched for.
pub(super) enum Trouble {
    Bound(Bound),
    Syntax(Fault),
}

type Result<T> = std::result::Result<T, Trouble>;

impl Terms<'_> {
    fn tokens(&self, text: &str) -> Vec<QueryToken> {
        self.text.map_or_else(Vec::new, |field| {
            self.schema.analyzer(field).query_tokens(text)
        })
    }

    /// Folds a part of a word. Fails if a document's text would be split there.
    fn folded(&self, text: &str) -> Result<String> {
        let Some(field) = self.text else {
            return Ok(text.to_owned());
        };
        let folded = self.schema.analyzer(field).fold(text);
        let mut letters = text.chars().chain(folded.chars());
        if letters.all(|letter| self.has(letter) && !self.is_unspaced(letter)) {
            return Ok(folded);
        }
        Err(Trouble::Syntax(Fault::PATTERN))
    }

    /// Whether a term can contain the character.
    fn has(&self, letter: char) -> bool {
        letter.is_ascii_alphanumeric()
            || self.text.is_none()
            || self.tokens(&format!("a{letter}a")).len() == 1
    }

    /// Whether a word that ends with the character can go on after it.
    fn goes_on(&self, letter: char) -> bool {
        self.has(letter) || !self.tokens(letter.encode_utf8(&mut [0; 4])).is_empty()
    }

    /// Whether the character is of a script without spaces, whose terms are pairs.
    fn is_unspaced(&self, letter: char) -> bool {
        !letter.is_ascii() && {
            let tokens = self.tokens(letter.encode_utf8(&mut [0; 4]));
            tokens.first().is_some_and(|token| token.is_prefix)
        }
    }

    fn near(
        &self,
        field: TextField,
        tokens: &[QueryToken],
        prefix: Option<(usize, String)>,
        slop: u32,
    ) -> LeafKind {
        let term = |token: &QueryToken| (token.position, self.schema.term(field, &token.text));
        let terms = tokens.iter().map(term).collect();
        let near = Near {
            terms,
            prefix,
            slop,
        };
        LeafKind::Constant(Constant::Near(field, near))
    }

    fn pattern(&self, pattern: Pattern) -> LeafKind {
        LeafKind::Constant(Constant::Pattern(self.field, pattern))
    }

    /// Returns the leaf of a word, or of a phrase with slop. `None` if the text has no token.
    pub(super) fn words(&self, text: &str, slop: u32) -> Option<LeafKind> {
        let field = self.text?;
        let mut tokens = self.tokens(text);
        let last = tokens.pop_if(|token| token.is_prefix);
        match (&tokens[..], last) {
            ([], None) => None,
            ([], Some(last)) => Some(self.pattern(Pattern::Prefix(last.text))),
            ([token], None) => {
                let term = self.schema.term(field, &token.text);
                Some(LeafKind::Term(field, term))
            }
            (tokens, None) if slop == 0 => {
                let terms = tokens.iter();
                let terms =
                    terms.map(|token| (token.position, self.schema.term(field, &token.text)));
                Some(LeafKind::Phrase(field, terms.collect()))
            }
            (tokens, last) => {
                let last = last.map(|last| (last.position, last.text));
                Some(self.near(field, tokens, last, slop))
            }
        }
    }

    /// Returns the leaf of a word or phrase that may go on. `None` if the text has no token.
    pub(super) fn prefix(&self, text: &str, least: usize) -> Result<Option<LeafKind>> {
        let Some(field) = self.text else {
            check_begin(text, least)?;
            return Ok(Some(self.pattern(Pattern::Prefix(text.to_owned()))));
        };
        let mut tokens = self.tokens(text);
        let Some(last) = tokens.pop() else {
            return Ok(None);
        };
        if !text.ends_with(|letter| self.goes_on(letter)) {
            return Err(Trouble::Syntax(Fault::PATTERN));
        }
        // The last word without stemming. In a script without spaces, the last pair.
        let unstemmed = self.schema.analyzer(field).without_stemming();
        let begin = unstemmed.query_tokens(text).pop();
        let begin = begin.map_or_else(|| last.text.clone(), |token| token.text);
        check_begin(&begin, if last.is_prefix { 1 } else { least })?;
        Ok(Some(if tokens.is_empty() {
            self.pattern(Pattern::Prefix(begin))
        } else {
            self.near(field, &tokens, Some((last.position, begin)), 0)
        }))
    }

    /// Returns the leaf of a word with wildcards. `None` if it has nothing else.
    pub(super) fn wildcard(&self, raw: &str, least: usize) -> Result<Option<LeafKind>> {
        let (mut pattern, mut literal) = (String::new(), String::new());
        let mut begin = None;
        let mut letters = raw.chars().peekable();
        while let Some(letter) = letters.next() {
            let escaped = letters.next_if(|next| letter == '\\' && !next.is_alphanumeric());
            if escaped.is_none() && matches!(letter, '*' | '?') {
                let folded = self.push_literal(&mut pattern, &literal)?;
                begin.get_or_insert(folded);
                literal.clear();
                pattern.push(letter);
            } else {
                literal.push(escaped.unwrap_or(letter));
            }
        }
        self.push_literal(&mut pattern, &literal)?;
        if pattern.chars().all(|letter| matches!(letter, '*' | '?')) {
            return Ok(None);
        }
        Bound::BEFORE_WILDCARD.check(begin.unwrap_or(0), least)?;
        match Wildcard::new(&pattern) {
            Some(wildcard) => Ok(Some(self.pattern(Pattern::Wildcard(wildcard)))),
            None => Err(Trouble::Bound(Bound::PATTERN_BYTES.of(pattern.len()))),
        }
    }

    /// Adds what stands between wildcards to a pattern. Returns its length in code points.
    fn push_literal(&self, pattern: &mut String, literal: &str) -> Result<usize> {
        let folded = self.folded(literal)?;
        for letter in folded.chars() {
            if matches!(letter, '*' | '?' | '\\') {
                pattern.push('\\');
            }
            pattern.push(letter);
        }
        Ok(folded.chars().count())
    }

    /// Returns the leaf of a word that may be misspelt: with this many changes or, if it isn't said, as many as its length allows.
    pub(super) fn fuzzy(&self, text: &str, distance: &str) -> Result<Option<LeafKind>> {
        let word = self.folded(text)?;
        let length = word.chars().count();
        let distance = match distance {
            "" if length < Bound::FUZZY_TWICE.min => 1,
            "" | "2" => Pattern::MAX_DISTANCE,
            "1" => 1,
            _ => return Err(Trouble::Syntax(Fault::DISTANCE)),
        };
        let bound = if distance == 1 {
            Bound::FUZZY_ONCE
        } else {
            Bound::FUZZY_TWICE
        };
        bound.check(length, bound.min)?;
        Ok(Some(self.pattern(Pattern::Fuzzy { word, distance })))
    }
}

/// Checks what a prefix begins with.
fn check_begin(begin: &str, least: usize) -> Result<()> {
    Bound::BEFORE_WILDCARD.check(begin.chars().count(), least)?;
    Bound::PATTERN_BYTES.check(begin.len(), 0)
}

impl Bound {
    /// Checks a value, with another least one.
    fn check(self, value: usize, min: usize) -> Result<()> {
        if (min..=self.max).contains(&value) {
            return Ok(());
        }
        Err(Trouble::Bound(self.of(value)))
    }
}
