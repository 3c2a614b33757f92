//! One coordinator for the whole run, with residents that take part in every tick, visitors that come, go, die, drain and return, and
//! readers that route.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tickring::coordinator::HealthMonitor;
use tickring::error::BarrierError;
use tickring::membership::Registration;
use tickring::topology::Member;
use tickring::{
    Config, Coordinator, DocumentId, Error, ShardHandle, ShardId, ShardInfo, ShardStatus, TickPhase,
};

use super::watch::{PATIENCE, Watch, pace};
use tickring::testing::random::Random;

const RESIDENTS: usize = 2;
const VISITORS: u64 = 5;
const LEASE: Duration = Duration::from_millis(60);

#[derive(Default)]
struct Counts {
    ticks: AtomicU64,
    registrations: AtomicU64,
    departures: AtomicU64,
    deaths: AtomicU64,
    drains: AtomicU64,
    refusals: AtomicU64,
    routes: AtomicU64,
    events: AtomicU64,
    sums: AtomicU64,
}

fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        write!(
            f,
            "coordinator: {} ticks, {} registrations, {} departures, {} deaths and returns, {} drains, {} stale calls refused, \
             {} documents routed, {} events, {} sums of frequencies",
            of(&self.ticks),
            of(&self.registrations),
            of(&self.departures),
            of(&self.deaths),
            of(&self.drains),
            of(&self.refusals),
            of(&self.routes),
            of(&self.events),
            of(&self.sums),
        )
    }
}

struct Soak<'a> {
    coordinator: Coordinator,
    counts: Counts,
    watch: &'a Watch,
    seed: u64,
    /// The phases that each resident has done, counted from tick 0, written before it completes. Relaxed: the barrier makes it visible.
    arrived: [AtomicU64; RESIDENTS],
    /// The tick before which the residents stop.
    ticks: AtomicU64,
}

pub(crate) fn soak(seed: u64, watch: &Watch) -> String {
    let _alarm = watch.alarm();
    let config = Config {
        num_shards: 0,
        heartbeat_timeout: LEASE,
        sweep_interval: LEASE / 10,
        phase_timeout: PATIENCE,
        ..Config::default()
    };
    let soak = Soak {
        coordinator: Coordinator::with_config(config).unwrap(),
        counts: Counts::default(),
        watch,
        seed,
        arrived: Default::default(),
        ticks: AtomicU64::new(u64::MAX),
    };
    let monitor = HealthMonitor::spawn(&soak.coordinator).unwrap();
    let unleased = Registration {
        leased: false,
        ..Registration::default()
    };
    let residents: Vec<_> = (0..RESIDENTS)
        .map(|_| soak.coordinator.register_with(info(), unleased).unwrap())
        .collect();
    // A shard that registers before the first tick counts from the next.
    soak.coordinator.advance_tick();
    thread::scope(|scope| {
        for (resident, handle) in residents.iter().enumerate() {
            let soak = &soak;
            scope.spawn(move || soak.reside(resident, handle));
        }
        for visitor in 0..VISITORS {
            let soak = &soak;
            scope.spawn(move || soak.visit(visitor));
        }
        scope.spawn(|| soak.route());
        scope.spawn(|| soak.listen());
        scope.spawn(|| soak.add_up());
    });
    drop(monitor);
    soak.coordinator.close();
    soak.counts.to_string()
}

fn info() -> ShardInfo {
    ShardInfo::new(ShardId::new(0), "soak".to_owned())
}

