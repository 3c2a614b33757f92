//! Colonies of text shards, one after the other until the time is up. Each has writers and readers, and shards that die, come back, are
//! added, are forgotten, refuse writes and send messages.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tickring::error::ColonyError;
use tickring::publication::Published;
use tickring::search::{Query, TextDocument, TextShard, TextShardConfig};
use tickring::testing::colony::{Account, Contents, Event, Ledger, Notes, Totals};
use tickring::testing::random::Random;
use tickring::{Colony, ColonyConfig, Publication, ShardId};

use super::moody::{DEADLY, Moody, MoodyView, UNWELCOME, Ward};
use super::traffic::{QUERIES, answer, check_views, read, write};
use super::watch::{PATIENCE, Watch};

const WRITERS: usize = 4;
const READERS: usize = 2;
const SHARDS: u32 = 4;
const MOST_SHARDS: usize = 7;

#[derive(Default)]
pub(crate) struct Counts {
    colonies: AtomicU64,
    given_up: AtomicU64,
    accepted: AtomicU64,
    returned: AtomicU64,
    pub(crate) recovering: AtomicU64,
    pub(crate) without_owner: AtomicU64,
    totals: Mutex<Totals>,
    added: AtomicU64,
    removed: AtomicU64,
    forgotten: AtomicU64,
    lost: AtomicU64,
    pub(crate) searches: AtomicU64,
}

pub(crate) fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let totals = self.totals.lock().unwrap();
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        write!(
            f,
            "colonies: {}, {} of them given up, {} ticks, {} writes accepted, {} of them sent by shards, {} returned, {} not accepted of \
             shards that recovered and {} of none, {} panics, {} failures, {} hangs, {} shards not made, {} revived, {} added, {} removed, \
             {} forgotten with {} documents, {} searches",
            of(&self.colonies),
            of(&self.given_up),
            totals.ticks,
            of(&self.accepted),
            totals.messages,
            of(&self.returned),
            of(&self.recovering),
            of(&self.without_owner),
            totals.panics,
            totals.failures,
            totals.hangs,
            totals.not_made,
            totals.revived,
            of(&self.added),
            of(&self.removed),
            of(&self.forgotten),
            of(&self.lost),
            of(&self.searches),
        )
    }
}

pub(crate) fn soak(seed: u64, rounds: u64, watch: &Watch) -> String {
    let _alarm = watch.alarm();
    let counts = Counts::default();
    let mut life = 0;
    while !watch.is_over() {
        let mut random = Random::stream(seed, 1_000 + life);
        live(&mut random, rounds, life % 4 == 3, &counts, watch);
        count(&counts.colonies, 1);
        life += 1;
    }
    counts.to_string()
}

/// Runs one colony from its first tick to its end, and checks the end. A frail colony is given up at the first shard that hangs.
fn live(random: &mut Random, rounds: u64, is_frail: bool, counts: &Counts, watch: &Watch) {
    let config = ColonyConfig {
        threads: 1 + random.below(3),
        phase_timeout: Duration::from_secs(3),
        inbox_capacity: 64,
        max_lost_threads: if is_frail { 0 } else { 64 },
        ..ColonyConfig::default()
    };
    let ward = Ward::new(random.next());
    let colony = Colony::new(config, SHARDS, {
        let ward = Arc::clone(&ward);
        move |birth| ward.make(&birth)
    });
    let colony = colony.unwrap();
    let (intake, reader) = (colony.intake(), colony.reader());
    let streams: Vec<_> = (0..WRITERS + READERS).map(|_| random.next()).collect();
    let mut driver = Driver {
        colony,
        ward,
        random: Random::new(random.next()),
        account: Account::default(),
        counts,
    };
    let mut ledger = Ledger::new(refusal);
    let events = thread::scope(|scope| {
        let writers: Vec<_> = (0..)
            .zip(&streams[..WRITERS])
            .map(|(writer, &seed)| {
                let (intake, mut random) = (intake.clone(), Random::stream(seed, writer));
                scope.spawn(move || {
                    let _alarm = watch.alarm();
                    write(writer, &intake, &mut random, counts)
                })
            })
            .collect();
        for &seed in &streams[WRITERS..] {
            let (reader, intake) = (&reader, &intake);
            scope.spawn(move || {
                let _alarm = watch.alarm();
                read(reader, intake, &mut Random::new(seed), counts);
            });
        }
        let is_well = driver.run(rounds);
        let events = driver.close(is_well);
        for writer in writers {
            for accepted in writer.join().expect("a writer survives") {
                ledger.enter(accepted);
            }
        }
        events
    });
    ledger.replay(events);
    count(&counts.accepted, ledger.accepted);
    count(&counts.returned, ledger.returned);
    count(&counts.lost, ledger.lost);
    check_end(&ledger, &reader.publication(), counts);
}

