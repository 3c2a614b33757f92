//! Tests with a document that makes its shard panic or hang, which the caller writes again after each return.

use std::collections::BTreeSet;
use std::sync::Arc;

use tickring::colony::{
    Batch, Birth, Refusal, ReturnReason, Returned, TickContext, TickReport, Write,
};
use tickring::error::IntakeError;
use tickring::id::Incarnation;
use tickring::publication::ShardFailure;
use tickring::{Colony, DocumentId, Shard, ShardId, View};

use crate::{GENEROUS, config, faulty};

/// How a shard fails on a document that is `false`.
type OnPoison = fn(&mut Batch<'_, bool>, usize);

struct Keeper {
    ids: Arc<BTreeSet<DocumentId>>,
    on_poison: OnPoison,
}

impl Shard for Keeper {
    type Document = bool;
    type View = Ids;

    fn act(
        &mut self,
        _context: &mut TickContext<'_, bool, Ids>,
        batch: &mut Batch<'_, bool>,
    ) -> Result<(), ShardFailure> {
        for (index, _, write) in batch.iter() {
            if write.document().is_some_and(|sound| !**sound) {
                (self.on_poison)(batch, index);
            } else {
                Arc::make_mut(&mut self.ids).insert(write.id());
            }
        }
        Ok(())
    }

    fn view(&mut self) -> Result<Ids, ShardFailure> {
        Ok(Ids(Arc::clone(&self.ids)))
    }
}

struct Ids(Arc<BTreeSet<DocumentId>>);

impl View for Ids {
    type Statistics = ();

    fn holds(&self, document: DocumentId) -> bool {
        self.0.contains(&document)
    }

    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        Ok(self.0.iter().copied().collect())
    }

    fn statistics(_views: &[&Self]) -> Result<(), ShardFailure> {
        Ok(())
    }
}

const SOUND: u64 = 100;

fn id(seed: u64) -> DocumentId {
    DocumentId::from_seed(seed)
}

/// Four shards with 100 sound documents.
fn keepers(on_poison: OnPoison) -> Colony<Keeper> {
    let make = move |birth: Birth<Ids>| {
        let ids = birth.last.map(|last| Arc::clone(&last.view().0));
        let ids = ids.unwrap_or_default();
        Ok(Keeper { ids, on_poison })
    };
    let mut colony = Colony::new(config(GENEROUS), 4, make).unwrap();
    for seed in 0..SOUND {
        colony.intake().try_add(id(seed), true).unwrap();
    }
    assert_eq!(colony.tick().unwrap().published, 100);
    colony
}

/// Checks that each sound document is in exactly one view, and the bad one in none.
fn check(colony: &Colony<Keeper>, poison: DocumentId) {
    let publication = colony.publication();
    let views = |document| {
        let shards = publication.shards().iter();
        shards.filter(|shard| shard.view().holds(document)).count()
    };
    assert!((0..SOUND).all(|seed| views(id(seed)) == 1));
    assert_eq!(views(poison), 0);
}

/// Returns the incarnations of all shards except this one.
fn others(colony: &Colony<Keeper>, one: ShardId) -> Vec<(ShardId, Incarnation)> {
    let publication = colony.publication();
    let others = publication.shards().iter();
    let others = others.filter(|published| published.shard() != one);
    let lives = others.map(|published| (published.shard(), published.incarnation()));
    lives.collect()
}

/// Moves the returned writes to `retry`, and returns the reasons.
fn reasons(report: TickReport<bool>, retry: &mut Vec<Write<bool>>) -> Vec<ReturnReason> {
    let returned = report.returned.into_iter();
    let reasons = returned.map(|Returned { write, reason, .. }| {
        retry.push(write);
        reason
    });
    reasons.collect()
}

#[test]
fn c17_a_document_that_kills_its_shard_costs_one_life_a_try_and_no_other_shard() {
    let mut colony = keepers(|_, _| panic!("on purpose"));
    let poison = id(SOUND);
    let owner = colony.topology().place(&poison).unwrap();
    let born = others(&colony, owner);
    let mut retry = Vec::new();
    colony.intake().try_upsert(poison, false).unwrap();
    for _ in 0..6 {
        let report = colony.tick().unwrap();
        assert_eq!(
            (faulty(&report), &report.frozen[..]),
            (vec![owner], &[owner][..])
        );
        let died = reasons(report, &mut retry);
        assert!(matches!(died[..], [ReturnReason::Died { suspect: true }]));
        check(&colony, poison);

        // No other shard gets it meanwhile.
        let rejected = colony.intake().try_upsert(poison, false).unwrap_err();
        assert_eq!(rejected.reason, IntakeError::Recovering { shard: owner });
        let report = colony.tick().unwrap();
        assert_eq!(faulty(&report), []);
        let [revival] = report.revived[..] else {
            panic!("{:?}", report.revived);
        };
        assert_eq!((revival.shard, revival.missing), (owner, Some(0)));
        let Some(Write::Upsert { id, document }) = retry.pop() else {
            panic!("no document came back");
        };
        assert_eq!(id, poison);
        let ticket = colony.intake().try_upsert(id, document).unwrap();
        assert_eq!(ticket.shard(), owner);
    }
    assert_eq!(others(&colony, owner), born);
}

#[test]
fn c17_a_document_that_its_shard_refuses_costs_nothing() {
    let refuse: OnPoison = |batch, index| batch.refuse(index, Refusal::Because("unsound".into()));
    let mut colony = keepers(refuse);
    let (poison, born) = (id(SOUND), others(&colony, ShardId::new(4)));
    let mut retry = vec![Write::Upsert {
        id: poison,
        document: Arc::new(false),
    }];
    for round in 0..6 {
        let Some(Write::Upsert { id: bad, document }) = retry.pop() else {
            panic!("no document came back");
        };
        colony.intake().try_upsert(bad, document).unwrap();
        for seed in 0..SOUND {
            colony.intake().try_upsert(id(seed), true).unwrap();
        }
        let report = colony.tick().unwrap();
        assert_eq!(
            (report.published, faulty(&report)),
            (100, vec![]),
            "{round}"
        );
        let refused = reasons(report, &mut retry);
        let [ReturnReason::Refused(why)] = &refused[..] else {
            panic!("{refused:?}");
        };
        assert_eq!(why.to_string(), "unsound");
        check(&colony, poison);
    }
    assert_eq!(others(&colony, ShardId::new(4)), born);
}
