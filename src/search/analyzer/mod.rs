//! The analysis of text: how it is cut into the tokens that are indexed and searched for.

mod characters;
mod cut;
mod folding;
mod tokenizer;
mod walk;

#[cfg(test)]
mod pinned;
#[cfg(test)]
mod tests;

use std::fmt;

use frostem::Algorithm;
use tantivy::tokenizer::TextAnalyzer;

use self::cut::{Cutter, Kind};
use self::folding::Folding;
use self::tokenizer::{TextTokenizer, stem};
use crate::error::{AnalyzerError, Excerpt};

/// The analysis of a text field: how text is cut into tokens, for documents and queries alike.
///
/// The same spelling in another form of Unicode or another case is the same word. A word is a run of letters, digits and marks. Scripts
/// that don't put spaces between words are found by any neighbouring characters.
///
/// An analyzer has a name. The same name stands for the same tokens in every version of this crate: another way to cut text will get
/// another number.
///
/// | name | analysis |
/// | --- | --- |
/// | `text-1` | the steps below; the default |
/// | `text-1-folded` | accents are folded too |
/// | `text-1-english` | words are stemmed in this language |
/// | `text-1-folded-english` | accents are folded, then words are stemmed |
///
/// The languages are arabic, danish, dutch, english, finnish, french, german, greek, hungarian, italian, norwegian, portuguese, romanian,
/// russian, spanish, swedish, tamil and turkish.
///
/// # The steps
/// 1. The text is split into maximal runs of letters, numbers and marks (Unicode's general categories L, N and M). Numbers include `½` and
///    `²`. Symbols are separators, among them circled letters such as `Ⓐ`.
/// 2. Each run is folded by Unicode's `toNFKC_Casefold`: full case folding, no difference between composed and decomposed characters,
///    between `ﬁ` and `fi`, or between full-width and other letters, and no invisible characters. It is the same in every language, so `İ`
///    is found by `İ` but not by `i`, and `ß` is `ss`. Where folding makes a separator, the run is split: `½` is `1` and `2`.
/// 3. Han, Hiragana, Katakana, Hangul, Thai, Lao, Khmer and Myanmar are cut into pairs of neighbouring characters, and the last one alone
///    (after folding, by `Script_Extensions`). Other scripts within the same run are words of their own: «使用Rust编写» has the word `rust`.
///    Marks and signs of many scripts belong to what they follow.
/// 4. A longer word than 255 bytes is indexed and searched for by its first 255 bytes, cut at a character.
///
/// Accent folding takes the nonspacing marks from Latin, Greek and Cyrillic letters, so `café` is `cafe` and `й` is `и`. Letters with a
/// stroke and ligatures become what one types for them: `ø` `o`, `ł` `l`, `đ` and `ð` `d`, `ħ` `h`, `ŧ` `t`, `ı` `i`, `ĸ` `k`, `ŋ` `n`,
/// `æ` `ae`, `œ` `oe`, `þ` `th`. Stemming uses the Snowball stemmers. Where both are asked for, accents are folded first, so that a word
/// without its accents has the same stem.
///
/// ```
/// use tickring::search::Analyzer;
///
/// let analyzer = Analyzer::by_name("text-1-folded-english")?;
/// assert_eq!(analyzer.name(), "text-1-folded-english");
/// assert_eq!(Analyzer::default().name(), "text-1");
/// # Ok::<(), tickring::search::AnalyzerError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Analyzer {
    folding: Folding,
    language: Option<Algorithm>,
}

const LANGUAGES: [Algorithm; 18] = [
    Algorithm::Arabic,
    Algorithm::Danish,
    Algorithm::Dutch,
    Algorithm::English,
    Algorithm::Finnish,
    Algorithm::French,
    Algorithm::German,
    Algorithm::Greek,
    Algorithm::Hungarian,
    Algorithm::Italian,
    Algorithm::Norwegian,
    Algorithm::Portuguese,
    Algorithm::Romanian,
    Algorithm::Russian,
    Algorithm::Spanish,
    Algorithm::Swedish,
    Algorithm::Tamil,
    Algorithm::Turkish,
];

