//! How a colony comes to be: its threads, its shards' first lives, and what they show first.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use crossbeam::channel::{Receiver, bounded};

use super::Colony;
use super::config::ColonyConfig;
use super::crew::Crew;
use super::gate::Gate;
use super::intake::{Admission, Inbox};
use super::lives;
use super::outcome::published;
use super::pool::Pool;
use super::seat::{Begun, make};
use super::shard::{Birth, Factory, Shard};
use super::shared::Shared;
use super::slot::Slot;
use super::table::Table;
use crate::coordinator::Coordinator;
use crate::error::{Cause, ColonyError};
use crate::guarded::{Guarded, GuardedList};
use crate::publication::{Published, ShardFailure, View};
use crate::sync::{Arc, AtomicU64, RwLock, SnapshotCell};

impl<S: Shard> Colony<S> {
    /// A colony with this number of shards, `shard-0` and on. The factory makes each, on the calling thread, and each is asked for its first view.
    ///
    /// A shard that dies is made again by the factory, in the first phase of the next tick and within its limit, on one of the colony's
    /// threads; several may be made at once. After three lives in a row that ended before they published anything, only
    /// [`revive_shard`](Self::revive_shard) has it tried again.
    ///
    /// # Errors
    /// [`ColonyError::Config`] names what is out of bounds, [`ColonyError::Threads`] if the threads can't be started,
    /// [`ColonyError::Factory`], [`ColonyError::View`] and [`ColonyError::Statistics`] if callers' code fails or panics. Nothing was built;
    /// the shards are dropped.
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

    /// A colony whose shards stay each on a thread of its own, the one on which the factory makes it: for shards that can't leave their thread.
    /// [`threads`](ColonyConfig::threads) is checked and not used. A first life that is never finished keeps this call waiting. A shard whose thread is lost begins its next life on a new one.
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
    /// As [`new`](Self::new).
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
            let inbox = Arc::new(Inbox::new(config.inbox_capacity));
            slots.push(Arc::new(Slot::alive(handle, inbox, begun)));
        }
        let epoch = coordinator.load_topology().epoch();
        let publication = published(None, epoch, views)?;
        let shared = Shared {
            coordinator,
            publication: SnapshotCell::new(Arc::new(publication)),
            admission: RwLock::new(Admission {
                collecting: 0,
                table: Arc::new(Table::new(slots)),
                closed: false,
            }),
            gate: Gate::default(),
            factory,
            moment: AtomicU64::new(0),
        };
        Ok(Self {
            shared: Arc::new(shared),
            config,
            crew,
            parts: Vec::new(),
            messages: GuardedList::new(),
            returned: GuardedList::new(),
            ready: None,
            tries: BTreeMap::new(),
            closing: None,
            ended: None,
            over: false,
            unreported: Vec::new(),
            shards: PhantomData,
        })
    }
}

/// A shard whose life has begun, and its first view.
type First<D, V> = (Begun<D, V>, Arc<Guarded<V>>);

/// Starts the threads and the first lives: on the calling thread, or each on its own, all at once.
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
            // Nobody listens if another shard couldn't be made.
            let _ = tell.send(first(&factory, birth));
        });
        begun.push(told);
    }
    // A first life always tells: its panics are caught.
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
