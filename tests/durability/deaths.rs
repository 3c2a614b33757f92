//! Shards that panic, fail or hang in each phase, and come back.
#![expect(clippy::unwrap_used, reason = "a test stops at once")]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use tickring::colony::{
    Batch, DurableConfig, DurableShard, Goal, ReturnReason, Saved, Saving, TickContext, Write,
};
use tickring::error::{ColonyError, IntakeError};
use tickring::placement::Placement;
use tickring::publication::{Movable, ShardFailure};
use tickring::{Colony, ColonyConfig, DocumentId, Shard, ShardId, TickPhase, View};

/// How a shard ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Panic,
    Fail,
}

/// What happens to the shards of one colony.
#[derive(Debug, Default)]
struct Plan {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The next end: of this shard in this phase, once.
    end: Option<(ShardId, TickPhase, End)>,
    /// Whether a document "hang" blocks its shard, and an opening blocks.
    act_blocks: bool,
    /// What the next shard sends.
    say: Vec<String>,
    open_blocks: bool,
    /// How many openings have begun, and the one that blocks.
    openings: usize,
    opening_blocks: Option<usize>,
    /// How many times shards have begun to act.
    acts: usize,
    /// The shard that blocks in each tick.
    blocked: Option<ShardId>,
    hung: usize,
}

impl Plan {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    fn meet(&self, shard: ShardId, phase: TickPhase) -> Result<(), ShardFailure> {
        let mut state = self.state.lock().unwrap();
        if state
            .end
            .is_some_and(|(of, at, _)| (of, at) == (shard, phase))
        {
            let (.., end) = state.end.take().unwrap();
            drop(state);
            assert_eq!(end, End::Fail, "a planned panic");
            return Err("a planned failure".into());
        }
        Ok(())
    }

    fn block(&self, blocks: impl Fn(&State) -> bool) {
        let mut state = self.state.lock().unwrap();
        if blocks(&state) {
            state.hung += 1;
        }
        while blocks(&state) {
            state = self.changed.wait(state).unwrap();
        }
    }
}

type Texts = BTreeMap<DocumentId, String>;

struct Mortal {
    plan: Arc<Plan>,
    texts: Arc<Texts>,
}

#[derive(Clone)]
struct Shown(Arc<Texts>);

impl Shard for Mortal {
    type Document = String;
    type View = Shown;

    fn sense(&mut self, context: &mut TickContext<'_, String, Shown>) -> Result<(), ShardFailure> {
        for text in self.plan.state.lock().unwrap().say.drain(..) {
            let (id, document) = (DocumentId::from_name(&text), Arc::new(text));
            context.send(Write::Upsert { id, document })?;
        }
        self.plan.meet(context.shard(), TickPhase::Sense)
    }

    fn act(
        &mut self,
        context: &mut TickContext<'_, String, Shown>,
        batch: &mut Batch<'_, String>,
    ) -> Result<(), ShardFailure> {
        let shard = context.shard();
        self.plan.change(|state| state.acts += 1);
        self.plan.block(|state| state.blocked == Some(shard));
        let texts = Arc::make_mut(&mut self.texts);
        for (_, _, write) in batch.iter() {
            match write {
                Write::Add { id, document } | Write::Upsert { id, document } => {
                    if **document == "abort" && std::env::var_os(CHILD).is_some() {
                        std::process::abort();
                    }
                    if **document == "hang" {
                        self.plan.block(|state| state.act_blocks);
                    }
                    texts.insert(*id, (**document).clone());
                }
                Write::Delete { id } => drop(texts.remove(id)),
            }
        }
        // After some of the work, which must not count.
        self.plan.meet(context.shard(), TickPhase::Act)
    }

    fn decay(&mut self, context: &mut TickContext<'_, String, Shown>) -> Result<(), ShardFailure> {
        self.plan.meet(context.shard(), TickPhase::Decay)
    }

    fn advance(
        &mut self,
        context: &mut TickContext<'_, String, Shown>,
    ) -> Result<(), ShardFailure> {
        self.plan.meet(context.shard(), TickPhase::Advance)
    }

    fn view(&mut self) -> Result<Shown, ShardFailure> {
        Ok(Shown(Arc::clone(&self.texts)))
    }
}

