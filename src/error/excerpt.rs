//! Excerpts of input in error messages.

use std::fmt;

/// A piece of input in an error message: quoted, escaped, and cut off after at most 120 characters.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt {
    text: Box<str>,
    shortened: bool,
}

impl Excerpt {
    const CHARACTERS: usize = 120;

    pub(crate) fn new(input: &str) -> Self {
        Self::of(input, Self::CHARACTERS)
    }

    /// Makes a shorter excerpt.
    pub(crate) fn of(input: &str, characters: usize) -> Self {
        let end = input
            .char_indices()
            .nth(characters)
            .map_or(input.len(), |(end, _)| end);
        Self {
            text: input[..end].into(),
            shortened: end < input.len(),
        }
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)?;
        f.write_str(if self.shortened { "…" } else { "" })
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
