//! The naive model of the barrier, the commands for it, and a runner that compares a barrier with its model.

mod history;
mod model;

use std::time::Duration;

use arbitrary::{Result, Unstructured};

use self::history::REMEMBERED;
use self::model::LAST_TICK;
pub use self::model::NaiveBarrier;
use super::incarnation;
use crate::error::BarrierError;
use crate::id::Incarnation;
use crate::limits::MAX_SHARDS;
use crate::{ShardId, Tick, TickBarrier, TickPhase};

/// The maximum number of commands in one input. Longer inputs take longer and find nothing more.
const COMMANDS: usize = 80;

/// A tick and a phase of it, ordered by tick first.
pub type Phase = (Tick, TickPhase);

/// A tick that a command names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// This number of ticks after the second tick before the current one, and tick 0 at the earliest.
    Near(u64),
    At(Tick),
}

impl When {
    pub fn tick(self, current: Tick) -> Tick {
        match self {
            Self::Near(ahead) => current.saturating_add(ahead).saturating_sub(2),
            Self::At(tick) => tick,
        }
    }
}

/// A command that changes a barrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Complete(ShardId, Option<Incarnation>, TickPhase, When),
    /// Every member completes the phase.
    CompleteAll(TickPhase, When),
    Join(ShardId, Option<Incarnation>),
    Bind(ShardId, Incarnation),
    Replace(ShardId, Incarnation),
    Leave(ShardId),
    LeaveMany(Vec<ShardId>),
    SetShardCount(u32),
    Advance,
    Reset(When),
    Close,
}

/// The tick that the barrier returned, for commands that return one.
pub type Answer = std::result::Result<Option<Tick>, BarrierError>;

impl Command {
    fn decode(input: &mut Unstructured<'_>) -> Result<Self> {
        let step: u8 = input.arbitrary()?;
        let shard = shard(input)?;
        let incarnation = incarnation(1 + input.arbitrary::<u8>()? % 4);
        Ok(match step % 16 {
            0..=3 => Self::Complete(shard, None, phase(input)?, when(input)?),
            4 | 5 => Self::Complete(shard, Some(incarnation), phase(input)?, when(input)?),
            6 => Self::Join(shard, None),
            7 => Self::Join(shard, Some(incarnation)),
            8 => Self::Bind(shard, incarnation),
            9 => Self::Replace(shard, incarnation),
            10 => Self::Leave(shard),
            11 => Self::LeaveMany(vec![shard, ShardId(shard.0 ^ 1), ShardId(7)]),
            12 | 13 => Self::Advance,
            14 => Self::Reset(when(input)?),
            _ if shard.0 == 0 && incarnation.get() == 1 => Self::Close,
            _ => Self::SetShardCount(match input.arbitrary::<u8>()? {
                255 => MAX_SHARDS + 1,
                few => u32::from(few % 8),
            }),
        })
    }
}

fn shard(input: &mut Unstructured<'_>) -> Result<ShardId> {
    Ok(ShardId(match input.arbitrary::<u8>()? {
        255 => u32::MAX,
        byte => u32::from(byte % 7),
    }))
}

fn phase(input: &mut Unstructured<'_>) -> Result<TickPhase> {
    Ok(TickPhase::ALL[usize::from(input.arbitrary::<u8>()? % 4)])
}

/// Mostly ticks around the current one, sometimes distant ones or the last ticks.
fn when(input: &mut Unstructured<'_>) -> Result<When> {
    let byte: u8 = input.arbitrary()?;
    Ok(match byte {
        0..220 => When::Near(u64::from(byte % 4) + 1),
        220..235 => When::Near(u64::from(byte - 220) * 9 + 2),
        235..245 => When::At(LAST_TICK - 4 + u64::from(byte - 235)),
        245 => When::At(u64::MAX),
        _ => When::At(input.arbitrary()?),
    })
}

/// A barrier and its naive model, changed together.
#[derive(Debug)]
pub struct Runner {
    pub barrier: TickBarrier,
    pub model: NaiveBarrier,
}

impl Runner {
    pub fn new(shards: u32) -> Self {
        Self {
            barrier: TickBarrier::new(shards).unwrap(),
            model: NaiveBarrier::new(shards),
        }
    }

