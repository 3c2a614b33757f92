//! The replicas of a document among the members that serve.

use super::Topology;
use super::zones::Zones;
use crate::error::RouteError;
use crate::id::DocumentId;
use crate::ring::Replicas;

/// The way replicas are looked up, chosen once for each topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spread {
    /// In ring order: all members that own points serve, and none has a zone.
    Everyone,
    /// In ring order past those that don't serve: no member has a zone.
    Serving,
    /// Over the zones of the members that serve.
    Zones,
}

impl Spread {
    pub(super) const fn of(all_serve: bool, has_zones: bool) -> Self {
        match (has_zones, all_serve) {
            (true, _) => Self::Zones,
            (false, true) => Self::Everyone,
            (false, false) => Self::Serving,
        }
    }
}

impl Topology {
    /// Returns the shard that [`route`](Self::route) returns, then up to `others` other distinct shards that can serve. If fewer shards
    /// can serve, [`Replicas::is_complete`] returns false. Doesn't allocate.
    ///
    /// The others prefer [zones](crate::id::Zone) of their own. In ring order, members of zones that aren't used yet come first. When no
    /// zone is left, the remaining members follow in ring order. A member without a zone counts as a zone of its own. So without zones,
    /// all replicas are in ring order.
    ///
    /// A shard that joins changes the set of a document's replicas by at most one shard, as on a ring without zones. With zones, the
    /// look-up walks on until it has met each zone that it needs. That is farther if a zone has few points.
    ///
    /// ```
    /// use tickring::error::RouteError;
    /// use tickring::{Coordinator, DocumentId};
    ///
    /// let topology = Coordinator::new(3)?.topology();
    /// let document = DocumentId::from_seed(1);
    /// let replicas = topology.replicas(&document, 4)?;
    /// assert_eq!(replicas[0], topology.route(&document)?);
    /// assert_eq!((replicas.len(), replicas.is_complete()), (3, false));
    /// let too_many = Err(RouteError::TooManyReplicas { value: 16 });
    /// assert_eq!(topology.replicas(&document, 16), too_many);
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// With zones:
    ///
    /// ```
    /// use tickring::id::Zone;
    /// use tickring::membership::Registration;
    /// use tickring::{Coordinator, DocumentId, ShardId, ShardInfo};
    ///
    /// let coordinator = Coordinator::new(0)?;
    /// for name in ["a", "a", "a", "b"] {
    ///     let info = ShardInfo::new(ShardId::new(0), "local".to_owned());
    ///     let zone = Some(Zone::new(name)?);
    ///     coordinator.register_with(info, Registration { zone, ..Registration::default() })?;
    /// }
    /// let topology = coordinator.topology();
    /// for document in (0..100).map(DocumentId::from_seed) {
    ///     let pair = topology.replicas(&document, 1)?;
    ///     assert!(pair.contains(&ShardId::new(3)), "the only shard in zone b");
    /// }
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`route`](Self::route), and [`RouteError::TooManyReplicas`].
    #[inline]
    pub fn replicas(&self, document: &DocumentId, others: u32) -> Result<Replicas, RouteError> {
        let hash = self.ring.placement().document_position(document);
        match self.spread {
            Spread::Everyone => self
                .ring
                .distinct_from(hash, others, self.serving, |_| true),
            Spread::Serving if self.serving == 0 => Err(self.none_serving()),
            Spread::Serving => self
                .ring
                .distinct_from(hash, others, self.serving, |slot| self.slot_serves(slot)),
            Spread::Zones => self.replicas_over_zones(hash, others),
        }
    }

    #[inline(never)]
    fn replicas_over_zones(&self, hash: u64, others: u32) -> Result<Replicas, RouteError> {
        if self.serving == 0 && !self.all_serve() {
            return Err(self.none_serving());
        }
        let zones = self.zones.as_ref();
        let most = (self.serving, zones.map_or(0, Zones::serving));
        let number = |slot| zones.and_then(|zones| zones.number(slot));
        let serves = |slot| self.slot_serves(slot);
        self.ring.spread_from(hash, others, most, serves, number)
    }
}
