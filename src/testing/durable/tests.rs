//! What a durable colony must hold in single situations that runs at random reach rarely.

use std::collections::BTreeMap;

use super::hazards::{Death, Hazards, Moment};
use super::notes::{FRAIL, Notes};
use super::opening::{open, soon};
use crate::colony::ahead::Ahead;
use crate::colony::{Colony, Goal, Intake, MovePause, ReturnReason, Returned};
use crate::error::{ColonyError, IntakeError};
use crate::id::{DocumentId, ShardId, Tick};
use crate::storage::manifest::store;
use crate::sync::Instant;
use crate::testing::storage::{Fault, Image, Simulation};

pub(crate) fn opened(disk: &Simulation, hazards: &Hazards) -> Colony<Notes> {
    open(disk, hazards, None).unwrap()
}

fn texts(colony: &Colony<Notes>) -> BTreeMap<DocumentId, String> {
    let publication = colony.publication();
    let shards = publication.shards().iter();
    shards.flat_map(|shard| shard.view().texts()).collect()
}

pub(crate) fn upsert(colony: &Colony<Notes>, seed: u64, text: &str) -> ShardId {
    let (id, text) = (DocumentId::from_seed(seed), text.to_owned());
    colony.intake().try_upsert(id, text).unwrap().shard()
}

pub(crate) fn die(hazards: &Hazards, colony: &Colony<Notes>, shard: ShardId) {
    hazards.plan(Death {
        shard,
        tick: colony.current_tick(),
        moment: Moment::Act,
        is_panic: true,
        lives: 1,
    });
}

/// Begins a checkpoint that waits for its release.
fn hold(hazards: &Hazards, colony: &mut Colony<Notes>) {
    hazards.hold(0);
    // The one before may not have ended.
    while !hazards.is_holding() {
        let late = colony.checkpoint(Instant::now());
        assert!(
            matches!(late, Err(ColonyError::NotDurable { .. })),
            "{late:?}"
        );
    }
}

#[test]
fn d10_messages_that_a_report_told_of_survive_a_checkpoint_and_openings() {
    for is_closed in [false, true] {
        let (mut disk, hazards) = (Simulation::new(1), Hazards::default());
        let mut colony = opened(&disk, &hazards);
        upsert(&colony, 1, "move 2");
        colony.tick().unwrap();
        assert_eq!(colony.tick().unwrap().messages.sent, 2);
        if is_closed {
            colony.checkpoint(soon()).unwrap();
        }
        // Three openings, each with its own checkpoint.
        for _ in 0..3 {
            drop(colony);
            disk = disk.power_cut(Image::Synced);
            colony = opened(&disk, &hazards);
        }
        let report = colony.tick().unwrap();
        assert_eq!(report.messages.published, 2, "{report:?}");
        assert!(texts(&colony).contains_key(&DocumentId::from_seed(2)));
    }
}

/// Lets the checkpoint go on that waits, until its manifest counts.
fn release(disk: &Simulation, hazards: &Hazards, tick: Tick) {
    hazards.release();
    while store::read(disk).unwrap().unwrap().tick != tick {
        std::thread::yield_now();
    }
}

#[test]
fn d4_what_another_life_has_replaced_is_not_kept() {
    let (disk, hazards) = (Simulation::new(1), Hazards::default());
    let mut colony = opened(&disk, &hazards);
    let shard = upsert(&colony, 1, "text");
    colony.tick().unwrap();
    // The second life is opened before the manifest has the first one's file.
    hold(&hazards, &mut colony);
    die(&hazards, &colony, shard);
    colony.tick().unwrap();
    release(&disk, &hazards, 1);
    // The third one is opened with that file, and then the second one's takes its place.
    hold(&hazards, &mut colony);
    die(&hazards, &colony, shard);
    colony.tick().unwrap();
    release(&disk, &hazards, 2);
    colony.checkpoint(soon()).unwrap();
    drop(colony);
    let colony = opened(&disk.power_cut(Image::Everything), &hazards);
    assert_eq!(texts(&colony).into_values().collect::<Vec<_>>(), ["text"]);
}

