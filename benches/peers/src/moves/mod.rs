//! Documents that move to a shard that joins, against ticks that add documents, and against a new colony from an export.

mod exported;
mod joining;
mod searches;

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tickring::colony::{Goal, MoveBudget};
use tickring::search::{TextDocument, TextShard};
use tickring::{Colony, DocumentId};

use crate::Scope;
use crate::corpus::Corpus;
use crate::durable::{colony_config, open, settings, stored};
use crate::report::Report;

/// The documents before the shard joins.
const DOCUMENTS: usize = 20_000;
/// What a tick adds that moves nothing.
const ADDED: usize = 250;
const QUERIES: usize = 300;

type Document = (DocumentId, Arc<TextDocument>);

pub fn run(report: &mut Report, scope: Scope) {
    let corpus = Corpus::new(DOCUMENTS + 100 * ADDED);
    let documents = stored(&corpus);
    let (first, more) = documents.split_at(DOCUMENTS);
    let queries = corpus.queries(QUERIES);
    let rounds = scope.rounds(5);
    for home in [Home::Memory, Home::Directory] {
        for (each, least) in [(ADDED, 6_000.0), (1_000, 12_000.0)] {
            joining::run(report, rounds, home, (first, more), (each, least));
        }
        exported::run(report, rounds, home, first);
        searches::run(report, rounds, home, (first, more), &queries);
    }
}

/// Where a colony keeps what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Home {
    Memory,
    Directory,
}

impl Home {
    const fn name(self) -> &'static str {
        match self {
            Self::Memory => "in memory",
            Self::Directory => "on the disk",
        }
    }

    /// Makes a colony that holds these documents.
    fn filled(self, shards: u32, documents: &[Document]) -> Subject {
        let mut subject = match self {
            Self::Memory => Subject {
                colony: Colony::new(colony_config(), shards, TextShard::factory(settings()))
                    .expect("there is room"),
                _directory: None,
            },
            Self::Directory => {
                let directory = TempDir::new().expect("there is room");
                Subject {
                    colony: open(directory.path(), shards),
                    _directory: Some(directory),
                }
            }
        };
        for documents in documents.chunks(1_000) {
            subject.add(documents);
            subject.tick();
        }
        subject
    }
}

/// A colony, and its directory if it has one.
struct Subject {
    colony: Colony<TextShard>,
    /// Removed after the colony has ended.
    _directory: Option<TempDir>,
}

impl Subject {
    fn add(&self, documents: &[Document]) {
        let intake = self.colony.intake();
        for (id, document) in documents {
            intake
                .try_upsert(*id, Arc::clone(document))
                .expect("there is room");
        }
    }

    /// Runs a tick. Returns how many documents have moved in it.
    fn tick(&mut self) -> usize {
        let report = self.colony.tick().expect("it isn't closed");
        assert!(report.faults.is_empty() && report.returned.is_empty());
        report.moved
    }

    fn is_moving(&self) -> bool {
        self.colony.progress().is_some()
    }

    /// Sets the goal that a fifth shard joins, and lets it be made.
    fn join(&mut self, each: usize) {
        self.colony.set_move_budget(MoveBudget {
            documents: each,
            bytes: u64::MAX,
            time: Duration::MAX,
        });
        self.colony
            .set_goal(&Goal::new().add_shard(1))
            .expect("there is room");
        while self.colony.publication().shards().len() < 5 {
            self.tick();
        }
    }
}
