//! A colony in a directory: written, left in any way, and opened again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tickring::colony::DurableConfig;
use tickring::testing::durable::{Hazards, Notes};
use tickring::{Colony, ColonyConfig, DocumentId};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

pub(super) fn config() -> DurableConfig {
    DurableConfig {
        colony: ColonyConfig {
            threads: 2,
            ..ColonyConfig::default()
        },
        ..DurableConfig::default()
    }
}

#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn open(path: &std::path::Path) -> Colony<Notes> {
    Colony::open(path, config(), Hazards::default()).unwrap()
}

pub(super) fn held(colony: &Colony<Notes>) -> BTreeMap<DocumentId, String> {
    let publication = colony.publication();
    let shards = publication.shards().iter();
    shards.flat_map(|shard| shard.view().texts()).collect()
}

#[test]
fn d2_what_was_published_is_there_after_the_colony_was_left_in_any_way() {
    let directory = tempfile::tempdir().unwrap();
    let mut expected = BTreeMap::new();
    for round in 0..12_u64 {
        let mut colony = open(directory.path());
        assert_eq!(held(&colony), expected, "round {round}");
        assert!(colony.verify().unwrap().is_right());
        assert_eq!(colony.opened().unwrap().created, round == 0);
        let intake = colony.intake();
        for tick in 0..3_u64 {
            for number in 0..20_u64 {
                let id = DocumentId::from_seed(round * 7 + number);
                let text = format!("{round} {tick} {number}");
                intake.upsert(id, text.clone(), soon()).unwrap();
                expected.insert(id, text);
            }
            let gone = DocumentId::from_seed(round * 7 + 3);
            intake.delete(gone, soon()).unwrap();
            expected.remove(&gone);
            let ticket = intake.try_add(DocumentId::from_seed(round * 7 + 4), "again".to_owned());
            let report = colony.tick().unwrap();
            assert_eq!(report.returned.len(), 1, "{:?}", report.returned);
            intake.wait_durable(ticket.unwrap().tick(), soon()).unwrap();
        }
        match round % 4 {
            0 => drop(colony),
            1 => {
                let end = colony.close(soon());
                assert!(end.returned.is_empty());
                assert!(
                    matches!(end.checkpoint, Some(Ok(_))),
                    "{:?}",
                    end.checkpoint
                );
            }
            2 => {
                colony.checkpoint(soon()).unwrap();
                intake
                    .upsert(DocumentId::from_seed(1), "late".to_owned(), soon())
                    .unwrap();
                expected.insert(DocumentId::from_seed(1), "late".to_owned());
                colony.tick().unwrap();
            }
            _ => {
                // What no tick has taken is lost.
                intake
                    .upsert(DocumentId::from_seed(2), "lost".to_owned(), soon())
                    .unwrap();
            }
        }
    }
}

#[test]
fn s3_a_poisonous_document_is_set_aside_and_nothing_else_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let mut colony = open(directory.path());
    let intake = colony.intake();
    let mut expected = BTreeMap::new();
    for number in 0..100 {
        let id = DocumentId::from_seed(number);
        intake.try_upsert(id, format!("{number}")).unwrap();
        expected.insert(id, format!("{number}"));
    }
    colony.tick().unwrap();
    let poisonous = [3, 50, 51].map(DocumentId::from_seed);
    for number in 0..100 {
        let id = DocumentId::from_seed(number);
        if poisonous.contains(&id) {
            intake.try_upsert(id, "poison".to_owned()).unwrap();
        } else {
            intake.try_upsert(id, format!("later {number}")).unwrap();
            expected.insert(id, format!("later {number}"));
        }
    }
    let report = colony.tick().unwrap();
    assert!(!report.faults.is_empty());
    assert!(report.frozen.is_empty(), "all are back within the tick");
    assert_eq!(report.published, 97);
    let mut returned: Vec<_> = report
        .returned
        .iter()
        .map(|write| write.write.id())
        .collect();
    returned.sort();
    let mut sorted = poisonous.to_vec();
    sorted.sort();
    assert_eq!(returned, sorted);
    assert_eq!(held(&colony), expected);
    for _ in 0..2 {
        // From the log, and then from the checkpoint that opening wrote.
        drop(colony);
        colony = open(directory.path());
        assert_eq!(held(&colony), expected);
        let mut kept: Vec<_> = colony
            .quarantine()
            .iter()
            .map(|kept| kept.document)
            .collect();
        kept.sort();
        assert_eq!(kept, sorted);
    }
    let entry = colony.quarantine()[0].clone();
    let writes = colony.take_quarantined(&entry, soon()).unwrap();
    assert_eq!(writes.len(), 1);
    assert_eq!(writes[0].id(), entry.document);
    drop(colony);
    assert_eq!(open(directory.path()).quarantine().len(), 2);
}
