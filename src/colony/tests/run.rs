//! Running until somebody says stop.

use std::ops::ControlFlow;

use super::*;

const NEVER: Duration = Duration::MAX;

#[test]
fn a_sign_that_is_set_means_no_tick_at_all_however_often_it_was_set() {
    let mut colony = colony(1, 1, nothing());
    let stop = Stop::new();
    assert!(!stop.is_stopped());
    stop.clone().stop();
    stop.stop();
    assert!(stop.is_stopped());
    for _ in 0..2 {
        let run = colony.run(&stop, NEVER, |_, _| panic!("there is no tick"));
        assert_eq!((run, colony.current_tick()), (Ok(()), 0));
    }
    assert_eq!(colony.tick().unwrap().tick, 0, "the colony isn't closed");
}

/// The pause after a tick has no end of its own.
#[test]
fn another_thread_stops_a_run_that_pauses() {
    let mut colony = colony(2, 2, nothing());
    let (stop, intake) = (Stop::new(), colony.intake());
    thread::scope(|scope| {
        let stopper = stop.clone();
        scope.spawn(move || {
            intake.wait_published(0, far()).unwrap();
            stopper.stop();
        });
        let mut ticks = 0;
        let run = colony.run(&stop, NEVER, |_, report| {
            assert_eq!(report.tick, ticks);
            ticks += 1;
            ControlFlow::Continue(())
        });
        assert_eq!((run, ticks), (Ok(()), 1));
    });
}

/// Without the call, the first wait would last for ever.
#[test]
fn a_thread_that_waits_for_a_tick_makes_the_loop_run_it_at_once() {
    let mut colony = colony(2, 2, nothing());
    let (stop, intake) = (Stop::new(), colony.intake());
    thread::scope(|scope| {
        let stopper = stop.clone();
        scope.spawn(move || {
            intake.wait_published(0, far()).unwrap();
            for seed in 0..50 {
                let ticket = intake.try_upsert(id(seed), String::new()).unwrap();
                intake.wait_published(ticket.tick(), far()).unwrap();
            }
            stopper.stop();
        });
        let mut ticks = 0;
        let run = colony.run(&stop, NEVER, |_, _| {
            ticks += 1;
            ControlFlow::Continue(())
        });
        assert_eq!(run, Ok(()));
        assert!((51..=52).contains(&ticks), "{ticks}");
    });
}

#[test]
fn each_can_break_off_and_use_the_colony() {
    let mut colony = colony(2, 2, nothing());
    let intake = colony.intake();
    let stop = Stop::new();
    let run = colony.run(&stop, Duration::ZERO, |colony, report| {
        assert_eq!(colony.publication().tick(), Some(report.tick));
        fill(&intake, report.tick..report.tick + 1);
        match report.tick {
            4 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    });
    assert_eq!((run, colony.current_tick()), (Ok(()), 5));
    assert!(!stop.is_stopped());
    assert_eq!(published_ids(&colony.publication()), ids(0..4));
}

#[test]
fn a_tick_that_fails_ends_the_run() {
    let mut colony = colony(1, 1, nothing());
    let intake = colony.intake();
    let fails = |_: &mut Colony<Notes>, report: TickReport<String>| {
        if report.tick == 1 {
            intake.try_add(id(1), STATISTICS_FAIL.to_owned()).unwrap();
        }
        ControlFlow::Continue(())
    };
    let cause = ColonyError::Statistics("failed: on purpose".to_owned());
    assert_eq!(colony.run(&Stop::new(), Duration::ZERO, fails), Err(cause));
    let closed = colony.run(&Stop::new(), Duration::ZERO, |_, _| {
        panic!("there is no tick")
    });
    assert_eq!(closed, Err(ColonyError::Closed));
}
