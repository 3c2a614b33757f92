//! Text shards that are saved, opened and given the rest of the writes: their answers are the same to the bit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arbitrary::Unstructured;
use tickring::colony::{DurableConfig, Write, check_durable};
use tickring::placement::Placement;
use tickring::publication::{Hit, ShardFailure};
use tickring::search::{
    Query, Reading, SearchOptions, TextDocument, TextShard, TextShardConfig, TextView, search,
    search_views,
};
use tickring::testing::random::Random;
use tickring::testing::search::{Documents, NaiveSearch, TextColony, Tree, WORDS, document};
use tickring::testing::setting;
use tickring::{Colony, ColonyConfig, DocumentId, ShardId, View};

fn ticks(random: &mut Random, count: usize) -> Vec<Vec<Write<TextDocument>>> {
    let tick = |random: &mut Random| (0..random.below(9)).map(|_| write(random)).collect();
    (0..count).map(|_| tick(random)).collect()
}

fn write(random: &mut Random) -> Write<TextDocument> {
    let id = DocumentId::from_seed(random.range(0, 40));
    let written = Arc::new(document(random));
    match random.below(4) {
        0 => Write::Delete { id },
        1 => Write::Upsert {
            id,
            document: written,
        },
        _ => Write::Add {
            id,
            document: written,
        },
    }
}

fn trees(random: &mut Random, count: usize) -> arbitrary::Result<Vec<Tree>> {
    let mut tree = || {
        let bytes: Vec<_> = (0..8).flat_map(|_| random.next().to_le_bytes()).collect();
        Tree::generate(&mut Unstructured::new(&bytes), &WORDS, 3)
    };
    (0..count).map(|_| tree()).collect()
}

/// What is compared of a view.
#[derive(Debug, PartialEq)]
struct Shown {
    documents: Documents,
    frequencies: BTreeMap<String, u64>,
    /// For each query: the hits with the bits of their scores.
    answers: Vec<Vec<(DocumentId, u32)>>,
}

fn show(view: &TextView, trees: &[Tree]) -> Result<Shown, ShardFailure> {
    let all = view.documents_between(Placement::default(), ..)?;
    let documents: Documents = all.collect::<Result<_, _>>()?;
    let statistics = TextView::statistics(&[view])?;
    let options = SearchOptions::new();
    let naive = NaiveSearch::new(&documents);
    let answer = |tree: &Tree| {
        let query = Query::parse(&tree.render())?;
        let views = [(ShardId::new(0), view)];
        let found = search_views(&views, &statistics, &query, &options)?;
        let bits = bits_of(&found.hits);
        let expected = naive.search(tree).into_iter().take(10);
        let expected: Vec<_> = expected.map(|(id, score)| (id, score.to_bits())).collect();
        assert_eq!(bits, expected, "{}", tree.render());
        Ok(bits)
    };
    let answers = trees
        .iter()
        .map(answer)
        .collect::<Result<_, ShardFailure>>()?;
    Ok(Shown {
        answers,
        frequencies: view.term_frequencies("body")?.into_iter().collect(),
        documents,
    })
}

#[test]
fn d9_answers_are_the_same_after_saving_and_opening_at_any_tick() {
    // A seed takes seconds, since each of its ticks is opened again and gets the rest.
    let seeds = setting("TICKRING_DURABILITY_SEEDS", 3_u64).div_ceil(10);
    for seed in 0..seeds {
        let mut random = Random::new(seed);
        // Enough ticks for a merge to run beside the later ones.
        let (ticks, trees) = (ticks(&mut random, 12), trees(&mut random, 6).unwrap());
        let config = TextShardConfig::default();
        let checked = check_durable::<TextShard, _>(&config, &ticks, |view| show(view, &trees));
        checked.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}

fn bits_of<'a>(hits: impl IntoIterator<Item = &'a Hit>) -> Vec<(DocumentId, u32)> {
    let hits = hits.into_iter();
    hits.map(|hit| (hit.document, hit.score.to_bits()))
        .collect()
}

#[test]
fn d9_a_colony_answers_as_in_memory_however_often_it_was_left_and_opened() {
    let directory = tempfile::tempdir().unwrap();
    let config = || DurableConfig {
        shards: Some(3),
        colony: ColonyConfig {
            threads: 2,
            ..ColonyConfig::default()
        },
        // Checkpoints come by themselves as well.
        log_writes: 60,
        ..DurableConfig::default()
    };
    // Each way of reading meets what the other has left.
    let open = |round: u32| {
        let settings = TextShardConfig {
            reading: [Reading::Heap, Reading::Mapped, Reading::Mapped][round as usize % 3],
            ..TextShardConfig::default()
        };
        Colony::<TextShard>::open(directory.path(), config(), settings).unwrap()
    };
    let mut random = Random::new(7);
    let trees = trees(&mut random, 10).unwrap();
    let mut in_memory = TextColony::new(3);
    let mut colony = open(0);
    for round in 0..9 {
        for writes in ticks(&mut random, 4) {
            for write in writes {
                let id = write.id();
                if let Some(document) = write.document() {
                    in_memory.upsert(id, TextDocument::clone(document));
                    let written = TextDocument::clone(document);
                    colony.intake().try_upsert(id, written).unwrap();
                } else {
                    in_memory.delete(id);
                    colony.intake().try_delete(id).unwrap();
                }
            }
            in_memory.tick();
            colony.tick().unwrap();
        }
        let soon = Instant::now() + Duration::from_secs(30);
        match round % 3 {
            0 => drop(colony),
            1 => drop(colony.close(soon)),
            _ => {
                colony.checkpoint(soon).unwrap();
                drop(colony);
            }
        }
        colony = open(round / 2);
        let (expected, found) = (in_memory.colony.publication(), colony.publication());
        for tree in &trees {
            let query = Query::parse(&tree.render()).unwrap();
            let search = |publication| search(publication, &query, 20, None).unwrap();
            assert_eq!(bits_of(&search(&found)), bits_of(&search(&expected)));
        }
        let mut documents = Documents::new();
        for shard in found.shards() {
            let all = shard.view().documents_between(Placement::default(), ..);
            documents.extend(all.unwrap().map(Result::unwrap));
        }
        assert_eq!(documents, in_memory.documents, "round {round}");
    }
}
