//! Threads of your own that run the phases in lockstep. One of them leaves early, and the others don't wait for it.
//!
//! `cargo run --example own_threads`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, ScopedJoinHandle};

use tickring::{Coordinator, Error, ShardId, ShardInfo, TickPhase};

const TICKS: u64 = 3;

pub(crate) fn main() -> Result<(), Error> {
    let coordinator = Coordinator::new(3)?;
    let info = |name: &str| ShardInfo::new(ShardId::new(0), name.to_owned());
    let shards = ["a", "b", "c"].map(|name| coordinator.register(info(name)));
    let done = AtomicU64::new(0);
    thread::scope(|scope| {
        let threads = shards.into_iter().zip(0..).map(|(shard, number)| {
            let (coordinator, done) = (&coordinator, &done);
            scope.spawn(move || {
                let shard = shard?;
                for tick in 0..TICKS {
                    for phase in TickPhase::ALL {
                        // ... the shard's work in this phase ...
                        done.fetch_add(1, Ordering::Relaxed);
                        shard.complete(phase, tick)?;
                        coordinator.wait_for_phase(phase, tick)?;
                    }
                    match number {
                        // One thread opens the next tick. Completions of the others that come earlier are kept.
                        0 => drop(coordinator.advance_tick()),
                        2 => return coordinator.deregister_shard(shard.id()),
                        _ => {}
                    }
                }
                Ok(())
            })
        });
        let threads: Vec<_> = threads.collect();
        let mut ends = threads.into_iter().map(ScopedJoinHandle::join);
        ends.try_for_each(|end| end.unwrap_or(Err(Error::Closed)))
    })?;
    let (phases, shards) = (done.into_inner(), coordinator.shard_count());
    println!("{phases} phases, and {shards} shards are left");
    Ok(())
}
