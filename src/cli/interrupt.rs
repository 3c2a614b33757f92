//! Ctrl-C, for a command that ends well when it comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::Failure;

/// Whether the process was asked to end: by Ctrl-C, or by a service manager.
#[derive(Debug)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Catches the first Ctrl-C from now on. The second one ends the process at once.
    pub(super) fn watch() -> Result<Self, Failure> {
        let came = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // The actions run in this order, so the first signal finds the flag unset.
            flag::register_conditional_default(signal, Arc::clone(&came))?;
            flag::register(signal, Arc::clone(&came))?;
        }
        Ok(Self(came))
    }

    /// Returns whether it came.
    pub(super) fn came(&self) -> bool {
        // Nothing else is read because of it.
        self.0.load(Ordering::Relaxed)
    }
}
