//! The naive model of analysis, over whole strings, and a comparison of an analyzer with it.

use frostem::Stemmer;
use icu_casemap::CaseMapper;
use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, Script};
use icu_properties::script::ScriptWithExtensions;
use icu_properties::{CodePointMapData, CodePointSetData};
use tantivy::tokenizer::TextAnalyzer;

use crate::search::Analyzer;

/// An analyzer by its definition.
#[derive(Debug, Clone, Copy)]
pub struct NaiveAnalyzer {
    folds_accents: bool,
    language: Option<&'static str>,
}

impl NaiveAnalyzer {
    /// Returns the model of an analyzer by its name.
    pub fn new(name: &str) -> Self {
        let mut parts = name.strip_prefix("text-1").unwrap().split('-').skip(1);
        let mut part = parts.next();
        let folds_accents = part == Some("folded");
        if folds_accents {
            part = parts.next();
        }
        assert_eq!(parts.next(), None);
        let language = part.map(|language| Stemmer::try_from_name(language).unwrap());
        Self {
            folds_accents,
            language: language.map(|stemmer| stemmer.algorithm().name()),
        }
    }

    /// Returns the tokens of a text. A token's position is its place among them.
    pub fn tokens(&self, text: &str) -> Vec<String> {
        let mut tokens = Vec::new();
        for run in text.split(|letter| !is_in_run(letter)) {
            let folded: Vec<char> = self.fold(run).chars().collect();
            let classes = classes(&folded);
            let mut start = 0;
            while start < folded.len() {
                let class = classes[start];
                let length = classes[start..].iter().take_while(|c| **c == class);
                let end = start + length.count();
                let part = &folded[start..end];
                match class {
                    ' ' => {}
                    'w' => tokens.push(self.stem(&shortened(part))),
                    _ => {
                        for at in 0..part.len() {
                            tokens.push(part[at..part.len().min(at + 2)].iter().collect());
                        }
                    }
                }
                start = end;
            }
        }
        tokens
    }

    /// Returns how many words of the text are longer than a token can be.
    pub fn shortened(&self, text: &str) -> usize {
        let mut count = 0;
        for run in text.split(|letter| !is_in_run(letter)) {
            let folded: Vec<char> = self.fold(run).chars().collect();
            let classes = classes(&folded);
            let letters = folded.iter().zip(&classes);
            let only_words =
                letters.map(|(letter, class)| if *class == 'w' { *letter } else { ' ' });
            let only_words: String = only_words.collect();
            count += only_words
                .split(' ')
                .filter(|word| word.len() > 255)
                .count();
        }
        count
    }

    pub fn fold(&self, text: &str) -> String {
        let nfc = ComposingNormalizerBorrowed::new_nfc();
        let nfd = DecomposingNormalizerBorrowed::new_nfd();
        let nfkc = ComposingNormalizerBorrowed::new_nfkc();
        let case = CaseMapper::new();
        let hidden = CodePointSetData::new::<DefaultIgnorableCodePoint>();
        let shown: String = text.chars().filter(|c| !hidden.contains(*c)).collect();
        let text = case.fold_string(&nfd.normalize(&shown)).into_owned();
        let text = nfkc.normalize(&text).into_owned();
        let text = case.fold_string(&text).into_owned();
        let text = nfkc.normalize(&text).into_owned();
        if !self.folds_accents {
            return text;
        }
        let letters: Vec<char> = nfd.normalize(&text).chars().collect();
        let mut bare = String::new();
        for (at, letter) in letters.iter().enumerate() {
            let base = letters[..=at].iter().rev().find(|c| order(**c) == 0);
            let on_letter = base.is_some_and(|base| has_accents(script(*base)));
            if !(on_letter && is_accent(*letter)) {
                bare.push(*letter);
            }
        }
        for (letter, typed) in [
            ('æ', "ae"),
            ('ð', "d"),
            ('đ', "d"),
            ('ħ', "h"),
            ('ı', "i"),
            ('ĸ', "k"),
            ('ł', "l"),
            ('ŋ', "n"),
            ('ø', "o"),
            ('œ', "oe"),
            ('þ', "th"),
            ('ŧ', "t"),
        ] {
            bare = bare.replace(letter, typed);
        }
        nfc.normalize(&bare).into_owned()
    }

    fn stem(&self, word: &str) -> String {
        let Some(language) = self.language else {
            return word.to_owned();
        };
        let stem = Stemmer::try_from_name(language).unwrap().stem(word);
        if stem.is_empty() {
            word.to_owned()
        } else {
            shortened(&stem.chars().collect::<Vec<_>>())
        }
    }
}

fn shortened(word: &[char]) -> String {
    let mut short = String::new();
    for letter in word {
        if short.len() + letter.len_utf8() > 255 {
            break;
        }
        short.push(*letter);
    }
    short
}

