//! What to watch, what each error means for your state, and what to do.
//!
//! Errors obey one rule: **a call that is refused changed nothing**, unless its variant says otherwise. A write that was not accepted is yours
//! as before.
//!
//! # What to watch
//! Reports and calls have these figures. With the features `tracing` and `metrics`, [`observe`](crate::observe) tells most of them by itself.
//!
//! | figure | from | look if |
//! | --- | --- | --- |
//! | `total_shards`, `online_shards` | [`cluster_stats`](crate::Coordinator::cluster_stats) | they differ for longer than a restart takes |
//! | `planned_shards`, `absent_shards` | the same | planned ones remain after the start: waits count on them, unless they are absent |
//! | `total_documents`, `total_memory_bytes` | the same | they are what shards said last, so 0 means that nobody said anything |
//! | `phases[..].elapsed` | [`TickReport`](crate::colony::TickReport) | one nears [`phase_timeout`](crate::ColonyConfig::phase_timeout); `slowest` names the shard |
//! | `faults` | the same | there is any: a shard `Panicked`, `Failed`, `Overran` its time, or was `NotMade` by its factory |
//! | `frozen` | the same | a shard stays in it: after three lives that published nothing it is not tried again |
//! | `revived[..].missing` | the same | it isn't 0: the new life has lost documents |
//! | `moved`, `frozen` | the same | a goal is set and nothing moves: [`Colony::progress`](crate::Colony::progress) says why |
//! | `returned` | the same | always: these writes are yours again |
//! | `messages.sent` | the same | it grows from tick to tick |
//! | balance of a ring | [`HashRing::shares`](crate::HashRing::shares) | [`balance`](crate::ring::Shares::balance) is far above 1.3 |
//! | the brake | [`is_braked`](crate::Coordinator::is_braked), or `BrakeApplied` among the [events](crate::topology::TopologyChange) | it is on: look at [`overdue_shards`](crate::Coordinator::overdue_shards), and release it when you know who is dead |
//! | share of a zone | [`Topology::zone_shares`](crate::Topology::zone_shares) | one owns much more than the others can take over |
//! | epoch | [`Topology::epoch`](crate::Topology::epoch) | it grows without pause: shards go on and off |
//!
//! ```
//! use tickring::{Coordinator, HashRing, ShardId, ShardInfo};
//!
//! let coordinator = Coordinator::new(3)?;
//! let info = ShardInfo::new(ShardId::new(0), "local".to_owned());
//! let shard = coordinator.register(info)?;
//! shard.update_metrics(500, 1 << 20)?;
//! let stats = coordinator.cluster_stats();
//! assert_eq!((stats.total_shards, stats.planned_shards, stats.total_documents), (1, 2, 500));
//! assert!(HashRing::new(64)?.shares().balance().is_some_and(|balance| balance < 1.3));
//! # Ok::<(), tickring::Error>(())
//! ```
//!
//! # A coordinator's errors
//! | [`Error`](crate::Error) | means | do |
//! | --- | --- | --- |
//! | `ShardNotFound` | no such shard on the ring | register it |
//! | `StaleIncarnation` | you speak for a life that ended | stop, or register again |
//! | `Closed` | final | build another coordinator |
//! | `Config` | nothing was built | correct the field that it names |
//! | `Ring`, `Registry` | the change was refused | see below |
//! | `Route`, `Batch` | nothing is routed | see below |
//! | `Barrier` | a wait ended before its phase was complete, or a completion was refused | see below |
//! | `Frequency` | nothing was added up | see below |
//! | `Thread` | the operating system can't start a thread | free some, and call again |
//!
//! The errors of all other parts convert into the same type, so that one function can use every part with `?`. Two errors carry a write that
//! comes back, and don't convert: [`Rejected`](crate::colony::Rejected) and [`Unsent`](crate::colony::Unsent). Take the write out, or drop it with
//! `.map_err(Rejected::into_reason)?`.
//!
//! | [`Error`](crate::Error) | holds |
//! | --- | --- |
//! | `Colony` | a [`ColonyError`](crate::error::ColonyError) |
//! | `Intake` | an [`IntakeError`](crate::error::IntakeError); [`Rejected::into_reason`](crate::colony::Rejected::into_reason) drops the document for it |
//! | `Unsent` | why a message was not sent; [`Unsent::into_reason`](crate::colony::Unsent::into_reason) drops the message for it |
//! | `Goal` | a [`GoalError`](crate::error::GoalError), of a goal towards which documents are to move |
//! | `Publication` | a [`PublicationError`](crate::error::PublicationError) |
//! | `Parse` | a [`ParseError`](crate::error::ParseError), which says what was expected |
//! | `Analyzer` | a name that no analyzer has; the error lists the names |
//! | `Query`, `Search`, `Schema`, `Document`, `Date` | an error of a query, a search, a schema, a document or a date |
//! | `Storage` | an error of a durable colony's directory |
//!
//! | [`PublicationError`](crate::error::PublicationError) | means | do |
//! | --- | --- | --- |
//! | `SameShardTwice` | two views of one shard | give one |
//! | `Statistics` | a view's own reason, which is the source | correct the view |
//! | `NotANumber` | a score is NaN | correct what computes it |
//!
//! | [`RouteError`](crate::error::RouteError) | means | do |
//! | --- | --- | --- |
//! | `EmptyRing` | nobody owns anything | register a shard with a weight |
//! | `NoneServing` | all owners are away | try again after a heartbeat |
//! | `TooManyReplicas` | an answer holds 16 shards | ask for fewer |
//!
//! | [`RegistryError`](crate::error::RegistryError) | means | do |
//! | --- | --- | --- |
//! | `NotRegistered` | the shard is only planned | register it before it beats |
//! | `AlreadyRegistered` | somebody registered the shard, so it isn't absent | nothing |
//! | `EpochPassed`, `IncarnationPassed` | a command came twice, or late | drop it |
//! | `RingChanged` | the ring to replace isn't the current one any more | plan the step again from the current ring |
//! | `SameShardTwice` | one command names a shard twice | correct the command |
//! | `BrakeOn` | a verdict came after the brake was put on | drop it; look at the shards, then release the brake |
//! | `Exhausted` | no number is left | build another coordinator |
//!
//! | [`RingError`](crate::error::RingError) | means | do |
//! | --- | --- | --- |
//! | `VirtualNodes`, `Weight`, `TooManyShards`, `TooManyPoints` | a bound, which it names | stay within it |
//! | `ShardExists`, `ShardNotFound` | the ring is as you want it, or the id is wrong | look at the ring |
//! | `MemberVirtualNodes` | a shard has more virtual nodes than its greatest weight stands for | stay within it |
//! | `PlacementDiffers` | a plan between rings that hash differently | every document moves; build a new ring |
//! | `VirtualNodesDiffer` | a goal with other virtual nodes per shard | build the goal from the ring |
//! | `GoalTravels` | the goal is a ring on its way to another | end in a ring at rest |
//! | `NothingLeft` | the last shard that owns anything can't be drained | add another one first |
//! | `OutsideStep` | a position that isn't in the step | correct the caller |
//! | `VirtualNodeExists`, `InPlace` | a stored state is wrong | restore it from elsewhere |
//!
//! | [`FrequencyError`](crate::error::FrequencyError) | means | do |
//! | --- | --- | --- |
//! | `TermOverflow`, `TotalOverflow` | a sum exceeds 64 bits | an input is wrong |
//! | `FrequencyAboveDocuments`, `CountAboveDocuments` | documents and frequencies are of different moments | take both from one |
//! | `NotCounted`, `UnknownTerm`, `TotalBelowZero` | a document is taken out that was never added | count the shard again with a new counter |
//! | `DictionaryFull`, `DictionaryTextFull` | its limit | what it has can be looked up; use a larger one |
//! | `StaleGeneration` | the call came late or twice | drop it |
//! | `NoContribution` | an update before any `replace` | replace first |
//!
//! # Waits
//! | [`BarrierError`](crate::error::BarrierError) | means | do |
//! | --- | --- | --- |
//! | `PhaseTimeout` | the deadline passed; `missing` names the shards | wait again, or take them out |
//! | `Superseded` | somebody advanced; the phase never will be complete | go on with the current tick |
//! | `NoMembers` | nobody counts for the tick | advance, or register |
//! | `TickOver` | your completion came too late | go on with the current tick |
//! | `TickAhead` | more than one tick ahead | wait for the current one |
//! | `TickBackwards` | ticks only go forward | nothing |
//! | `MemberExists`, `TooManyMembers` | a barrier of your own has no place for it | let another leave first |
//! | `UnknownShard` | the shard is offline, or left | send heartbeats, or register |
//!
//! ```
//! use std::time::Duration;
//! use tickring::error::{BarrierError, Error};
//! use tickring::{Coordinator, TickPhase};
//!
//! /// Waits for a phase, and takes out the shards that don't come.
//! fn wait(coordinator: &Coordinator, phase: TickPhase, tick: u64) -> tickring::Result<()> {
//!     loop {
//!         match coordinator.wait_for_phase_timeout(phase, tick, Duration::from_millis(1)) {
//!             Err(Error::Barrier(BarrierError::PhaseTimeout { missing, .. })) => {
//!                 for &shard in missing.as_slice() {
//!                     coordinator.deregister_shard(shard)?;
//!                 }
//!             }
//!             decided => return decided,
//!         }
//!     }
//! }
//!
//! let coordinator = Coordinator::new(2)?;
//! let [stays, _] = [0, 1].map(tickring::ShardId::new);
//! coordinator.phase_complete(stays, TickPhase::Sense, 0)?;
//! wait(&coordinator, TickPhase::Sense, 0)?;
//! assert_eq!(coordinator.shard_count(), 1);
//! # Ok::<(), Error>(())
//! ```
//!
//! # Writes into a colony
//! A write that is refused comes back with its document ([`Rejected`](crate::colony::Rejected)). One that is accepted is published by the tick
//! of its [`Ticket`](crate::colony::Ticket), or comes back in a report.
//!
//! | [`IntakeError`](crate::error::IntakeError) | do |
//! | --- | --- |
//! | `Full` | try again after the next tick, or use [`add`](crate::colony::Intake::add) with a deadline |
//! | `Recovering` | try again after some ticks; [`forget_shard`](crate::Colony::forget_shard) if it doesn't come back |
//! | `FullOfBytes` | the same as for `Full` |
//! | `Encoding`, `TooLarge` | correct the document; nobody can write it to the log |
//! | `StorageFull`, `Stalled` | make room, or mend the disk; the next tick tries again |
//! | `LogFull` | see with `Colony::checkpoint` what the checkpoints fail with; if a shard stays [frozen](crate::colony::TickReport::frozen), look at its faults, [revive](crate::Colony::revive_shard) it or open the colony again; forget it if it is lost |
//! | `NoOwner`, `Closed` | keep the document: nobody takes it now |
//!
//! A [goal](crate::Colony::set_goal) that can't be is refused, and the one before stays.
//!
//! | [`GoalError`](crate::error::GoalError) | do |
//! | --- | --- |
//! | `UnknownShard`, `NamedTwice`, `NothingLeft`, `Ring` | correct the goal |
//! | `Unreadable` | give the shards views that can be read back: text shards whose schema stores all fields |
//! | `Add` | see what adding the shard failed with |
//! | `Closed` | nothing: the colony has ended |
//!
//! | [`ReturnReason`](crate::colony::ReturnReason) | means | do |
//! | --- | --- | --- |
//! | `Exists` | the id was there already | upsert, or let it be |
//! | `Refused` | the shard's own reason | correct the document |
//! | `Died { suspect: false }` | the write only waited | write it again |
//! | `Died { suspect: true }` | the shard had been given it when it died | look at it first: it may kill the next life too |
//! | `Recovering`, `NoOwner` | a message found no owner, or a document that moved to a shard that was forgotten | write it again, or drop it |
//! | `Closed` | the colony ended | keep it for the next one |
//! | `Undecided` | the colony ended; the disk may have the write or not | open the colony again and look |
//! | `SetAside` | the shard died of the write each time; it is in the quarantine | look at it, then take it out of the quarantine |
//!
//! ```
//! use tickring::colony::{Batch, Refusal, ReturnReason, TickContext};
//! use tickring::publication::ShardFailure;
//! use tickring::{Colony, ColonyConfig, DocumentId, Shard};
//!
//! /// Refuses what is empty, and dies of what says so.
//! struct Picky;
//!
//! impl Shard for Picky {
//!     type Document = &'static str;
//!     type View = ();
//!     fn act(
//!         &mut self,
//!         _context: &mut TickContext<'_, &'static str, ()>,
//!         batch: &mut Batch<'_, &'static str>,
//!     ) -> Result<(), ShardFailure> {
//!         for (index, _origin, write) in batch.iter() {
//!             match write.document().map(|text| **text) {
//!                 Some("") => batch.refuse(index, Refusal::Because("empty".into())),
//!                 Some("poison") => return Err("poisoned".into()),
//!                 _ => {}
//!             }
//!         }
//!         Ok(())
//!     }
//!     fn view(&mut self) -> Result<(), ShardFailure> {
//!         Ok(())
//!     }
//! }
//!
//! let mut colony = Colony::new(ColonyConfig::default(), 1, |_| Ok(Picky))?;
//! let intake = colony.intake();
//! intake.try_upsert(DocumentId::from_seed(1), "")?;
//! let report = colony.tick()?;
//! assert!(matches!(report.returned[0].reason, ReturnReason::Refused(_)));
//!
//! intake.try_upsert(DocumentId::from_seed(2), "poison")?;
//! let report = colony.tick()?;
//! assert_eq!((report.faults.len(), report.frozen.len()), (1, 1));
//! let [returned] = &report.returned[..] else { panic!("one write") };
//! assert!(matches!(returned.reason, ReturnReason::Died { suspect: true }));
//! assert_eq!(colony.tick()?.revived.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A colony's errors
//! | [`ColonyError`](crate::error::ColonyError) | means | do |
//! | --- | --- | --- |
//! | `Config`, `Factory`, `View` | nothing was built | correct what it names |
//! | `TooManyLostThreads`, `Statistics`, `Barrier`, `Coordinator`, `Threads` from a tick | the colony is closed; the tick is not published | [`close`](crate::Colony::close), which gives back all that was not published |
//! | `AlreadyPrepared`, `NothingPrepared` | `prepare` and `publish` out of turn | nothing changed |
//! | `NotPublished` | a wait's deadline passed | wait again |
//! | `UnknownShard`, `ShardLives`, `NotEmpty`, `Documents` | the shard can't be changed so | nothing changed |
//! | `Storage` with `Full` or `Io` from a tick | the tick stays as it is | make room, and tick again |
//! | `Storage` with `Poisoned` from a tick | the colony is closed | [`close`](crate::Colony::close) it, look at the disk, and open it again |
//! | `Storage` from elsewhere | an error of the directory | see [below](#a-colonys-directory) |
//! | `Replay` | a shard can't apply what the log has for it | correct the shard's code, and open the colony again; nothing is lost |
//! | `EndsProcess` | the process has ended twice at one tick of the log | open the colony with `set_aside`, which puts its writes for the shard into the quarantine; if both were killed from outside, open it once more instead |
//! | `Save` | a shard can't save its view; the log keeps what the checkpoint would have | correct the shard's code |
//! | `NotQuarantined` | there is no such write | look at `Colony::quarantine` again |
//! | `InMemory` | the colony has no directory | open it with one |
//! | `NotDurable` | a wait's deadline passed | wait again |
//! | `Closed` | final | read on from the last publication, or build another colony |
//!
//! # Search
//! A query that is refused was not searched for. Its error shows the place and what would be right.
//!
//! | `QueryError` | means | do |
//! | --- | --- | --- |
//! | `TooLong`, `TooNested`, `TooManyLeaves`, `TooManyPatterns`, `OutOfBounds`, `Boost` | a bound, which it names | stay within it |
//! | `Syntax` | for example, a quote isn't closed, or an operator stands alone | what the error says, `Query::literal` or `Query::lenient` |
//! | `Unsupported` | a regular expression | use a pattern, or quote the word to mean its characters |
//! | `WrongField`, `WrongType` | a range over text, or a value that isn't of its field's kind | what the error says |
//! | `UnknownField` | a field that the schema doesn't have | correct it, or quote the word to mean the colon |
//! | `NoToken` | a word without letter or digit | leave it out, or quote it with its neighbours |
//! | `NoWords` | nothing to search for | ask for a word |
//!
//! | `SchemaError` | means | do |
//! | --- | --- | --- |
//! | `Json` | the text isn't the JSON of a schema | correct the line and column that it names |
//! | `NoTextField`, `TooManyFields`, `Name`, `Twice`, `NotText`, `Boost` | the fields contradict each other, or a bound | correct the field that it names |
//!
//! | `DocumentError` | means | do |
//! | --- | --- | --- |
//! | `Json`, `MemberTwice` | the text isn't a JSON object, or has a member twice | correct the record |
//! | `UnknownField` | the schema has no such field | correct it, or add the field to the schema |
//! | `WrongType`, `NotFinite`, `LongKeyword` | the value doesn't fit its field; the document is unchanged | correct the value |
//!
//! | `SearchError` | means | do |
//! | --- | --- | --- |
//! | `Config` | no text shard was built | correct the field that it names |
//! | `OtherSchema` | a query, view or document has another schema | build it with the schema of the shards |
//! | `TooManyHits` | offset and limit are above the bound, which it names | ask for fewer, or narrow the query with a filter |
//! | `NoTextField` | the schema has no such text field | correct the name |
//! | `IndexMemory` | the saved index of a durable shard is larger than its bound; nothing was opened | raise the bound, or map the files |
//! | `NotStored` | whole documents can be read only where the index keeps all fields | read the view of a durable colony, or store all fields |
//! | `DeadlinePassed` | there is no partial answer | search again with more time |
//! | `Index` from a search | nothing changed | search again |
//! | `Index` from a shard | a fault | nothing: the shard is made again |
//!
//! # A colony's directory
//! | `StorageError` | means | do |
//! | --- | --- | --- |
//! | `Locked` | another process, or another colony of this one, has the directory open | close that one; the lock ends with its process |
//! | `NoColony` | there is no colony in the directory | correct the path |
//! | `Full` | no space, a quota, or the greatest size of a file; what was durable still is | make room, and try again |
//! | `Io` | the operating system refused, for example for want of a permission | what the error says |
//! | `Poisoned` | a sync failed: nothing more is written or acknowledged | look at the disk, and open the colony again |
//! | `Damaged` | a file isn't as it was written; nothing was changed | restore the directory from a copy |
//! | `Foreign` | a file of another colony | take the file away, and put back the colony's own |
//! | `Format` | a later version wrote the file | open it with that version |
//! | `OtherSetting` | the colony was created with another setting | open it with the stored one |
//! | `TooLarge` | a record exceeds the bound that the error names | write less at once |
//! | `Name` | a shard gave a file a name that doesn't fit | use letters, digits, `.`, `-` and `_` in `DurableShard::save` |
//!
//! `check_durable` runs a durable shard of yours with writes that you give. Whatever it finds is to be corrected in the shard.
//!
//! | `DurableCheckError` | means | do |
//! | --- | --- | --- |
//! | `Failed` | a method of the shard returned an error | what the error says |
//! | `Bytes`, `BytesRead` | `decode` makes another document than `encode` was given | correct one of the two |
//! | `Range` | the view reads other documents than lie in a range | correct its `Movable` |
//! | `Refusals` | what `act` refuses depends on more than the shard and the batch | take out the clock, the randomness, or what only `advance` prepares |
//! | `State` | what is held depends on more than that, or isn't saved whole | the same, or correct `save` and `open` |
