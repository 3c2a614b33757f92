//! Pinned hashes that decide where documents lie.

/// Which hash places documents and virtual nodes. It is part of the format: changing it moves every document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Placement {
    /// XXH3-64 with seed 0.
    #[default]
    Xxh3,
    /// SipHash-1-3 with a zero key: places exactly as phago-distributed 1.0.0 does.
    SipHash13,
}