#[test]
fn d8_a_manifest_that_was_never_completed_stops_no_opening() {
    for operation in 1..60 {
        let (disk, hazards) = (Simulation::new(operation), Hazards::default());
        drop(opened(&disk, &hazards));
        disk.plan(Fault::Crash, disk.operations() + operation);
        drop(open(&disk, &hazards, None));
        let disk = disk.power_cut(Image::Everything);
        let left = disk.all_files();
        let is_left = left.iter().any(|(path, _)| path == "MANIFEST.tmp");
        let colony = opened(&disk, &hazards);
        let removed = &colony.opened().unwrap().removed;
        let is_told = removed.iter().any(|(path, _)| path == "MANIFEST.tmp");
        assert_eq!(is_told, is_left, "{removed:?}");
    }
}

#[test]
fn d2_a_shard_that_is_new_at_a_checkpoint_is_there_afterwards() {
    for is_empty in [true, false] {
        let (disk, hazards) = (Simulation::new(1), Hazards::default());
        let mut colony = opened(&disk, &hazards);
        if !is_empty {
            upsert(&colony, 1, "text");
            colony.tick().unwrap();
        }
        let added = colony.add_shard().unwrap();
        colony.tick().unwrap();
        assert!(colony.publication().shard(added).is_none());
        colony.checkpoint(soon()).unwrap();
        let ring = colony.topology().ring().members().to_vec();
        let before = texts(&colony);
        drop(colony);
        let mut colony = opened(&disk.power_cut(Image::Synced), &hazards);
        assert_eq!(colony.topology().ring().members(), ring);
        assert_eq!(texts(&colony), before);
        for seed in 0..50 {
            upsert(&colony, seed, "more");
        }
        colony.tick().unwrap();
        assert!(colony.verify().unwrap().is_right());
        let held = colony.publication().shard(added).unwrap().view().texts();
        assert_eq!(held.is_empty(), !is_empty);
    }
}

/// Runs ticks until a write is accepted.
fn accepted_after_ticks(
    colony: &mut Colony<Notes>,
    write: impl Fn(&Intake<Notes>) -> Result<(), IntakeError>,
) {
    let until = soon();
    while let Err(refused) = write(&colony.intake()) {
        assert!(Instant::now() < until, "{refused}");
        colony.tick().unwrap();
    }
}

#[test]
fn the_log_is_full_if_no_checkpoint_can_be_completed_and_has_room_again_after_one() {
    let (disk, hazards) = (Simulation::new(1), Hazards::default());
    let mut colony = opened(&disk, &hazards);
    hazards.unsave(u32::MAX);
    let intake = colony.intake();
    let mut accepted = 0;
    for seed in 0..200 {
        let id = DocumentId::from_seed(seed);
        accepted += u32::from(intake.try_upsert(id, "text".to_owned()).is_ok());
        colony.tick().unwrap();
    }
    // Four distances.
    assert_eq!(accepted, 48);
    let full = intake.try_delete(DocumentId::from_seed(1)).unwrap_err();
    assert_eq!(full, IntakeError::LogFull);
    colony.prepare().unwrap();
    let full = intake.try_delete(DocumentId::from_seed(1)).unwrap_err();
    assert_eq!(full, IntakeError::LogFull);
    colony.publish().unwrap();
    let (_, ended) = colony.last_checkpoint().unwrap();
    assert!(matches!(ended, Err(ColonyError::Save { .. })), "{ended:?}");
    // What moves would come to the log too.
    let owners = colony.topology().epoch();
    colony.set_goal(&Goal::new().weigh(ShardId(0), 2)).unwrap();
    for _ in 0..3 {
        assert_eq!(colony.tick().unwrap().moved, 0);
        assert_eq!(colony.progress().unwrap().pause, Some(MovePause::LogFull));
    }
    assert_eq!(colony.topology().epoch(), owners);
    hazards.unsave(0);
    accepted_after_ticks(&mut colony, |intake| {
        intake.try_delete(DocumentId::from_seed(1)).map(drop)
    });
    while colony.progress().is_some() {
        colony.tick().unwrap();
    }
    assert!(colony.topology().epoch() > owners);
    assert_eq!(texts(&colony).len(), 47);
}