/// Returns why every shard refuses a document, if they do.
fn refusal(document: &TextDocument) -> Option<&str> {
    let title = document.text("title").unwrap();
    matches!(title, UNWELCOME | DEADLY).then_some(title)
}

fn contents(publication: &Publication<MoodyView>) -> Contents {
    Contents::of(publication, |view| &*view.documents)
}

/// The driver of the ticks.
struct Driver<'a> {
    colony: Colony<Moody>,
    ward: Arc<Ward>,
    random: Random,
    account: Account<TextDocument>,
    counts: &'a Counts,
}

impl Driver<'_> {
    /// Runs the ticks. Returns false if the colony was given up.
    fn run(&mut self, rounds: u64) -> bool {
        (0..rounds).all(|round| {
            let what = match round {
                // At least once in each colony.
                _ if round == rounds / 3 => 2,
                _ if round == rounds * 2 / 3 => 11,
                _ => self.random.below(200),
            };
            self.meddle(what) && self.tick()
        })
    }

    fn shards(&self) -> Vec<(ShardId, u32)> {
        let topology = self.colony.topology();
        let members = topology.members().iter();
        members
            .map(|member| (member.shard(), member.weight()))
            .collect()
    }

    fn owners(&self) -> Vec<ShardId> {
        let shards = self.shards().into_iter();
        shards.filter(|s| s.1 > 0).map(|s| s.0).collect()
    }

    /// Returns whether the remaining shards would still own a part of the ring.
    fn is_dispensable(&self, shard: ShardId) -> bool {
        let owners = self.owners();
        owners.len() > 2 || !owners.contains(&shard)
    }

    /// Makes a random change before a tick, or none.
    fn meddle(&mut self, what: usize) -> bool {
        let frozen: Vec<_> = self.account.frozen.iter().copied().collect();
        match what {
            // Mostly three of four.
            0..10 => {
                let owners = self.owners();
                self.ward.doom(owners.into_iter().skip(1).take(3));
            }
            10..12 => return self.begin_again(),
            12..25 if self.shards().len() < MOST_SHARDS => self.grow(),
            25..35 => self.remove(),
            35..75 => match self.random.pick(&frozen) {
                Some(shard) if self.is_dispensable(shard) => self.forget(shard),
                _ => {}
            },
            75..120 => {
                for shard in frozen {
                    self.colony.revive_shard(shard).unwrap();
                    self.account.ask_for(shard);
                }
            }
            120..130 => self.ward.release(),
            _ => {}
        }
        true
    }

    fn grow(&mut self) {
        let shard = self.colony.add_shard().unwrap();
        let topology = self.colony.topology();
        let weight = topology.member(shard).unwrap().weight();
        let held = contents(&self.colony.publication());
        assert!(weight == 0 || held == Contents::default(), "{shard}");
        count(&self.counts.added, 1);
    }

    fn remove(&mut self) {
        let shards: Vec<_> = self.shards().iter().map(|s| s.0).collect();
        let shard = self.random.pick(&shards).unwrap();
        if !self.is_dispensable(shard) {
            return;
        }
        let publication = self.colony.publication();
        match self.colony.remove_shard(shard) {
            Ok(()) => {
                let view = publication.shard(shard).map(Published::view);
                assert!(view.is_none_or(|view| view.documents.is_empty()));
                self.account.dismiss(shard);
                count(&self.counts.removed, 1);
            }
            Err(ColonyError::NotEmpty(_)) => {}
            Err(error) => panic!("{shard} can't be removed: {error}"),
        }
    }

    fn forget(&mut self, shard: ShardId) {
        let publication = self.colony.publication();
        let held = publication.shard(shard).map(|p| p.view().documents.keys());
        let held: BTreeSet<_> = held.into_iter().flatten().copied().collect();
        let lost = self.colony.forget_shard(shard).unwrap();
        assert_eq!(lost.iter().copied().collect::<BTreeSet<_>>(), held);
        assert_eq!(lost.len(), held.len());
        self.account
            .events
            .extend(lost.into_iter().map(Event::Lost));
        self.account.dismiss(shard);
        count(&self.counts.forgotten, 1);
    }

    /// Kills and forgets all shards, and adds new ones. These own the ring, since the colony has no documents then.
    fn begin_again(&mut self) -> bool {
        self.ward.doom(self.shards().iter().map(|s| s.0));
        if !self.tick() {
            return false;
        }
        self.ward.doom([]);
        for (shard, _) in self.shards() {
            self.forget(shard);
        }
        if !self.tick() {
            return false;
        }
        assert_eq!(self.colony.publication().shards().len(), 0);
        for _ in 0..SHARDS {
            self.grow();
        }
        assert_eq!(self.owners().len(), SHARDS as usize);
        true
    }

    fn tick(&mut self) -> bool {
        let result = if self.random.one_in(3) {
            let before = self.colony.publication();
            self.colony.prepare().and_then(|_| {
                let still = self.colony.publication();
                assert!(Arc::ptr_eq(&before, &still), "it was seen too early");
                self.colony.publish()
            })
        } else {
            self.colony.tick()
        };
        let notes = self.ward.take_notes();
        match result {
            Ok(report) => {
                self.account.check(report, notes);
                let publication = self.colony.publication();
                check_views(&publication);
                self.account.ended(contents(&publication));
                true
            }
            Err(ColonyError::TooManyLostThreads { .. }) => {
                count(&self.counts.given_up, 1);
                false
            }
            Err(error) => panic!("a tick failed: {error}"),
        }
    }

    /// Closes the colony. With `is_well`, all shards come back before the end.
    fn close(mut self, is_well: bool) -> Vec<Event<TextDocument>> {
        self.ward.calm();
        let (mut notes, mut is_prepared) = (Notes::default(), false);
        if is_well {
            for (shard, _) in self.shards() {
                match self.colony.revive_shard(shard) {
                    Ok(()) => self.account.ask_for(shard),
                    Err(ColonyError::ShardLives(_)) => {}
                    Err(error) => panic!("{shard} can't come back: {error}"),
                }
            }
            assert!((0..3).all(|_| self.tick()), "nobody misbehaves");
            assert_eq!(self.account.frozen, BTreeSet::new());
            let shards: Vec<_> = self.shards().iter().map(|s| s.0).collect();
            let publication = self.colony.publication();
            let published: Vec<_> = publication.shards().iter().map(Published::shard).collect();
            assert_eq!(published, shards);
            if self.random.one_in(2) {
                self.colony.prepare().unwrap();
                (notes, is_prepared) = (self.ward.take_notes(), true);
            }
        }
        let Self {
            colony,
            ward,
            mut account,
            counts,
            ..
        } = self;
        let (reader, tick) = (colony.reader(), colony.current_tick());
        let end = colony.close(Instant::now() + PATIENCE);
        assert_eq!(end.threads_left, 0, "a thread has not ended");
        assert_eq!(end.prepared.is_some(), is_prepared);
        if let Some(report) = end.prepared {
            account.check(report, notes);
        }
        let notes = ward.take_notes();
        match end.last {
            Ok(report) => {
                account.check(report, notes);
                account.ended(contents(&reader.publication()));
            }
            Err(error) => assert!(!is_well, "the last tick failed: {error}"),
        }
        let returned = end.returned.into_iter();
        let returned = returned.map(|returned| Event::Returned(tick, returned));
        account.events.extend(returned);
        counts.totals.lock().unwrap().add(&account.totals);
        account.events
    }
}

/// Checks that the published documents are those that were accepted and not returned, and that they answer like a single shard.
fn check_end(ledger: &Ledger<TextDocument>, publication: &Publication<MoodyView>, counts: &Counts) {
    assert_eq!(contents(publication), ledger.live.iter().collect());
    let config = ColonyConfig {
        inbox_capacity: ledger.live.len() + 1,
        ..ColonyConfig::default()
    };
    let make = |_| Ok(TextShard::new(&TextShardConfig::default())?);
    let mut alone = Colony::new(config, 1, make).unwrap();
    let intake = alone.intake();
    for (&id, document) in &ledger.live {
        intake.try_add(id, Arc::clone(document)).unwrap();
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
