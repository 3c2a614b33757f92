//! Adding up document frequencies: [`aggregate`] and [`aggregate_owned`] against a loop over standard maps on one thread.
#![allow(missing_docs, clippy::expect_used)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small random numbers"
)]

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tickring::testing::random::Random;
use tickring::{aggregate, aggregate_owned};

type Shard = HashMap<String, u64>;

/// Shards × terms of each.
const SIZES: [(usize, usize); 4] = [(3, 20), (8, 1_000), (8, 100_000), (64, 50_000)];

/// A shard of `terms` terms out of a vocabulary twice as large. The rank of a drawn term is log-uniform (Zipf's law with exponent
/// 1), so that shards share their frequent terms; what repeats of it, and it repeats often, is filled up evenly.
fn shard(random: &mut Random, terms: usize) -> Shard {
    let vocabulary = 2 * terms;
    let mut shard = Shard::with_capacity(terms);
    let mut draws = 0;
    while shard.len() < terms {
        draws += 1;
        let rank = if draws <= 2 * terms {
            (vocabulary as f64).powf(random.unit()) as usize - 1
        } else {
            random.below(vocabulary)
        };
        *shard.entry(term(rank)).or_insert(0) += 1;
    }
    shard
}

/// 5 to 14 letters that follow from the rank.
fn term(rank: usize) -> String {
    let mut random = Random::new(rank as u64);
    let len = 5 + random.below(10);
    (0..len)
        .map(|_| char::from(b'a' + random.below(26) as u8))
        .collect()
}

fn shards(count: usize, terms: usize) -> Vec<Shard> {
    let mut random = Random::new(1);
    (0..count).map(|_| shard(&mut random, terms)).collect()
}

fn fold_borrowed(shards: &[Shard]) -> Shard {
    let mut sum = Shard::new();
    for (term, frequency) in shards.iter().flatten() {
        match sum.get_mut(term) {
            Some(known) => *known += frequency,
            None => {
                sum.insert(term.clone(), *frequency);
            }
        }
    }
    sum
}

fn fold_owned(shards: Vec<Shard>) -> Shard {
    let mut sum = Shard::new();
    for (term, frequency) in shards.into_iter().flatten() {
        match sum.entry(term) {
            Entry::Occupied(mut known) => *known.get_mut() += frequency,
            Entry::Vacant(vacant) => {
                vacant.insert(frequency);
            }
        }
    }
    sum
}

fn batch(entries: usize) -> BatchSize {
    if entries < 10_000 {
        BatchSize::SmallInput
    } else {
        BatchSize::PerIteration
    }
}

fn borrowed(c: &mut Criterion) {
    let mut group = c.benchmark_group("borrowed");
    settings(&mut group);
    for (count, terms) in SIZES {
        let input = shards(count, terms);
        group.throughput(Throughput::Elements((count * terms) as u64));
        let name = format!("{count}x{terms}");
        group.bench_with_input(BenchmarkId::new("aggregate", &name), &input, |b, input| {
            b.iter_with_large_drop(|| aggregate(black_box(input)).expect("no overflow"));
        });
        group.bench_with_input(BenchmarkId::new("loop", &name), &input, |b, input| {
            b.iter_with_large_drop(|| fold_borrowed(black_box(input)));
        });
    }
    group.finish();
}

fn owned(c: &mut Criterion) {
    let mut group = c.benchmark_group("owned");
    settings(&mut group);
    for (count, terms) in SIZES {
        let input = shards(count, terms);
        group.throughput(Throughput::Elements((count * terms) as u64));
        let name = format!("{count}x{terms}");
        let batch = batch(count * terms);
        group.bench_with_input(
            BenchmarkId::new("aggregate_owned", &name),
            &input,
            |b, input| {
                b.iter_batched(
                    || input.clone(),
                    |input| aggregate_owned(black_box(input)).expect("no overflow"),
                    batch,
                );
            },
        );
        group.bench_with_input(BenchmarkId::new("loop", &name), &input, |b, input| {
            b.iter_batched(
                || input.clone(),
                |input| fold_owned(black_box(input)),
                batch,
            );
        });
    }
    group.finish();
}

fn settings(group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>) {
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
}

criterion_group!(benches, borrowed, owned);
criterion_main!(benches);
