//! The commands for a ring and its naive model, and the code that runs them on both.

use std::sync::OnceLock;

use arbitrary::{Arbitrary, Unstructured};

use super::{NaiveRing, Pace, compare, compare_plan, compare_replicas, tick};
use crate::error::RingError;
use crate::limits::{MAX_POINTS, MAX_SHARDS, MAX_VIRTUAL_NODES, MAX_WEIGHT};
use crate::placement::Placement;
use crate::{DocumentId, HashRing, ShardId};

/// The maximum number of points. With more, the naive model takes too long.
const POINTS: u64 = 160;

/// The maximum number of points of a goal, and of a ring that is moved all the way to it: the model compares all pairs of points in each step.
const GOAL_POINTS: u64 = 40;

/// The maximum number of commands in one input. Longer inputs take longer and find nothing more.
const COMMANDS: usize = 80;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Add(ShardId, u32),
    Remove(ShardId),
    SetWeight(ShardId, u32),
    SetNodes(ShardId, u32),
    /// Sets the virtual nodes of a shard in the goal, and adds the shard if it is missing.
    Aim(ShardId, u32),
    /// Removes a shard from the goal.
    AimWithout(ShardId),
    /// Moves towards the goal at this pace.
    Tick(Pace),
    /// Looks up a document with this number of other shards.
    LookUp(DocumentId, u32),
    /// Compares the plan from the ring that was saved last.
    Plan,
    /// Compares the whole ring, and saves it for the next plan.
    Compare,
    /// Builds a ring with these numbers of shards and virtual nodes, and one with a shard of this weight. Refused if too large.
    Build {
        shards: u32,
        nodes: u32,
        weight: u32,
    },
}

impl<'a> Arbitrary<'a> for Command {
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let byte: u8 = input.arbitrary()?;
        if byte >= MOVES {
            return Self::arbitrary_move(byte, input);
        }
        Ok(match byte % 8 {
            0 | 1 => Self::Add(shard(input)?, weight(input)?),
            2 => Self::Remove(shard(input)?),
            3 => Self::SetWeight(shard(input)?, weight(input)?),
            4 => {
                let document = DocumentId::from_seed(input.arbitrary()?);
                Self::LookUp(document, u32::from(input.arbitrary::<u8>()? % 18))
            }
            5 => Self::Plan,
            6 => Self::Compare,
            _ => {
                let (shards, nodes): (u32, u32) = input.arbitrary()?;
                let (shards, nodes) = match input.arbitrary::<u8>()? % 3 {
                    0 => (shards, nodes),
                    1 => (shards % (MAX_SHARDS + 2), nodes % (MAX_VIRTUAL_NODES + 2)),
                    _ => (shards % 10, nodes % 10),
                };
                let weight = weight(input)?;
                Self::Build {
                    shards,
                    nodes,
                    weight,
                }
            }
        })
    }
}

/// Bytes from here on stand for commands about moves.
const MOVES: u8 = 192;

impl Command {
    fn arbitrary_move(byte: u8, input: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        Ok(match byte % 8 {
            0 => Self::SetNodes(shard(input)?, nodes(input)?),
            1 | 2 => Self::Aim(shard(input)?, nodes(input)?),
            3 => Self::AimWithout(shard(input)?),
            _ => Self::Tick(Pace::new(input.arbitrary()?, input.arbitrary()?)),
        })
    }
}

/// Mostly a few shards, so that they repeat, or shards whose first points are close together. Sometimes any others.
fn shard(input: &mut Unstructured<'_>) -> arbitrary::Result<ShardId> {
    let byte: u8 = input.arbitrary()?;
    Ok(match byte {
        0..128 => ShardId(u32::from(byte % 8)),
        128..248 => crowded()[usize::from(byte) % crowded().len()],
        248.. => ShardId(input.arbitrary()?),
    })
}

