//! Threads that run the phases of a barrier together.

use std::hint::black_box;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tickring::{ShardId, TickBarrier, TickPhase};

use crate::measure::timed;

/// Threads that run a number of phases together on each order.
pub struct Crew {
    orders: Vec<Sender<u64>>,
    times: Receiver<Duration>,
    threads: Vec<JoinHandle<()>>,
}

impl Crew {
    /// Starts the threads. `phase` is the work of a thread in the phase with this number. Numbers continue from one order to the next.
    fn new(size: u32, phase: impl Fn(u32, u64) + Send + Sync + 'static) -> Self {
        let (phase, start) = (Arc::new(phase), Arc::new(Barrier::new(size as usize)));
        let (report, times) = channel();
        let mut crew = Self {
            orders: Vec::new(),
            times,
            threads: Vec::new(),
        };
        for id in 0..size {
            let (order, orders) = channel::<u64>();
            let (phase, start, report) = (Arc::clone(&phase), Arc::clone(&start), report.clone());
            crew.orders.push(order);
            crew.threads.push(thread::spawn(move || {
                let mut done = 0;
                for phases in orders {
                    start.wait();
                    let begun = Instant::now();
                    (done..done + phases).for_each(|number| phase(id, number));
                    report.send(begun.elapsed()).expect("the bench listens");
                    done += phases;
                }
            }));
        }
        crew
    }

    /// Returns the longest of the threads' times.
    pub fn run(&self, phases: u64) -> Duration {
        for order in &self.orders {
            order.send(phases).expect("the crew lives");
        }
        let times = self.times.iter().take(self.orders.len());
        times.max().expect("the crew lives")
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.orders.clear();
        for thread in self.threads.drain(..) {
            thread.join().expect("the crew lives");
        }
    }
}

/// Each thread works for this long, completes the phase, and waits for all.
pub fn ours(threads: u32, work: Work) -> Crew {
    let barrier = TickBarrier::new(threads).expect("within the bounds");
    Crew::new(threads, move |id, number| {
        work.run();
        let (tick, phase) = (number / 4, TickPhase::ALL[(number % 4) as usize]);
        barrier
            .complete(ShardId::new(id), phase, tick)
            .expect("a member, in time");
        barrier.wait_all(phase, tick).expect("all arrive");
        if id == 0 && phase == TickPhase::Advance {
            barrier.advance().expect("open");
        }
    })
}

/// The same with [`std::sync::Barrier`].
pub fn standard(threads: u32, work: Work) -> Crew {
    let barrier = Barrier::new(threads as usize);
    Crew::new(threads, move |_, _| {
        work.run();
        barrier.wait();
    })
}

/// Steps of computation. Each takes the same core time, however many threads share the core.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    steps: u64,
}

impl Work {
    pub const NONE: Self = Self { steps: 0 };

    /// Returns the number of steps that an idle core does in this time.
    pub fn lasting(time: Duration) -> Self {
        let sample = Self { steps: 100_000 };
        let fastest = (0..50).map(|_| timed(|| sample.run())).min();
        let fastest = fastest.unwrap_or_default().as_secs_f64();
        let steps = sample.steps as f64 * time.as_secs_f64() / fastest;
        Self {
            steps: steps as u64,
        }
    }

    pub fn run(self) {
        (0..self.steps).for_each(|step| {
            black_box(step);
        });
    }
}
