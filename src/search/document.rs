//! What a text shard holds.

/// A document of a [`TextShard`](crate::search::TextShard): two texts that can be searched, and are not given back.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TextDocument {
    /// The title.
    pub title: String,
    /// The body.
    pub body: String,
}
