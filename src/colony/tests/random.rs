//! Random rounds of writing, sending, dying, growing and shrinking, each compared with the naive model.

use std::panic::catch_unwind;

use super::model::{Back, Documents, Item, Kind, Model, Plan, Told, back};
use super::*;
use crate::error::GoalError;
use crate::ring::HashRing;
use crate::testing::random::Random;
use crate::testing::setting;

/// Few enough for collisions.
const IDS: u64 = 48;

struct Pair {
    random: Random,
    plan: Arc<Mutex<Plan>>,
    colony: Colony<Notes>,
    model: Model,
    items: u64,
    /// I13: writes that were accepted, and those whose ends were told.
    accepted: usize,
    ended: usize,
    /// What the shards are to weigh, and which are to leave.
    weights: BTreeMap<ShardId, u32>,
    leaving: BTreeSet<ShardId>,
    /// How many documents have moved, and how often a shard's writes weren't shown since another had died in a move.
    moved: usize,
    hidden: usize,
}

impl Pair {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let shards = u32::try_from(random.range(1, 5)).unwrap();
        let plan = Arc::<Mutex<Plan>>::default();
        let (acts, makes) = (Arc::clone(&plan), Arc::clone(&plan));
        let hook = hook(move |phase, context| {
            let part = acts
                .lock()
                .get(&context.shard())
                .cloned()
                .unwrap_or_default();
            for (_, item) in part.sends.iter().filter(|(at, _)| *at == phase) {
                context.send(item.write())?;
            }
            match part.dies {
                Some((at, true)) if at == phase => Misdeed::Panic.commit(),
                Some((at, false)) if at == phase => Misdeed::Fail.commit(),
                _ => Ok(()),
            }
        });
        let make = move |birth: Birth<Kept>| {
            let part = makes.lock().get(&birth.shard).cloned().unwrap_or_default();
            if part.is_not_made {
                return Err("on purpose".into());
            }
            let mut notes = Notes::again(&birth, &hook);
            if part.is_made_empty {
                notes.kept = Kept::default();
            }
            Ok(notes)
        };
        // On a pool of few threads, or each shard on one of its own.
        let colony = match random.below(4) {
            0 => Colony::pinned(patient(1), shards, make),
            threads => Colony::new(patient(threads), shards, make),
        };
        Self {
            colony: colony.unwrap(),
            model: Model::new(shards),
            random,
            plan,
            items: 0,
            accepted: 0,
            ended: 0,
            weights: (0..shards).map(|id| (ShardId(id), 1)).collect(),
            leaving: BTreeSet::new(),
            moved: 0,
            hidden: 0,
        }
    }

    fn item(&mut self) -> Item {
        let kinds = [
            Kind::Add,
            Kind::Add,
            Kind::Upsert,
            Kind::Refused,
            Kind::Delete,
            Kind::Delete,
        ];
        self.items += 1;
        Item {
            kind: self.random.pick(&kinds).unwrap(),
            id: id(self.random.range(0, IDS)),
            number: self.items,
        }
    }

    fn place(&self) -> impl Fn(DocumentId) -> Option<ShardId> + use<> {
        let topology = self.colony.topology();
        move |id| topology.place(&id).ok()
    }

    fn write(&mut self) {
        let intake = self.colony.intake();
        for _ in 0..self.random.below(12) {
            let item = self.item();
            let (id, document) = (item.id, item.text());
            let accepted = match item.kind {
                Kind::Add => intake.try_add(id, document).map_err(|back| back.reason),
                Kind::Delete => intake.try_delete(id),
                _ => intake.try_upsert(id, document).map_err(|back| back.reason),
            };
            let owner = self.place()(id);
            let expected = self.model.accept(owner, item);
            match (&accepted, owner) {
                (Ok(ticket), _) => assert_eq!(Some(ticket.shard()), owner),
                (Err(IntakeError::Recovering { shard }), _) => assert_eq!(Some(*shard), owner),
                (Err(reason), _) => assert_eq!((reason, owner), (&IntakeError::NoOwner, None)),
            }
            assert_eq!(accepted.as_ref().ok().map(|ticket| ticket.tick()), expected);
            self.accepted += usize::from(accepted.is_ok());
        }
    }

    fn make_plan(&mut self) {
        let mut plan = Plan::new();
        for shard in self.model.shards() {
            let part = plan.entry(shard).or_default();
            for phase in TickPhase::ALL {
                for _ in 0..self.random.below(3) {
                    let item = self.item();
                    part.sends.push((phase, item));
                }
            }
            if self.random.percent(20) {
                part.dies = self
                    .random
                    .pick(&TickPhase::ALL)
                    .map(|at| (at, self.random.percent(50)));
            }
            part.is_not_made = self.random.percent(40);
            part.is_made_empty = self.random.percent(20);
        }
        *self.plan.lock() = plan;
    }

    fn prepare(&mut self) {
        self.make_plan();
        for shard in self.model.shards() {
            let handover = self.colony.moving.handover.as_ref();
            let order = handover.map_or_else(Vec::new, |handover| handover.order(shard));
            self.model.order(shard, &order);
        }
        assert_eq!(self.colony.prepare().unwrap().tick, self.model.tick);
        let place = self.place();
        self.model.prepare(&self.plan.lock(), place);
    }

    fn publish(&mut self) {
        let epoch = self.colony.publication().epoch();
        let expected = self.model.publish();
        let report = self.colony.publish().unwrap();
        assert!(report.epoch >= epoch);
        assert_eq!(told(&report), expected, "tick {}", report.tick);
        self.accepted += report.messages.sent + std::mem::take(&mut self.model.homeless);
        self.ended += report.published + report.messages.published + report.returned.len();
        self.moved += report.moved;
        self.hidden += self.model.hidden();
        let topology = self.colony.topology();
        for shard in self.model.shards() {
            if topology.ring().weight(shard).is_none() {
                assert!(self.leaving.contains(&shard));
                assert!(self.model.remove(shard, self.place()));
                self.left(shard);
            }
        }
    }

    /// A change of who there is, or none.
    fn change(&mut self) {
        let place = self.place();
        let shards = self.model.shards();
        let shard = self.random.pick(&shards);
        match (self.random.below(12), shard) {
            (0, _) if shards.len() < 6 => {
                let (added, owns_nothing) = self.model.add();
                assert_eq!(self.colony.add_shard(), Ok(added));
                let weight = self.colony.topology().ring().weight(added);
                assert_eq!(weight, Some(u32::from(!owns_nothing)));
                self.weights.insert(added, u32::from(!owns_nothing));
                return;
            }
            (1, Some(shard)) => {
                let removed = self.model.remove(shard, &place);
                assert_eq!(self.colony.remove_shard(shard).is_ok(), removed);
                if removed {
                    self.left(shard);
                    return;
                }
            }
            (2 | 3, Some(shard)) => {
                let mut forgotten = self.colony.forget_shard(shard).ok();
                if let Some(held) = &mut forgotten {
                    held.sort();
                }
                assert_eq!(forgotten, self.model.forget(shard, self.place()));
                self.accepted += std::mem::take(&mut self.model.homeless);
                if forgotten.is_some() {
                    self.left(shard);
                    return;
                }
            }
            (4, Some(shard)) => {
                assert_eq!(
                    self.colony.revive_shard(shard).is_ok(),
                    self.model.revive(shard)
                );
            }
            (5 | 6, _) => return self.set_goal(),
            (7, _) => self.colony.pause_moves(),
            (8 | 9, _) => self.colony.resume_moves(),
            _ => {}
        }
        self.keeps_places(&place);
    }

    /// A goal of a few wishes, of which some can't be.
    fn set_goal(&mut self) {
        let (mut weights, mut leaving) = (self.weights.clone(), self.leaving.clone());
        let mut goal = Goal::new();
        let mut shards = self.model.shards();
        for _ in 0..self.random.below(4) {
            let weight = u32::try_from(self.random.below(3)).unwrap();
            let at = self.random.below(shards.len().max(1));
            match self.random.below(4) {
                0 if weights.len() < 7 => {
                    goal = goal.add_shard(weight);
                    weights.insert(
                        ShardId(u32::MAX - u32::try_from(weights.len()).unwrap()),
                        weight,
                    );
                }
                1 if !shards.is_empty() => {
                    let shard = shards.swap_remove(at);
                    goal = goal.remove(shard);
                    weights.insert(shard, 0);
                    leaving.insert(shard);
                }
                _ if !shards.is_empty() => {
                    let shard = shards.swap_remove(at);
                    goal = goal.weigh(shard, weight);
                    weights.insert(shard, weight);
                    leaving.remove(&shard);
                }
                _ => {}
            }
        }
        let before = self.place();
        let added = self.colony.set_goal(&goal);
        if weights.values().all(|&weight| weight == 0) {
            assert_eq!(added, Err(GoalError::NothingLeft));
            return self.keeps_places(before);
        }
        let mut given = weights
            .split_off(&ShardId(u32::MAX / 2))
            .into_values()
            .rev();
        for shard in added.unwrap() {
            assert_eq!(self.model.add().0, shard);
            weights.insert(shard, given.next().unwrap());
        }
        assert_eq!(given.next(), None);
        (self.weights, self.leaving) = (weights, leaving);
        self.colony.set_move_budget(MoveBudget {
            documents: 1 + self.random.below(11),
            bytes: self.random.range(1, 40),
            ..MoveBudget::default()
        });
    }

    fn left(&mut self, shard: ShardId) {
        self.weights.remove(&shard);
        self.leaving.remove(&shard);
    }

    /// Ticks without deaths until the goal is reached: each shard owns what the weights say, and holds what it owns.
    fn reach_goal(&mut self) {
        self.plan.lock().clear();
        self.colony.resume_moves();
        let mut ticks = 0;
        while self.colony.progress().is_some() {
            if self.weights.values().all(|&weight| weight == 0) {
                return;
            }
            for shard in self.model.shards() {
                assert_eq!(
                    self.colony.revive_shard(shard).is_ok(),
                    self.model.revive(shard)
                );
            }
            self.colony.prepare().unwrap();
            let place = self.place();
            self.model.prepare(&Plan::new(), place);
            self.publish();
            self.compare();
            ticks += 1;
            assert!(
                ticks < 500,
                "{:?} {:?}",
                self.colony.progress(),
                self.weights
            );
        }
        let topology = self.colony.topology();
        let ring = topology.ring();
        let weights = self.weights.iter().map(|(&shard, &weight)| (shard, weight));
        let nodes = ring.virtual_nodes_per_shard();
        let expected = HashRing::from_members(ring.placement(), nodes, weights).unwrap();
        assert_eq!(**ring, expected);
        assert_eq!(self.leaving, BTreeSet::new());
        for (shard, documents) in &self.model.views {
            for id in documents.keys() {
                assert_eq!(topology.place(id), Ok(*shard));
            }
        }
    }

    /// Neither a death nor a new life changes who owns a document.
    fn keeps_places(&self, before: impl Fn(DocumentId) -> Option<ShardId>) {
        let now = self.place();
        assert!((0..IDS).map(id).all(|id| now(id) == before(id)));
    }

    /// I16, and I13: each accepted write has ended or is pending.
    fn compare(&self) {
        let publication = self.colony.publication();
        published_ids(&publication);
        let views = publication.shards().iter().map(|published| {
            let texts = published.view().0.iter();
            let texts: Documents = texts.map(|(&id, text)| (id, text.to_string())).collect();
            (published.shard(), texts)
        });
        assert_eq!(views.collect::<BTreeMap<_, _>>(), self.model.views);
        if !self.model.is_prepared() {
            assert_eq!(self.accepted, self.ended + self.model.pending());
        }
    }

    fn round(&mut self) {
        self.write();
        self.change();
        self.compare();
        self.prepare();
        let place = self.place();
        self.compare();
        if self.random.percent(30) {
            self.write();
            self.keeps_places(place);
            self.change();
            self.compare();
            self.publish();
        } else {
            self.publish();
            self.keeps_places(place);
        }
        self.compare();
    }

    fn close(mut self) {
        if self.random.percent(70) {
            self.reach_goal();
        }
        self.write();
        self.plan.lock().clear();
        let place = self.place();
        self.model.is_closing = true;
        self.model.prepare(&Plan::new(), place);
        let expected = self.model.publish();
        let (hidden, unseen) = (self.model.pending(), self.model.unseen());
        let end = self.colony.close(far());
        let last = end.last.unwrap();
        assert_eq!(told(&last), expected);
        let ended = last.published + last.messages.published + last.returned.len();
        let moved = end.returned.iter();
        let moved = moved.filter(|returned| matches!(returned.origin, Origin::Moved(_)));
        assert_eq!(moved.count(), unseen);
        let accepted = self.accepted + self.model.homeless;
        assert_eq!(accepted, self.ended + ended + end.returned.len() - unseen);
        assert_eq!((end.returned.len(), end.threads_left), (hidden + unseen, 0));
    }
}

