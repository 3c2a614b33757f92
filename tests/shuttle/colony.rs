//! A colony under random schedules, with writers and readers, and with shards that die, come back, refuse writes, send messages, are added
//! and are forgotten.
//!
//! The colony is the real one, except for its threads: each task has a thread of its own. After each tick, the naive model in
//! `src/testing/colony` compares the report and the publication with the shards' records and the writers' tickets.

use std::collections::BTreeSet;
use std::mem;
use std::ops::AddAssign;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shuttle::rand::{RngCore, thread_rng};
use shuttle::thread;
use tickring::colony::{Intake, Reader, ReturnReason, TickReport, Ticket, Write};
use tickring::error::{ColonyError, IntakeError};
use tickring::model::{Instant, run_beside};
use tickring::testing::colony::{
    Accepted, Account, Contents, Event, Ledger, Notes, Totals, check_views,
};
use tickring::testing::random::Random;
use tickring::testing::setting;
use tickring::topology::Member;
use tickring::{Colony, ColonyConfig, DocumentId, Publication, ShardId};

use super::DEPTH;
use super::clerk::{Clerk, IDS, Noted, Paper, Papers, draw, refusal};

const SHARDS: u32 = 3;
const MOST_SHARDS: usize = 5;
const TICKS: u64 = 12;
/// A timeout that never ends, since the clock stands still.
const NEVER: Duration = Duration::from_secs(1_000);

fn schedules() -> usize {
    setting("TICKRING_SCHEDULES", 2_000)
}

#[test]
fn no_schedule_of_a_colony_loses_a_write() {
    let seen = explore(|scenario| shuttle::check_random(scenario, schedules()));
    println!("{} random schedules: {seen:?}", schedules());
}

#[test]
fn no_schedule_of_changing_priorities_of_a_colony_loses_a_write() {
    let seen = explore(|scenario| shuttle::check_pct(scenario, schedules(), DEPTH));
    println!(
        "{} schedules of changing priorities, depth {DEPTH}: {seen:?}",
        schedules()
    );
}

/// The outcomes that occurred.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    totals: Totals,
    accepted: u64,
    returned: u64,
    refused: u64,
    recovering: u64,
    full: u64,
    lost: u64,
    added: u64,
    removed: u64,
    forgotten: u64,
}

impl AddAssign for Seen {
    fn add_assign(&mut self, other: Self) {
        self.totals.add(&other.totals);
        self.accepted += other.accepted;
        self.returned += other.returned;
        self.refused += other.refused;
        self.recovering += other.recovering;
        self.full += other.full;
        self.lost += other.lost;
        self.added += other.added;
        self.removed += other.removed;
        self.forgotten += other.forgotten;
    }
}

/// Runs the scenario in many schedules. Unless they are few, all outcomes must occur.
fn explore(check: impl FnOnce(Box<dyn Fn() + Send + Sync>)) -> Seen {
    let seen = Arc::<Mutex<Seen>>::default();
    let sum = Arc::clone(&seen);
    check(Box::new(move || *sum.lock().unwrap() += live()));
    let seen = *seen.lock().unwrap();
    let Totals {
        messages,
        revived,
        panics,
        failures,
        not_made,
        ..
    } = seen.totals;
    let deaths = [panics, failures, not_made, revived, seen.lost];
    let writes = [messages, seen.refused, seen.recovering, seen.full];
    let changes = [seen.added, seen.removed, seen.forgotten];
    let mut all = deaths.iter().chain(&writes).chain(&changes);
    assert!(schedules() < 100 || all.all(|&times| times > 0), "{seen:?}");
    seen
}

fn far() -> Instant {
    Instant::start() + NEVER
}

