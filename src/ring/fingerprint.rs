//! The fingerprint of a ring: one number to compare rings across processes and versions.

use xxhash_rust::xxh3::Xxh3;

use super::hash_ring::HashRing;
use super::nodes::Nodes;

/// The name of the digest's format. A change of the format changes the name.
const FORMAT: &[u8] = b"tickring ring 1\n";

impl HashRing {
    /// Returns a number that identifies the placement, virtual nodes, members, weights and points of this ring. Equal rings have the same
    /// number. Different rings have different numbers, except with a chance of 1 in 2^64. The number is stable across processes, machines
    /// and versions. Costs a pass over all points.
    ///
    /// It is the XXH3-64 hash, with seed 0, of the name of a format, the name of the placement and a line feed, and then of these values,
    /// each as 4 little-endian bytes: the virtual nodes per shard, the number of members, the id and the weight of each member, and the
    /// number of points. The points follow in ring order, each as 8 bytes of position and 4 of shard.
    ///
    /// The weights say all about a ring's virtual nodes if it is [at rest](Self::is_at_rest) and each shard has a multiple of the virtual
    /// nodes per shard. If not, more follows: as in [`RingState`](crate::ring::RingState), the number of each member, the number of
    /// scattered virtual nodes, each as shard and number, and the travelling point, if there is one, as shard, number and 8 bytes of
    /// position.
    ///
    /// ```
    /// use tickring::{HashRing, ShardId};
    ///
    /// let ring = HashRing::new(3)?;
    /// let again = HashRing::new(2)?.add_shard(ShardId::new(2))?;
    /// assert_eq!(ring.fingerprint(), again.fingerprint());
    /// # Ok::<(), tickring::error::RingError>(())
    /// ```
    #[expect(clippy::cast_possible_truncation, reason = "at most MAX_POINTS points")]
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = Xxh3::new();
        hasher.update(FORMAT);
        hasher.update(self.placement.name().as_bytes());
        hasher.update(b"\n");
        let mut word = |value: u32| hasher.update(&value.to_le_bytes());
        word(self.virtual_nodes);
        word(self.shard_count());
        for member in &self.members {
            word(member.shard.as_u32());
            word(member.weight);
        }
        word(self.points.len() as u32);
        for (position, shard) in self.points() {
            let mut point = [0; 12];
            point[..8].copy_from_slice(&position.to_le_bytes());
            point[8..].copy_from_slice(&shard.as_u32().to_le_bytes());
            hasher.update(&point);
        }
        if self.nodes != Nodes::of_weights(self.virtual_nodes, &self.members) {
            self.update_with_nodes(&mut hasher);
        }
        hasher.digest()
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most MAX_POINTS points")]
    fn update_with_nodes(&self, hasher: &mut Xxh3) {
        let mut word = |value: u32| hasher.update(&value.to_le_bytes());
        self.nodes.leading.iter().copied().for_each(&mut word);
        word(self.nodes.scattered.len() as u32);
        let travelling = self.nodes.travelling.iter();
        let nodes = self.nodes.scattered.iter();
        for node in nodes.chain(travelling.map(|point| &point.node)) {
            word(node.shard.as_u32());
            word(node.number);
        }
        if let Some(point) = self.nodes.travelling {
            hasher.update(&point.position.to_le_bytes());
        }
    }
}
