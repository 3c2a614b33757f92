//! Construction of a colony: its threads, its shards, and their first views.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::time::Duration;

use crossbeam::channel::{Receiver, bounded};

use super::Colony;
use super::config::ColonyConfig;
use super::intake::{Admission, Inbox, Room};
use super::journal::Encode;
use super::lives;
use super::moves::Moving;
use super::occupant::{Begun, make};
use super::pool::Pool;
use super::settle::published;
use super::shard::{Birth, Factory, Shard};
use super::shared::Shared;
use super::slot::Slot;
use super::table::Table;
use super::threads::Crew;
use super::waiting::Gate;
use crate::coordinator::Coordinator;
use crate::error::{Cause, ColonyError};
use crate::guarded::{Guarded, GuardedList};
use crate::id::Tick;
use crate::publication::{Publication, Published, ShardFailure, View};
use crate::sync::{Arc, AtomicU64, RwLock, SnapshotCell};

impl<S: Shard> Colony<S> {
    /// Starts a colony of this many shards, with ids from `shard-0` on. See the example of [`Colony`].
    ///
    /// The factory makes each shard on the calling thread, and each shard is asked for its first view. When a shard dies, the factory makes it
    /// again in the first phase of the next tick, on one of the colony's threads and within the phase's time limit. It may make several
    /// shards at once. If three incarnations in a row end before they publish anything, the shard stays dead until
    /// [`revive_shard`](Self::revive_shard).
    ///
    /// # Errors
    /// [`ColonyError::Config`] names the field that is out of bounds; [`ColonyError::Threads`] if the threads can't be started;
    /// [`ColonyError::Factory`], [`ColonyError::View`] or [`ColonyError::Statistics`] if your code fails or panics. No colony was built,
    /// and the shards are dropped.
    pub fn new(
        config: ColonyConfig,
        shards: u32,
        factory: impl Fn(Birth<S::View>) -> Result<S, ShardFailure> + Send + Sync + 'static,
    ) -> Result<Self, ColonyError>
    where
        S: Send,
    {
        let factory = Factory::Free(Box::new(move |birth| Ok(Box::new(factory(birth)?))));
        Self::build(config, shards, factory)
    }

    /// Starts a colony in which each shard has a thread of its own, for shards that aren't [`Send`].
    ///
    /// The factory makes each shard on that shard's thread. This call waits for all of them without a deadline, so the factory must not
    /// block forever. A shard whose thread is lost is made again on a new one. [`threads`](ColonyConfig::threads) is validated but
    /// has no effect.
    ///
    /// ```
    /// use std::cell::Cell;
    /// use std::rc::Rc;
    /// use tickring::colony::{Batch, TickContext};
    /// use tickring::publication::ShardFailure;
    /// use tickring::{Colony, ColonyConfig, Shard};
    ///
    /// /// Counts its writes in a cell that can't leave the thread.
    /// struct Counter(Rc<Cell<usize>>);
    ///
    /// impl Shard for Counter {
    ///     type Document = ();
    ///     type View = ();
    ///     fn act(
    ///         &mut self,
    ///         _context: &mut TickContext<'_, (), ()>,
    ///         batch: &mut Batch<'_, ()>,
    ///     ) -> Result<(), ShardFailure> {
    ///         self.0.set(self.0.get() + batch.len());
    ///         Ok(())
    ///     }
    ///     fn view(&mut self) -> Result<(), ShardFailure> {
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let mut colony = Colony::pinned(ColonyConfig::default(), 3, |_| Ok(Counter(Rc::default())))?;
    /// colony.intake().try_upsert(tickring::DocumentId::from_seed(1), ()).expect("there is room");
    /// assert_eq!(colony.tick()?.published, 1);
    /// # Ok::<(), tickring::error::ColonyError>(())
    /// ```
    ///
    /// # Errors
    /// The same as [`new`](Self::new).
    pub fn pinned(
        config: ColonyConfig,
        shards: u32,
        factory: impl Fn(Birth<S::View>) -> Result<S, ShardFailure> + Send + Sync + 'static,
    ) -> Result<Self, ColonyError> {
        let factory = Factory::Pinned(Box::new(move |birth| Ok(Box::new(factory(birth)?))));
        Self::build(config, shards, factory)
    }

