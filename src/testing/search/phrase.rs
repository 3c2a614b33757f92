//! What a word or phrase of a query asks for, after analysis.

use super::analysis::is_unspaced;
use super::naive::{Tokens, tokenize};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Phrase {
    /// The terms, with their places.
    pub words: Tokens,
    /// What any term at a place after them has to begin with.
    pub prefix: Option<(usize, String)>,
}

impl Phrase {
    /// Analyzes the words of a phrase, or one word.
    ///
    /// In scripts without spaces, a word's last character alone is left out, since the text may go on there. If it is the whole word, it is the
    /// end of what was before, and at the end of the phrase it is a beginning.
    pub fn of(words: &[String]) -> Self {
        let (mut terms, mut place) = (Tokens::new(), 0);
        let mut is_alone = false;
        for word in words {
            let tokens = tokenize(word);
            let is_unspaced = word.chars().all(is_unspaced);
            is_alone = is_unspaced && tokens.len() == 1;
            let kept = tokens.len() - usize::from(is_unspaced && !is_alone);
            let kept = tokens.iter().take(kept);
            terms.extend(kept.map(|(offset, token)| (place + offset, token.clone())));
            place += tokens.len();
        }
        let prefix = if is_alone { terms.pop() } else { None };
        Self {
            words: terms,
            prefix,
        }
    }
}