/// A token of a word or phrase in a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueryToken {
    /// Its distance from the beginning, in tokens of a document.
    pub(crate) position: usize,
    pub(crate) text: String,
    /// Whether it stands for every token that begins with it: it is a single character of a script without spaces, at the end of the query.
    pub(crate) is_prefix: bool,
}

/// The number of tokens of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counted {
    pub(crate) tokens: u64,
    /// How many of them are the beginning of a longer word.
    pub(crate) shortened: u64,
}

impl Analyzer {
    /// The greatest length of a token in bytes.
    pub(crate) const MAX_TOKEN_BYTES: usize = cut::MAX_BYTES;

    /// Returns all analyzers.
    pub fn all() -> impl Iterator<Item = Self> {
        [Folding::Case, Folding::Accents]
            .into_iter()
            .flat_map(|folding| {
                let languages = LANGUAGES.into_iter().map(Some);
                let languages = std::iter::once(None).chain(languages);
                languages.map(move |language| Self { folding, language })
            })
    }

    /// Returns the analyzer with this name.
    ///
    /// # Errors
    /// [`AnalyzerError::UnknownName`] if there is none.
    pub fn by_name(name: &str) -> Result<Self, AnalyzerError> {
        let mut all = Self::all();
        let found = all.find(|analyzer| analyzer.name() == name);
        found.ok_or_else(|| AnalyzerError::UnknownName {
            name: Excerpt::new(name),
        })
    }

    /// Returns the analyzer's name.
    pub fn name(&self) -> String {
        self.to_string()
    }

    /// Returns what cuts the texts of an index. Its offsets are places in the raw text.
    pub(crate) fn tokenizer(self) -> TextAnalyzer {
        TextAnalyzer::from(TextTokenizer::new(self))
    }

    /// Counts the tokens that the [`tokenizer`](Self::tokenizer) makes of the text, without making them.
    pub(crate) fn count(self, text: &str) -> Counted {
        let mut cutter = Cutter::new(self.folding, text);
        let mut counted = Counted::default();
        while let Some(cut) = cutter.next(&mut ()) {
            counted.tokens += 1;
            counted.shortened += u64::from(cut.is_shortened);
        }
        counted
    }

    /// Returns the tokens of a word or phrase in a query. Where a document has them at these distances, it has the phrase.
    ///
    /// The last character of a run without spaces is left out if its pair is there, because the run may go on in the document.
    pub(crate) fn query_tokens(self, text: &str) -> Vec<QueryToken> {
        let stemmer = self.language.map(frostem::Stemmer::new);
        let mut cutter = Cutter::new(self.folding, text);
        let mut tokens = Vec::new();
        let mut position = 0;
        let mut ends_alone = false;
        let mut word = String::new();
        while let Some(cut) = cutter.next(&mut word) {
            let mut text = std::mem::take(&mut word);
            if let (Some(stemmer), Kind::Word) = (stemmer, cut.kind) {
                stem(stemmer, &mut text);
            }
            ends_alone = cut.kind == Kind::Last { is_only: true };
            if cut.kind != (Kind::Last { is_only: false }) {
                tokens.push(QueryToken {
                    position,
                    text,
                    is_prefix: false,
                });
            }
            position += 1;
        }
        if let Some(last) = tokens.last_mut() {
            last.is_prefix = ends_alone;
        }
        tokens
    }

    /// Returns the analyzer that does the same but for stemming.
    pub(crate) const fn without_stemming(self) -> Self {
        Self {
            folding: self.folding,
            language: None,
        }
    }

    /// Folds a text without splitting or stemming it, for patterns.
    pub(crate) fn fold(self, text: &str) -> String {
        self.folding.fold(text)
    }
}

impl Default for Analyzer {
    /// Returns `text-1`.
    fn default() -> Self {
        Self {
            folding: Folding::Case,
            language: None,
        }
    }
}

impl fmt::Display for Analyzer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.folding {
            Folding::Case => "text-1",
            Folding::Accents => "text-1-folded",
        })?;
        match self.language {
            Some(language) => write!(f, "-{}", language.name()),
            None => Ok(()),
        }
    }
}
