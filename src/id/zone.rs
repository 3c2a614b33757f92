//! Zones: names of places that can fail as a whole.

use std::fmt;
use std::str::FromStr;

use arrayvec::ArrayString;

use crate::error::ParseError;
use crate::limits::MAX_ZONE_BYTES;

/// The name of a zone: a place that can fail as a whole, such as a data centre, a rack or a machine.
///
/// Give each shard the zone that it runs in, by [`Registration::zone`](crate::membership::Registration::zone). The replicas of a document
/// then prefer [distinct zones](crate::Topology::replicas). Which shard owns a document, and which one serves it, doesn't depend on zones.
///
/// A zone is a text of 1 to [`MAX_ZONE_BYTES`] bytes. It is stored inline, so it can be copied, and is compared byte for byte. The feature
/// `serde` writes it as a string.
///
/// ```
/// use tickring::id::Zone;
///
/// let zone: Zone = "eu-west-1a".parse()?;
/// assert_eq!((zone.as_str(), zone.to_string().as_str()), ("eu-west-1a", "eu-west-1a"));
/// assert_eq!(
///     Zone::new("").unwrap_err().to_string(),
///     "the zone is \"\", but must be a text of 1 to 63 bytes, such as `eu-west-1a`",
/// );
/// # Ok::<(), tickring::error::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Zone(ArrayString<MAX_ZONE_BYTES>);

impl Zone {
    /// Creates the zone with this name. See the example of [`Zone`].
    ///
    /// # Errors
    /// [`ParseError`] if the name is empty or longer than [`MAX_ZONE_BYTES`] bytes. Nothing is created.
    pub fn new(name: &str) -> Result<Self, ParseError> {
        let read = ArrayString::from(name).ok();
        let expected = "a text of 1 to 63 bytes, such as `eu-west-1a`";
        read.filter(|name| !name.is_empty())
            .map(Self)
            .ok_or_else(|| ParseError::new("zone", name, expected))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Zone {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::new(text)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Zone").field(&self.as_str()).finish()
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Zone {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Zone {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&name).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_have_a_name_of_1_to_63_bytes() {
        let longest = "ü".repeat(31) + "x";
        assert_eq!(longest.len(), MAX_ZONE_BYTES);
        for name in ["a", " ", "eu-west-1a", &longest] {
            let zone = Zone::new(name).unwrap();
            assert_eq!(zone.to_string().parse(), Ok(zone));
            assert_eq!(zone.as_str(), name);
        }
        let expected = format!("a text of 1 to {MAX_ZONE_BYTES} bytes");
        for name in [String::new(), "x".repeat(64), "ü".repeat(32)] {
            let error = Zone::new(&name).unwrap_err();
            assert_eq!(error.text(), name);
            assert!(error.to_string().starts_with("the zone is "), "{error}");
            assert!(error.to_string().contains(&expected), "{error}");
        }
        assert_eq!(format!("{:?}", Zone::new("a").unwrap()), "Zone(\"a\")");
        assert_eq!(format!("{:>3}", Zone::new("a").unwrap()), "  a");
    }

    #[cfg(feature = "serde")]
    #[test]
    fn zones_are_stored_as_their_names() {
        let zone = Zone::new("eu-west-1a").unwrap();
        let text = serde_json::to_string(&zone).unwrap();
        assert_eq!(text, "\"eu-west-1a\"");
        assert_eq!(serde_json::from_str::<Zone>(&text).unwrap(), zone);
        let escaped = "\"eu\\u002dwest-1a\"";
        assert_eq!(serde_json::from_str::<Zone>(escaped).unwrap(), zone);
        let empty = serde_json::from_str::<Zone>("\"\"").unwrap_err();
        assert!(empty.to_string().starts_with("the zone is"), "{empty}");
    }
}
