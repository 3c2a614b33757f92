//! What analysis knows of each character.
//!
//! The facts come from Unicode's data and are worked out once for each page of 256 characters, when a text first has one of them.

use std::collections::HashSet;
use std::iter;
use std::sync::{LazyLock, OnceLock};

use icu_normalizer::DecomposingNormalizerBorrowed;
use icu_normalizer::properties::{CanonicalDecompositionBorrowed, Decomposed};
use icu_properties::props::{GeneralCategoryGroup, Script};
use icu_properties::script::ScriptWithExtensions;

use super::folding::{CLASSES, Folding, category, is_accent, is_ignorable, script};

/// What a folded character does in a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// It ends tokens.
    Separator,
    /// It belongs to a word.
    Word,
    /// It belongs to a script that doesn't put spaces between words.
    Unspaced,
    /// It is a mark of many scripts. It belongs to what the character before it belongs to.
    Mark,
}

/// What folding does with a raw character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    /// It isn't part of a run of letters, digits and marks.
    None,
    /// Nothing before it changes what it folds to: a character of this class.
    To(char, Class),
    /// Nothing before it changes what it folds to: this part of the page's expansions.
    Expand(u16, u16),
    /// A mark that folds to itself. It changes no character before it.
    Mark(Class),
    /// It may combine with characters before it, or vanish. It has to be folded together with them.
    Joined,
}

/// A raw character's folding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) fold: Fold,
    /// What the raw character itself is, unfolded.
    pub(super) class: Class,
    /// The canonical combining class of its last folded character. A [`Fold::Mark`] of at least this class can follow without a change of
    /// order.
    pub(super) order: u8,
}

impl Entry {
    const NONE: Self = Self {
        fold: Fold::None,
        class: Class::Separator,
        order: 0,
    };
    /// The order of characters that every mark has to be folded together with.
    const LAST: u8 = u8::MAX;

    pub(super) fn is_in_run(self) -> bool {
        self.class != Class::Separator
    }

    /// Whether the character has to be looked at together with the one before it.
    pub(super) fn follows(self) -> bool {
        matches!(self.fold, Fold::Mark(_) | Fold::Joined)
    }
}

struct Page {
    entries: [Entry; 256],
    expansions: String,
}

/// The characters under one kind of folding.
pub(super) struct Characters {
    folding: Folding,
    pages: [OnceLock<Box<Page>>; PAGES],
}

const PAGES: usize = 0x11_0000 / 256;

static CASE: Characters = Characters::new(Folding::Case);
static ACCENTS: Characters = Characters::new(Folding::Accents);

impl Characters {
    const fn new(folding: Folding) -> Self {
        Self {
            folding,
            pages: [const { OnceLock::new() }; PAGES],
        }
    }

    pub(super) fn of(folding: Folding) -> &'static Self {
        match folding {
            Folding::Case => &CASE,
            Folding::Accents => &ACCENTS,
        }
    }

    pub(super) fn folding(&self) -> Folding {
        self.folding
    }

    #[inline]
    fn page(&self, letter: char) -> &Page {
        let number = letter as usize / 256;
        self.pages[number].get_or_init(|| Box::new(Page::new(self.folding, number)))
    }

    #[inline]
    pub(super) fn get(&self, letter: char) -> Entry {
        self.page(letter).entries[letter as usize % 256]
    }

    /// Returns what a raw character with [`Fold::Expand`] folds to.
    pub(super) fn expansion(&self, letter: char, from: u16, to: u16) -> &str {
        &self.page(letter).expansions[usize::from(from)..usize::from(to)]
    }
}

impl Page {
    fn new(folding: Folding, number: usize) -> Self {
        let mut expansions = String::new();
        let entries = std::array::from_fn(|low| {
            let letter = u32::try_from(number * 256 + low).ok();
            letter
                .and_then(char::from_u32)
                .map_or(Entry::NONE, |letter| {
                    entry(folding, letter, &mut expansions)
                })
        });
        Self {
            entries,
            expansions,
        }
    }
}

