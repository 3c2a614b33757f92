//! A vector store whose readers always see one consistent state, while all vectors are being replaced.
//!
//! `cargo run --example vector_store`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]
#![expect(clippy::cast_precision_loss, reason = "the numbers are small")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use tickring::colony::{Batch, Birth, Stop, TickContext, Write};
use tickring::error::PublicationError;
use tickring::publication::{Hit, ShardFailure};
use tickring::{Colony, ColonyConfig, DocumentId, Publication, Shard, View};

type Vector = [f32; 3];

/// A shard's vectors. The shard shares them with its views, and copies the map only if it writes while a view is in use.
#[derive(Clone, Default)]
struct Vectors(Arc<BTreeMap<DocumentId, Arc<Vector>>>);

impl Shard for Vectors {
    type Document = Vector;
    type View = Self;

    fn act(
        &mut self,
        _context: &mut TickContext<'_, Vector, Self>,
        batch: &mut Batch<'_, Vector>,
    ) -> Result<(), ShardFailure> {
        let vectors = Arc::make_mut(&mut self.0);
        for (_, _, write) in batch.iter() {
            match write {
                Write::Add { id, document } | Write::Upsert { id, document } => {
                    vectors.insert(*id, Arc::clone(document));
                }
                Write::Delete { id } => drop(vectors.remove(id)),
            }
        }
        Ok(())
    }

    fn view(&mut self) -> Result<Self, ShardFailure> {
        Ok(self.clone())
    }
}

impl View for Vectors {
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

fn make(birth: Birth<Vectors>) -> Result<Vectors, ShardFailure> {
    let last = birth.last.map(|last| last.view().clone());
    Ok(last.unwrap_or_default())
}

/// Returns the three vectors nearest to this one by cosine similarity. All vectors have length 1.
fn nearest(publication: &Publication<Vectors>, to: Vector) -> Result<Vec<Hit>, PublicationError> {
    let cosine = |vector: &Vector| vector.iter().zip(to).map(|(a, b)| a * b).sum();
    publication.top(3, |shard| {
        let vectors = shard.view().0.iter();
        vectors.map(move |(id, vector)| (cosine(vector), *id))
    })
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut colony = Colony::new(ColonyConfig::default(), 4, make)?;
    let (intake, reader) = (colony.intake(), colony.reader());
    // Each tick rotates all 100 vectors by the same angle.
    let vector = |seed: u64, tick: u64| {
        let angle = (seed + tick) as f32 / 100.0;
        [angle.cos(), angle.sin(), 0.0]
    };
    let stop = Stop::new();
    thread::scope(|scope| {
        let readers = [(); 2].map(|()| {
            scope.spawn(|| {
                let mut seen = 0;
                while !stop.is_stopped() {
                    let publication = reader.publication();
                    let Some(tick) = publication.tick() else {
                        continue;
                    };
                    // No vector is at the same place in two different ticks.
                    let best = nearest(&publication, vector(50, tick))?;
                    assert_eq!(best[0].document, DocumentId::from_seed(50));
                    seen += 1;
                }
                Ok::<usize, PublicationError>(seen)
            })
        });
        for tick in 0..50 {
            for seed in 0..100 {
                intake.try_upsert(DocumentId::from_seed(seed), vector(seed, tick))?;
            }
            colony.tick()?;
        }
        stop.stop();
        for reader in readers {
            let seen = reader.join().map_err(|_| "a reader panicked")??;
            println!("{} queries, each of one moment", seen);
        }
        Ok(())
    })
}
