//! Indexing: sends every document to the inbox of its owner, and runs a tick when enough documents wait.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use tickring::colony::{Intake, TickReport};
use tickring::error::IntakeError;
use tickring::search::{Hit, TextDocument, TextShard, TextShardConfig, TextView};
use tickring::{Colony, ColonyConfig, DocumentId, Publication, ShardId, TickPhase};

use super::Failure;
use super::answers::Names;
use super::arguments::Run;
use super::corpus::{self, Purpose};
use super::document::{Document, shortened_words};
use super::item::{Item, Place, Skipped};
use super::progress::{documents_progress, styled};
use super::reading::Reading;
use super::shape::Shape;
use super::source::StandardInput;

/// The number of waiting bytes at which a tick runs.
const TICK_BYTES: u64 = 64 << 20;
/// The maximum capacity of an inbox. A full inbox makes the next tick run earlier.
const MAX_INBOX: usize = 4_096;
/// The time that a shard may take for one phase. An eviction ends the run, so only a shard that hangs forever should be evicted.
pub(super) const PHASE_TIMEOUT: Duration = Duration::from_secs(3_600);
/// The time that a run waits for its threads to end.
const PATIENCE: Duration = Duration::from_secs(600);

/// The name, place and size of an indexed document.
pub(super) struct Known {
    pub(super) name: String,
    /// Its file and line, unless it is generated.
    pub(super) place: Option<Place>,
    bytes: u64,
    /// The number of its words that are indexed by their first 255 bytes.
    shortened: u64,
}

/// The time that one phase took in all ticks.
#[derive(Clone, Copy)]
pub(super) struct PhaseTotal {
    pub(super) phase: TickPhase,
    pub(super) elapsed: Duration,
    /// The shard that took longest in one tick, and its time.
    pub(super) slowest: Option<(ShardId, Duration)>,
}

/// The outcome of indexing.
pub(super) struct Indexed {
    pub(super) publication: Arc<Publication<TextView>>,
    pub(super) documents: HashMap<DocumentId, Known>,
    pub(super) skipped: Vec<Skipped>,
    /// The files of the command line whose content was all skipped.
    pub(super) without_document: Vec<Skipped>,
    /// Whether a file of records was read.
    pub(super) has_records: bool,
    pub(super) bytes: u64,
    pub(super) ticks: u64,
    pub(super) phases: [PhaseTotal; 4],
    pub(super) elapsed: Duration,
}

impl Indexed {
    /// Returns the places of the documents with words that are indexed by their first 255 bytes, and the number of these words.
    pub(super) fn shortened(&self) -> Vec<(String, u64)> {
        let documents = self.documents.values();
        let shortened = documents.filter(|known| known.shortened > 0);
        let mut places: Vec<_> = shortened
            .map(|known| (known.place(), known.shortened))
            .collect();
        places.sort_unstable();
        places
    }
}

impl Known {
    /// Returns its file and line, or its name if it is generated.
    fn place(&self) -> String {
        let place = self.place.as_ref();
        place.map_or_else(|| self.name.clone(), ToString::to_string)
    }
}

impl Names for HashMap<DocumentId, Known> {
    fn compare(&self, one: &Hit, other: &Hit) -> Ordering {
        let name = |hit: &Hit| self.get(&hit.document).map(|known| &known.name);
        name(one).cmp(&name(other))
    }

    fn of(&self, hit: &Hit) -> (String, Option<Place>) {
        let known = self.get(&hit.document);
        known.map_or_else(Default::default, |known| {
            (known.name.clone(), known.place.clone())
        })
    }
}

struct Indexing {
    colony: Colony<TextShard>,
    intake: Intake<TextShard>,
    waiting: usize,
    waiting_bytes: u64,
    indexed: Indexed,
    progress: ProgressBar,
}

/// Indexes the documents of the run. `left_out` is what was skipped before.
pub(super) fn index(
    run: &Run,
    shape: &Shape<'_>,
    standard: &StandardInput,
    left_out: Vec<Skipped>,
) -> Result<Indexed, Failure> {
    let begun = Instant::now();
    let mut indexing = Indexing::new(run, shape)?;
    indexing.indexed.skipped = left_out;
    let mut take = |item| match item {
        Item::Document(document, place) => indexing.add(document, place, run.tick_documents),
        Item::Skipped(skipped) | Item::Noted(skipped) => {
            indexing.indexed.skipped.push(skipped);
            Ok(())
        }
        Item::Complaint(file) => {
            indexing.indexed.without_document.push(file);
            Ok(())
        }
    };
    let has_records = if run.reading.paths.is_empty() {
        corpus::generate(run, shape, &mut take)?;
        false
    } else {
        corpus::read(&run.reading, standard, Purpose::Documents(shape), &mut take)?
    };
    let mut indexed = indexing.finish()?;
    indexed.has_records = has_records;
    indexed.elapsed = begun.elapsed();
    if indexed.documents.is_empty() {
        return Err(nothing_found(&run.reading, &indexed.skipped).into());
    }
    Ok(indexed)
}

