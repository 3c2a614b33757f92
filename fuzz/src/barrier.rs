//! The barrier against a map of its members, as its documentation describes it.

use std::collections::BTreeMap;
use std::time::Duration;

use arbitrary::Unstructured;
use tickring::{
    BarrierError, Incarnation, MAX_SHARDS, ShardId, ShardInfo, ShardRegistry, Tick, TickBarrier,
    TickPhase, Timestamp,
};

const LAST_TICK: Tick = u64::MAX / 4 - 1;
const REMEMBERED: u64 = 64;

type Phase = (Tick, TickPhase);

/// The most calls that one input makes: longer inputs find nothing more, only later.
const STEPS: usize = 80;

/// Carries out the input's calls on a barrier and on the map, and compares their answers and all that can be asked.
pub(crate) fn run(data: &[u8]) {
    // Nothing is wrong with an input that ends early.
    let _ = calls(&mut Unstructured::new(data));
}

fn calls(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let shards = u32::from(input.arbitrary::<u8>()? % 6);
    let barrier = TickBarrier::new(shards).unwrap();
    let mut oracle = Oracle::default();
    oracle.fill(shards, 0);
    let incarnations = incarnations();
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        call(input, &barrier, &mut oracle, &incarnations)?;
        check(&barrier, &oracle);
    }
    check_past(&barrier, &oracle);
    Ok(())
}

fn incarnations() -> [Incarnation; 4] {
    let mut registry = ShardRegistry::new();
    [0; 4].map(|id| {
        let info = ShardInfo::new(ShardId(id), String::new());
        registry
            .register_with_id(info, ShardId(id), Timestamp::ZERO)
            .unwrap()
    })
}

fn call(
    input: &mut Unstructured<'_>,
    barrier: &TickBarrier,
    oracle: &mut Oracle,
    incarnations: &[Incarnation; 4],
) -> arbitrary::Result<()> {
    let step: u8 = input.arbitrary()?;
    let shard = shard(input)?;
    let incarnation = incarnations[usize::from(input.arbitrary::<u8>()? % 4)];
    match step % 16 {
        0..=3 => {
            let (phase, tick) = (phase(input)?, tick(input, oracle.current)?);
            let expected = oracle.complete(shard, None, (tick, phase));
            assert_eq!(barrier.complete(shard, phase, tick), expected);
        }
        4 | 5 => {
            let (phase, tick) = (phase(input)?, tick(input, oracle.current)?);
            let expected = oracle.complete(shard, Some(incarnation), (tick, phase));
            assert_eq!(
                barrier.complete_as(shard, incarnation, phase, tick),
                expected
            );
        }
        6 => assert_eq!(barrier.join(shard), oracle.join(shard, None)),
        7 => assert_eq!(
            barrier.join_as(shard, incarnation),
            oracle.join(shard, Some(incarnation))
        ),
        8 => assert_eq!(
            barrier.bind(shard, incarnation),
            oracle.bind(shard, incarnation)
        ),
        9 => assert_eq!(
            barrier.replace_as(shard, incarnation),
            oracle.replace(shard, incarnation)
        ),
        10 => assert_eq!(barrier.leave(shard), oracle.leave(shard)),
        11 => {
            let others = [shard, ShardId(shard.0 ^ 1), ShardId(7)];
            barrier.leave_many(&others);
            oracle.leave_many(&others);
        }
        12 | 13 => {
            let next = oracle.current + 1;
            let expected = oracle.advance_to(next).map(|()| next);
            assert_eq!(barrier.advance(), expected);
        }
        14 => {
            let tick = tick(input, oracle.current)?;
            assert_eq!(barrier.reset_for_tick(tick), oracle.advance_to(tick));
        }
        _ if shard.0 == 0 && incarnation.get() == 1 => {
            barrier.close();
            oracle.closed = true;
        }
        _ => {
            let count = match input.arbitrary::<u8>()? {
                255 => MAX_SHARDS + 1,
                few => u32::from(few % 8),
            };
            assert_eq!(
                barrier.set_shard_count(count),
                oracle.set_shard_count(count)
            );
        }
    }
    Ok(())
}

