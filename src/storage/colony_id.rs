//! The identity of a durable colony.

use std::fmt;

use uuid::Uuid;

/// The identity of a durable colony. Every one of its files has it, so that no other colony's is taken for one of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ColonyId(pub(crate) u128);

impl ColonyId {
    /// Creates an identity that no other colony has.
    pub(crate) fn random() -> Self {
        Self(Uuid::new_v4().as_u128())
    }
}

impl fmt::Display for ColonyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Uuid::from_u128(self.0), f)
    }
}

impl fmt::Debug for ColonyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