fn told(report: &TickReport<String>) -> Told {
    let returned = report.returned.iter();
    let mut returned: Vec<Back> = returned
        .map(|r| back(r.origin, r.shard, &r.write, &r.reason))
        .collect();
    returned.sort();
    let faults = report.faults.iter();
    let revived = report.revived.iter();
    Told {
        published: report.published,
        messages: report.messages,
        returned,
        faults: faults.map(|f| (f.shard, f.phase, f.unsent)).collect(),
        revived: revived.map(|r| (r.shard, r.missing)).collect(),
        moved: report.moved,
        frozen: report.frozen.clone(),
    }
}

/// `TICKRING_COLONY_ROUNDS` says how many rounds, and `TICKRING_COLONY_SEED` at which seed they begin: each seed has twenty.
#[test]
fn random_rounds_go_as_the_naive_model_says() {
    let rounds: u64 = setting("TICKRING_COLONY_ROUNDS", 300);
    let first: u64 = setting("TICKRING_COLONY_SEED", 1);
    let (mut moved, mut hidden) = (0, 0);
    for seed in first..first + rounds.div_ceil(20) {
        let run = catch_unwind(|| {
            let mut pair = Pair::new(seed);
            (0..20).for_each(|_| pair.round());
            let seen = (pair.moved, pair.hidden);
            pair.close();
            seen
        });
        let Ok(seen) = run else {
            panic!("seed {seed}");
        };
        moved += seen.0;
        hidden += seen.1;
    }
    assert!(
        rounds < 300 || (moved > 30 && hidden > 20),
        "{moved} {hidden}"
    );
}