fn shard(input: &mut Unstructured<'_>) -> arbitrary::Result<ShardId> {
    let byte: u8 = input.arbitrary()?;
    Ok(ShardId(if byte == 255 {
        u32::MAX
    } else {
        u32::from(byte % 7)
    }))
}

fn phase(input: &mut Unstructured<'_>) -> arbitrary::Result<TickPhase> {
    Ok(TickPhase::ALL[usize::from(input.arbitrary::<u8>()? % 4)])
}

/// Around the current tick mostly, then some way off, then at the end of all ticks.
fn tick(input: &mut Unstructured<'_>, current: Tick) -> arbitrary::Result<Tick> {
    let byte: u8 = input.arbitrary()?;
    Ok(match byte {
        0..220 => current
            .saturating_add(u64::from(byte % 4))
            .saturating_sub(1),
        220..235 => current.saturating_add(u64::from(byte - 220) * 9),
        235..245 => LAST_TICK - 4 + u64::from(byte - 235),
        245 => u64::MAX,
        _ => input.arbitrary()?,
    })
}

/// All answers about the ticks around the current one.
fn check(barrier: &TickBarrier, oracle: &Oracle) {
    let current = oracle.current;
    assert_eq!(barrier.current_tick(), current);
    assert_eq!(barrier.is_closed(), oracle.closed);
    assert_eq!(barrier.shard_count() as usize, oracle.members.len());
    let shards: Vec<_> = (0..8).map(ShardId).collect();
    for tick in current.saturating_sub(1)..=current + 2 {
        for phase in TickPhase::ALL {
            check_wait(barrier, oracle, (tick, phase));
            let done = oracle.completed((tick, phase));
            assert_eq!(barrier.get_completed_shards(phase, tick), done);
            assert_eq!(barrier.completed_count(phase, tick) as usize, done.len());
            let pending: Vec<_> = shards
                .iter()
                .copied()
                .filter(|s| !done.contains(s))
                .collect();
            assert_eq!(barrier.get_pending_shards(phase, tick, &shards), pending);
            assert_eq!(
                barrier.is_complete(ShardId(1), phase, tick),
                done.contains(&ShardId(1))
            );
        }
    }
}

/// What is said of the ticks that are over, as far back as any is remembered and a little more.
fn check_past(barrier: &TickBarrier, oracle: &Oracle) {
    let far = oracle.current.saturating_sub(REMEMBERED * 2);
    let edges = oracle
        .incomplete
        .iter()
        .flat_map(|ticks| [ticks.first, ticks.last]);
    let ticks = (far..oracle.current)
        .chain(edges)
        .chain([0, LAST_TICK, LAST_TICK + 1, u64::MAX]);
    for tick in ticks {
        for phase in TickPhase::ALL {
            check_wait(barrier, oracle, (tick, phase));
        }
    }
}

fn check_wait(barrier: &TickBarrier, oracle: &Oracle, (tick, phase): Phase) {
    let answer = barrier.wait_all_with_timeout(phase, tick, Duration::ZERO);
    let verdict = oracle.verdict((tick, phase));
    match (answer, verdict) {
        (
            Err(BarrierError::PhaseTimeout {
                phase: p,
                tick: t,
                missing,
            }),
            None,
        ) => {
            assert_eq!((t, p), (tick, phase));
            assert_eq!(missing.as_slice(), oracle.missing((tick, phase)));
        }
        (answer, verdict) => assert_eq!(Some(answer), verdict, "{phase} of {tick}"),
    }
}

struct Member {
    incarnation: Option<Incarnation>,
    first: Tick,
    /// The greatest completion; it stands for all before it.
    done: Option<Phase>,
}

impl Member {
    fn counts_for(&self, tick: Tick) -> bool {
        self.first <= tick
    }

    fn did(&self, phase: Phase) -> bool {
        self.counts_for(phase.0) && self.done.is_some_and(|done| done >= phase)
    }
}

