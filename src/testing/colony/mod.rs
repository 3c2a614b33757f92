//! The naive model of a colony whose writers, readers and shards run at the same time.
//!
//! The shards note what they do, the writers keep the accepted writes, and the driver keeps the reports. An [`Account`] compares each report
//! with the notes. Then a [`Ledger`] replays everything, and checks that each accepted write and each message has exactly one outcome.

mod account;
mod ledger;

use std::collections::BTreeSet;

pub use self::account::{Account, Totals};
pub use self::ledger::{Accepted, Contents, Event, Ledger};
use crate::colony::{Origin, Write};
use crate::id::Incarnation;
use crate::{Publication, ShardId, TickPhase, View};

/// The ways in which a shard's life ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misdeed {
    Panic,
    Fail,
    Hang,
    NotMade,
}

/// The notes of all shards about one tick.
#[derive(Debug)]
pub struct Notes<D> {
    /// The lives that end in this tick, each with its misdeed.
    pub misdeeds: Vec<(ShardId, Incarnation, TickPhase, Misdeed)>,
    /// The messages, in the order in which each shard sent them.
    pub sent: Vec<(ShardId, Write<D>)>,
    /// The writes that were applied by shards that finished their views.
    pub applied: Vec<(Origin, Write<D>)>,
}

impl<D> Default for Notes<D> {
    fn default() -> Self {
        Self {
            misdeeds: Vec::new(),
            sent: Vec::new(),
            applied: Vec::new(),
        }
    }
}

/// Checks that no document is in two views, and that only dead shards have views of an earlier tick.
pub fn check_views<V: View>(publication: &Publication<V>) {
    let mut seen = BTreeSet::new();
    for published in publication.shards() {
        let is_current = published.tick() == publication.tick();
        assert!(is_current != published.is_frozen(), "{published:?}");
        for id in published.view().documents().unwrap() {
            assert!(seen.insert(id), "{id} is in two views");
        }
    }
}
