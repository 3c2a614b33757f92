//! The process of a soak that holds the colony: writes, searches, checkpoints, and shards that die. It tells each step on its standard output.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use tickring::colony::{
    DurableConfig, Reader, ReturnReason, Returned, TickReport, Write as Change,
};
use tickring::error::{ColonyError, StorageError};
use tickring::placement::Placement;
use tickring::search::{Query, TextDocument, TextView, search};
use tickring::testing::random::Random;
use tickring::testing::search::{Documents, TextColony, bits};
use tickring::{Colony, ColonyConfig, DocumentId, Publication, ShardId, TickPhase, View};

use super::mortal::{End, Mortal, Place, Plan, Settings};
use super::script::{self, IDS, Kind, Life};

/// The environment variable that makes a process a child: its life as JSON.
pub(super) const CHILD: &str = "TICKRING_SOAK_CHILD";
/// Each line for the parent begins with this, wherever it stands.
pub(super) const MARK: &str = "soak: ";
/// The bytes of the log from one checkpoint to the next.
pub(super) const LOG_BYTES: u64 = 512 << 10;

const SHARDS: u32 = 3;
/// The time that anything may take that nothing disturbs.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn the_child() {
    let Ok(life) = std::env::var(CHILD) else {
        return;
    };
    let life = Life::from_json(&life);
    match &life.copy {
        Some(copy) => copy_all(&life.directory, copy),
        None => Child::live(life),
    }
}

/// Tells the parent something.
fn say(what: &str) {
    let mut output = io::stdout().lock();
    let told = writeln!(output, "{MARK}{what}").and_then(|()| output.flush());
    assert!(told.is_ok(), "the parent is gone");
}

fn config() -> DurableConfig {
    DurableConfig {
        colony: ColonyConfig {
            threads: 2,
            phase_timeout: Duration::from_secs(2),
            ..ColonyConfig::default()
        },
        shards: Some(SHARDS),
        log_bytes: LOG_BYTES,
        log_writes: 4_000,
        ..DurableConfig::default()
    }
}

fn soon() -> Instant {
    Instant::now() + PATIENCE
}

fn is_full(error: &ColonyError) -> bool {
    matches!(error, ColonyError::Storage(StorageError::Full { .. }))
}

/// Returns the documents of a publication. Each is in one place.
fn documents(publication: &Publication<TextView>) -> Documents {
    let mut all = Documents::new();
    for shard in publication.shards() {
        let view = shard.view();
        for document in view.documents_between(Placement::default(), ..).unwrap() {
            let (id, document) = document.unwrap();
            assert!(all.insert(id, document).is_none(), "{id} is there twice");
        }
    }
    let counted = publication.shards().iter();
    let counted: u64 = counted.map(|shard| shard.view().document_count()).sum();
    assert_eq!(counted, all.len() as u64);
    assert_eq!(publication.statistics().document_count(), counted);
    all
}

/// Copies all documents into a new colony.
fn copy_all(from: &Path, to: &Path) {
    let found = Colony::<Mortal>::open_read_only(from, &config(), Settings::default(), |_| {});
    let all = documents(found.unwrap().publication());
    let mut colony = Colony::<Mortal>::open(to, config(), Settings::default()).unwrap();
    for (number, (id, document)) in all.into_iter().enumerate() {
        colony.intake().try_upsert(id, document).unwrap();
        if number % 1_000 == 999 {
            colony.tick().unwrap();
        }
    }
    let end = colony.close(soon());
    assert!(matches!(end.checkpoint, Some(Ok(_))), "{end:?}");
}

/// A write that is offered and not acknowledged.
struct Pending {
    number: u64,
    id: DocumentId,
    is_delete: bool,
}

struct Child {
    life: Life,
    random: Random,
    plan: Arc<Plan>,
    /// The number of each id.
    ids: HashMap<DocumentId, u64>,
    /// What the parent wants.
    commands: Receiver<String>,
    pending: Vec<Pending>,
    /// The number of the next write.
    next: u64,
}

/// How a life ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Close,
    Leave,
}

impl Child {
    fn live(life: Life) {
        let (tell, commands) = mpsc::channel();
        thread::spawn(move || {
            let lines = io::stdin().lock().lines().map_while(Result::ok);
            lines
                .take_while(|line| tell.send(line.clone()).is_ok())
                .count();
        });
        let mut child = Self {
            random: Random::stream(life.script.seed, u64::MAX - life.number),
            plan: Arc::default(),
            ids: (0..IDS)
                .map(|number| (script::id(number), number))
                .collect(),
            commands,
            pending: Vec::new(),
            next: life.first,
            life,
        };
        let before = child.looked_at();
        let Some(mut colony) = child.open() else {
            return;
        };
        let all = documents(&colony.publication());
        assert!(
            before.is_none_or(|before| before == all),
            "looking shows something else"
        );
        child.tell(&all);
        assert!(colony.verify().unwrap().is_right());
        child.compare(&all, &colony.publication());
        say("checked");
        let over = AtomicBool::new(false);
        let (reader, seed) = (colony.reader(), child.random.next());
        thread::scope(|scope| {
            let _over = Over(&over);
            scope.spawn(|| ask(&reader, seed, &over));
            let ending = child.run(&mut colony);
            child.plan.release();
            match ending {
                Ending::Close => child.close(colony),
                Ending::Leave => drop(colony),
            }
        });
        say("over");
    }

