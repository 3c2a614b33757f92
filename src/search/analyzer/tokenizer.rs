//! The analyzer as a tokenizer of tantivy.

use std::borrow::Cow;

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use super::Analyzer;
use super::cut::{Cutter, Kind, MAX_BYTES};
use crate::search::constant::Near;

/// The number of positions that a token takes up if it is the last one of a text. The next text of the field begins behind them, out of reach of
/// a phrase with slop.
const APART: usize = Near::MAX_SLOP as usize + 1;

#[derive(Clone)]
pub(super) struct TextTokenizer {
    analyzer: Analyzer,
    token: Token,
}

impl TextTokenizer {
    pub(super) fn new(analyzer: Analyzer) -> Self {
        Self {
            analyzer,
            token: Token::default(),
        }
    }
}

impl Tokenizer for TextTokenizer {
    type TokenStream<'a> = Tokens<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Tokens<'a> {
        self.token.reset();
        self.token.position_length = APART;
        Tokens {
            cutter: Cutter::new(self.analyzer.folding, text),
            stemmer: self.analyzer.language.map(frostem::Stemmer::new),
            token: &mut self.token,
        }
    }
}

pub(super) struct Tokens<'a> {
    cutter: Cutter<'a>,
    stemmer: Option<frostem::Stemmer>,
    token: &'a mut Token,
}

impl TokenStream for Tokens<'_> {
    #[inline]
    fn advance(&mut self) -> bool {
        self.token.text.clear();
        let Some(cut) = self.cutter.next(&mut self.token.text) else {
            return false;
        };
        if let (Some(stemmer), Kind::Word) = (self.stemmer, cut.kind) {
            stem(stemmer, &mut self.token.text);
        }
        self.token.offset_from = cut.from;
        self.token.offset_to = cut.to;
        self.token.position = self.token.position.wrapping_add(1);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// Replaces a word by its stem. A word without a stem stays, so that stemming doesn't change the number of tokens.
pub(super) fn stem(stemmer: frostem::Stemmer, word: &mut String) {
    let stem = match stemmer.stem(word) {
        Cow::Borrowed(stem) if stem.len() == word.len() => return,
        stem => stem.into_owned(),
    };
    if !stem.is_empty() {
        *word = stem;
        word.truncate(word.floor_char_boundary(MAX_BYTES));
    }
}
