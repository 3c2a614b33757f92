//! Clocks that step back.

use super::*;
use crate::clock::Timestamp;

fn at(seconds: u64) -> Timestamp {
    Timestamp::ZERO.saturating_add(Duration::from_secs(seconds))
}

/// Returns the first second, from 2 on, at which a sweep marks a shard.
fn found(coordinator: &Coordinator, clock: &ManualClock) -> Option<u64> {
    (2..100).find(|&second| {
        clock.set(at(second));
        !coordinator.check_shard_health().is_empty()
    })
}

#[test]
fn c8_a_clock_that_was_ahead_for_a_moment_hides_nobody_that_beats_again() {
    for by_handle in [true, false] {
        let (coordinator, clock) = colony(0);
        let shard = coordinator.register(info()).unwrap();
        for second in [3_600, 1] {
            clock.set(at(second));
            if by_handle {
                shard.heartbeat().unwrap();
            } else {
                coordinator.shard_heartbeat(shard.id()).unwrap();
            }
        }
        let topology = coordinator.topology();
        let registered = topology.member(shard.id()).unwrap().registered().unwrap();
        assert_eq!(registered.last_seen, at(1));
        assert_eq!(found(&coordinator, &clock), Some(32), "the lease is 30 s");
    }
}

#[test]
fn c8_a_clock_that_was_ahead_for_a_moment_hides_nobody_that_died_then() {
    let (coordinator, clock) = colony(0);
    let shard = coordinator.register(info()).unwrap();
    clock.set(at(3_600));
    shard.heartbeat().unwrap();
    // The first sweep after the step, at 2 s, begins the lease again.
    assert_eq!(found(&coordinator, &clock), Some(33));
}

#[test]
fn c8_a_beat_that_comes_while_a_sweep_waits_for_the_lock_is_not_taken_back() {
    let (coordinator, clock) = colony(0);
    let shard = coordinator.register(info()).unwrap();
    let swept_at = clock.now();
    clock.set(at(20));
    shard.heartbeat().unwrap();
    assert!(coordinator.sweep_at(swept_at).is_empty());
    let topology = coordinator.topology();
    let registered = topology.member(shard.id()).unwrap().registered().unwrap();
    assert_eq!(registered.last_seen, at(20));
}

#[test]
fn c8_a_clock_that_steps_back_while_a_sweep_waits_for_the_lock_kills_nobody() {
    let (coordinator, clock) = colony(0);
    let shard = coordinator.register(info()).unwrap();
    let swept_at = at(3_600);
    clock.set(at(1));
    shard.heartbeat().unwrap();
    assert!(coordinator.sweep_at(swept_at).is_empty());
    assert_eq!(found(&coordinator, &clock), Some(32));
}
