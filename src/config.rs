//! The configuration of a coordinator.

mod brake;
#[cfg(feature = "serde")]
mod stored;

use std::time::Duration;

pub use self::brake::Brake;
use crate::error::ConfigError;
use crate::limits::{MAX_POINTS, MAX_REPLICAS, MAX_SHARDS, MAX_VIRTUAL_NODES};
use crate::placement::Placement;

/// A gap of up to this many sweep intervals doesn't count as a pause.
pub(crate) const PAUSE_INTERVALS: u32 = 3;

/// The configuration of a [`Coordinator`](crate::Coordinator).
///
/// ```
/// use tickring::{Config, Coordinator};
///
/// let coordinator = Coordinator::with_config(Config {
///     num_shards: 8,
///     ..Config::default()
/// })?;
/// assert_eq!(coordinator.shard_count(), 8);
///
/// let wrong = Config { virtual_nodes_per_shard: 0, ..Config::default() };
/// assert_eq!(
///     wrong.validate().unwrap_err().to_string(),
///     "virtual_nodes_per_shard is 0, but must be from 1 to 65536",
/// );
/// # Ok::<(), tickring::Error>(())
/// ```
///
/// More fields may be added: end literals with `..Config::default()`. With the feature `serde`, missing fields take their defaults, and
/// unknown fields are refused. A stored configuration of phago-distributed is refused with an error that says what to change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Config {
    /// The number of planned shards, with ids from `shard-0` on. They are on the ring and in the barrier from the start, before they
    /// register: see [`registration_timeout`](Self::registration_timeout). From 0 (none) to [`MAX_SHARDS`]. Default: 3.
    pub num_shards: u32,
    /// The number of distinct shards besides the owner that a replica look-up returns. From 0 to [`MAX_REPLICAS`]. Default: 2.
    pub replication_factor: u32,
    /// The points on the ring for a shard of weight 1. More points balance better and cost memory. With 150, the usual choice, a shard's
    /// share is within about a quarter of the mean. From 1 to [`MAX_VIRTUAL_NODES`], and at most [`MAX_POINTS`] points over all shards.
    /// Default: 150.
    pub virtual_nodes_per_shard: u32,
    /// The hash function that places documents and points. Changing it places every document afresh. Default: [`Placement::Xxh3`].
    pub placement: Placement,
    /// The longest wait for a phase, if the call gives no deadline. From 1 ms to one year. Default: 30 s.
    pub phase_timeout: Duration,
    /// The length of a shard's lease. A shard without a heartbeat for longer than this is overdue, and the next sweep marks it offline.
    /// Choose a multiple of the shards' own heartbeat interval and of [`sweep_interval`](Self::sweep_interval). From 3 ms to one year.
    /// Default: 30 s.
    pub heartbeat_timeout: Duration,
    /// The time between two sweeps of a [`HealthMonitor`](crate::coordinator::HealthMonitor). A dead shard is found at most one interval
    /// after its lease ran out. From 1 ms to a third of [`heartbeat_timeout`](Self::heartbeat_timeout), so that the monitor notices a pause
    /// of its own that outlasts a lease: see [`PauseGuard`](crate::coordinator::PauseGuard). Default: 5 s.
    pub sweep_interval: Duration,
    /// The time, from the coordinator's start, that planned shards have to register. The first sweep after it gives up those that haven't:
    /// documents are routed past them, and no phase waits for them. A shard that registers later serves from then on, and counts from the
    /// next tick like a new one. From 1 ms to one year. With `None`, planned shards are never given up. Default: `None`.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use tickring::clock::ManualClock;
    /// use tickring::{Config, Coordinator, ShardId, ShardInfo};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let registration_timeout = Some(Duration::from_secs(60));
    /// let config = Config { num_shards: 2, registration_timeout, ..Config::default() };
    /// let coordinator = Coordinator::with_clock(config, clock.clone())?;
    /// clock.advance(Duration::from_secs(61));
    /// assert_eq!(coordinator.check_shard_health(), [ShardId::new(0), ShardId::new(1)]);
    /// assert_eq!(coordinator.cluster_stats().absent_shards, 2);
    ///
    /// coordinator.register_shard(ShardInfo::new(ShardId::new(0), "late".to_owned()))?;
    /// assert_eq!(coordinator.topology().serving_count(), 1);
    /// # Ok::<(), tickring::Error>(())
    /// ```
    pub registration_timeout: Option<Duration>,
    /// The share of the leased shards that sweeps may declare dead within a time. If there are more, nobody is, until somebody
    /// [says so](crate::Coordinator::release_brake). See [`Brake`](crate::coordinator::Brake). With `None`, all may die. Default: `None`.
    pub brake: Option<Brake>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            num_shards: 3,
            replication_factor: 2,
            virtual_nodes_per_shard: 150,
            placement: Placement::default(),
            phase_timeout: Duration::from_secs(30),
            heartbeat_timeout: Duration::from_secs(30),
            sweep_interval: Duration::from_secs(5),
            registration_timeout: None,
            brake: None,
        }
    }
}

