//! The replacement for phago-distributed's colonies: a small graph, as its users would write it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use tickring::colony::{Batch, Birth, Stop, TickContext, Write};
use tickring::publication::{Publication, ShardFailure};
use tickring::{Colony, ColonyConfig, Config, DocumentId, Shard, View};

use crate::phago;
use crate::places::documents;

/// A document under a node's id: the node itself, or an edge to it.
enum Fact {
    Node {
        label: &'static str,
        links: Vec<DocumentId>,
    },
    Edge {
        from: DocumentId,
    },
}

#[derive(Clone, Default)]
struct Node {
    label: &'static str,
    links: Vec<DocumentId>,
    edges: BTreeSet<DocumentId>,
    /// The labels of the linked nodes, in whichever shard they are.
    seen: Vec<&'static str>,
}

/// A shard of a graph that can't leave its thread because of the `Rc`.
struct Pinned {
    nodes: Rc<RefCell<Nodes>>,
    thread: ThreadId,
}

/// The nodes of one shard. The type is also a shard by itself, and its own view.
#[derive(Clone, Default)]
struct Nodes(BTreeMap<DocumentId, Node>);

impl Nodes {
    #[expect(clippy::unnecessary_wraps, reason = "a factory")]
    fn begin(birth: Birth<Self>) -> Result<Self, ShardFailure> {
        let last = birth.last.map(|last| last.view().clone());
        Ok(last.unwrap_or_default())
    }

    /// Looks up linked nodes as of the last tick, which is what a ghost cache was for.
    fn look(&mut self, last: &Publication<Self>) {
        let label = |id| {
            let mut views = last.shards().iter();
            views.find_map(|shard| shard.view().0.get(id).map(|node| node.label))
        };
        for node in self.0.values_mut() {
            node.seen = node.links.iter().filter_map(label).collect();
        }
    }

    fn apply(&mut self, context: &mut TickContext<'_, Fact, Self>, batch: &Batch<'_, Fact>) {
        for (_, _, write) in batch.iter() {
            let id = write.id();
            match write.document().map(|fact| &**fact) {
                Some(Fact::Node { label, links }) => {
                    let node = self.0.entry(id).or_default();
                    (node.label, node.links) = (label, links.clone());
                    for &to in links {
                        let document = Arc::new(Fact::Edge { from: id });
                        // In a colony's last tick no message can be sent.
                        let _ = context.send(Write::Upsert { id: to, document });
                    }
                }
                Some(Fact::Edge { from }) => {
                    self.0.entry(id).or_default().edges.insert(*from);
                }
                None => drop(self.0.remove(&id)),
            }
        }
    }
}

impl Shard for Nodes {
    type Document = Fact;
    type View = Self;

    fn sense(&mut self, context: &mut TickContext<'_, Fact, Self>) -> Result<(), ShardFailure> {
        self.look(context.publication());
        Ok(())
    }
    fn act(
        &mut self,
        context: &mut TickContext<'_, Fact, Self>,
        batch: &mut Batch<'_, Fact>,
    ) -> Result<(), ShardFailure> {
        self.apply(context, batch);
        Ok(())
    }
    fn view(&mut self) -> Result<Self, ShardFailure> {
        Ok(self.clone())
    }
}

impl Shard for Pinned {
    type Document = Fact;
    type View = Nodes;

    fn act(
        &mut self,
        context: &mut TickContext<'_, Fact, Nodes>,
        batch: &mut Batch<'_, Fact>,
    ) -> Result<(), ShardFailure> {
        if thread::current().id() != self.thread {
            return Err("it left its thread".into());
        }
        self.nodes.borrow_mut().apply(context, batch);
        Ok(())
    }
    fn view(&mut self) -> Result<Nodes, ShardFailure> {
        Ok(self.nodes.borrow().clone())
    }
}

impl View for Nodes {
    /// The number of nodes.
    type Statistics = usize;

    fn holds(&self, document: DocumentId) -> bool {
        self.0.contains_key(&document)
    }
    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        Ok(self.0.keys().copied().collect())
    }
    fn statistics(views: &[&Self]) -> Result<usize, ShardFailure> {
        Ok(views.iter().map(|nodes| nodes.0.len()).sum())
    }
}

const NODES: u64 = 100;

/// Returns node `n` of a graph in which each node links to two others.
fn node(n: u64) -> (DocumentId, Fact) {
    let links = [n * 3 + 1, n + 1].map(|to| DocumentId::from_seed(to % NODES));
    let label = if n.is_multiple_of(2) { "even" } else { "odd" };
    let links = links.to_vec();
    (DocumentId::from_seed(n), Fact::Node { label, links })
}

fn graph() -> Colony<Nodes> {
    let colony = Colony::new(ColonyConfig::default(), 4, Nodes::begin).unwrap();
    for (id, fact) in (0..NODES).map(node) {
        colony.intake().try_add(id, fact).unwrap();
    }
    colony
}

