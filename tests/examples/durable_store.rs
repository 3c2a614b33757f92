//! A vector store that survives the end of its process.
//!
//! `cargo run --features durable --example durable_store`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;
use std::error::Error;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tickring::colony::{Batch, DurableConfig, DurableShard, Saved, Saving, TickContext};
use tickring::colony::{Write, check_durable};
use tickring::placement::Placement;
use tickring::publication::{Movable, ShardFailure};
use tickring::{Colony, DocumentId, Shard, ShardId, View};

type Vector = [f32; 2];

/// A shard's vectors, which it shares with its views.
#[derive(Clone, Default)]
struct Vectors(Arc<BTreeMap<DocumentId, Vector>>);

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
            match write.document() {
                Some(vector) => vectors.insert(write.id(), **vector),
                None => vectors.remove(&write.id()),
            };
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

impl Movable<Vector> for Vectors {
    fn documents_between(
        &self,
        placement: Placement,
        positions: RangeInclusive<u64>,
    ) -> Result<Vec<(DocumentId, Arc<Vector>)>, ShardFailure> {
        let vectors = self.0.iter();
        let inside = vectors.filter(|(id, _)| positions.contains(&placement.document_position(id)));
        Ok(inside
            .map(|(id, vector)| (*id, Arc::new(*vector)))
            .collect())
    }
}

impl DurableShard for Vectors {
    type Settings = ();

    fn encode((): &(), [x, y]: &Vector, out: &mut Vec<u8>) -> Result<(), ShardFailure> {
        out.extend([x.to_le_bytes(), y.to_le_bytes()].concat());
        Ok(())
    }

    fn decode((): &(), bytes: &[u8]) -> Result<Vector, ShardFailure> {
        let (x, y) = bytes.split_at_checked(4).ok_or("too short")?;
        Ok([x.try_into()?, y.try_into()?].map(f32::from_le_bytes))
    }

    fn open((): &(), _shard: ShardId, saved: Option<&Saved>) -> Result<Self, ShardFailure> {
        let saved = saved.map_or(Ok(Vec::new()), |saved| saved.read("vectors"))?;
        let entry = |entry: &[u8]| {
            let (id, vector) = entry.split_at(16);
            Ok((
                DocumentId::from_bytes(id.try_into()?),
                Self::decode(&(), vector)?,
            ))
        };
        let vectors = saved.chunks_exact(24).map(entry);
        let vectors = vectors.collect::<Result<_, ShardFailure>>()?;
        Ok(Self(Arc::new(vectors)))
    }

    fn save(view: &Self, saving: &mut Saving<'_>) -> Result<(), ShardFailure> {
        let mut bytes = Vec::new();
        for (id, vector) in view.0.iter() {
            bytes.extend(id.as_bytes());
            Self::encode(&(), vector, &mut bytes)?;
        }
        Ok(saving.write("vectors", &bytes)?)
    }
}

pub(crate) fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let upsert = |seed: u8| Write::Upsert {
        id: DocumentId::from_seed(seed.into()),
        document: Arc::new([f32::from(seed), 0.5]),
    };
    let delete = Write::Delete {
        id: DocumentId::from_seed(1),
    };
    // A shard of your own should pass this check before a colony trusts it.
    let ticks = [vec![upsert(1), upsert(2)], vec![delete, upsert(3)]];
    check_durable::<Vectors, _>(&(), &ticks, |view| Ok(view.0.clone()))?;

    let directory = std::env::temp_dir().join(format!("vectors-{}", std::process::id()));
    for number in 0..3_u8 {
        // The first time, the colony is created.
        let mut colony = Colony::<Vectors>::open(&directory, DurableConfig::default(), ())?;
        let publication = colony.publication();
        let found = publication
            .shards()
            .iter()
            .map(|shard| shard.view().0.len());
        println!("{} vectors", found.sum::<usize>());
        let document = DocumentId::from_seed(number.into());
        let ticket = colony
            .intake()
            .try_upsert(document, [f32::from(number), 0.5])?;
        colony.tick()?;
        let soon = Instant::now() + Duration::from_secs(10);
        colony.intake().wait_durable(ticket.tick(), soon)?;
        // From here on the vector survives, however the process ends.
    }
    Ok(std::fs::remove_dir_all(&directory)?)
}
