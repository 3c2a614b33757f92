//! A consistent hash ring: an immutable value that says which shard owns a hash.
//!
//! Use a [`HashRing`] on its own if you only need placement. It maps keys to shards and lists replicas, and a [`RingPlan`] lists what moves
//! when members change. A [`Topology`](crate::Topology) adds the status of each shard, so it routes around shards that can't serve.
//!
//! Where documents are moved while the ring is in use, a [`Rebalance`] leads from a ring to another in steps of any size, each of which ends in
//! a valid ring. [`RingState`] is what has to be stored of a ring anywhere on the way.
//!
//! Each shard has points on the ring of all 64-bit hashes. A point owns the hashes after the previous point, up to and including its own
//! position. This is consistent hashing with virtual nodes (Karger et al., 1997; Dynamo, 2007). Points are ordered by position, then by
//! shard. If two points share a position, both are kept and the lower shard owns it. A ring therefore depends only on its members, and not
//! on the order in which they were added.

mod batch;
mod change;
#[cfg(test)]
mod collisions;
mod direct;
mod fingerprint;
mod hash_ring;
mod index;
mod inspect;
mod layout;
mod limits;
mod member;
mod nodes;
mod order;
mod passage;
mod plan;
mod points;
mod rebalance;
mod reindex;
mod replicas;
mod shares;
mod spread;
mod state;
#[cfg(test)]
mod tests;
mod zone_plan;
mod zone_shares;

pub use self::hash_ring::HashRing;
pub use self::member::RingMember;
pub use self::nodes::{TravellingPoint, VirtualNode};
pub use self::passage::{Direction, RingStep};
pub use self::plan::{Move, RingPlan};
pub use self::rebalance::Rebalance;
pub use self::replicas::{Replicas, ReplicasIter};
pub use self::shares::{Share, Shares};
pub use self::state::RingState;
pub use self::zone_plan::{ZoneEnd, ZoneMove, ZonePlan};
pub use self::zone_shares::{ZoneShare, ZoneShares};
