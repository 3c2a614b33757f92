//! A colony in a directory, which is opened again and again while its documents move.

use tickring::colony::{DurableConfig, MoveBudget};
use tickring::testing::random::Random;
use tickring::topology::Member;
use tickring::{Colony, DocumentId, ShardId};

use super::{Single, TextShard, answer, config, goal, query, setting, texts, word, writers};

const IDS: u64 = 600;

fn opened(directory: &std::path::Path) -> Colony<TextShard> {
    Colony::open(directory, DurableConfig::default(), config()).unwrap()
}

/// Writes something, and returns how much.
fn write(colony: &Colony<TextShard>, random: &mut Random) -> usize {
    let writes = random.below(60);
    for _ in 0..writes {
        let id = DocumentId::from_seed(random.range(0, IDS));
        let text: Vec<_> = (0..random.range(1, 20)).map(|_| word(random)).collect();
        let document = writers::document(&text.join(" "));
        match random.below(4) {
            0 => drop(colony.intake().try_delete(id).unwrap()),
            _ => drop(colony.intake().try_upsert(id, document).unwrap()),
        }
    }
    writes
}

#[test]
fn d9_a_goal_is_reached_over_openings_with_the_answers_of_one_index() {
    let seed = setting("TICKRING_MOVES_SEED", 1_u64);
    let mut random = Random::new(seed);
    let directory = tempfile::tempdir().unwrap();
    let mut colony = opened(directory.path());
    let mut single = Single {
        colony: super::colony(1),
        texts: std::collections::BTreeMap::new(),
    };
    let (mut ticks, mut moved, mut openings, mut most) = (0, 0, 0, 0);
    for stage in [0, 1, 2, 3, 4, 0, 4] {
        let topology = colony.topology();
        let shards: Vec<ShardId> = topology.members().iter().map(Member::shard).collect();
        most = most.max(shards.len());
        let goal = goal(stage / 4, stage, &shards, &mut random);
        colony.set_goal(&goal).unwrap();
        let wanted = colony.goal().cloned();
        let mut is_first = true;
        while colony.progress().is_some() {
            colony.set_move_budget(MoveBudget {
                documents: 3 + random.below(20),
                ..MoveBudget::default()
            });
            write(&colony, &mut random);
            moved += colony.tick().unwrap().moved;
            ticks += 1;
            if is_first || random.one_in(4) {
                is_first = false;
                // The goal is in the log since the first tick.
                let before = colony.goal().cloned();
                assert!(before.is_none() || before == wanted, "{before:?}");
                if random.one_in(2) {
                    let closed = colony.close(std::time::Instant::now() + super::LIMIT);
                    assert!(closed.returned.is_empty() && closed.last.is_ok());
                } else {
                    drop(colony);
                }
                let found = Colony::<TextShard>::open_read_only(
                    directory.path(),
                    &DurableConfig::default(),
                    config(),
                    |_| {},
                );
                let found = found.unwrap();
                assert!(found.verify().unwrap().is_right());
                let asked = query(&mut random);
                let looked_up = answer(found.publication(), &asked);
                drop(found);
                colony = opened(directory.path());
                assert_eq!(answer(&colony.publication(), &asked), looked_up);
                openings += 1;
            }
            single.follow(texts(&colony));
            let (publication, one) = (colony.publication(), single.colony.publication());
            for _ in 0..10 {
                let text = query(&mut random);
                assert_eq!(answer(&publication, &text), answer(&one, &text), "{text}");
            }
        }
    }
    assert!(
        moved > 300 && ticks > 15 && openings > 8 && most == 7,
        "{moved} {ticks} {openings} {most}"
    );
}
