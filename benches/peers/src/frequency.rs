//! The time to add up document frequencies.

use std::collections::{BTreeMap, HashMap};

use tickring::frequency::{
    GlobalFrequencies, ShardFrequencies, TermDictionary, aggregate_interned, aggregate_owned,
};
use tickring::id::TermId;
use tickring::{ShardId, aggregate};

use crate::Scope;
use crate::measure::{Side, pair, timed};
use crate::report::{Goal, Report};
use tickring::testing::random::Random;

type Shard = HashMap<String, u64>;

/// Returns a shard of `terms` terms out of a vocabulary twice as large. The rank of a drawn term is log-uniform (Zipf's law with exponent 1),
/// so shards have their frequent terms in common. Most of these draws repeat a term, so uniform draws fill up the rest.
fn shard(random: &mut Random, terms: usize) -> Shard {
    let vocabulary = 2 * terms;
    let mut shard = Shard::with_capacity(terms);
    let mut draws = 0;
    while shard.len() < terms {
        draws += 1;
        let rank = if draws <= 2 * terms {
            (vocabulary as f64).powf(random.unit()) as usize - 1
        } else {
            random.below(vocabulary)
        };
        *shard.entry(term(rank)).or_insert(0) += 1;
    }
    shard
}

/// Returns 5 to 14 letters, computed from the rank.
pub fn term(rank: usize) -> String {
    let mut random = Random::new(rank as u64);
    let len = 5 + random.below(10);
    (0..len)
        .map(|_| char::from(b'a' + random.below(26) as u8))
        .collect()
}

struct Size {
    shards: usize,
    terms: usize,
    owned: f64,
    borrowed: f64,
    /// The repetitions per round, so that a round is long enough to measure.
    times: usize,
    rounds: usize,
}

const SIZES: [Size; 4] = [
    Size {
        shards: 8,
        terms: 100_000,
        owned: 3.0,
        borrowed: 4.0,
        times: 1,
        rounds: 15,
    },
    Size {
        shards: 64,
        terms: 50_000,
        owned: 2.0,
        borrowed: 5.0,
        times: 1,
        rounds: 7,
    },
    Size {
        shards: 8,
        terms: 1_000,
        owned: 1.0,
        borrowed: 1.5,
        times: 20,
        rounds: 41,
    },
    Size {
        shards: 3,
        terms: 20,
        owned: 1.0,
        borrowed: 1.0,
        times: 1_000,
        rounds: 81,
    },
];

pub fn run(report: &mut Report, scope: Scope) {
    let peer = phago_distributed::Coordinator::new(3);
    for size in &SIZES {
        let mut random = Random::new(1);
        let shards: Vec<_> = (0..size.shards)
            .map(|_| shard(&mut random, size.terms))
            .collect();
        check(&shards, &peer);
        // Their call frees its input, and so does `aggregate_owned`. The results of both sides are freed outside of the measured time.
        let mut theirs = || {
            let inputs = vec![shards.clone(); size.times];
            timed(|| {
                inputs
                    .into_iter()
                    .map(|input| peer.aggregate_global_df(input))
                    .collect::<Vec<_>>()
            })
        };
        texts(report, scope, size, &shards, &mut theirs);
        interned(report, scope, size, &shards, &mut theirs);
    }
    report.note(
        "D1b, D2: nothing of ours is freed; the other side frees its input, as it can't but do. D2: the terms got their ids before.",
    );
    update(report, scope);
}

fn check(shards: &[Shard], peer: &phago_distributed::Coordinator) {
    let ours = aggregate(shards).expect("no overflow");
    let ours: BTreeMap<String, u64> = ours
        .into_map::<std::hash::RandomState>()
        .into_iter()
        .collect();
    let theirs = peer.aggregate_global_df(shards.to_vec());
    assert_eq!(ours, theirs.into_iter().collect());
}

fn texts(report: &mut Report, scope: Scope, size: &Size, shards: &[Shard], theirs: Side<'_>) {
    let what = format!("{} × {} terms", size.shards, size.terms);
    let (rounds, times) = (scope.rounds(size.rounds), size.times as f64);
    let mut owned = || {
        let inputs = vec![shards.to_vec(); size.times];
        timed(|| {
            inputs
                .into_iter()
                .map(|input| aggregate_owned(input).expect("no overflow"))
                .collect::<Vec<_>>()
        })
    };
    let owned = pair(rounds, times, &mut owned, theirs);
    let goal = Goal::AtLeast(size.owned);
    report.pair("D1", format!("aggregate_owned, {what}"), goal, owned);
    let mut borrowed = || {
        timed(|| {
            (0..size.times)
                .map(|_| aggregate(shards).expect("no overflow"))
                .collect::<Vec<_>>()
        })
    };
    let borrowed = pair(rounds, times, &mut borrowed, theirs);
    let goal = Goal::AtLeast(size.borrowed);
    report.pair(
        "D1b",
        format!("aggregate, borrowed, {what}"),
        goal,
        borrowed,
    );
}