/// Runs one colony from its first tick to its end, and checks the end.
fn live() -> Seen {
    let seed = thread_rng().next_u64();
    let config = ColonyConfig {
        threads: 2,
        inbox_capacity: 3,
        virtual_nodes_per_shard: 4,
        ..ColonyConfig::default()
    };
    let noted = Noted::default();
    let colony = Colony::new(config, SHARDS, {
        let noted = Arc::clone(&noted);
        move |birth| Clerk::make(birth, &noted, seed)
    });
    let colony = colony.unwrap();
    // From here on all tasks have threads of their own.
    run_beside(0..usize::MAX);
    let writers = [0, 1].map(|writer| {
        let (intake, random) = (colony.intake(), Random::stream(seed, writer));
        thread::spawn(move || write(writer, &intake, random))
    });
    let readers = [0, 1].map(|_| {
        let (reader, intake) = (colony.reader(), colony.intake());
        thread::spawn(move || read(&reader, &intake))
    });
    let mut driver = Driver {
        colony,
        noted,
        random: Random::stream(seed, 2),
        account: Account::default(),
        seen: Seen::default(),
    };
    for _ in 0..TICKS {
        driver.meddle();
        driver.tick();
    }
    let (events, mut seen) = driver.close();
    let mut ledger = Ledger::new(refusal);
    for writer in writers {
        let (accepted, counts) = writer.join().unwrap();
        accepted.into_iter().for_each(|write| ledger.enter(write));
        seen += counts;
    }
    for reader in readers {
        assert_eq!(reader.join().unwrap(), TICKS);
    }
    ledger.replay(events);
    seen.accepted = ledger.accepted;
    seen.returned = ledger.returned;
    seen.lost = ledger.lost;
    seen
}

/// Writes until the colony is closed. It writes an id again only after its last write was published.
fn write(writer: u64, intake: &Intake<Clerk>, mut random: Random) -> (Vec<Accepted<Paper>>, Seen) {
    let (mut accepted, mut seen) = (Vec::new(), Seen::default());
    loop {
        let ids: BTreeSet<_> = (0..random.below(5))
            .map(|_| writer * IDS + random.range(0, IDS))
            .collect();
        let mut last = None;
        for id in ids.into_iter().map(DocumentId::from_seed) {
            let write = draw(&mut random, id);
            match offer(intake, &write, random.one_in(2)) {
                Ok(ticket) => {
                    last = last.max(Some(ticket));
                    accepted.push(Accepted { write, ticket });
                }
                Err(IntakeError::Recovering { .. }) => seen.recovering += 1,
                Err(IntakeError::Full { .. }) => seen.full += 1,
                Err(IntakeError::Closed) => return (accepted, seen),
                Err(error) => panic!("a write was refused: {error}"),
            }
        }
        match last.map(|last| intake.wait_published(last, far())) {
            Some(Ok(())) => {}
            Some(Err(ColonyError::Closed)) => return (accepted, seen),
            Some(Err(error)) => panic!("a publication did not come: {error}"),
            None => thread::yield_now(),
        }
    }
}

/// Offers a write, and returns the tick of its ticket. With `waits`, a full inbox is no reason to refuse it.
fn offer(intake: &Intake<Clerk>, write: &Write<Paper>, waits: bool) -> Result<u64, IntakeError> {
    let offered = match write.clone() {
        Write::Delete { id } if waits => intake.delete(id, far()),
        Write::Delete { id } => intake.try_delete(id),
        Write::Add { id, document } if waits => {
            let offered = intake.add(id, document, far());
            offered.map_err(|back| back.reason)
        }
        Write::Add { id, document } => {
            let offered = intake.try_add(id, document);
            offered.map_err(|back| back.reason)
        }
        Write::Upsert { id, document } if waits => {
            let offered = intake.upsert(id, document, far());
            offered.map_err(|back| back.reason)
        }
        Write::Upsert { id, document } => {
            let offered = intake.try_upsert(id, document);
            offered.map_err(|back| back.reason)
        }
    };
    assert!(!(waits && matches!(offered, Err(IntakeError::Full { .. }))));
    offered.map(Ticket::tick)
}

/// Reads every publication until the colony is closed, and returns the tick of the last one.
fn read(reader: &Reader<Clerk>, intake: &Intake<Clerk>) -> u64 {
    let mut awaited = None;
    loop {
        let publication = reader.publication();
        assert!(publication.tick() >= awaited, "it was told too early");
        check_views(&publication);
        let next = publication.tick().map_or(0, |tick| tick + 1);
        match intake.wait_published(next, far()) {
            Ok(()) => awaited = Some(next),
            Err(ColonyError::Closed) => {
                assert_eq!(reader.publication().tick(), publication.tick());
                return next - 1;
            }
            Err(error) => panic!("a publication did not come: {error}"),
        }
    }
}

