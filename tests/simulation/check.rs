//! What must hold, looked at from outside.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crossbeam::channel::Receiver;
use tickring::{
    BarrierError, Coordinator, DocumentId, Error, HashRing, Incarnation, Placement, Router,
    ShardId, ShardStatus, Tick, TickPhase, Topology, TopologyChange, TopologyEvent,
};

use crate::ledger::{Ledger, Verdict};
use crate::random::mix;
use crate::world::Outcome;

type Replica = BTreeMap<ShardId, Option<(Incarnation, ShardStatus)>>;

pub(crate) struct Witness {
    topology: Arc<Topology>,
    router: Router,
    events: Receiver<TopologyEvent>,
    /// The colony as somebody knows it who only hears the events.
    replica: Replica,
}

#[expect(clippy::needless_pass_by_value, reason = "reads like an assertion")]
fn expect<T: PartialEq + std::fmt::Debug>(what: &str, real: T, expected: T) -> Outcome {
    if real == expected {
        return Ok(());
    }
    Err(format!("{what}: {real:?} instead of {expected:?}"))
}

impl Witness {
    pub(crate) fn new(coordinator: &Coordinator) -> Self {
        let topology = coordinator.topology();
        let members = topology.members().iter();
        Self {
            replica: members.map(|member| (member.shard(), None)).collect(),
            topology,
            router: coordinator.router(),
            events: coordinator.subscribe(1 << 12),
        }
    }

    /// After a step.
    pub(crate) fn look(
        &mut self,
        coordinator: &Coordinator,
        ledger: &Ledger,
        step: u64,
        everything: bool,
    ) -> Outcome {
        let before = std::mem::replace(&mut self.topology, coordinator.topology());
        let (was, is) = (before.epoch().get(), self.topology.epoch().get());
        expect("the epoch", is, ledger.epoch)?;
        expect(
            "a new topology",
            !Arc::ptr_eq(&before, &self.topology),
            was != is,
        )?;
        if was != is || everything {
            self.hear(&before)?;
            self.look_at_members(ledger)?;
            self.look_at_phases(coordinator, ledger, true)?;
            let same_ring = Arc::ptr_eq(before.ring(), self.topology.ring());
            if !same_ring || everything {
                self.look_at_ring(ledger)?;
            }
        }
        self.look_at_past(coordinator, ledger, step)?;
        self.look_at_route(coordinator, ledger, DocumentId::from_seed(mix(step)))
    }

    /// I10: what routes is on the ring of the same epoch, and planned or alive.
    fn look_at_route(
        &mut self,
        coordinator: &Coordinator,
        ledger: &Ledger,
        document: DocumentId,
    ) -> Outcome {
        let expected = ledger.route(Placement::Xxh3.document_position(&document));
        let real = coordinator.route_document(&document);
        if let Ok(shard) = real {
            let member = self.topology.member(shard);
            expect(
                "I10: the routed shard serves",
                member.is_some_and(tickring::Member::serves),
                true,
            )?;
        }
        expect("the route", real.ok(), expected)?;
        expect(
            "the router's route",
            self.router.route(&document).ok(),
            expected,
        )
    }

    fn look_at_members(&self, ledger: &Ledger) -> Outcome {
        let real = self.topology.members().iter();
        let real = real.map(|member| {
            let life = member.status().zip(member.incarnation());
            (member.shard(), member.weight(), life)
        });
        let expected = ledger.weights.iter().map(|(&shard, &weight)| {
            let life = ledger.lives.get(&shard);
            (
                shard,
                weight,
                life.map(|life| (life.status, life.incarnation)),
            )
        });
        if real.clone().eq(expected.clone()) {
            return Ok(());
        }
        let wrong = real.zip(expected).find(|(real, expected)| real != expected);
        Err(format!(
            "I10: a member is (left), but should be (right): {wrong:?}"
        ))
    }

    fn look_at_ring(&self, ledger: &Ledger) -> Outcome {
        let ring = self.topology.ring();
        let members = ledger
            .weights
            .iter()
            .map(|(&shard, &weight)| (shard, weight));
        let nodes = ring.virtual_nodes_per_shard();
        let anew = HashRing::from_members(Placement::Xxh3, nodes, members);
        let anew = anew.map_err(|error| error.to_string())?;
        expect(
            "the ring's fingerprint",
            ring.fingerprint(),
            anew.fingerprint(),
        )
    }

    /// I6: after a refusal everything is as before, except what happened earlier in the same step.
    pub(crate) fn nothing_changed(&self, coordinator: &Coordinator, ledger: &Ledger) -> Outcome {
        expect(
            "I6: the epoch after a refusal",
            coordinator.topology().epoch().get(),
            ledger.epoch,
        )?;
        expect(
            "I6: the tick after a refusal",
            coordinator.current_tick(),
            ledger.current,
        )
    }

