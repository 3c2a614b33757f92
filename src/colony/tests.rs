mod callbacks;
mod drops;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::*;
use crate::error::IntakeError;
use crate::id::DocumentId;
use crate::phase::TickPhase;

const LONG: Duration = Duration::from_secs(60);
/// Long enough for a healthy shard on a loaded machine.
const TIMEOUT: Duration = Duration::from_millis(1_500);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Misdeed {
    Panic,
    Fail,
    Hang,
    /// Hangs, then fails.
    HangAndFail,
}

/// Keeps texts; misbehaves once it is told to.
struct Notes {
    kept: BTreeMap<DocumentId, Arc<String>>,
    misdeed: Option<(TickPhase, Tick, Misdeed)>,
    /// Hangs until its other side is dropped.
    hang: Option<mpsc::Receiver<()>>,
    panics_when_dropped: bool,
    /// Its drop waits until the other side is dropped.
    blocks_when_dropped: Option<mpsc::Receiver<()>>,
    seen: Arc<crate::sync::Mutex<Vec<(TickPhase, Tick)>>>,
}

impl Notes {
    fn new() -> Self {
        Self {
            kept: BTreeMap::new(),
            misdeed: None,
            hang: None,
            panics_when_dropped: false,
            blocks_when_dropped: None,
            seen: Arc::default(),
        }
    }

    fn pass(&mut self, phase: TickPhase, tick: Tick) -> Result<(), ShardFailure> {
        self.seen.lock().push((phase, tick));
        match self.misdeed {
            Some((at, from, misdeed)) if at == phase && from <= tick => match misdeed {
                Misdeed::Panic => panic!("on purpose"),
                Misdeed::Fail => Err("on purpose".into()),
                Misdeed::Hang => {
                    if let Some(hang) = &self.hang {
                        let _ = hang.recv();
                    }
                    Ok(())
                }
                Misdeed::HangAndFail => {
                    if let Some(hang) = &self.hang {
                        let _ = hang.recv();
                    }
                    Err("on purpose".into())
                }
            },
            _ => Ok(()),
        }
    }
}

impl Drop for Notes {
    fn drop(&mut self) {
        if let Some(blocks) = self.blocks_when_dropped.take() {
            let _ = blocks.recv();
        }
        assert!(!self.panics_when_dropped, "dropped on purpose");
    }
}

impl Shard for Notes {
    type Document = String;
    type Searcher = BTreeMap<DocumentId, Arc<String>>;
    type Statistics = usize;

    fn sense(&mut self, tick: Tick) -> Result<(), ShardFailure> {
        self.pass(TickPhase::Sense, tick)
    }

    fn act(&mut self, tick: Tick, batch: &mut Batch<'_, String>) -> Result<(), ShardFailure> {
        for (index, write) in batch.writes().iter().enumerate() {
            match write {
                Write::Add { id, .. } if self.kept.contains_key(id) => batch.refuse(index),
                Write::Add { id, document } | Write::Upsert { id, document } => {
                    self.kept.insert(*id, Arc::clone(document));
                }
                Write::Delete { id } => {
                    self.kept.remove(id);
                }
            }
        }
        self.pass(TickPhase::Act, tick)
    }

    fn decay(&mut self, tick: Tick) -> Result<(), ShardFailure> {
        self.pass(TickPhase::Decay, tick)
    }

    fn advance(&mut self, tick: Tick) -> Result<(), ShardFailure> {
        self.pass(TickPhase::Advance, tick)
    }

    fn searcher(&self) -> Self::Searcher {
        self.kept.clone()
    }

    fn holds(searcher: &Self::Searcher, document: &DocumentId) -> bool {
        searcher.contains_key(document)
    }

    fn statistics(searchers: &[&Self::Searcher]) -> usize {
        searchers.iter().map(|notes| notes.len()).sum()
    }
}

fn config(threads: usize) -> ColonyConfig {
    ColonyConfig {
        threads,
        phase_timeout: TIMEOUT,
        ..ColonyConfig::default()
    }
}

fn colony(shards: Vec<Notes>, threads: usize) -> Colony<Notes> {
    Colony::new(config(threads), shards).unwrap()
}