impl Soak<'_> {
    fn random(&self, stream: u64) -> Random {
        Random::stream(self.seed, stream)
    }

    /// Completes each phase and waits for it. The first resident also advances.
    fn reside(&self, resident: usize, handle: &ShardHandle) {
        let _alarm = self.watch.alarm();
        let mut tick = 1;
        loop {
            if resident == 0 && self.watch.is_over() {
                // Nobody can be beyond this tick, since the first resident has finished nothing of it. Relaxed: see `arrived`.
                self.ticks.fetch_min(tick + 1, Ordering::Relaxed);
            }
            if tick >= self.ticks.load(Ordering::Relaxed) {
                return;
            }
            for phase in TickPhase::ALL {
                let level = tick * 4 + phase as u64;
                self.arrived[resident].store(level, Ordering::Relaxed);
                handle.complete(phase, tick).unwrap();
                self.wait(phase, tick);
                for (other, arrived) in self.arrived.iter().enumerate() {
                    let arrived = arrived.load(Ordering::Relaxed);
                    assert!(arrived >= level, "{other} is at {arrived} of {level}");
                }
            }
            if resident == 0 {
                assert_eq!(self.coordinator.advance_tick(), tick + 1);
                count(&self.counts.ticks, 1);
            }
            tick += 1;
        }
    }

    /// Every wait returns, since a member that holds it up completes, leaves or dies.
    fn wait(&self, phase: TickPhase, tick: u64) {
        match self.coordinator.wait_for_phase(phase, tick) {
            Ok(()) => {}
            Err(error) => panic!("{phase} of tick {tick}: {error}"),
        }
    }

    fn visit(&self, visitor: u64) {
        let _alarm = self.watch.alarm();
        let mut random = self.random(100 + visitor);
        let mut before: Option<ShardHandle> = None;
        while !self.watch.is_over() {
            let registration = Registration {
                id: match &before {
                    Some(handle) if random.one_in(2) => Some(handle.id()),
                    _ => None,
                },
                weight: random
                    .one_in(3)
                    .then(|| 1 + u32::try_from(random.below(3)).unwrap()),
                leased: true,
                ..Registration::default()
            };
            let handle = self
                .coordinator
                .register_with(info(), registration)
                .unwrap();
            count(&self.counts.registrations, 1);
            if let Some(old) = before {
                assert!(handle.incarnation() > old.incarnation());
                self.is_refused(&old);
            }
            self.live(&handle, &mut random);
            if random.one_in(2) {
                self.coordinator.deregister_shard(handle.id()).unwrap();
            } else {
                self.coordinator.evict(&handle).unwrap();
            }
            count(&self.counts.departures, 1);
            self.is_refused(&handle);
            before = Some(handle);
        }
    }

    /// Checks that a handle whose incarnation has ended changes nothing.
    fn is_refused(&self, old: &ShardHandle) {
        let stale = Error::StaleIncarnation {
            shard: old.id(),
            stale: old.incarnation(),
        };
        let tick = self.coordinator.current_tick();
        assert!(old.is_stale());
        assert_eq!(old.heartbeat(), Err(stale.clone()));
        assert_eq!(old.complete(TickPhase::Sense, tick), Err(stale.clone()));
        assert_eq!(old.update_metrics(1, 1), Err(stale.clone()));
        assert_eq!(old.set_status(ShardStatus::Online), Err(stale));
        count(&self.counts.refusals, 4);
    }

    fn status(&self, handle: &ShardHandle) -> ShardStatus {
        let topology = self.coordinator.topology();
        let member = topology.member(handle.id()).expect("it has not left");
        assert_eq!(member.incarnation(), Some(handle.incarnation()));
        member.status().expect("it is registered")
    }

    fn live(&self, handle: &ShardHandle, random: &mut Random) {
        for _ in 0..random.below(60) {
            if self.watch.is_over() {
                return;
            }
            handle.heartbeat().unwrap();
            handle.update_metrics(7, 1 << 20).unwrap();
            self.take_part(handle);
            match random.below(40) {
                0 => {
                    handle.set_status(ShardStatus::Draining).unwrap();
                    handle.heartbeat().unwrap();
                    assert_ne!(self.status(handle), ShardStatus::Online);
                    handle.set_status(ShardStatus::Online).unwrap();
                    count(&self.counts.drains, 1);
                }
                1 => self.die_and_return(handle),
                _ => pace(),
            }
        }
    }

    fn take_part(&self, handle: &ShardHandle) {
        let tick = self.coordinator.current_tick();
        for phase in TickPhase::ALL {
            match handle.complete(phase, tick) {
                // It died, doesn't count yet, or the tick is over.
                Ok(())
                | Err(Error::Barrier(
                    BarrierError::UnknownShard(_) | BarrierError::TickOver { .. },
                )) => {}
                Err(error) => panic!("{} completes: {error}", handle.id()),
            }
        }
    }

    /// Checks that a silent shard is declared dead, and that it is back after its next heartbeat.
    fn die_and_return(&self, handle: &ShardHandle) {
        let dead = || self.status(handle) == ShardStatus::Offline;
        self.watch.until("a silent shard goes offline", dead);
        self.watch.until("a shard that beats comes back", || {
            handle.heartbeat().unwrap();
            self.status(handle).serves()
        });
        count(&self.counts.deaths, 1);
    }

    /// Checks that a routed shard serves in the topology that routed to it.
    fn route(&self) {
        let _alarm = self.watch.alarm();
        let mut random = self.random(2);
        let mut router = self.coordinator.router();
        let mut epoch = router.topology().epoch();
        let mut shards = [ShardId::new(0); 64];
        while !self.watch.is_over() {
            let documents: [_; 64] = std::array::from_fn(|_| DocumentId::from_seed(random.next()));
            router.route_batch(&documents, &mut shards).unwrap();
            let topology = Arc::clone(router.topology());
            assert!(topology.epoch() >= epoch, "the epoch went back");
            epoch = topology.epoch();
            for document in &documents {
                let shard = topology.route(document).unwrap();
                assert!(topology.member(shard).is_some_and(Member::serves));
                let owner = topology.place(document).unwrap();
                let serves = topology.member(owner).is_some_and(Member::serves);
                assert!(!serves || shard == owner, "a serving owner serves");
                self.coordinator.route_document(document).unwrap();
            }
            let replicas = router.replicas(&documents[0]).unwrap();
            for (at, shard) in replicas.iter().enumerate() {
                assert!(!replicas[..at].contains(shard), "{replicas:?}");
            }
            count(&self.counts.routes, 2 * documents.len() as u64);
            thread::yield_now();
        }
    }

    fn listen(&self) {
        let _alarm = self.watch.alarm();
        let events = self.coordinator.subscribe(1 << 10);
        let mut epoch = self.coordinator.topology().epoch();
        while !self.watch.is_over() {
            while let Ok(event) = events.try_recv() {
                assert!(event.epoch >= epoch, "the events' epoch went back");
                epoch = event.epoch;
                count(&self.counts.events, 1);
            }
            assert!(self.coordinator.topology().epoch() >= epoch);
            pace();
        }
    }

    fn add_up(&self) {
        let _alarm = self.watch.alarm();
        let mut random = self.random(3);
        while !self.watch.is_over() {
            let terms = if random.one_in(10) { 20_000 } else { 100 };
            let shards: Vec<HashMap<String, u64>> = (0..1 + random.below(4))
                .map(|_| {
                    let pairs = (0..terms).map(|_| random.next());
                    pairs
                        .map(|bits| (format!("t{}", bits % (2 * terms)), bits >> 40))
                        .collect()
                })
                .collect();
            let mut expected = HashMap::<String, u64>::new();
            for (term, frequency) in shards.iter().flatten() {
                *expected.entry(term.clone()).or_default() += frequency;
            }
            let sums = self.coordinator.aggregate_global_df(shards).unwrap();
            assert_eq!(sums.len(), expected.len());
            assert!(sums.iter().all(|(term, sum)| expected[term] == sum));
            count(&self.counts.sums, 1);
            (0..10).for_each(|_| pace());
        }
    }
}
