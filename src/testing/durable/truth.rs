//! What a colony has to hold: one model, or several while nobody can know which of them it is.

use std::collections::BTreeSet;

use super::model::{Events, Model, Refused, Step};
use super::notes::{Notes, Why};
use crate::colony::{CloseReport, Colony, ReturnReason, Returned, TickReport};
use crate::error::ColonyError;
use crate::id::{DocumentId, ShardId, Tick};
use crate::publication::Publication;
use crate::ring::HashRing;
use crate::storage::manifest::store;
use crate::sync::Arc;
use crate::testing::storage::Simulation;

/// Fails with a text unless something holds.
pub(super) fn ensure(holds: bool, text: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(text()) }
}

/// What a colony has to hold.
#[derive(Debug, Default)]
pub(super) struct Truth {
    /// Empty before the first opening. After a fault the colony may be one of several, and as soon as they would differ, it is one.
    pub(super) models: Vec<Model>,
    /// The shards that are behind, in the last publication.
    pub(super) behind: BTreeSet<ShardId>,
    /// The numbers of deaths and of writes that were set aside.
    pub(super) deaths: u64,
    pub(super) set_aside: u64,
    /// How often writes were written down ahead of their tick.
    pub(super) ahead: u64,
    /// Documents that moved, and ticks in which nobody saw yet where they are.
    pub(super) moved: u64,
    pub(super) hidden: u64,
}

impl Truth {
    /// Checks an opening: all shards are at one tick, with what was acknowledged (D2), each document in its place (D3).
    pub(super) fn opened(&mut self, colony: &Colony<Notes>) -> Result<(), String> {
        let report = colony.opened().ok_or("no report")?;
        let publication = colony.publication();
        let topology = colony.topology();
        let ring = topology.ring();
        if self.models.is_empty() {
            self.models.push(Model::new(ring));
        }
        let at = |tick| tick == Some(report.tick);
        let shards = publication.shards();
        ensure(
            shards
                .iter()
                .all(|shard| at(shard.tick()) && !shard.is_frozen()),
            || format!("not all shards are at tick {}: {shards:?}", report.tick),
        )?;
        ensure(shards.len() == ring.members().len(), || {
            format!("{} shards of {:?}", shards.len(), ring.members())
        })?;
        verified(colony)?;
        let documents = shards.iter().flat_map(|shard| shard.view().texts());
        let documents = documents.collect();
        let aside = quarantine(colony);
        let before = self.models.clone();
        self.models
            .retain(|model| model.is(report.tick, ring, &documents, &aside, colony.goal()));
        ensure(!self.models.is_empty(), || {
            format!(
                "opened at tick {} with {documents:#?} on {ring:?} towards {:?}, {aside:?} set aside, but it has to be one of {before:#?}",
                report.tick,
                colony.goal()
            )
        })?;
        for model in &mut self.models {
            // It was written down, and is published.
            (model.tick, model.logged) = (report.tick, report.tick);
            model.unseen.clear();
            model.flight = None;
        }
        self.behind.clear();
        Ok(())
    }

    /// Runs a tick of each model.
    pub(super) fn steps(&self, tick: Tick, ring: &Arc<HashRing>, events: &Events) -> Vec<Step> {
        let models = self.models.iter();
        models.map(|model| model.step(tick, ring, events)).collect()
    }

    /// Takes over that a tick was not published.
    pub(super) fn undecided(&mut self, steps: &[Step], is_durable: bool) {
        let models = self.models.iter().zip(steps);
        let models = models.flat_map(|(model, step)| model.undecided(step, is_durable));
        self.models = models.collect();
    }

    /// Takes over that a tick was not begun, for which writes may be in the log.
    pub(super) fn abandoned(&mut self, steps: &[Step]) {
        let models = self.models.iter().zip(steps);
        let models = models.flat_map(|(model, step)| model.abandoned(step));
        self.models = models.collect();
    }

