//! The cutting of a text into tokens.

use super::characters::{Characters, Class};
use super::folding::Folding;
use super::walk::{Folded, Walk};

/// The greatest length of a token in bytes. Of longer words, the beginning is the token.
pub(super) const MAX_BYTES: usize = 255;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word.
    Word,
    /// Two neighbours in a script without spaces.
    Pair,
    /// The last character of a run in such a script, alone.
    Last {
        /// Whether the run is this character.
        is_only: bool,
    },
}

/// A token without its text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub(super) kind: Kind,
    /// The raw bytes that it comes from.
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) is_shortened: bool,
}

/// Where the text of a token goes: into a string, or nowhere if tokens are only counted.
pub(super) trait Sink {
    fn push(&mut self, letter: char);
    fn push_lowercase(&mut self, ascii: &str);
}

impl Sink for String {
    #[inline]
    fn push(&mut self, letter: char) {
        Self::push(self, letter);
    }

    #[inline]
    fn push_lowercase(&mut self, ascii: &str) {
        let from = self.len();
        self.push_str(ascii);
        self[from..].make_ascii_lowercase();
    }
}

impl Sink for () {
    fn push(&mut self, _: char) {}

    fn push_lowercase(&mut self, _: &str) {}
}

/// The tokens of a text, before stemming.
pub(super) struct Cutter<'a> {
    walk: Walk<'a>,
    /// A character that has been read ahead.
    held: Option<Folded>,
    is_in_pairs: bool,
}

impl<'a> Cutter<'a> {
    pub(super) fn new(folding: Folding, text: &'a str) -> Self {
        Self {
            walk: Walk::new(Characters::of(folding), text),
            held: None,
            is_in_pairs: false,
        }
    }

    /// Appends the text of the next token to the sink.
    #[inline]
    pub(super) fn next(&mut self, sink: &mut impl Sink) -> Option<Cut> {
        loop {
            let cut = match self.held.take() {
                None => match self.ascii_word(sink) {
                    None => self.word(None, sink),
                    cut => cut,
                },
                Some(first) if first.class == Class::Word => self.word(Some(first), sink),
                Some(first) if first.class == Class::Unspaced => Some(self.unspaced(first, sink)),
                Some(_) => continue,
            };
            if cut.is_some() || self.held.is_none() {
                return cut;
            }
        }
    }

    #[inline]
    fn ascii_word(&mut self, sink: &mut impl Sink) -> Option<Cut> {
        let word = self.walk.ascii_word()?;
        let (to, end) = (self.walk.at(), word.len().min(MAX_BYTES));
        sink.push_lowercase(&word[..end]);
        Some(Cut {
            kind: Kind::Word,
            from: to - word.len(),
            to,
            is_shortened: end < word.len(),
        })
    }

    /// Cuts a word that begins with a character that has been read ahead, or where the walk stands. If none begins there, holds what does.
    fn word(&mut self, first: Option<Folded>, sink: &mut impl Sink) -> Option<Cut> {
        let mut bytes = 0;
        // What is left out takes part in the sum, so that nothing shorter is taken after it.
        let mut push = |letter: char| {
            bytes += letter.len_utf8();
            if bytes <= MAX_BYTES {
                sink.push(letter);
            }
        };
        let (mut from, mut to) = (self.walk.at(), None);
        if let Some(first) = first {
            push(first.letter);
            (from, to) = (first.from, Some(first.to));
        }
        loop {
            to = self.walk.plain_letters(&mut push).or(to);
            self.held = self.walk.next();
            match self.held {
                Some(next) if next.class == Class::Word => {
                    push(next.letter);
                    if to.is_none() {
                        from = next.from;
                    }
                    to = Some(next.to);
                }
                _ => break,
            }
        }
        to.map(|to| Cut {
            kind: Kind::Word,
            from,
            to,
            is_shortened: bytes > MAX_BYTES,
        })
    }

    fn unspaced(&mut self, first: Folded, sink: &mut impl Sink) -> Cut {
        sink.push(first.letter);
        self.held = self.walk.next();
        let is_only = !self.is_in_pairs;
        let second = self.held.filter(|next| next.class == Class::Unspaced);
        self.is_in_pairs = second.is_some();
        if let Some(second) = second {
            sink.push(second.letter);
        }
        Cut {
            kind: if self.is_in_pairs {
                Kind::Pair
            } else {
                Kind::Last { is_only }
            },
            from: first.from,
            to: second.map_or(first.to, |second| second.to),
            is_shortened: false,
        }
    }
}
