//! What a shard says of itself, and what the registry knows of it.

use std::fmt;
use std::str::FromStr;

use crate::clock::Timestamp;
use crate::error::ParseError;
use crate::id::{Incarnation, ShardId};

/// Where a shard can be reached, for display: this crate opens no connection.
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
    /// Host name or IP address.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl NodeAddress {
    /// The address of this host and port.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }

    /// Host and port as one text, `host:port`, as [`Display`](fmt::Display) shows them. It looks nothing up. What takes the text, such as
    /// [`TcpStream::connect`](std::net::TcpStream::connect), looks the host's name up, and may block without a deadline.
    pub fn to_socket_addr(&self) -> String {
        self.to_string()
    }
}

/// Reads `host:port`; the port stands after the last colon. A host is any text that isn't empty.
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

/// What is known of a registered shard, as of one moment.
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
    /// The shard's identity. A registration without an explicit id assigns one and ignores what stands here.
    pub id: ShardId,
    /// Where it can be reached, for display.
    pub address: String,
    /// Nodes in it, as it said when it registered.
    pub node_count: usize,
    /// Edges in it, as it said when it registered.
    pub edge_count: usize,
    /// Documents in it, as it said last.
    pub document_count: usize,
    /// When it was last heard from, in milliseconds since the Unix epoch. For display only: it decides nothing. The
    /// coordinator fills it in; the registry alone, which has no clock, leaves what was registered.
    pub last_heartbeat: u64,
}

impl ShardInfo {
    /// A shard with this id and address, and nothing in it.
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

/// The state of a registered shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ShardStatus {
    /// Serves, and the barrier waits for it.
    Online,
    /// Its lease ran out, or it was set so: serves nothing, the barrier doesn't wait for it. Its next heartbeat makes it
    /// [`Recovering`](Self::Recovering).
    Offline,
    /// Was heard from once after it was offline: serves nothing yet. Its next heartbeat makes it [`Online`](Self::Online), or
    /// [`Draining`](Self::Draining) if that is what it was.
    Recovering,
    /// Serves like `Online`, but is about to go. A heartbeat never undoes it.
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

    /// Whether documents are routed to a shard of this status, and the barrier waits for it.
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

/// All that the registry knows of a registered shard, as of one moment.
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
    /// What the shard says of itself.
    pub info: ShardInfo,
    /// Its state.
    pub status: ShardStatus,
    /// Memory that it uses, in bytes, as it said last.
    pub memory_bytes: u64,
    /// Which life of the shard this is.
    pub incarnation: Incarnation,
    /// When it was last heard from.
    pub last_seen: Timestamp,
}

impl RegisteredShard {
    /// A shard in its first life, online and without memory, last heard from at the clock's origin. For tests: the registry makes its own.
    pub const fn new(info: ShardInfo) -> Self {
        Self {
            info,
            status: ShardStatus::Online,
            memory_bytes: 0,
            incarnation: Incarnation::FIRST,
            last_seen: Timestamp::ZERO,
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
