//! The members of a topology, in chunks that successive topologies share.

use std::ops::Range;

use crate::id::{Incarnation, ShardId, Zone};
use crate::registry::{RegisteredShard, ShardRecord, ShardStatus};
use crate::sync::Arc;

/// The number of members in a chunk. A change of one member copies its chunk and the list of chunks. This is the square root of
/// [`MAX_SHARDS`](crate::limits::MAX_SHARDS), so neither has more than 256 entries.
pub(super) const CHUNK: usize = 256;

/// A shard on the ring, as of one epoch.
#[derive(Debug, Clone)]
pub struct Member {
    pub(crate) shard: ShardId,
    pub(crate) weight: u32,
    /// `None` for a planned shard that hasn't registered.
    pub(crate) registered: Option<(Arc<ShardRecord>, ShardStatus)>,
    pub(crate) serves: bool,
}

impl Member {
    /// Returns the id of the shard.
    pub const fn shard(&self) -> ShardId {
        self.shard
    }

    /// Returns the weight: the shard's points on the ring, as a multiple of the configured number.
    pub const fn weight(&self) -> u32 {
        self.weight
    }

    /// Returns the status in this epoch, or `None` for a planned shard that hasn't registered.
    pub fn status(&self) -> Option<ShardStatus> {
        self.registered.as_ref().map(|&(_, status)| status)
    }

    /// Returns the incarnation, or `None` for a planned shard that hasn't registered.
    pub fn incarnation(&self) -> Option<Incarnation> {
        self.registered
            .as_ref()
            .map(|(record, _)| record.incarnation)
    }

    /// Returns the zone, or `None` for a shard whose registration named none, and for a planned shard that hasn't registered.
    pub fn zone(&self) -> Option<Zone> {
        self.registered.as_ref().and_then(|(record, _)| record.zone)
    }

    /// Returns whether documents are routed to the shard: it is online or draining, or it is planned and not yet [given
    /// up](crate::Config::registration_timeout).
    pub const fn serves(&self) -> bool {
        self.serves
    }

    /// Returns everything known about the shard, or `None` for a planned shard that hasn't registered. Metrics and the time of the last
    /// heartbeat are current, not those of the epoch.
    pub fn registered(&self) -> Option<RegisteredShard> {
        self.registered
            .as_ref()
            .map(|(record, status)| record.registered(*status))
    }

    pub(crate) fn record(&self) -> Option<&Arc<ShardRecord>> {
        self.registered.as_ref().map(|(record, _)| record)
    }
}

/// The members of a topology, ascending by shard. Successive topologies share the chunks that didn't change.
///
/// ```
/// use tickring::{Coordinator, ShardId};
///
/// let topology = Coordinator::new(3)?.topology();
/// let members = topology.members();
/// let shards: Vec<_> = members.iter().map(|member| member.shard()).collect();
/// assert_eq!((members.len(), shards[1]), (3, ShardId::new(1)));
/// # Ok::<(), tickring::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Members {
    /// Chunks of [`CHUNK`] members. Only the last may have fewer.
    chunks: Vec<Arc<Vec<Member>>>,
    len: usize,
}

impl Members {
    pub(crate) fn new(members: impl IntoIterator<Item = Member>) -> Self {
        let mut members = members.into_iter().peekable();
        let (mut chunks, mut len) = (Vec::new(), 0);
        while members.peek().is_some() {
            let chunk: Vec<_> = members.by_ref().take(CHUNK).collect();
            len += chunk.len();
            chunks.push(Arc::new(chunk));
        }
        Self { chunks, len }
    }

    /// Returns the number of members.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are no members.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the member at an index, or `None` past the end.
    pub fn get(&self, at: usize) -> Option<&Member> {
        self.chunks.get(at / CHUNK)?.get(at % CHUNK)
    }

    /// Returns an iterator over the members, ascending by shard.
    pub fn iter(&self) -> MembersIter<'_> {
        MembersIter {
            members: self,
            places: 0..self.len,
        }
    }

    /// Replaces a member.
    pub(super) fn set(&mut self, at: usize, member: Member) {
        Arc::make_mut(&mut self.chunks[at / CHUNK])[at % CHUNK] = member;
    }

    /// Returns for each chunk whether both share it in memory.
    #[cfg(test)]
    pub(super) fn shared_with(&self, other: &Self) -> Vec<bool> {
        let chunks = self.chunks.iter().zip(&other.chunks);
        chunks.map(|(one, other)| Arc::ptr_eq(one, other)).collect()
    }

    /// Returns the bytes of the members, without their records.
    pub(super) const fn memory_bytes(&self) -> usize {
        self.len * size_of::<Member>()
    }
}

impl<'a> IntoIterator for &'a Members {
    type Item = &'a Member;
    type IntoIter = MembersIter<'a>;

    fn into_iter(self) -> MembersIter<'a> {
        self.iter()
    }
}

/// The iterator of [`Members::iter`].
#[derive(Debug, Clone)]
pub struct MembersIter<'a> {
    members: &'a Members,
    places: Range<usize>,
}

impl<'a> Iterator for MembersIter<'a> {
    type Item = &'a Member;

    fn next(&mut self) -> Option<&'a Member> {
        self.members.get(self.places.next()?)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl DoubleEndedIterator for MembersIter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.members.get(self.places.next_back()?)
    }
}

impl ExactSizeIterator for MembersIter<'_> {}
