//! Building and changing rings, and planning what moves. What the timed calls return is freed outside the timing.
#![allow(missing_docs)]
#![expect(
    clippy::expect_used,
    reason = "a benchmark that can't be set up has to stop"
)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tickring::{DocumentId, HashRing, RingPlan, ShardId};

const VIRTUAL_NODES: u32 = 150;
const SHARDS: [u32; 4] = [3, 64, 1_000, 10_000];
/// Too many for a branch predictor's memory.
const DOCUMENTS: usize = 1 << 19;

fn ring(shards: u32) -> HashRing {
    HashRing::with_virtual_nodes(shards, VIRTUAL_NODES).expect("within the bounds")
}

fn build(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("build");
    for shards in SHARDS {
        group.throughput(Throughput::Elements(u64::from(shards * VIRTUAL_NODES)));
        group.bench_function(BenchmarkId::from_parameter(shards), |bencher| {
            bencher.iter_with_large_drop(|| ring(black_box(shards)));
        });
    }
    group.finish();
}

fn change(criterion: &mut Criterion) {
    for shards in [64, 1_000, 10_000] {
        let ring = ring(shards);
        let mut group = criterion.benchmark_group(format!("change/{shards}"));
        group.bench_function("add the last", |bencher| {
            bencher.iter_with_large_drop(|| ring.add_shard(black_box(ShardId::new(shards))));
        });
        let gap = ring
            .remove_shard(ShardId::new(shards / 2))
            .expect("it is there");
        group.bench_function("add one in the middle", |bencher| {
            bencher.iter_with_large_drop(|| gap.add_shard(black_box(ShardId::new(shards / 2))));
        });
        group.bench_function("remove one in the middle", |bencher| {
            bencher.iter_with_large_drop(|| ring.remove_shard(black_box(ShardId::new(shards / 2))));
        });
        group.bench_function("double a weight", |bencher| {
            bencher.iter_with_large_drop(|| ring.set_weight(black_box(ShardId::new(7)), 2));
        });
        group.bench_function("clone", |bencher| {
            bencher.iter_with_large_drop(|| black_box(&ring).clone());
        });
        group.finish();
    }
}

fn plan(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan");
    for shards in [64, 1_000, 10_000] {
        let before = ring(shards);
        let after = before
            .add_shard(ShardId::new(shards))
            .expect("there is room");
        group.bench_function(BenchmarkId::new("add one", shards), |bencher| {
            bencher.iter_with_large_drop(|| RingPlan::between(black_box(&before), &after));
        });
    }
    group.finish();
}

fn look_up(criterion: &mut Criterion) {
    let documents: Vec<_> = (0..DOCUMENTS).map(|_| DocumentId::new()).collect();
    let mut group = criterion.benchmark_group("look up");
    group.throughput(Throughput::Elements(DOCUMENTS as u64));
    for shards in SHARDS {
        let ring = ring(shards);
        group.bench_function(BenchmarkId::new("owner", shards), |bencher| {
            bencher.iter(|| {
                for document in &documents {
                    let _ = black_box(ring.get_shard(black_box(document)));
                }
            });
        });
        group.bench_function(BenchmarkId::new("2 replicas", shards), |bencher| {
            bencher.iter(|| {
                for document in &documents {
                    let _ = black_box(ring.get_replica_shards(black_box(document), 2));
                }
            });
        });
        group.bench_function(BenchmarkId::new("fingerprint", shards), |bencher| {
            bencher.iter(|| black_box(&ring).fingerprint());
        });
    }
    group.finish();
}

criterion_group!(benches, build, change, plan, look_up);
criterion_main!(benches);
