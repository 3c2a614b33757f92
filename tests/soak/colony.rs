//! One colony of text shards after the other, each with writers, readers and shards that misbehave, until the time is up.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use tickring::search::{Query, TextDocument, TextSearcher, TextStatistics, search};
use tickring::{
    Colony, ColonyConfig, ColonyError, DocumentId, Intake, IntakeError, Publication, Reader, Shard,
    ShardId, Tick, TickPhase, Write,
};

use super::ledger::{Accepted, Ledger};
use super::moody::{Misdeed, Moody};
use super::watch::{PATIENCE, Watch};
use tickring::testing::random::Random;

const WRITERS: u64 = 2;
const IDS_OF_A_WRITER: u64 = 200;
const QUERIES: [&str; 5] = [
    "sea",
    "sea tide",
    "+wind boat -rope",
    "\"sea tide\"",
    "moon star fish net",
];
const WORDS: [&str; 12] = [
    "sea", "tide", "wind", "boat", "sail", "rope", "port", "star", "moon", "fish", "net", "oar",
];

#[derive(Default)]
struct Counts {
    colonies: AtomicU64,
    ticks: AtomicU64,
    accepted: AtomicU64,
    returned: AtomicU64,
    frozen: AtomicU64,
    panics: AtomicU64,
    failures: AtomicU64,
    hangs: AtomicU64,
    given_up: AtomicU64,
    searches: AtomicU64,
}

fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        write!(
            f,
            "colonies: {}, {} of them given up, {} ticks, {} writes accepted, {} returned, {} refused as frozen, \
             {} panics, {} failures, {} hangs, {} searches",
            of(&self.colonies),
            of(&self.given_up),
            of(&self.ticks),
            of(&self.accepted),
            of(&self.returned),
            of(&self.frozen),
            of(&self.panics),
            of(&self.failures),
            of(&self.hangs),
            of(&self.searches),
        )
    }
}

pub(crate) fn soak(seed: u64, watch: &Watch) -> String {
    let _alarm = watch.alarm();
    let counts = Counts::default();
    let mut life = 0;
    while !watch.is_over() {
        live(&mut Random::stream(seed, 1_000 + life), &counts, watch);
        count(&counts.colonies, 1);
        life += 1;
    }
    counts.to_string()
}

/// What the shards of one colony will do, and what ends those that hang.
struct Plan {
    misdeeds: Vec<Option<(TickPhase, Tick, Misdeed)>>,
    releases: Vec<Sender<()>>,
    ticks: u64,
}

impl Plan {
    fn new(random: &mut Random) -> (Self, Vec<Moody>) {
        let ticks = random.range(3, 23);
        let (mut misdeeds, mut releases, mut shards) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..1 + random.below(4) {
            let misdeed = random.one_in(3).then(|| {
                // A hang costs its whole timeout.
                let misdeed = match random.below(8) {
                    0 => Misdeed::Hang,
                    1..4 => Misdeed::Fail,
                    _ => Misdeed::Panic,
                };
                (
                    random.pick(&TickPhase::ALL).unwrap(),
                    random.range(0, ticks),
                    misdeed,
                )
            });
            let (release, hang) = mpsc::channel();
            shards.push(Moody::new(misdeed, hang));
            misdeeds.push(misdeed);
            releases.push(release);
        }
        let plan = Self {
            misdeeds,
            releases,
            ticks,
        };
        (plan, shards)
    }
}

/// One colony from its first tick to its end, and what must hold at it.
fn live(random: &mut Random, counts: &Counts, watch: &Watch) {
    let (plan, shards) = Plan::new(random);
    let config = ColonyConfig {
        threads: 1 + random.below(3),
        phase_timeout: Duration::from_secs(3),
        inbox_capacity: 64,
        max_lost_threads: random.below(2),
        ..ColonyConfig::default()
    };
    let mut colony = Colony::new(config, shards).unwrap();
    let (intake, reader) = (colony.intake(), colony.reader());
    let over = AtomicBool::new(false);
    let streams: Vec<_> = (0..=WRITERS).map(|_| random.next()).collect();
    let (mut ledger, back) = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .zip(&streams)
            .map(|(writer, &seed)| {
                let (intake, mut random) = (intake.clone(), Random::stream(seed, writer));
                scope.spawn(move || {
                    let _alarm = watch.alarm();
                    write(writer, &intake, &mut random, counts)
                })
            })
            .collect();
        scope.spawn(|| {
            let _alarm = watch.alarm();
            read(&reader, &over, counts);
        });
        let mut back = Vec::new();
        for _ in 0..plan.ticks {
            match colony.tick() {
                Ok(report) => {
                    check_faults(report.tick, &report.faults, &plan, counts);
                    back.extend(report.returned.into_iter().map(|r| (report.tick, r)));
                    count(&counts.ticks, 1);
                }
                Err(ColonyError::TooManyLostThreads { .. }) => {
                    count(&counts.given_up, 1);
                    break;
                }
                Err(error) => panic!("a tick failed: {error}"),
            }
        }
        let tick = colony.current_tick();
        drop(plan.releases);
        let end = colony.close(Instant::now() + PATIENCE);
        assert_eq!(end.threads_left, 0, "a thread has not ended");
        let last = end.last.map(|report| report.returned);
        let returned = last.into_iter().flatten().chain(end.returned);
        back.extend(returned.map(|returned| (tick, returned)));
        over.store(true, Ordering::Relaxed);
        let mut ledger = Ledger::default();
        for writer in writers {
            for accepted in writer.join().expect("a writer survives") {
                ledger.enter(accepted);
            }
        }
        (ledger, back)
    });
    for (tick, returned) in &back {
        ledger.give_back(*tick, returned);
    }
    count(&counts.accepted, ledger.len() as u64);
    count(&counts.returned, ledger.returned() as u64);
    check_end(&ledger, &reader.publication(), counts);
}