/// Only what the shard hasn't applied is in its way: it can be brought back, or forgotten.
#[test]
fn the_log_is_full_if_a_shard_stays_behind_and_has_room_again_when_it_is_back_or_gone() {
    for is_forgotten in [false, true] {
        let (disk, hazards) = (Simulation::new(1), Hazards::default());
        let mut colony = opened(&disk, &hazards);
        let dead = upsert(&colony, 1, "text");
        hazards.close(dead, 0, u32::MAX);
        die(&hazards, &colony, dead);
        assert_eq!(colony.tick().unwrap().frozen, [dead]);
        let intake = colony.intake();
        let (mut accepted, mut full, mut checkpoints) = (1, 0, Vec::new());
        for seed in 2..150 {
            let id = DocumentId::from_seed(seed);
            match intake.try_upsert(id, "text".to_owned()) {
                Ok(_) => accepted += 1,
                Err(refused) => match refused.reason {
                    IntakeError::LogFull => full += 1,
                    IntakeError::Recovering { shard } if shard == dead => {}
                    other => panic!("{other}"),
                },
            }
            colony.tick().unwrap();
            let checkpoint = colony.last_checkpoint();
            checkpoints.extend(checkpoint.map(|(tick, ended)| (tick, ended.is_ok())));
        }
        // Four distances, with a checkpoint after each quarter of one.
        assert!(accepted == 48 && full > 30, "{accepted} {full}");
        checkpoints.dedup();
        assert!(checkpoints.iter().all(|&(_, is_complete)| is_complete));
        assert!((4..20).contains(&checkpoints.len()), "{checkpoints:?}");
        let log = |disk: &Simulation| {
            let files = disk.all_files().into_iter();
            let of_log = files.filter(|(path, _)| path.starts_with("log/"));
            of_log.map(|(_, bytes)| bytes).sum::<u64>()
        };
        let before = log(&disk);
        // It costs nothing while there is nothing that it would have to apply.
        for _ in 0..50 {
            assert_eq!(colony.tick().unwrap().frozen, [dead]);
        }
        assert_eq!(log(&disk), before);
        hazards.clear();
        if is_forgotten {
            colony.forget_shard(dead).unwrap();
        } else {
            colony.revive_shard(dead).unwrap();
        }
        // A tick brings it back, or says that it is gone. Then a checkpoint has all.
        let other = (2..).map(DocumentId::from_seed);
        let other = other
            .zip(2..)
            .find(|(id, _)| colony.topology().place(id) != Ok(dead));
        accepted_after_ticks(&mut colony, |intake| {
            let written = intake.try_upsert(other.unwrap().0, "more".to_owned());
            written.map(drop).map_err(|refused| refused.reason)
        });
        colony.tick().unwrap();
        assert!(log(&disk) < before / 2, "{before}");
        assert!(colony.verify().unwrap().is_right());
        let expected = texts(&colony);
        let is_there = expected.contains_key(&DocumentId::from_seed(1));
        assert_eq!(is_there, !is_forgotten);
        let colony = opened(&disk.power_cut(Image::Synced), &hazards);
        assert_eq!(texts(&colony), expected);
    }
}

#[test]
fn d10_nothing_is_set_aside_because_a_shard_could_not_be_opened() {
    for passing in 0..20 {
        let (disk, hazards) = (Simulation::new(1), Hazards::default());
        let mut colony = opened(&disk, &hazards);
        let shard = upsert(&colony, 1, "poison");
        for seed in 2..40 {
            upsert(&colony, seed, "text");
        }
        hazards.close(shard, passing, 1);
        let mut returned = Vec::new();
        for _ in 0..3 {
            let report = colony.tick().unwrap();
            returned.extend(report.returned.iter().map(|one| one.write.id()));
        }
        assert_eq!(returned, [DocumentId::from_seed(1)], "{passing}");
        assert_eq!(texts(&colony).len(), 38);
    }
}

