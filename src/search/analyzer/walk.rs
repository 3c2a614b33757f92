//! A walk through a text, one folded character after the other.

use super::characters::{Characters, Class, Entry, Fold};

/// A folded character, and the raw bytes that it comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Folded {
    pub(super) letter: char,
    /// Never [`Class::Mark`].
    pub(super) class: Class,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// A raw character.
#[derive(Clone, Copy)]
struct Raw {
    letter: char,
    entry: Entry,
    from: usize,
    to: usize,
}

/// The folded characters of a text.
///
/// A run of letters, digits and marks is folded as a whole by definition. The walk folds it in groups: a character that nothing before it
/// changes, and those after it that have to be folded together with it. Nearly all groups are one character, which is looked up.
pub(super) struct Walk<'a> {
    characters: &'static Characters,
    text: &'a str,
    /// The raw bytes before this place have been folded.
    at: usize,
    /// The raw bytes between `at` and this place are marks that fold to themselves.
    marks_end: usize,
    group: Group,
    /// The class of the folded character before.
    before: Class,
}

/// What a group of several characters folds to.
#[derive(Default)]
struct Group {
    folded: String,
    taken: usize,
    from: usize,
    to: usize,
}

/// What a byte of a text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Byte {
    /// An ASCII character that is no letter or digit.
    Separator,
    /// An ASCII letter or digit.
    Word,
    /// A part of another character.
    Other,
}

static BYTES: [Byte; 256] = {
    let mut bytes = [Byte::Other; 256];
    let mut byte = 0_u8;
    while byte.is_ascii() {
        bytes[byte as usize] = if byte.is_ascii_alphanumeric() {
            Byte::Word
        } else {
            Byte::Separator
        };
        byte += 1;
    }
    bytes
};

impl<'a> Walk<'a> {
    pub(super) fn new(characters: &'static Characters, text: &'a str) -> Self {
        Self {
            characters,
            text,
            at: 0,
            marks_end: 0,
            group: Group::default(),
            before: Class::Separator,
        }
    }

    /// Skips ASCII separators, and returns the word that follows if all of it is ASCII. At the beginning of a word only.
    #[inline]
    pub(super) fn ascii_word(&mut self) -> Option<&'a str> {
        if self.group.taken < self.group.folded.len() {
            return None;
        }
        let bytes = self.text.as_bytes();
        let kind_at = |at: usize| bytes.get(at).map(|&byte| BYTES[usize::from(byte)]);
        let mut from = self.at;
        while kind_at(from) == Some(Byte::Separator) {
            from += 1;
        }
        let mut to = from;
        while kind_at(to) == Some(Byte::Word) {
            to += 1;
        }
        let is_cut = kind_at(to) == Some(Byte::Other)
            && self.raw(to).is_some_and(|next| next.entry.is_in_run());
        self.at = if is_cut { from } else { to };
        (from < self.at).then(|| &self.text[from..to])
    }

    /// Returns the place of the text before which everything has been folded.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Takes letters of a word for as long as each folds by itself. Returns where they end, if there are any.
    #[inline]
    pub(super) fn plain_letters(&mut self, mut take: impl FnMut(char)) -> Option<usize> {
        if self.group.taken < self.group.folded.len() {
            return None;
        }
        let from = self.at;
        let mut raw = self.raw(from);
        while let Some(plain) = raw
            && let Fold::To(letter, Class::Word) = plain.entry.fold
        {
            raw = self.raw(plain.to);
            if raw.is_some_and(|next| next.entry.follows()) {
                break;
            }
            take(letter);
            self.at = plain.to;
        }
        (from < self.at).then(|| {
            self.before = Class::Word;
            self.at
        })
    }

    #[inline]
    fn raw(&self, from: usize) -> Option<Raw> {
        let letter = self.text[from..].chars().next()?;
        Some(Raw {
            letter,
            entry: self.characters.get(letter),
            from,
            to: from + letter.len_utf8(),
        })
    }

    /// Returns the character at this place if it has to be looked at together with the one before it.
    #[inline]
    fn follower(&self, from: usize) -> Option<Raw> {
        if self.text.as_bytes().get(from).is_none_or(u8::is_ascii) {
            return None;
        }
        self.raw(from).filter(|raw| raw.entry.follows())
    }

    /// Returns whether all that follows the character and belongs to its group are marks that change nothing before them.
    #[inline]
    fn only_marks_follow(&mut self, raw: Raw) -> bool {
        let (mut order, mut end) = (raw.entry.order, raw.to);
        while let Some(next) = self.follower(end) {
            if !matches!(next.entry.fold, Fold::Mark(_)) || next.entry.order < order {
                return false;
            }
            (order, end) = (next.entry.order, next.to);
        }
        self.marks_end = end;
        true
    }

    /// Folds the group that begins at this place.
    fn fold_group(&mut self, raw: Raw) {
        self.at = raw.to;
        while let Some(next) = self.follower(self.at) {
            self.at = next.to;
        }
        let group = &self.text[raw.from..self.at];
        self.group = Group {
            folded: self.characters.folding().fold(group),
            taken: 0,
            from: raw.from,
            to: self.at,
        };
    }

    fn next_of_group(&mut self) -> Option<Folded> {
        let letter = self.group.folded[self.group.taken..].chars().next()?;
        self.group.taken += letter.len_utf8();
        let class = self.characters.get(letter).class;
        Some(self.folded(letter, class, self.group.from, self.group.to))
    }

    #[inline]
    fn folded(&mut self, letter: char, class: Class, from: usize, to: usize) -> Folded {
        self.before = match (class, self.before) {
            (Class::Mark, Class::Unspaced) => Class::Unspaced,
            (Class::Mark, _) => Class::Word,
            (class, _) => class,
        };
        Folded {
            letter,
            class: self.before,
            from,
            to,
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = Folded;

    #[inline]
    fn next(&mut self) -> Option<Folded> {
        loop {
            if self.group.taken < self.group.folded.len() {
                return self.next_of_group();
            }
            let raw = self.raw(self.at)?;
            match raw.entry.fold {
                Fold::None => {
                    self.at = raw.to;
                    return Some(self.folded(raw.letter, Class::Separator, raw.from, raw.to));
                }
                Fold::Mark(class) if raw.from < self.marks_end => {
                    self.at = raw.to;
                    return Some(self.folded(raw.letter, class, raw.from, raw.to));
                }
                Fold::To(letter, class) if self.only_marks_follow(raw) => {
                    self.at = raw.to;
                    return Some(self.folded(letter, class, raw.from, raw.to));
                }
                Fold::Expand(from, to) if self.only_marks_follow(raw) => {
                    self.at = raw.to;
                    let expansion = self.characters.expansion(raw.letter, from, to);
                    self.group.folded.clear();
                    self.group.folded.push_str(expansion);
                    (self.group.taken, self.group.from, self.group.to) = (0, raw.from, raw.to);
                }
                _ => self.fold_group(raw),
            }
        }
    }
}
