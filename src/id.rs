//! Identities of shards, incarnations, zones, documents, terms, epochs and ticks.
//!
//! Each is a type of its own around a number, a UUID or a name, so that one can't be passed for another. The common ones are at the
//! [root](crate) as well. [`Tick`] is a plain number.

mod zone;

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use uuid::Uuid;

pub use self::zone::Zone;
use crate::error::ParseError;

/// Parses the number after a prefix. Accepts only the text that `Display` writes.
fn numbered<T: FromStr + fmt::Display>(text: &str, prefix: &str) -> Option<T> {
    let digits = text.strip_prefix(prefix)?;
    digits.parse().ok().filter(|n: &T| n.to_string() == digits)
}

/// Implements the conversions of a number type, and its text form.
macro_rules! number {
    ($name:ident, $raw:ty, $what:literal, $prefix:literal, $example:literal) => {
        impl From<$name> for $raw {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                let expected = concat!("`", $prefix, "` and a number, such as `", $example, "`");
                numbered(text, $prefix)
                    .map(Self)
                    .ok_or_else(|| ParseError::new($what, text, expected))
            }
        }
    };
}

number!(ShardId, u32, "shard id", "shard-", "shard-5");
number!(TermId, u32, "term id", "term-", "term-5");
number!(Epoch, u64, "epoch", "epoch ", "epoch 5");
number!(
    Incarnation,
    u64,
    "incarnation",
    "incarnation ",
    "incarnation 5"
);

impl From<u32> for ShardId {
    fn from(number: u32) -> Self {
        Self(number)
    }
}

impl From<u32> for TermId {
    fn from(number: u32) -> Self {
        Self(number)
    }
}

impl From<u64> for Epoch {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl From<NonZeroU64> for Incarnation {
    fn from(number: NonZeroU64) -> Self {
        Self(number)
    }
}

impl From<Incarnation> for NonZeroU64 {
    fn from(incarnation: Incarnation) -> Self {
        incarnation.0
    }
}

/// The identity of a shard, which is one partition of the documents.
///
/// No two shards ever share an id. Registering again under a used id begins a new [`Incarnation`] of that shard.
///
/// ```
/// use tickring::ShardId;
///
/// let shard = ShardId::new(5);
/// assert_eq!(shard.as_u32(), 5);
/// assert_eq!(shard.to_string(), "shard-5");
/// assert_eq!("shard-5".parse(), Ok(shard));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct ShardId(pub u32);

impl ShardId {
    /// Creates the id with this number.
    pub const fn new(id: u32) -> Self {
        Self(id)
    }

    /// Returns the number.
    pub const fn as_u32(self) -> u32 {
        self.0
    }
}

/// One life of a shard, from its registration to its deregistration or eviction.
///
/// Incarnations grow over all shards of a coordinator: the later of two registrations has the greater one. A call made for an ended
/// incarnation is refused and changes nothing.
///
/// ```
/// use tickring::{Coordinator, ShardId, ShardInfo};
///
/// let coordinator = Coordinator::new(1)?;
/// let handle = coordinator.register(ShardInfo::new(ShardId::new(0), "local".to_owned()))?;
/// assert_eq!(handle.incarnation().get(), 1);
/// # Ok::<(), tickring::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Incarnation(NonZeroU64);

impl Incarnation {
    pub(crate) const FIRST: Self = Self(NonZeroU64::MIN);

    /// Creates the incarnation with this number, or returns `None` for 0, which no incarnation has.
    ///
    /// ```
    /// assert_eq!(tickring::id::Incarnation::new(3).map(|life| life.get()), Some(3));
    /// assert_eq!(tickring::id::Incarnation::new(0), None);
    /// ```
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// Returns the number, from 1.
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    pub(crate) fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

/// The number of a topology. Each topology's epoch is one greater than the last, unless a [command](crate::membership::Command) names a
/// later one.
///
/// ```
/// let coordinator = tickring::Coordinator::new(3)?;
/// let before = coordinator.topology().epoch();
/// coordinator.deregister_shard(tickring::ShardId::new(2))?;
/// assert_eq!(coordinator.topology().epoch().get(), before.get() + 1);
/// # Ok::<(), tickring::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Epoch(u64);

impl Epoch {
    /// Creates the epoch with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number. The first topology of a coordinator has epoch 0.
    pub const fn get(self) -> u64 {
        self.0
    }

