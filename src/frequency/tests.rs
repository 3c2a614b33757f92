//! Every path against the naive sum.

use std::collections::HashMap;
use std::sync::LazyLock;

use ahash::RandomState;
use proptest::collection::vec;
use proptest::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::aggregate::{Plan, aggregate_as, aggregate_owned_as};
use super::partition::{MAX_PARTITIONS, Merge, hash_of, partition_of};
use super::{aggregate, aggregate_owned, bm25};
use crate::error::FrequencyError;
use crate::testing::frequency::{Sums, content, fold};

type Shard = HashMap<String, u64>;

/// Pools of 1 to 8 threads.
static POOLS: LazyLock<Vec<ThreadPool>> = LazyLock::new(|| {
    (1..=8)
        .map(|threads| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("a few threads can be started")
        })
        .collect()
});

const SEQUENTIAL: Plan = Plan {
    sequential_below: usize::MAX,
    ..Plan::MEASURED
};

/// A plan that is parallel for any input, with about this number of entries per partition.
fn parallel(entries_per_partition: usize, max_partitions: usize) -> Plan {
    Plan {
        sequential_below: 0,
        entries_per_partition,
        max_partitions,
    }
}

fn naive(shards: &[Shard]) -> Sums {
    fold(shards.iter().flatten())
}

fn shard(pairs: &[(&str, u64)]) -> Shard {
    pairs.iter().map(|&(t, n)| (t.to_owned(), n)).collect()
}

/// Shards of numbered terms. Each shard shares half of its terms with the next.
fn numbered(shards: usize, terms: usize) -> Vec<Shard> {
    (0..shards)
        .map(|i| (i * terms / 2..i * terms / 2 + terms).map(|t| (format!("t{t}"), 1 + t as u64)))
        .map(Iterator::collect)
        .collect()
}

/// A few different terms, so that shards share some: empty, ASCII, and with several bytes per letter.
fn term() -> impl Strategy<Value = String> {
    prop_oneof!["", "[a-d]{1,2}", "[äßж漢🦀]{1,2}", ".{0,40}"]
}

/// Mostly small numbers, sometimes so large that a few of them overflow.
fn frequency() -> impl Strategy<Value = u64> {
    prop_oneof![
        200 => 0..1_000_u64,
        1 => u64::MAX - 10..=u64::MAX,
        1 => Just(u64::MAX / 2 + 1),
    ]
}

fn colony() -> impl Strategy<Value = Vec<Shard>> {
    vec(
        proptest::collection::hash_map(term(), frequency(), 0..30),
        0..20,
    )
}

