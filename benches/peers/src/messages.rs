//! A million writes between shards, compared with channels between threads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam::channel::unbounded;
use tickring::colony::{Batch, TickContext, Write};
use tickring::publication::ShardFailure;
use tickring::{Colony, ColonyConfig, DocumentId, HashRing, Shard};

use crate::Scope;
use crate::measure::{pair, timed};
use crate::report::{Goal, Report};

const SHARDS: u32 = 4;
const SENT_BY_ONE: u64 = 250_000;

fn write(sender: u32, number: u64) -> Write<f64> {
    Write::Upsert {
        id: id(sender, number),
        document: Arc::new(number as f64),
    }
}

fn id(sender: u32, number: u64) -> DocumentId {
    DocumentId::from_seed(u64::from(sender) << 32 | number)
}

/// The sum that each receiver computes.
fn value(write: &Write<f64>) -> f64 {
    write.document().map_or(0.0, |document| **document)
}

/// A shard that sends on request, and adds up the messages that it gets.
struct Correspondent {
    sends: Arc<AtomicBool>,
    received: Arc<AtomicU64>,
    sum: f64,
}

impl Shard for Correspondent {
    type Document = f64;
    type View = ();

    fn act(
        &mut self,
        context: &mut TickContext<'_, f64, ()>,
        batch: &mut Batch<'_, f64>,
    ) -> Result<(), ShardFailure> {
        self.sum += batch.iter().map(|(_, _, write)| value(write)).sum::<f64>();
        self.received
            .fetch_add(batch.len() as u64, Ordering::Relaxed);
        if self.sends.load(Ordering::Relaxed) {
            let shard = context.shard().as_u32();
            for number in 0..SENT_BY_ONE {
                context.send(write(shard, number))?;
            }
        }
        Ok(())
    }

    fn view(&mut self) -> Result<(), ShardFailure> {
        Ok(())
    }
}

/// Runs a tick in which everything is sent, and one in which everything is delivered.
fn by_colony() -> impl FnMut() -> Duration {
    let (sends, received) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
    let make = {
        let (sends, received) = (Arc::clone(&sends), Arc::clone(&received));
        move |_| {
            Ok(Correspondent {
                sends: Arc::clone(&sends),
                received: Arc::clone(&received),
                sum: 0.0,
            })
        }
    };
    let config = ColonyConfig {
        threads: SHARDS as usize,
        ..ColonyConfig::default()
    };
    let mut colony = Colony::new(config, SHARDS, make).expect("within the bounds");
    move || {
        received.store(0, Ordering::Relaxed);
        let took = timed(|| {
            for sending in [true, false] {
                sends.store(sending, Ordering::Relaxed);
                colony.tick().expect("it isn't closed");
            }
        });
        let all = u64::from(SHARDS) * SENT_BY_ONE;
        assert_eq!(received.load(Ordering::Relaxed), all);
        took
    }
}

/// The same with threads, each with a channel that the others send to. They send what `make` makes, by the same ring.
fn by_channels<M: Send>(
    make: impl Fn(u32, u64) -> (DocumentId, M) + Sync,
    value: fn(&M) -> f64,
) -> Duration {
    let ring = HashRing::with_virtual_nodes(SHARDS, 150).expect("within the bounds");
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..SHARDS).map(|_| unbounded()).unzip();
    let start = Barrier::new(SHARDS as usize);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..)
            .zip(receivers)
            .map(|(thread, receiver)| {
                let (senders, ring, start, make) = (senders.clone(), &ring, &start, &make);
                scope.spawn(move || {
                    start.wait();
                    let begun = Instant::now();
                    for number in 0..SENT_BY_ONE {
                        let (id, message) = make(thread, number);
                        let owner = ring.get_shard(&id).expect("it isn't empty");
                        let sender = &senders[owner.as_u32() as usize];
                        sender.send(message).expect("all live");
                    }
                    drop(senders);
                    let sum: f64 = receiver.iter().map(|message| value(&message)).sum();
                    std::hint::black_box(sum);
                    begun.elapsed()
                })
            })
            .collect();
        drop(senders);
        let times = threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"));
        times.max().unwrap_or_default()
    })
}

pub fn run(report: &mut Report, scope: Scope) {
    let all = f64::from(SHARDS) * SENT_BY_ONE as f64;
    let mut ours = by_colony();
    let mut same = || {
        by_channels(
            |thread, number| {
                let write = write(thread, number);
                (write.id(), write)
            },
            value,
        )
    };
    let result = pair(scope.rounds(15), all, &mut ours, &mut same);
    report.pair(
        "K2",
        format!("a write sent and delivered among {SHARDS} shards, 1,000,000 of them, against crossbeam channels"),
        Goal::AtMost(2.0),
        result,
    );
    let mut bare = || {
        by_channels(
            |thread, number| (id(thread, number), number as f64),
            |value| *value,
        )
    };
    let limit = pair(scope.rounds(15), all, &mut ours, &mut bare);
    report.pair(
        "K2",
        "against channels of bare numbers, without ids",
        Goal::Shown,
        limit,
    );
    report.note("K2: a colony delivers all messages in one order, whatever the threads do; a channel, in the order of arrival.");
}
