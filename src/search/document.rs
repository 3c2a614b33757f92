//! The document of a text shard.

/// A document of a [`TextShard`](crate::search::TextShard): a title and a body.
///
/// Both can be searched, but not read back: the index doesn't store the texts.
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
    /// Makes a document with this title and body. Either may be empty.
    pub fn new(title: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            body: body.into(),
        }
    }
}
