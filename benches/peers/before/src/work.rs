//! The work of the rows of both versions, and its measurement.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use phago_agents::digester::Digester;
use phago_core::types::Position;
use phago_distributed::bench::generate_documents;
use phago_distributed::{ConsistentHashRing, ShardedColony, types::ShardId};
use phago_runtime::colony::ColonyConfig;
use tokio::sync::RwLock;

/// A side's turn, which measures its own time.
pub type Turn = Box<dyn FnMut() -> Duration>;

pub struct Row {
    pub id: &'static str,
    pub work: String,
    pub rounds: usize,
    /// Whether a turn runs twice in a row, so that only the second run counts.
    pub steady: bool,
    pub side: Box<dyn Fn() -> Turn>,
}

/// Measures a call. Its result is freed outside of the measured time.
pub fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let begun = Instant::now();
    let result = std::hint::black_box(work());
    let took = begun.elapsed();
    drop(result);
    took
}

/// Keeps the thread busy for this long.
pub fn busy(length: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < length {
        std::hint::spin_loop();
    }
}

/// Returns the memory in use in bytes.
pub fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("it is Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kilobytes.expect("a number") << 10
}

/// Starts this number of threads together, and returns the longest of their times.
pub fn together(threads: u32, work: impl Fn(u32) -> Duration + Sync) -> Duration {
    let start = Barrier::new(threads as usize);
    thread::scope(|scope| {
        let one = |id| {
            start.wait();
            work(id)
        };
        let spawn = |id| scope.spawn(move || one(id));
        let threads: Vec<_> = (0..threads).map(spawn).collect();
        let times = threads.into_iter().map(|thread| thread.join());
        times.map(|time| time.expect("no panic")).max()
    })
    .unwrap_or_default()
}

/// Steele, Lea and Flood's SplitMix64.
pub fn random(seed: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Returns a term whose rank is log-uniform over the vocabulary, which is Zipf's law with exponent 1.
pub fn term(seed: u64, vocabulary: f64) -> String {
    let unit = (random(seed) >> 11) as f64 / (1_u64 << 53) as f64;
    format!("term{}", vocabulary.powf(unit) as u64)
}

/// A colony of phago's own runtime.
pub fn colony(id: u32) -> ShardedColony {
    let ring = Arc::new(RwLock::new(ConsistentHashRing::new(4)));
    let mut colony = ShardedColony::new(ShardId::new(id), ColonyConfig::default(), ring);
    for agent in 0..20 {
        let position = Position::new(f64::from(agent) * 5.0, f64::from(id));
        let digester = Digester::with_seed(position, u64::from(id * 20 + agent));
        colony.local_mut().spawn(Box::new(digester));
    }
    for (number, (title, content)) in generate_documents(500).into_iter().enumerate() {
        let position = Position::new((number % 100) as f64, (number / 100) as f64);
        colony.ingest_document_direct(&title, &content, position);
    }
    colony
}
