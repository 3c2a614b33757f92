//! A shard that can't leave its thread, because it keeps its notes behind an `Rc`. Handles of many C libraries are like that.
//!
//! `cargo run --example pinned_shard`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::rc::Rc;
use std::sync::Arc;

use tickring::colony::{Batch, Birth, TickContext, Write};
use tickring::publication::ShardFailure;
use tickring::{Colony, ColonyConfig, DocumentId, Shard, View};

type Notes = BTreeMap<DocumentId, Arc<String>>;

struct Pinned(Rc<RefCell<Notes>>);

/// A copy of the notes that any thread may read.
struct Copied(Notes);

impl Shard for Pinned {
    type Document = String;
    type View = Copied;

    fn act(
        &mut self,
        _context: &mut TickContext<'_, String, Copied>,
        batch: &mut Batch<'_, String>,
    ) -> Result<(), ShardFailure> {
        let mut notes = self.0.borrow_mut();
        for (_, _, write) in batch.iter() {
            match write {
                Write::Add { id, document } | Write::Upsert { id, document } => {
                    notes.insert(*id, Arc::clone(document));
                }
                Write::Delete { id } => {
                    notes.remove(id);
                }
            }
        }
        Ok(())
    }

    fn view(&mut self) -> Result<Copied, ShardFailure> {
        Ok(Copied(self.0.borrow().clone()))
    }
}

impl View for Copied {
    type Statistics = usize;

    fn holds(&self, document: DocumentId) -> bool {
        self.0.contains_key(&document)
    }

    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        Ok(self.0.keys().copied().collect())
    }

    fn statistics(views: &[&Self]) -> Result<usize, ShardFailure> {
        Ok(views.iter().map(|view| view.0.len()).sum())
    }
}

/// Runs on the shard's own thread, for its first life and for each later one.
fn begin(birth: Birth<Copied>) -> Result<Pinned, ShardFailure> {
    let notes = birth.last.map(|last| last.view().0.clone());
    Ok(Pinned(Rc::new(RefCell::new(notes.unwrap_or_default()))))
}

pub(crate) fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut colony = Colony::pinned(ColonyConfig::default(), 4, begin)?;
    let intake = colony.intake();
    for seed in 0..100 {
        intake.try_upsert(DocumentId::from_seed(seed), format!("note {seed}"))?;
    }
    colony.tick()?;
    let publication = colony.publication();
    println!("{} notes in all", publication.statistics());
    for shard in publication.shards() {
        println!("{}: {} notes", shard.shard(), shard.view().0.len());
    }
    Ok(())
}
