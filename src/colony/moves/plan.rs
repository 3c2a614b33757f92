//! What moves in a tick: parts of the steps from the ring to the goal, as far as the budget allows, with the documents in them.

use std::collections::{BTreeMap, HashSet};
use std::ops::RangeInclusive;

use super::budget::MoveBudget;
use super::progress::Amount;
use crate::colony::journal::Encode;
use crate::colony::occupant::caught;
use crate::colony::write::Write;
use crate::guarded::GuardedList;
use crate::id::{DocumentId, ShardId};
use crate::placement::Placement;
use crate::publication::{Movable, ShardFailure};
use crate::ring::{Direction, HashRing, Rebalance, RingStep};
use crate::sync::Arc;

/// How many documents are read at a time, so that not many more are read than fit.
const CHUNK: usize = 256;

/// Documents with their ids.
type Documents<D> = Vec<(DocumentId, Arc<D>)>;

/// Reads something of the documents in a range from a view.
type Read<V, T> = fn(&V, Placement, RangeInclusive<u64>) -> Result<T, ShardFailure>;

/// How a colony reads documents from its views.
pub(super) struct Reading<D, V> {
    positions: Read<V, Vec<u64>>,
    documents: Read<V, Documents<D>>,
    bytes: fn(&D) -> u64,
    /// What the log is to hold of a document that moves.
    encode: Option<Encode<D>>,
}

impl<D, V: Movable<D>> Reading<D, V> {
    pub(in crate::colony) fn new(encode: Option<Encode<D>>) -> Self {
        Self {
            encode,
            positions: V::positions_between,
            documents: V::documents_between,
            bytes: V::document_bytes,
        }
    }
}

impl<D, V> Clone for Reading<D, V> {
    fn clone(&self) -> Self {
        Self {
            encode: self.encode.clone(),
            ..*self
        }
    }
}

impl<D, V> Reading<D, V> {
    /// Returns why a view can't be read, if it can't.
    pub(super) fn check(&self, view: &V, placement: Placement) -> Result<(), String> {
        let read = caught(|| (self.documents)(view, placement, 0..=0));
        read.map(|read| drop(GuardedList::from_iter(read)))
            .map_err(|kind| kind.to_string())
    }

    /// Returns the positions in a range that have documents, in the direction.
    fn positions(
        &self,
        view: &V,
        placement: Placement,
        step: &RingStep,
    ) -> Result<Vec<u64>, String> {
        let found = caught(|| (self.positions)(view, placement, step.range()));
        let mut found = found.map_err(|kind| kind.to_string())?;
        found.retain(|at| step.range().contains(at));
        match step.direction {
            Direction::Up => found.sort_unstable(),
            Direction::Down => found.sort_unstable_by(|a, b| b.cmp(a)),
        }
        Ok(found)
    }

    fn documents(
        &self,
        view: &V,
        placement: Placement,
        part: RangeInclusive<u64>,
    ) -> Result<GuardedList<(DocumentId, Arc<D>)>, String> {
        let read = caught(|| (self.documents)(view, placement, part.clone()));
        let mut read: GuardedList<_> = read.map_err(|kind| kind.to_string())?.into_iter().collect();
        let inside = |id: &DocumentId| part.contains(&placement.document_position(id));
        if read.iter().all(|(id, _)| inside(id)) {
            return Ok(read);
        }
        Ok(read
            .take()
            .into_iter()
            .filter(|(id, _)| inside(id))
            .collect())
    }

    /// Returns how many bytes count for a document.
    fn bytes(&self, id: DocumentId, document: &Arc<D>) -> Result<u64, String> {
        let Some(encode) = &self.encode else {
            let counted = caught(|| Ok((self.bytes)(document)));
            return counted.map_err(|kind| kind.to_string());
        };
        let (document, mut logged) = (Arc::clone(document), Vec::new());
        let encoded = encode(&Write::Upsert { id, document }, &mut logged);
        encoded.map_err(|error| format!("its document {id}: {error}"))?;
        Ok(logged.len() as u64)
    }
}