/// Ticks that were advanced over before they were complete.
struct Incomplete {
    first: Tick,
    last: Tick,
    /// The last phase that was complete, if any.
    reached: Option<TickPhase>,
}

#[derive(Default)]
struct Oracle {
    members: BTreeMap<ShardId, Member>,
    current: Tick,
    /// The greatest phase that was complete; it stands for all before it but those left incomplete.
    frontier: Option<Phase>,
    incomplete: Vec<Incomplete>,
    closed: bool,
}

type Answer<T = ()> = Result<T, BarrierError>;

impl Oracle {
    fn open(&self) -> Answer {
        if self.closed {
            Err(BarrierError::Closed)
        } else {
            Ok(())
        }
    }

    fn fill(&mut self, count: u32, first: Tick) {
        for shard in (0..count).map(ShardId) {
            self.members.entry(shard).or_insert(Member {
                incarnation: None,
                first,
                done: None,
            });
        }
    }

    /// The phases whose completions are taken.
    fn window(&self) -> impl Iterator<Item = Phase> + use<> {
        let ticks = self.current..=self.current + 1;
        ticks.flat_map(|tick| TickPhase::ALL.map(|phase| (tick, phase)))
    }

    fn required(&self, tick: Tick) -> impl Iterator<Item = (&ShardId, &Member)> {
        self.members
            .iter()
            .filter(move |(_, member)| member.counts_for(tick))
    }

    /// Raises the frontier to the greatest phase that somebody, and everybody who has to, completed.
    fn settle(&mut self) {
        let satisfied = self.window().filter(|&phase| {
            let mut required = self.required(phase.0).peekable();
            required.peek().is_some() && required.all(|(_, member)| member.did(phase))
        });
        self.frontier = self.frontier.max(satisfied.max());
    }

    fn first_countable(&self) -> Tick {
        let touched = self.frontier.map_or(0, |(tick, _)| tick + 1);
        touched.max(self.current + 1)
    }

    fn complete(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
        phase: Phase,
    ) -> Answer {
        self.open()?;
        let (tick, current) = (phase.0, self.current);
        let member = self
            .members
            .get_mut(&shard)
            .ok_or(BarrierError::UnknownShard(shard))?;
        match incarnation {
            Some(stale) if member.incarnation != Some(stale) => {
                return Err(BarrierError::StaleIncarnation { shard, stale });
            }
            _ if tick < current => return Err(BarrierError::TickOver { tick, current }),
            _ if tick > LAST_TICK || tick > current + 1 => {
                return Err(BarrierError::TickAhead { tick, current });
            }
            _ => member.done = member.done.max(Some(phase)),
        }
        self.settle();
        Ok(())
    }

    fn join(&mut self, shard: ShardId, incarnation: Option<Incarnation>) -> Answer<Tick> {
        self.open()?;
        if self.members.contains_key(&shard) {
            return Err(BarrierError::MemberExists(shard));
        }
        Ok(self.put(shard, incarnation))
    }

    fn put(&mut self, shard: ShardId, incarnation: Option<Incarnation>) -> Tick {
        let first = self.first_countable();
        let member = Member {
            incarnation,
            first,
            done: None,
        };
        self.members.insert(shard, member);
        first
    }

    fn bind(&mut self, shard: ShardId, incarnation: Incarnation) -> Answer {
        self.open()?;
        let member = self
            .members
            .get_mut(&shard)
            .ok_or(BarrierError::UnknownShard(shard))?;
        if *member.incarnation.get_or_insert(incarnation) == incarnation {
            return Ok(());
        }
        Err(BarrierError::MemberExists(shard))
    }

    fn replace(&mut self, shard: ShardId, incarnation: Incarnation) -> Answer<Tick> {
        self.open()?;
        let member = self
            .members
            .get(&shard)
            .ok_or(BarrierError::UnknownShard(shard))?;
        if member.incarnation == Some(incarnation) {
            return Err(BarrierError::MemberExists(shard));
        }
        let first = self.put(shard, Some(incarnation));
        self.settle();
        Ok(first)
    }