/// Shards whose first virtual nodes lie within a 4,096th of the hash space, so that they share an index entry in any small ring. Some lie
/// at the end of the hash space, some at its beginning, some between.
fn crowded() -> &'static [ShardId] {
    static CROWDED: OnceLock<Vec<ShardId>> = OnceLock::new();
    CROWDED.get_or_init(|| {
        let bucket = |id: u32| Placement::Xxh3.virtual_node_position(ShardId(id), 0) >> 52;
        let of = |wanted: u64| (0..).filter(move |&id| bucket(id) == wanted).take(4);
        let ids = [0, 0x7FF, 0xFFF].into_iter().flat_map(of);
        ids.map(ShardId).collect()
    })
}

fn weight(input: &mut Unstructured<'_>) -> arbitrary::Result<u32> {
    let byte: u8 = input.arbitrary()?;
    Ok(match byte {
        0..240 => u32::from(byte % 5),
        240..250 => MAX_WEIGHT + u32::from(byte) - 244,
        250.. => input.arbitrary()?,
    })
}

fn nodes(input: &mut Unstructured<'_>) -> arbitrary::Result<u32> {
    let byte: u8 = input.arbitrary()?;
    Ok(match byte {
        0..250 => u32::from(byte % 24),
        250.. => input.arbitrary()?,
    })
}

/// A ring and its naive model, changed together.
#[derive(Debug)]
pub struct Pair {
    ring: HashRing,
    model: NaiveRing,
    /// The ring from which the next plan starts.
    before: (HashRing, NaiveRing),
    /// The ring to move towards.
    goal: (HashRing, NaiveRing),
}

impl Pair {
    pub fn new(model: NaiveRing) -> Self {
        let ring = model.build();
        let start = (ring.clone(), model.clone());
        Self {
            ring,
            model,
            before: start.clone(),
            goal: start,
        }
    }

    /// Runs a command on both, and compares their answers.
    pub fn apply(&mut self, command: Command) {
        match command {
            Command::Add(shard, weight) | Command::SetWeight(shard, weight) => {
                let count = u64::from(self.model.virtual_nodes) * u64::from(weight);
                self.change(command, shard, Some(count));
            }
            Command::SetNodes(shard, count) => self.change(command, shard, Some(count.into())),
            Command::Aim(shard, count) => self.aim(shard, Some(count)),
            Command::AimWithout(shard) => self.aim(shard, None),
            Command::Tick(pace) => {
                let (goal, model) = &self.goal;
                tick((&mut self.ring, &mut self.model), (goal, model), pace);
            }
            Command::Remove(shard) => self.change(command, shard, None),
            Command::LookUp(document, others) => {
                compare_replicas(&self.ring, &self.model, document, others);
            }
            Command::Plan => self.compare_plan(),
            Command::Compare => {
                self.compare();
                self.before = (self.ring.clone(), self.model.clone());
            }
            Command::Build {
                shards,
                nodes,
                weight,
            } => {
                compare_build(shards, nodes);
                compare_heavy(nodes, weight);
            }
        }
    }

    fn change(&mut self, command: Command, shard: ShardId, count: Option<u64>) {
        let refusal = self.model.refusal(command);
        let count = count.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        if refusal.is_none() && self.model.points_with(shard, count.unwrap_or(0)) > POINTS {
            return;
        }
        let answer = match command {
            Command::Add(shard, 1) => self.ring.add_shard(shard),
            Command::Add(shard, weight) => self.ring.add_weighted(shard, weight),
            Command::SetWeight(shard, weight) => self.ring.set_weight(shard, weight),
            Command::SetNodes(shard, count) => self.ring.set_virtual_nodes(shard, count),
            _ => self.ring.remove_shard(shard),
        };
        assert_eq!(answer.as_ref().err(), refusal.as_ref(), "{command:?}");
        let Ok(ring) = answer else { return };
        self.ring = ring;
        match count {
            Some(count) => self.model.set_nodes(shard, count),
            None => self.model.remove(shard),
        }
    }

