//! Deserialization of a configuration.

use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error};

use super::{Brake, Config};
use crate::placement::Placement;

/// The fields of a [`Config`], as they are stored.
#[derive(serde::Deserialize)]
#[serde(remote = "Config", default = "Config::default", deny_unknown_fields)]
struct Stored {
    num_shards: u32,
    replication_factor: u32,
    virtual_nodes_per_shard: u32,
    placement: Placement,
    phase_timeout: Duration,
    heartbeat_timeout: Duration,
    sweep_interval: Duration,
    registration_timeout: Option<Duration>,
    brake: Option<Brake>,
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Stored::deserialize(deserializer).map_err(explained)
    }
}

/// Replaces the error for a configuration of phago-distributed, recognized by one of its fields. It names no placement, so documents would
/// move if that field were ignored.
fn explained<E: Error>(error: E) -> E {
    if !error
        .to_string()
        .starts_with("unknown field `rpc_timeout_ms`")
    {
        return error;
    }
    E::custom(
        "this is a configuration of phago-distributed: take `rpc_timeout_ms` out, since nothing here calls over a network, and set \
         `placement` to `siphash13`, so that documents stay where they are",
    )
}