impl View for Shown {
    type Statistics = ();

    fn holds(&self, document: DocumentId) -> bool {
        self.0.contains_key(&document)
    }
    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        Ok(self.0.keys().copied().collect())
    }
    fn statistics(_: &[&Self]) -> Result<(), ShardFailure> {
        Ok(())
    }
}

impl Movable<String> for Shown {
    fn documents_between(
        &self,
        placement: Placement,
        positions: RangeInclusive<u64>,
    ) -> Result<Vec<(DocumentId, Arc<String>)>, ShardFailure> {
        let texts = self.0.iter();
        let inside = texts.filter(|(id, _)| positions.contains(&placement.document_position(id)));
        Ok(inside
            .map(|(id, text)| (*id, Arc::new(text.clone())))
            .collect())
    }
}

impl DurableShard for Mortal {
    type Settings = Arc<Plan>;

    fn encode(_: &Arc<Plan>, text: &String, out: &mut Vec<u8>) -> Result<(), ShardFailure> {
        if text == "unspeakable" {
            return Err("it can't be said".into());
        }
        out.extend_from_slice(text.as_bytes());
        Ok(())
    }
    fn decode(_: &Arc<Plan>, bytes: &[u8]) -> Result<String, ShardFailure> {
        Ok(String::from_utf8(bytes.to_vec())?)
    }
    fn open(
        plan: &Arc<Plan>,
        _shard: ShardId,
        saved: Option<&Saved>,
    ) -> Result<Self, ShardFailure> {
        let mut number = 0;
        plan.change(|state| {
            state.openings += 1;
            number = state.openings;
        });
        plan.block(|state| state.open_blocks || state.opening_blocks == Some(number));
        let mut texts = Texts::new();
        if let Some(saved) = saved {
            let pairs: Vec<([u8; 16], String)> = serde_json::from_slice(&saved.read("texts")?)?;
            let pairs = pairs.into_iter();
            texts.extend(pairs.map(|(id, text)| (DocumentId::from_bytes(id), text)));
        }
        Ok(Self {
            plan: Arc::clone(plan),
            texts: Arc::new(texts),
        })
    }
    fn save(view: &Shown, saving: &mut Saving<'_>) -> Result<(), ShardFailure> {
        let pairs: Vec<_> = view
            .0
            .iter()
            .map(|(id, text)| (id.as_bytes(), text))
            .collect();
        Ok(saving.write("texts", &serde_json::to_vec(&pairs)?)?)
    }
}

/// A colony, and what it must hold.
struct Scene {
    colony: Colony<Mortal>,
    plan: Arc<Plan>,
    expected: Texts,
    directory: tempfile::TempDir,
    round: u64,
}

/// Names the directory of a child process.
const CHILD: &str = "TICKRING_CHILD";
const TIMEOUT: Duration = Duration::from_millis(500);