    fn leave(&mut self, shard: ShardId) -> Answer {
        self.open()?;
        self.members
            .remove(&shard)
            .ok_or(BarrierError::UnknownShard(shard))?;
        self.settle();
        Ok(())
    }

    fn leave_many(&mut self, shards: &[ShardId]) {
        if !self.closed {
            self.members.retain(|shard, _| !shards.contains(shard));
            self.settle();
        }
    }

    fn set_shard_count(&mut self, count: u32) -> Answer {
        self.open()?;
        if count > MAX_SHARDS {
            return Err(BarrierError::TooManyMembers {
                value: count.into(),
                max: MAX_SHARDS.into(),
            });
        }
        let first = self.first_countable();
        self.members.retain(|shard, _| shard.0 < count);
        self.fill(count, first);
        self.settle();
        Ok(())
    }

    fn advance_to(&mut self, to: Tick) -> Answer {
        self.open()?;
        let (tick, current) = (to, self.current);
        if tick < current {
            return Err(BarrierError::TickBackwards { tick, current });
        }
        if tick > LAST_TICK {
            return Err(BarrierError::TickAhead { tick, current });
        }
        // The frontier lies in the second of the ticks at the most; all beyond it got nowhere.
        for tick in (current..to).take(2) {
            self.leave_incomplete(tick, tick);
        }
        if to - current > 2 {
            self.leave_incomplete(current + 2, to - 1);
        }
        self.current = to;
        Ok(())
    }

    fn leave_incomplete(&mut self, first: Tick, last: Tick) {
        let end = (last, TickPhase::Advance);
        if self.frontier.is_none_or(|frontier| frontier < end) {
            let reached = self.frontier.filter(|&(tick, _)| tick == first);
            self.incomplete.push(Incomplete {
                first,
                last,
                reached: reached.map(|(_, phase)| phase),
            });
        }
    }

    /// The youngest incomplete tick that isn't remembered any more.
    fn forgotten(&self) -> Option<Tick> {
        let mut left = REMEMBERED;
        for ticks in self.incomplete.iter().rev() {
            let count = ticks.last - ticks.first + 1;
            if count > left {
                return Some(ticks.last - left);
            }
            left -= count;
        }
        None
    }

    /// What a wait says; nothing if it has to wait.
    fn verdict(&self, phase: Phase) -> Option<Answer> {
        let (tick, current) = (phase.0, self.current);
        if tick < current {
            if self.forgotten().is_some_and(|forgotten| tick <= forgotten) {
                return Some(Err(BarrierError::TickOver { tick, current }));
            }
            let among = |ticks: &&Incomplete| (ticks.first..=ticks.last).contains(&tick);
            return Some(match self.incomplete.iter().find(among) {
                Some(ticks) if ticks.reached < Some(phase.1) => Err(BarrierError::Superseded {
                    phase: phase.1,
                    tick,
                }),
                _ => Ok(()),
            });
        }
        if self.frontier >= Some(phase) {
            return Some(Ok(()));
        }
        if self.closed {
            return Some(Err(BarrierError::Closed));
        }
        if tick > LAST_TICK || tick > current + 1 {
            return Some(Err(BarrierError::TickAhead { tick, current }));
        }
        let nobody = self.required(tick).next().is_none();
        nobody.then_some(Err(BarrierError::NoMembers))
    }

    fn completed(&self, phase: Phase) -> Vec<ShardId> {
        if phase.0 > LAST_TICK || !self.window().any(|known| known == phase) {
            return Vec::new();
        }
        let done = self
            .required(phase.0)
            .filter(|(_, member)| member.did(phase));
        done.map(|(&shard, _)| shard).collect()
    }

    fn missing(&self, phase: Phase) -> Vec<ShardId> {
        let missing = self
            .required(phase.0)
            .filter(|(_, member)| !member.did(phase));
        missing.map(|(&shard, _)| shard).collect()
    }
}
