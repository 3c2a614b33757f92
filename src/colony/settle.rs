//! The outcome of a tick: its publication, and whether each write is published or returned.

use std::collections::{BTreeMap, HashSet};

use super::Colony;
use super::journal::Healed;
use super::occupant::caught;
use super::report::{PhaseReport, ReturnReason, Returned, Revival, TickReport};
use super::round::Writes;
use super::shard::Shard;
use super::tick::{Part, Ready};
use super::write::{Origin, Refusal, Write};
use crate::error::ColonyError;
use crate::guarded::GuardedList;
use crate::id::{DocumentId, Epoch, Tick};
use crate::observe::TickWatch;
use crate::phase::TickPhase;
use crate::publication::{Publication, Published, View};
use crate::sync::Arc;

impl<S: Shard> Colony<S> {
    /// Builds the tick's publication from all shards, dead ones with their last views.
    pub(super) fn conclude(
        &mut self,
        tick: Tick,
        last: &Publication<S::View>,
        phases: [PhaseReport; 4],
        watch: TickWatch,
    ) -> Result<Ready<S::Document, S::View>, ColonyError> {
        let mut healed = Healed::default();
        if let Some(journal) = &mut self.journal {
            healed = journal.heal(tick, &mut self.parts);
        }
        if let Some(handover) = &mut self.moving.handover {
            let deadly = handover.conclude(&self.parts).into_iter();
            self.returned
                .extend(deadly.map(|(shard, from, write)| Returned {
                    shard: Some(shard),
                    origin: Origin::Moved(from),
                    write,
                    reason: ReturnReason::Died { suspect: true },
                }));
        }
        let mut shards = Vec::with_capacity(self.parts.len());
        let (mut messages, mut revived) = (GuardedList::new(), Vec::new());
        for part in &mut self.parts {
            let life = Arc::clone(part.life());
            let (id, incarnation) = (life.id(), life.handle.incarnation());
            let before = last.shard(id);
            let Some(made) = part.made.take() else {
                shards.extend(before.map(|before| Published {
                    frozen: true,
                    ..before.clone()
                }));
                continue;
            };
            let handover = self.moving.handover.as_ref();
            let metrics = made.metrics;
            // Refused if the life has ended since.
            let _ = life
                .handle
                .update_metrics(metrics.documents, metrics.memory_bytes);
            messages.extend(life.take_sent().into_iter().map(|write| (id, write)));
            if handover.is_some_and(|handover| handover.hides(id)) {
                shards.extend(before.map(|before| Published {
                    frozen: true,
                    ..before.clone()
                }));
                continue;
            }
            if let Some(before) = before.filter(|before| before.incarnation < incarnation) {
                let gone = handover.map(|handover| handover.gone_from(id));
                let missing = missing(before.view(), &made.view, &part.writes, gone);
                revived.push(Revival {
                    shard: id,
                    incarnation,
                    missing,
                });
            }
            shards.push(Published {
                shard: id,
                incarnation,
                tick: Some(tick),
                frozen: false,
                view: made.view,
            });
        }
        let epoch = self.shared.coordinator.load_topology().epoch();
        let publication = published(Some(tick), epoch, shards)?;
        Ok(Ready {
            tick,
            phases,
            publication: Arc::new(publication),
            parts: std::mem::take(&mut self.parts),
            messages,
            revived,
            healed,
            watch,
        })
    }
}

/// Counts each write of a shard's tick as published, or returns it.
pub(super) fn settle<D: Send + Sync + 'static, V: View>(
    mut part: Part<D, V>,
    report: &mut TickReport<D>,
) {
    let shard = Some(part.slot.id());
    let is_decided = part.risen.is_some() || part.is_logged;
    let fault = part.slot.fault().filter(|_| !is_decided);
    if fault.is_some() {
        // The refusals of a shard that died don't count: its whole batch comes back.
        part.refused = GuardedList::new();
    }
    let mut reasons = reasons(&mut part);
    for (index, (origin, write)) in part.writes.iter().enumerate() {
        let reason = match (&fault, reasons.remove(&index)) {
            (_, Some(reason)) => reason,
            // A move is repeated.
            (Some(_), None) if matches!(origin, Origin::Moved(_)) => continue,
            (Some(fault), None) => ReturnReason::Died {
                suspect: part.is_held || fault.phase >= TickPhase::Act,
            },
            (None, None) => {
                match origin {
                    Origin::Intake => report.published += 1,
                    Origin::Shard(_) => report.messages.published += 1,
                    Origin::Moved(_) => report.moved += usize::from(write.document().is_some()),
                }
                continue;
            }
        };
        report.returned.push(Returned {
            shard,
            origin,
            write: write.clone(),
            reason,
        });
    }
}

/// Returns the writes of a shard that nobody has seen and that are lost with it.
pub(super) fn lose<D: Send + Sync + 'static, V: View>(mut part: Part<D, V>) -> Vec<Returned<D>> {
    let shard = Some(part.slot.id());
    if part.is_behind {
        // What a life refused that has died doesn't count.
        part.refused = GuardedList::new();
    }
    let mut reasons = reasons(&mut part);
    let writes = part.writes.iter().enumerate();
    let lost = writes.filter_map(|(index, (origin, write))| {
        let reason = reasons.remove(&index);
        let is_moved = matches!(origin, Origin::Moved(_));
        let died = (!is_moved).then_some(ReturnReason::Died { suspect: true });
        Some(Returned {
            shard,
            origin,
            write: write.clone(),
            reason: reason.or(died)?,
        })
    });
    lost.collect()
}

/// Takes out why a shard has refused writes, and why others were set aside, by their index.
fn reasons<D, V: View>(part: &mut Part<D, V>) -> BTreeMap<usize, ReturnReason> {
    let refused = part.refused.take().into_iter().map(|(at, why)| {
        let reason = match why {
            Refusal::Exists => ReturnReason::Exists,
            Refusal::Because(why) => ReturnReason::Refused(why),
        };
        (at, reason)
    });
    let aside = std::mem::take(&mut part.aside).into_iter();
    let aside = aside.map(|(at, why)| (at, ReturnReason::SetAside(why)));
    refused.chain(aside).collect()
}

/// Builds a publication of these views. Catches panics of their code.
pub(super) fn published<V: View>(
    tick: Option<Tick>,
    epoch: Epoch,
    shards: Vec<Published<V>>,
) -> Result<Publication<V>, ColonyError> {
    caught(|| Publication::of(tick, epoch, shards.into()))
        .map_err(|kind| ColonyError::Statistics(kind.to_string()))
}

/// Counts the documents of a shard's last view that are missing from the new one and weren't deleted or moved.
fn missing<D, V: View>(
    before: &V,
    now: &V,
    writes: &Writes<D>,
    gone: Option<HashSet<DocumentId>>,
) -> Option<usize> {
    let deleted = writes
        .iter()
        .filter(|(_, write)| matches!(write, Write::Delete { .. }))
        .map(|(_, write)| write.id());
    let mut kept = gone.unwrap_or_default();
    kept.extend(deleted);
    caught(|| {
        kept.extend(now.documents()?);
        let lost = before.documents()?.into_iter();
        Ok(lost.filter(|document| !kept.contains(document)).count())
    })
    .ok()
}
