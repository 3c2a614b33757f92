//! Four real colonies of phago's own runtime, as shards of ours with a thread each, compared with phago's own runner.

use std::cell::RefCell;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use phago_agents::digester::Digester;
use phago_core::types::Position;
use phago_distributed::bench::generate_documents;
use phago_distributed::{
    ConsistentHashRing, DistributedRunner, RunnerConfig, ShardedColony, types as theirs,
};
use phago_runtime::colony::ColonyConfig;
use tickring::colony::{Batch, Birth, TickContext};
use tickring::publication::ShardFailure;
use tickring::{Colony, Coordinator, DocumentId, Shard, ShardId, TickPhase, View};
use tokio::sync::RwLock;

use crate::Scope;
use crate::measure::{pair, timed};
use crate::report::{Goal, Report};

const COLONIES: u32 = 4;
const AGENTS: u64 = 20;
const DOCUMENTS: usize = 500;

fn colony(id: u32) -> ShardedColony {
    let ring = Arc::new(RwLock::new(ConsistentHashRing::new(COLONIES)));
    let mut colony = ShardedColony::new(theirs::ShardId::new(id), ColonyConfig::default(), ring);
    for agent in 0..AGENTS {
        let position = Position::new(agent as f64 * 5.0, f64::from(id));
        let seed = u64::from(id) * AGENTS + agent;
        colony
            .local_mut()
            .spawn(Box::new(Digester::with_seed(position, seed)));
    }
    for (number, (title, content)) in generate_documents(DOCUMENTS).into_iter().enumerate() {
        let position = Position::new((number % 100) as f64, (number / 100) as f64);
        colony.ingest_document_direct(&title, &content, position);
    }
    colony
}

fn size(colony: &ShardedColony) -> (usize, usize) {
    let stats = colony.stats();
    (stats.graph_nodes, stats.graph_edges)
}

/// One of their colonies as a shard of ours. It can't leave its thread.
struct Local(ShardedColony);

type Context<'a, 'b> = &'a mut TickContext<'b, (), Size>;

impl Shard for Local {
    type Document = ();
    type View = Size;

    fn sense(&mut self, _: Context<'_, '_>) -> Result<(), ShardFailure> {
        self.0.tick_phase(theirs::TickPhase::Sense);
        Ok(())
    }

    fn act(&mut self, _: Context<'_, '_>, _: &mut Batch<'_, ()>) -> Result<(), ShardFailure> {
        self.0.tick_phase(theirs::TickPhase::Act);
        Ok(())
    }

    fn decay(&mut self, _: Context<'_, '_>) -> Result<(), ShardFailure> {
        self.0.tick_phase(theirs::TickPhase::Decay);
        Ok(())
    }

    fn advance(&mut self, _: Context<'_, '_>) -> Result<(), ShardFailure> {
        self.0.tick_phase(theirs::TickPhase::Advance);
        Ok(())
    }

    fn view(&mut self) -> Result<Size, ShardFailure> {
        let (nodes, edges) = size(&self.0);
        Ok(Size { nodes, edges })
    }
}

/// The view of one colony.
struct Size {
    nodes: usize,
    edges: usize,
}

impl View for Size {
    type Statistics = ();

    fn holds(&self, _: DocumentId) -> bool {
        false
    }

    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        Ok(Vec::new())
    }

    fn statistics(_: &[&Self]) -> Result<(), ShardFailure> {
        Ok(())
    }
}

/// Returns the time of the ticks, and the final views of the colonies.
fn pinned(ticks: u64) -> (Duration, Vec<(usize, usize)>) {
    let make = |birth: Birth<Size>| Ok(Local(colony(birth.shard.as_u32())));
    let config = tickring::ColonyConfig::default();
    let mut led = Colony::pinned(config, COLONIES, make).expect("threads can be started");
    let took = timed(|| {
        for _ in 0..ticks {
            assert!(led.tick().expect("it isn't closed").faults.is_empty());
        }
    });
    let publication = led.publication();
    let views = publication.shards().iter().map(|shard| shard.view());
    (took, views.map(|view| (view.nodes, view.edges)).collect())
}

