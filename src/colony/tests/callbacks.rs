//! Shards and views that call back into their colony.

use std::sync::OnceLock;

use super::*;

type Home = Arc<OnceLock<(Intake<Caller>, Reader<Caller>)>>;
type Act = Arc<Mutex<dyn FnMut(&Intake<Caller>) + Send>>;
/// What is published, and whether tick 0 is said to be, as a view sees it at its end.
type Seen = (Option<Tick>, Result<(), ColonyError>);

struct Caller {
    home: Home,
    act: Act,
    seen: mpsc::Sender<Seen>,
}

struct Ending {
    home: Home,
    seen: mpsc::Sender<Seen>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some((intake, reader)) = self.home.get() {
            let published = intake.wait_published(0, Instant::now());
            let _ = self.seen.send((reader.publication().tick(), published));
        }
    }
}

impl View for Ending {
    type Statistics = ();

    fn holds(&self, _document: DocumentId) -> bool {
        false
    }
    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        Ok(Vec::new())
    }
    fn statistics(_views: &[&Self]) -> Result<(), ShardFailure> {
        Ok(())
    }
}

impl Shard for Caller {
    type Document = ();
    type View = Ending;

    fn act(
        &mut self,
        _context: &mut TickContext<'_, (), Ending>,
        _batch: &mut Batch<'_, ()>,
    ) -> Result<(), ShardFailure> {
        if let Some((intake, _)) = self.home.get() {
            (self.act.lock())(intake);
        }
        Ok(())
    }

    fn view(&mut self) -> Result<Ending, ShardFailure> {
        Ok(Ending {
            home: Arc::clone(&self.home),
            seen: self.seen.clone(),
        })
    }
}

/// A colony of one shard, which does this in each Act, and what its views see at their ends.
fn calling(
    config: ColonyConfig,
    act: impl FnMut(&Intake<Caller>) + Send + 'static,
) -> (Colony<Caller>, mpsc::Receiver<Seen>) {
    let (seen, sees) = mpsc::channel();
    let (home, act): (Home, Act) = (Home::default(), Arc::new(Mutex::new(act)));
    let inner = Arc::clone(&home);
    let make = move |_| {
        Ok(Caller {
            home: Arc::clone(&inner),
            act: Arc::clone(&act),
            seen: seen.clone(),
        })
    };
    let colony = Colony::new(config, 1, make).unwrap();
    assert!(home.set((colony.intake(), colony.reader())).is_ok());
    (colony, sees)
}

/// The view that a publication replaces ends between the two.
#[test]
fn a_tick_is_published_before_it_is_said_to_be() {
    let (mut colony, sees) = calling(config(1), |_| {});
    colony.tick().unwrap();
    let not_yet = Err(ColonyError::NotPublished { tick: 0 });
    assert_eq!(sees.try_recv(), Ok((Some(0), not_yet)));
    colony.tick().unwrap();
    assert_eq!(sees.try_recv(), Ok((Some(1), Ok(()))));
}

#[test]
fn nothing_is_accepted_within_the_last_tick() {
    let (answer, answers) = mpsc::channel();
    let (mut colony, _sees) = calling(config(1), move |intake| {
        let _ = answer.send(intake.try_upsert(id(1), ()).map_err(|r| r.reason));
    });
    colony.tick().unwrap();
    let accepted = answers.try_recv().unwrap().unwrap();
    assert_eq!(accepted.tick(), 1, "a tick that runs takes no more in");
    let end = colony.close(far());
    assert_eq!(answers.try_recv().unwrap(), Err(IntakeError::Closed));
    assert_eq!(end.last.unwrap().published, 1);
    assert!(end.returned.is_empty());
}

#[test]
fn what_is_accepted_during_a_tick_that_fails_comes_back_from_close() {
    let (held, hold) = hold();
    let strict = ColonyConfig {
        max_lost_threads: 0,
        ..config(1)
    };
    let (mut colony, _sees) = calling(strict, move |intake| {
        intake.try_upsert(id(2), ()).unwrap();
        hold.wait();
    });
    colony.intake().try_upsert(id(1), ()).unwrap();
    colony.tick().unwrap_err();
    drop(held);
    let returned = colony.close(far()).returned;
    let back: BTreeSet<_> = returned.iter().map(|r| r.write.id()).collect();
    assert_eq!((back, returned.len()), (ids(1..3), 2));
}
