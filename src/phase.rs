//! The four phases of a tick.

use std::fmt;
use std::str::FromStr;

use crate::error::ParseError;

/// A phase of a tick. No shard starts a phase before every member has finished the one before.
///
/// ```
/// use tickring::TickPhase;
///
/// assert!(TickPhase::Sense < TickPhase::Advance);
/// assert_eq!(TickPhase::ALL.len(), 4);
/// assert_eq!(TickPhase::Act.to_string(), "Act");
/// assert_eq!("Act".parse(), Ok(TickPhase::Act));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum TickPhase {
    /// The read-only phase.
    Sense,
    /// The phase that writes.
    Act,
    /// The maintenance phase.
    Decay,
    /// The phase that prepares the publication.
    Advance,
}

impl TickPhase {
    /// All phases, in the order in which a tick runs them.
    pub const ALL: [Self; 4] = [Self::Sense, Self::Act, Self::Decay, Self::Advance];

    const fn name(self) -> &'static str {
        match self {
            Self::Sense => "Sense",
            Self::Act => "Act",
            Self::Decay => "Decay",
            Self::Advance => "Advance",
        }
    }
}

impl fmt::Display for TickPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for TickPhase {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let phase = Self::ALL.into_iter().find(|phase| phase.name() == text);
        let expected = "one of Sense, Act, Decay, Advance";
        phase.ok_or_else(|| ParseError::new("phase", text, expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_phase_shows_is_read_back_and_nothing_else() {
        for phase in TickPhase::ALL {
            assert_eq!(phase.to_string().parse(), Ok(phase));
        }
        let error = "sense".parse::<TickPhase>().unwrap_err();
        let message = "the phase is \"sense\", but must be one of Sense, Act, Decay, Advance";
        assert_eq!(error.to_string(), message);
    }
}
