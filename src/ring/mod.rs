//! The consistent hash ring: an immutable value that says which shard owns a hash.
//!
//! Use a [`HashRing`] on its own if you only need placement: it maps keys to shards, lists replicas, and a [`RingPlan`] lists what moves
//! when members change. A [`Topology`](crate::Topology) adds statuses, so that it routes around shards that can't serve.
//!
//! Each shard has points on the ring of all 64-bit hashes, and owns the hashes from the previous point (exclusive) up to each of its own
//! (inclusive), as in consistent hashing with virtual nodes (Karger et al., 1997; Dynamo, 2007). Points are ordered by position, then by
//! shard; of two points at one position both are kept, and the lower shard owns. So a ring depends on its members alone, and not on the
//! order in which they came.

mod batch;
mod change;
mod direct;
mod fingerprint;
mod hash_ring;
mod index;
mod inspect;
mod layout;
mod limits;
mod member;
mod plan;
mod points;
mod reindex;
mod replicas;
mod shares;
#[cfg(test)]
mod tests;

pub use self::hash_ring::HashRing;
pub use self::member::RingMember;
pub use self::plan::{Move, RingPlan};
pub use self::replicas::{Replicas, ReplicasIter};
pub use self::shares::{Share, Shares};
