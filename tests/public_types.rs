//! Tests of the traits that public types implement.

use std::error::Error as StdError;
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::str::FromStr;

use static_assertions::{assert_impl_all, assert_not_impl_any};
use tickring::clock::{ManualClock, MonotonicClock, Timestamp};
use tickring::colony::{
    CloseReport, Fault, FaultKind, Intake, MessageCounts, Origin, PhaseReport, Reader, Rejected,
    Revival, ShardMetrics, Stop, TickReport, Ticket, Unsent, Write,
};
use tickring::coordinator::{Brake, ClusterStats, HealthMonitor, PauseGuard};
use tickring::error::{
    BarrierError, BatchError, Cause, ColonyError, ConfigError, FrequencyError, IntakeError,
    MissingShards, ParseError, PublicationError, RegistryError, RingError, RouteError,
    UnsentReason,
};
use tickring::frequency::{
    CorpusStatistics, DocumentFrequencies, FrequencySnapshot, GlobalFrequencies, ShardCounter,
    ShardFrequencies, TermDictionary,
};
use tickring::id::{Epoch, Incarnation, TermId, Zone};
use tickring::membership::{Action, Command, Newcomer, Registration};
use tickring::placement::Placement;
use tickring::publication::{Hit, Published};
use tickring::registry::RegisteredShard;
use tickring::ring::{
    Direction, Move, Rebalance, Replicas, ReplicasIter, RingMember, RingPlan, RingState, RingStep,
    Share, Shares, TravellingPoint, VirtualNode, ZoneEnd, ZoneMove, ZonePlan, ZoneShare,
    ZoneShares,
};
use tickring::topology::{Member, Members, Subscription, TopologyChange, TopologyEvent};
use tickring::{
    Colony, ColonyConfig, Config, Coordinator, DocumentId, Error, HashRing, NodeAddress,
    Publication, Router, Shard, ShardHandle, ShardId, ShardInfo, ShardRegistry, ShardStatus, Tick,
    TickBarrier, TickPhase, Topology,
};

/// What runs and is shared.
macro_rules! shared {
    ($($name:ty)*) => { $(assert_impl_all!($name: Send, Sync, Debug);)* };
}
shared! {
    Coordinator ShardHandle Router Topology Member Members Subscription HashRing Replicas ReplicasIter RingPlan Rebalance<'static> Shares ZonePlan ZoneShares TickBarrier
    ShardRegistry HealthMonitor PauseGuard DocumentFrequencies CorpusStatistics TermDictionary ShardCounter ShardFrequencies
    GlobalFrequencies FrequencySnapshot Config ManualClock MonotonicClock Stop Cause Published<()> Publication<()>
    Intake<Box<Dyn>> Reader<Box<Dyn>> TickReport<()> CloseReport<()> Write<()> Rejected<()> Unsent<()>
}
type Dyn = dyn Shard<Document = (), View = ()> + Send;
assert_impl_all!(Colony<Box<Dyn>>: Send, Debug);
assert_not_impl_any!(HealthMonitor: Clone);
assert_impl_all!(Coordinator: Clone);
assert_impl_all!(ShardHandle: Clone);
assert_impl_all!(Router: Clone);
assert_impl_all!(Subscription: Clone);
assert_impl_all!(HashRing: Clone, Default, Eq);
assert_impl_all!(ShardCounter: Clone);
assert_impl_all!(FrequencySnapshot: Clone, Default);

/// Identities: keys of maps, ordered or not, that are shown and read back.
macro_rules! identity {
    ($($name:ty)*) => { $(assert_impl_all!($name: Copy, Ord, Hash, Debug, Display, FromStr<Err = ParseError>);)* };
}
identity! { ShardId TermId Epoch Incarnation DocumentId TickPhase Zone }
assert_impl_all!(NodeAddress: Clone, Ord, Hash, Debug, Display, FromStr<Err = ParseError>);
assert_impl_all!(ShardStatus: Copy, Eq, Hash, Debug, Display, FromStr<Err = ParseError>);
assert_impl_all!(Placement: Copy, Eq, Hash, Debug, Display, Default, FromStr<Err = ParseError>);
assert_impl_all!(Timestamp: Copy, Ord, Hash, Debug, Default);
assert_impl_all!(Tick: Copy, Ord, Hash);

/// Plain values.
macro_rules! value {
    ($($name:ty)*) => { $(assert_impl_all!($name: Send, Sync, Clone, Eq, Hash, Debug);)* };
}
value! {
    Brake Config ColonyConfig Registration Newcomer Command Action ShardInfo RegisteredShard ClusterStats ShardMetrics MessageCounts
    PhaseReport Fault FaultKind Revival Origin Ticket TopologyEvent TopologyChange Replicas Move Share RingMember MissingShards
    Direction RingState RingStep TravellingPoint VirtualNode ZoneEnd ZoneMove ZoneShare
}
assert_impl_all!(Hit: Copy, PartialEq, Debug);
assert_impl_all!(Config: Default);
assert_impl_all!(ColonyConfig: Default);
assert_impl_all!(Registration: Default);
assert_impl_all!(ClusterStats: Copy, Default);

/// Errors: all convert into the one.
macro_rules! error {
    ($($name:ty)*) => { $(assert_impl_all!($name: StdError, Send, Sync, Clone, Eq, Into<Error>);)* };
}
error! {
    Error BarrierError BatchError ColonyError ConfigError FrequencyError IntakeError ParseError PublicationError RegistryError
    RingError RouteError UnsentReason
}
assert_not_impl_any!(Rejected<()>: Into<Error>);
assert_not_impl_any!(Unsent<()>: Into<Error>);

#[cfg(feature = "serde")]
mod stored {
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::*;

    macro_rules! stored {
        ($($name:ty)*) => { $(assert_impl_all!($name: Serialize, DeserializeOwned);)* };
    }
    stored! {
        ShardId TermId Epoch Incarnation DocumentId TickPhase Zone NodeAddress ShardStatus Placement Brake Config ColonyConfig Registration
        Newcomer Command Action ShardInfo ClusterStats ShardMetrics MessageCounts PhaseReport Fault FaultKind Revival
        TopologyEvent TopologyChange Move Share RingMember Hit Direction RingState RingStep TravellingPoint VirtualNode ZoneEnd ZoneMove ZoneShare
    }
}

#[cfg(feature = "search")]
mod search {
    use tickring::search::{
        Date, DateError, DocumentError, Field, Query, QueryError, QueryParser, QueryPlace, Schema,
        SchemaError, SearchError, TextDocument, TextShard, TextShardConfig, TextStatistics,
        TextView, Value,
    };

    use super::*;

    shared! { Query QueryParser TextShard TextStatistics TextView }
    value! { Schema TextShardConfig Date }
    assert_impl_all!(QueryPlace: Clone, Debug, Display, PartialEq, Send, Sync);
    assert_impl_all!(Field: Clone, Debug, PartialEq, Send, Sync);
    assert_impl_all!(TextDocument: Clone, Debug, PartialEq, Send, Sync);
    assert_impl_all!(Value: Clone, Debug, Display, PartialEq, Send, Sync);
    error! { DateError DocumentError QueryError SchemaError SearchError }
    assert_impl_all!(Query: Clone, Display, FromStr<Err = QueryError>);
}

#[test]
fn errors_can_be_sent_and_boxed() {
    let boxed: Box<dyn std::error::Error + Send + Sync> =
        Box::new(Error::ShardNotFound(ShardId::new(3)));
    assert_eq!(boxed.to_string(), "shard-3 is not known");
}