fn config() -> DurableConfig {
    DurableConfig {
        colony: ColonyConfig {
            threads: 2,
            phase_timeout: TIMEOUT,
            ..ColonyConfig::default()
        },
        shards: Some(3),
        ..DurableConfig::default()
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

impl Scene {
    fn new() -> Self {
        let (directory, plan) = (tempfile::tempdir().unwrap(), Arc::new(Plan::default()));
        let colony = Colony::open(directory.path(), config(), Arc::clone(&plan)).unwrap();
        let mut scene = Self {
            colony,
            plan,
            expected: Texts::new(),
            directory,
            round: 0,
        };
        scene.write();
        scene.colony.tick().unwrap();
        scene
    }

    /// Writes to all shards.
    fn write(&mut self) {
        self.round += 1;
        for number in 0..40 {
            let (id, text) = (
                DocumentId::from_seed(number),
                format!("{} {number}", self.round),
            );
            self.colony.intake().try_upsert(id, text.clone()).unwrap();
            self.expected.insert(id, text);
        }
        let gone = DocumentId::from_seed(self.round % 40);
        self.colony.intake().try_delete(gone).unwrap();
        self.expected.remove(&gone);
    }

    fn held(&self) -> Texts {
        let publication = self.colony.publication();
        let shards = publication.shards().iter();
        shards.flat_map(|shard| (*shard.view().0).clone()).collect()
    }

    fn reopen(&mut self) {
        self.colony = {
            let (path, plan) = (self.directory.path().to_owned(), Arc::clone(&self.plan));
            let colony = std::mem::replace(
                &mut self.colony,
                Colony::open(
                    tempfile::tempdir().unwrap().keep(),
                    config(),
                    Arc::default(),
                )
                .unwrap(),
            );
            let end = colony.close(soon());
            assert!(end.returned.is_empty() && end.last.is_ok(), "{end:?}");
            Colony::open(path, config(), plan).unwrap()
        };
    }

    /// Runs ticks until a shard is back.
    fn come_back(&mut self, shard: ShardId) {
        let until = soon();
        while self.colony.tick().unwrap().frozen == [shard] {
            assert!(Instant::now() < until);
        }
    }

    fn check(&self) {
        assert_eq!(self.held(), self.expected);
        assert!(self.colony.verify().unwrap().is_right());
    }
}

#[test]
fn s3_a_shard_that_dies_in_any_phase_is_back_within_the_tick() {
    let mut scene = Scene::new();
    for phase in TickPhase::ALL {
        for end in [End::Panic, End::Fail] {
            for shard in [0, 2].map(ShardId::new) {
                scene.write();
                scene
                    .plan
                    .change(|state| state.end = Some((shard, phase, end)));
                let report = scene.colony.tick().unwrap();
                assert_eq!(
                    report.faults.len(),
                    1,
                    "{phase:?} {end:?} {:?}",
                    report.faults
                );
                assert_eq!(report.faults[0].shard, shard);
                assert!(report.frozen.is_empty(), "{phase:?} {end:?}");
                assert!(report.returned.is_empty());
                assert_eq!(report.published, 41);
                assert_eq!(report.revived.len(), 1);
                scene.check();
                // The new life takes part in the next tick, and writes are accepted for it.
                scene.write();
                assert!(scene.colony.tick().unwrap().faults.is_empty());
                scene.check();
            }
            scene.colony.checkpoint(soon()).unwrap();
        }
    }
    scene.reopen();
    scene.check();
}

#[test]
fn s3_a_shard_that_takes_long_to_come_back_is_behind_and_told_with_its_tick() {
    let mut scene = Scene::new();
    scene.write();
    let shard = ShardId::new(1);
    scene.plan.change(|state| {
        state.end = Some((shard, TickPhase::Act, End::Panic));
        state.open_blocks = true;
    });
    let before = scene.colony.publication();
    let report = scene.colony.tick().unwrap();
    assert_eq!(report.frozen, [shard]);
    let behind = scene.colony.publication();
    let published = behind.shard(shard).unwrap();
    assert!(published.is_frozen());
    assert_eq!(published.tick(), before.shard(shard).unwrap().tick());
    assert_eq!(*published.view().0, *before.shard(shard).unwrap().view().0);
    // The others go on, and writes for the one that is behind are refused.
    let topology = scene.colony.topology();
    let mut refused = 0;
    for number in 0..40 {
        let id = DocumentId::from_seed(number);
        let accepted = scene.colony.intake().try_upsert(id, "later".to_owned());
        if topology.place(&id) == Ok(shard) {
            let reason = accepted.unwrap_err().reason;
            assert_eq!(reason, IntakeError::Recovering { shard });
            refused += 1;
        } else {
            accepted.unwrap();
            scene.expected.insert(id, "later".to_owned());
        }
    }
    assert!(refused > 0);
    let report = scene.colony.tick().unwrap();
    assert_eq!(report.frozen, [shard]);
    // A checkpoint beside it keeps what the shard needs of the log.
    scene.colony.checkpoint(soon()).unwrap();
    scene.plan.change(|state| state.open_blocks = false);
    while scene.colony.tick().unwrap().frozen == [shard] {}
    scene.check();
    scene.reopen();
    scene.check();
}

#[test]
fn s3_a_restart_that_hangs_before_it_has_come_to_a_tick_is_given_up_and_tried_again() {
    let mut scene = Scene::new();
    scene.write();
    let shard = ShardId::new(1);
    scene.plan.change(|state| {
        state.end = Some((shard, TickPhase::Act, End::Fail));
        state.open_blocks = true;
    });
    let mut faults = scene.colony.tick().unwrap().faults;
    while !faults
        .iter()
        .any(|fault| fault.kind.to_string().contains("too long"))
    {
        faults = scene.colony.tick().unwrap().faults;
    }
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].shard, shard);
    // Another thread opens it, while the first one still hangs.
    while scene.plan.state.lock().unwrap().hung < 2 {
        assert_eq!(scene.colony.tick().unwrap().frozen, [shard]);
    }
    scene.plan.change(|state| state.open_blocks = false);
    while scene.colony.tick().unwrap().frozen == [shard] {}
    scene.check();
    scene.reopen();
    scene.check();
}

