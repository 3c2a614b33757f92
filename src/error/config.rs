//! Errors of a configuration.

use std::time::Duration;

/// A configuration that can't be used. Nothing was built from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A number lies outside its bounds.
    #[error("{field} is {value}, but must be from {min} to {max}")]
    OutOfRange {
        /// The configuration's field.
        field: &'static str,
        /// Its value.
        value: u64,
        /// The least value allowed.
        min: u64,
        /// The greatest value allowed.
        max: u64,
    },
    /// A duration lies outside its bounds.
    #[error("{field} is {value:?}, but must be from {min:?} to {max:?}")]
    DurationOutOfRange {
        /// The configuration's field.
        field: &'static str,
        /// Its value.
        value: Duration,
        /// The least value allowed.
        min: Duration,
        /// The greatest value allowed.
        max: Duration,
    },
}