fn order(letter: char) -> u8 {
    CanonicalCombiningClassMapBorrowed::new().get_u8(letter)
}

fn script(letter: char) -> Script {
    CodePointMapData::<Script>::new().get(letter)
}

fn has_accents(script: Script) -> bool {
    [Script::Latin, Script::Greek, Script::Cyrillic].contains(&script)
}

fn is_accent(mark: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(mark);
    let script = script(mark);
    category == GeneralCategory::NonspacingMark
        && order(mark) != 0
        && (script == Script::Inherited || has_accents(script))
}

/// Returns the general category's first letter in Unicode's notation, for those that analysis asks for.
fn category(letter: char) -> char {
    use GeneralCategory::{
        DecimalNumber, EnclosingMark, LetterNumber, LowercaseLetter, ModifierLetter,
        NonspacingMark, OtherLetter, OtherNumber, SpacingMark, TitlecaseLetter, UppercaseLetter,
    };
    match CodePointMapData::<GeneralCategory>::new().get(letter) {
        UppercaseLetter | LowercaseLetter | TitlecaseLetter | ModifierLetter | OtherLetter => 'L',
        DecimalNumber | LetterNumber | OtherNumber => 'N',
        NonspacingMark | SpacingMark | EnclosingMark => 'M',
        _ => ' ',
    }
}

pub fn is_in_run(letter: char) -> bool {
    category(letter) != ' '
}

/// Whether the character's script puts no spaces between words.
pub fn is_unspaced(letter: char) -> bool {
    let scripts = ScriptWithExtensions::new();
    let extensions = scripts.get_script_extensions_val(letter);
    [
        Script::Han,
        Script::Hiragana,
        Script::Katakana,
        Script::Hangul,
        Script::Thai,
        Script::Lao,
        Script::Khmer,
        Script::Myanmar,
    ]
    .iter()
    .any(|script| extensions.contains(script))
}

/// Returns a class for each character of a folded run: ` ` separates, `w` is a part of a word, `p` of pairs.
fn classes(folded: &[char]) -> Vec<char> {
    let mut classes: Vec<char> = Vec::new();
    for letter in folded {
        let before = classes.last().copied().unwrap_or(' ');
        let of_many = [Script::Common, Script::Inherited].contains(&script(*letter));
        classes.push(match category(*letter) {
            ' ' => ' ',
            'M' if of_many && before == 'p' => 'p',
            'M' if of_many => 'w',
            _ if is_unspaced(*letter) => 'p',
            _ => 'w',
        });
    }
    classes
}

/// Returns the tokenizer of the analyzer with this name.
pub fn tokenizer(name: &str) -> TextAnalyzer {
    Analyzer::by_name(name).unwrap().tokenizer()
}

/// Compares an analyzer with its model on a text, and checks offsets, counts and the tokens of the text as a query.
pub fn check_analysis(analyzer: Analyzer, text: &str) {
    let naive = NaiveAnalyzer::new(&analyzer.name());
    let mut tokens = Vec::new();
    let mut from = 0;
    analyzer
        .tokenizer()
        .token_stream(text)
        .process(&mut |token| {
            assert_eq!(token.position, tokens.len());
            assert!(from <= token.offset_from && token.offset_from < token.offset_to);
            from = token.offset_from;
            assert!(token.text.len() <= Analyzer::MAX_TOKEN_BYTES && !token.text.is_empty());
            let raw = &text[token.offset_from..token.offset_to];
            if naive.language.is_none() {
                let folded = naive.fold(raw);
                assert!(folded.contains(&token.text), "{raw:?} {token:?}");
            }
            tokens.push(token.text.clone());
        });
    assert_eq!(tokens, naive.tokens(text), "{analyzer} {text:?}");
    let counted = analyzer.count(text);
    assert_eq!(counted.tokens, tokens.len() as u64, "{analyzer} {text:?}");
    assert_eq!(
        counted.shortened,
        naive.shortened(text) as u64,
        "{analyzer} {text:?}"
    );
    assert_eq!(analyzer.fold(text), naive.fold(text), "{analyzer} {text:?}");
    for token in analyzer.query_tokens(text) {
        let of_document = &tokens[token.position];
        assert_eq!(of_document, &token.text, "{analyzer} {text:?}");
        assert!(!token.is_prefix || token.position + 1 == tokens.len());
    }
    assert_eq!(
        analyzer.query_tokens(text).is_empty(),
        tokens.is_empty(),
        "{analyzer} {text:?}"
    );
}

/// Runs the input's text through the analyzer that its first byte chooses.
pub fn run_analyzer(data: &[u8]) {
    if let Some((first, rest)) = data.split_first() {
        let all = Analyzer::all().count();
        let analyzer = Analyzer::all().nth(usize::from(*first) % all).unwrap();
        check_analysis(analyzer, &String::from_utf8_lossy(rest));
    }
}