/// The writes by which documents leave a shard and enter another, each with the other shard.
pub(in crate::colony) type Transfers<D> = GuardedList<(ShardId, Write<D>)>;

/// What moves in a tick.
pub(super) struct Chosen<D> {
    /// The ring after it.
    pub(super) ring: HashRing,
    /// What each shard has to apply that takes part.
    pub(super) transfers: BTreeMap<ShardId, Transfers<D>>,
    pub(super) amount: Amount,
}

/// Chooses what moves in a tick. `view` returns the view to read a step's documents from, or why that step has to wait. Returns `None` if the ring is
/// the goal.
///
/// # Errors
/// Why nothing can move now.
pub(super) fn choose<'v, D, V: 'v, W>(
    rebalance: &mut Rebalance<'_>,
    placement: Placement,
    budget: MoveBudget,
    reading: &Reading<D, V>,
    view: impl Fn(&RingStep) -> Result<&'v V, W>,
    unreadable: impl Fn(ShardId, String) -> W,
) -> Result<Chosen<D>, W> {
    let (mut amount, mut transfers) = (Amount::default(), BTreeMap::new());
    let mut passed = BTreeMap::new();
    while let Some(step) = rebalance.step() {
        // After a change of the goal, a range may move on that has just moved. Its documents aren't in the view of its new owner yet.
        if passed
            .range(..=step.last)
            .next_back()
            .is_some_and(|(_, &last)| last >= step.first)
        {
            break;
        }
        let mut part = Part {
            placement,
            budget,
            reading,
            step,
            amount,
            documents: GuardedList::new(),
        };
        let chosen = view(&step).and_then(|view| {
            let read = part.fill(view);
            read.map_err(|why| unreadable(step.from, why))
        });
        let reached = match chosen {
            Ok(reached) => reached,
            // What has been chosen before can move.
            Err(_) if amount != Amount::default() => break,
            Err(why) => return Err(why),
        };
        let Some(reached) = reached else { break };
        // The position is in the step, so that it can't be refused.
        let _ = rebalance.advance(reached);
        let taken = step.part(reached);
        passed.insert(*taken.start(), *taken.end());
        amount = part.amount;
        for (id, document) in part.documents.take() {
            let leaves = Write::Delete { id };
            let mut transfer = |shard, other, write| {
                let of_shard: &mut Transfers<D> = transfers.entry(shard).or_default();
                of_shard.push((other, write));
            };
            transfer(step.from, step.to, leaves);
            transfer(step.to, step.from, Write::Upsert { id, document });
        }
        if reached != step.end() {
            break;
        }
    }
    transfers.values_mut().for_each(arrange);
    Ok(Chosen {
        ring: rebalance.ring(),
        transfers,
        amount,
    })
}

/// Puts what leaves a shard before what enters it, in the order of the shards that it goes to. So the order is the same for a log that has
/// each document once, by the shard that takes it in.
fn arrange<D>(transfers: &mut Transfers<D>) {
    let mut all = transfers.take();
    all.sort_by_key(|(other, write)| match write.document() {
        None => (false, Some(*other)),
        Some(_) => (true, None),
    });
    transfers.extend(all);
}

/// The part of a step that moves.
struct Part<'r, D, V> {
    placement: Placement,
    budget: MoveBudget,
    reading: &'r Reading<D, V>,
    step: RingStep,
    /// What moves in the tick so far, this part included.
    amount: Amount,
    documents: GuardedList<(DocumentId, Arc<D>)>,
}