#[test]
fn m5_a_shard_that_cannot_leave_its_thread_runs_in_a_pinned_colony() {
    let begin = |birth: Birth<Nodes>| {
        let nodes = Rc::new(RefCell::new(Nodes::begin(birth)?));
        let thread = thread::current().id();
        Ok(Pinned { nodes, thread })
    };
    let mut colony = Colony::pinned(ColonyConfig::default(), 4, begin).unwrap();
    for (id, fact) in (0..NODES).map(node) {
        colony.intake().try_add(id, fact).unwrap();
    }
    for _ in 0..3 {
        assert_eq!(colony.tick().unwrap().faults, []);
    }
    assert_eq!(*colony.publication().statistics(), 100);
}

#[test]
#[expect(clippy::cast_precision_loss, reason = "a node has few edges")]
fn m5_top_k_over_one_s_own_shards_is_the_order_of_a_sort() {
    let mut colony = graph();
    for _ in 0..2 {
        colony.tick().unwrap();
    }
    let publication = colony.publication();
    let score = |(id, node): (&DocumentId, &Node)| (node.edges.len() as f32, *id);
    let top = publication.top(10, |shard| shard.view().0.iter().map(score));
    let found: Vec<_> = top
        .unwrap()
        .iter()
        .map(|hit| (hit.score, hit.document))
        .collect();

    let shards = publication.shards().iter();
    let mut all: Vec<_> = shards
        .flat_map(|shard| shard.view().0.iter().map(score))
        .collect();
    all.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
    assert_eq!(found, all[..10]);
}

#[test]
fn m5_an_edge_to_another_shard_is_a_message() {
    let mut colony = graph();
    let first = colony.tick().unwrap();
    assert_eq!((first.published, first.messages.sent), (100, 200));
    let second = colony.tick().unwrap();
    assert_eq!((second.messages.published, second.returned.len()), (200, 0));

    let mut expected = BTreeMap::<_, BTreeSet<_>>::new();
    for (from, fact) in (0..NODES).map(node) {
        let Fact::Node { links, .. } = fact else {
            continue;
        };
        for to in links {
            expected.entry(to).or_default().insert(from);
        }
    }
    let publication = colony.publication();
    let nodes = publication
        .shards()
        .iter()
        .flat_map(|shard| &shard.view().0);
    let edges: BTreeMap<_, _> = nodes.map(|(&id, node)| (id, node.edges.clone())).collect();
    assert_eq!(edges, expected);
}

#[test]
fn m5_a_phase_sees_all_shards_as_the_last_tick_left_them() {
    let mut colony = graph();
    let seen = |colony: &Colony<Nodes>| {
        let publication = colony.publication();
        let nodes = publication
            .shards()
            .iter()
            .flat_map(|shard| &shard.view().0);
        let seen: Vec<_> = nodes.map(|(_, node)| node.seen.clone()).collect();
        seen
    };
    colony.tick().unwrap();
    assert!(
        seen(&colony).iter().all(Vec::is_empty),
        "nothing was published before"
    );
    colony.tick().unwrap();
    // Nodes with even numbers link to two with odd numbers, and vice versa.
    for (id, node) in colony
        .publication()
        .shards()
        .iter()
        .flat_map(|shard| &shard.view().0)
    {
        let other = if node.label == "even" { "odd" } else { "even" };
        assert_eq!(node.seen, [other, other], "{id}");
    }
}

#[test]
fn m5_a_colony_ticks_by_itself_until_it_is_stopped() {
    let mut colony = Colony::new(ColonyConfig::default(), 4, Nodes::begin).unwrap();
    let (intake, reader, stop) = (colony.intake(), colony.reader(), Stop::new());
    let (sender, reports) = mpsc::channel();
    thread::scope(|scope| {
        let sign = stop.clone();
        let driver = scope.spawn(move || {
            colony.run(&sign, Duration::from_millis(1), |_, report| {
                // Nobody need listen.
                let _ = sender.send(report.published);
                ControlFlow::Continue(())
            })
        });
        let deadline = Instant::now() + Duration::from_secs(60);
        for (id, fact) in (0..NODES).map(node) {
            let ticket = intake.add(id, fact, deadline).unwrap();
            if id == DocumentId::from_seed(NODES - 1) {
                intake.wait_published(ticket.tick(), deadline).unwrap();
            }
        }
        assert_eq!(*reader.publication().statistics(), 100);
        stop.stop();
        driver.join().unwrap().unwrap();
    });
    assert_eq!(reports.iter().sum::<usize>(), 100);
}

#[test]
fn m1_a_colony_places_with_the_preset_s_placement() {
    let config = ColonyConfig {
        placement: Config::phago().placement,
        ..ColonyConfig::default()
    };
    let colony = Colony::new(config, 7, Nodes::begin).unwrap();
    let topology = colony.topology();
    let coordinator = phago(7);
    for document in documents().take(1_000) {
        let theirs = coordinator.route_document(&document);
        assert_eq!(topology.place(&document), theirs);
    }
}
