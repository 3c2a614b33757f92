//! Text shards that map their files, in colonies whose shards die.
#![expect(clippy::unwrap_used, reason = "a test stops at once")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tickring::colony::{Batch, DurableConfig, DurableShard, Saved, Saving, TickContext};
use tickring::error::ColonyError;
use tickring::placement::Placement;
use tickring::publication::ShardFailure;
use tickring::search::{
    Query, Reading, TextDocument, TextShard, TextShardConfig, TextView, search,
};
use tickring::testing::random::Random;
use tickring::testing::search::{Documents, document};
use tickring::{Colony, ColonyConfig, DocumentId, Shard, ShardId};

/// A text shard of which the second one fails once in Advance, when it is told to.
struct Mortal {
    text: TextShard,
    must_die: Arc<AtomicBool>,
}

type Settings = (TextShardConfig, Arc<AtomicBool>);

impl Shard for Mortal {
    type Document = TextDocument;
    type View = TextView;

    fn act(
        &mut self,
        context: &mut TickContext<'_, TextDocument, TextView>,
        batch: &mut Batch<'_, TextDocument>,
    ) -> Result<(), ShardFailure> {
        self.text.act(context, batch)
    }

    fn advance(
        &mut self,
        context: &mut TickContext<'_, TextDocument, TextView>,
    ) -> Result<(), ShardFailure> {
        let is_second = context.shard() == ShardId::new(1);
        if is_second && self.must_die.swap(false, Ordering::Relaxed) {
            return Err("a planned failure".into());
        }
        self.text.advance(context)
    }

    fn view(&mut self) -> Result<TextView, ShardFailure> {
        self.text.view()
    }
}

impl DurableShard for Mortal {
    type Settings = Settings;

    fn encode(
        settings: &Settings,
        document: &TextDocument,
        out: &mut Vec<u8>,
    ) -> Result<(), ShardFailure> {
        TextShard::encode(&settings.0, document, out)
    }

    fn decode(settings: &Settings, bytes: &[u8]) -> Result<TextDocument, ShardFailure> {
        TextShard::decode(&settings.0, bytes)
    }

    fn open(
        settings: &Settings,
        shard: ShardId,
        saved: Option<&Saved>,
    ) -> Result<Self, ShardFailure> {
        let (config, must_die) = settings;
        Ok(Self {
            text: DurableShard::open(config, shard, saved)?,
            must_die: Arc::clone(must_die),
        })
    }

    fn save(view: &TextView, saving: &mut Saving<'_>) -> Result<(), ShardFailure> {
        TextShard::save(view, saving)
    }
}

fn open(
    directory: &Path,
    settings: TextShardConfig,
    must_die: &Arc<AtomicBool>,
) -> Result<Colony<Mortal>, ColonyError> {
    let config = DurableConfig {
        shards: Some(3),
        colony: ColonyConfig {
            threads: 2,
            ..ColonyConfig::default()
        },
        log_writes: 40,
        ..DurableConfig::default()
    };
    Colony::open(directory, config, (settings, Arc::clone(must_die)))
}