fn healthy(n: usize) -> Vec<Notes> {
    (0..n).map(|_| Notes::new()).collect()
}

fn id(seed: u64) -> DocumentId {
    DocumentId::from_seed(seed)
}

fn published_ids(colony: &Colony<Notes>) -> BTreeSet<DocumentId> {
    let publication = colony.publication();
    let ids: Vec<_> = publication
        .shards()
        .iter()
        .flat_map(|published| published.searcher().keys().copied())
        .collect();
    let unique: BTreeSet<_> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "a document is in two shards");
    unique
}

fn until(holds: impl Fn() -> bool) {
    let end = far();
    while !holds() {
        assert!(Instant::now() < end, "it doesn't come about");
        thread::yield_now();
    }
}

fn far() -> Instant {
    Instant::now() + LONG
}

fn returned_ids(returned: &[Returned<String>]) -> BTreeSet<DocumentId> {
    returned
        .iter()
        .map(|returned| returned.write.id())
        .collect()
}

#[test]
fn a_tick_publishes_what_was_accepted_on_its_placement_owner() {
    let mut colony = colony(healthy(3), 2);
    let intake = colony.intake();
    let before = colony.publication();
    assert_eq!((before.tick(), before.shards().len()), (None, 3));
    let mut tickets = BTreeMap::new();
    for seed in 0..200 {
        let ticket = intake.try_add(id(seed), format!("note {seed}")).unwrap();
        assert_eq!(ticket.tick(), 0);
        tickets.insert(id(seed), ticket.shard());
    }
    let report = colony.tick().unwrap();
    assert_eq!((report.tick, report.published), (0, 200));
    assert!(report.returned.is_empty() && report.faults.is_empty());
    assert!(report.phases.iter().all(|phase| phase.slowest.is_some()));
    intake.wait_published(0, Instant::now()).unwrap();
    let publication = colony.publication();
    for published in publication.shards() {
        assert_eq!(published.tick(), Some(0));
        for document in published.searcher().keys() {
            assert_eq!(tickets[document], published.shard());
            assert_eq!(colony.topology().place(document), Ok(published.shard()));
        }
    }
    assert_eq!(*publication.statistics(), 200);
    let epoch = colony.topology().epoch();
    assert_eq!((report.epoch, publication.epoch()), (epoch, epoch));
    assert!(before.shards().iter().all(|p| p.searcher().is_empty()));
}

#[test]
fn no_shard_starts_a_phase_before_every_shard_finished_the_one_before() {
    let log: Arc<crate::sync::Mutex<Vec<(TickPhase, Tick)>>> = Arc::default();
    let shards = (0..5)
        .map(|_| {
            let mut notes = Notes::new();
            notes.seen = Arc::clone(&log);
            notes
        })
        .collect();
    let mut colony = colony(shards, 3);
    for _ in 0..20 {
        colony.tick().unwrap();
    }
    let log = log.lock();
    assert_eq!(log.len(), 20 * 4 * 5);
    assert!(log.is_sorted_by_key(|&(phase, tick)| (tick, phase)));
}

#[test]
fn add_refuses_what_exists_upsert_replaces_and_delete_takes_away() {
    let mut colony = colony(healthy(2), 2);
    let intake = colony.intake();
    intake.try_add(id(1), "one".to_owned()).unwrap();
    intake.try_add(id(1), "again".to_owned()).unwrap();
    intake.try_add(id(2), "two".to_owned()).unwrap();
    let report = colony.tick().unwrap();
    assert_eq!(report.published, 2);
    let [back] = &report.returned[..] else {
        panic!("one comes back: {report:?}");
    };
    assert_eq!(back.reason, ReturnReason::Exists);
    assert_eq!(**back.write.document().unwrap(), "again");

    intake.try_upsert(id(1), "new".to_owned()).unwrap();
    intake.try_delete(id(2)).unwrap();
    colony.tick().unwrap();
    assert_eq!(published_ids(&colony), BTreeSet::from([id(1)]));
    let publication = colony.publication();
    let text = publication
        .shards()
        .iter()
        .find_map(|p| p.searcher().get(&id(1)));
    assert_eq!(text.map(|text| text.as_str()), Some("new"));
}