    fn settings(&self) -> Settings {
        Settings {
            plan: Arc::clone(&self.plan),
            ..Settings::default()
        }
    }

    /// Returns, in some lives, what a look without opening shows.
    fn looked_at(&mut self) -> Option<Documents> {
        let directory = &self.life.directory;
        if !self.random.one_in(4) || !directory.join("MANIFEST").exists() {
            return None;
        }
        let found = Colony::<Mortal>::open_read_only(directory, &config(), self.settings(), |_| {});
        let found = found.unwrap_or_else(|error| panic!("looking: {error}"));
        assert!(found.verify().unwrap().is_right());
        Some(documents(found.publication()))
    }

    /// Opens the colony. Returns nothing if the disk is full, or if two openings were killed before.
    fn open(&self) -> Option<Colony<Mortal>> {
        match Colony::open(&self.life.directory, config(), self.settings()) {
            Ok(colony) => {
                let opened = colony.opened().unwrap();
                say(&format!("opened {} {}", opened.writes, opened.cut.len()));
                Some(colony)
            }
            Err(error) if is_full(&error) => {
                say("no room");
                None
            }
            Err(ColonyError::EndsProcess { .. }) => {
                say("suspicious");
                None
            }
            Err(error) => panic!("opening: {error}"),
        }
    }

    /// Tells all documents: the id's number, and the write that each comes from.
    fn tell(&self, all: &Documents) {
        let mut lines = String::new();
        for (id, document) in all {
            let number = script::number(document).unwrap();
            assert!(*document == self.life.script.document(number), "{number}");
            let id = self.ids[id];
            writeln!(lines, "{MARK}document {id} {number}").unwrap();
        }
        let told = io::stdout().lock().write_all(lines.as_bytes());
        assert!(told.is_ok(), "the parent is gone");
    }

    /// Compares answers with those of an index in memory of the same documents.
    fn compare(&mut self, all: &Documents, publication: &Publication<TextView>) {
        let expected = TextColony::with(1, all).colony.publication();
        for _ in 0..20 {
            let text = script::query(&mut self.random);
            let query = Query::parse(&text).unwrap();
            let answer = |publication| bits(&search(publication, &query, 50, None).unwrap());
            assert_eq!(answer(publication), answer(&expected), "{text}");
        }
        say("compared");
    }

    /// Runs ticks until the parent wants an end.
    fn run(&mut self, colony: &mut Colony<Mortal>) -> Ending {
        loop {
            match self.commands.try_recv().as_deref() {
                Ok("close") => return Ending::Close,
                Ok("leave") | Err(TryRecvError::Disconnected) => return Ending::Leave,
                _ => {}
            }
            self.offer(colony);
            self.doom(colony);
            if let Some(ending) = self.tick(colony) {
                return ending;
            }
            self.maintain(colony);
        }
    }

    /// Offers the writes of a tick.
    fn offer(&mut self, colony: &Colony<Mortal>) {
        let intake = colony.intake();
        let writes = self.random.range(0, 250);
        let (first, end) = (self.next, self.next + writes);
        say(&format!("offered {end}"));
        self.next = end;
        for number in first..end {
            let (id, kind) = self.life.script.write(number);
            let id = script::id(id);
            let document = || self.life.script.document(number);
            let ticket = match kind {
                Kind::Delete => intake.try_delete(id).map_err(|error| error.to_string()),
                Kind::Add => {
                    let added = intake.try_add(id, document());
                    added.map_err(|rejected| rejected.reason.to_string())
                }
                Kind::Upsert | Kind::Poison => {
                    let written = intake.try_upsert(id, document());
                    written.map_err(|rejected| rejected.reason.to_string())
                }
            };
            match ticket {
                Ok(_) => self.pending.push(Pending {
                    number,
                    id,
                    is_delete: kind == Kind::Delete,
                }),
                Err(_) => say(&format!("refused {number}")),
            }
        }
    }

    /// Plans the end of a shard, in some ticks.
    fn doom(&mut self, colony: &Colony<Mortal>) {
        if !self.random.one_in(12) {
            return;
        }
        let members = colony.topology().ring().members().to_vec();
        let at = self.random.below(members.len());
        let shard: ShardId = members[at].shard;
        let phase = TickPhase::ALL[self.random.below(4)];
        let end = match self.random.below(20) {
            0 => End::Hang,
            1..10 => End::Fail,
            _ => End::Panic,
        };
        self.plan.end(shard, Place::Phase(phase), end);
        if self.random.one_in(4) {
            self.plan.end(shard, Place::Opening, End::Fail);
        }
    }

