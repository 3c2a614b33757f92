//! A colony of text shards, and the documents that it should contain.

use std::sync::Arc;

use super::{Documents, NaiveSearch};
use crate::search::{Hit, Schema, TextDocument, TextShard, TextShardConfig, TextView};
use crate::{Colony, ColonyConfig, DocumentId, Publication};

#[derive(Debug)]
pub struct TextColony {
    pub colony: Colony<TextShard>,
    pub documents: Documents,
}

impl TextColony {
    pub fn new(shards: u32) -> Self {
        Self::of(&Schema::default(), shards)
    }

    /// Creates a colony for documents of a schema.
    pub fn of(schema: &Schema, shards: u32) -> Self {
        let make = TextShard::factory(TextShardConfig {
            schema: schema.clone(),
            ..TextShardConfig::default()
        });
        let config = ColonyConfig {
            threads: 2,
            ..ColonyConfig::default()
        };
        Self {
            colony: Colony::new(config, shards, make).unwrap(),
            documents: Documents::new(),
        }
    }

    /// Creates a colony with these documents of one schema, all written in the first tick.
    pub fn with(shards: u32, documents: &Documents) -> Self {
        let schema = documents
            .values()
            .next()
            .map(|document| document.schema().clone());
        let mut colony = Self::of(&schema.unwrap_or_default(), shards);
        for (id, document) in documents {
            colony.upsert(*id, document.clone());
        }
        colony.tick();
        colony
    }

    pub fn upsert(&mut self, id: DocumentId, document: TextDocument) {
        self.documents.insert(id, document.clone());
        let accepted = self.colony.intake().try_upsert(id, document);
        assert!(accepted.is_ok());
    }

    pub fn delete(&mut self, id: DocumentId) {
        self.documents.remove(&id);
        self.colony.intake().try_delete(id).unwrap();
    }

    pub fn tick(&mut self) -> Arc<Publication<TextView>> {
        let report = self.colony.tick().unwrap();
        assert!(report.faults.is_empty(), "{:?}", report.faults);
        self.colony.publication()
    }

    pub fn naive(&self) -> NaiveSearch {
        NaiveSearch::new(&self.documents)
    }
}

/// Returns the documents in order, with the bits of their scores.
pub fn bits(hits: &[Hit]) -> Vec<(DocumentId, u32)> {
    let hits = hits.iter();
    hits.map(|hit| (hit.document, hit.score.to_bits()))
        .collect()
}