fn entry(folding: Folding, letter: char, expansions: &mut String) -> Entry {
    let class = class(letter);
    if class == Class::Separator {
        return Entry::NONE;
    }
    let (fold, order) = fold(folding, letter, expansions).unwrap_or((Fold::Joined, Entry::LAST));
    Entry { fold, class, order }
}

/// Returns what folding does with the character, and its order, unless it has to be folded together with those before it.
fn fold(folding: Folding, letter: char, expansions: &mut String) -> Option<(Fold, u8)> {
    let folded = folding.fold(letter.encode_utf8(&mut [0; 4]));
    let mut letters = folded.chars();
    let first = letters.next()?;
    let last = letters.next_back();
    let order = CLASSES.get_u8(letter);
    let is_removed = folding == Folding::Accents && is_accent(letter);
    if order != 0 && folded.chars().eq([letter]) && !combines(letter) && !is_removed {
        return Some((Fold::Mark(class(letter)), order));
    }
    let decomposed = NFKD.normalize_iter(iter::once(letter)).next()?;
    let starts = |letter| CLASSES.get_u8(letter) == 0 && !combines(letter);
    if is_ignorable(letter) || !starts(decomposed) || !starts(first) {
        return None;
    }
    let Some(last) = last else {
        return Some((Fold::To(first, class(first)), 0));
    };
    let from = u16::try_from(expansions.len()).ok()?;
    let to = u16::try_from(expansions.len() + folded.len()).ok()?;
    expansions.push_str(&folded);
    let is_whole = DECOMPOSITION.decompose(letter) == Decomposed::Default;
    // A mark might have to go between what the character is decomposed into.
    let order = if is_whole {
        CLASSES.get_u8(last)
    } else {
        Entry::LAST
    };
    Some((Fold::Expand(from, to), order))
}

const NFKD: DecomposingNormalizerBorrowed<'_> = DecomposingNormalizerBorrowed::new_nfkd();
const DECOMPOSITION: CanonicalDecompositionBorrowed<'_> = CanonicalDecompositionBorrowed::new();

/// Whether the character is a letter, a digit or other number, or a mark, by its general category.
fn is_in_run(letter: char) -> bool {
    let category = category(letter);
    GeneralCategoryGroup::Letter.contains(category)
        || GeneralCategoryGroup::Number.contains(category)
        || GeneralCategoryGroup::Mark.contains(category)
}

/// Returns the class of a folded character.
fn class(letter: char) -> Class {
    const UNSPACED: [Script; 8] = [
        Script::Han,
        Script::Hiragana,
        Script::Katakana,
        Script::Hangul,
        Script::Thai,
        Script::Lao,
        Script::Khmer,
        Script::Myanmar,
    ];
    let is_mark = GeneralCategoryGroup::Mark.contains(category(letter));
    if !is_in_run(letter) {
        Class::Separator
    } else if is_mark && matches!(script(letter), Script::Inherited | Script::Common) {
        Class::Mark
    } else if UNSPACED
        .iter()
        .any(|&script| ScriptWithExtensions::new().has_script(letter, script))
    {
        Class::Unspaced
    } else {
        Class::Word
    }
}

/// Whether the character is the second one of some canonical decomposition, so that it may combine with the character before it.
pub(super) fn combines(letter: char) -> bool {
    static SECONDS: LazyLock<HashSet<char>> = LazyLock::new(|| {
        // What lies between and above these has no decomposition into two characters.
        let numbers = (0..0x3400).chain(0xA000..0x2_0000);
        let letters = numbers.filter_map(char::from_u32);
        letters
            .filter_map(|letter| match DECOMPOSITION.decompose(letter) {
                Decomposed::Expansion(_, second) => Some(second),
                Decomposed::Default | Decomposed::Singleton(_) => None,
            })
            .collect()
    });
    SECONDS.contains(&letter)
}
