//! Shards that stay on threads of their own.

use std::cell::RefCell;
use std::thread::ThreadId;

use super::pool::Worker;
use super::*;

/// What happened to which shard on which thread.
type Log = Arc<Mutex<Vec<(ShardId, &'static str, ThreadId)>>>;

/// Tells where it is made, runs and is dropped.
struct Local {
    shard: ShardId,
    log: Log,
    notes: Notes,
}

impl Local {
    fn tell(&self, what: &'static str) {
        let thread = thread::current().id();
        self.log.lock().push((self.shard, what, thread));
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.tell("dropped");
    }
}

impl Shard for Local {
    type Document = String;
    type View = Kept;

    fn act(
        &mut self,
        context: &mut Context<'_>,
        batch: &mut Batch<'_, String>,
    ) -> Result<(), ShardFailure> {
        self.tell("ran");
        self.notes.act(context, batch)
    }

    fn view(&mut self) -> Result<Kept, ShardFailure> {
        self.notes.view()
    }
}

fn locals(shards: u32, config: ColonyConfig, hook: Hook) -> (Colony<Local>, Log) {
    let log = Log::default();
    let inner = Arc::clone(&log);
    let make = move |birth: Birth<Kept>| {
        let local = Local {
            shard: birth.shard,
            log: Arc::clone(&inner),
            notes: Notes::again(&birth, &hook),
        };
        local.tell("made");
        Ok(local)
    };
    (Colony::pinned(config, shards, make).unwrap(), log)
}

/// What happened to a shard on each of its threads, one after the other.
fn lives(log: &Log, shard: ShardId) -> Vec<(ThreadId, String)> {
    let mut lives: Vec<(ThreadId, String)> = Vec::new();
    for &(_, what, thread) in log.lock().iter().filter(|(of, ..)| *of == shard) {
        match lives.iter_mut().find(|(at, _)| *at == thread) {
            Some((_, life)) => *life = format!("{life}, {what}"),
            None => lives.push((thread, what.to_owned())),
        }
    }
    lives
}

/// Whether a shard that had one life, of one tick, is dropped where it was made.
fn is_over(log: &Log, shard: ShardId) -> bool {
    match &lives(log, shard)[..] {
        [(_, life)] => life == "made, ran, dropped",
        lives => panic!("one life on one thread: {lives:?}"),
    }
}

#[test]
fn a_life_is_made_runs_and_is_dropped_on_one_thread_that_no_other_has() {
    let dies = once(ShardId(0), TickPhase::Act, 1, Misdeed::Panic);
    let (mut colony, log) = locals(2, patient(1), dies);
    let added = colony.add_shard().unwrap();
    for _ in 0..3 {
        colony.tick().unwrap();
    }
    assert_eq!(colony.close(far()).threads_left, 0);
    let lives = [ShardId(0), ShardId(1), added].map(|shard| lives(&log, shard));
    let lives: Vec<_> = lives.into_iter().flatten().collect();
    let told: Vec<_> = lives.iter().map(|(_, life)| life.as_str()).collect();
    let expected = [
        "made, ran, ran, dropped",
        "made, ran, ran, dropped",
        "made, ran, ran, ran, ran, dropped",
        "made, ran, ran, ran, dropped",
    ];
    assert_eq!(told, expected);
    for (at, (thread, _)) in lives.iter().enumerate() {
        assert!(lives[..at].iter().all(|(other, _)| other != thread));
    }
}

#[test]
fn a_shard_whose_thread_is_lost_lives_again_on_another_and_the_lost_one_drops_the_old_life() {
    let (held, hold) = hold();
    let hang = once(ShardId(0), TickPhase::Act, 0, Misdeed::Hang(hold));
    let (mut colony, log) = locals(2, config(1), hang);
    assert_eq!(colony.tick().unwrap().faults.len(), 1);
    assert_eq!(colony.tick().unwrap().revived.len(), 1);
    assert_eq!(colony.crew.lost(), 1);
    drop(held);
    until(|| colony.crew.lost() == 0);
    assert_eq!(colony.close(far()).threads_left, 0);
    let lives = lives(&log, ShardId(0)).into_iter();
    let told: Vec<_> = lives.map(|(_, life)| life).collect();
    assert_eq!(told, ["made, ran, dropped", "made, ran, ran, dropped"]);
}

#[test]
fn shards_are_dropped_where_they_live_once_a_tick_has_given_the_colony_up() {
    let (mut colony, log) = locals(2, patient(1), nothing());
    let intake = colony.intake();
    intake
        .try_upsert(id(1), STATISTICS_FAIL.to_owned())
        .unwrap();
    assert!(matches!(colony.tick(), Err(ColonyError::Statistics(_))));
    until(|| is_over(&log, ShardId(0)) && is_over(&log, ShardId(1)));
    assert_eq!(colony.close(far()).threads_left, 0);
}

#[test]
fn a_shard_that_returns_after_the_deadline_is_dropped_where_it_lives() {
    let (held, hold) = hold();
    let hang = once(ShardId(0), TickPhase::Act, 0, Misdeed::Hang(hold));
    let (mut colony, log) = locals(1, patient(1), hang);
    colony.closing = Some(Instant::now() + Duration::from_millis(50));
    let late = ColonyError::NotPublished { tick: 0 };
    assert_eq!(colony.tick().unwrap_err(), late);
    held.is_reached();
    drop(held);
    until(|| is_over(&log, ShardId(0)));
    assert_eq!(colony.crew.join(far()), 0);
}

thread_local! {
    /// Goes with its thread.
    static ENDS: RefCell<Option<mpsc::Sender<()>>> = const { RefCell::new(None) };
}

#[test]
fn the_thread_of_a_shard_that_is_removed_ends() {
    let (sender, ended) = mpsc::channel();
    let sender = Mutex::new(Some(sender));
    let make = move |birth: Birth<Kept>| {
        ENDS.set(sender.lock().take());
        Ok(Notes::again(&birth, &nothing()))
    };
    let mut colony = Colony::pinned(config(1), 1, make).unwrap();
    colony.tick().unwrap();
    assert_eq!(ended.try_recv(), Err(mpsc::TryRecvError::Empty));
    colony.remove_shard(ShardId(0)).unwrap();
    let gone = Err(mpsc::RecvTimeoutError::Disconnected);
    assert_eq!(ended.recv_timeout(LONG / 4), gone);
    // Nor does the one run on that took its place.
    let (tell, told) = mpsc::channel();
    let task = move |_: &Worker| tell.send(()).unwrap();
    colony.crew.spawn(ShardId(0), task);
    assert_eq!(told.recv_timeout(LONG / 4), gone);
    colony.tick().unwrap();
}