#[test]
fn a_power_cut_brings_no_attempt_back_that_a_later_opening_has_ended() {
    for seed in 0..60 {
        let (disk, hazards) = (Simulation::new(seed), Hazards::default());
        let mut colony = opened(&disk, &hazards);
        for seed in 0..10 {
            upsert(&colony, seed, "text");
        }
        colony.tick().unwrap();
        drop(colony);
        let disk = disk.power_cut(Image::Everything);
        // In the checkpoint at the end of the opening.
        disk.plan(Fault::Crash, 14);
        drop(open(&disk, &hazards, None));
        let disk = disk.power_cut(Image::Everything);
        drop(opened(&disk, &hazards));
        let disk = disk.power_cut(Image::Subset);
        assert_eq!(texts(&opened(&disk, &hazards)).len(), 10);
    }
}

#[test]
fn d10_what_is_set_aside_in_a_prepared_tick_is_in_the_quarantine_once() {
    let (disk, hazards) = (Simulation::new(1), Hazards::default());
    let mut colony = opened(&disk, &hazards);
    upsert(&colony, 1, "text");
    colony.tick().unwrap();
    upsert(&colony, 1, "poison");
    colony.prepare().unwrap();
    // Of the tick before, which knows nothing of it.
    assert_eq!(colony.checkpoint(soon()).unwrap(), 1);
    drop(colony);
    let colony = opened(&disk.power_cut(Image::Synced), &hazards);
    assert_eq!(colony.quarantine().len(), 1);
    assert_eq!(texts(&colony).len(), 1);
}

#[test]
fn d10_what_a_shard_refused_while_it_was_behind_comes_back_once() {
    let (disk, hazards) = (Simulation::new(1), Hazards::default());
    let mut colony = opened(&disk, &hazards);
    upsert(&colony, 1, "text");
    colony.tick().unwrap();
    let shard = upsert(&colony, 1, "");
    hazards.close(shard, 0, 1);
    die(&hazards, &colony, shard);
    let mut reports = Vec::new();
    for round in 0..4 {
        if round == 2 {
            die(&hazards, &colony, shard);
        }
        reports.push(colony.tick().unwrap());
    }
    let returned: Vec<_> = reports.iter().map(|report| report.returned.len()).collect();
    assert_eq!(returned, [0, 1, 0, 0], "{reports:#?}");
}

/// What it died of has passed meanwhile, and no checkpoint was completed.
#[test]
fn d10_what_a_shard_set_aside_while_it_caught_up_stays_set_aside() {
    let (disk, hazards) = (Simulation::new(1), Hazards::default());
    let mut colony = opened(&disk, &hazards);
    upsert(&colony, 1, "text");
    colony.tick().unwrap();
    let shard = upsert(&colony, 1, FRAIL);
    hazards.weaken();
    hazards.unsave(u32::MAX);
    hazards.close(shard, 0, 1);
    let report = colony.tick().unwrap();
    assert_eq!((report.frozen, report.returned.len()), (vec![shard], 0));
    let mut returned = Vec::new();
    for _ in 0..4 {
        returned.extend(colony.tick().unwrap().returned);
    }
    let aside = |one: &Returned<String>| matches!(one.reason, ReturnReason::SetAside(_));
    assert!(
        returned.len() == 1 && returned.iter().all(aside),
        "{returned:?}"
    );
    upsert(&colony, 2, "more");
    colony.tick().unwrap();
    let (expected, quarantine) = (texts(&colony), colony.quarantine());
    assert_eq!(quarantine.len(), 1);
    drop(colony);
    hazards.clear();
    let colony = opened(&disk.power_cut(Image::Synced), &hazards);
    assert_eq!(texts(&colony), expected);
    assert_eq!(colony.quarantine(), quarantine);
}