impl<D, V> Part<'_, D, V> {
    /// Reads documents as far as the budget allows, and returns the position that is reached, or `None` if that is none.
    fn fill(&mut self, view: &V) -> Result<Option<u64>, String> {
        let positions = self.reading.positions(view, self.placement, &self.step)?;
        let mut rest = &positions[..];
        let mut reached = None;
        while let Some((&first, _)) = rest.split_first() {
            let room = self.budget.documents.saturating_sub(self.amount.documents);
            let is_empty = self.amount == Amount::default();
            if (room == 0 || self.amount.bytes >= self.budget.bytes) && !is_empty {
                return Ok(reached);
            }
            let length = rest.len().min(room.clamp(1, CHUNK));
            let last = rest[length - 1];
            // All documents of a position move together.
            let length = length + rest[length..].iter().take_while(|at| **at == last).count();
            let chunk = match self.step.direction {
                Direction::Up => first..=last,
                Direction::Down => last..=first,
            };
            let Some(at) = self.take(view, chunk, last, length)? else {
                return Ok(reached);
            };
            reached = Some(at);
            if at != last {
                return Ok(reached);
            }
            rest = &rest[length..];
        }
        Ok(Some(self.step.end()))
    }

    /// Takes the documents of a chunk in the direction, as long as their bytes fit. The view has listed at least so many. Returns the last position
    /// that was taken.
    fn take(
        &mut self,
        view: &V,
        chunk: RangeInclusive<u64>,
        last: u64,
        listed: usize,
    ) -> Result<Option<u64>, String> {
        let mut read = self.reading.documents(view, self.placement, chunk)?;
        if read.len() < listed {
            return Err(format!(
                "of {listed} documents that it lists in a range, it returns {}",
                read.len()
            ));
        }
        let mut known = HashSet::new();
        let mut read = read.take();
        read.retain(|(id, _)| known.insert(*id));
        let at = |id: &DocumentId| self.placement.document_position(id);
        match self.step.direction {
            Direction::Up => read.sort_by_key(|(id, _)| at(id)),
            Direction::Down => read.sort_by_key(|(id, _)| std::cmp::Reverse(at(id))),
        }
        let mut read: GuardedList<_> = read.into_iter().collect();
        let mut taken = None;
        let mut fits = 0;
        let groups = read.chunk_by(|a, b| at(&a.0) == at(&b.0));
        for group in groups {
            let sizes = group
                .iter()
                .map(|(id, document)| self.reading.bytes(*id, document));
            let mut bytes: u64 = 0;
            for size in sizes {
                bytes = bytes.saturating_add(size?);
            }
            let is_empty = self.amount == Amount::default();
            if self.amount.bytes.saturating_add(bytes) > self.budget.bytes && !is_empty {
                break;
            }
            self.amount.documents += group.len();
            self.amount.bytes = self.amount.bytes.saturating_add(bytes);
            fits += group.len();
            taken = group.first().map(|(id, _)| at(id));
        }
        let is_all = fits == read.len();
        self.documents.extend(read.take().into_iter().take(fits));
        Ok(if is_all { Some(last) } else { taken })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publication::View;
    use crate::testing::random::Random;

    /// Documents without content.
    #[derive(Debug, Default)]
    struct Ids(std::collections::BTreeSet<DocumentId>);

    impl View for Ids {
        type Statistics = ();
        fn holds(&self, document: DocumentId) -> bool {
            self.0.contains(&document)
        }
        fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
            Ok(self.0.iter().copied().collect())
        }
        fn statistics(_: &[&Self]) -> Result<(), ShardFailure> {
            Ok(())
        }
    }

    impl Movable<u64> for Ids {
        fn documents_between(
            &self,
            placement: Placement,
            positions: RangeInclusive<u64>,
        ) -> Result<Documents<u64>, ShardFailure> {
            let inside = |id: &&DocumentId| positions.contains(&placement.document_position(id));
            let inside = self.0.iter().filter(inside);
            Ok(inside
                .map(|id| (*id, Arc::new(id.0.as_u64_pair().0 % 7)))
                .collect())
        }
        fn document_bytes(bytes: &u64) -> u64 {
            *bytes
        }
    }

    /// A ring of up to four shards with few points.
    fn ring(random: &mut Random) -> HashRing {
        let mut count = || random.pick(&[0, 1, 2, 3]).unwrap();
        let mut members: BTreeMap<_, u32> = (0..4).map(|id| (ShardId(id), count())).collect();
        *members.entry(ShardId(count())).or_default() += 1;
        HashRing::from_virtual_nodes(Placement::Xxh3, 4, members).unwrap()
    }

    /// Whatever the goal was before, each tick leaves each document with its owner. Returns the number of ticks, and of ranges that would have moved twice
    /// in one.
    fn walk(seed: u64, budget: MoveBudget) -> (usize, usize) {
        let mut random = Random::new(seed);
        let mut current = ring(&mut random);
        let mut shards: BTreeMap<ShardId, Ids> =
            (0..4).map(|id| (ShardId(id), Ids::default())).collect();
        for id in (0..200).map(DocumentId::from_seed) {
            shards
                .get_mut(&current.get_shard(&id).unwrap())
                .unwrap()
                .0
                .insert(id);
        }
        let (mut ticks, mut twice) = (0, 0);
        for _ in 0..6 {
            let goal = ring(&mut random);
            let mut left = random.below(5);
            while left > 0 && current != goal {
                left -= 1;
                ticks += 1;
                let mut rebalance = Rebalance::new(&current, &goal).unwrap();
                let chosen = choose(
                    &mut rebalance,
                    Placement::Xxh3,
                    budget,
                    &Reading::new(None),
                    |step| Ok(&shards[&step.from]),
                    |shard, why| format!("{shard} {why}"),
                );
                let chosen = chosen.unwrap();
                let rest = Rebalance::new(&chosen.ring, &goal).unwrap();
                let is_within = chosen.amount.documents < budget.documents / 2
                    && chosen.amount.bytes < budget.bytes / 2;
                twice += usize::from(is_within && rest.step().is_some());
                for (shard, transfers) in chosen.transfers {
                    let ids = &mut shards.get_mut(&shard).unwrap().0;
                    for (_, write) in transfers.iter() {
                        match write.document() {
                            Some(_) => assert!(ids.insert(write.id())),
                            None => assert!(ids.remove(&write.id())),
                        }
                    }
                }
                current = chosen.ring;
                for (shard, ids) in &shards {
                    for id in &ids.0 {
                        assert_eq!(current.get_shard(id), Ok(*shard), "seed {seed}");
                    }
                }
            }
        }
        (ticks, twice)
    }

    #[test]
    fn d3_after_each_step_each_document_is_with_its_owner_whatever_the_goals_were() {
        let (mut ticks, mut twice) = (0, 0);
        for seed in 0..300 {
            let mut random = Random::new(seed + 10_000);
            let budget = MoveBudget {
                documents: 1 + random.below(400),
                bytes: 1 + random.below(3_000) as u64,
                ..MoveBudget::default()
            };
            let (more, of_those) = walk(seed, budget);
            ticks += more;
            twice += of_those;
        }
        // Some ticks end since a range has already moved in them.
        assert!(ticks > 1_000 && twice > 10, "{ticks} {twice}");
    }

    #[test]
    fn a_budget_is_kept_and_something_always_moves() {
        let (from, goal) = (HashRing::new(2).unwrap(), HashRing::new(3).unwrap());
        let mut shards: BTreeMap<ShardId, Ids> = BTreeMap::new();
        for id in (0..500).map(DocumentId::from_seed) {
            shards
                .entry(from.get_shard(&id).unwrap())
                .or_default()
                .0
                .insert(id);
        }
        for (documents, bytes) in [
            (0, 0),
            (1, u64::MAX),
            (7, u64::MAX),
            (usize::MAX, 20),
            (300, 60),
        ] {
            let budget = MoveBudget {
                documents,
                bytes,
                ..MoveBudget::default()
            };
            let mut rebalance = Rebalance::new(&from, &goal).unwrap();
            let chosen = choose(
                &mut rebalance,
                Placement::Xxh3,
                budget,
                &Reading::new(None),
                |step| Ok(&shards[&step.from]),
                |shard, why| format!("{shard} {why}"),
            );
            let Amount {
                documents: moved,
                bytes: of,
            } = chosen.unwrap().amount;
            assert!(
                moved >= 1 && moved <= documents.max(1),
                "{moved} of {budget:?}"
            );
            assert!(of <= bytes || moved == 1, "{of} of {budget:?}");
        }
    }
}
