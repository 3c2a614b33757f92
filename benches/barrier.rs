//! One phase of a tick: every thread completes it and waits for all, against `std::sync::Barrier` with the same number of threads.
#![allow(missing_docs, clippy::expect_used)]

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tickring::{ShardId, TickBarrier, TickPhase};

const THREADS: [u32; 4] = [2, 4, 8, 16];

/// Threads that run the same number of rounds together each time they are told to. Thread 0 takes the time.
struct Crew {
    orders: Vec<Sender<u64>>,
    times: Receiver<Duration>,
    threads: Vec<JoinHandle<()>>,
}

impl Crew {
    /// `round` is what thread `id` does in the round with this number; the numbers go on from one order to the next.
    fn new(size: u32, round: impl Fn(u32, u64) + Send + Sync + 'static) -> Self {
        let (round, start) = (Arc::new(round), Arc::new(Barrier::new(size as usize)));
        let (report, times) = channel();
        let mut crew = Self {
            orders: Vec::new(),
            times,
            threads: Vec::new(),
        };
        for id in 0..size {
            let (order, orders) = channel::<u64>();
            let (round, start, report) = (Arc::clone(&round), Arc::clone(&start), report.clone());
            crew.orders.push(order);
            crew.threads.push(thread::spawn(move || {
                let mut done = 0;
                for rounds in orders {
                    start.wait();
                    let begun = Instant::now();
                    for number in done..done + rounds {
                        round(id, number);
                    }
                    if id == 0 {
                        report.send(begun.elapsed()).expect("the bench listens");
                    }
                    done += rounds;
                }
            }));
        }
        crew
    }

    fn run(&self, rounds: u64) -> Duration {
        for order in &self.orders {
            order.send(rounds).expect("the crew lives");
        }
        self.times.recv().expect("the crew lives")
    }

    fn dismiss(self) {
        drop(self.orders);
        for thread in self.threads {
            thread.join().expect("the crew lives");
        }
    }
}

fn phase(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("phase");
    for threads in THREADS {
        let barrier = TickBarrier::new(threads).expect("within the bounds");
        let crew = Crew::new(threads, move |id, round| {
            let (tick, phase) = (round / 4, TickPhase::ALL[(round % 4) as usize]);
            barrier
                .complete(ShardId::new(id), phase, tick)
                .expect("a member, in time");
            barrier.wait_all(phase, tick).expect("all arrive");
            if id == 0 && phase == TickPhase::Advance {
                barrier.advance().expect("open");
            }
        });
        group.bench_function(BenchmarkId::new("tickring", threads), |bencher| {
            bencher.iter_custom(|rounds| crew.run(rounds));
        });
        crew.dismiss();

        let barrier = Barrier::new(threads as usize);
        let crew = Crew::new(threads, move |_, _| {
            barrier.wait();
        });
        group.bench_function(BenchmarkId::new("std", threads), |bencher| {
            bencher.iter_custom(|rounds| crew.run(rounds));
        });
        crew.dismiss();
    }
    group.finish();
}

criterion_group!(benches, phase);
criterion_main!(benches);