fn interned(report: &mut Report, scope: Scope, size: &Size, shards: &[Shard], theirs: Side<'_>) {
    let dictionary = TermDictionary::new();
    let ours: Vec<_> = shards
        .iter()
        .map(|shard| {
            let documents = shard.values().copied().max().unwrap_or(0);
            ShardFrequencies::intern(&dictionary, documents, 0, shard).expect("there is room")
        })
        .collect();
    let global = aggregate_interned(&ours).expect("no overflow");
    let all = aggregate(shards).expect("no overflow");
    assert_eq!(global.len(), all.len());
    for (term, frequency) in &all {
        let id = dictionary.get(term).expect("it has been interned");
        assert_eq!(global.document_frequency(id), frequency);
    }
    let paired = pair(
        scope.rounds(size.rounds),
        size.times as f64,
        &mut || {
            timed(|| {
                (0..size.times)
                    .map(|_| aggregate_interned(&ours).expect("no overflow"))
                    .collect::<Vec<_>>()
            })
        },
        theirs,
    );
    report.pair(
        "D2",
        format!("aggregate_interned, {} × {} terms", size.shards, size.terms),
        Goal::AtLeast(150.0),
        paired,
    );
}

/// The number of terms in the benchmark of an update.
const TERMS: usize = 1_000_000;
const SHARDS: u32 = 8;
const CHANGED: usize = 1_000;
/// The number of documents of each shard before the update.
const DOCUMENTS: u64 = 2_000;

/// The number of terms that are in every document. Their ids are far apart.
const IN_ALL: usize = 8;

const fn is_in_all(rank: usize) -> bool {
    rank.is_multiple_of(TERMS / IN_ALL)
}

/// Each shard has a quarter of the terms, so each term is in two shards on average, plus the terms that are in every document.
fn quarters(random: &mut Random, terms: &[String]) -> Vec<Shard> {
    let mut quarter = |shard| -> Shard {
        let has = (0..TERMS).filter(|rank| rank % 4 == shard as usize % 4 || is_in_all(*rank));
        has.map(|rank| (terms[rank].clone(), count(random, rank, DOCUMENTS)))
            .collect()
    };
    (0..SHARDS).map(&mut quarter).collect()
}

fn count(random: &mut Random, rank: usize, documents: u64) -> u64 {
    if is_in_all(rank) {
        documents
    } else {
        1 + random.below(1_000) as u64
    }
}

/// An update with fewer documents, and with new counts for some random terms.
fn changed(random: &mut Random, documents: u64) -> ShardFrequencies {
    let ranks: Vec<_> = (IN_ALL..CHANGED).map(|_| random.below(TERMS)).collect();
    let changed: HashMap<_, _> = (0..TERMS)
        .step_by(TERMS / IN_ALL)
        .chain(ranks)
        .map(|rank| (TermId::new(rank as u32), count(random, rank, documents)))
        .collect();
    ShardFrequencies::new(documents, 0, changed).expect("within the documents")
}

/// One shard's update among a million terms, with its publication, compared with adding up from scratch: from maps of strings, and from ids.
fn update(report: &mut Report, scope: Scope) {
    let mut random = Random::new(1);
    let terms: Vec<String> = (0..TERMS)
        .map(|rank| format!("{}{rank}", term(rank)))
        .collect();
    let shards = quarters(&mut random, &terms);
    let dictionary = TermDictionary::new();
    for term in &terms {
        dictionary.intern(term).expect("there is room");
    }
    let intern = |shard| ShardFrequencies::intern(&dictionary, DOCUMENTS, 0, shard);
    let interned: Result<Vec<_>, _> = shards.iter().map(intern).collect();
    let interned = interned.expect("there is room");
    let global = GlobalFrequencies::new();
    for (id, shard) in (0..SHARDS).zip(&interned) {
        global
            .replace(ShardId::new(id), 0, shard)
            .expect("it is new");
    }
    assert_eq!(
        *global.publish(),
        aggregate_interned(&interned).expect("no overflow")
    );
    let mut generation = 0;
    let mut ours = || {
        generation += 1;
        let changed = changed(&mut random, DOCUMENTS - generation);
        let held = global.snapshot();
        let took = timed(|| {
            global
                .update(ShardId::new(0), generation, &changed)
                .expect("it is later");
            global.publish()
        });
        drop(held);
        took
    };
    let rounds = scope.rounds(41);
    let anew = pair(rounds, 1.0, &mut ours, &mut || {
        timed(|| aggregate(&shards).expect("no overflow"))
    });
    let what =
        "update of 1,000 terms in any place among a million, with a document fewer, published";
    report.pair(
        "D3",
        format!("{what}; adding up all maps"),
        Goal::AtLeast(100.0),
        anew,
    );
    let anew = pair(rounds, 1.0, &mut ours, &mut || {
        timed(|| aggregate_interned(&interned).expect("no overflow"))
    });
    report.pair(
        "D3",
        format!("{what}; adding up all ids"),
        Goal::Shown,
        anew,
    );
}
