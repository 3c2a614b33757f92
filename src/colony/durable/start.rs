//! The start of a colony whose shards were recovered: the checkpoint that comes before everything else, the threads, the journal.

use std::collections::BTreeMap;
use std::sync::Weak;

use crossbeam::channel::bounded;

use super::checkpoint::{Checkpoints, Job, write};
use super::config::DurableConfig;
use super::distance::Length;
use super::kind::Kind;
use super::last_ticks::LastTicks;
use super::ledger::{Found, Ledger, Lives, Parts, Position, too_large};
use super::open::{names, shown_tick};
use super::quarantine;
use super::recover::Recovered;
use super::rescue::Source;
use super::saved::LifeFiles;
use super::shard::DurableShard;
use super::store::Store;
use super::stored::{Stored, encode_goal, encode_ring};
use super::writer::Writer;
use crate::colony::Colony;
use crate::colony::intake::{Inbox, Room};
use crate::colony::lives::{info, registration};
use crate::colony::occupant::Begun;
use crate::colony::pool::Pool;
use crate::colony::settle::published;
use crate::colony::shard::Factory;
use crate::colony::slot::Slot;
use crate::colony::start::Start;
use crate::colony::threads::Crew;
use crate::coordinator::{Coordinator, ShardHandle};
use crate::error::{Cause, ColonyError};
use crate::guarded::Guarded;
use crate::id::{Epoch, Incarnation, ShardId};
use crate::membership::{Action, Command, Newcomer};
use crate::observe;
use crate::publication::{Publication, Published, View};
use crate::storage::Directory;
use crate::storage::codec::TooLong;
use crate::storage::leftovers::{self, Leftover};
use crate::storage::log::Log;
use crate::storage::manifest::Manifest;
use crate::sync::{Arc, Instant, Mutex};
use crate::topology::Topology;

/// A directory whose shards were recovered.
pub(super) struct Opened<D, V: View> {
    /// The directory, whose lock ends with this. `None` for the files of a test.
    pub(super) directory: Option<Directory>,
    pub(super) source: Source<D, V>,
    pub(super) recovered: Recovered<D, V>,
    pub(super) leftovers: Vec<Leftover>,
    pub(super) begun: Instant,
}

/// Starts the colony.
pub(super) fn begin<S: DurableShard>(
    config: DurableConfig,
    opened: Opened<S::Document, S::View>,
) -> Result<Colony<S>, ColonyError> {
    let Opened {
        directory,
        mut source,
        recovered,
        leftovers,
        begun,
    } = opened;
    let (kind, store) = (Arc::clone(&source.kind), Arc::clone(&source.store));
    let Recovered {
        shards,
        topology,
        wanted,
        next_shard,
        tick,
        sent,
        messages,
        log,
        quarantine,
        mut report,
        ..
    } = recovered;
    let manifest = store.manifest();
    let last_ticks = manifest.last_ticks.clone();
    let coordinator =
        Coordinator::with_config(config.colony.coordinator(0)).map_err(ColonyError::Coordinator)?;
    let handles = register(&coordinator, &manifest, &topology)?;
    coordinator
        .begin_at(tick.saturating_add(1))
        .map_err(ColonyError::Coordinator)?;
    let room = Room {
        writes: config.colony.inbox_capacity,
        bytes: config.inbox_bytes,
    };
    let (mut slots, mut views, mut lives) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (handle, up) in handles.into_iter().zip(shards) {
        let key = (handle.id(), handle.incarnation());
        views.push(Published {
            shard: handle.id(),
            incarnation: handle.incarnation(),
            tick: Some(tick),
            frozen: false,
            view: up.made.view,
        });
        let metrics = up.made.metrics;
        // Refused only if the shard isn't registered.
        let _ = handle.update_metrics(metrics.documents, metrics.memory_bytes);
        lives.insert(key, Arc::new(up.life));
        let inbox = Arc::new(Inbox::new(room));
        slots.push(Arc::new(Slot::alive(handle, inbox, Begun::alive(up.held))));
    }
    let epoch = coordinator.load_topology().epoch();
    let publication = Arc::new(published(shown_tick(tick), epoch, views)?);
    let stored = Stored {
        ring: encode_ring(topology.ring()).into(),
        goal: encode_goal(wanted.as_ref()).into(),
    };
    let position = Position {
        tick,
        seq: log.next_seq - 1,
        stored: stored.clone(),
        length: Length::default(),
    };
    let encoded = quarantine::encode(&quarantine)
        .map_err(|TooLong(bytes)| too_large("the quarantine", bytes))?;
    let first = Manifest {
        seq: position.seq,
        tick,
        next_log: log.next_number,
        ring: stored.ring.to_vec(),
        goal: stored.goal.to_vec(),
        next_shard,
        quarantine: encoded,
        sent: sent.clone(),
        epoch: epoch.get(),
        ..manifest
    };
    // The log is applied. The checkpoint makes this durable, so that no power cut brings the attempt back.
    drop(source.attempts.take());
    first_checkpoint(&kind, &store, &publication, &lives, first)?;
    store.opened();
    leftovers::remove(&*store.files, &leftovers)?;
    report.removed = names(&leftovers);
    let mut log = Log::new(
        Arc::clone(&store.files),
        manifest.colony,
        config.log_bytes,
        log,
    );
    log.remove_through(tick)?;

    let lives: Lives = Arc::new(Mutex::new(lives));
    let factory = factory(
        Arc::clone(&kind),
        Arc::downgrade(&store),
        Arc::clone(&lives),
    );
    let threads = |error: std::io::Error| ColonyError::Threads(Cause::new(error));
    let crew = Crew::Pool(Pool::new(config.colony.threads).map_err(threads)?);
    let to_encode = Arc::clone(&kind);
    let mut colony = Colony::start(Start {
        coordinator,
        publication,
        slots,
        collecting: tick.saturating_add(1),
        encode: Some(Arc::new(move |write, out| to_encode.encode(write, out))),
        factory: Arc::new(Guarded::new(factory)),
        config: config.colony.clone(),
        crew,
        room,
    });
    let shared = Arc::clone(&colony.shared);
    shared.gate.durable(tick);
    let gate = Arc::clone(&shared);
    let writer = Writer::start(log, move |tick| gate.gate.durable(tick)).map_err(threads)?;
    let written = (directory.clone(), Arc::clone(&store));
    let checkpoints =
        Checkpoints::start(Arc::clone(&kind), written, writer.cutter()).map_err(threads)?;
    let parts = Parts {
        shared,
        source,
        lives,
        config,
    };
    let found = Found {
        position,
        ring: Arc::clone(topology.ring()),
        next_shard,
        quarantine,
        sent,
        last_ticks: LastTicks::listed(&last_ticks)?,
    };
    let ledger = Ledger::new(directory, Arc::new(parts), writer, checkpoints, found);
    if let Some(wanted) = wanted {
        let taken = colony.take_up(wanted);
        taken.map_err(|error| ColonyError::Coordinator(error.into()))?;
    }
    colony.messages = messages;
    colony.journal = Some(Box::new(ledger));
    report.elapsed = begun.elapsed();
    observe::opened(&report);
    colony.opened = Some(report);
    Ok(colony)
}