proptest! {
    #[test]
    fn every_plan_pool_and_order_gives_what_a_fold_gives(
        shards in colony(),
        threads in 1_usize..=8,
        entries_per_partition in 0_usize..40,
        max_partitions in (0_u32..7).prop_map(|bits| 1 << bits),
        turn in any::<prop::sample::Index>(),
    ) {
        let expected = naive(&shards);
        let plan = parallel(entries_per_partition, max_partitions);
        let mut turned = shards.clone();
        if !turned.is_empty() {
            turned.rotate_left(turn.index(shards.len()));
        }
        prop_assert_eq!(&content(aggregate_as(SEQUENTIAL, &shards)), &expected);
        prop_assert_eq!(&content(aggregate_owned_as(SEQUENTIAL, shards.clone())), &expected);
        POOLS[threads - 1].install(|| {
            prop_assert_eq!(&content(aggregate_as(plan, &shards)), &expected);
            prop_assert_eq!(&content(aggregate_as(plan, &turned)), &expected);
            prop_assert_eq!(&content(aggregate_owned_as(plan, turned)), &expected);
            Ok(())
        })?;
    }

    #[test]
    fn parts_can_be_aggregated_further(
        shards in vec(proptest::collection::hash_map(term(), 0..1_000_u64, 0..30), 1..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let plan = parallel(8, 16);
        let (left, right) = shards.split_at(cut.index(shards.len()));
        let parts = [
            aggregate_as(plan, left).unwrap(),
            aggregate_as(SEQUENTIAL, right).unwrap(),
        ];
        let whole = aggregate_as(plan, &shards).unwrap();
        prop_assert_eq!(&aggregate_as(plan, &parts).unwrap(), &whole);
        prop_assert_eq!(&aggregate_as(SEQUENTIAL, &parts).unwrap(), &whole);
    }

    #[test]
    fn no_idf_and_no_score_is_negative(
        a in prop_oneof![0..100_u64, any::<u64>(), u64::MAX - 5..=u64::MAX, (1_u64 << 53) - 5..(1 << 53) + 5],
        b in prop_oneof![0..100_u64, any::<u64>(), u64::MAX - 5..=u64::MAX, (1_u64 << 53) - 5..(1 << 53) + 5],
        tokens in prop_oneof![Just(0), 0..1_000_u64, any::<u64>()],
        length in prop_oneof![0..100_u64, any::<u64>()],
    ) {
        let (df, n) = (a.min(b), a.max(b));
        for (n, df) in [(n, df), (n, n), (n, 0)] {
            let (smoothed, bm25) = (bm25::smoothed_idf(n, df), bm25::idf(n, df));
            prop_assert!(smoothed >= 1.0 && smoothed.is_finite(), "N={n} df={df}: {smoothed}");
            prop_assert!(bm25 > 0.0 && bm25.is_finite(), "N={n} df={df}: {bm25}");
        }
        prop_assert!(bm25::smoothed_idf(n, df) <= bm25::smoothed_idf(n, 0));
        prop_assert!(bm25::idf(n, df) <= bm25::idf(n, 0));
        let idf = bm25::idf(n, df);
        for (occurrences, length) in [(0, length), (1, 0), (tokens, length), (u64::MAX, length)] {
            let score = bm25::score(idf, occurrences, length, bm25::average_length(tokens, n));
            prop_assert!((0.0..=2.2 * idf).contains(&score), "{score} of {idf}");
        }
    }

    #[test]
    fn partitions_take_no_bit_that_a_table_uses(hash in any::<u64>(), bits in 0_u32..=25) {
        let partitions = 1 << bits;
        prop_assert!(partitions <= MAX_PARTITIONS);
        let partition = partition_of(hash, partitions);
        prop_assert!(partition < partitions);
        // The low 32 bits choose a bucket, the top 7 are the tag.
        prop_assert_eq!(partition_of(hash ^ 0xFFFF_FFFF, partitions), partition);
        prop_assert_eq!(partition_of(hash ^ (0x7F << 57), partitions), partition);
    }
}

#[test]
fn sizes_around_the_measured_threshold_agree() {
    let below = Plan::MEASURED.sequential_below / 4;
    for terms in [below - 1, below, below + 1] {
        let shards = numbered(4, terms);
        let expected = naive(&shards);
        assert_eq!(content(aggregate(&shards)), expected);
        assert_eq!(content(aggregate_owned(shards)), expected);
    }
}

#[test]
fn the_threshold_decides_by_the_number_of_entries() {
    let partitions = |plan, shards: &[Shard]| aggregate_as(plan, shards).unwrap().partition_count();
    let plan = Plan {
        sequential_below: 100,
        entries_per_partition: 10,
        max_partitions: 8,
    };
    let counts = [0, 9, 35, 40, 41, 1_000].map(|entries| plan.partitions(entries));
    assert_eq!(counts, [1, 1, 4, 4, 4, 8]);
    assert_eq!(partitions(plan, &numbered(3, 33)), 1);
    assert_eq!(partitions(plan, &numbered(4, 25)), 8);
    let owned = |shards| aggregate_owned_as(plan, shards).unwrap().partition_count();
    assert_eq!(owned(numbered(3, 33)), 1);
    assert_eq!(owned(numbered(4, 25)), 8);
}

#[test]
fn terms_with_the_same_hash_stay_apart() {
    let mut merge = Merge::default();
    for (term, frequency) in [("ring", 1), ("tick", 10), ("ring", 2)] {
        merge.add(7, term, frequency);
    }
    let (partition, overflow) = merge.finish();
    assert_eq!(partition.get(7, "ring"), Some(3));
    assert_eq!(partition.get(7, "tick"), Some(10));
    assert_eq!(partition.get(7, "ting"), None);
    assert_eq!(partition.get(8, "ring"), None);
    assert_eq!((partition.len(), overflow), (2, None));
}

#[test]
fn terms_spread_evenly_over_partitions() {
    let hasher = RandomState::new();
    let mut counts = [0; 16];
    for i in 0..16_000 {
        counts[partition_of(hash_of(&hasher, &format!("term{i}")), 16)] += 1;
    }
    // 1,000 each with a standard deviation of 31.
    assert!(
        counts.iter().all(|n| (700..1_300).contains(n)),
        "{counts:?}"
    );
}

#[test]
fn the_least_overflowing_term_is_named_on_every_path() {
    let max = u64::MAX;
    let mut shards = vec![
        shard(&[("zeta", max), ("mid", 1), ("beta", 1), ("fine", max)]),
        shard(&[("zeta", 1), ("mid", max), ("beta", max), ("fine", 0)]),
        shard(&[("alpha", max), ("beta", 5)]),
    ];
    let plans = [SEQUENTIAL, parallel(1, 1), parallel(1, 2), parallel(1, 64)];
    let expected = Err(FrequencyError::TermOverflow {
        term: "beta".to_owned(),
    });
    for _ in 0..3 {
        shards.rotate_left(1);
        for plan in plans {
            assert_eq!(aggregate_as(plan, &shards), expected);
            assert_eq!(aggregate_owned_as(plan, shards.clone()), expected);
        }
    }
}

#[test]
fn a_sum_of_the_greatest_frequency_is_no_overflow() {
    let shards = [
        shard(&[("x", u64::MAX - 1)]),
        shard(&[("x", 1)]),
        shard(&[("x", 0)]),
    ];
    for plan in [SEQUENTIAL, parallel(1, 4)] {
        assert_eq!(
            aggregate_as(plan, &shards).unwrap().get("x"),
            Some(u64::MAX)
        );
    }
}

#[test]
fn a_pool_of_one_thread_aggregates_from_within_its_tasks() {
    let shards = numbered(6, 40);
    let expected = naive(&shards).unwrap();
    let plan = parallel(4, 64);
    let (left, right) = POOLS[0].install(|| {
        rayon::join(
            || content(aggregate_as(plan, &shards)),
            || content(aggregate_owned_as(plan, shards.clone())),
        )
    });
    assert_eq!(left.unwrap(), expected);
    assert_eq!(right.unwrap(), expected);
}
