//! The live part of a registered shard: its lease and metrics, which the shard writes without a lock.
//!
//! There is one record for each incarnation. The registry, every later topology and the shard's handle share it.
//!
//! # Protocol of the lease
//! The lease is one word: the time of the last heartbeat in the low 63 bits, and a CLOSED bit on top. A heartbeat raises it with
//! `fetch_max`. Because the bit is the highest, a closed word is greater than any time and stays as it is, and the heartbeat sees that it
//! must take the registry's lock. The sweep runs under that lock, and closes the lease by exchanging exactly the word that it judged. A
//! heartbeat in between changes the word, and the sweep judges again. So each heartbeat either comes before the judgement and is part of
//! it, or meets the bit and is handled under the lock, after the verdict was installed.
//!
//! # Clocks that step back
//! A heartbeat can find a later time in the lease, for one of two reasons. Either another heartbeat overtook it, or the clock has stepped
//! back since. In the second case the lease would hide the shard's death for as long as the clock was ahead. Reading the clock again tells
//! the two apart: after an overtaking it shows at least the other heartbeat's time. If it still shows an earlier time, the lease restarts
//! there, by exchanging exactly the word that was seen before the clock was read again. If a heartbeat came in between, it read the clock
//! later, and its time stays. A sweep does the same with leases that are ahead of it.
//!
//! # Orderings
//! `Relaxed` throughout. The protocol depends only on the modification order of one word, and no other data is read because of its value. A
//! caller that meets the CLOSED bit continues under the lock, which orders everything else. The metrics are single words too.

use std::time::Duration;

use super::info::{RegisteredShard, ShardInfo, ShardStatus};
use crate::clock::Timestamp;
use crate::id::{Incarnation, ShardId, Zone};
use crate::sync::{AtomicBool, AtomicU64, Ordering};

const CLOSED: u64 = 1 << 63;

/// The outcome of a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beat {
    /// The heartbeat counts.
    Heard,
    /// The lease is closed, so the registry must handle the heartbeat.
    Closed,
}

/// The lease of one incarnation.
#[derive(Debug)]
pub(crate) struct Lease(AtomicU64);

impl Lease {
    pub(crate) fn open_at(now: Timestamp) -> Self {
        Self(AtomicU64::new(now.as_nanos()))
    }

    /// Records a heartbeat at the time that the clock shows. Called by the shard, without the lock.
    pub(crate) fn beat(&self, mut clock: impl FnMut() -> Timestamp) -> Beat {
        let now = clock().as_nanos();
        let before = self.0.fetch_max(now, Ordering::Relaxed);
        if before & CLOSED == 0 && before > now {
            return self.renew(Timestamp::from_nanos(before), clock());
        }
        heard(before)
    }

    /// Sets the lease back from `seen` to `now`, if `seen` is still in the lease and later than `now`: the clock has stepped back. `now`
    /// must have been read from the clock after `seen` was read from the lease. Called without the lock: a closed lease stays as it is.
    pub(crate) fn renew(&self, seen: Timestamp, now: Timestamp) -> Beat {
        let renewed = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
                (word == seen.as_nanos() && seen > now).then_some(now.as_nanos())
            });
        heard(renewed.unwrap_or_else(|word| word))
    }

    /// Returns the time of the last heartbeat.
    pub(crate) fn last_seen(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::Relaxed) & !CLOSED)
    }

    /// Returns whether the last heartbeat was more than `timeout` before `now`.
    pub(crate) fn is_overdue(&self, now: Timestamp, timeout: Duration) -> bool {
        now.saturating_since(self.last_seen()) > timeout
    }

    /// Closes the lease if the last heartbeat was more than `timeout` before `now`. Called under the lock.
    pub(crate) fn close_if_overdue(&self, now: Timestamp, timeout: Duration) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
                let seen = Timestamp::from_nanos(word & !CLOSED);
                (now.saturating_since(seen) > timeout).then_some(word | CLOSED)
            })
            .is_ok()
    }

    /// Closes the lease unconditionally. Called under the lock.
    pub(crate) fn close(&self) {
        self.0.fetch_or(CLOSED, Ordering::Relaxed);
    }

    /// Closes the lease and records a heartbeat. Called under the lock, so there is no other writer: heartbeats don't change a closed word.
    pub(crate) fn note_while_closed(&self, now: Timestamp) {
        self.0.store(now.as_nanos() | CLOSED, Ordering::Relaxed);
    }

    /// Opens the lease if it is closed, and records a heartbeat. Called under the lock: nobody else closes or opens it meanwhile, and a
    /// closed word has no other writer.
    pub(crate) fn open(&self, now: Timestamp) {
        if heard(self.0.fetch_max(now.as_nanos(), Ordering::Relaxed)) == Beat::Closed {
            self.0.store(now.as_nanos(), Ordering::Relaxed);
        }
    }
}

/// Returns the outcome of a heartbeat that meets this word.
const fn heard(word: u64) -> Beat {
    if word & CLOSED == 0 {
        Beat::Heard
    } else {
        Beat::Closed
    }
}

/// One incarnation of a shard.
#[derive(Debug)]
pub(crate) struct ShardRecord {
    pub(crate) shard: ShardId,
    pub(crate) incarnation: Incarnation,
    /// If false, sweeps skip the shard.
    pub(crate) leased: bool,
    pub(crate) zone: Option<Zone>,
    pub(crate) lease: Lease,
    address: String,
    node_count: usize,
    edge_count: usize,
    last_heartbeat: u64,
    document_count: AtomicU64,
    memory_bytes: AtomicU64,
    ended: AtomicBool,
}

impl ShardRecord {
    pub(crate) fn new(
        shard: ShardId,
        incarnation: Incarnation,
        leased: bool,
        zone: Option<Zone>,
        info: ShardInfo,
        now: Timestamp,
    ) -> Self {
        Self {
            shard,
            incarnation,
            leased,
            zone,
            lease: Lease::open_at(now),
            address: info.address,
            node_count: info.node_count,
            edge_count: info.edge_count,
            last_heartbeat: info.last_heartbeat,
            document_count: AtomicU64::new(info.document_count as u64),
            memory_bytes: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        }
    }

    /// Ends the incarnation. From now on its heartbeats and metrics are refused. Called under the lock.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
        self.lease.close();
    }

    /// Returns whether the incarnation has ended. Relaxed: the flag changes only once, and nothing else is read on its strength. The barrier
    /// refuses a completion by a caller that doesn't see it yet. Its heartbeat and metrics stay in the record of the ended incarnation.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    pub(crate) fn set_metrics(&self, document_count: u64, memory_bytes: u64) {
        self.document_count.store(document_count, Ordering::Relaxed);
        self.memory_bytes.store(memory_bytes, Ordering::Relaxed);
    }

    pub(crate) fn document_count(&self) -> u64 {
        self.document_count.load(Ordering::Relaxed)
    }

    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn info(&self) -> ShardInfo {
        ShardInfo {
            id: self.shard,
            address: self.address.clone(),
            node_count: self.node_count,
            edge_count: self.edge_count,
            document_count: usize::try_from(self.document_count()).unwrap_or(usize::MAX),
            last_heartbeat: self.last_heartbeat,
        }
    }

    pub(crate) fn registered(&self, status: ShardStatus) -> RegisteredShard {
        RegisteredShard {
            info: self.info(),
            status,
            memory_bytes: self.memory_bytes(),
            incarnation: self.incarnation,
            last_seen: self.lease.last_seen(),
            zone: self.zone,
        }
    }
}
