//! Wildcard patterns, and the automaton that finds the terms which match one.

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};
use tantivy_fst::Automaton;

/// A pattern with wildcards: `?` stands for one code point with the marks that follow it, `*` for any number of code points, also none. A
/// backslash takes the meaning from the character after it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::search) struct Wildcard(Box<[Element]>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Element {
    Letter(char),
    One,
    Any,
}

impl Wildcard {
    /// The greatest length of a pattern, in bytes.
    pub(in crate::search) const MAX_BYTES: usize = 255;

    /// Reads a pattern. `None` if it is too long.
    pub(in crate::search) fn new(pattern: &str) -> Option<Self> {
        if pattern.len() > Self::MAX_BYTES {
            return None;
        }
        let mut elements = Vec::new();
        let mut letters = pattern.chars();
        while let Some(letter) = letters.next() {
            elements.push(match letter {
                '?' => Element::One,
                '*' => Element::Any,
                '\\' => Element::Letter(letters.next().unwrap_or('\\')),
                letter => Element::Letter(letter),
            });
        }
        Some(Self(elements.into()))
    }

    /// Returns what each match begins with.
    pub(super) fn literal_prefix(&self) -> String {
        let letter = |element: &Element| match element {
            Element::Letter(letter) => Some(*letter),
            Element::One | Element::Any => None,
        };
        self.0.iter().map_while(letter).collect()
    }

    /// Adds the place before an element, and those that are reached without a code point.
    fn reach(&self, places: &mut Places, mut place: usize) {
        places.insert(place);
        while self.0.get(place) == Some(&Element::Any) {
            place += 1;
            places.insert(place);
        }
    }

    fn read(&self, state: &State, letter: char) -> State {
        let mut next = State::default();
        let is_mark = is_mark(letter);
        if is_mark {
            next.behind_one = state.behind_one;
        }
        let mut step = |place: usize| match self.0.get(place) {
            Some(Element::Letter(own)) if *own == letter => self.reach(&mut next.places, place + 1),
            Some(Element::One) => self.reach(&mut next.behind_one, place + 1),
            Some(Element::Any) => self.reach(&mut next.places, place),
            _ => {}
        };
        state.places.each(&mut step);
        if !is_mark {
            state.behind_one.each(&mut step);
        }
        next
    }
}

fn is_mark(letter: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(letter);
    !letter.is_ascii() && GeneralCategoryGroup::Mark.contains(category)
}

/// A set of places in a pattern. There is one before each element, and one at the end.
#[derive(Clone, Copy, Default)]
struct Places([u64; 4]);

impl Places {
    const fn insert(&mut self, place: usize) {
        self.0[place / 64] |= 1 << (place % 64);
    }

    const fn contains(&self, place: usize) -> bool {
        self.0[place / 64] >> (place % 64) & 1 == 1
    }

    fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    fn each(&self, call: &mut impl FnMut(usize)) {
        for (index, &word) in self.0.iter().enumerate() {
            let mut rest = word;
            while rest != 0 {
                call(index * 64 + rest.trailing_zeros() as usize);
                rest &= rest - 1;
            }
        }
    }
}

/// The places that the term read so far leads to, and the beginning of a code point.
#[derive(Clone, Copy, Default)]
pub(in crate::search) struct State {
    places: Places,
    /// The places just behind a `?`, which takes the marks that follow.
    behind_one: Places,
    bytes: [u8; 4],
    len: u8,
}

impl Automaton for Wildcard {
    type State = State;

    fn start(&self) -> State {
        let mut state = State::default();
        self.reach(&mut state.places, 0);
        state
    }

    fn is_match(&self, state: &State) -> bool {
        let end = self.0.len();
        state.len == 0 && (state.places.contains(end) || state.behind_one.contains(end))
    }

    fn can_match(&self, state: &State) -> bool {
        !state.places.is_empty() || !state.behind_one.is_empty()
    }

    fn accept(&self, state: &State, byte: u8) -> State {
        if state.len == 0 && byte.is_ascii() {
            return self.read(state, byte.into());
        }
        let mut state = *state;
        let Some(place) = state.bytes.get_mut(usize::from(state.len)) else {
            return State::default();
        };
        *place = byte;
        state.len += 1;
        let letter = std::str::from_utf8(&state.bytes[..usize::from(state.len)]);
        match letter.ok().and_then(|letter| letter.chars().next()) {
            Some(letter) => self.read(&state, letter),
            None => state,
        }
    }
}
