//! The setting of the brake on deaths.

use std::time::Duration;

/// A brake on deaths: the greatest share of the leased shards that sweeps may mark offline within a time.
///
/// A sweep can't tell a dead shard from one that it can't hear. If most shards fall silent at once, the network between them and the
/// coordinator is a likelier cause than so many deaths. To mark them all would leave the ring nearly empty, and send everything to the few
/// that are left. So before a sweep marks anybody, it counts. If more shards would have died than the brake allows, it marks none of those
/// it found, and puts the brake on. From then on nobody is declared dead until somebody calls
/// [`release_brake`](crate::Coordinator::release_brake).
///
/// Eureka's self-preservation and Vespa's least ratio of nodes that are up follow the same idea, and Elasticsearch delays the allocation of
/// what a lost node held. Unlike those, this brake doesn't release itself. Whether the shards are dead is for somebody to say who can look
/// at them.
///
/// # What counts
/// - **Shards with a lease.** Those that registered without one, and planned ones that haven't registered, count neither among the dead nor
///   among all.
/// - **Deaths are leases that ran out, as sweeps found them.** A shard that was evicted, deregistered or set offline by a call didn't die:
///   somebody said that it goes.
/// - **A death counts for [`within`](Self::within)**, even if the shard comes back, and once for each shard, however often it dies. Once a
///   sweep has found it older, it doesn't count again, even if the clock steps back.
/// - **All are the shards that could have died in that time**: those that sweeps judge now, which aren't offline, and those that died
///   within it. A shard that has been offline for longer is in neither number, so that the dead of last week don't thin out today's.
/// - **A shard that leaves the ring** is in neither number from then on.
/// - The brake goes on if the dead are *more* than [`percent`](Self::percent) of all. Of two shards one may die with 50, and of three shards
///   one with 34, but none with 33. A single shard never may.
///
/// # While it is on
/// Shards whose lease has run out keep their status. They are routed to and phases wait for them, and time out if they are really dead.
/// Their heartbeats renew their leases as always. Planned shards aren't [given up](crate::Config::registration_timeout) either. What
/// somebody orders works as always: registering, leaving, evicting, setting a status.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use tickring::clock::ManualClock;
/// use tickring::coordinator::Brake;
/// use tickring::{Config, Coordinator, ShardId, ShardInfo};
///
/// let clock = Arc::new(ManualClock::new());
/// let brake = Some(Brake::new(50, Duration::from_secs(60)));
/// let config = Config { num_shards: 3, brake, ..Config::default() };
/// let lease = config.heartbeat_timeout;
/// let coordinator = Coordinator::with_clock(config, clock.clone())?;
/// for _ in 0..3 {
///     coordinator.register_shard(ShardInfo::new(ShardId::new(0), "local".to_owned()))?;
/// }
/// clock.advance(lease + Duration::from_nanos(1));
/// coordinator.shard_heartbeat(ShardId::new(0))?;
/// assert!(coordinator.check_shard_health().is_empty(), "two of three are more than half");
/// assert!(coordinator.is_braked());
///
/// // One of them is heard from again. The other is dead, as somebody has found out.
/// coordinator.shard_heartbeat(ShardId::new(1))?;
/// assert_eq!(coordinator.overdue_shards(), [ShardId::new(2)]);
/// assert_eq!(coordinator.release_brake()?, [ShardId::new(2)]);
/// assert!(!coordinator.is_braked());
/// # Ok::<(), tickring::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct Brake {
    /// The greatest share of the leased shards that may die, in percent. From 1 to 99. Choose it so that the shards of one machine or zone
    /// may: 50 is a usual choice.
    pub percent: u32,
    /// How long a death counts. From 1 ms to one year. Choose at least [`heartbeat_timeout`](crate::Config::heartbeat_timeout): shards that
    /// are lost at one moment are found over up to a heartbeat's interval and a sweep's.
    pub within: Duration,
}

impl Brake {
    /// Creates a brake that lets at most `percent` of the leased shards die `within` this time. See the example of [`Brake`].
    pub const fn new(percent: u32, within: Duration) -> Self {
        Self { percent, within }
    }

    /// Returns whether so many deaths among so many shards are more than it allows.
    pub(crate) fn is_exceeded(&self, dead: u32, all: u32) -> bool {
        u64::from(dead) * 100 > u64::from(all) * u64::from(self.percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brake_allows_its_share_and_no_more() {
        let brake = |percent| Brake::new(percent, Duration::from_secs(1));
        for (percent, dead, all, exceeded) in [
            (50, 0, 0, false),
            (50, 1, 2, false),
            (50, 2, 3, true),
            (33, 1, 3, true),
            (34, 1, 3, false),
            (99, 1, 1, true),
            (99, 99, 100, false),
            (1, 1, 100, false),
            (1, 2, 101, true),
        ] {
            let told = brake(percent).is_exceeded(dead, all);
            assert_eq!(told, exceeded, "{dead} of {all} with {percent} percent");
        }
        assert!(!brake(u32::MAX).is_exceeded(u32::MAX, u32::MAX));
    }
}