/// The same with a coordinator and the caller's own threads. Without waits, each colony runs by itself.
fn led_by_us(ticks: u64, waits: bool) -> (Duration, Vec<(usize, usize)>) {
    let coordinator = Coordinator::new(COLONIES).expect("within the bounds");
    let start = Barrier::new(COLONIES as usize);
    let one = |id: u32| {
        let mut colony = colony(id);
        start.wait();
        let begun = Instant::now();
        for tick in 0..ticks {
            for (phase, work) in [
                (TickPhase::Sense, theirs::TickPhase::Sense),
                (TickPhase::Act, theirs::TickPhase::Act),
                (TickPhase::Decay, theirs::TickPhase::Decay),
                (TickPhase::Advance, theirs::TickPhase::Advance),
            ] {
                colony.tick_phase(work);
                if !waits {
                    continue;
                }
                coordinator
                    .phase_complete(ShardId::new(id), phase, tick)
                    .expect("a member, in time");
                coordinator.wait_for_phase(phase, tick).expect("all arrive");
            }
            if id == 0 && waits {
                coordinator.advance_tick();
            }
        }
        (begun.elapsed(), size(&colony))
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..COLONIES)
            .map(|id| scope.spawn(move || one(id)))
            .collect();
        let results = threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"));
        let (times, sizes): (Vec<_>, Vec<_>) = results.unzip();
        (times.into_iter().max().unwrap_or_default(), sizes)
    })
}

fn led_by_them(ticks: u64) -> (Duration, Vec<(usize, usize)>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("threads can be started");
    #[expect(clippy::arc_with_non_send_sync, reason = "it is what the runner takes")]
    let shards: Vec<_> = (0..COLONIES)
        .map(|id| Arc::new(RwLock::new(colony(id))))
        .collect();
    let runner = DistributedRunner::new(
        Arc::new(phago_distributed::Coordinator::new(COLONIES)),
        shards,
        RunnerConfig::default(),
    );
    let begun = Instant::now();
    runtime
        .block_on(runner.run(ticks))
        .expect("its phases complete");
    let took = begun.elapsed();
    let sizes = runner
        .shards()
        .iter()
        .map(|shard| size(&shard.blocking_read()))
        .collect();
    (took, sizes)
}

pub fn run(report: &mut Report, scope: Scope) {
    let ticks = 60;
    let sizes = RefCell::new(Vec::new());
    let mut ours = || {
        let (took, size) = pinned(ticks);
        sizes.borrow_mut().push(size);
        took
    };
    let mut theirs = || {
        let (took, size) = led_by_them(ticks);
        sizes.borrow_mut().push(size);
        took
    };
    let mut by_hand = || {
        let (took, size) = led_by_us(ticks, true);
        sizes.borrow_mut().push(size);
        took
    };
    let mut alone = || led_by_us(ticks, false).0;
    let rounds = scope.rounds(7);
    let result = pair(rounds, ticks as f64, &mut ours, &mut theirs);
    let threads = pair(rounds, ticks as f64, &mut by_hand, &mut theirs);
    let limit = pair(rounds, ticks as f64, &mut alone, &mut theirs);
    report.pair(
        "T1",
        format!(
            "a tick of {COLONIES} phago colonies, {AGENTS} agents and {DOCUMENTS} documents each"
        ),
        Goal::AtLeast(1.75),
        result,
    );
    report.pair(
        "T1",
        "the same by a coordinator and threads of one's own",
        Goal::AtLeast(1.75),
        threads,
    );
    report.pair(
        "T1",
        "the limit: the same threads, each of which goes on alone",
        Goal::Shown,
        limit,
    );
    let totals = sizes.into_inner().into_iter().map(|run| {
        run.into_iter()
            .fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1))
    });
    let (nodes, edges): (Vec<_>, Vec<_>) = totals.unzip();
    report.note("T1: their runner has the four colonies go one after the other on one thread; ours gives each a thread, on two cores.");
    report.note(format!(
        "T1: after {ticks} ticks the four colonies have {} nodes and {} edges together, whichever side led them.",
        range(&nodes),
        range(&edges),
    ));
}

fn range(counts: &[usize]) -> String {
    let (least, most) = (counts.iter().min(), counts.iter().max());
    match (least, most) {
        (Some(least), Some(most)) if least < most => format!("{least} to {most}"),
        (Some(least), _) => least.to_string(),
        _ => "no".to_owned(),
    }
}
