//! Tests of messages between shards with `PageRank` over a graph: the sums, the order of arrival, and what becomes of messages if shards
//! die.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use tickring::colony::{Batch, Birth, Fault, Origin, ReturnReason, TickContext, Write};
use tickring::publication::ShardFailure;
use tickring::testing::random::Random;
use tickring::{Colony, DocumentId, Shard, ShardId, Tick, TickPhase, Topology};

use crate::pagerank::{Page, Ranks, make};
use crate::{GENEROUS, config, faulty};

/// The vertices of a graph and their links.
type Graph = BTreeMap<DocumentId, Arc<[DocumentId]>>;

/// Some vertices are more popular than others, and some links are repeated.
fn graph(vertices: u64, links: usize, seed: u64) -> Graph {
    let mut random = Random::new(seed);
    let mut graph: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for vertex in 0..vertices {
        graph.insert(DocumentId::from_seed(vertex), Vec::new());
    }
    for _ in 0..links {
        let from = random.range(0, vertices);
        let popular = random.range(0, vertices) + 1;
        let to = random.range(0, popular);
        let links = graph.get_mut(&DocumentId::from_seed(from));
        links.unwrap().push(DocumentId::from_seed(to));
    }
    let graph = graph.into_iter();
    graph
        .map(|(vertex, links)| (vertex, links.into()))
        .collect()
}

/// Computes the ranks after this number of rounds, one vertex after the other.
#[expect(clippy::cast_precision_loss, reason = "a vertex has few links")]
fn naive(graph: &Graph, rounds: u64) -> BTreeMap<DocumentId, u64> {
    let mut ranks: BTreeMap<_, _> = graph.keys().map(|&vertex| (vertex, 1.0)).collect();
    for _ in 0..rounds {
        let mut sums: BTreeMap<_, f64> = graph.keys().map(|&vertex| (vertex, 0.0)).collect();
        for (from, links) in graph {
            for to in links.iter() {
                *sums.get_mut(to).unwrap() += ranks[from] / links.len() as f64;
            }
        }
        ranks = sums
            .into_iter()
            .map(|(to, sum)| (to, 0.15 + 0.85 * sum))
            .collect();
    }
    ranks
        .into_iter()
        .map(|(vertex, rank)| (vertex, rank.to_bits()))
        .collect()
}

/// A message: its sender and the link that it followed.
type Message = (ShardId, DocumentId, DocumentId);

/// The messages that each shard received, by tick.
type Arrived = BTreeMap<(Tick, ShardId), Vec<Message>>;
type Arrivals = Arc<Mutex<Arrived>>;

/// A shard that ranks vertices, records the messages, and dies on request.
struct Noting {
    ranks: Ranks,
    arrivals: Arrivals,
    deaths: &'static [(Tick, TickPhase, u32)],
}

impl Noting {
    fn die(&self, phase: TickPhase, context: &TickContext<'_, Page, Ranks>) {
        let here = (context.tick(), phase, context.shard().as_u32());
        assert!(!self.deaths.contains(&here), "on purpose");
    }
}

fn message(from: ShardId, write: &Write<Page>) -> Option<Message> {
    match write.document().map(|page| &**page) {
        Some(Page::Part { from: source, .. }) => Some((from, *source, write.id())),
        _ => None,
    }
}

impl Shard for Noting {
    type Document = Page;
    type View = Ranks;

    fn sense(&mut self, context: &mut TickContext<'_, Page, Ranks>) -> Result<(), ShardFailure> {
        self.die(TickPhase::Sense, context);
        Ok(())
    }

    fn act(
        &mut self,
        context: &mut TickContext<'_, Page, Ranks>,
        batch: &mut Batch<'_, Page>,
    ) -> Result<(), ShardFailure> {
        let arrived = batch.iter().filter_map(|(_, origin, write)| match origin {
            Origin::Shard(from) => message(from, write),
            _ => None,
        });
        let at = (context.tick(), context.shard());
        self.arrivals.lock().unwrap().insert(at, arrived.collect());
        self.ranks.act(context, batch)?;
        self.die(TickPhase::Act, context);
        Ok(())
    }

    fn advance(&mut self, context: &mut TickContext<'_, Page, Ranks>) -> Result<(), ShardFailure> {
        self.die(TickPhase::Advance, context);
        Ok(())
    }

    fn view(&mut self) -> Result<Ranks, ShardFailure> {
        self.ranks.view()
    }
}

/// A colony that will take in the graph in its first tick.
fn noting(
    graph: &Graph,
    shards: u32,
    deaths: &'static [(Tick, TickPhase, u32)],
) -> (Colony<Noting>, Arrivals) {
    let arrivals = Arrivals::default();
    let noted = Arc::clone(&arrivals);
    let make = move |birth: Birth<Ranks>| {
        let (ranks, arrivals) = (make(birth)?, Arc::clone(&noted));
        Ok(Noting {
            ranks,
            arrivals,
            deaths,
        })
    };
    let colony = Colony::new(
        crate::ColonyConfig {
            inbox_capacity: 1 << 16,
            ..config(GENEROUS)
        },
        shards,
        make,
    )
    .unwrap();
    for (vertex, links) in graph {
        colony
            .intake()
            .try_add(*vertex, Page::Vertex(Arc::clone(links)))
            .unwrap();
    }
    (colony, arrivals)
}

const ROUNDS: u64 = 3;

