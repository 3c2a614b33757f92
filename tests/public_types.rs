//! What the public types promise to the compiler.

use static_assertions::{assert_impl_all, assert_not_impl_any};
use tickring::clock::ManualClock;
use tickring::coordinator::{HealthMonitor, PauseGuard};
use tickring::frequency::{
    CorpusStatistics, DocumentFrequencies, FrequencySnapshot, GlobalFrequencies, ShardCounter,
    ShardFrequencies, TermDictionary,
};
use tickring::ring::{Replicas, RingPlan};
use tickring::topology::{Member, TopologyEvent};
use tickring::{
    Config, Coordinator, Error, HashRing, Router, ShardHandle, ShardId, ShardRegistry, TickBarrier,
    Topology,
};

assert_impl_all!(Coordinator: Send, Sync, Clone);
assert_impl_all!(ShardHandle: Send, Sync, Clone);
assert_impl_all!(Router: Send, Sync, Clone);
assert_impl_all!(Topology: Send, Sync);
assert_impl_all!(Member: Send, Sync);
assert_impl_all!(HashRing: Send, Sync, Clone);
assert_impl_all!(Replicas: Send, Sync, Clone);
assert_impl_all!(RingPlan: Send, Sync);
assert_impl_all!(TickBarrier: Send, Sync);
assert_impl_all!(ShardRegistry: Send, Sync);
assert_impl_all!(HealthMonitor: Send, Sync);
assert_impl_all!(PauseGuard: Send, Sync, Clone);
assert_impl_all!(DocumentFrequencies: Send, Sync);
assert_impl_all!(CorpusStatistics: Send, Sync);
assert_impl_all!(TermDictionary: Send, Sync);
assert_impl_all!(ShardCounter: Send, Sync, Clone);
assert_impl_all!(ShardFrequencies: Send, Sync, Clone);
assert_impl_all!(GlobalFrequencies: Send, Sync);
assert_impl_all!(FrequencySnapshot: Send, Sync, Clone);
assert_impl_all!(TopologyEvent: Send, Sync, Copy);
assert_impl_all!(Config: Send, Sync, Clone);
assert_impl_all!(Error: Send, Sync, std::error::Error);
assert_impl_all!(ManualClock: Send, Sync);
assert_not_impl_any!(HealthMonitor: Clone);

#[test]
fn errors_can_be_sent_and_boxed() {
    let boxed: Box<dyn std::error::Error + Send + Sync> =
        Box::new(Error::ShardNotFound(ShardId::new(3)));
    assert_eq!(
        boxed.to_string(),
        "shard-3 is not known to this coordinator"
    );
}
