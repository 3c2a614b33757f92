//! Errors of a configuration.

use std::time::Duration;

/// An invalid configuration. Nothing was built from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A number is out of bounds.
    #[error("{field} is {value}, but must be from {min} to {max}")]
    OutOfRange {
        /// The name of the field.
        field: &'static str,
        /// The value of the field.
        value: u64,
        /// The least value allowed.
        min: u64,
        /// The greatest value allowed.
        max: u64,
    },
    /// A duration is out of bounds.
    #[error("{field} is {value:?}, but must be from {min:?} to {max:?}")]
    DurationOutOfRange {
        /// The name of the field.
        field: &'static str,
        /// The value of the field.
        value: Duration,
        /// The least value allowed.
        min: Duration,
        /// The greatest value allowed.
        max: Duration,
    },
}
