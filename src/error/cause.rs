//! The error of somebody else's code that lies behind one of this crate's.

use std::error::Error;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::guarded::Guarded;

/// The error behind an error: of a caller's own code, the operating system or a library below.
///
/// It derefs to a `dyn std::error::Error`, so it can be shown, asked for its source and downcast. The errors that hold one return it as
/// their [`source`](Error::source). Clones share one error, and are equal; two errors never are. If the last drop panics, the
/// panic ends there.
///
/// ```
/// use tickring::error::Cause;
///
/// let cause = Cause::new("7x".parse::<u32>().unwrap_err());
/// assert_eq!(cause.to_string(), "invalid digit found in string");
/// assert!(cause.downcast_ref::<std::num::ParseIntError>().is_some());
/// assert_eq!(cause, cause.clone());
/// ```
#[derive(Clone)]
pub struct Cause(Arc<Guarded<Box<dyn Error + Send + Sync>>>);

impl Cause {
    /// This error as a cause. A string is one, too.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::new(Guarded::new(error.into())))
    }
}

impl Deref for Cause {
    type Target = dyn Error + Send + Sync;

    fn deref(&self) -> &Self::Target {
        &***self.0
    }
}

impl PartialEq for Cause {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Cause {}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("it can't be dropped")]
    struct Undroppable;

    impl Drop for Undroppable {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }

    #[test]
    fn the_panic_of_a_drop_ends_with_the_cause() {
        let cause = Cause::new(Undroppable);
        let clone = cause.clone();
        drop(cause);
        assert_eq!(clone.to_string(), "it can't be dropped");
        drop(clone);
    }

    #[test]
    fn a_cause_equals_its_clones_alone() {
        let [one, other] = ["lost"; 2].map(Cause::new);
        assert_eq!(one, one.clone());
        assert_ne!(one, other);
    }
}