struct Driver {
    colony: Colony<Clerk>,
    noted: Noted,
    random: Random,
    account: Account<Paper>,
    seen: Seen,
}

impl Driver {
    fn take_notes(&self) -> Notes<Paper> {
        mem::take(&mut *self.noted.lock().unwrap())
    }

    /// Makes a random change before a tick, or none.
    fn meddle(&mut self) {
        let topology = self.colony.topology();
        let members = topology.members();
        let owners = members.iter().filter(|member| member.weight() > 0).count();
        let frozen: Vec<_> = self.account.frozen.iter().copied().collect();
        let shards: Vec<_> = members.iter().map(Member::shard).collect();
        let picked = match self.random.below(8) {
            0 if shards.len() < MOST_SHARDS => {
                self.colony.add_shard().unwrap();
                self.seen.added += 1;
                None
            }
            1 => self.random.pick(&shards).map(|shard| (shard, false)),
            2..4 => self.random.pick(&frozen).map(|shard| (shard, true)),
            4 => {
                for shard in frozen {
                    self.colony.revive_shard(shard).unwrap();
                    self.account.ask_for(shard);
                }
                None
            }
            _ => None,
        };
        match picked {
            // The remaining shards still own a part of the ring.
            Some((shard, true)) if owners > 2 => self.forget(shard),
            Some((shard, false)) if owners > 2 => self.remove(shard),
            _ => {}
        }
    }

    fn forget(&mut self, shard: ShardId) {
        let publication = self.colony.publication();
        let lost = self.colony.forget_shard(shard).unwrap();
        let held = publication.shard(shard).unwrap().view();
        assert!(lost.iter().eq(held.0.keys()));
        let lost = lost.into_iter().map(Event::Lost);
        self.account.events.extend(lost);
        self.account.dismiss(shard);
        self.seen.forgotten += 1;
    }

    fn remove(&mut self, shard: ShardId) {
        match self.colony.remove_shard(shard) {
            Ok(()) => {
                self.account.dismiss(shard);
                self.seen.removed += 1;
            }
            Err(ColonyError::NotEmpty(_)) => {}
            Err(error) => panic!("{shard} can't be removed: {error}"),
        }
    }

    fn tick(&mut self) {
        if self.random.one_in(3) {
            let before = self.colony.publication();
            self.colony.prepare().unwrap();
            let still = self.colony.publication();
            assert!(Arc::ptr_eq(&before, &still), "it was seen too early");
        }
        let report = self.colony.tick().unwrap();
        let publication = self.colony.publication();
        assert_eq!(publication.tick(), Some(report.tick));
        let notes = self.take_notes();
        self.check(report, notes);
        self.account.ended(contents(&publication));
    }

    fn check(&mut self, report: TickReport<Paper>, notes: Notes<Paper>) {
        let reasons = report.returned.iter().map(|returned| &returned.reason);
        let refused = reasons.filter(|reason| matches!(reason, ReturnReason::Refused(_)));
        self.seen.refused += refused.count() as u64;
        self.account.check(report, notes);
    }

    /// Closes the colony. Shards may die in the last tick, too.
    fn close(mut self) -> (Vec<Event<Paper>>, Seen) {
        let reader = self.colony.reader();
        let end = self.colony.close(far());
        assert_eq!((end.threads_left, end.returned.len()), (0, 0));
        assert_eq!((end.prepared.is_none(), &end.faults[..]), (true, &[][..]));
        let notes = mem::take(&mut *self.noted.lock().unwrap());
        let report = end.last.unwrap();
        self.account.check(report, notes);
        self.account.ended(contents(&reader.publication()));
        self.seen.totals = self.account.totals;
        (self.account.events, self.seen)
    }
}

fn contents(publication: &Publication<Papers>) -> Contents {
    Contents::of(publication, |view| &view.0)
}