/// Returns the paths of the files of a folder and the folders in it.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = folder.read_dir().unwrap();
    let entries = entries.map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => BTreeSet::from([path]),
        })
        .collect()
}

#[test]
fn s3_a_thread_that_was_given_up_while_it_opens_a_shard_keeps_no_files() {
    let mut scene = Scene::new();
    scene.colony.checkpoint(soon()).unwrap();
    // For a file of the log.
    scene.write();
    scene.colony.tick().unwrap();
    let lasting = ["lock", "manifest"];
    let is_replaced = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_lowercase();
        !lasting.iter().any(|lasting| name.starts_with(lasting))
    };
    let mut before = files(scene.directory.path());
    before.retain(is_replaced);
    assert!(before.len() > 3, "{before:?}");
    let shard = ShardId::new(1);
    scene.write();
    scene.plan.change(|state| {
        state.end = Some((shard, TickPhase::Act, End::Fail));
        state.opening_blocks = Some(state.openings + 1);
    });
    assert_eq!(scene.colony.tick().unwrap().frozen, [shard]);
    scene.come_back(shard);
    for _ in 0..2 {
        scene.write();
        scene.colony.tick().unwrap();
        scene.colony.checkpoint(soon()).unwrap();
    }
    let left = files(scene.directory.path());
    let left: Vec<_> = left.intersection(&before).collect();
    assert!(left.is_empty(), "{left:?}");
    scene.check();
    scene.plan.change(|state| state.opening_blocks = None);
    scene.reopen();
    scene.check();
}

#[test]
fn s3_a_shard_that_was_ready_long_before_the_next_tick_is_back_in_it() {
    let mut scene = Scene::new();
    scene.write();
    let shard = ShardId::new(1);
    scene.plan.change(|state| {
        state.end = Some((shard, TickPhase::Act, End::Fail));
        state.open_blocks = true;
    });
    assert_eq!(scene.colony.tick().unwrap().frozen, [shard]);
    scene.plan.change(|state| state.open_blocks = false);
    // Nothing is waited for but the time itself: more than an opening may take.
    std::thread::sleep(11 * TIMEOUT);
    let report = scene.colony.tick().unwrap();
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    assert!(report.frozen.is_empty());
    scene.check();
}

#[test]
fn s3_a_close_counts_the_threads_that_bring_shards_back() {
    let mut scene = Scene::new();
    scene.write();
    scene.plan.change(|state| {
        state.end = Some((ShardId::new(1), TickPhase::Act, End::Fail));
        state.open_blocks = true;
    });
    assert_eq!(scene.colony.tick().unwrap().frozen.len(), 1);
    let (plan, colony) = (Arc::clone(&scene.plan), scene.colony);
    let report = colony.close(Instant::now() + Duration::from_secs(2));
    assert_eq!(report.threads_left, 1);
    plan.change(|state| state.open_blocks = false);
}

#[test]
fn s3_a_thread_goes_no_further_once_its_colony_has_ended() {
    for is_closed in [true, false] {
        let mut scene = Scene::new();
        scene.write();
        scene.plan.change(|state| {
            state.end = Some((ShardId::new(1), TickPhase::Act, End::Fail));
            state.opening_blocks = Some(state.openings + 1);
        });
        assert_eq!(scene.colony.tick().unwrap().frozen.len(), 1);
        let (plan, colony) = (Arc::clone(&scene.plan), scene.colony);
        drop(scene.plan);
        match is_closed {
            true => drop(colony.close(Instant::now() + Duration::from_secs(2))),
            false => drop(colony),
        }
        let acts = plan.state.lock().unwrap().acts;
        plan.change(|state| state.opening_blocks = None);
        // The thread ends, and so do those on which the shards are dropped.
        let until = soon();
        while Arc::strong_count(&plan) > 1 {
            assert!(Instant::now() < until);
            std::thread::yield_now();
        }
        assert_eq!(plan.state.lock().unwrap().acts, acts);
    }
}

