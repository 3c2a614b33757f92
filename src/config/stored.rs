//! Deserialization of a configuration.

use std::fmt;
use std::time::Duration;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, IntoDeserializer, MapAccess,
    SeqAccess, Visitor,
};

use super::Config;
use crate::placement::Placement;

/// The names of the fields of [`Stored`], in their order.
const FIELDS: &[&str] = &[
    "num_shards",
    "replication_factor",
    "virtual_nodes_per_shard",
    "placement",
    "phase_timeout",
    "heartbeat_timeout",
    "sweep_interval",
    "registration_timeout",
];

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
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("Config", FIELDS, Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Config;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("struct Config")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Config, A::Error> {
        Stored::deserialize(SeqAccessDeserializer::new(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Config, A::Error> {
        let unknown = None;
        Stored::deserialize(MapAccessDeserializer::new(Fields { fields, unknown }))
    }
}

/// The fields of a map. An unknown one is refused after the last, since a field that explains more may follow it.
struct Fields<A> {
    fields: A,
    /// The first unknown field.
    unknown: Option<String>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Fields<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        while let Some(name) = self.fields.next_key::<String>()? {
            if FIELDS.contains(&name.as_str()) {
                return seed.deserialize(name.into_deserializer()).map(Some);
            }
            // A configuration of phago-distributed names no placement, so documents would move if this field were ignored.
            if name == "rpc_timeout_ms" {
                return Err(A::Error::custom(
                    "this is a configuration of phago-distributed: take `rpc_timeout_ms` out, since nothing here calls over a network, and \
                     set `placement` to `siphash13`, so that documents stay where they are",
                ));
            }
            self.fields.next_value::<IgnoredAny>()?;
            self.unknown.get_or_insert(name);
        }
        match &self.unknown {
            Some(name) => Err(A::Error::unknown_field(name, FIELDS)),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.fields.next_value_seed(seed)
    }
}