fn with(reading: Reading) -> TextShardConfig {
    TextShardConfig {
        reading,
        ..TextShardConfig::default()
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn documents(colony: &Colony<Mortal>) -> Documents {
    let publication = colony.publication();
    let mut documents = Documents::new();
    for shard in publication.shards() {
        let all = shard.view().documents_between(Placement::default(), ..);
        documents.extend(all.unwrap().map(Result::unwrap));
    }
    documents
}

/// Ids and scores of the hits.
fn answers(colony: &Colony<Mortal>) -> Vec<Vec<(DocumentId, u32)>> {
    let queries = ["sea", "tide OR wind", "-boat", "\"sea tide\""];
    let answer = |query: &&str| {
        let query = Query::parse(query).unwrap();
        let hits = search(&colony.publication(), &query, 20, None).unwrap();
        let hits = hits.iter();
        hits.map(|hit| (hit.document, hit.score.to_bits()))
            .collect()
    };
    queries.iter().map(answer).collect()
}

/// Runs ticks until all shards are at the last one. A shard that died comes back within one of the next.
fn settle(colony: &mut Colony<Mortal>) {
    let deadline = soon();
    loop {
        colony.tick().unwrap();
        let publication = colony.publication();
        let mut shards = publication.shards().iter();
        if shards.all(|shard| !shard.is_frozen() && shard.tick() == publication.tick()) {
            return;
        }
        assert!(Instant::now() < deadline, "the shard doesn't come back");
    }
}

#[test]
fn d9_mapped_shards_answer_as_in_the_heap_over_deaths_checkpoints_and_openings() {
    let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let readings = [Reading::Heap, Reading::Mapped];
    let (must_die, mut random) = (Arc::new(AtomicBool::new(false)), Random::new(3));
    let both =
        || [0, 1].map(|at| open(directories[at].path(), with(readings[at]), &must_die).unwrap());
    let mut colonies = both();
    let mut expected = Documents::new();
    for round in 0..40 {
        let writes: Vec<_> = (0..random.below(12))
            .map(|_| {
                let id = DocumentId::from_seed(random.range(0, 60));
                let written = (random.below(4) > 0).then(|| document(&mut random));
                (id, written)
            })
            .collect();
        for (id, written) in &writes {
            match written {
                Some(written) => drop(expected.insert(*id, written.clone())),
                None => drop(expected.remove(id)),
            }
        }
        let (dies, saves) = (random.below(4) == 0, random.below(4) == 0);
        for colony in &mut colonies {
            for (id, written) in &writes {
                let intake = colony.intake();
                match written.clone() {
                    Some(written) => drop(intake.try_upsert(*id, written).unwrap()),
                    None => drop(intake.try_delete(*id).unwrap()),
                }
            }
            must_die.store(dies, Ordering::Relaxed);
            settle(colony);
            if saves {
                colony.checkpoint(soon()).unwrap();
            }
        }
        if round % 9 == 8 {
            drop(colonies);
            colonies = both();
        }
        let [heap, mapped] = &colonies;
        assert_eq!(documents(heap), expected, "round {round}");
        assert_eq!(documents(mapped), expected, "round {round}");
        assert_eq!(answers(mapped), answers(heap), "round {round}");
    }
}

#[test]
fn a_colony_above_index_memory_is_refused_and_one_that_grew_beyond_it_lives_on() {
    let directory = tempfile::tempdir().unwrap();
    let must_die = Arc::new(AtomicBool::new(false));
    let bounded = TextShardConfig {
        index_memory: Some(10_000),
        ..TextShardConfig::default()
    };
    let mut random = Random::new(5);
    let mut colony = open(directory.path(), bounded.clone(), &must_die).unwrap();
    for seed in 0..400 {
        let (id, written) = (DocumentId::from_seed(seed), document(&mut random));
        colony.intake().try_upsert(id, written).unwrap();
        if seed % 100 == 99 {
            colony.tick().unwrap();
            colony.checkpoint(soon()).unwrap();
        }
    }
    must_die.store(true, Ordering::Relaxed);
    settle(&mut colony);
    assert!(!must_die.load(Ordering::Relaxed), "it died");
    assert_eq!(documents(&colony).len(), 400);
    drop(colony);
    // However often it is tried.
    for _ in 0..4 {
        let refused = open(directory.path(), bounded.clone(), &must_die).unwrap_err();
        let text = refused.to_string();
        assert!(matches!(refused, ColonyError::Factory { .. }), "{text}");
        assert!(
            text.contains("but index_memory is 10000: raise it"),
            "{text}"
        );
    }
    let mapped = TextShardConfig {
        reading: Reading::Mapped,
        ..bounded
    };
    let colony = open(directory.path(), mapped, &must_die).unwrap();
    assert_eq!(documents(&colony).len(), 400);
}
