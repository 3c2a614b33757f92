//! What a shard says of itself, and what the registry knows of it.

use std::fmt;

use crate::clock::Timestamp;
use crate::id::{Incarnation, ShardId};

/// Where a shard can be reached, for display: this crate opens no connection.
///
/// ```
/// use tickring::NodeAddress;
///
/// let address = NodeAddress::new("127.0.0.1", 8080);
/// assert_eq!(address.to_string(), "127.0.0.1:8080");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
        f.write_str(match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Recovering => "recovering",
            Self::Draining => "draining",
        })
    }
}

/// All that the registry knows of a registered shard, as of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
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
