//! What the ticks of a run write, and what befalls their shards.

use super::hazards::{Death, Moment};
use super::notes::{Notes, POISON, SETTLED};
use crate::colony::{Goal, Intake, MoveBudget, Ticket, Write};
use crate::error::IntakeError;
use crate::id::{DocumentId, ShardId, Tick};
use crate::sync::Arc;
use crate::testing::random::Random;

/// The documents that are written.
const IDS: u64 = 24;

/// Makes a tick's writes up.
pub(super) fn writes(random: &mut Random) -> Vec<Write<String>> {
    // Some ticks write nothing.
    let writes = random.below(7).saturating_sub(1);
    (0..writes).map(|_| write(random)).collect()
}

fn write(random: &mut Random) -> Write<String> {
    let id = DocumentId::from_seed(random.range(0, IDS));
    let document = Arc::new(match random.below(10) {
        0 => String::new(),
        1 | 2 => format!("move {}", random.range(0, IDS)),
        3 if random.percent(30) => POISON.to_owned(),
        4 if random.percent(20) => SETTLED.to_owned(),
        _ => format!("text {:x}", random.next()),
    });
    match random.below(10) {
        0..=2 => Write::Add { id, document },
        3 | 4 => Write::Delete { id },
        _ => Write::Upsert { id, document },
    }
}

/// Offers a write.
pub(super) fn offer(intake: &Intake<Notes>, write: &Write<String>) -> Result<Tick, IntakeError> {
    let offered = match write.clone() {
        Write::Add { id, document } => intake.try_add(id, document),
        Write::Upsert { id, document } => intake.try_upsert(id, document),
        Write::Delete { id } => return intake.try_delete(id).map(Ticket::tick),
    };
    let offered = offered.map_err(|rejected| rejected.reason);
    offered.map(Ticket::tick)
}

/// Makes a death up.
pub(super) fn death(random: &mut Random, shard: ShardId, tick: Tick) -> Death {
    let moments = [Moment::Sense, Moment::Act, Moment::Advance, Moment::View];
    let moment = moments[random.below(moments.len())];
    let lives = match moment {
        Moment::Sense => 1,
        _ => [1, 1, 2, 3][random.below(4)],
    };
    Death {
        shard,
        tick,
        moment,
        is_panic: random.percent(50),
        lives,
    }
}

/// Makes a goal up for these shards, of which there are at most so many.
pub(super) fn goal(random: &mut Random, shards: &[ShardId], most: usize) -> Goal {
    let mut goal = Goal::new();
    if shards.len() < most && random.percent(40) {
        goal = goal.add_shard(weight(random));
    }
    for &shard in shards {
        goal = match random.below(8) {
            0 | 1 => goal.weigh(shard, weight(random)),
            2 => goal.remove(shard),
            _ => goal,
        };
    }
    goal
}

fn weight(random: &mut Random) -> u32 {
    [0, 1, 1, 2][random.below(4)]
}

/// Makes a budget up.
pub(super) fn budget(random: &mut Random) -> MoveBudget {
    MoveBudget {
        documents: [1, 2, 4, 100][random.below(4)],
        ..MoveBudget::default()
    }
}
