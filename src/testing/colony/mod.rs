//! The naive model of a colony whose writers, readers and shards run at the same time.
//!
//! The shards note what they do, the writers keep what was accepted, and the driver what each tick reports. An [`Account`] compares a
//! report with the notes. A [`Ledger`] then replays all of it: each accepted write and each message comes to exactly one end.

mod account;
mod ledger;

use std::collections::BTreeSet;

pub use self::account::{Account, Totals};
pub use self::ledger::{Accepted, Contents, Event, Ledger};
use crate::colony::{Origin, Write};
use crate::id::Incarnation;
use crate::{Publication, ShardId, TickPhase, View};

/// How a shard's life ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misdeed {
    Panic,
    Fail,
    Hang,
    NotMade,
}

/// What the shards of a colony did in a tick, by their own account.
#[derive(Debug)]
pub struct Notes<D> {
    /// The lives that end, each by its misdeed.
    pub misdeeds: Vec<(ShardId, Incarnation, TickPhase, Misdeed)>,
    /// What was sent, in each shard's order.
    pub sent: Vec<(ShardId, Write<D>)>,
    /// What was applied by the shards that got to their views.
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

/// No document is in two views, and only shards that have died have views of an earlier tick.
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