    /// What is known of one shard.
    pub(crate) fn look_at(
        &self,
        shard: ShardId,
        coordinator: &Coordinator,
        ledger: &Ledger,
    ) -> Outcome {
        let topology = coordinator.topology();
        let real = topology
            .member(shard)
            .and_then(tickring::Member::registered);
        let real = real.map(|known| {
            let documents = known.info.document_count;
            (known.incarnation, known.status, known.last_seen, documents)
        });
        let expected = ledger.lives.get(&shard);
        let expected =
            expected.map(|life| (life.incarnation, life.status, life.seen, life.documents));
        expect("what is known of the shard", real, expected)
    }

    /// I1, I2: the highest phase that is complete is, and the one after it isn't, for exactly those that it lacks. `closely`: the
    /// same for the current tick and the next, wherever the frontier is.
    pub(crate) fn look_at_phases(
        &self,
        coordinator: &Coordinator,
        ledger: &Ledger,
        closely: bool,
    ) -> Outcome {
        expect("the tick", coordinator.current_tick(), ledger.current)?;
        let highest = [ledger.frontier.checked_sub(1), Some(ledger.frontier)];
        let window = closely.then_some(ledger.current * 4..ledger.current * 4 + 8);
        let phases = highest
            .into_iter()
            .flatten()
            .chain(window.into_iter().flatten());
        for number in phases {
            let (tick, at) = (number / 4, usize::try_from(number % 4).unwrap());
            let phase = TickPhase::ALL[at];
            let real = self.poll(coordinator, phase, tick)?;
            let expected = ledger.verdict(phase, tick);
            if real != expected {
                return Err(format!(
                    "I1, I2: {phase} of {tick}: {real:?} instead of {expected:?}"
                ));
            }
        }
        Ok(())
    }

    /// I2: what was complete stays so, what was left incomplete stays that.
    fn look_at_past(&self, coordinator: &Coordinator, ledger: &Ledger, step: u64) -> Outcome {
        let back = mix(step) % 96;
        let Some(tick) = ledger.current.checked_sub(back) else {
            return Ok(());
        };
        let phase = TickPhase::ALL[usize::try_from(step % 4).unwrap()];
        let (real, expected) = (
            self.poll(coordinator, phase, tick)?,
            ledger.verdict(phase, tick),
        );
        expect("I2: a phase of the past", real, expected)
    }

    pub(crate) fn poll(
        &self,
        coordinator: &Coordinator,
        phase: TickPhase,
        tick: Tick,
    ) -> Outcome<Verdict> {
        match coordinator.wait_for_phase_timeout(phase, tick, Duration::ZERO) {
            Ok(()) => Ok(Verdict::Complete),
            Err(Error::Barrier(BarrierError::PhaseTimeout { missing, .. })) => {
                Ok(Verdict::Missing(missing.as_slice().to_vec()))
            }
            Err(Error::Barrier(error)) => Ok(Verdict::Never(error)),
            Err(error) => Err(format!("a wait gave {error:?}")),
        }
    }

    /// Takes the events in: none is missing, and whoever only hears them knows all.
    fn hear(&mut self, before: &Topology) -> Outcome {
        let mut epoch = before.epoch().get();
        for event in self.events.try_iter() {
            let told = event.epoch.get();
            if told != epoch && told != epoch + 1 {
                return Err(format!("an event of {told} follows one of epoch {epoch}"));
            }
            epoch = told;
            let weight = |shard| before.member(shard).map(tickring::Member::weight);
            let known = match event.change {
                TopologyChange::Registered { shard, incarnation } => {
                    let life = (incarnation, ShardStatus::Online);
                    self.replica.insert(shard, Some(life));
                    true
                }
                TopologyChange::Deregistered { shard, incarnation } => {
                    let gone = self.replica.remove(&shard);
                    gone.map(|life| life.map(|(life, _)| life)) == Some(incarnation)
                }
                TopologyChange::Evicted { shard, incarnation } => {
                    let gone = self.replica.remove(&shard).flatten();
                    gone.map(|(life, _)| life) == Some(incarnation)
                }
                TopologyChange::Status { shard, from, to } => {
                    let life = self.replica.get_mut(&shard).and_then(Option::as_mut);
                    life.map(|(_, status)| std::mem::replace(status, to)) == Some(from)
                }
                TopologyChange::Weight { shard, from, to } => from != to && weight(shard).is_some(),
                _ => false,
            };
            if !known {
                return Err(format!("{event:?} contradicts what was told before"));
            }
        }
        expect("the last event's epoch", epoch, self.topology.epoch().get())?;
        let members = self.topology.members().iter().map(|member| {
            let life = member.incarnation().zip(member.status());
            (member.shard(), life)
        });
        let heard = self.replica.iter().map(|(&shard, &life)| (shard, life));
        expect("the colony that the events tell", heard.eq(members), true)
    }
}
