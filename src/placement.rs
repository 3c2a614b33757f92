//! Pinned hash functions, which decide where documents are placed.
//!
//! Choose a [`Placement`] if documents must stay where another program put them: [`Placement::SipHash13`] places as phago-distributed 1.0.0
//! does. A new program takes the default.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use siphasher::sip::SipHasher13;
use xxhash_rust::xxh3::xxh3_64;

use crate::error::ParseError;
use crate::id::{DocumentId, ShardId};

/// The hash function that places documents and virtual nodes. It is part of the format: changing it places every document afresh.
///
/// The meaning of a name never changes. Another hash, or other bytes given to the same hash, would get a new name.
///
/// ```
/// use tickring::placement::Placement;
/// use tickring::{DocumentId, ShardId};
///
/// let placement: Placement = "xxh3".parse()?;
/// assert_eq!(placement, Placement::default());
/// let document = DocumentId::from_seed(42);
/// assert_eq!(placement.document_position(&document), placement.hash(document.as_bytes()));
/// assert_eq!(
///     placement.virtual_node_position(ShardId::new(1), 2),
///     placement.hash(&[1, 0, 0, 0, 2, 0, 0, 0]),
/// );
/// # Ok::<(), tickring::error::ParseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Placement {
    /// XXH3-64 with seed 0.
    #[default]
    #[cfg_attr(feature = "serde", serde(alias = "xxh3"))]
    Xxh3,
    /// SipHash-1-3 with a zero key. Places exactly as phago-distributed 1.0.0 does with uuid 1.17 or later.
    #[cfg_attr(feature = "serde", serde(alias = "siphash13"))]
    SipHash13,
}

impl Placement {
    /// All placements, in the order of their documentation.
    pub const ALL: [Self; 2] = [Self::Xxh3, Self::SipHash13];

    /// Returns the pinned name, which [`FromStr`] parses.
    ///
    /// ```
    /// use tickring::placement::Placement;
    ///
    /// assert_eq!(Placement::ALL.map(Placement::name), ["xxh3", "siphash13"]);
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Self::Xxh3 => "xxh3",
            Self::SipHash13 => "siphash13",
        }
    }

    /// Returns the position of a key: the hash of its bytes, without a length or any other prefix.
    #[inline]
    pub fn hash(self, bytes: &[u8]) -> u64 {
        match self {
            Self::Xxh3 => xxh3_64(bytes),
            Self::SipHash13 => siphash13(bytes),
        }
    }

    /// Returns the position of a document: the hash of the 16 bytes of its id.
    #[inline]
    pub fn document_position(self, document: &DocumentId) -> u64 {
        // The length is known to the compiler here. In `hash` it would be checked.
        match self {
            Self::Xxh3 => xxh3_64(document.as_bytes()),
            Self::SipHash13 => siphash13(document.as_bytes()),
        }
    }

    /// Returns the position of a virtual node: the hash of the shard's number and the node's number, each as 4 little-endian bytes.
    #[inline]
    pub fn virtual_node_position(self, shard: ShardId, virtual_node: u32) -> u64 {
        let number = u64::from(virtual_node) << 32 | u64::from(shard.as_u32());
        match self {
            Self::Xxh3 => xxh3_64(&number.to_le_bytes()),
            Self::SipHash13 => siphash13(&number.to_le_bytes()),
        }
    }

    /// Returns the bytes that a key's [`Hash`] implementation writes. Use it for keys that were placed by their `Hash`, as
    /// phago-distributed 1.0.0 did.
    ///
    /// A string is its bytes and `0xFF`. A slice, a `Vec` or an array is its length in 8 bytes, then its elements. An integer is its own
    /// bytes, lowest first, and `usize` takes 8. Slices of integers wider than a byte are written in the machine's byte order. What a type
    /// of another crate writes may change with that crate.
    ///
    /// ```
    /// use tickring::placement::Placement;
    /// use tickring::{Config, Coordinator};
    ///
    /// assert_eq!(Placement::key_bytes("user:1"), b"user:1\xFF");
    /// assert_eq!(Placement::key_bytes(&b"ab"[..]), b"\x02\0\0\0\0\0\0\0ab");
    /// assert_eq!(Placement::key_bytes(&7_u32), [7, 0, 0, 0]);
    ///
    /// let coordinator = Coordinator::with_config(Config::phago())?;
    /// let shard = coordinator.route_key(&Placement::key_bytes("user:1"))?;
    /// assert_eq!(shard.as_u32(), 1);
    /// # Ok::<(), tickring::Error>(())
    /// ```
    pub fn key_bytes<K: Hash + ?Sized>(key: &K) -> Vec<u8> {
        let mut written = Written(Vec::new());
        key.hash(&mut written);
        written.0
    }
}

/// A hasher that keeps the bytes written to it, the same on every machine.
struct Written(Vec<u8>);

