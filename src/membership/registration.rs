//! What a registration may ask for.

use crate::id::ShardId;

/// What to do for a registration, besides what the shard says of itself.
///
/// ```
/// use tickring::{Coordinator, Registration, ShardId, ShardInfo};
///
/// let coordinator = Coordinator::new(2)?;
/// let info = ShardInfo::new(ShardId::new(0), "local".to_owned());
/// let heavy = Registration { id: Some(ShardId::new(7)), weight: Some(3), ..Registration::default() };
/// let handle = coordinator.register_with(info, heavy)?;
/// assert_eq!(handle.id(), ShardId::new(7));
/// assert_eq!(coordinator.topology().ring().weight(handle.id()), Some(3));
/// # Ok::<(), tickring::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registration {
    /// The id to register under. None takes the lowest planned id, else a new one. An id that is registered already begins a
    /// new incarnation.
    pub id: Option<ShardId>,
    /// How many times the configured number of virtual nodes the shard gets, from 0 (owns nothing) to
    /// [`MAX_WEIGHT`](crate::MAX_WEIGHT). None keeps the weight of an id that is on the ring, so that registering moves no
    /// document of it, and is 1 for a new one.
    pub weight: Option<u32>,
    /// Whether the shard must send heartbeats. Without a lease no sweep ever judges it.
    pub leased: bool,
}

impl Default for Registration {
    fn default() -> Self {
        Self {
            id: None,
            weight: None,
            leased: true,
        }
    }
}