/// Says that the paths have no document, and why the first of them was skipped.
pub(super) fn nothing_found(reading: &Reading, skipped: &[Skipped]) -> String {
    let paths = corpus::described(&reading.paths);
    let first = skipped.first().map_or_else(String::new, |first| {
        let (count, path, reason) = (skipped.len(), &first.path, &first.reason);
        format!(" ({count} skipped, the first: {path}: {reason})")
    });
    format!("no documents in {paths}{first}")
}

impl Indexing {
    fn new(run: &Run, shape: &Shape<'_>) -> Result<Self, Failure> {
        let config = ColonyConfig {
            inbox_capacity: run.tick_documents.min(MAX_INBOX),
            phase_timeout: PHASE_TIMEOUT,
            placement: run.placement,
            virtual_nodes_per_shard: run.virtual_nodes,
            ..ColonyConfig::default()
        };
        let make = TextShard::factory(TextShardConfig {
            schema: shape.schema.clone(),
            ..TextShardConfig::default()
        });
        let colony = Colony::new(config, run.shards, make)?;
        Ok(Self {
            intake: colony.intake(),
            indexed: Indexed {
                publication: colony.publication(),
                documents: HashMap::new(),
                skipped: Vec::new(),
                without_document: Vec::new(),
                has_records: false,
                bytes: 0,
                ticks: 0,
                phases: TickPhase::ALL.map(|phase| PhaseTotal {
                    phase,
                    elapsed: Duration::ZERO,
                    slowest: None,
                }),
                elapsed: Duration::ZERO,
            },
            colony,
            waiting: 0,
            waiting_bytes: 0,
            progress: progress(run),
        })
    }

    fn add(
        &mut self,
        document: Document,
        place: Option<Place>,
        tick_documents: usize,
    ) -> Result<(), Failure> {
        let bytes = document.bytes();
        let Document { id, name, text, .. } = document;
        let shortened = shortened_words(&text);
        let known = Known {
            name,
            place,
            bytes,
            shortened,
        };
        self.note(id, known);
        if let Err(rejected) = self.intake.try_upsert(id, text) {
            if !matches!(rejected.reason, IntakeError::Full { .. }) {
                return Err(rejected.into());
            }
            self.tick()?;
            self.intake.try_upsert(id, rejected.document)?;
        }
        self.waiting += 1;
        self.waiting_bytes += bytes;
        self.progress.inc(1);
        if self.waiting >= tick_documents || self.waiting_bytes >= TICK_BYTES {
            self.tick()?;
        }
        Ok(())
    }

    /// Records an indexed document. If an earlier one has the same id, that one is reported as skipped.
    fn note(&mut self, id: DocumentId, known: Known) {
        self.indexed.bytes += known.bytes;
        match self.indexed.documents.entry(id) {
            Entry::Vacant(entry) => {
                entry.insert(known);
            }
            Entry::Occupied(mut entry) => {
                let before = entry.insert(known);
                self.indexed.bytes -= before.bytes;
                self.indexed.skipped.push(Skipped {
                    path: before
                        .place
                        .map_or(before.name.clone(), |at| at.to_string()),
                    reason: format!("a later document has the same id, {:?}", before.name),
                    named: false,
                });
            }
        }
    }

    fn tick(&mut self) -> Result<(), Failure> {
        let report = self.colony.tick()?;
        self.waiting = 0;
        self.waiting_bytes = 0;
        self.account(&report)
    }

    /// Adds the times of a tick. Returns an error if the tick had a fault or returned a write.
    fn account(&mut self, report: &TickReport<TextDocument>) -> Result<(), Failure> {
        if let Some(fault) = report.faults.first() {
            return Err(fault.to_string().into());
        }
        if let Some(returned) = report.returned.first() {
            return Err(format!("{}: {}", returned.write.id(), returned.reason).into());
        }
        self.indexed.ticks += 1;
        for (total, phase) in self.indexed.phases.iter_mut().zip(&report.phases) {
            total.elapsed += phase.elapsed;
            total.slowest = total
                .slowest
                .into_iter()
                .chain(phase.slowest)
                .max_by_key(|&(_, elapsed)| elapsed);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Indexed, Failure> {
        if self.waiting > 0 {
            self.tick()?;
        }
        self.progress.finish_and_clear();
        self.indexed.publication = self.colony.publication();
        let end = self.colony.close(Instant::now() + PATIENCE);
        if let Some(fault) = end.last?.faults.first() {
            return Err(fault.to_string().into());
        }
        if let Some(returned) = end.returned.first() {
            return Err(format!("{}: {}", returned.write.id(), returned.reason).into());
        }
        Ok(self.indexed)
    }
}

/// Creates the progress bar of a run.
fn progress(run: &Run) -> ProgressBar {
    if !run.reading.paths.is_empty() {
        return documents_progress();
    }
    let template = "{elapsed_precise} {wide_bar} {human_pos}/{human_len} documents";
    styled(Some(run.documents), template)
}