/// Registers the shards, with numbers above all that were ever given, on the ring that they have come to.
fn register(
    coordinator: &Coordinator,
    manifest: &Manifest,
    last: &Topology,
) -> Result<Vec<ShardHandle>, ColonyError> {
    let first = Incarnation::new(manifest.next_incarnation);
    let newcomers = last.ring().members().iter().enumerate();
    let newcomers = newcomers.map(|(at, member)| {
        let mut wanted = registration(Some(member.shard), Some(member.weight));
        wanted.incarnation = first.filter(|_| at == 0);
        Newcomer::new(info(), wanted)
    });
    let epoch = manifest.epoch.max(last.epoch().get());
    let epoch = Epoch::new(epoch.saturating_add(1));
    let command = Command::at(epoch, Action::Register(newcomers.collect()));
    let registered = coordinator.apply(command);
    let handles = registered.map_err(ColonyError::Coordinator)?;
    let at_rest = coordinator.topology();
    if at_rest.ring() != last.ring() {
        let replaced = coordinator.replace_ring(at_rest.ring(), last.ring());
        replaced.map_err(ColonyError::Coordinator)?;
    }
    Ok(handles)
}

/// Writes the checkpoint that comes before anything is removed or acknowledged.
fn first_checkpoint<D: Send + Sync + 'static, V: View>(
    kind: &Kind<D, V>,
    store: &Store,
    publication: &Arc<Publication<V>>,
    lives: &BTreeMap<(ShardId, Incarnation), Arc<LifeFiles>>,
    mut manifest: Manifest,
) -> Result<(), ColonyError> {
    let given = lives.keys().map(|(_, incarnation)| incarnation.get());
    let next = given.max().map_or(0, |last| last.saturating_add(1));
    manifest.next_incarnation = manifest.next_incarnation.max(next).max(store.next_life());
    let (tell, told) = bounded(1);
    // There is room for it.
    let _ = tell.send(manifest.next_log);
    let files = lives.iter();
    let job = Job {
        publication: Arc::clone(publication),
        lives: files
            .map(|(&(shard, _), life)| (shard, Arc::clone(life)))
            .collect(),
        manifest,
        next_log: told,
    };
    write(kind, store, job).map(drop)
}

/// Makes the shards that are added. Intakes and readers keep it after the end of the colony, which needs no files any more.
fn factory<D: Send + Sync + 'static, V: View>(
    kind: Arc<Kind<D, V>>,
    store: Weak<Store>,
    lives: Lives,
) -> Factory<D, V> {
    Factory::Free(Box::new(move |birth| {
        let made = kind
            .open(birth.shard, None)
            .map_err(|kind| kind.to_string())?;
        let store = store.upgrade().ok_or("the colony has ended")?;
        let life = store.life(birth.shard, &[]);
        let key = (birth.shard, birth.incarnation);
        lives.lock().insert(key, Arc::new(life));
        Ok(made)
    }))
}