/// It has come back to the caller.
#[test]
fn d10_a_write_that_was_refused_is_not_told_again_when_its_shard_dies_of_it_later() {
    let (disk, hazards) = (Simulation::new(1), Hazards::default());
    let mut colony = opened(&disk, &hazards);
    let shard = upsert(&colony, 1, "text");
    colony.tick().unwrap();
    let id = DocumentId::from_seed(1);
    colony.intake().try_add(id, FRAIL.to_owned()).unwrap();
    assert_eq!(colony.tick().unwrap().returned.len(), 1);
    let expected = texts(&colony);
    for _ in 0..2 {
        hazards.weaken();
        die(&hazards, &colony, shard);
        let mut report = colony.tick().unwrap();
        assert_eq!(report.faults.len(), 1);
        for _ in 0..5 {
            assert!(report.returned.is_empty(), "{:?}", report.returned);
            report = colony.tick().unwrap();
        }
        assert!(report.frozen.is_empty());
        assert_eq!(texts(&colony), expected);
        assert_eq!(colony.quarantine(), []);
    }
    drop(colony);
    let colony = opened(&disk.power_cut(Image::Synced), &hazards);
    assert_eq!(texts(&colony), expected);
    assert_eq!(colony.quarantine(), []);
}

/// The log doesn't know yet that the shard is gone, and the documents' heirs haven't been given them.
#[test]
fn d3_a_checkpoint_right_after_a_shard_was_forgotten_keeps_what_was_on_its_way_to_it() {
    let (disk, hazards) = (Simulation::new(1), Hazards::default());
    let mut colony = opened(&disk, &hazards);
    for seed in 0..40 {
        upsert(&colony, seed, "text");
    }
    colony.tick().unwrap();
    let expected = texts(&colony);
    let added = colony.set_goal(&Goal::new().add_shard(1)).unwrap()[0];
    colony.tick().unwrap();
    colony.tick().unwrap();
    die(&hazards, &colony, added);
    hazards.close(added, 0, u32::MAX);
    let report = colony.tick().unwrap();
    assert!(report.frozen.contains(&added) && report.frozen.len() > 1);
    assert_eq!(colony.forget_shard(added).unwrap(), []);
    colony.checkpoint(soon()).unwrap();
    drop(colony);
    hazards.clear();
    let colony = opened(&disk.power_cut(Image::Synced), &hazards);
    assert_eq!(texts(&colony), expected);
}

/// Until the next tick it is still published, with the tick that it had.
#[test]
fn d5_a_removed_shard_that_was_behind_does_not_say_where_the_log_begins() {
    let (disk, hazards) = (Simulation::new(1), Hazards::default());
    let mut colony = opened(&disk, &hazards);
    let shard = upsert(&colony, 1, "text");
    colony.tick().unwrap();
    hazards.close(shard, 0, u32::MAX);
    die(&hazards, &colony, shard);
    for seed in 2..30 {
        let id = DocumentId::from_seed(seed);
        // Refused for the shard that is behind.
        let _ = colony.intake().try_upsert(id, "text".to_owned());
        colony.tick().unwrap();
    }
    colony.forget_shard(shard).unwrap();
    colony.checkpoint(soon()).unwrap();
    upsert(&colony, 30, "more");
    colony.tick().unwrap();
    let expected = texts(&colony);
    drop(colony);
    hazards.clear();
    let colony = opened(&disk.power_cut(Image::Synced), &hazards);
    assert_eq!(texts(&colony), expected);
}

/// Its documents are in a tick that is on the disk, and in no view yet.
#[test]
fn d1_a_shard_is_not_removed_while_the_disk_is_full() {
    let (disk, hazards) = (Simulation::new(1), Hazards::default());
    let mut colony = opened(&disk, &hazards);
    let ticket = {
        let (id, text) = (DocumentId::from_seed(1), "one".to_owned());
        colony.intake().try_upsert(id, text).unwrap()
    };
    disk.plan(Fault::Full { operations: 50 }, 0);
    let full = colony.tick().unwrap_err();
    assert!(full.keeps_tick(), "{full}");
    let shard = ticket.shard();
    let tick = ticket.tick();
    let refused = [
        colony.remove_shard(shard),
        colony.forget_shard(shard).map(drop),
    ];
    let running = ColonyError::AlreadyPrepared { tick };
    // A shard that lives is never forgotten.
    assert_eq!(refused, [Err(running), Err(ColonyError::ShardLives(shard))]);
    disk.recover();
    colony.tick().unwrap();
    assert!(texts(&colony).contains_key(&DocumentId::from_seed(1)));
}

