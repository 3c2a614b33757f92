//! The four phases of a tick.

use std::fmt;

/// A phase of a tick. No shard starts a phase before every member finished the one before.
///
/// ```
/// use tickring::TickPhase;
///
/// assert!(TickPhase::Sense < TickPhase::Advance);
/// assert_eq!(TickPhase::ALL.len(), 4);
/// assert_eq!(TickPhase::Act.to_string(), "Act");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum TickPhase {
    /// Read only.
    Sense,
    /// Write.
    Act,
    /// Maintenance.
    Decay,
    /// Make ready to publish.
    Advance,
}

impl TickPhase {
    /// The phases in the order in which a tick runs them.
    pub const ALL: [Self; 4] = [Self::Sense, Self::Act, Self::Decay, Self::Advance];
}

impl fmt::Display for TickPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sense => "Sense",
            Self::Act => "Act",
            Self::Decay => "Decay",
            Self::Advance => "Advance",
        })
    }
}