#[test]
fn s3_a_thread_that_hangs_when_a_colony_ends_keeps_nobody_from_opening_it() {
    let mut scene = Scene::new();
    scene.write();
    let shard = ShardId::new(1);
    let plan = Arc::clone(&scene.plan);
    for is_closed in [true, false] {
        plan.change(|state| {
            state.end = Some((shard, TickPhase::Act, End::Fail));
            state.opening_blocks = Some(state.openings + 1);
        });
        assert_eq!(scene.colony.tick().unwrap().frozen, [shard]);
        let Scene {
            colony,
            plan,
            expected,
            directory,
            round,
        } = scene;
        match is_closed {
            true => {
                let end = colony.close(Instant::now() + Duration::from_secs(2));
                assert_eq!(end.threads_left, 1);
            }
            false => drop(colony),
        }
        let colony = Colony::open(directory.path(), config(), Arc::clone(&plan)).unwrap();
        scene = Scene {
            colony,
            plan,
            expected,
            directory,
            round,
        };
        scene.check();
        scene.write();
    }
    // What they bring is taken by nobody, and changes nothing.
    plan.change(|state| state.opening_blocks = None);
    scene.colony.tick().unwrap();
    scene.check();
}

#[test]
fn s3_all_writes_of_a_tick_in_which_a_shard_has_hung_twice_are_set_aside() {
    let mut scene = Scene::new();
    scene.plan.change(|state| state.act_blocks = true);
    let (id, intake) = (DocumentId::from_seed(5), scene.colony.intake());
    let topology = scene.colony.topology();
    let shard = topology.place(&id).unwrap();
    let ticket = intake.try_upsert(id, "hang".to_owned()).unwrap();
    let other = (0..40).map(DocumentId::from_seed).find(|other| {
        *other != id && topology.place(other) == Ok(shard) && scene.expected.contains_key(other)
    });
    let other = other.unwrap();
    intake.try_upsert(other, "beside it".to_owned()).unwrap();
    let report = scene.colony.tick().unwrap();
    assert_eq!(report.frozen, [shard]);
    let mut returned = Vec::new();
    let mut frozen = vec![shard];
    while !frozen.is_empty() {
        let report = scene.colony.tick().unwrap();
        returned.extend(report.returned);
        frozen = report.frozen;
    }
    assert_eq!(scene.plan.state.lock().unwrap().hung, 2);
    scene.check();
    let aside: Vec<_> = scene.colony.quarantine();
    assert_eq!(aside.len(), 2);
    assert!(
        aside
            .iter()
            .all(|entry| (entry.shard, entry.tick) == (shard, ticket.tick()))
    );
    assert_eq!(returned.len(), 2);
    let all = returned.iter();
    assert!(
        all.clone()
            .all(|write| matches!(write.reason, ReturnReason::SetAside(_)))
    );
    // A life that was given up and wakes changes nothing that anyone reads.
    scene.plan.change(|state| state.act_blocks = false);
    scene.write();
    scene.colony.tick().unwrap();
    scene.check();
    scene.reopen();
    scene.check();
    assert_eq!(scene.colony.quarantine().len(), 2);
}

