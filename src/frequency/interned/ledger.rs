//! The shards' contributions and their sum: the pure core, without locks, clocks or threads.

use std::collections::BTreeMap;

use super::ShardFrequencies;
use super::counts::Counts;
use super::snapshot::Totals;
use crate::error::FrequencyError;
use crate::id::{ShardId, TermId};

#[derive(Debug, Default)]
pub(super) struct Ledger {
    shards: BTreeMap<ShardId, Contribution>,
    /// The last generations of the shards that have left. Calls from before their removal are refused by these.
    left: BTreeMap<ShardId, u64>,
    totals: Totals,
}

#[derive(Debug, Default)]
struct Contribution {
    generation: u64,
    documents: u64,
    tokens: u64,
    counts: Counts,
    /// An upper bound for the counts of each page. It may be above the greatest count: it is computed again only when it exceeds the
    /// shard's number of documents. Pages beyond the end have no counts.
    bounds: Vec<u64>,
}

/// The contribution of a shard that has never contributed.
static NOTHING: Contribution = Contribution {
    generation: 0,
    documents: 0,
    tokens: 0,
    counts: Counts::EMPTY,
    bounds: Vec::new(),
};

/// A term's new count in the shard, and the new sum over all shards.
struct Change {
    term: TermId,
    count: u64,
    sum: u64,
}

impl Ledger {
    pub(super) fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The shards that contribute, with the generations of their contributions.
    pub(super) fn generations(&self) -> impl Iterator<Item = (ShardId, u64)> + '_ {
        self.shards
            .iter()
            .map(|(&shard, has)| (shard, has.generation))
    }

    /// Replaces the contribution of the shard by `new`.
    pub(super) fn replace(
        &mut self,
        shard: ShardId,
        generation: u64,
        new: &ShardFrequencies,
    ) -> Result<(), FrequencyError> {
        self.later(shard, generation)?;
        let had = self.contribution(shard).unwrap_or(&NOTHING);
        let totals = self.totals_with(had, new.documents(), new.tokens())?;
        let gone = unlisted(&had.counts, new).map(|(term, _)| (term, 0));
        let changes = self.changes(had, new.iter().chain(gone));
        self.carry_out(shard, generation, new.totals(), totals, changes);
        Ok(())
    }

    /// Replaces the contribution of the shard by these numbers of documents and tokens, and these counts, whose chunks it shares.
    pub(super) fn share(
        &mut self,
        shard: ShardId,
        generation: u64,
        (documents, tokens): (u64, u64),
        counts: &Counts,
    ) -> Result<(), FrequencyError> {
        self.later(shard, generation)?;
        let had = self.contribution(shard).unwrap_or(&NOTHING);
        let totals = self.totals_with(had, documents, tokens)?;
        let changes = self.changes(had, counts.differing(&had.counts));
        self.shards.entry(shard).or_default().counts = counts.clone();
        self.carry_out(shard, generation, (documents, tokens), totals, changes);
        Ok(())
    }

    /// Updates the contribution of the shard. `new` has its current numbers of documents and tokens, and the counts that have changed.
    pub(super) fn update(
        &mut self,
        shard: ShardId,
        generation: u64,
        new: &ShardFrequencies,
    ) -> Result<(), FrequencyError> {
        self.later(shard, generation)?;
        let had = self
            .contribution(shard)
            .ok_or(FrequencyError::NoContribution { shard })?;
        let documents = new.documents();
        let stays = |&(term, _): &(TermId, u64)| new.get(term).is_none();
        let above = had.above(documents).find(stays);
        if let Some((term, frequency)) = above {
            return Err(FrequencyError::CountAboveDocuments {
                term,
                frequency,
                documents,
            });
        }
        let totals = self.totals_with(had, documents, new.tokens())?;
        let changes = self.changes(had, new.iter());
        self.carry_out(shard, generation, new.totals(), totals, changes);
        Ok(())
    }

    /// Removes the shard's contribution. The generation may be that of its last change.
    pub(super) fn remove(&mut self, shard: ShardId, generation: u64) -> Result<(), FrequencyError> {
        let had = self
            .contribution(shard)
            .ok_or(FrequencyError::NoContribution { shard })?;
        if generation < had.generation {
            return Err(FrequencyError::StaleGeneration {
                shard,
                generation,
                last: had.generation,
            });
        }
        let totals = self.totals_with(had, 0, 0)?;
        let gone = had.counts.iter().map(|(term, _)| (term, 0));
        let changes = self.changes(had, gone);
        self.carry_out(shard, generation, (0, 0), totals, changes);
        self.shards.remove(&shard);
        self.left.insert(shard, generation);
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn contributed(&self, shard: ShardId) -> Option<&Counts> {
        Some(&self.contribution(shard)?.counts)
    }

    fn contribution(&self, shard: ShardId) -> Option<&Contribution> {
        self.shards.get(&shard)
    }

    /// Checks that the generation is later than the shard's last one.
    fn later(&self, shard: ShardId, generation: u64) -> Result<(), FrequencyError> {
        let here = self.contribution(shard).map(|has| has.generation);
        match here.or(self.left.get(&shard).copied()) {
            Some(last) if generation <= last => Err(FrequencyError::StaleGeneration {
                shard,
                generation,
                last,
            }),
            _ => Ok(()),
        }
    }

    /// Returns the totals over all shards after one of them has replaced `had` by these numbers of documents and tokens.
    fn totals_with(
        &self,
        had: &Contribution,
        documents: u64,
        tokens: u64,
    ) -> Result<(u64, u64), FrequencyError> {
        let total = |what, sum: u64, had: u64, has: u64| {
            (sum - had)
                .checked_add(has)
                .ok_or(FrequencyError::TotalOverflow { what })
        };
        Ok((
            total("documents", self.totals.documents, had.documents, documents)?,
            total("tokens", self.totals.tokens, had.tokens, tokens)?,
        ))
    }

    /// Lists the counts that differ, with the new sums. Changes nothing yet.
    fn changes(&self, had: &Contribution, new: impl Iterator<Item = (TermId, u64)>) -> Vec<Change> {
        let change = |(term, count)| {
            let before = had.counts.get(term);
            // The sum includes the old count. It can't overflow: no count exceeds its shard's number of documents, and the sum of those
            // has been checked.
            let sum = || self.totals.counts.get(term) - before + count;
            (count != before).then(|| Change {
                term,
                count,
                sum: sum(),
            })
        };
        new.filter_map(change).collect()
    }

    /// Carries out a change that has passed all checks.
    fn carry_out(
        &mut self,
        shard: ShardId,
        generation: u64,
        has: (u64, u64),
        totals: (u64, u64),
        changes: Vec<Change>,
    ) {
        (self.totals.documents, self.totals.tokens) = totals;
        self.left.remove(&shard);
        let contribution = self.shards.entry(shard).or_default();
        contribution.generation = generation;
        (contribution.documents, contribution.tokens) = has;
        for Change { term, count, sum } in changes {
            contribution.set(term, count);
            self.totals.counts.set(term, sum);
        }
        contribution.tighten();
    }
}

