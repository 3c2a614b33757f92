//! The cause of an error: an error of code outside this crate.

use std::error::Error;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::guarded::Guarded;

/// The cause of an error: an error of your own code, the operating system or a library.
///
/// It derefs to a `dyn std::error::Error`, so it can be shown and downcast. The errors that hold a cause return it as their
/// [`source`](Error::source). Clones share the error and are equal to each other; causes that were made separately are never equal. A
/// panic in the drop of the error is caught.
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
    /// Wraps an error, or a string as one.
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
