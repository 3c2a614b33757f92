//! What a text shard holds.

/// A document of a [`TextShard`](crate::search::TextShard): two texts that can be searched, and are not given back.
///
/// ```
/// use tickring::search::TextDocument;
///
/// let document = TextDocument::new("Tide and time", "They wait for nobody.");
/// assert_eq!(document.title, "Tide and time");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct TextDocument {
    /// The title.
    pub title: String,
    /// The body.
    pub body: String,
}

impl TextDocument {
    /// A document with this title and body. Either may be empty.
    pub fn new(title: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            body: body.into(),
        }
    }
}
