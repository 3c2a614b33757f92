//! Documents move between text shards while threads write and search. At each publication, each document is in its owner and nowhere else, the views
//! hold what was written, and the answers are those of one index to the bit.
//!
//! `TICKRING_MOVES_ROUNDS` sets how many times the shards go from 3 to 7 to 2 (1 by default), `TICKRING_MOVES_QUERIES` how
//! many queries are compared after each tick (40), `TICKRING_MOVES_SEED` the seed. The run also depends
//! on the timing of the threads, so a seed doesn't repeat it.
#![cfg(feature = "search")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail as tests do, and the test says what it survived"
)]

#[cfg(feature = "durable")]
mod directory;
mod writers;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tickring::colony::{Goal, MoveBudget};
use tickring::search::{
    Field, QueryParser, Schema, SearchOptions, TextShard, TextShardConfig, TextView, search_with,
};
use tickring::testing::random::Random;
use tickring::testing::setting;
use tickring::topology::Member;
use tickring::{Colony, ColonyConfig, DocumentId, Publication, ShardId};

use self::writers::Writer;

const TOP: usize = 50;
#[cfg(feature = "durable")]
const LIMIT: Duration = Duration::from_secs(60);
const WORDS: u64 = 30;

fn config() -> TextShardConfig {
    let schema = Schema::builder().field(Field::text("body").stored());
    TextShardConfig {
        schema: schema.build().unwrap(),
        ..TextShardConfig::default()
    }
}

fn colony(shards: u32) -> Colony<TextShard> {
    let config = config();
    Colony::new(ColonyConfig::default(), shards, TextShard::factory(config)).unwrap()
}

fn word(random: &mut Random) -> String {
    // Frequent and rare ones.
    let bound = random.range(1, WORDS + 1);
    format!("w{}", random.range(0, bound))
}

fn query(random: &mut Random) -> String {
    let [a, b, c] = [(); 3].map(|()| word(random));
    match random.below(6) {
        0 => a,
        1 => format!("{a} {b} {c}"),
        2 => format!("+{a} {b} -{c}"),
        3 => format!("\"{a} {b}\""),
        4 => format!("{a} AND ({b} OR {c})"),
        _ => format!("{a}* {b}"),
    }
}

/// The best documents with the bits of their scores, and the number of all that match.
fn answer(
    publication: &Publication<TextView>,
    text: &str,
) -> (Vec<(DocumentId, u32)>, Option<u64>) {
    let schema = config().schema;
    let query = QueryParser::new(&schema).parse(text).unwrap();
    let options = SearchOptions::new().limit(TOP).total();
    let found = search_with(publication, &query, &options).unwrap();
    let hits = found.hits.iter();
    let hits = hits.map(|hit| (hit.document, hit.score.to_bits()));
    (hits.collect(), found.total)
}

/// One index with the documents of the last publication, to compare with.
struct Single {
    colony: Colony<TextShard>,
    texts: BTreeMap<DocumentId, String>,
}

impl Single {
    fn follow(&mut self, texts: BTreeMap<DocumentId, String>) {
        let intake = self.colony.intake();
        for (&id, text) in &texts {
            if self.texts.get(&id) != Some(text) {
                intake.try_upsert(id, writers::document(text)).unwrap();
            }
        }
        for &id in self.texts.keys().filter(|id| !texts.contains_key(id)) {
            intake.try_delete(id).unwrap();
        }
        self.colony.tick().unwrap();
        self.texts = texts;
    }
}

/// Returns the texts of all documents. Each is in its owner and nowhere else.
fn texts(colony: &Colony<TextShard>) -> BTreeMap<DocumentId, String> {
    let (topology, publication) = (colony.topology(), colony.publication());
    let mut texts = BTreeMap::new();
    for published in publication.shards() {
        let placement = topology.ring().placement();
        let documents = published.view().documents_between(placement, ..).unwrap();
        for (id, document) in documents.map(Result::unwrap) {
            assert_eq!(topology.place(&id), Ok(published.shard()), "{id}");
            let text = document.text("body").unwrap_or_default().to_owned();
            assert_eq!(texts.insert(id, text), None, "{id} is in two shards");
        }
    }
    texts
}