/// A slow machine takes nothing away that is published.
#[test]
fn s3_what_a_shard_had_applied_stays_when_it_hangs_there_the_second_time() {
    let mut scene = Scene::new();
    let id = DocumentId::from_seed(5);
    let shard = scene.colony.topology().place(&id).unwrap();
    let ticket = scene.colony.intake().try_upsert(id, "hang".to_owned());
    let tick = ticket.unwrap().tick();
    scene.expected.insert(id, "hang".to_owned());
    scene.colony.tick().unwrap();
    scene.plan.change(|state| {
        state.end = Some((shard, TickPhase::Act, End::Fail));
        state.act_blocks = true;
    });
    let (mut faults, mut report) = (Vec::new(), scene.colony.tick().unwrap());
    while faults.len() < 4 {
        assert_eq!(report.frozen, [shard]);
        report = scene.colony.tick().unwrap();
        faults.append(&mut report.faults);
    }
    // No more threads are lost to it.
    for _ in 0..100 {
        assert_eq!(scene.colony.tick().unwrap().frozen, [shard]);
    }
    assert_eq!(scene.plan.state.lock().unwrap().hung, 4);
    for fault in faults {
        let why = fault.kind.to_string();
        assert_eq!(fault.shard, shard, "{why}");
        assert!(
            why.contains(&format!("tick {tick}")) && why.contains("longer than"),
            "{why}"
        );
    }
    scene.check();
    // Whoever knows better can let it be tried again.
    scene.colony.revive_shard(shard).unwrap();
    while scene.plan.state.lock().unwrap().hung < 5 {
        assert_eq!(scene.colony.tick().unwrap().frozen, [shard]);
    }
    scene.plan.change(|state| state.act_blocks = false);
    scene.come_back(shard);
    assert_eq!(scene.colony.quarantine().len(), 0);
    scene.check();
    scene.reopen();
    scene.check();
}

/// The log says for ever that the shard was behind in the tick, but it has applied it since.
#[test]
fn s3_what_a_shard_has_caught_up_with_stays_when_it_hangs_there_later() {
    let mut scene = Scene::new();
    let id = DocumentId::from_seed(5);
    let shard = scene.colony.topology().place(&id).unwrap();
    let dies = |state: &mut State| state.end = Some((shard, TickPhase::Act, End::Fail));
    scene
        .colony
        .intake()
        .try_upsert(id, "hang".to_owned())
        .unwrap();
    scene.expected.insert(id, "hang".to_owned());
    scene.plan.change(|state| {
        dies(state);
        state.open_blocks = true;
    });
    assert_eq!(scene.colony.tick().unwrap().frozen, [shard]);
    scene.plan.change(|state| state.open_blocks = false);
    scene.come_back(shard);
    scene.check();
    scene.plan.change(|state| {
        dies(state);
        (state.act_blocks, state.hung) = (true, 0);
    });
    while scene.plan.state.lock().unwrap().hung < 3 {
        assert_eq!(scene.colony.tick().unwrap().frozen, [shard]);
        scene.check();
    }
    scene.plan.change(|state| state.act_blocks = false);
    scene.come_back(shard);
    assert_eq!(scene.colony.quarantine().len(), 0);
    scene.check();
}

/// The documents that move to it are published, in the shard that they come from.
#[test]
fn s3_documents_that_move_stay_when_the_shard_hangs_that_takes_them_in() {
    let mut scene = Scene::new();
    scene.colony.set_goal(&Goal::new().add_shard(1)).unwrap();
    while scene.colony.publication().shards().len() < 4 {
        scene.colony.tick().unwrap();
    }
    let shard = ShardId::new(3);
    scene.plan.change(|state| state.blocked = Some(shard));
    while scene.plan.state.lock().unwrap().hung < 4 {
        scene.colony.tick().unwrap();
        scene.check();
    }
    assert!(scene.colony.progress().unwrap().moved.documents == 0);
    scene.plan.change(|state| state.blocked = None);
    let until = soon();
    while scene.colony.progress().is_some() {
        assert!(Instant::now() < until);
        assert!(scene.colony.tick().unwrap().returned.is_empty());
    }
    assert_eq!(scene.colony.quarantine().len(), 0);
    let publication = scene.colony.publication();
    assert!(!publication.shard(shard).unwrap().view().0.is_empty());
    scene.check();
    scene.reopen();
    scene.check();
}