const MIN_DURATION: Duration = Duration::from_millis(1);
const MAX_DURATION: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Config {
    /// Returns a configuration that places documents as phago-distributed 1.0.0 did by default. It has [`Placement::SipHash13`] and
    /// otherwise the [defaults](Self::default). See [migrating](crate::guide::migrating) for the rest.
    ///
    /// ```
    /// use tickring::{Config, Coordinator, DocumentId, ShardId};
    ///
    /// let config = Config { num_shards: 7, ..Config::phago() };
    /// let coordinator = Coordinator::with_config(config)?;
    /// assert_eq!(coordinator.route_document(&DocumentId::from_seed(42))?, ShardId::new(6));
    /// # Ok::<(), tickring::Error>(())
    /// ```
    pub fn phago() -> Self {
        Self {
            placement: Placement::SipHash13,
            ..Self::default()
        }
    }

    /// Checks every field against its bounds. [`Coordinator::with_config`](crate::Coordinator::with_config) calls it. See the example of
    /// [`Config`].
    ///
    /// # Errors
    /// [`ConfigError`], which names the first field that is out of bounds, its value and the bounds.
    pub fn validate(&self) -> Result<(), ConfigError> {
        number("num_shards", self.num_shards, 0, MAX_SHARDS)?;
        number(
            "replication_factor",
            self.replication_factor,
            0,
            MAX_REPLICAS,
        )?;
        number(
            "virtual_nodes_per_shard",
            self.virtual_nodes_per_shard,
            1,
            MAX_VIRTUAL_NODES,
        )?;
        bounded(
            "num_shards x virtual_nodes_per_shard",
            u64::from(self.num_shards) * u64::from(self.virtual_nodes_per_shard),
            0,
            MAX_POINTS.into(),
        )?;
        let min = MIN_DURATION;
        duration("phase_timeout", self.phase_timeout, min, MAX_DURATION)?;
        let lease = self.heartbeat_timeout;
        duration(
            "heartbeat_timeout",
            lease,
            min * PAUSE_INTERVALS,
            MAX_DURATION,
        )?;
        duration(
            "sweep_interval",
            self.sweep_interval,
            min,
            lease / PAUSE_INTERVALS,
        )?;
        if let Some(timeout) = self.registration_timeout {
            duration("registration_timeout", timeout, min, MAX_DURATION)?;
        }
        if let Some(Brake { percent, within }) = self.brake {
            number("brake.percent", percent, 1, 99)?;
            duration("brake.within", within, min, MAX_DURATION)?;
        }
        Ok(())
    }
}

fn number(field: &'static str, value: u32, min: u32, max: u32) -> Result<(), ConfigError> {
    bounded(field, value.into(), min.into(), max.into())
}

pub(crate) fn bounded(
    field: &'static str,
    value: u64,
    min: u64,
    max: u64,
) -> Result<(), ConfigError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(ConfigError::OutOfRange {
        field,
        value,
        min,
        max,
    })
}

fn duration(
    field: &'static str,
    value: Duration,
    min: Duration,
    max: Duration,
) -> Result<(), ConfigError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(ConfigError::DurationOutOfRange {
        field,
        value,
        min,
        max,
    })
}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use super::*;

    #[test]
    fn c18_a_configuration_written_before_there_was_a_registration_timeout_is_read() {
        let text = serde_json::to_string(&Config::default()).unwrap();
        let before = text.replace(",\"registration_timeout\":null", "");
        assert!(before.len() < text.len(), "{text}");
        let read: Config = serde_json::from_str(&before).unwrap();
        assert_eq!(read, Config::default());
        let registration_timeout = Some(Duration::from_millis(1_500));
        let config = Config {
            registration_timeout,
            ..read
        };
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), config);
    }

    #[test]
    fn brake_is_missing_in_older_configurations_and_has_no_unknown_fields() {
        let config = Config {
            brake: Some(Brake::new(50, Duration::from_secs(60))),
            ..Config::default()
        };
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), config);
        let (before, _) = text.split_once(",\"brake\"").unwrap();
        let read: Config = serde_json::from_str(&format!("{before}}}")).unwrap();
        assert_eq!(read, Config::default());
        let wrong = text.replace("\"percent\"", "\"percents\"");
        let unknown = serde_json::from_str::<Config>(&wrong).unwrap_err();
        assert!(unknown.to_string().contains("percents"), "{unknown}");
    }

    #[test]
    fn m4_a_stored_configuration_of_phago_distributed_is_refused_with_what_to_do() {
        let stored = r#"{"num_shards":4,"replication_factor":2,"rpc_timeout_ms":5000,"virtual_nodes_per_shard":150}"#;
        let error = serde_json::from_str::<Config>(stored)
            .unwrap_err()
            .to_string();
        assert!(error.contains("take `rpc_timeout_ms` out"), "{error}");
        assert!(error.contains("`placement` to `siphash13`"), "{error}");
        let changed = stored.replace("\"rpc_timeout_ms\":5000", "\"placement\":\"siphash13\"");
        let read: Config = serde_json::from_str(&changed).unwrap();
        assert_eq!((read.num_shards, read.placement), (4, Placement::SipHash13));
        let unknown = serde_json::from_str::<Config>(r#"{"shards":4}"#).unwrap_err();
        let unknown = unknown.to_string();
        assert!(unknown.starts_with("unknown field `shards`"), "{unknown}");
        assert!(!unknown.contains("rpc_timeout_ms"), "{unknown}");
    }

    #[test]
    fn every_field_of_a_configuration_is_read() {
        let config = Config {
            num_shards: 1,
            replication_factor: 4,
            virtual_nodes_per_shard: 5,
            placement: Placement::SipHash13,
            phase_timeout: Duration::from_secs(6),
            heartbeat_timeout: Duration::from_secs(70),
            sweep_interval: Duration::from_secs(8),
            registration_timeout: Some(Duration::from_secs(9)),
            brake: Some(Brake::new(10, Duration::from_secs(11))),
        };
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), config);
        assert_eq!(
            serde_json::from_str::<Config>("{}").unwrap(),
            Config::default()
        );
    }
}