/// Ticks a colony in which the first shard misbehaves at tick 1, and checks that nothing else suffers.
fn survive(phase: TickPhase, misdeed: Misdeed) {
    let (release, hang) = mpsc::channel();
    let mut shards = healthy(4);
    shards[0].misdeed = Some((phase, 1, misdeed));
    shards[0].hang = Some(hang);
    shards[0].panics_when_dropped = misdeed != Misdeed::Hang;
    let mut colony = colony(shards, 2);
    let intake = colony.intake();
    let add = |seeds: std::ops::Range<u64>| {
        for seed in seeds {
            intake.try_add(id(seed), String::new()).unwrap();
        }
    };
    add(0..100);
    colony.tick().unwrap();
    add(100..200);
    let culprit = ShardId(0);
    let its: BTreeSet<_> = (0..200)
        .map(id)
        .filter(|id| colony.topology().place(id) == Ok(culprit))
        .collect();
    let (old, new): (BTreeSet<_>, BTreeSet<_>) = its
        .iter()
        .partition(|&&i| (0..100).any(|seed| id(seed) == i));

    let begun = Instant::now();
    let report = colony.tick().unwrap();
    assert!(begun.elapsed() < LONG / 2);
    let [fault] = &report.faults[..] else {
        panic!("one fault: {:?}", report.faults);
    };
    assert_eq!((fault.shard, fault.phase), (culprit, phase));
    match (&fault.kind, misdeed) {
        (FaultKind::Panicked(text) | FaultKind::Failed(text), Misdeed::Panic | Misdeed::Fail) => {
            assert_eq!(text, "on purpose");
        }
        (FaultKind::Overran(ran), Misdeed::Hang) => assert!(*ran >= TIMEOUT),
        other => panic!("another fault: {other:?}"),
    }
    assert_eq!(returned_ids(&report.returned), new);
    assert!(
        report
            .returned
            .iter()
            .all(|r| r.reason == ReturnReason::Evicted)
    );
    assert_eq!(report.published + report.returned.len(), 100);
    let expected: BTreeSet<_> = (0..200).map(id).filter(|id| !new.contains(id)).collect();
    assert_eq!(published_ids(&colony), expected);

    let publication = colony.publication();
    let frozen: Vec<_> = publication
        .shards()
        .iter()
        .filter(|p| p.is_frozen())
        .collect();
    assert_eq!(frozen.len(), 1);
    assert_eq!((frozen[0].shard(), frozen[0].tick()), (culprit, Some(0)));
    for &document in &old {
        let rejected = intake.try_upsert(document, String::new()).unwrap_err();
        let reason = IntakeError::Frozen {
            document,
            shard: culprit,
        };
        assert_eq!(rejected.reason, reason);
        assert_eq!(intake.try_delete(document), Err(reason));
    }
    for back in report.returned {
        intake
            .try_add(back.write.id(), Arc::clone(back.write.document().unwrap()))
            .unwrap();
    }
    let next = colony.tick().unwrap();
    assert!(next.faults.is_empty() && next.returned.is_empty());
    assert_eq!(published_ids(&colony).len(), 200);
    drop(release);
    let end = colony.close(far());
    assert_eq!(end.threads_left, 0);
}

#[test]
fn a_shard_that_panics_in_any_phase_is_evicted_alone() {
    for phase in TickPhase::ALL {
        survive(phase, Misdeed::Panic);
    }
}

#[test]
fn a_shard_that_fails_in_any_phase_is_evicted_alone() {
    for phase in TickPhase::ALL {
        survive(phase, Misdeed::Fail);
    }
}

#[test]
fn a_shard_that_hangs_in_sense_is_evicted_alone() {
    survive(TickPhase::Sense, Misdeed::Hang);
}

#[test]
fn a_shard_that_hangs_in_act_is_evicted_alone() {
    survive(TickPhase::Act, Misdeed::Hang);
}

#[test]
fn a_shard_that_hangs_in_decay_is_evicted_alone() {
    survive(TickPhase::Decay, Misdeed::Hang);
}