    /// Runs a command on both. Compares their answers, and all queries about the ticks around the current one.
    pub fn run(&mut self, command: &Command) {
        let before = self.model.clone();
        let real = self.carry_out(command);
        let expected = self.model.apply(command);
        assert_eq!(
            real, expected,
            "{command:?} was answered (left), but should be (right)"
        );
        if real.is_err() {
            assert_eq!(before, self.model, "the model took what it refused");
        }
        self.compare();
    }

    /// Runs a command on the barrier.
    pub fn carry_out(&self, command: &Command) -> Answer {
        let (barrier, current) = (&self.barrier, self.model.current_tick());
        match *command {
            Command::Complete(shard, None, phase, when) => {
                barrier.complete(shard, phase, when.tick(current))?;
            }
            Command::Complete(shard, Some(incarnation), phase, when) => {
                barrier.complete_as(shard, incarnation, phase, when.tick(current))?;
            }
            Command::CompleteAll(phase, when) => {
                for shard in self.model.members() {
                    barrier.complete(shard, phase, when.tick(current))?;
                }
            }
            Command::Join(shard, None) => return barrier.join(shard).map(Some),
            Command::Join(shard, Some(incarnation)) => {
                return barrier.join_as(shard, incarnation).map(Some);
            }
            Command::Bind(shard, incarnation) => barrier.bind(shard, incarnation)?,
            Command::Replace(shard, incarnation) => {
                return barrier.replace_as(shard, incarnation).map(Some);
            }
            Command::Leave(shard) => barrier.leave(shard)?,
            Command::LeaveMany(ref shards) => barrier.leave_many(shards),
            Command::SetShardCount(count) => barrier.set_shard_count(count)?,
            Command::Advance => return barrier.advance().map(Some),
            Command::Reset(when) => barrier.reset_for_tick(when.tick(current))?,
            Command::Close => barrier.close(),
        }
        Ok(None)
    }

    /// Compares all queries about the ticks around the current one.
    pub fn compare(&self) {
        let current = self.model.current_tick();
        assert_eq!(self.barrier.current_tick(), current);
        assert_eq!(self.barrier.is_closed(), self.model.is_closed());
        let members = self.model.members();
        assert_eq!(self.barrier.shard_count() as usize, members.len());
        (current.saturating_sub(2)..=current + 2).for_each(|tick| self.compare_tick(tick));
    }

    /// I1, I2: compares the answers of waits for each phase of the tick.
    fn compare_waits(&self, tick: Tick) {
        for phase in TickPhase::ALL {
            let wait = self
                .barrier
                .wait_all_with_timeout(phase, tick, Duration::ZERO);
            assert_eq!(wait, self.model.poll(phase, tick), "{phase} of {tick}");
        }
    }

    pub fn compare_tick(&self, tick: Tick) {
        self.compare_waits(tick);
        let (barrier, model) = (&self.barrier, &self.model);
        let shards = [0, 1, 2, 3, 4, 5, 6, 7].map(ShardId);
        for phase in TickPhase::ALL {
            let done = model.completed((tick, phase));
            assert_eq!(barrier.get_completed_shards(phase, tick), done);
            assert_eq!(barrier.completed_count(phase, tick) as usize, done.len());
            let (done, pending): (Vec<_>, Vec<_>) = shards.iter().partition(|s| done.contains(s));
            assert_eq!(barrier.get_pending_shards(phase, tick, &shards), pending);
            let is_complete = |shard: &ShardId| barrier.is_complete(*shard, phase, tick);
            assert!(done.iter().all(is_complete) && !pending.iter().any(is_complete));
        }
    }

    /// Compares the answers about past ticks, including ticks that are no longer remembered.
    pub fn compare_past(&self) {
        let current = self.model.current_tick();
        let far = current.saturating_sub(REMEMBERED * 3);
        let ends = [0, LAST_TICK, LAST_TICK + 1, u64::MAX];
        (far..current)
            .chain(ends)
            .for_each(|tick| self.compare_waits(tick));
    }
}

/// Runs the commands that the bytes encode.
pub fn run(data: &[u8]) {
    // An input may end early.
    let _ = carry_out(&mut Unstructured::new(data));
}

fn carry_out(input: &mut Unstructured<'_>) -> Result<()> {
    let mut runner = Runner::new(u32::from(input.arbitrary::<u8>()? % 6));
    for _ in 0..COMMANDS {
        if input.is_empty() {
            break;
        }
        runner.run(&Command::decode(input)?);
    }
    runner.compare_past();
    Ok(())
}
