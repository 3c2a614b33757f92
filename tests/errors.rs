//! Tests of the common error of all layers: what converts into it, and that conversions lose nothing.

use std::error::Error as StdError;
use std::time::Duration;

use tickring::clock::Timestamp;
use tickring::colony::{Batch, Rejected, TickContext, Unsent, Write};
use tickring::coordinator::HealthMonitor;
use tickring::error::{
    BarrierError, BatchError, Cause, ColonyError, ConfigError, FrequencyError, GoalError,
    IntakeError, ParseError, PublicationError, RegistryError, RingError, RouteError, UnsentReason,
};
use tickring::frequency::CorpusStatistics;
use tickring::id::Incarnation;
use tickring::placement::Placement;
use tickring::publication::{Published, ShardFailure};
use tickring::ring::RingPlan;
use tickring::{
    Colony, ColonyConfig, Config, Coordinator, DocumentId, Error, HashRing, Publication, Shard,
    ShardId, ShardInfo, ShardRegistry, TickBarrier, TickPhase, aggregate,
};

/// A shard that sends each write on, once, to the owner of the next id.
struct Forwarding;

impl Shard for Forwarding {
    type Document = ();
    type View = ();

    fn act(
        &mut self,
        context: &mut TickContext<'_, (), ()>,
        batch: &mut Batch<'_, ()>,
    ) -> Result<(), ShardFailure> {
        let forward = |context: &mut TickContext<'_, (), ()>| -> tickring::Result<()> {
            let id = DocumentId::from_seed(context.tick() + 1);
            let write = Write::Delete { id };
            Ok(context.send(write).map_err(Unsent::into_reason)?)
        };
        if !batch.is_empty() && context.tick() == 0 {
            forward(context)?;
        }
        Ok(())
    }

    fn view(&mut self) -> Result<(), ShardFailure> {
        Ok(())
    }
}

/// A program that uses every layer with a single error type.
fn program() -> tickring::Result<()> {
    let config = Config::default();
    config.validate()?;
    let placement: Placement = "siphash13".parse()?;
    let shard: ShardId = "shard-0".parse()?;
    let ring = HashRing::with_placement(placement, 3, 20)?;
    RingPlan::between(&ring, &ring.remove_shard(shard)?)?;
    let document = DocumentId::from_seed(1);
    ring.get_shard(&document)?;

    let mut registry = ShardRegistry::new();
    let info = || ShardInfo::new(shard, "local".to_owned());
    registry.register(info(), Timestamp::ZERO)?;
    let barrier = TickBarrier::new(1)?;
    barrier.complete(shard, TickPhase::Advance, 0)?;
    barrier.wait_all(TickPhase::Advance, 0)?;
    let sums = aggregate(&[[("sea", 2)], [("sea", 1)]])?;
    CorpusStatistics::new(3, 9, sums)?;

    let coordinator = Coordinator::with_config(config)?;
    let handle = coordinator.register(info())?;
    handle.heartbeat()?;
    let _monitor = HealthMonitor::spawn(&coordinator)?;
    let mut answers = [shard; 1];
    coordinator
        .router()
        .route_batch(&[document], &mut answers)?;

    Publication::new([Published::new(shard, ())])?.top(1, |_| [(1.0, document)])?;
    let mut colony = Colony::new(ColonyConfig::default(), 2, |_| Ok(Forwarding))?;
    let intake = colony.intake();
    let added = intake.try_add(document, ());
    added.map_err(Rejected::into_reason)?;
    intake.try_delete(document)?;
    assert!(colony.tick()?.faults.is_empty());
    searching()
}

#[cfg(not(feature = "search"))]
fn searching() -> tickring::Result<()> {
    Ok(())
}

#[cfg(feature = "search")]
fn searching() -> tickring::Result<()> {
    use tickring::search::{Query, TextDocument, TextShard, TextShardConfig, search};

    let config = TextShardConfig::default();
    config.validate()?;
    TextShard::new(&config)?;
    let mut colony = Colony::new(ColonyConfig::default(), 1, TextShard::factory(config))?;
    let document = TextDocument::new("Tides", "");
    let added = colony.intake().try_add(DocumentId::from_seed(1), document);
    added.map_err(Rejected::into_reason)?;
    colony.tick()?;
    let hits = search(&colony.publication(), &Query::parse("tides")?, 1, None)?;
    assert_eq!(hits.len(), 1);
    Ok(())
}

#[test]
fn a_program_that_uses_every_layer_has_one_error() {
    program().unwrap();
}

/// Converts an error, and checks that its message and source stay the same.
fn converted<E: StdError + Into<Error>>(error: E) -> Error {
    let text = error.to_string();
    let source = error.source().map(ToString::to_string);
    let whole: Error = error.into();
    assert_eq!(whole.to_string(), text);
    assert_eq!(whole.source().map(ToString::to_string), source);
    whole
}

const SHARD: ShardId = ShardId::new(3);