#[test]
fn a_shard_that_hangs_in_advance_is_evicted_alone() {
    survive(TickPhase::Advance, Misdeed::Hang);
}

/// A colony whose first `hanging` shards hang in Act until the sender is dropped.
fn hanging_colony(
    shards: usize,
    hanging: usize,
    config: ColonyConfig,
) -> (Colony<Notes>, Vec<mpsc::Sender<()>>) {
    let mut notes = healthy(shards);
    let mut releases = Vec::new();
    for shard in &mut notes[..hanging] {
        let (release, hang) = mpsc::channel();
        shard.misdeed = Some((TickPhase::Act, 0, Misdeed::Hang));
        shard.hang = Some(hang);
        releases.push(release);
    }
    (Colony::new(config, notes).unwrap(), releases)
}

#[test]
fn two_shards_that_hang_on_a_pool_of_two_threads_are_evicted_alone() {
    let (mut colony, releases) = hanging_colony(6, 2, config(2));
    let intake = colony.intake();
    for seed in 0..300 {
        intake.try_add(id(seed), String::new()).unwrap();
    }
    let report = colony.tick().unwrap();
    let faulty: Vec<_> = report.faults.iter().map(|fault| fault.shard.0).collect();
    assert_eq!(faulty, [0, 1]);
    let mut accounted = published_ids(&colony);
    accounted.extend(returned_ids(&report.returned));
    assert_eq!(accounted.len(), 300);
    assert_eq!(report.published + report.returned.len(), 300);
    assert!(colony.tick().unwrap().faults.is_empty());
    drop(releases);
    assert_eq!(colony.close(far()).threads_left, 0);
}

#[test]
fn what_was_accepted_while_its_shard_fell_comes_back_in_the_report_of_its_ticket() {
    let (release, hang) = mpsc::channel();
    let mut shards = healthy(2);
    shards[0].misdeed = Some((TickPhase::Act, 0, Misdeed::HangAndFail));
    shards[0].hang = Some(hang);
    let seen = Arc::clone(&shards[0].seen);
    let patient = ColonyConfig {
        phase_timeout: LONG,
        ..config(2)
    };
    let mut colony = Colony::new(patient, shards).unwrap();
    let (intake, topology) = (colony.intake(), colony.topology());
    let fallen = ShardId(0);
    let of_it: Vec<_> = (0..)
        .map(id)
        .filter(|id| topology.place(id) == Ok(fallen))
        .take(3)
        .collect();
    thread::scope(|scope| {
        let tick = scope.spawn(|| colony.tick().unwrap());
        while !seen.lock().contains(&(TickPhase::Act, 0)) {
            thread::yield_now();
        }
        for &document in &of_it {
            let ticket = intake.try_add(document, String::new()).unwrap();
            assert_eq!((ticket.shard(), ticket.tick()), (fallen, 1));
        }
        drop(release);
        assert!(tick.join().unwrap().returned.is_empty());
    });
    let report = colony.tick().unwrap();
    let back: Vec<_> = report.returned.iter().map(|r| r.write.id()).collect();
    assert_eq!((report.tick, back), (1, of_it));
    assert!(
        report
            .returned
            .iter()
            .all(|r| r.reason == ReturnReason::Evicted)
    );
}

#[test]
fn a_task_left_over_from_an_earlier_phase_does_not_get_the_shard() {
    let colony = colony(healthy(1), 1);
    let slot = colony.shared.slot(ShardId(0)).unwrap();
    assert!(slot.arm(TickPhase::Sense, 0));
    assert!(slot.run(TickPhase::Sense, 0, &[]).is_some());
    assert!(slot.collect().is_some());
    assert!(slot.arm(TickPhase::Act, 0));
    assert!(slot.run(TickPhase::Sense, 0, &[]).is_none());
    assert!(slot.run(TickPhase::Act, 1, &[]).is_none());
    assert!(slot.run(TickPhase::Act, 0, &[]).is_some());
}

