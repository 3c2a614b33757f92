//! Readers that keep records from being removed.

use std::collections::BTreeMap;

use crate::id::Tick;
use crate::sync::{Arc, Mutex};

/// The records that readers need. Clones share them.
///
/// A restart of a shard reads the log beside its writer. What it has to read must not be removed meanwhile, even if a new checkpoint has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pins(Arc<Mutex<BTreeMap<Tick, usize>>>);

/// Keeps all records above a tick until it is dropped.
#[derive(Debug)]
pub(crate) struct Pin {
    pins: Pins,
    above: Tick,
}

impl Pins {
    /// Keeps all records above a tick that are there now.
    pub(crate) fn above(&self, tick: Tick) -> Pin {
        *self.0.lock().entry(tick).or_default() += 1;
        Pin {
            pins: self.clone(),
            above: tick,
        }
    }

    /// Returns the greatest tick up to which nobody needs a record, if somebody needs any.
    pub(super) fn lowest(&self) -> Option<Tick> {
        self.0.lock().keys().next().copied()
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut pins = self.pins.0.lock();
        if let Some(count) = pins.get_mut(&self.above) {
            *count -= 1;
            if *count == 0 {
                pins.remove(&self.above);
            }
        }
    }
}