/// The record of the tick says that the shard is gone. Without it, the replay would let it live, and refuse the write.
#[test]
fn d1_nothing_is_told_to_be_durable_on_a_ring_that_the_log_does_not_know() {
    let (disk, hazards) = (Simulation::new(1), Hazards::default());
    let mut colony = opened(&disk, &hazards);
    let shard = upsert(&colony, 1, "old");
    colony.tick().unwrap();
    hazards.close(shard, 0, u32::MAX);
    die(&hazards, &colony, shard);
    colony.tick().unwrap();
    let id = DocumentId::from_seed(1);
    assert_eq!(colony.forget_shard(shard).unwrap(), [id]);
    colony.intake().try_add(id, "new".to_owned()).unwrap();
    assert_eq!(colony.write_ahead(), Ahead::NotBegun);
    colony.tick().unwrap();
    upsert(&colony, 2, "more");
    assert_eq!(colony.write_ahead(), Ahead::Durable);
    drop(colony);
    hazards.clear();
    let colony = opened(&disk.power_cut(Image::Synced), &hazards);
    let expected = [(1, "new"), (2, "more")];
    let expected = expected.map(|(seed, text)| (DocumentId::from_seed(seed), text.to_owned()));
    assert_eq!(texts(&colony), BTreeMap::from(expected));
}

#[test]
fn d1_nothing_is_told_to_be_durable_while_the_disk_is_full() {
    let (disk, hazards) = (Simulation::new(1), Hazards::default());
    let mut colony = opened(&disk, &hazards);
    upsert(&colony, 1, "text");
    colony.tick().unwrap();
    upsert(&colony, 2, "text");
    disk.plan(Fault::Full { operations: 50 }, 0);
    assert_eq!(colony.write_ahead(), Ahead::Failed);
    assert_eq!(colony.write_ahead(), Ahead::NotBegun);
    assert!(colony.tick().unwrap_err().keeps_tick());
    disk.recover();
    colony.tick().unwrap();
    upsert(&colony, 3, "text");
    assert_eq!(colony.write_ahead(), Ahead::Durable);
    drop(colony);
    let colony = opened(&disk.power_cut(Image::Synced), &hazards);
    assert_eq!(texts(&colony).len(), 3);
}

#[test]
fn writes_go_ahead_while_a_checkpoint_runs() {
    let (disk, hazards) = (Simulation::new(1), Hazards::default());
    let mut colony = opened(&disk, &hazards);
    hazards.hold(0);
    for seed in 0..12 {
        upsert(&colony, seed, "text");
    }
    // A checkpoint is due after them.
    assert_eq!(colony.write_ahead(), Ahead::Durable);
    upsert(&colony, 12, "text");
    assert_eq!(colony.write_ahead(), Ahead::NotBegun);
    colony.tick().unwrap();
    upsert(&colony, 13, "text");
    assert_eq!(colony.write_ahead(), Ahead::Durable);
    hazards.release();
}

#[test]
fn s3_a_shard_that_stops_dying_is_back_with_all_its_writes() {
    let (disk, hazards) = (Simulation::new(1), Hazards::default());
    let mut colony = opened(&disk, &hazards);
    let shard = upsert(&colony, 1, "text");
    hazards.plan(Death {
        shard,
        tick: colony.current_tick(),
        moment: Moment::Act,
        is_panic: true,
        // In the tick, and each time that it is tried before a write is blamed.
        lives: 4,
    });
    let report = colony.tick().unwrap();
    assert!(report.frozen.is_empty(), "{report:?}");
    assert_eq!(texts(&colony).len(), 1);
    assert!(colony.quarantine().is_empty());
}