#[test]
fn what_an_evicted_shard_does_later_is_refused() {
    let (mut colony, releases) = hanging_colony(2, 1, config(2));
    colony.tick().unwrap();
    let epoch = colony.topology().epoch();
    drop(releases);
    let report = colony.tick().unwrap();
    assert!(report.faults.is_empty(), "a fault is reported once");
    assert_eq!(colony.topology().epoch(), epoch);
    let publication = colony.publication();
    assert!(publication.shards()[0].is_frozen());
    assert_eq!(publication.shards()[0].tick(), None);
}

#[test]
fn too_many_lost_threads_close_the_colony_and_every_write_comes_back() {
    let strict = ColonyConfig {
        max_lost_threads: 1,
        ..config(2)
    };
    let (mut colony, releases) = hanging_colony(3, 2, strict);
    let intake = colony.intake();
    for seed in 0..50 {
        intake.try_add(id(seed), String::new()).unwrap();
    }
    assert_eq!(
        colony.tick().unwrap_err(),
        ColonyError::TooManyLostThreads { lost: 2, max: 1 }
    );
    assert_eq!(colony.tick().unwrap_err(), ColonyError::Closed);
    let rejected = intake.try_add(id(99), "mine".to_owned()).unwrap_err();
    assert_eq!(rejected.reason, IntakeError::Closed);
    assert_eq!(*rejected.document, "mine");
    assert_eq!(intake.wait_published(0, far()), Err(ColonyError::Closed));
    drop(releases);
    let end = colony.close(far());
    let cause = ColonyError::TooManyLostThreads { lost: 2, max: 1 };
    assert_eq!(end.last.unwrap_err(), cause);
    let faulty: Vec<_> = end.faults.iter().map(|fault| fault.shard.0).collect();
    assert_eq!(faulty, [0, 1], "faults that no tick reported");
    assert_eq!(returned_ids(&end.returned).len(), 50);
    assert_eq!(end.threads_left, 0);
}

#[test]
fn all_shards_can_go_and_the_colony_still_answers() {
    let mut shards = healthy(2);
    for shard in &mut shards {
        shard.misdeed = Some((TickPhase::Advance, 1, Misdeed::Panic));
    }
    let mut colony = colony(shards, 1);
    let intake = colony.intake();
    intake.try_add(id(1), String::new()).unwrap();
    colony.tick().unwrap();
    assert_eq!(colony.tick().unwrap().faults.len(), 2);
    assert!(colony.tick().unwrap().faults.is_empty());
    assert_eq!(published_ids(&colony).len(), 1);
    let rejected = intake.try_add(id(2), String::new()).unwrap_err();
    assert_eq!(rejected.reason, IntakeError::NoOwner);
}

#[test]
fn a_full_inbox_gives_the_document_back_or_waits_for_the_next_tick() {
    let tight = ColonyConfig {
        inbox_capacity: 1,
        ..config(1)
    };
    let mut colony = Colony::new(tight, healthy(1)).unwrap();
    let intake = colony.intake();
    intake.try_add(id(1), "first".to_owned()).unwrap();
    let full = IntakeError::Full {
        shard: ShardId(0),
        capacity: 1,
    };
    let rejected = intake.try_add(id(2), "second".to_owned()).unwrap_err();
    assert_eq!(rejected.reason, full);
    let rejected = intake
        .add(id(2), rejected.document, Instant::now())
        .unwrap_err();
    assert_eq!(
        (&rejected.reason, rejected.document.as_str()),
        (&full, "second")
    );

    thread::scope(|scope| {
        let waiting = scope.spawn(|| intake.add(id(2), rejected.document, far()));
        while !waiting.is_finished() {
            colony.tick().unwrap();
        }
        let ticket = waiting.join().unwrap().unwrap();
        while colony.current_tick() <= ticket.tick() {
            colony.tick().unwrap();
        }
    });
    assert_eq!(published_ids(&colony).len(), 2);
}

#[test]
fn close_publishes_what_is_in_the_inboxes() {
    let colony = colony(healthy(2), 2);
    let (intake, reader) = (colony.intake(), colony.reader());
    let ticket = intake.try_add(id(1), String::new()).unwrap();
    let end = colony.close(far());
    assert_eq!(end.last.unwrap().published, 1);
    assert!(end.returned.is_empty());
    assert_eq!(end.threads_left, 0);
    assert_eq!(*reader.publication().statistics(), 1);
    intake
        .wait_published(ticket.tick(), Instant::now())
        .unwrap();
    assert_eq!(intake.wait_published(9, far()), Err(ColonyError::Closed));
}