    /// Runs a tick. While there is no space for it, waits for what the parent says.
    fn tick(&mut self, colony: &mut Colony<Mortal>) -> Option<Ending> {
        loop {
            match colony.tick() {
                Ok(report) => {
                    self.plan.release();
                    self.settle(&report);
                    return None;
                }
                Err(error) if is_full(&error) => {
                    say("full");
                    match self.commands.recv().as_deref() {
                        Ok("try") => {}
                        Ok("close") => return Some(Ending::Close),
                        _ => return Some(Ending::Leave),
                    }
                }
                Err(error) => panic!("a tick: {error}"),
            }
        }
    }

    /// Tells what became of the writes.
    fn settle(&mut self, report: &TickReport<TextDocument>) {
        if !report.faults.is_empty() {
            say(&format!("deaths {}", report.faults.len()));
        }
        report.returned.iter().for_each(|one| self.came_back(one));
        // What a shard that is behind has of its writes is told when it has caught up.
        if report.frozen.is_empty() {
            self.pending.clear();
            say(&format!("acknowledged {}", self.next));
        }
    }

    fn came_back(&self, returned: &Returned<TextDocument>) {
        match &returned.reason {
            ReturnReason::Exists => {
                let document = returned.write.document().unwrap();
                say(&format!("exists {}", script::number(document).unwrap()));
            }
            ReturnReason::SetAside(_) => match &returned.write {
                Change::Delete { id } => {
                    // All writes of one document are set aside together.
                    let of_id = self.pending.iter().filter(|one| one.id == *id);
                    let deletes = of_id.filter(|one| one.is_delete);
                    deletes.for_each(|one| say(&format!("aside {}", one.number)));
                }
                Change::Add { document, .. } | Change::Upsert { document, .. } => {
                    say(&format!("aside {}", script::number(document).unwrap()));
                }
            },
            // It may be there or not.
            ReturnReason::Undecided => {}
            other => panic!("came back: {other:?}"),
        }
    }

    /// Writes checkpoints, takes back what was set aside, and compares, from time to time.
    fn maintain(&mut self, colony: &mut Colony<Mortal>) {
        if self.random.one_in(40) {
            self.saved(colony.checkpoint(soon()).map(drop));
        }
        if self.random.one_in(40)
            && let Some(entry) = colony.quarantine().first()
        {
            self.saved(colony.take_quarantined(entry, soon()).map(drop));
        }
        if self.random.one_in(80) && self.pending.is_empty() {
            let publication = colony.publication();
            let all = documents(&publication);
            self.compare(&all, &publication);
            assert!(colony.verify().unwrap().is_right());
        }
    }

    #[expect(clippy::unused_self, reason = "it belongs to the life")]
    fn saved(&self, saved: Result<(), ColonyError>) {
        match saved {
            Ok(()) => say("saved"),
            Err(error) if is_full(&error) => say("no room for a checkpoint"),
            Err(error) => panic!("a checkpoint: {error}"),
        }
    }

    fn close(&mut self, colony: Colony<Mortal>) {
        let end = colony.close(soon());
        assert_eq!(end.threads_left, 0);
        match &end.last {
            Ok(last) => self.settle(last),
            Err(error) => assert!(is_full(error), "closing: {error}"),
        }
        end.returned.iter().for_each(|one| self.came_back(one));
        match &end.checkpoint {
            None | Some(Ok(_)) => {}
            Some(Err(error)) => assert!(is_full(error), "closing: {error}"),
        }
    }
}

/// Ends the searches, however the life ends.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        // The searches read nothing else that this thread writes.
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Searches beside the ticks.
fn ask(reader: &Reader<Mortal>, seed: u64, over: &AtomicBool) {
    static KNOWN: OnceLock<Vec<Query>> = OnceLock::new();
    let mut random = Random::new(seed);
    let queries = KNOWN.get_or_init(|| {
        let queries = (0..100).map(|_| Query::parse(&script::query(&mut random)));
        queries.collect::<Result<_, _>>().unwrap()
    });
    while !over.load(Ordering::Relaxed) {
        let publication = reader.publication();
        let query = &queries[random.below(queries.len())];
        let hits = search(&publication, query, 20, None).unwrap();
        for hit in &hits {
            let shard = publication.shard(hit.shard).unwrap();
            assert!(shard.view().holds(hit.document), "{query}");
        }
        let again = search(&publication, query, 20, None).unwrap();
        assert_eq!(bits(&hits), bits(&again), "{query}");
        // The ticks need the cores as well.
        thread::yield_now();
    }
}