/// Only those that misbehave are evicted, and when they do.
fn check_faults(tick: Tick, faults: &[tickring::Fault], plan: &Plan, counts: &Counts) {
    let expected: BTreeSet<_> = (0..)
        .zip(&plan.misdeeds)
        .filter_map(|(shard, misdeed)| {
            let (phase, when, misdeed) = (*misdeed)?;
            (when == tick).then_some((ShardId::new(shard), phase, misdeed))
        })
        .collect::<Vec<_>>()
        .into_iter()
        .map(|(shard, phase, misdeed)| {
            count(
                match misdeed {
                    Misdeed::Panic => &counts.panics,
                    Misdeed::Fail => &counts.failures,
                    Misdeed::Hang => &counts.hangs,
                },
                1,
            );
            (shard, phase)
        })
        .collect();
    let found: BTreeSet<_> = faults.iter().map(|f| (f.shard, f.phase)).collect();
    assert_eq!(found, expected, "{faults:?}");
}

fn text(random: &mut Random) -> TextDocument {
    let mut words = |most| {
        let words = (0..random.below(most)).map(|_| random.pick(&WORDS).unwrap());
        words.collect::<Vec<_>>().join(" ")
    };
    TextDocument {
        title: words(3),
        body: words(12),
    }
}

/// Writes until the colony is closed. No id is written again before its last write is published.
fn write(
    writer: u64,
    intake: &Intake<Moody>,
    random: &mut Random,
    counts: &Counts,
) -> Vec<Accepted> {
    let mut accepted = Vec::new();
    loop {
        let ids: BTreeSet<_> = (0..random.below(30))
            .map(|_| writer << 32 | random.range(0, IDS_OF_A_WRITER))
            .collect();
        let mut last = None;
        for seed in ids {
            let id = DocumentId::from_seed(seed);
            let deadline = Instant::now() + PATIENCE;
            let document = Arc::new(text(random));
            let kept = Arc::clone(&document);
            let (write, offered) = match random.below(4) {
                0 => {
                    let offered = intake.add(id, document, deadline).map_err(|r| r.reason);
                    (Write::Add { id, document: kept }, offered)
                }
                1 => (Write::Delete { id }, intake.delete(id, deadline)),
                _ => {
                    let offered = intake.upsert(id, document, deadline).map_err(|r| r.reason);
                    (Write::Upsert { id, document: kept }, offered)
                }
            };
            match offered {
                Ok(ticket) => {
                    last = last.max(Some(ticket.tick()));
                    let ticket = ticket.tick();
                    accepted.push(Accepted { write, ticket });
                }
                Err(IntakeError::Frozen { .. }) => count(&counts.frozen, 1),
                Err(IntakeError::Closed | IntakeError::NoOwner) => return accepted,
                Err(error) => panic!("a write was refused: {error}"),
            }
        }
        let Some(last) = last else {
            thread::yield_now();
            continue;
        };
        match intake.wait_published(last, Instant::now() + PATIENCE) {
            Ok(()) => {}
            Err(ColonyError::Closed) => return accepted,
            Err(error) => panic!("a publication did not come: {error}"),
        }
    }
}

/// A query sees one publication, and the same one answers the same.
fn read(reader: &Reader<Moody>, over: &AtomicBool, counts: &Counts) {
    let queries = QUERIES.map(|query| Query::parse(query).unwrap());
    let mut last = None;
    while !over.load(Ordering::Relaxed) {
        let publication = reader.publication();
        assert!(publication.tick() >= last, "publications went back");
        last = publication.tick();
        for published in publication.shards() {
            let current = published.tick() == publication.tick();
            assert!(current || published.is_frozen(), "{published:?}");
        }
        for query in &queries {
            let answer = answer(&publication, query);
            assert_eq!(answer, self::answer(&publication, query));
            count(&counts.searches, 2);
        }
        thread::yield_now();
    }
}

fn answer<S>(publication: &Publication<S>, query: &Query) -> Vec<(DocumentId, u32)>
where
    S: Shard<Searcher = TextSearcher, Statistics = TextStatistics>,
{
    let deadline = Instant::now() + PATIENCE;
    let hits = search(publication, query, 20, Some(deadline)).unwrap();
    hits.iter()
        .map(|hit| (hit.document, hit.score.to_bits()))
        .collect()
}

/// What is published is what was accepted and did not come back, and answers as one shard that holds it would.
fn check_end(ledger: &Ledger, publication: &Publication<Moody>, counts: &Counts) {
    let live = ledger.live();
    let documents: u64 = publication
        .shards()
        .iter()
        .map(|published| published.searcher().document_count())
        .sum();
    assert_eq!(documents, live.len() as u64);
    let (_never, hang) = mpsc::channel();
    let config = ColonyConfig {
        inbox_capacity: live.len() + 1,
        ..ColonyConfig::default()
    };
    let mut alone = Colony::new(config, vec![Moody::new(None, hang)]).unwrap();
    let intake = alone.intake();
    for (id, document) in live {
        let holds = |p: &tickring::Published<Moody>| p.searcher().contains(id).unwrap();
        assert_eq!(publication.shards().iter().filter(|p| holds(p)).count(), 1);
        intake.try_add(id, document).unwrap();
    }
    alone.tick().unwrap();
    let alone = alone.publication();
    for query in QUERIES.map(|query| Query::parse(query).unwrap()) {
        assert_eq!(
            answer(publication, &query),
            answer(&alone, &query),
            "{query:?}"
        );
        count(&counts.searches, 2);
    }
}