/// It hangs at a tick that has nothing for it, so that nothing can be set aside.
#[test]
fn s3_a_shard_that_hangs_at_each_tick_is_told_and_costs_few_threads() {
    let mut scene = Scene::new();
    let shard = ShardId::new(1);
    scene.plan.change(|state| {
        state.end = Some((shard, TickPhase::Act, End::Fail));
        state.open_blocks = true;
    });
    assert_eq!(scene.colony.tick().unwrap().frozen, [shard]);
    let owner = scene.colony.topology();
    let id = (0..)
        .map(DocumentId::from_seed)
        .find(|id| owner.place(id) != Ok(shard));
    scene
        .colony
        .intake()
        .try_upsert(id.unwrap(), "more".to_owned())
        .unwrap();
    scene.expected.insert(id.unwrap(), "more".to_owned());
    scene
        .plan
        .change(|state| (state.open_blocks, state.blocked, state.hung) = (false, Some(shard), 0));
    let mut faults = Vec::new();
    while !faults
        .iter()
        .any(|why: &String| why.contains("threads hang"))
    {
        let report = scene.colony.tick().unwrap();
        assert_eq!(report.frozen, [shard]);
        faults.extend(report.faults.iter().map(|fault| fault.kind.to_string()));
    }
    let hung = scene.plan.state.lock().unwrap().hung;
    assert!((4..8).contains(&hung), "{hung} {faults:?}");
    scene.plan.change(|state| state.blocked = None);
    scene.come_back(shard);
    assert_eq!(scene.colony.quarantine().len(), 0);
    scene.check();
}

#[test]
fn d10_a_message_that_can_not_be_encoded_comes_back_and_the_colony_goes_on() {
    let mut scene = Scene::new();
    let said = ["one", "unspeakable", "two"].map(str::to_owned).to_vec();
    scene.plan.change(|state| state.say = said);
    let report = scene.colony.tick().unwrap();
    assert_eq!(report.messages.sent, 2);
    let [returned] = &report.returned[..] else {
        panic!("{:?}", report.returned)
    };
    assert_eq!(returned.write.id(), DocumentId::from_name("unspeakable"));
    let reason = returned.reason.to_string();
    assert!(reason.contains("it can't be said"), "{reason}");
    assert_eq!(scene.colony.tick().unwrap().messages.published, 2);
    for text in ["one", "two"] {
        scene
            .expected
            .insert(DocumentId::from_name(text), text.to_owned());
    }
    scene.check();
    scene.reopen();
    scene.check();
}

/// In a process of its own: opens a colony with a write that ends the process.
#[test]
fn the_child() {
    if let Some(directory) = std::env::var_os(CHILD) {
        drop(Colony::<Mortal>::open(directory, config(), Arc::default()));
    }
}

#[test]
fn s3_a_write_that_ends_the_process_twice_in_opening_is_named_and_can_be_set_aside() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let mut colony = Colony::<Mortal>::open(path, config(), Arc::default()).unwrap();
    for number in 0..40 {
        let id = DocumentId::from_seed(number);
        colony.intake().try_upsert(id, "first".to_owned()).unwrap();
    }
    colony.tick().unwrap();
    let shard = colony.topology().place(&DocumentId::from_seed(7)).unwrap();
    let topology = colony.topology();
    for number in 0..40 {
        let text = if number == 7 { "abort" } else { "later" };
        let id = DocumentId::from_seed(number);
        colony.intake().try_upsert(id, text.to_owned()).unwrap();
    }
    colony.tick().unwrap();
    drop(colony);
    for _ in 0..2 {
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "deaths::the_child"])
            .env(CHILD, path)
            .output()
            .unwrap();
        assert!(!child.status.success());
    }
    let open = |set_aside| {
        let config = DurableConfig {
            set_aside,
            ..config()
        };
        Colony::<Mortal>::open(path, config, Arc::default())
    };
    for wrong in [None, Some(1), Some(3)] {
        let refused = open(wrong).unwrap_err();
        assert_eq!(refused, ColonyError::EndsProcess { shard, tick: 2 });
    }
    let colony = open(Some(2)).unwrap();
    let aside = colony.quarantine();
    assert!(
        aside
            .iter()
            .any(|entry| entry.document == DocumentId::from_seed(7))
    );
    assert_eq!(colony.opened().unwrap().set_aside, aside);
    let publication = colony.publication();
    for number in 0..40 {
        let id = DocumentId::from_seed(number);
        let owner = topology.place(&id).unwrap();
        let expected = if owner == shard { "first" } else { "later" };
        assert_eq!(publication.shard(owner).unwrap().view().0[&id], expected);
    }
    drop(colony);
    assert_eq!(open(None).unwrap().quarantine(), aside);
}