#[test]
fn each_layer_s_error_is_held_whole() {
    let config = ConfigError::OutOfRange {
        field: "num_shards",
        value: 9,
        min: 0,
        max: 8,
    };
    assert_eq!(converted(config.clone()), Error::Config(config.clone()));
    let ring = RingError::ShardExists(SHARD);
    assert_eq!(converted(ring.clone()), Error::Ring(ring.clone()));
    let route = RouteError::NoneServing { members: 3 };
    assert_eq!(converted(route), Error::Route(route));
    assert_eq!(converted(BatchError::Route(route)), Error::Route(route));
    let (documents, output) = (1, 2);
    let batch = BatchError::Length { documents, output };
    assert_eq!(converted(batch.clone()), Error::Batch(batch));
    assert_eq!(
        converted(BarrierError::NoMembers),
        Error::Barrier(BarrierError::NoMembers)
    );
    let registry = RegistryError::NotRegistered(SHARD);
    assert_eq!(converted(registry.clone()), Error::Registry(registry));
    assert_eq!(
        converted(RegistryError::Ring(ring.clone())),
        Error::Ring(ring)
    );
    let frequency = FrequencyError::NoContribution { shard: SHARD };
    assert_eq!(converted(frequency.clone()), Error::Frequency(frequency));
    let colony = ColonyError::ShardLives(SHARD);
    assert_eq!(converted(colony.clone()), Error::Colony(Box::new(colony)));
    assert_eq!(
        converted(ColonyError::Config(config.clone())),
        Error::Config(config)
    );
    assert_eq!(
        converted(IntakeError::NoOwner),
        Error::Intake(IntakeError::NoOwner)
    );
    assert_eq!(
        converted(GoalError::NothingLeft),
        Error::Goal(GoalError::NothingLeft)
    );
    assert_eq!(
        converted(UnsentReason::Full),
        Error::Unsent(UnsentReason::Full)
    );
    let publication = PublicationError::SameShardTwice(SHARD);
    assert_eq!(
        converted(publication.clone()),
        Error::Publication(publication)
    );
    let parse: ParseError = "shard".parse::<ShardId>().unwrap_err();
    assert_eq!(converted(parse.clone()), Error::Parse(parse));
}

#[test]
fn what_several_layers_refuse_for_one_reason_is_one_variant() {
    let stale = Incarnation::new(2).unwrap();
    let shard = SHARD;
    for error in [
        BarrierError::StaleIncarnation { shard, stale }.into(),
        RegistryError::StaleIncarnation { shard, stale }.into(),
    ] {
        assert_eq!(Error::StaleIncarnation { shard, stale }, error);
    }
    let closed: [Error; 2] = [BarrierError::Closed.into(), RegistryError::Closed.into()];
    assert_eq!(closed, [Error::Closed, Error::Closed]);
    let unknown: [Error; 2] = [
        RingError::ShardNotFound(shard).into(),
        RegistryError::ShardNotFound(shard).into(),
    ];
    assert_eq!(
        unknown,
        [Error::ShardNotFound(shard), Error::ShardNotFound(shard)]
    );
}

#[test]
fn a_shared_refusal_blames_no_coordinator_where_there_is_none() {
    let unknown = HashRing::new(1).unwrap().remove_shard(SHARD).unwrap_err();
    assert_eq!(Error::from(unknown).to_string(), "shard-3 is not known");
    let barrier = TickBarrier::new(1).unwrap();
    barrier.close();
    let closed = barrier
        .complete(ShardId::new(0), TickPhase::Sense, 0)
        .unwrap_err();
    let text = "the coordinator or the barrier is closed";
    assert_eq!(Error::from(closed).to_string(), text);
}

/// A caller's own cause, which must be found again.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("the disk is full")]
struct DiskFull;

fn is_disk_full(error: &Error) -> bool {
    let source = error.source();
    source.is_some_and(<dyn StdError>::is::<DiskFull>)
}

#[test]
fn a_caller_s_own_error_is_found_again_behind_ours() {
    let cause = || Cause::new(DiskFull);
    assert!(is_disk_full(&converted(PublicationError::Statistics(
        cause()
    ))));
    assert!(is_disk_full(&converted(ColonyError::Threads(cause()))));
    let coordinator = ColonyError::Coordinator(Error::Thread(cause()));
    assert!(is_disk_full(&converted(coordinator)));
    let cause = cause();
    assert_eq!(cause.downcast_ref(), Some(&DiskFull));
    assert_eq!(Error::Thread(cause.clone()), Error::Thread(cause));
}

#[cfg(feature = "search")]
#[test]
fn the_errors_of_a_search_are_held_whole() {
    use tickring::search::{Query, SearchError};

    let query = Query::parse("(").unwrap_err();
    assert_eq!(converted(query.clone()), Error::Query(query));
    let late = SearchError::DeadlinePassed;
    assert_eq!(converted(late.clone()), Error::Search(late));
    assert!(is_disk_full(&converted(SearchError::Index(Cause::new(
        DiskFull
    )))));
    let (field, value, min, max) = ("writer_memory", 0, 1, 2);
    let config = ConfigError::OutOfRange {
        field,
        value,
        min,
        max,
    };
    assert_eq!(
        converted(SearchError::Config(config.clone())),
        Error::Config(config)
    );
}

#[test]
fn a_rejected_document_comes_back_with_its_reason_as_the_source() {
    let colony = Colony::new(ColonyConfig::default(), 1, |_| Ok(Forwarding)).unwrap();
    let intake = colony.intake();
    drop(colony.close(std::time::Instant::now() + Duration::from_secs(30)));
    let rejected = intake.try_add(DocumentId::from_seed(1), ()).unwrap_err();
    let source = rejected.source().and_then(|source| source.downcast_ref());
    assert_eq!(source, Some(&IntakeError::Closed));
    let whole: Error = rejected.into_reason().into();
    assert_eq!(whole, Error::Intake(IntakeError::Closed));
}
