//! What can be asked of the membership: plain data, which can be stored and sent.

use crate::id::{Epoch, Incarnation, ShardId};
use crate::registry::{ShardInfo, ShardStatus};

/// A change of membership, as [`Coordinator::apply`](crate::Coordinator::apply) takes it.
///
/// The coordinator's methods make their commands themselves. If you order commands elsewhere, in a replicated log for instance,
/// give each command its epoch and each registration its incarnation. Coordinators that apply the same commands in the same order
/// then have the same topologies. A command that comes twice or too late is refused, or changes nothing if there was nothing to
/// change the first time.
///
/// ```
/// use tickring::error::RegistryError;
/// use tickring::id::Epoch;
/// use tickring::membership::{Action, Command};
/// use tickring::{Coordinator, Error, ShardId};
///
/// let coordinator = Coordinator::new(2)?;
/// let action = Action::SetWeight { shard: ShardId::new(1), weight: 3 };
/// let command = Command::at(Epoch::new(7), action);
/// coordinator.apply(command.clone())?;
/// assert_eq!(coordinator.topology().epoch(), Epoch::new(7));
/// let again = coordinator.apply(command).map(drop);
/// assert!(matches!(again, Err(Error::Registry(RegistryError::EpochPassed { .. }))));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Command {
    /// The epoch of the topology that the command makes, if it changes anything: greater than the current one. None takes the
    /// next.
    pub epoch: Option<Epoch>,
    /// What to change.
    pub action: Action,
}

impl Command {
    /// The action at this epoch.
    pub const fn at(epoch: Epoch, action: Action) -> Self {
        let epoch = Some(epoch);
        Self { epoch, action }
    }
}

impl From<Action> for Command {
    /// The action at the next epoch.
    fn from(action: Action) -> Self {
        Self {
            epoch: None,
            action,
        }
    }
}

/// What a [`Command`] changes. All or nothing: refused, it changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Action {
    /// Registers shards, all in one topology. None changes nothing.
    Register(Vec<Newcomer>),
    /// Takes a shard, planned or registered, off the ring.
    Deregister {
        /// The shard.
        shard: ShardId,
    },
    /// The same for one life of a shard, by somebody else's decision.
    Evict {
        /// The shard.
        shard: ShardId,
        /// Its life; any other is refused.
        incarnation: Incarnation,
    },
    /// Hears from a shard. One that is offline begins to recover, one that recovers is back.
    Hear {
        /// The shard.
        shard: ShardId,
        /// The life that speaks, or whichever is the current one.
        incarnation: Option<Incarnation>,
    },
    /// Sets a shard's status.
    SetStatus {
        /// The shard.
        shard: ShardId,
        /// The life that is meant, or whichever is the current one.
        incarnation: Option<Incarnation>,
        /// Its new status.
        status: ShardStatus,
    },
    /// Marks these lives of shards as offline, all in one topology: what a sweep found. Clocks and leases have no say in it.
    MarkOffline(Vec<(ShardId, Incarnation)>),
    /// Takes planned shards out of routing and out of the barrier until they register, all in one topology: what a sweep found, too.
    MarkAbsent(Vec<ShardId>),
    /// Sets a shard's weight.
    SetWeight {
        /// The shard.
        shard: ShardId,
        /// Its new weight, from 0 to [`MAX_WEIGHT`](crate::limits::MAX_WEIGHT).
        weight: u32,
    },
    /// Ends the coordination. The only action that a closed coordinator takes, to no effect.
    Close,
}

/// A shard that registers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Newcomer {
    /// What it says of itself. `info.id` is ignored.
    pub info: ShardInfo,
    /// What it asks for.
    pub registration: Registration,
}

impl Newcomer {
    /// The shard that says this of itself, and asks for this.
    pub const fn new(info: ShardInfo, registration: Registration) -> Self {
        Self { info, registration }
    }
}

/// What to do for a registration, besides what the shard says of itself.
///
/// ```
/// use tickring::membership::Registration;
/// use tickring::{Coordinator, ShardId, ShardInfo};
///
/// let coordinator = Coordinator::new(2)?;
/// let info = ShardInfo::new(ShardId::new(0), "local".to_owned());
/// let heavy = Registration { id: Some(ShardId::new(7)), weight: Some(3), ..Registration::default() };
/// let handle = coordinator.register_with(info, heavy)?;
/// assert_eq!(handle.id(), ShardId::new(7));
/// assert_eq!(coordinator.topology().ring().weight(handle.id()), Some(3));
/// # Ok::<(), tickring::Error>(())
/// ```
///
/// More fields may come: end literals with `..Registration::default()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Registration {
    /// The id to register under. None takes the lowest planned id, else a new one. An id that is registered already begins a
    /// new incarnation.
    pub id: Option<ShardId>,
    /// How many times the configured number of virtual nodes the shard gets, from 0 (owns nothing) to
    /// [`MAX_WEIGHT`](crate::limits::MAX_WEIGHT). None keeps the weight of an id that is on the ring, so that registering moves no
    /// document of it, and is 1 for a new one.
    pub weight: Option<u32>,
    /// The incarnation that begins: greater than any that began before. None takes the next.
    pub incarnation: Option<Incarnation>,
    /// Whether the shard must send heartbeats. Without a lease no sweep ever judges it.
    pub leased: bool,
}

impl Default for Registration {
    fn default() -> Self {
        Self {
            id: None,
            weight: None,
            incarnation: None,
            leased: true,
        }
    }
}
