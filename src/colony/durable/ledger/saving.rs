//! When a checkpoint begins, and what its manifest says.

use super::super::checkpoint::Job;
use super::super::distance::Length;
use super::super::quarantine;
use super::super::saved::LifeFiles;
use super::{Ledger, Position};
use crate::error::{ColonyError, IntakeError};
use crate::id::{ShardId, Tick};
use crate::publication::{Publication, Published, View};
use crate::storage::manifest::Manifest;
use crate::sync::{Arc, Instant};

impl<D: Send + Sync + 'static, V: View> Ledger<D, V> {
    /// Returns the shards of a publication that a checkpoint saves, with the files of their lives.
    fn saved(&self, publication: &Publication<V>) -> Vec<(ShardId, Arc<LifeFiles>)> {
        let lives = self.parts.lives.lock();
        let made = |published: &Published<V>| {
            let key = (published.shard(), published.incarnation());
            Some((published.shard(), Arc::clone(lives.get(&key)?)))
        };
        // A shard that was taken back before it began has no life.
        publication.shards().iter().filter_map(made).collect()
    }

    /// Returns the end of the log up to which all these shards of a publication have applied it, or `None` if that is before all ends that are known.
    fn applied_by_all(
        &self,
        publication: &Publication<V>,
        saved: &[(ShardId, Arc<LifeFiles>)],
    ) -> Option<&Position> {
        let ticks = saved.iter();
        let ticks = ticks.filter_map(|(shard, _)| publication.shard(*shard)?.tick());
        let lowest = ticks.min().or(publication.tick()).unwrap_or(0);
        let positions = self.positions.iter();
        positions.take_while(|at| at.tick <= lowest).last()
    }

    /// Whether a checkpoint of this publication is to begin, if none is running.
    pub(super) fn is_due(&self, publication: &Publication<V>) -> bool {
        let is_worth = || {
            let applied = self.applied_by_all(publication, &self.saved(publication));
            applied.is_some_and(|at| self.distance.is_worth(at.length))
        };
        self.must_save || self.distance.is_due() || (self.distance.reaches_limit() && is_worth())
    }

    /// Begins a checkpoint of a publication.
    pub(super) fn begin_checkpoint(&mut self, publication: &Arc<Publication<V>>) {
        let shards = publication.shards();
        let lives = self.saved(publication);
        let last = self.parts.source.store.manifest();
        let tick = publication.tick().unwrap_or(0);
        // The log is cut up to the lowest tick of those that the manifest lists, so it also has to begin there.
        let applied = self.applied_by_all(publication, &lives).cloned();
        let (seq, ring, goal, covers) = match applied {
            Some(Position {
                tick,
                seq,
                stored,
                length,
            }) => {
                self.positions.retain(|at| at.tick >= tick);
                (seq, stored.ring.to_vec(), stored.goal.to_vec(), length)
            }
            None => (
                last.seq,
                last.ring.clone(),
                last.goal.clone(),
                Length::default(),
            ),
        };
        // A tick that is prepared may have set more aside.
        let quarantine = self.quarantine.iter();
        let quarantine: Vec<_> = quarantine
            .filter(|kept| kept.entry.tick <= tick)
            .cloned()
            .collect();
        let topology = self.parts.shared.coordinator.topology();
        let incarnations = shards.iter().map(|shard| shard.incarnation().get());
        let next_incarnation = incarnations.max().map_or(0, |last| last.saturating_add(1));
        let manifest = Manifest {
            seq,
            tick,
            ring,
            goal,
            next_shard: self.next_shard,
            // What is too long for its encoding can't have come in.
            quarantine: quarantine::encode(&quarantine).unwrap_or_default(),
            sent: self.sent.clone(),
            last_ticks: self.last_ticks.encode(),
            next_incarnation: next_incarnation
                .max(last.next_incarnation)
                .max(self.parts.source.store.next_life()),
            epoch: topology.epoch().get(),
            shards: Vec::new(),
            ..last
        };
        self.distance.begin(covers);
        self.checkpoints.begin(Job {
            publication: Arc::clone(publication),
            lives,
            manifest,
            next_log: self.writer.rotate(),
        });
    }

    /// Writes a checkpoint of the last publication, and waits for it until the deadline.
    pub(super) fn save(&mut self, deadline: Instant) -> Result<Tick, ColonyError> {
        let publication = self.parts.shared.publication.load_full();
        let tick = publication.tick().unwrap_or(0);
        let late = || ColonyError::NotDurable { tick };
        if !self.checkpoints.wait(deadline) {
            return Err(late());
        }
        self.end_checkpoint();
        self.begin_checkpoint(&publication);
        if !self.checkpoints.wait(deadline) {
            return Err(late());
        }
        self.end_checkpoint();
        self.tell();
        match self.checkpoints.last() {
            Some((tick, ended)) => ended.map(|()| tick),
            None => Err(late()),
        }
    }

    /// Takes note of the last checkpoint, unless it is running.
    pub(super) fn end_checkpoint(&mut self) {
        if !self.checkpoints.is_running() {
            let last = self.checkpoints.last();
            self.distance
                .end(last.is_some_and(|(_, ended)| ended.is_ok()));
        }
        if self.refusal == Some(IntakeError::LogFull) && !self.distance.is_full() {
            self.refusal = None;
        }
    }
}
