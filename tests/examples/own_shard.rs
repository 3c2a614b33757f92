//! A shard of your own type, which counts words and refuses texts that it can't use.
//!
//! `cargo run --example own_shard`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tickring::colony::{Batch, Refusal, TickContext, Write};
use tickring::frequency::DocumentFrequencies;
use tickring::publication::ShardFailure;
use tickring::{Colony, ColonyConfig, DocumentId, Shard, View, aggregate};

/// The texts of a shard. Its view is a copy of the map that shares the texts.
#[derive(Clone, Default)]
struct Texts(BTreeMap<DocumentId, Arc<String>>);

impl Shard for Texts {
    type Document = String;
    type View = Self;

    fn act(
        &mut self,
        _context: &mut TickContext<'_, String, Self>,
        batch: &mut Batch<'_, String>,
    ) -> Result<(), ShardFailure> {
        for (index, _origin, write) in batch.iter() {
            match write {
                Write::Add { id, .. } if self.0.contains_key(id) => {
                    batch.refuse(index, Refusal::Exists);
                }
                Write::Add { document, .. } | Write::Upsert { document, .. }
                    if document.trim().is_empty() =>
                {
                    batch.refuse(index, Refusal::Because("it has no words".into()));
                }
                Write::Add { id, document } | Write::Upsert { id, document } => {
                    self.0.insert(*id, Arc::clone(document));
                }
                Write::Delete { id } => drop(self.0.remove(id)),
            }
        }
        Ok(())
    }

    fn view(&mut self) -> Result<Self, ShardFailure> {
        Ok(self.clone())
    }
}

impl View for Texts {
    /// Returns the number of documents that contain each word.
    type Statistics = DocumentFrequencies;

    fn holds(&self, document: DocumentId) -> bool {
        self.0.contains_key(&document)
    }
    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        Ok(self.0.keys().copied().collect())
    }
    fn statistics(views: &[&Self]) -> Result<DocumentFrequencies, ShardFailure> {
        let shards: Vec<_> = views.iter().map(|view| view.words()).collect();
        Ok(aggregate(&shards)?)
    }
}

impl Texts {
    fn words(&self) -> HashMap<String, u64> {
        let mut counts = HashMap::new();
        for text in self.0.values() {
            let mut words: Vec<_> = text.split_whitespace().collect();
            words.sort_unstable();
            words.dedup();
            for word in words {
                *counts.entry(word.to_owned()).or_default() += 1;
            }
        }
        counts
    }
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A shard that died comes back with its documents.
    let mut colony = Colony::new(ColonyConfig::default(), 3, |birth| {
        let last = birth
            .last
            .map(|last: tickring::publication::Published<Texts>| last.view().clone());
        Ok(last.unwrap_or_default())
    })?;
    let texts = [
        "the sea",
        "the tide and the sea",
        " ",
        "the moon",
        "the sea at night",
    ];
    for (seed, text) in (0..).zip(texts) {
        colony
            .intake()
            .try_add(DocumentId::from_seed(seed), text.to_owned())?;
    }
    let report = colony.tick()?;
    println!("{} published", report.published);
    for returned in &report.returned {
        println!("{} came back: {}", returned.write.id(), returned.reason);
    }
    for (word, documents) in colony.publication().statistics().top(2) {
        println!("{word:?} is in {documents}");
    }
    Ok(())
}