#[test]
fn close_returns_at_its_deadline_with_what_was_not_published() {
    let patient = ColonyConfig {
        phase_timeout: LONG,
        ..config(1)
    };
    let (colony, releases) = hanging_colony(1, 1, patient);
    let intake = colony.intake();
    intake.try_add(id(1), String::new()).unwrap();
    let begun = Instant::now();
    let end = colony.close(begun + Duration::from_millis(50));
    assert!(begun.elapsed() < LONG / 2);
    assert_eq!(end.last.unwrap_err(), ColonyError::NotPublished { tick: 0 });
    assert!(end.faults.is_empty(), "it had time left");
    assert_eq!(returned_ids(&end.returned), BTreeSet::from([id(1)]));
    assert_eq!(end.threads_left, 1);
    drop(releases);
}

#[test]
fn every_accepted_write_is_published_or_returned_while_shards_fail_and_the_colony_closes() {
    let mut shards = healthy(4);
    shards[1].misdeed = Some((TickPhase::Act, 3, Misdeed::Panic));
    shards[2].misdeed = Some((TickPhase::Advance, 6, Misdeed::Fail));
    let tight = ColonyConfig {
        inbox_capacity: 16,
        ..config(2)
    };
    let mut colony = Colony::new(tight, shards).unwrap();
    let reader = colony.reader();
    let (accepted_by, accepted) = mpsc::channel();
    let mut returned = BTreeSet::new();
    let writers: Vec<_> = (0..3u64)
        .map(|writer| {
            let (intake, accepted_by) = (colony.intake(), accepted_by.clone());
            thread::spawn(move || {
                for seed in 0.. {
                    let document = id(writer << 32 | seed);
                    match intake.add(document, String::new(), far()) {
                        Ok(_) => accepted_by.send(document).unwrap(),
                        Err(rejected) => {
                            assert_eq!(rejected.reason, IntakeError::Closed);
                            return;
                        }
                    }
                }
            })
        })
        .collect();
    drop(accepted_by);
    for _ in 0..30 {
        returned.extend(returned_ids(&colony.tick().unwrap().returned));
    }
    let end = colony.close(far());
    returned.extend(returned_ids(&end.last.unwrap().returned));
    returned.extend(returned_ids(&end.returned));
    writers
        .into_iter()
        .for_each(|writer| writer.join().unwrap());
    let accepted: BTreeSet<_> = accepted.iter().collect();
    let publication = reader.publication();
    let published: BTreeSet<_> = publication
        .shards()
        .iter()
        .flat_map(|p| p.searcher().keys().copied())
        .collect();
    assert!(published.is_disjoint(&returned));
    assert_eq!(&published | &returned, accepted);
    assert!(!returned.is_empty() && accepted.len() > 100);
}

#[test]
fn a_publication_is_one_value_while_ticks_go_on() {
    let mut colony = colony(healthy(3), 2);
    let (intake, reader) = (colony.intake(), colony.reader());
    let done = crate::sync::AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut last = None;
            while !done.load(crate::sync::Ordering::Relaxed) {
                let publication = reader.publication();
                assert!(publication.tick() >= last, "publications go forward");
                last = publication.tick();
                let ticks: BTreeSet<_> = publication.shards().iter().map(Published::tick).collect();
                assert_eq!(ticks, BTreeSet::from([publication.tick()]));
                let ticks_published = publication.tick().map_or(0, |tick| tick + 1);
                assert_eq!(*publication.statistics() as u64, 10 * ticks_published);
            }
        });
        for tick in 0..200 {
            for seed in 0..10 {
                intake.try_add(id(tick * 10 + seed), String::new()).unwrap();
            }
            colony.tick().unwrap();
        }
        done.store(true, crate::sync::Ordering::Relaxed);
    });
}

