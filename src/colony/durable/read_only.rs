//! A durable colony that is only read.

use std::collections::HashSet;
use std::path::Path;

use super::DurableConfig;
use super::kind::Kind;
use super::last_ticks::{LastTicks, TickSummary};
use super::open::{blank, check, given, no_manifest, shown_tick};
use super::quarantine::{Kept, Quarantined};
use super::recover::Recovery;
use super::report::{OpenReport, ReplayProgress};
use super::rescue::Source;
use super::saved::Purpose;
use super::shard::DurableShard;
use super::store::Store;
use super::stored::Nodes;
use super::verify::{Verified, verify};
use crate::colony::moves::Wanted;
use crate::colony::settle::published;
use crate::colony::write::Write;
use crate::error::ColonyError;
use crate::id::Incarnation;
use crate::observe;
use crate::publication::{Publication, Published, View};
use crate::ring::HashRing;
use crate::storage::manifest::store;
use crate::storage::{Access, Directory, leftovers};
use crate::sync::{Arc, Instant};

/// What a durable colony holds, read beside other readers and without changing anything.
///
/// The directory's lock is held until this is dropped. There are no ticks.
pub struct ReadOnly<V: View> {
    publication: Arc<Publication<V>>,
    ring: Arc<HashRing>,
    goal: Option<Wanted>,
    last_ticks: Vec<TickSummary>,
    report: OpenReport,
    quarantine: Vec<Kept>,
    _directory: Directory,
}

impl<S: DurableShard> crate::Colony<S> {
    /// Reads what the colony in a directory holds. Writes nothing, and other readers may be beside it.
    ///
    /// Does the same as [`open`](Self::open), in memory: the log is run through the shards. The configuration's placement and virtual nodes
    /// must be the stored ones; of the other fields only the number of threads has an effect.
    ///
    /// # Errors
    /// Those of [`open`](Self::open). [`StorageError::NoColony`](crate::error::StorageError::NoColony) if the directory is missing or holds no colony.
    pub fn open_read_only(
        directory: impl AsRef<Path>,
        config: &DurableConfig,
        settings: S::Settings,
        mut progress: impl FnMut(ReplayProgress),
    ) -> Result<ReadOnly<S::View>, ColonyError> {
        config.validate()?;
        let begun = Instant::now();
        let path = directory.as_ref();
        let directory = Directory::open(path, Access::Read)?;
        let (files, shown) = (directory.files(), path.display().to_string());
        let span = observe::opening(&shown, true);
        let _entered = span.enter();
        let Some(manifest) = store::read(&*files)? else {
            return Err(no_manifest(path).into());
        };
        check(&shown, &given::<S>(config, &settings), &manifest)?;
        let left = leftovers::find(&*files, Some(&manifest))?;
        let nodes = Nodes {
            placement: config.colony.placement,
            per_shard: config.colony.virtual_nodes_per_shard,
        };
        let next = leftovers::next_life(&*files, &manifest)?;
        let last_ticks = manifest.last_ticks.clone();
        let store = Store::new(files, Purpose::Reading, nodes, manifest, next);
        let source = Source {
            kind: Arc::new(Kind::of::<S>(Arc::new(settings))),
            store: Arc::new(store),
            blank: blank()?,
            attempts: None,
        };
        let recovery = Recovery {
            source: &source,
            threads: config.colony.threads,
        };
        let recovered = recovery.run(&mut progress)?;
        let tick = shown_tick(recovered.tick);
        let views = recovered.shards.into_iter().map(|up| Published {
            shard: up.shard,
            incarnation: Incarnation::FIRST,
            tick,
            frozen: false,
            view: up.made.view,
        });
        let epoch = recovered.topology.epoch();
        let publication = published(tick, epoch, views.collect())?;
        let mut report = recovered.report;
        report.removed = super::open::names(&left);
        report.elapsed = begun.elapsed();
        observe::opened(&report);
        Ok(ReadOnly {
            publication: Arc::new(publication),
            ring: Arc::clone(recovered.topology.ring()),
            goal: recovered.wanted,
            last_ticks: LastTicks::listed(&last_ticks)?.into_vec(),
            report,
            quarantine: recovered.quarantine,
            _directory: directory,
        })
    }
}

impl<V: View> ReadOnly<V> {
    /// Returns the views of all shards, at the tick at which [`open`](crate::Colony::open) would begin.
    pub const fn publication(&self) -> &Arc<Publication<V>> {
        &self.publication
    }

    /// Returns the ring, which says which shard owns a document.
    pub fn ring(&self) -> &HashRing {
        &self.ring
    }

    /// Returns what the shards are on their way to, or `None` if no [goal](crate::Colony::set_goal) was set or the last one is reached.
    pub const fn goal(&self) -> Option<&Wanted> {
        self.goal.as_ref()
    }

    /// Returns what the last ticks did before the last checkpoint, at most 32 of them, the oldest first.
    pub fn last_ticks(&self) -> &[TickSummary] {
        &self.last_ticks
    }

    /// Returns what was found. What it calls removed was left behind, and would be removed by [`open`](crate::Colony::open).
    pub const fn report(&self) -> &OpenReport {
        &self.report
    }

    /// Returns the writes that were set aside, in their order. See [`Colony::quarantine`](crate::Colony::quarantine).
    pub fn quarantine(&self) -> Vec<Quarantined> {
        let kept = self.quarantine.iter();
        kept.map(|kept| kept.entry.clone()).collect()
    }

    /// Returns the writes that were set aside, in their order, with what they were to write. `S` is the type of the shards, and `settings` what they
    /// were opened with.
    ///
    /// # Errors
    /// [`ColonyError::Replay`] in the place of a write whose document `S` can't decode.
    pub fn quarantined_writes<S: DurableShard<View = V>>(
        &self,
        settings: S::Settings,
    ) -> impl Iterator<Item = Result<(Quarantined, Write<S::Document>), ColonyError>> {
        let kind = Kind::of::<S>(Arc::new(settings));
        self.quarantine.iter().map(move |kept| {
            let entry = kept.entry.clone();
            let write = kind.write(&kept.write()?);
            let write = write.map_err(|kind| ColonyError::Replay {
                shard: entry.shard,
                tick: entry.tick,
                why: kind.to_string(),
            })?;
            Ok((entry, write))
        })
    }

    /// Checks that each document is in one shard, its owner. The sums of all files were compared when the colony was opened.
    ///
    /// # Errors
    /// [`ColonyError::Documents`] if a view can't list its documents.
    pub fn verify(&self) -> Result<Verified, ColonyError> {
        verify(&self.publication, &self.ring, |_| HashSet::new())
    }
}

impl<V: View> std::fmt::Debug for ReadOnly<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadOnly")
            .field("publication", &self.publication)
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}
