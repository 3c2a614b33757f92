//! What befalls the shards of a colony, as a test plans it.

use std::collections::BTreeMap;

use crate::id::{ShardId, Tick};
use crate::publication::ShardFailure;
use crate::sync::{Arc, Condvar, Mutex};

/// Where in a tick a shard dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Sense,
    Act,
    Advance,
    View,
}

/// A death to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    pub shard: ShardId,
    pub tick: Tick,
    pub moment: Moment,
    /// By a panic, or by an error.
    pub is_panic: bool,
    /// How many lives in a row die of it.
    pub lives: u32,
}

/// What befalls the shards of a colony. Clones share it. Nothing by default.
#[derive(Debug, Clone, Default)]
pub struct Hazards(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    planned: Mutex<Planned>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Planned {
    deaths: Vec<Death>,
    /// How many times a shard is opened, and how many times it then can't be.
    closed: BTreeMap<ShardId, (u32, u32)>,
    /// How many savings fail.
    unsaved: u32,
    /// After how many savings the next one waits.
    held: Option<u32>,
    /// Whether one waits.
    is_holding: bool,
    /// Whether shards die of some texts.
    is_frail: bool,
}

impl Hazards {
    pub fn plan(&self, death: Death) {
        self.0.planned.lock().deaths.push(death);
    }

    /// Lets so many openings of a shard pass, and the next ones fail.
    pub fn close(&self, shard: ShardId, passing: u32, times: u32) {
        let closed = &mut self.0.planned.lock().closed;
        closed.insert(shard, (passing, times));
    }

    /// Lets shards die of texts that they bear otherwise.
    pub fn weaken(&self) {
        self.0.planned.lock().is_frail = true;
    }

    pub(super) fn is_frail(&self) -> bool {
        self.0.planned.lock().is_frail
    }

    /// Lets the next savings fail.
    pub fn unsave(&self, times: u32) {
        self.0.planned.lock().unsaved = times;
    }

    /// Lets so many savings pass, and the one after them wait until the [release](Self::release).
    pub fn hold(&self, passing: u32) {
        self.0.planned.lock().held = Some(passing);
    }

    /// Whether a saving waits.
    pub fn is_holding(&self) -> bool {
        self.0.planned.lock().is_holding
    }

    pub fn release(&self) {
        self.0.planned.lock().held = None;
        self.0.changed.notify_all();
    }

    /// Forgets what was planned.
    pub fn clear(&self) {
        *self.0.planned.lock() = Planned::default();
        self.0.changed.notify_all();
    }

    /// Dies, if that is planned.
    pub(super) fn pass(
        &self,
        shard: ShardId,
        tick: Tick,
        moment: Moment,
    ) -> Result<(), ShardFailure> {
        let mut planned = self.0.planned.lock();
        let strikes = |death: &&mut Death| {
            (death.shard, death.tick, death.moment) == (shard, tick, moment) && death.lives > 0
        };
        let Some(death) = planned.deaths.iter_mut().find(strikes) else {
            return Ok(());
        };
        death.lives -= 1;
        let is_panic = death.is_panic;
        drop(planned);
        if is_panic {
            // Without a line on the standard error.
            std::panic::resume_unwind(Box::new("a planned panic"));
        }
        Err("a planned failure".into())
    }

    pub(super) fn open(&self, shard: ShardId) -> Result<(), ShardFailure> {
        match self.0.planned.lock().closed.get_mut(&shard) {
            Some((passing, _)) if *passing > 0 => *passing -= 1,
            Some((_, times)) if *times > 0 => {
                *times -= 1;
                return Err("a planned failure to open".into());
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn save(&self) -> Result<(), ShardFailure> {
        let mut planned = self.0.planned.lock();
        while planned.held == Some(0) {
            planned.is_holding = true;
            self.0.changed.wait(&mut planned);
        }
        planned.is_holding = false;
        planned.held = planned.held.map(|passing| passing - 1);
        if planned.unsaved == 0 {
            return Ok(());
        }
        planned.unsaved -= 1;
        Err("a planned failure to save".into())
    }
}