/// Returns the ranks after the last round, as bits, and the messages that arrived until then.
fn run(graph: &Graph, shards: u32) -> (BTreeMap<DocumentId, u64>, Arrived) {
    let (mut colony, arrivals) = noting(graph, shards, &[]);
    let links: usize = graph.values().map(|links| links.len()).sum();
    for tick in 0..=ROUNDS {
        let report = colony.tick().unwrap();
        assert!(report.faults.is_empty() && report.returned.is_empty());
        assert_eq!(report.messages.sent, links);
        assert_eq!(report.messages.published, if tick == 0 { 0 } else { links });
    }
    let publication = colony.publication();
    let vertices = publication
        .shards()
        .iter()
        .flat_map(|shard| &shard.view().0);
    let ranks = vertices
        .map(|(vertex, state)| (*vertex, state.rank.to_bits()))
        .collect();
    drop(colony);
    let arrivals = std::mem::take(&mut *arrivals.lock().unwrap());
    (ranks, arrivals)
}

#[test]
fn ranks_by_messages_are_the_sequential_ones_to_the_bit_for_any_number_of_shards() {
    let graph = graph(10_000, 100_000, 1);
    let expected = naive(&graph, ROUNDS);
    for shards in [1, 2, 4, 7] {
        let (ranks, _) = run(&graph, shards);
        assert!(ranks == expected, "{shards} shards");
    }
}

/// Sorts by the sender's id, then by the order of its calls, which is by vertex and then by link.
#[test]
fn messages_arrive_in_the_same_order_in_every_run() {
    let graph = graph(100, 1_000, 2);
    let (_, first) = run(&graph, 4);
    for arrived in first.values() {
        assert!(arrived.is_sorted_by_key(|&(shard, from, _)| (shard, from)));
        for vertex in arrived.chunk_by(|one, next| one.1 == next.1) {
            let links = graph[&vertex[0].1]
                .iter()
                .filter(|to| vertex.iter().any(|(_, _, sent)| sent == *to));
            assert!(vertex.iter().map(|(_, _, to)| to).eq(links));
        }
    }
    for run_again in 1..100 {
        assert!(run(&graph, 4).1 == first, "run {run_again}");
    }
}

/// Counts how often each message occurs.
fn counted(messages: impl IntoIterator<Item = Message>) -> HashMap<Message, usize> {
    let mut counts = HashMap::new();
    for message in messages {
        *counts.entry(message).or_default() += 1;
    }
    counts
}

/// Returns the messages that live shards send in one tick.
fn sends(graph: &Graph, topology: &Topology, dead: &[ShardId]) -> HashMap<Message, usize> {
    counted(graph.iter().flat_map(|(&from, links)| {
        let sender = topology.place(&from).unwrap();
        let links = links.iter().filter(move |_| !dead.contains(&sender));
        links.map(move |&to| (sender, from, to))
    }))
}

#[test]
fn every_message_is_delivered_returned_or_reported_if_shards_die_on_the_way() {
    const DEATHS: &[(Tick, TickPhase, u32)] = &[
        (2, TickPhase::Act, 1),
        (4, TickPhase::Advance, 0),
        (4, TickPhase::Sense, 3),
        (5, TickPhase::Advance, 1),
        (6, TickPhase::Act, 2),
    ];
    let graph = graph(1_000, 10_000, 3);
    let (mut colony, arrivals) = noting(&graph, 4, DEATHS);
    let topology = colony.topology();
    let of = |shard| -> usize {
        let owned = graph
            .iter()
            .filter(|(id, _)| topology.place(id) == Ok(shard));
        owned.map(|(_, links)| links.len()).sum()
    };
    let (mut sent, mut suspects, mut waited) = (HashMap::new(), 0, 0);
    for tick in 0..9 {
        let report = colony.tick().unwrap();
        let dead = faulty(&report);
        let told: Vec<_> = DEATHS.iter().filter(|death| death.0 == tick).collect();
        assert_eq!(dead.len(), told.len());
        // Messages of shards that died in this tick were never sent.
        for fault @ Fault { shard, phase, .. } in &report.faults {
            let began = *phase != TickPhase::Sense;
            assert_eq!(fault.unsent, if began { of(*shard) } else { 0 }, "{fault}");
        }
        // A message of the previous tick has arrived at a shard that finished this tick, or was returned.
        let arrivals = std::mem::take(&mut *arrivals.lock().unwrap());
        let arrived = arrivals
            .into_iter()
            .filter(|((_, shard), _)| !dead.contains(shard));
        let arrived: Vec<_> = arrived.flat_map(|(_, messages)| messages).collect();
        assert_eq!(report.messages.published, arrived.len());
        let returned = report.returned.iter().map(|returned| {
            match returned.reason {
                ReturnReason::Died { suspect: true } => suspects += 1,
                ReturnReason::Died { suspect: false } => waited += 1,
                ref other => panic!("{other}"),
            }
            assert!(returned.shard.is_some_and(|shard| dead.contains(&shard)));
            let Origin::Shard(from) = returned.origin else {
                panic!("{:?}", returned.origin);
            };
            message(from, &returned.write).unwrap()
        });
        let all: Vec<_> = returned.chain(arrived).collect();
        assert!(counted(all) == sent, "tick {tick}");
        sent = sends(&graph, &topology, &dead);
        assert_eq!(report.messages.sent, sent.values().sum::<usize>());
    }
    assert!(suspects > 1_000 && waited > 1_000, "{suspects}, {waited}");
}
