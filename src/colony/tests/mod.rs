//! What the colony's tests share: a shard that does in each phase what a test's hook says, and places where threads wait.

mod batch;
mod callbacks;
mod deaths;
mod drops;
mod endings;
mod factories;
mod growth;
mod intake;
mod lives;
mod messages;
mod model;
mod moves;
mod pinned;
mod prepare;
mod random;
mod run;
mod shown;
mod ticks;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Range, RangeInclusive};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::*;
use crate::error::IntakeError;
use crate::id::DocumentId;
use crate::phase::TickPhase;
use crate::placement::Placement;
use crate::publication::{Movable, Published, ShardFailure, View};
use crate::sync::Mutex;

const LONG: Duration = Duration::from_secs(60);
/// Long enough for a healthy shard on a loaded machine.
const TIMEOUT: Duration = Duration::from_millis(1_500);

/// Documents that a shard refuses, and those that keep callers' code from answering.
const REFUSED: &str = "refused";
const UNREADABLE: &str = "unreadable";
const STATISTICS_FAIL: &str = "statistics fail";
const STATISTICS_PANIC: &str = "statistics panic";

type Context<'a> = TickContext<'a, String, Kept>;
type Hook = Arc<dyn Fn(TickPhase, &mut Context<'_>) -> Result<(), ShardFailure> + Send + Sync>;

/// A view of texts.
#[derive(Debug, Clone, Default, PartialEq)]
struct Kept(BTreeMap<DocumentId, Arc<String>>);

impl Kept {
    fn has(&self, text: &str) -> bool {
        self.0.values().any(|kept| **kept == text)
    }
}

impl View for Kept {
    type Statistics = usize;

    fn holds(&self, document: DocumentId) -> bool {
        self.0.contains_key(&document)
    }

    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        if self.has(UNREADABLE) {
            return Err("on purpose".into());
        }
        Ok(self.0.keys().copied().collect())
    }

    fn statistics(views: &[&Self]) -> Result<usize, ShardFailure> {
        assert!(
            !views.iter().any(|kept| kept.has(STATISTICS_PANIC)),
            "on purpose"
        );
        if views.iter().any(|kept| kept.has(STATISTICS_FAIL)) {
            return Err("on purpose".into());
        }
        Ok(views.iter().map(|kept| kept.0.len()).sum())
    }
}

impl Movable<String> for Kept {
    fn documents_between(
        &self,
        placement: Placement,
        positions: RangeInclusive<u64>,
    ) -> Result<Vec<(DocumentId, Arc<String>)>, ShardFailure> {
        if self.has(UNREADABLE) {
            return Err("on purpose".into());
        }
        let kept = self.0.iter();
        let inside = kept.filter(|(id, _)| positions.contains(&placement.document_position(id)));
        Ok(inside.map(|(id, text)| (*id, Arc::clone(text))).collect())
    }

    fn document_bytes(text: &String) -> u64 {
        text.len() as u64
    }
}

/// Keeps texts, and does in each phase what its hook says, in Act after it has applied the writes.
struct Notes {
    kept: Kept,
    hook: Hook,
}

impl Notes {
    /// A shard that holds what its last life held.
    fn again(birth: &Birth<Kept>, hook: &Hook) -> Self {
        Self {
            kept: birth
                .last
                .as_ref()
                .map_or_else(Kept::default, |last| last.view().clone()),
            hook: Arc::clone(hook),
        }
    }

    fn apply(&mut self, write: &Write<String>) -> Result<(), Refusal> {
        match write {
            Write::Add { id, .. } if self.kept.holds(*id) => return Err(Refusal::Exists),
            Write::Add { document, .. } | Write::Upsert { document, .. }
                if **document == REFUSED =>
            {
                return Err(Refusal::Because("on purpose".into()));
            }
            Write::Add { id, document } | Write::Upsert { id, document } => {
                self.kept.0.insert(*id, Arc::clone(document));
            }
            Write::Delete { id } => {
                self.kept.0.remove(id);
            }
        }
        Ok(())
    }
}

impl Shard for Notes {
    type Document = String;
    type View = Kept;

    fn sense(&mut self, context: &mut Context<'_>) -> Result<(), ShardFailure> {
        (self.hook)(TickPhase::Sense, context)
    }

    fn act(
        &mut self,
        context: &mut Context<'_>,
        batch: &mut Batch<'_, String>,
    ) -> Result<(), ShardFailure> {
        for (index, _, write) in batch.iter() {
            if let Err(why) = self.apply(write) {
                batch.refuse(index, why);
            }
        }
        (self.hook)(TickPhase::Act, context)
    }

    fn decay(&mut self, context: &mut Context<'_>) -> Result<(), ShardFailure> {
        (self.hook)(TickPhase::Decay, context)
    }

    fn advance(&mut self, context: &mut Context<'_>) -> Result<(), ShardFailure> {
        (self.hook)(TickPhase::Advance, context)
    }

    fn view(&mut self) -> Result<Kept, ShardFailure> {
        Ok(self.kept.clone())
    }

    fn metrics(&self) -> ShardMetrics {
        ShardMetrics {
            documents: self.kept.0.len(),
            memory_bytes: self.kept.0.values().map(|text| text.len() as u64).sum(),
        }
    }
}