#[test]
fn shards_are_dropped_at_the_end_though_intakes_live_on() {
    let shards = healthy(2);
    let seen = Arc::clone(&shards[0].seen);
    let colony = colony(shards, 1);
    let intake = colony.intake();
    assert_eq!(Arc::strong_count(&seen), 2);
    assert_eq!(colony.close(far()).threads_left, 0);
    assert_eq!(Arc::strong_count(&seen), 1);
    assert!(intake.try_delete(id(1)).is_err());
}

#[test]
fn a_shard_whose_drop_blocks_holds_up_neither_close_nor_drop_nor_the_other_shards() {
    for closes in [true, false] {
        let (release, blocks) = mpsc::channel();
        let mut shards = healthy(2);
        shards[0].blocks_when_dropped = Some(blocks);
        let (first, second) = (Arc::clone(&shards[0].seen), Arc::clone(&shards[1].seen));
        let colony = colony(shards, 2);
        let intake = colony.intake();
        if closes {
            let begun = Instant::now();
            let end = colony.close(begun + TIMEOUT);
            assert!(begun.elapsed() < LONG / 2);
            assert_eq!(end.last.unwrap().tick, 0);
            assert!(end.threads_left > 0);
        } else {
            drop(colony);
        }
        until(|| Arc::strong_count(&second) == 1);
        assert_eq!(Arc::strong_count(&first), 2);
        assert_eq!(intake.try_delete(id(1)).unwrap_err(), IntakeError::Closed);
        drop(release);
        until(|| Arc::strong_count(&first) == 1);
    }
}

#[test]
fn a_fault_is_told_as_it_was_though_the_faulty_shards_drop_blocks() {
    let (release, blocks) = mpsc::channel();
    let mut shards = healthy(2);
    shards[0].misdeed = Some((TickPhase::Act, 0, Misdeed::Fail));
    shards[0].blocks_when_dropped = Some(blocks);
    let mut colony = colony(shards, 2);
    let report = colony.tick().unwrap();
    let kind = FaultKind::Failed("on purpose".to_owned());
    assert_eq!(report.faults.first().map(|fault| &fault.kind), Some(&kind));
    drop(release);
    assert_eq!(colony.close(far()).threads_left, 0);
}

#[test]
fn shards_are_dropped_though_every_thread_of_the_pool_is_lost() {
    let strict = ColonyConfig {
        max_lost_threads: 0,
        ..config(1)
    };
    let (mut shards, mut releases) = (healthy(2), Vec::new());
    let (release, hang) = mpsc::channel();
    shards[0].misdeed = Some((TickPhase::Act, 0, Misdeed::Hang));
    shards[0].hang = Some(hang);
    releases.push(release);
    let rests = Arc::clone(&shards[1].seen);
    let mut colony = Colony::new(strict, shards).unwrap();
    assert!(matches!(
        colony.tick(),
        Err(ColonyError::TooManyLostThreads { .. })
    ));
    until(|| Arc::strong_count(&rests) == 1);
    assert_eq!(colony.close(Instant::now() + TIMEOUT).threads_left, 1);
    drop(releases);
}

/// Its views are slow to say what they hold once they are asked.
struct Slow {
    fails: bool,
    asked: mpsc::SyncSender<()>,
    answer: Arc<crate::sync::Mutex<mpsc::Receiver<()>>>,
}

type Answers = (
    mpsc::SyncSender<()>,
    Arc<crate::sync::Mutex<mpsc::Receiver<()>>>,
);

impl Shard for Slow {
    type Document = ();
    type Searcher = Answers;
    type Statistics = ();

    fn act(&mut self, tick: Tick, _batch: &mut Batch<'_, ()>) -> Result<(), ShardFailure> {
        if self.fails && tick == 1 {
            return Err("on purpose".into());
        }
        Ok(())
    }

    fn searcher(&self) -> Answers {
        (self.asked.clone(), Arc::clone(&self.answer))
    }

    fn holds((asked, answer): &Answers, _document: &DocumentId) -> bool {
        asked.send(()).unwrap();
        let _ = answer.lock().recv();
        false
    }

    fn statistics(_searchers: &[&Answers]) {}
}