impl Hasher for Written {
    /// Returns what phago-distributed's hasher would have returned, for keys that read the hash while they write.
    fn finish(&self) -> u64 {
        siphash13(&self.0)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn write_u16(&mut self, number: u16) {
        self.write(&number.to_le_bytes());
    }

    fn write_u32(&mut self, number: u32) {
        self.write(&number.to_le_bytes());
    }

    fn write_u64(&mut self, number: u64) {
        self.write(&number.to_le_bytes());
    }

    fn write_u128(&mut self, number: u128) {
        self.write(&number.to_le_bytes());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.write(&(number as i64).to_le_bytes());
    }
}

/// Never inlined: its code is long, and would keep its callers from being inlined.
#[inline(never)]
fn siphash13(bytes: &[u8]) -> u64 {
    SipHasher13::new().hash(bytes)
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Placement {
    type Err = ParseError;

    fn from_str(name: &str) -> Result<Self, ParseError> {
        Self::ALL
            .into_iter()
            .find(|placement| placement.name() == name)
            .ok_or_else(|| ParseError::new("placement", name, "one of xxh3, siphash13"))
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hasher};

    use proptest::prelude::*;

    use super::*;

    /// The buffer of the reference implementation's own sanity checks.
    fn reference_buffer() -> [u8; 64] {
        let mut generator = 2_654_435_761_u64;
        std::array::from_fn(|_| {
            let byte = generator.to_be_bytes()[0];
            generator = generator.wrapping_mul(11_400_714_785_074_694_797);
            byte
        })
    }

    #[test]
    fn xxh3_agrees_with_the_published_vectors() {
        let buffer = reference_buffer();
        for (length, expected) in [
            (0, 0x2D06_8005_38D3_94C2),
            (1, 0xC44B_DFF4_074E_ECDB),
            (6, 0x27B5_6A84_CD2D_7325),
            (12, 0xA713_DAF0_DFBB_77E7),
            (24, 0xA3FE_70BF_9D35_10EB),
            (48, 0x397D_A259_ECBA_1F11),
        ] {
            assert_eq!(
                Placement::Xxh3.hash(&buffer[..length]),
                expected,
                "{length}"
            );
        }
    }

    /// The vectors of SipHash's authors have the key 0, 1, .. 15; with it this checks the implementation, not our key.
    #[test]
    fn siphash13_agrees_with_a_published_vector() {
        let hasher = SipHasher13::new_with_keys(0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908);
        assert_eq!(hasher.hash(&[]), 0xABAC_0158_050F_C4DC);
    }

    /// A key that asks for the hash of what was written so far.
    struct Asking;

    impl Hash for Asking {
        fn hash<H: Hasher>(&self, state: &mut H) {
            let so_far = state.finish();
            state.write_u64(so_far);
        }
    }

    proptest! {
        /// The standard library happens to use SipHash-1-3 with a zero key today. Only this test and the next depend on that.
        #[test]
        fn siphash13_agrees_with_the_standard_library(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut hasher = DefaultHasher::new();
            hasher.write(&bytes);
            prop_assert_eq!(Placement::SipHash13.hash(&bytes), hasher.finish());
        }

        #[test]
        fn m2_the_bytes_of_a_key_are_those_that_its_hash_writes(
            key in any::<(String, Vec<u8>, [u8; 3], Option<u16>, (u32, u64, u128, usize), (i8, i32, i64, i128, isize), (bool, char))>(),
        ) {
            let key = (&key, Asking);
            let mut hasher = DefaultHasher::new();
            key.hash(&mut hasher);
            let bytes = Placement::key_bytes(&key);
            prop_assert_eq!(Placement::SipHash13.hash(&bytes), hasher.finish());
        }
    }

    #[test]
    fn positions_are_pinned() {
        let documents = [0, 1, 42, u64::MAX].map(DocumentId::from_seed);
        let nodes = [(0, 0), (0, 1), (1, 0), (u32::MAX, 149)];
        for (placement, of_documents, of_nodes) in [
            (
                Placement::Xxh3,
                [
                    0xD0A6_6A65_C752_8968,
                    0x6CA7_F978_E158_28A6,
                    0xCCF7_81CB_9A8C_9253,
                    0x722A_202F_07A4_B313,
                ],
                [
                    0xC77B_3ABB_6F87_ACD9,
                    0xEEAB_51D5_9CF4_CA5B,
                    0x2FBC_5935_64DB_792E,
                    0xCD43_D616_995B_6366,
                ],
            ),
            (
                Placement::SipHash13,
                [
                    0x76BE_999E_3E25_B2A0,
                    0x6DD0_4429_2FF3_1AE1,
                    0x9FA6_4EDD_BDC3_936E,
                    0x3502_9A3B_6274_A39B,
                ],
                [
                    0xBD60_ACB6_58C7_9E45,
                    0x609A_DA9F_CD0D_4297,
                    0x1E9F_7341_61D6_2DD9,
                    0x7D33_76B5_3A78_67AE,
                ],
            ),
        ] {
            let documents = documents.map(|document| placement.document_position(&document));
            let nodes = nodes.map(|(s, v)| placement.virtual_node_position(ShardId(s), v));
            assert_eq!((documents, nodes), (of_documents, of_nodes), "{placement}");
        }
    }

    #[test]
    fn names_are_read_back_and_others_refused() {
        for placement in Placement::ALL {
            assert_eq!(placement.to_string().parse(), Ok(placement));
        }
        assert_eq!(Placement::default().to_string(), "xxh3");
        for wrong in ["", "XXH3", "xxh3 ", "siphash"] {
            let error = wrong.parse::<Placement>().unwrap_err();
            assert_eq!(error.text(), wrong);
            let names = Placement::ALL.map(Placement::name).join(", ");
            assert!(error.to_string().ends_with(&names), "{error}");
        }
    }
}