/// Where threads wait until the other side is dropped.
struct Hold {
    coming: mpsc::Sender<()>,
    release: Mutex<mpsc::Receiver<()>>,
}

impl Hold {
    fn wait(&self) {
        let _ = self.coming.send(());
        let _ = self.release.lock().recv();
    }
}

/// Lets those who wait at the other side go once it is dropped.
struct Held {
    comes: mpsc::Receiver<()>,
    _release: mpsc::Sender<()>,
}

impl Held {
    /// Returns when somebody has come to the other side.
    fn is_reached(&self) {
        self.comes.recv_timeout(LONG).unwrap();
    }
}

fn hold() -> (Held, Arc<Hold>) {
    let ((coming, comes), (release, released)) = (mpsc::channel(), mpsc::channel());
    let hold = Hold {
        coming,
        release: Mutex::new(released),
    };
    let held = Held {
        comes,
        _release: release,
    };
    (held, Arc::new(hold))
}

#[derive(Clone)]
enum Misdeed {
    Panic,
    Fail,
    Hang(Arc<Hold>),
    HangAndFail(Arc<Hold>),
}

impl Misdeed {
    fn commit(&self) -> Result<(), ShardFailure> {
        match self {
            Self::Panic => panic!("on purpose"),
            Self::Fail => Err("on purpose".into()),
            Self::Hang(hold) => {
                hold.wait();
                Ok(())
            }
            Self::HangAndFail(hold) => {
                hold.wait();
                Err("on purpose".into())
            }
        }
    }
}

/// Does this in each phase.
fn hook(
    does: impl Fn(TickPhase, &mut Context<'_>) -> Result<(), ShardFailure> + Send + Sync + 'static,
) -> Hook {
    Arc::new(does)
}

fn nothing() -> Hook {
    hook(|_, _| Ok(()))
}

/// This, by this shard in this phase of this tick.
fn once(shard: ShardId, phase: TickPhase, tick: Tick, misdeed: Misdeed) -> Hook {
    hook(move |now, context| {
        let is_now = (context.shard(), now, context.tick()) == (shard, phase, tick);
        if is_now { misdeed.commit() } else { Ok(()) }
    })
}

fn config(threads: usize) -> ColonyConfig {
    ColonyConfig {
        threads,
        phase_timeout: TIMEOUT,
        ..ColonyConfig::default()
    }
}

/// With a limit that no test reaches.
fn patient(threads: usize) -> ColonyConfig {
    ColonyConfig {
        phase_timeout: LONG,
        ..config(threads)
    }
}

/// A colony whose shards' later lives hold what the ones before held.
fn colony_with(config: ColonyConfig, shards: u32, hook: Hook) -> Colony<Notes> {
    Colony::new(config, shards, move |birth| Ok(Notes::again(&birth, &hook))).unwrap()
}

fn colony(shards: u32, threads: usize, hook: Hook) -> Colony<Notes> {
    colony_with(config(threads), shards, hook)
}

fn id(seed: u64) -> DocumentId {
    DocumentId::from_seed(seed)
}

fn ids(seeds: Range<u64>) -> BTreeSet<DocumentId> {
    seeds.map(id).collect()
}

/// Ids that this shard owns.
fn ids_of(colony: &Colony<Notes>, shard: ShardId) -> impl Iterator<Item = DocumentId> + use<> {
    let topology = colony.topology();
    (0..)
        .map(id)
        .filter(move |id| topology.place(id) == Ok(shard))
}

fn owned(colony: &Colony<Notes>, shard: ShardId) -> DocumentId {
    ids_of(colony, shard).next().unwrap()
}

fn fill(intake: &Intake<Notes>, seeds: Range<u64>) {
    for seed in seeds {
        intake.try_add(id(seed), String::new()).unwrap();
    }
}

fn upsert(id: DocumentId, text: &str) -> Write<String> {
    let document = Arc::new(text.to_owned());
    Write::Upsert { id, document }
}

/// What is published. No document is in two views.
fn published_ids(publication: &Publication<Kept>) -> BTreeSet<DocumentId> {
    let shards = publication.shards().iter();
    let ids: Vec<_> = shards
        .flat_map(|shard| shard.view().0.keys().copied())
        .collect();
    let unique: BTreeSet<_> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "a document is in two shards");
    unique
}

/// The ids of what came back, each once.
fn returned_ids(returned: &[Returned<String>]) -> BTreeSet<DocumentId> {
    let unique: BTreeSet<_> = returned.iter().map(|back| back.write.id()).collect();
    assert_eq!(unique.len(), returned.len(), "a write comes back twice");
    unique
}

/// Whether all of it came back because its shard died.
fn all_died(returned: &[Returned<String>], is_suspect: bool) -> bool {
    let mut returned = returned.iter();
    returned
        .all(|back| matches!(back.reason, ReturnReason::Died { suspect } if suspect == is_suspect))
}

fn faulty(report: &TickReport<String>) -> Vec<u32> {
    report
        .faults
        .iter()
        .map(|fault| fault.shard.as_u32())
        .collect()
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
