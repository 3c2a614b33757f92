//! Errors of parsing text.

/// An error of parsing the text form of a value. Nothing was created.
///
/// ```
/// use tickring::ShardId;
///
/// let error = "shard five".parse::<ShardId>().unwrap_err();
/// assert_eq!(error.to_string(), "the shard id is \"shard five\", but must be `shard-` and a number, such as `shard-5`");
/// assert_eq!(error.text(), "shard five");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {what} is {text:?}, but must be {expected}")]
pub struct ParseError {
    what: &'static str,
    text: String,
    expected: &'static str,
}

impl ParseError {
    pub(crate) fn new(what: &'static str, text: &str, expected: &'static str) -> Self {
        let text = text.to_owned();
        Self {
            what,
            text,
            expected,
        }
    }

    /// Returns the text that couldn't be parsed.
    pub fn text(&self) -> &str {
        &self.text
    }
}