/// The goals of a round: more shards, other weights, fewer, and each turned round on the way.
fn goal(round: u64, stage: u64, shards: &[ShardId], random: &mut Random) -> Goal {
    let any = |random: &mut Random| random.pick(shards).unwrap();
    let weight = |random: &mut Random| u32::try_from(random.range(1, 4)).unwrap();
    match stage {
        0 => (shards.len()..7).fold(Goal::new(), |goal, _| goal.add_shard(1)),
        1 => Goal::new().weigh(any(random), weight(random)),
        2 => Goal::new()
            .weigh(shards[0], weight(random))
            .drain(shards[1]),
        3 => Goal::new().weigh(shards[1], weight(random)),
        _ => {
            let leave = shards.iter().skip(usize::try_from(round % 2).unwrap());
            leave
                .skip(2)
                .fold(Goal::new(), |goal, &shard| goal.remove(shard))
        }
    }
}

#[test]
fn d9_answers_are_those_of_one_index_while_documents_move_and_threads_write() {
    let rounds = setting("TICKRING_MOVES_ROUNDS", 1_u64);
    let seed = setting("TICKRING_MOVES_SEED", 1_u64);
    let queries = setting("TICKRING_MOVES_QUERIES", 40_usize);
    let mut random = Random::new(seed);
    let mut colony = colony(3);
    let (stop, searches) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (intake, reader) = (colony.intake(), colony.reader());
    let writers = [0, 1].map(|number| Writer::new(number, seed));
    let (mut ticks, mut moved) = (0_u64, 0);
    let mut single = Single {
        colony: self::colony(1),
        texts: BTreeMap::new(),
    };
    thread::scope(|scope| {
        for writer in &writers {
            let (intake, stop) = (&intake, &stop);
            scope.spawn(move || writer.run(intake, stop));
        }
        for number in 0..2 {
            let (reader, stop, searches) = (&reader, &stop, &searches);
            scope.spawn(move || {
                let mut random = Random::new(seed + 100 + number);
                while !stop.load(Ordering::Relaxed) {
                    let publication = reader.publication();
                    let (hits, total) = answer(&publication, &query(&mut random));
                    assert!(hits.len() as u64 == total.unwrap().min(TOP as u64));
                    searches.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // Whatever fails here has to end the threads, too.
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for round in 0..rounds {
                for stage in 0..5 {
                    let topology = colony.topology();
                    let shards: Vec<_> = topology.members().iter().map(Member::shard).collect();
                    colony
                        .set_goal(&goal(round, stage, &shards, &mut random))
                        .unwrap();
                    colony.set_move_budget(MoveBudget {
                        documents: 5 + random.below(55),
                        // However slow the threads beside it make the ticks.
                        time: Duration::MAX,
                        ..MoveBudget::default()
                    });
                    let is_turned = stage == 1;
                    let mut left = 4;
                    while colony.progress().is_some() {
                        if is_turned && left > 0 {
                            // Each tick another goal.
                            left -= 1;
                            let weight = random.pick(&[0, 1, 2]).unwrap();
                            let other = Goal::new().weigh(shards[2], weight);
                            colony.set_goal(&other).unwrap();
                        }
                        let report = colony.tick().unwrap();
                        assert!(report.faults.is_empty() && report.frozen.is_empty());
                        moved += report.moved;
                        ticks += 1;
                        for writer in &writers {
                            writer.returned(&report);
                        }
                        let now = texts(&colony);
                        for writer in &writers {
                            writer.check(&now, report.tick);
                        }
                        single.follow(now);
                        let (publication, one) =
                            (colony.publication(), single.colony.publication());
                        for _ in 0..queries {
                            let text = query(&mut random);
                            assert_eq!(answer(&publication, &text), answer(&one, &text), "{text}");
                        }
                    }
                }
            }
        }));
        stop.store(true, Ordering::Relaxed);
        if let Err(failure) = run {
            std::panic::resume_unwind(failure);
        }
    });
    let last = colony.tick().unwrap();
    for writer in &writers {
        writer.returned(&last);
        writer.check_end(&texts(&colony));
    }
    let searches = searches.into_inner();
    println!(
        "{ticks} ticks, {moved} documents moved, {} written, {searches} searches beside",
        writers.iter().map(Writer::written).sum::<usize>()
    );
    assert!(
        moved > 300 && ticks > 15 && searches > 10,
        "{moved} {ticks} {searches}"
    );
}