impl Contribution {
    fn set(&mut self, term: TermId, count: u64) {
        self.counts.set(term, count);
        if count == 0 {
            return;
        }
        let page = Counts::page_of(term);
        if page >= self.bounds.len() {
            self.bounds.resize(page + 1, 0);
        }
        self.bounds[page] = self.bounds[page].max(count);
    }

    /// Returns the terms with a count above this number, ascending. Looks only at pages that can have one.
    fn above(&self, documents: u64) -> impl Iterator<Item = (TermId, u64)> + '_ {
        let pages = self.bounds.iter().enumerate();
        let pages = pages.filter(move |&(_, &bound)| bound > documents);
        let counts = pages.flat_map(|(page, _)| self.counts.in_page(page));
        counts.filter(move |&(_, count)| count > documents)
    }

    /// Computes the bounds again that exceed the number of documents, since no count does.
    fn tighten(&mut self) {
        for (page, bound) in self.bounds.iter_mut().enumerate() {
            if *bound > self.documents {
                let counts = self.counts.in_page(page).map(|(_, count)| count);
                *bound = counts.max().unwrap_or(0);
            }
        }
    }
}

/// Returns the counts of the terms that `new` doesn't list.
fn unlisted<'a>(
    counts: &'a Counts,
    new: &'a ShardFrequencies,
) -> impl Iterator<Item = (TermId, u64)> + 'a {
    let mut listed = new.iter().map(|(term, _)| term).peekable();
    counts.iter().filter(move |&(term, _)| {
        while listed.next_if(|&id| id < term).is_some() {}
        listed.peek() != Some(&term)
    })
}
