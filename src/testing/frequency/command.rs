//! The commands for frequencies of interned terms, and the code that runs them on the crate and on the naive model.

use std::collections::BTreeMap;

use arbitrary::{Arbitrary, Unstructured};

use super::counter::{CounterPair, Counting};
use super::sums::term;
use super::{Counts, NaiveFrequencies};
use crate::ShardId;
use crate::frequency::{FrequencySnapshot, GlobalFrequencies, TermDictionary};
use crate::id::TermId;
use crate::sync::Arc;

/// The maximum number of commands in one input.
const COMMANDS: usize = 60;

/// The numbers of ids in a chunk and in a page. Ids at their edges are the likeliest to show bugs.
const CHUNK: u32 = 128;
const PAGE: u32 = 8_192;

#[derive(Debug, Clone)]
pub enum Command {
    /// The shard, and the lag of its generation behind the newest.
    Change(ShardId, u64, Change),
    Count(ShardId, Counting),
    Publish,
    Intern(String),
}

#[derive(Debug, Clone)]
pub enum Change {
    Replace(Counts),
    Update(Counts),
    Remove,
    /// The counts of the shard's counter.
    HandOver,
}

impl<'a> Arbitrary<'a> for Command {
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let kind = input.arbitrary::<u8>()? % 24;
        if matches!(kind, 7 | 8) {
            return Ok(Self::Intern(term(input)?));
        }
        if matches!(kind, 9..12) {
            return Ok(Self::Publish);
        }
        let byte: u8 = input.arbitrary()?;
        let shard = ShardId(u32::from(byte % 4));
        let change = match kind {
            0 | 1 => Change::Replace(input.arbitrary()?),
            2..6 => Change::Update(input.arbitrary()?),
            6 => Change::Remove,
            12..16 => Change::HandOver,
            _ => return Ok(Self::Count(shard, input.arbitrary()?)),
        };
        Ok(Self::Change(shard, u64::from(byte / 4 % 3) * 2, change))
    }
}

impl<'a> Arbitrary<'a> for Counts {
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let documents = u64::from(input.arbitrary::<u8>()? % 40);
        let tokens = u64::from(input.arbitrary::<u16>()? % 1_000);
        let length = input.arbitrary::<u8>()? % 20;
        let count = |_| Ok((id(input)?, input.int_in_range(0..=documents)?));
        Ok(Self {
            documents,
            tokens,
            counts: (0..length).map(count).collect::<arbitrary::Result<_>>()?,
        })
    }
}

/// Ids at the edges of chunks and pages, and distant ones.
pub(super) fn id(input: &mut Unstructured<'_>) -> arbitrary::Result<TermId> {
    let byte = u32::from(input.arbitrary::<u8>()?);
    Ok(TermId(match byte {
        0..108 => byte % 20,
        108..160 => CHUNK - 2 + byte % 4,
        160..212 => PAGE - 2 + byte % 4,
        212..240 => 3 * PAGE - 1 + byte % 16 * (CHUNK / 15),
        _ => 50 * PAGE + byte % 2,
    }))
}

/// The frequencies and a dictionary, each with its naive model.
#[derive(Debug, Default)]
pub struct Pair {
    global: GlobalFrequencies,
    model: NaiveFrequencies,
    generation: u64,
    counters: BTreeMap<ShardId, CounterPair>,
    /// All publications so far, with the expected content.
    published: Vec<(Arc<FrequencySnapshot>, Counts)>,
    dictionary: TermDictionary,
    /// The terms, by id.
    terms: Vec<String>,
}

impl Pair {
    /// Runs a command on both, and compares their answers.
    pub fn apply(&mut self, command: &Command) {
        match command {
            Command::Change(shard, lag, change) => {
                self.generation += 1;
                self.change(*shard, self.generation.saturating_sub(*lag), change);
            }
            Command::Count(shard, counting) => {
                counter(&mut self.counters, *shard).apply(counting, &self.dictionary);
                self.learn();
            }
            Command::Publish => self.publish(),
            Command::Intern(term) => self.intern(term),
        }
    }

    fn change(&mut self, shard: ShardId, generation: u64, change: &Change) {
        let (global, model) = (&self.global, &mut self.model);
        let (outcome, expected) = match change {
            Change::Replace(new) => (
                global.replace(shard, generation, &new.frequencies()),
                model.replace(shard, generation, new),
            ),
            Change::Update(new) => (
                global.update(shard, generation, &new.frequencies()),
                model.update(shard, generation, new),
            ),
            Change::Remove => (
                global.remove(shard, generation),
                model.remove(shard, generation),
            ),
            Change::HandOver => {
                let pair = counter(&mut self.counters, shard);
                (
                    pair.counter.hand_over(global, generation),
                    model.replace(shard, generation, &pair.model),
                )
            }
        };
        assert_eq!(outcome, expected, "{change:?}");
    }

    fn publish(&mut self) {
        let version = self.global.snapshot().version();
        let snapshot = self.global.publish();
        assert!((version..=version + 1).contains(&snapshot.version()));
        self.model.compare(&snapshot);
        let sum = Counts::fold(self.model.contributions());
        self.published.push((snapshot, sum));
    }

    /// The terms that a counter interned.
    fn learn(&mut self) {
        while let Some(term) = self.dictionary.term(id_at(self.terms.len())) {
            self.terms.push(term.to_owned());
        }
    }

    /// Returns the id of a term. A new term gets the next number.
    fn intern(&mut self, term: &str) {
        let known = self.terms.iter().position(|other| other == term);
        assert_eq!(self.dictionary.get(term), known.map(id_at));
        let expected = id_at(known.unwrap_or(self.terms.len()));
        if known.is_none() {
            self.terms.push(term.to_owned());
        }
        assert_eq!(self.dictionary.intern(term), Ok(expected));
        assert_eq!(self.dictionary.term(expected), Some(term));
        assert_eq!(self.dictionary.len(), self.terms.len() as u64);
        assert_eq!(self.dictionary.term(id_at(self.terms.len())), None);
    }

    /// Publishes, and compares all publications so far, none of which may have changed.
    pub fn finish(mut self) {
        self.publish();
        for (snapshot, expected) in &self.published {
            assert_eq!(&Counts::seen(snapshot), expected);
        }
    }
}

fn counter(counters: &mut BTreeMap<ShardId, CounterPair>, shard: ShardId) -> &mut CounterPair {
    let new = || CounterPair::new(shard);
    counters.entry(shard).or_insert_with(new)
}

fn id_at(place: usize) -> TermId {
    TermId(u32::try_from(place).unwrap())
}

/// Runs the commands that the bytes encode.
pub(super) fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let mut pair = Pair::default();
    for _ in 0..COMMANDS {
        match input.arbitrary() {
            Ok(command) if !input.is_empty() => pair.apply(&command),
            // An input may end early.
            _ => break,
        }
    }
    pair.finish();
}