    /// Checks a publication and its report (D1, D3, D10). `serves` says which shards are alive now.
    pub(super) fn published(
        &mut self,
        steps: Vec<Step>,
        publication: Option<&Publication<Notes>>,
        report: &TickReport<String>,
        serves: impl Fn(ShardId) -> bool,
    ) -> Result<(), String> {
        let shards = publication.map_or(&[][..], Publication::shards);
        let frozen: BTreeSet<_> = report.frozen.iter().copied().collect();
        let behind: BTreeSet<_> = frozen.iter().copied().filter(|&s| !serves(s)).collect();
        let dying = steps.iter().flat_map(|step| &step.dying);
        let may_be: BTreeSet<_> = dying.chain(&self.behind).copied().collect();
        ensure(behind.is_subset(&may_be), || {
            format!("{behind:?} are behind, but only {may_be:?} can be")
        })?;
        let mut faulty = report.faults.iter();
        ensure(faulty.all(|fault| may_be.contains(&fault.shard)), || {
            format!("faults that were not planned: {:?}", report.faults)
        })?;
        let texts = shards.iter().flat_map(|shard| shard.view().texts());
        let mut seen = BTreeSet::new();
        for (id, _) in texts {
            ensure(seen.insert(id), || {
                format!("{id} is in two shards: {shards:#?}")
            })?;
        }
        let returned = returned(report)?;
        let aside = returned
            .iter()
            .filter(|(_, why)| *why == Some(Why::SetAside));
        self.set_aside += aside.count() as u64;
        self.deaths += report.faults.len() as u64;
        self.moved += steps.first().map_or(0, |step| step.moved as u64);
        self.hidden += u64::from(frozen.len() > behind.len());
        let mut expected = Vec::new();
        self.models.clear();
        for step in steps {
            let mut model = step.model.clone();
            let is_hidden = model.hides(&behind, &frozen);
            let reported = model.reported(&step, &behind, &frozen);
            let is_held = shards.iter().all(|shard| {
                shard.is_frozen() || shard.view().texts() == model.held_by(shard.shard())
            });
            let is_told = reported == returned && report.messages.sent == model.sent.len();
            if is_held && is_told && is_hidden {
                self.models.push(model);
            } else {
                expected.push((model, reported));
            }
        }
        ensure(!self.models.is_empty(), || {
            let sent = report.messages.sent;
            format!(
                "published {shards:#?}, {behind:?} behind, returned {returned:?}, sent {sent}, but expected one of {expected:#?}"
            )
        })?;
        self.behind = behind;
        Ok(())
    }
}

impl Truth {
    /// Checks what comes back when a colony is closed well: what shards that are behind haven't decided.
    pub(super) fn undecided_at_the_end(&self, end: &CloseReport<String>) -> Result<(), String> {
        let is_undecided = |one: &Returned<String>| matches!(one.reason, ReturnReason::Undecided);
        ensure(end.returned.iter().all(is_undecided), || {
            format!("{:?}", end.returned)
        })?;
        let mut returned: Vec<_> = end.returned.iter().map(|one| one.write.id()).collect();
        returned.sort_unstable();
        let expected = |model: &Model| {
            let unseen = model.unseen.values().flatten();
            let undecided = unseen.filter(|one| !one.is_decided && !one.fate.is_moved);
            let mut undecided: Vec<_> = undecided.map(|one| one.fate.id).collect();
            undecided.sort_unstable();
            undecided
        };
        ensure(
            self.models.iter().any(|model| expected(model) == returned),
            || {
                format!(
                    "{:?} came back, but it has to be as in {:#?}",
                    end.returned, self.models
                )
            },
        )
    }
}

/// Returns what is in the quarantine.
fn quarantine(colony: &Colony<Notes>) -> BTreeSet<(Tick, DocumentId)> {
    let kept = colony.quarantine();
    kept.iter().map(|kept| (kept.tick, kept.document)).collect()
}

fn returned(report: &TickReport<String>) -> Result<Vec<Refused>, String> {
    let reason = |reason: &ReturnReason| match reason {
        ReturnReason::Exists => Ok(Some(Why::Exists)),
        ReturnReason::Refused(_) => Ok(Some(Why::Empty)),
        ReturnReason::SetAside(_) => Ok(Some(Why::SetAside)),
        ReturnReason::Recovering => Ok(None),
        ReturnReason::Died { suspect: true } => Ok(Some(Why::Lost)),
        other => Err(format!("a write came back since {other}")),
    };
    let returned = report.returned.iter();
    let returned = returned.map(|one| Ok((one.write.id(), reason(&one.reason)?)));
    let mut returned = returned.collect::<Result<Vec<_>, String>>()?;
    returned.sort_unstable();
    Ok(returned)
}

/// Checks that each document is in one place, the right one.
pub(super) fn verified(colony: &Colony<Notes>) -> Result<(), String> {
    let verified = colony
        .verify()
        .map_err(|error: ColonyError| error.to_string())?;
    ensure(verified.is_right(), || format!("{verified:?}"))
}

/// Checks that what the manifest names is there (D4).
pub(super) fn named(disk: &Simulation) -> Result<(), String> {
    loop {
        let read = || store::read(disk).map_err(|error| error.to_string());
        let Some(manifest) = read()? else {
            return Ok(());
        };
        let checked = manifest
            .files()
            .try_for_each(|file| store::verify(disk, file));
        // A checkpoint may have replaced it meanwhile.
        if read()?.as_ref() == Some(&manifest) {
            return checked.map_err(|error| format!("the manifest is wrong: {error}"));
        }
    }
}
