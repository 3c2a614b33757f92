//! The faults of a simulated file system.

use std::io;

use crate::testing::random::Random;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// From this operation on, none does anything. This one may have had its effect.
    Crash,
    /// This sync fails. What it was to make durable never arrives in whole, although the next sync says `Ok`.
    FailedSync,
    /// From this operation on, and for so many, nothing can be created, and what is appended is cut short.
    Full { operations: u64 },
    /// The next append from this operation on is cut short.
    ShortWrite,
}

/// The operations so far, and the faults to come.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    /// Operations that change something, syncs among them.
    pub(super) operations: u64,
    pub(super) syncs: u64,
    pub(super) has_crashed: bool,
    planned: Vec<(Fault, u64)>,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Append,
    Create,
    Sync,
    Other,
}

/// How an operation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Well,
    /// With its effect, but nobody is told.
    Unheard,
    Crashed,
    FailedSync,
    Full,
    Short,
}

impl Faults {
    /// Plans a fault for the operation with this number, from 1 on. A failed sync counts the syncs alone.
    pub(super) fn plan(&mut self, fault: Fault, at: u64) {
        self.planned.push((fault, at));
    }

    pub(super) fn clear(&mut self) {
        self.planned.clear();
        self.has_crashed = false;
    }

    /// Counts an operation, and returns how it ends.
    pub(super) fn next(&mut self, kind: Kind, random: &mut Random) -> Ending {
        if self.has_crashed {
            return Ending::Crashed;
        }
        self.operations += 1;
        self.syncs += u64::from(kind == Kind::Sync);
        let (operations, syncs) = (self.operations, self.syncs);
        let hits = |&(fault, at): &(Fault, u64)| match fault {
            Fault::Crash => operations >= at,
            Fault::FailedSync => kind == Kind::Sync && syncs == at,
            Fault::Full { operations: length } => {
                let is_within = operations >= at && operations - at < length;
                is_within && matches!(kind, Kind::Append | Kind::Create)
            }
            Fault::ShortWrite => kind == Kind::Append && operations >= at,
        };
        let Some(index) = self.planned.iter().position(hits) else {
            return Ending::Well;
        };
        match self.planned[index].0 {
            Fault::Crash => {
                self.has_crashed = true;
                if random.percent(50) {
                    Ending::Unheard
                } else {
                    Ending::Crashed
                }
            }
            Fault::FailedSync => Ending::FailedSync,
            Fault::Full { .. } => Ending::Full,
            Fault::ShortWrite => {
                self.planned.remove(index);
                Ending::Short
            }
        }
    }
}

impl Ending {
    /// The error that the caller gets, if any.
    pub(super) fn error(self) -> io::Result<()> {
        match self {
            Self::Well => Ok(()),
            Self::Unheard | Self::Crashed => Err(io::Error::other("simulated crash")),
            Self::FailedSync => Err(io::Error::other("simulated failure of a sync")),
            Self::Full => Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "simulated full disk",
            )),
            Self::Short => Err(io::Error::other("simulated short write")),
        }
    }
}
