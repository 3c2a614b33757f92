//! The folding of text: what counts as the same spelling.

use std::borrow::Cow;

use icu_casemap::{CaseMapper, CaseMapperBorrowed};
use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, Script};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Which spellings of a word are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Folding {
    /// Those that differ in case and in Unicode's compatibility forms: the mapping `toNFKC_Casefold` of the Unicode Standard.
    Case,
    /// Those that differ in accents too.
    Accents,
}

const NFC: ComposingNormalizerBorrowed<'_> = ComposingNormalizerBorrowed::new_nfc();
const NFD: DecomposingNormalizerBorrowed<'_> = DecomposingNormalizerBorrowed::new_nfd();
const NFKC: ComposingNormalizerBorrowed<'_> = ComposingNormalizerBorrowed::new_nfkc();
const CASE: CaseMapperBorrowed<'_> = CaseMapper::new();
pub(super) const CLASSES: CanonicalCombiningClassMapBorrowed<'_> =
    CanonicalCombiningClassMapBorrowed::new();

/// Whether the character is never shown, such as a variation selector. Folding removes it.
pub(super) fn is_ignorable(letter: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(letter)
}

pub(super) fn script(letter: char) -> Script {
    CodePointMapData::<Script>::new().get(letter)
}

pub(super) fn category(letter: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(letter)
}

/// Whether accent folding removes marks from letters of the script.
fn has_accents(script: Script) -> bool {
    matches!(script, Script::Latin | Script::Greek | Script::Cyrillic)
}

/// Whether the character is a mark that accent folding removes from a letter with accents.
pub(super) fn is_accent(mark: char) -> bool {
    let script = script(mark);
    CLASSES.get_u8(mark) != 0
        && category(mark) == GeneralCategory::NonspacingMark
        && (script == Script::Inherited || has_accents(script))
}

impl Folding {
    pub(super) fn fold(self, text: &str) -> String {
        let text: Cow<'_, str> = if text.contains(is_ignorable) {
            text.chars()
                .filter(|&letter| !is_ignorable(letter))
                .collect()
        } else {
            text.into()
        };
        let text = NFD.normalize(&text);
        let text = CASE.fold_string(&text);
        let text = NFKC.normalize(&text);
        let text = CASE.fold_string(&text);
        let text = NFKC.normalize(&text);
        match self {
            Self::Case => text.into_owned(),
            Self::Accents => without_accents(&text),
        }
    }
}

/// Removes the accents of folded text.
fn without_accents(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut on_letter = false;
    for letter in NFD.normalize(text).chars() {
        if CLASSES.get_u8(letter) == 0 {
            on_letter = has_accents(script(letter));
        } else if on_letter && is_accent(letter) {
            continue;
        }
        match base(letter) {
            Some(base) => bare.push_str(base),
            None => bare.push(letter),
        }
    }
    NFC.normalize(&bare).into_owned()
}

/// Returns what one types for a letter that Unicode doesn't take apart, because its stroke or ligature is part of it.
const fn base(letter: char) -> Option<&'static str> {
    Some(match letter {
        'æ' => "ae",
        'ð' | 'đ' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ĸ' => "k",
        'ł' => "l",
        'ŋ' => "n",
        'ø' => "o",
        'œ' => "oe",
        'þ' => "th",
        'ŧ' => "t",
        _ => return None,
    })
}
