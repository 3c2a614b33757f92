//! Membership commands: plain data, which can be stored and sent.

use crate::id::{Epoch, Incarnation, ShardId, Zone};
use crate::registry::{ShardInfo, ShardStatus};
use crate::ring::RingState;

/// A change of membership, for [`Coordinator::apply`](crate::Coordinator::apply).
///
/// The coordinator's methods create their commands themselves. If commands are ordered elsewhere, for instance in a replicated log, give
/// each command its epoch and each registration its incarnation. Coordinators that apply the same commands in the same order then have the
/// same topologies. A command that arrives twice or too late is refused. If it had no effect the first time, it has none the second time
/// either.
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
    /// The epoch of the topology that the command makes, if it changes anything. It must be greater than the current one. `None` takes the
    /// next epoch.
    pub epoch: Option<Epoch>,
    /// What to change.
    pub action: Action,
}

impl Command {
    /// Creates a command with this epoch.
    pub const fn at(epoch: Epoch, action: Action) -> Self {
        let epoch = Some(epoch);
        Self { epoch, action }
    }
}

impl From<Action> for Command {
    /// Creates a command that takes the next epoch.
    fn from(action: Action) -> Self {
        Self {
            epoch: None,
            action,
        }
    }
}

/// The change that a [`Command`] makes. It is carried out as a whole, or refused without any change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Action {
    /// Registers these shards, all in one topology. An empty list changes nothing.
    Register(Vec<Newcomer>),
    /// Removes a shard, planned or registered, from the ring.
    Deregister {
        /// The shard.
        shard: ShardId,
    },
    /// Removes one incarnation of a shard from the ring, without the shard's consent.
    Evict {
        /// The shard.
        shard: ShardId,
        /// The incarnation. If it isn't the current one, the command is refused.
        incarnation: Incarnation,
    },
    /// Records a heartbeat. An offline shard becomes recovering, and a recovering shard serves again.
    Hear {
        /// The shard.
        shard: ShardId,
        /// The incarnation that sent the heartbeat. `None` means the current one.
        incarnation: Option<Incarnation>,
    },
    /// Sets a shard's status.
    SetStatus {
        /// The shard.
        shard: ShardId,
        /// The incarnation to change. `None` means the current one.
        incarnation: Option<Incarnation>,
        /// The new status.
        status: ShardStatus,
    },
    /// Marks these incarnations as offline, all in one topology. A sweep creates this action. Applying it checks no clocks or leases. It is
    /// refused while the brake is on.
    MarkOffline(Vec<(ShardId, Incarnation)>),
    /// Removes planned shards from routing and from the barrier until they register, all in one topology. A sweep creates this action too.
    /// It is refused while the brake is on.
    MarkAbsent(Vec<ShardId>),
    /// Puts the [brake](crate::coordinator::Brake) on, so that sweeps mark nobody until it is released. A sweep creates this action in place
    /// of the other two. If the brake is on already, it has no effect.
    ApplyBrake {
        /// The number of shards that would have died, as the event tells it.
        dead: u32,
        /// The number of shards of which they are, as the event tells it.
        leased: u32,
    },
    /// Releases the brake, and marks these incarnations as offline, all in one topology. If the brake isn't on, it has no effect.
    ReleaseBrake(Vec<(ShardId, Incarnation)>),
    /// Sets a shard's weight.
    SetWeight {
        /// The shard.
        shard: ShardId,
        /// The new weight, from 0 to [`MAX_WEIGHT`](crate::limits::MAX_WEIGHT).
        weight: u32,
    },
    /// Puts another ring of the same shards in the place of the current one, such as the ring after a step of a
    /// [`Rebalance`](crate::ring::Rebalance).
    ReplaceRing {
        /// The [fingerprint](crate::HashRing::fingerprint) of the ring to replace. If it isn't the current one, the command is refused.
        fingerprint: u64,
        /// The new ring.
        ring: RingState,
    },
    /// Closes the coordinator. A closed coordinator accepts only this action, which then has no effect.
    Close,
}

/// A shard to register.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Newcomer {
    /// The description of the shard. `info.id` is ignored.
    pub info: ShardInfo,
    /// The options of the registration.
    pub registration: Registration,
}

impl Newcomer {
    /// Creates a newcomer from its description and its options.
    pub const fn new(info: ShardInfo, registration: Registration) -> Self {
        Self { info, registration }
    }
}

/// Options of a registration: id, weight, zone, incarnation and lease.
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
/// More fields may be added: end literals with `..Registration::default()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Registration {
    /// The id to register under. `None` takes the lowest planned id, or a new id if none is planned. If a shard is registered under the id
    /// already, a new incarnation begins.
    pub id: Option<ShardId>,
    /// The shard's virtual nodes, as a multiple of the configured number, from 0 (owns nothing) to
    /// [`MAX_WEIGHT`](crate::limits::MAX_WEIGHT). `None` keeps the weight of an id that is on the ring, so that registering moves no
    /// documents, and gives a new id weight 1.
    pub weight: Option<u32>,
    /// The incarnation that begins. It must be greater than every earlier one. `None` takes the next incarnation.
    pub incarnation: Option<Incarnation>,
    /// Whether the shard must send heartbeats. If false, no sweep judges it.
    pub leased: bool,
    /// The zone that the shard runs in, which the [replicas](crate::Topology::replicas) of a document are spread over. `None` keeps the
    /// zone of an id that is registered, and leaves any other id without a zone. To take a shard's zone away, deregister it first.
    #[cfg_attr(feature = "serde", serde(default))]
    pub zone: Option<Zone>,
}

impl Default for Registration {
    fn default() -> Self {
        Self {
            id: None,
            weight: None,
            incarnation: None,
            leased: true,
            zone: None,
        }
    }
}
