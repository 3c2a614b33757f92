//! Documents that move between the shards of a colony, while writes and searches go on.
//!
//! A [`Goal`] says what the shards are to own. From tick to tick, the ring comes nearer to it by steps of a [`Rebalance`](crate::ring::Rebalance), each of
//! which ends in a valid ring: the documents of a range leave a shard and enter another in the same tick as the ring changes. So in each publication each
//! document is in exactly one view, and answers are the same as ever.
//!
//! The tick reads what moves from the last publication. In one critical section with the change of the ring, it empties the inboxes. What they hold for a
//! document that moves goes to its new owner, which applies it after it has taken the document in. What is accepted later is placed by the new ring.

mod budget;
mod driver;
mod estimate;
mod goal;
mod handover;
mod pace;
mod plan;
mod progress;
mod step;

pub use self::budget::MoveBudget;
pub(super) use self::driver::Moving;
pub use self::goal::{Goal, Wanted};
pub(super) use self::handover::Handover;
#[cfg(test)]
pub(super) use self::pace::Pace;
pub(super) use self::plan::Transfers;
pub use self::progress::{Amount, MovePause, MoveProgress};