#[test]
fn a_view_that_is_slow_to_answer_holds_up_neither_ticks_nor_other_writes_nor_the_end() {
    let (asked, asks) = mpsc::sync_channel(16);
    let (release, answer) = mpsc::channel();
    let answer = Arc::new(crate::sync::Mutex::new(answer));
    let slow = |fails| Slow {
        fails,
        asked: asked.clone(),
        answer: Arc::clone(&answer),
    };
    let mut colony = Colony::new(config(1), vec![slow(true), slow(false)]).unwrap();
    colony.tick().unwrap();
    colony.tick().unwrap();
    let intake = colony.intake();
    let waiting = thread::spawn(move || intake.try_upsert(id(1), ()));
    asks.recv_timeout(LONG).unwrap();
    colony.tick().unwrap();
    let begun = Instant::now();
    assert_eq!(colony.close(far()).threads_left, 0);
    assert!(begun.elapsed() < LONG / 2);
    drop(release);
    let rejected = waiting.join().unwrap().unwrap_err();
    assert_eq!(rejected.reason, IntakeError::Closed);
}

/// Returns a view whose drop panics, after waiting for its word.
struct Volatile(mpsc::Receiver<()>);

struct Explosive;

impl Drop for Explosive {
    fn drop(&mut self) {
        panic!("dropped on purpose");
    }
}

impl Shard for Volatile {
    type Document = ();
    type Searcher = Option<Explosive>;
    type Statistics = ();

    fn searcher(&self) -> Option<Explosive> {
        self.0.recv().ok().map(|()| Explosive)
    }

    fn holds(_searcher: &Option<Explosive>, _document: &DocumentId) -> bool {
        false
    }

    fn statistics(_searchers: &[&Option<Explosive>]) {}
}

#[test]
fn a_view_that_comes_too_late_is_dropped_within_the_guard() {
    let (word, waits) = mpsc::channel();
    // The colony asks for a first view.
    let (first_word, first_waits) = mpsc::channel();
    drop(first_word);
    let colony = Colony::new(config(1), vec![Volatile(first_waits)]).unwrap();
    let handle = colony.shared.slot(ShardId(0)).unwrap().handle.clone();
    let slot = Slot::new(Guarded::new(Volatile(waits)), handle, Inbox::new(1));
    assert!(slot.arm(TickPhase::Advance, 0));
    thread::scope(|scope| {
        let late = scope.spawn(|| slot.run(TickPhase::Advance, 0, &[]).is_none());
        let kind = FaultKind::Overran(TIMEOUT);
        while !slot.evict(TickPhase::Advance, kind.clone()) {
            thread::yield_now();
        }
        word.send(()).unwrap();
        assert!(late.join().expect("no panic leaves the guard"));
    });
}

#[test]
fn a_configuration_out_of_bounds_is_named() {
    let text = |config: ColonyConfig, shards| match Colony::new(config, healthy(shards)) {
        Err(ColonyError::Config(error)) => error.to_string(),
        other => panic!("expected a configuration error: {other:?}"),
    };
    let base = ColonyConfig::default;
    assert_eq!(text(base(), 0), "shards is 0, but must be from 1 to 65536");
    let no_room = ColonyConfig {
        inbox_capacity: 0,
        ..base()
    };
    assert_eq!(
        text(no_room, 1),
        "inbox_capacity is 0, but must be from 1 to 1048576"
    );
    let together = ColonyConfig {
        inbox_capacity: MAX_INBOX_CAPACITY,
        ..base()
    };
    assert_eq!(
        text(together, 17),
        "shards x inbox_capacity is 17825792, but must be from 0 to 16777216"
    );
    let threads = ColonyConfig {
        threads: 5_000,
        ..base()
    };
    assert_eq!(
        text(threads, 1),
        "threads is 5000, but must be from 1 to 1024"
    );
    let lost = ColonyConfig {
        max_lost_threads: 5_000,
        ..base()
    };
    assert_eq!(
        text(lost, 1),
        "max_lost_threads is 5000, but must be from 0 to 1024"
    );
    let never = ColonyConfig {
        phase_timeout: Duration::MAX,
        ..base()
    };
    assert!(text(never, 1).starts_with("phase_timeout is "));
}
