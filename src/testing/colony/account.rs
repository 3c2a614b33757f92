//! The check of each tick's report against the shards' notes, and against a naive account of the lives that begin.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use super::ledger::{Accepted, Contents, Event};
use super::{Misdeed, Notes};
use crate::colony::{Fault, FaultKind, Origin, ReturnReason, TickReport};
use crate::{ShardId, TickPhase};

/// The number of consecutive attempts of the factory for one shard.
const TRIES: u32 = 3;

/// The numbers of events of each kind.
#[derive(Debug, Clone, Copy, Default)]
pub struct Totals {
    pub ticks: u64,
    pub messages: u64,
    pub revived: u64,
    pub panics: u64,
    pub failures: u64,
    pub hangs: u64,
    pub not_made: u64,
}

impl Totals {
    pub fn add(&mut self, other: &Self) {
        self.ticks += other.ticks;
        self.messages += other.messages;
        self.revived += other.revived;
        self.panics += other.panics;
        self.failures += other.failures;
        self.hangs += other.hangs;
        self.not_made += other.not_made;
    }
}

#[derive(Debug)]
pub struct Account<D> {
    pub totals: Totals,
    pub events: Vec<Event<D>>,
    /// The dead shards of the last publication.
    pub frozen: BTreeSet<ShardId>,
    /// The dead shards that the next tick tries to make again.
    awaited: BTreeSet<ShardId>,
    /// The number of consecutive attempts for each of them, including the next.
    tries: BTreeMap<ShardId, u32>,
}

impl<D> Default for Account<D> {
    fn default() -> Self {
        Self {
            totals: Totals::default(),
            events: Vec::new(),
            frozen: BTreeSet::new(),
            awaited: BTreeSet::new(),
            tries: BTreeMap::new(),
        }
    }
}

impl<D: Debug> Account<D> {
    /// Records that the shard was removed or forgotten.
    pub fn dismiss(&mut self, shard: ShardId) {
        self.frozen.remove(&shard);
        self.tries.remove(&shard);
    }

    /// Records a request to make the shard again.
    pub fn ask_for(&mut self, shard: ShardId) {
        self.tries.remove(&shard);
    }

    pub fn ended(&mut self, contents: Contents) {
        self.events.push(Event::Ended(contents));
    }

    pub fn check(&mut self, report: TickReport<D>, notes: Notes<D>) {
        check_faults(&report.faults, &notes, &mut self.totals);
        self.check_lives(&report);
        self.totals.ticks += 1;
        let tick = report.tick;
        let of_intake = |origin: &Origin| *origin == Origin::Intake;
        let published = notes.applied.iter().filter(|(o, _)| of_intake(o)).count();
        assert_eq!(report.published, published);
        let messages = notes.applied.len() - published;
        assert_eq!(report.messages.published, messages);
        for returned in &report.returned {
            if let ReturnReason::Died { suspect } = returned.reason {
                let mut faults = report.faults.iter();
                let died = faults.find(|fault| Some(fault.shard) == returned.shard);
                let had_it = died.is_some_and(|fault| fault.phase >= TickPhase::Act);
                assert_eq!(suspect, had_it, "{returned:?}, {died:?}");
            }
        }
        let died: BTreeSet<_> = report.faults.iter().map(|fault| fault.shard).collect();
        let (mut sent, events) = (notes.sent, &mut self.events);
        sent.retain(|(from, _)| !died.contains(from));
        assert_eq!(report.messages.sent, sent.len());
        self.totals.messages += sent.len() as u64;
        let applied = notes.applied.into_iter();
        events.extend(applied.map(|(_, write)| Event::Published(tick, write)));
        let returned = report.returned.into_iter();
        events.extend(returned.map(|returned| Event::Returned(tick, returned)));
        let ticket = tick + 1;
        events.extend(
            sent.into_iter()
                .map(|(_, write)| Event::Sent(Accepted { write, ticket })),
        );
    }

    /// Checks that each dead shard is tried at most three times, that no other shard begins a life, and that shards come back with their
    /// documents.
    fn check_lives(&mut self, report: &TickReport<D>) {
        let revived: BTreeSet<_> = report.revived.iter().map(|life| life.shard).collect();
        let died: BTreeSet<_> = report.faults.iter().map(|fault| fault.shard).collect();
        assert!(report.revived.iter().all(|life| life.missing == Some(0)));
        for shard in &self.frozen {
            let began = revived.contains(shard) || died.contains(shard);
            assert_eq!(began, self.awaited.contains(shard), "{shard}, {report:?}");
        }
        assert!(revived.is_subset(&self.frozen));
        self.totals.revived += revived.len() as u64;
        self.frozen = report.frozen.iter().copied().collect();
        let frozen = &self.frozen;
        self.tries.retain(|shard, _| frozen.contains(shard));
        self.awaited.clear();
        for &shard in frozen {
            let tries = self.tries.entry(shard).or_default();
            if *tries < TRIES {
                *tries += 1;
                self.awaited.insert(shard);
            }
        }
    }
}

/// Checks that exactly the misbehaving shards die, with the right fault.
fn check_faults<D>(faults: &[Fault], notes: &Notes<D>, totals: &mut Totals) {
    let found = faults.iter().map(|fault| {
        let (misdeed, total) = match fault.kind {
            FaultKind::Panicked(_) => (Misdeed::Panic, &mut totals.panics),
            FaultKind::Failed(_) => (Misdeed::Fail, &mut totals.failures),
            FaultKind::Overran(_) => (Misdeed::Hang, &mut totals.hangs),
            FaultKind::NotMade(_) => (Misdeed::NotMade, &mut totals.not_made),
        };
        *total += 1;
        (fault.shard, fault.incarnation, fault.phase, misdeed)
    });
    let mut misdeeds = notes.misdeeds.clone();
    misdeeds.sort_by_key(|misdeed| misdeed.0);
    assert_eq!(found.collect::<Vec<_>>(), misdeeds);
    for fault in faults {
        let mut sent = notes.sent.iter().filter(|(from, _)| *from == fault.shard);
        assert_eq!(fault.unsent, sent.by_ref().count(), "{fault:?}");
    }
}
