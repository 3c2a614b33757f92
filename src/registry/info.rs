//! Descriptions of a shard: what it reports, and what the registry knows.

use std::fmt;
use std::str::FromStr;

use crate::clock::Timestamp;
use crate::error::ParseError;
use crate::id::{Incarnation, ShardId, Zone};

/// The address of a shard. For display only: this crate opens no connections.
///
/// ```
/// use tickring::NodeAddress;
///
/// let address = NodeAddress::new("127.0.0.1", 8080);
/// assert_eq!(address.to_string(), "127.0.0.1:8080");
/// assert_eq!("127.0.0.1:8080".parse(), Ok(address));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NodeAddress {
    /// The host name or IP address.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl NodeAddress {
    /// Creates the address of this host and port.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }

    /// Returns host and port as `host:port`, like [`Display`](fmt::Display). Resolves nothing. A call that takes the text, such as
    /// [`TcpStream::connect`](std::net::TcpStream::connect), resolves the host, and may block without a deadline.
    pub fn to_socket_addr(&self) -> String {
        self.to_string()
    }
}

/// Parses `host:port`. The port follows the last colon. The host is any text that isn't empty.
impl FromStr for NodeAddress {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let read = || {
            let (host, port) = text.rsplit_once(':')?;
            let port = port.parse().ok().filter(|n: &u16| n.to_string() == port)?;
            (!host.is_empty()).then(|| Self::new(host, port))
        };
        let expected = "a host and a port, such as `127.0.0.1:8080`";
        read().ok_or_else(|| ParseError::new("address", text, expected))
    }
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl From<NodeAddress> for String {
    fn from(address: NodeAddress) -> Self {
        address.to_string()
    }
}

/// A description of a shard, as of one moment. Its [zone](crate::id::Zone) belongs to its registration, and is in [`RegisteredShard`] and
/// [`Member`](crate::topology::Member).
///
/// ```
/// use tickring::{ShardId, ShardInfo};
///
/// let info = ShardInfo::new(ShardId::new(0), "127.0.0.1:8081".to_owned());
/// assert_eq!(info.document_count, 0);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ShardInfo {
    /// The id of the shard. A registration without an explicit id assigns one and ignores this field.
    pub id: ShardId,
    /// The address of the shard. For display only.
    pub address: String,
    /// The number of nodes in the shard, as reported at registration.
    pub node_count: usize,
    /// The number of edges in the shard, as reported at registration.
    pub edge_count: usize,
    /// The number of documents in the shard, as last reported.
    pub document_count: usize,
    /// The time of the last heartbeat, in milliseconds since the Unix epoch. For display only: it decides nothing. The coordinator fills it
    /// in. A registry on its own has no clock, and keeps the value from the registration.
    pub last_heartbeat: u64,
}

impl ShardInfo {
    /// Creates the description of an empty shard with this id and address.
    pub const fn new(id: ShardId, address: String) -> Self {
        Self {
            id,
            address,
            node_count: 0,
            edge_count: 0,
            document_count: 0,
            last_heartbeat: 0,
        }
    }
}

/// The status of a registered shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ShardStatus {
    /// The shard serves, and the barrier waits for it.
    Online,
    /// The shard doesn't serve, and the barrier doesn't wait for it: its lease ran out, or it was set offline. Its next heartbeat makes it
    /// [`Recovering`](Self::Recovering).
    Offline,
    /// The shard has sent one heartbeat since it was offline, and doesn't serve yet. Its next heartbeat makes it [`Online`](Self::Online),
    /// or [`Draining`](Self::Draining) if it was draining before.
    Recovering,
    /// The shard serves like an online one, but is about to leave. A heartbeat never ends this status.
    Draining,
}

impl ShardStatus {
    const ALL: [Self; 4] = [
        Self::Online,
        Self::Offline,
        Self::Recovering,
        Self::Draining,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Recovering => "recovering",
            Self::Draining => "draining",
        }
    }

    /// Returns whether documents are routed to a shard with this status, and the barrier waits for it.
    ///
    /// ```
    /// use tickring::ShardStatus;
    ///
    /// assert!(ShardStatus::Draining.serves());
    /// assert!(!ShardStatus::Recovering.serves());
    /// ```
    pub const fn serves(self) -> bool {
        matches!(self, Self::Online | Self::Draining)
    }
}

impl fmt::Display for ShardStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for ShardStatus {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let status = Self::ALL.into_iter().find(|status| status.name() == text);
        let expected = "one of online, offline, recovering, draining";
        status.ok_or_else(|| ParseError::new("status", text, expected))
    }
}

/// Everything that the registry knows of a shard, as of one moment.
///
/// ```
/// use tickring::registry::RegisteredShard;
/// use tickring::{ShardId, ShardInfo, ShardStatus};
///
/// let mut shard = RegisteredShard::new(ShardInfo::new(ShardId::new(0), "local".to_owned()));
/// assert_eq!(shard.status, ShardStatus::Online);
/// shard.memory_bytes = 1 << 20;
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RegisteredShard {
    /// The description that the shard gave.
    pub info: ShardInfo,
    /// The status.
    pub status: ShardStatus,
    /// The memory that the shard uses in bytes, as last reported.
    pub memory_bytes: u64,
    /// The incarnation of the shard.
    pub incarnation: Incarnation,
    /// The time of the last heartbeat.
    pub last_seen: Timestamp,
    /// The zone that the shard runs in, if its registration named one.
    pub zone: Option<Zone>,
}

impl RegisteredShard {
    /// Creates a shard in its first incarnation, online, without memory or a zone, and last heard from at the clock's origin. For tests: a registry
    /// makes its own.
    pub const fn new(info: ShardInfo) -> Self {
        Self {
            info,
            status: ShardStatus::Online,
            memory_bytes: 0,
            incarnation: Incarnation::FIRST,
            last_seen: Timestamp::ZERO,
            zone: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m4_an_address_is_one_text_for_a_socket() {
        let address = NodeAddress::new("127.0.0.1", 8080);
        assert_eq!(address.to_socket_addr(), "127.0.0.1:8080");
        assert_eq!(address.to_socket_addr(), address.to_string());
        let socket: std::net::SocketAddr = address.to_socket_addr().parse().unwrap();
        assert_eq!(socket.port(), 8080);
    }

    #[test]
    fn what_addresses_and_statuses_show_is_read_back() {
        for host in ["localhost", "127.0.0.1", "[::1]", "::1", "a b"] {
            let address = NodeAddress::new(host, 65_535);
            assert_eq!(address.to_string().parse(), Ok(address));
        }
        for status in ShardStatus::ALL {
            assert_eq!(status.to_string().parse(), Ok(status));
        }
    }

    #[test]
    fn other_addresses_and_statuses_are_refused() {
        for text in [
            "",
            ":80",
            "host",
            "host:",
            "host:65536",
            "host:+80",
            "host:080",
        ] {
            let error = text.parse::<NodeAddress>().unwrap_err();
            assert_eq!(error.text(), text);
        }
        let error = "Online".parse::<ShardStatus>().unwrap_err();
        let message =
            "the status is \"Online\", but must be one of online, offline, recovering, draining";
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn m4_a_registered_shard_can_be_made() {
        let info = ShardInfo::new(ShardId(4), "local".to_owned());
        let mut registry = crate::ShardRegistry::new();
        let id = ShardId(4);
        registry
            .register_with_id(info.clone(), id, Timestamp::ZERO)
            .unwrap();
        assert_eq!(
            registry.get_registered(id),
            Some(RegisteredShard::new(info))
        );
    }
}