    fn build(
        config: ColonyConfig,
        shards: u32,
        factory: Factory<S::Document, S::View>,
    ) -> Result<Self, ColonyError> {
        config.validate(shards as usize)?;
        let coordinator = Coordinator::with_config(config.coordinator(shards as usize))
            .map_err(ColonyError::Coordinator)?;
        let newcomers = (0..shards).map(|_| (lives::info(), lives::registration(None, None)));
        let handles = coordinator
            .register_all(newcomers)
            .map_err(ColonyError::Coordinator)?;
        let births = handles.iter().map(|handle| Birth {
            shard: handle.id(),
            incarnation: handle.incarnation(),
            last: None,
        });
        let room = Room {
            writes: config.inbox_capacity,
            bytes: u64::MAX,
        };
        let factory = Arc::new(Guarded::new(factory));
        let (crew, begun) = begin(&config, &factory, births.collect())?;
        let (mut slots, mut views) = (Vec::new(), Vec::new());
        for (handle, (begun, view)) in handles.into_iter().zip(begun) {
            views.push(Published {
                shard: handle.id(),
                incarnation: handle.incarnation(),
                tick: None,
                frozen: false,
                view,
            });
            let inbox = Arc::new(Inbox::new(room));
            slots.push(Arc::new(Slot::alive(handle, inbox, begun)));
        }
        let epoch = coordinator.load_topology().epoch();
        let publication = published(None, epoch, views)?;
        Ok(Self::start(Start {
            coordinator,
            publication: Arc::new(publication),
            slots,
            collecting: 0,
            encode: None,
            factory,
            config,
            crew,
            room,
        }))
    }

    /// Returns a colony of these parts, in memory.
    pub(super) fn start(start: Start<S::Document, S::View>) -> Self {
        let shared = Shared {
            coordinator: start.coordinator,
            publication: SnapshotCell::new(start.publication),
            admission: RwLock::new(Admission {
                collecting: start.collecting,
                table: Arc::new(Table::new(start.slots)),
                closed: false,
                refusal: None,
            }),
            gate: Gate::starting_at(start.collecting),
            encode: start.encode,
            factory: start.factory,
            moment: AtomicU64::new(0),
        };
        Self {
            shared: Arc::new(shared),
            config: start.config,
            crew: start.crew,
            parts: Vec::new(),
            messages: GuardedList::new(),
            returned: GuardedList::new(),
            moving: Moving::default(),
            behind: BTreeMap::new(),
            journal: None,
            ahead: 0,
            room: start.room,
            unsealed: None,
            ready: None,
            worked: Duration::MAX,
            is_small: false,
            tries: BTreeMap::new(),
            closing: None,
            ended: None,
            over: false,
            unreported: Vec::new(),
            #[cfg(all(feature = "durable", not(any(loom, shuttle))))]
            opened: None,
            shards: PhantomData,
        }
    }
}

/// The parts of a colony that starts.
pub(super) struct Start<D, V: View> {
    pub(super) coordinator: Coordinator,
    pub(super) publication: Arc<Publication<V>>,
    /// By id.
    pub(super) slots: Vec<Arc<Slot<D, V>>>,
    /// The first tick.
    pub(super) collecting: Tick,
    /// In a durable colony.
    pub(super) encode: Option<Encode<D>>,
    pub(super) factory: Arc<Guarded<Factory<D, V>>>,
    pub(super) config: ColonyConfig,
    pub(super) crew: Crew,
    pub(super) room: Room,
}

/// A shard that was made, and its first view.
type First<D, V> = (Begun<D, V>, Arc<Guarded<V>>);

/// Starts the threads and makes the shards: on the calling thread, or each on its own thread at the same time.
fn begin<D: Send + Sync + 'static, V: View>(
    config: &ColonyConfig,
    factory: &Arc<Guarded<Factory<D, V>>>,
    births: Vec<Birth<V>>,
) -> Result<(Crew, Vec<First<D, V>>), ColonyError> {
    let threads = |error: std::io::Error| ColonyError::Threads(Cause::new(error));
    if let Factory::Free(_) = ***factory {
        let crew = Crew::Pool(Pool::new(config.threads).map_err(threads)?);
        let begun: Result<_, _> = births
            .into_iter()
            .map(|birth| first(factory, birth))
            .collect();
        return Ok((crew, begun?));
    }
    let mut crew = Crew::Own(BTreeMap::new());
    let mut begun = Vec::new();
    for birth in births {
        let recruit = crew.recruit().map_err(threads)?;
        crew.enter(birth.shard, recruit);
        let (tell, told) = bounded(1);
        let factory = Arc::clone(factory);
        crew.spawn(birth.shard, move |_| {
            // Nobody receives it if another shard couldn't be made.
            let _ = tell.send(first(&factory, birth));
        });
        begun.push(told);
    }
    // Each task sends a result, because panics of the factory are caught.
    let told = |told: Receiver<Result<_, _>>| told.recv().unwrap_or(Err(ColonyError::Closed));
    let begun: Result<_, _> = begun.into_iter().map(told).collect();
    Ok((crew, begun?))
}

fn first<D: Send + Sync + 'static, V: View>(
    factory: &Factory<D, V>,
    birth: Birth<V>,
) -> Result<First<D, V>, ColonyError> {
    let shard = birth.shard;
    let mut begun = make(factory, birth).map_err(|kind| ColonyError::Factory {
        shard,
        why: kind.to_string(),
    })?;
    let view = begun.view().map_err(|kind| ColonyError::View {
        shard,
        why: kind.to_string(),
    })?;
    Ok((begun, Arc::new(Guarded::new(view))))
}