    pub(crate) fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

/// The number of a tick, from 0.
pub type Tick = u64;

/// The identity of a document. Its 16 bytes decide where the document is placed.
///
/// ```
/// use tickring::DocumentId;
///
/// let id = DocumentId::from_seed(7);
/// assert_eq!(id.as_bytes()[..8], 7u64.to_le_bytes());
/// assert_eq!(id.as_bytes()[8..], 7u64.to_le_bytes());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct DocumentId(pub Uuid);

impl DocumentId {
    /// Creates a random id (UUID version 4).
    #[expect(
        clippy::new_without_default,
        reason = "a default that differs at each call surprises"
    )]
    pub fn new() -> Self {
        Self(Uuid::new_v4())
    }

    /// Creates an id from a seed: the seed's 8 little-endian bytes, twice. For tests and examples.
    pub const fn from_seed(seed: u64) -> Self {
        let half = seed.to_le_bytes();
        let mut bytes = [0; 16];
        let mut i = 0;
        while i < 8 {
            bytes[i] = half[i];
            bytes[i + 8] = half[i];
            i += 1;
        }
        Self(Uuid::from_bytes(bytes))
    }

    /// Creates the id of a name: the same for the same name, in every process and version. For documents that have a path, a URL or a key.
    ///
    /// It is the UUID of version 5 (SHA-1, [RFC 9562](https://www.rfc-editor.org/rfc/rfc9562#section-5.5)) of the name's bytes in the namespace
    /// for object identifiers.
    ///
    /// ```
    /// use tickring::DocumentId;
    ///
    /// let id = DocumentId::from_name("docs/tides.txt");
    /// assert_eq!(id.to_string(), "e8561062-cc46-5434-8570-0a10f6f42ae9");
    /// ```
    pub fn from_name(name: &str) -> Self {
        Self(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()))
    }

    /// Creates the id with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// Returns the 16 bytes that the placement hashes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl From<Uuid> for DocumentId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl From<DocumentId> for Uuid {
    fn from(id: DocumentId) -> Self {
        id.0
    }
}

/// Parses a UUID, with or without hyphens.
impl FromStr for DocumentId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let expected = "a UUID, such as `67e55044-10b1-426f-9247-bb680e5fe0c8`";
        let read = Uuid::parse_str(text).map(Self);
        read.map_err(|_| ParseError::new("document id", text, expected))
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a term in a [`TermDictionary`](crate::frequency::TermDictionary), counted from 0 in the order of interning.
///
/// It means nothing without its dictionary.
///
/// ```
/// let dictionary = tickring::frequency::TermDictionary::new();
/// let ring = dictionary.intern("ring")?;
/// assert_eq!((ring.as_u32(), ring.to_string().as_str()), (0, "term-0"));
/// # Ok::<(), tickring::error::FrequencyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct TermId(pub(crate) u32);

impl TermId {
    /// Creates the id with this number.
    pub const fn new(id: u32) -> Self {
        Self(id)
    }

    /// Returns the number.
    pub const fn as_u32(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    fn returns<T: FromStr<Err = ParseError> + fmt::Display + Debug + PartialEq>(value: &T) {
        assert_eq!(value.to_string().parse::<T>().as_ref(), Ok(value));
    }

    #[test]
    fn what_an_identity_shows_is_read_back() {
        for number in [1, 7, u32::MAX] {
            returns(&ShardId(number));
            returns(&TermId(number));
        }
        for number in [1, 7, u64::MAX] {
            returns(&Epoch(number));
            returns(&Incarnation::new(number).unwrap());
        }
        returns(&ShardId(0));
        returns(&Epoch(0));
        returns(&DocumentId::from_seed(9));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "5",
            "shard-",
            "shard-+5",
            "shard-05",
            "shard- 5",
            "shard-4294967296",
            "Shard-5",
        ] {
            let error = text.parse::<ShardId>().unwrap_err();
            assert_eq!(error.text(), text);
        }
        assert!("incarnation 0".parse::<Incarnation>().is_err());
        assert!("term-x".parse::<TermId>().is_err());
        assert!("epoch -1".parse::<Epoch>().is_err());
        let error = "document 9".parse::<DocumentId>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the document id is \"document 9\", but must be a UUID, such as `67e55044-10b1-426f-9247-bb680e5fe0c8`"
        );
    }

    #[test]
    fn numbers_and_bytes_come_and_go() {
        assert_eq!(u32::from(ShardId::from(5)), 5);
        assert_eq!(u32::from(TermId::from(5)), 5);
        assert_eq!(u64::from(Epoch::from(5)), 5);
        let five = NonZeroU64::new(5).unwrap();
        assert_eq!(NonZeroU64::from(Incarnation::from(five)), five);
        assert_eq!(u64::from(Incarnation::from(five)), 5);
        let document = DocumentId::from_seed(5);
        assert_eq!(DocumentId::from_bytes(*document.as_bytes()), document);
        assert_eq!(DocumentId::from(Uuid::from(document)), document);
    }
}
