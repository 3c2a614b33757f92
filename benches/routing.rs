//! Routing: through the coordinator, through a router, and in batches, against the bare hash of the same ids.
#![allow(missing_docs, clippy::expect_used)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tickring::{Config, Coordinator, DocumentId, Placement, ShardId};

const SHARDS: [u32; 3] = [3, 64, 1_000];
/// Enough to defeat a branch predictor's memory, few enough to stay in the cache.
const DOCUMENTS: usize = 4_096;

fn coordinator(num_shards: u32) -> Coordinator {
    Coordinator::with_config(Config {
        num_shards,
        ..Config::default()
    })
    .expect("within the bounds")
}

fn documents() -> Vec<DocumentId> {
    (0..DOCUMENTS).map(|_| DocumentId::new()).collect()
}

fn single(criterion: &mut Criterion) {
    let documents = documents();
    let mut group = criterion.benchmark_group("route");
    group.throughput(Throughput::Elements(DOCUMENTS as u64));
    for shards in SHARDS {
        let coordinator = coordinator(shards);
        group.bench_function(BenchmarkId::new("coordinator", shards), |bencher| {
            bencher.iter(|| {
                for document in &documents {
                    let _ = black_box(coordinator.route_document(black_box(document)));
                }
            });
        });
        let mut router = coordinator.router();
        group.bench_function(BenchmarkId::new("router", shards), |bencher| {
            bencher.iter(|| {
                for document in &documents {
                    let _ = black_box(router.route(black_box(document)));
                }
            });
        });
        let mut answers = vec![ShardId::new(0); DOCUMENTS];
        group.bench_function(BenchmarkId::new("batch", shards), |bencher| {
            bencher.iter(|| {
                router
                    .route_batch(black_box(&documents), &mut answers)
                    .expect("all shards serve");
                black_box(&mut answers);
            });
        });
    }
    group.bench_function("bare hash", |bencher| {
        bencher.iter(|| {
            for document in &documents {
                black_box(Placement::Xxh3.document_position(black_box(document)));
            }
        });
    });
    group.finish();
}

fn replicas(criterion: &mut Criterion) {
    let documents = documents();
    let mut group = criterion.benchmark_group("replicas");
    group.throughput(Throughput::Elements(DOCUMENTS as u64));
    for shards in SHARDS {
        let coordinator = coordinator(shards);
        group.bench_function(BenchmarkId::new("coordinator", shards), |bencher| {
            bencher.iter(|| {
                for document in &documents {
                    let _ = black_box(coordinator.get_replica_shards(black_box(document)));
                }
            });
        });
        let mut router = coordinator.router();
        group.bench_function(BenchmarkId::new("router", shards), |bencher| {
            bencher.iter(|| {
                for document in &documents {
                    let _ = black_box(router.replicas(black_box(document)));
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, single, replicas);
criterion_main!(benches);
