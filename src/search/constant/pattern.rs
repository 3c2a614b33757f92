//! The walk over the terms of a segment's dictionary that match a pattern.

use std::sync::LazyLock;

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use tantivy::postings::TermInfo;
use tantivy::termdict::TermDictionary;
use tantivy_fst::Automaton;
use tantivy_fst::automaton::AlwaysMatch;

use super::{Pattern, Wildcard};
use crate::error::SearchError;
use crate::search::deadline::Watch;

impl Pattern {
    /// The greatest distance of a fuzzy word.
    pub(in crate::search) const MAX_DISTANCE: u8 = 2;
}

/// A pattern as an automaton.
pub(in crate::search) struct Automatic {
    /// What each match begins with.
    prefix: String,
    machine: Machine,
}

enum Machine {
    Prefix,
    Wildcard(Wildcard),
    Fuzzy(Fuzzy),
}

impl Automatic {
    pub(in crate::search) fn new(pattern: &Pattern) -> Self {
        let (prefix, machine) = match pattern {
            Pattern::Prefix(prefix) => (prefix.clone(), Machine::Prefix),
            Pattern::Wildcard(wildcard) => (
                wildcard.literal_prefix(),
                Machine::Wildcard(wildcard.clone()),
            ),
            Pattern::Fuzzy { word, distance } => (
                word.chars().take(1).collect(),
                Machine::Fuzzy(Fuzzy::new(word, *distance)),
            ),
        };
        Self { prefix, machine }
    }

    /// Whether a word matches.
    pub(in crate::search) fn accepts(&self, word: &str) -> bool {
        word.starts_with(&self.prefix)
            && match &self.machine {
                Machine::Prefix => true,
                Machine::Wildcard(wildcard) => ends_in_a_match(wildcard, word),
                Machine::Fuzzy(fuzzy) => ends_in_a_match(fuzzy, word),
            }
    }

    /// Calls `found` with each term of the dictionary that matches.
    pub(super) fn each(
        &self,
        terms: &TermDictionary,
        watch: &Watch,
        found: impl FnMut(&TermInfo) -> Result<(), SearchError>,
    ) -> Result<(), SearchError> {
        match &self.machine {
            Machine::Prefix => walk(terms, &self.prefix, &AlwaysMatch, watch, found),
            Machine::Wildcard(wildcard) => walk(terms, &self.prefix, wildcard, watch, found),
            Machine::Fuzzy(fuzzy) => walk(terms, &self.prefix, fuzzy, watch, found),
        }
    }
}

fn ends_in_a_match<A: Automaton>(automaton: &A, word: &str) -> bool {
    let end = word.bytes().fold(automaton.start(), |state, byte| {
        automaton.accept(&state, byte)
    });
    automaton.is_match(&end)
}

/// Calls `found` with each term that begins with `prefix`.
pub(super) fn each_with_prefix(
    terms: &TermDictionary,
    prefix: &str,
    watch: &Watch,
    found: impl FnMut(&TermInfo) -> Result<(), SearchError>,
) -> Result<(), SearchError> {
    walk(terms, prefix, &AlwaysMatch, watch, found)
}

fn walk<A: Automaton>(
    terms: &TermDictionary,
    prefix: &str,
    automaton: &A,
    watch: &Watch,
    mut found: impl FnMut(&TermInfo) -> Result<(), SearchError>,
) -> Result<(), SearchError>
where
    A::State: Clone,
{
    let mut stream = terms.search(Watched { automaton, watch }).ge(prefix);
    if let Some(after) = after(prefix) {
        stream = stream.lt(after);
    }
    let mut stream = stream
        .without_keys()
        .into_stream()
        .map_err(SearchError::index)?;
    while stream.advance() {
        found(stream.value())?;
    }
    watch.result()
}

/// Returns the least bytes that are above everything that begins with this text. No byte of UTF-8 is 255.
fn after(prefix: &str) -> Option<Vec<u8>> {
    let mut bytes = prefix.as_bytes().to_owned();
    *bytes.last_mut()? += 1;
    Some(bytes)
}

/// An automaton that matches nothing any more once the deadline has passed. Between two matches, the walk may be long.
struct Watched<'a, A> {
    automaton: &'a A,
    watch: &'a Watch,
}

impl<A: Automaton> Automaton for Watched<'_, A> {
    type State = A::State;

    fn start(&self) -> A::State {
        self.automaton.start()
    }

    fn is_match(&self, state: &A::State) -> bool {
        self.automaton.is_match(state)
    }

    fn can_match(&self, state: &A::State) -> bool {
        self.automaton.can_match(state) && !self.watch.has_passed()
    }

    fn accept(&self, state: &A::State, byte: u8) -> A::State {
        self.automaton.accept(state, byte)
    }
}

/// The automaton of a fuzzy word.
pub(super) struct Fuzzy(DFA);

impl Fuzzy {
    pub(super) fn new(word: &str, distance: u8) -> Self {
        const LARGEST: usize = Pattern::MAX_DISTANCE as usize;
        /// By distance. Each takes some milliseconds to build.
        static BUILDERS: [LazyLock<LevenshteinAutomatonBuilder>; LARGEST + 1] = [
            LazyLock::new(|| LevenshteinAutomatonBuilder::new(0, true)),
            LazyLock::new(|| LevenshteinAutomatonBuilder::new(1, true)),
            LazyLock::new(|| LevenshteinAutomatonBuilder::new(2, true)),
        ];
        Self(BUILDERS[LARGEST.min(distance.into())].build_dfa(word))
    }
}

impl Automaton for Fuzzy {
    type State = u32;

    fn start(&self) -> u32 {
        self.0.initial_state()
    }

    fn is_match(&self, state: &u32) -> bool {
        matches!(self.0.distance(*state), Distance::Exact(_))
    }

    fn can_match(&self, state: &u32) -> bool {
        *state != SINK_STATE
    }

    fn accept(&self, state: &u32, byte: u8) -> u32 {
        self.0.transition(*state, byte)
    }
}