    fn aim(&mut self, shard: ShardId, count: Option<u32>) {
        let (ring, model) = &mut self.goal;
        let count = count.map(|count| count.min(model.virtual_nodes * MAX_WEIGHT));
        if model.points_with(shard, count.unwrap_or(0)) > GOAL_POINTS {
            return;
        }
        match count {
            Some(count) => model.set_nodes(shard, count),
            None => model.remove(shard),
        }
        *ring = model.build();
    }

    pub fn compare(&self) {
        compare(&self.ring, &self.model);
    }

    /// Moves on until the goal is reached, if it can be.
    pub fn finish(&mut self, mut pace: Pace) {
        let (goal, model) = &self.goal;
        while self.ring != *goal {
            let ring = (&mut self.ring, &mut self.model);
            if tick(ring, (goal, model), pace).is_none() {
                return;
            }
            pace = pace.next();
        }
        assert_eq!(self.model, *model);
        assert_eq!(self.ring.fingerprint(), goal.fingerprint());
    }

    pub fn compare_plan(&self) {
        let (ring, model) = &self.before;
        compare_plan((ring, model), (&self.ring, &self.model));
    }
}

/// Checks the limits of a ring, up to the greatest numbers. A ring is refused as documented, or not built if it would be large.
fn compare_build(shards: u32, nodes: u32) {
    let points = u64::from(shards) * u64::from(nodes);
    let expected = if !(1..=MAX_VIRTUAL_NODES).contains(&nodes) {
        let (value, max) = (nodes, MAX_VIRTUAL_NODES);
        Some(RingError::VirtualNodes { value, max })
    } else if shards > MAX_SHARDS {
        let (value, max) = (shards.into(), MAX_SHARDS.into());
        Some(RingError::TooManyShards { value, max })
    } else if points > MAX_POINTS.into() {
        let (value, max) = (points, MAX_POINTS.into());
        Some(RingError::TooManyPoints { value, max })
    } else if points > POINTS {
        return;
    } else {
        None
    };
    let ring = HashRing::with_virtual_nodes(shards, nodes);
    assert_eq!(ring.as_ref().err(), expected.as_ref());
    if let Ok(ring) = ring {
        compare(&ring, &NaiveRing::new(Placement::default(), nodes, shards));
    }
}

/// Checks that one shard with too many points is refused.
fn compare_heavy(nodes: u32, weight: u32) {
    let (value, max) = (u64::from(nodes) * u64::from(weight), MAX_POINTS.into());
    if (1..=MAX_VIRTUAL_NODES).contains(&nodes) && weight <= MAX_WEIGHT && value > max {
        let refused = Err(RingError::TooManyPoints { value, max });
        let of = |members: &[(ShardId, u32)]| {
            HashRing::from_members(Placement::default(), nodes, members.iter().copied())
        };
        let (empty, light) = (of(&[]).unwrap(), of(&[(ShardId(0), 0)]).unwrap());
        assert_eq!(empty.add_weighted(ShardId(0), weight), refused);
        assert_eq!(light.set_weight(ShardId(0), weight), refused);
        assert_eq!(of(&[(ShardId(0), weight)]), refused);
    }
}

/// Runs the commands that the bytes encode.
pub fn run(data: &[u8]) {
    // An input may end early.
    let _ = carry_out(&mut Unstructured::new(data));
}

fn carry_out(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let placement = Placement::ALL[usize::from(input.arbitrary::<u8>()?) % 2];
    // Mostly few, since a ring repairs its index only for a change that is small compared to the ring.
    let nodes = [1, 1, 1, 2, 3, 5, 8, 20][usize::from(input.arbitrary::<u8>()? % 8)];
    let mut pair = Pair::new(NaiveRing::new(placement, nodes, 0));
    for _ in 0..COMMANDS {
        if input.is_empty() {
            break;
        }
        pair.apply(input.arbitrary()?);
    }
    pair.compare();
    pair.compare_plan();
    if pair.ring.total_virtual_nodes() as u64 <= GOAL_POINTS {
        pair.finish(Pace::new(0, 5));
    }
    Ok(())
}
