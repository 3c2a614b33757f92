//! `PageRank` with messages. A vertex is a document. Its shard sends a part of its rank along each link, to the owner of the other end.
//!
//! The order in which messages arrive depends on the number of shards. Each shard adds them up in the order of their sources, so the ranks
//! are the same, bit for bit, for any number of shards.
//!
//! `cargo run --example pagerank`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]
#![expect(clippy::cast_precision_loss, reason = "a vertex has few links")]
#![expect(clippy::cast_possible_truncation, reason = "32 bits order ranks well")]

use std::collections::BTreeMap;
use std::sync::Arc;

use tickring::colony::{Batch, Birth, TickContext, Write};
use tickring::publication::ShardFailure;
use tickring::{Colony, ColonyConfig, DocumentId, Shard, View};

/// A document under a vertex's id.
pub(crate) enum Page {
    /// The vertex itself, with its links.
    Vertex(Arc<[DocumentId]>),
    /// A part of the rank of a vertex that links to it.
    Part { from: DocumentId, rank: f64 },
}

#[derive(Clone)]
pub(crate) struct Vertex {
    pub(crate) links: Arc<[DocumentId]>,
    pub(crate) rank: f64,
}

/// A shard's vertices, which are also its view.
#[derive(Clone, Default)]
pub(crate) struct Ranks(pub(crate) BTreeMap<DocumentId, Vertex>);

impl Shard for Ranks {
    type Document = Page;
    type View = Self;

    fn act(
        &mut self,
        context: &mut TickContext<'_, Page, Self>,
        batch: &mut Batch<'_, Page>,
    ) -> Result<(), ShardFailure> {
        let mut parts = BTreeMap::<_, Vec<_>>::new();
        for (_, _, write) in batch.iter() {
            match write.document().map(|page| &**page) {
                Some(Page::Vertex(links)) => {
                    let links = Arc::clone(links);
                    self.0.insert(write.id(), Vertex { links, rank: 1.0 });
                }
                Some(Page::Part { from, rank }) => {
                    parts.entry(write.id()).or_default().push((*from, *rank));
                }
                None => drop(self.0.remove(&write.id())),
            }
        }
        for (id, vertex) in &mut self.0 {
            // In the first tick no message has been sent yet.
            if context.tick() > 0 {
                let mut parts = parts.remove(id).unwrap_or_default();
                parts.sort_by_key(|&(from, _)| from);
                vertex.rank = 0.15 + 0.85 * parts.iter().map(|&(_, rank)| rank).sum::<f64>();
            }
            let rank = vertex.rank / vertex.links.len() as f64;
            for &link in vertex.links.iter() {
                let document = Arc::new(Page::Part { from: *id, rank });
                // In a colony's last tick messages are refused, and none are needed.
                let _ = context.send(Write::Upsert { id: link, document });
            }
        }
        Ok(())
    }

    fn view(&mut self) -> Result<Self, ShardFailure> {
        Ok(self.clone())
    }
}

impl View for Ranks {
    type Statistics = ();

    fn holds(&self, document: DocumentId) -> bool {
        self.0.contains_key(&document)
    }
    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        Ok(self.0.keys().copied().collect())
    }
    fn statistics(_views: &[&Self]) -> Result<(), ShardFailure> {
        Ok(())
    }
}

/// A new life begins with the ranks of the previous one.
pub(crate) fn make(birth: Birth<Ranks>) -> Result<Ranks, ShardFailure> {
    let last = birth.last.map(|last| last.view().clone());
    Ok(last.unwrap_or_default())
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut colony = Colony::new(ColonyConfig::default(), 4, make)?;
    for vertex in 0..500 {
        let links = (1..=10).map(|step| DocumentId::from_seed(vertex * step * step % 500));
        let page = Page::Vertex(links.collect());
        colony
            .intake()
            .try_add(DocumentId::from_seed(vertex), page)?;
    }
    for _ in 0..10 {
        let report = colony.tick()?;
        let arrived = report.messages.published;
        println!("tick {}: {arrived} parts arrived", report.tick);
    }
    let rank = |(id, vertex): (&DocumentId, &Vertex)| (vertex.rank as f32, *id);
    let publication = colony.publication();
    for hit in publication.top(3, |shard| shard.view().0.iter().map(rank))? {
        println!("{} in {}: {:.2}", hit.document, hit.shard, hit.score);
    }
    Ok(())
}
