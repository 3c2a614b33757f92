//! A handle that reads a colony's publications.

use std::fmt;

use super::shard::Shard;
use super::shared::Shared;
use crate::publication::Publication;
use crate::sync::Arc;

/// A handle that reads a colony's publications, from any thread. Clones are cheap.
///
/// The colony can be closed while there are readers. They keep its last publication.
pub struct Reader<S: Shard> {
    shared: Arc<Shared<S::Document, S::View>>,
}

impl<S: Shard> Reader<S> {
    pub(super) fn new(shared: Arc<Shared<S::Document, S::View>>) -> Self {
        Self { shared }
    }

    /// Returns the last publication. Takes no lock.
    pub fn publication(&self) -> Arc<Publication<S::View>> {
        self.shared.publication.load_full()
    }
}

impl<S: Shard> Clone for Reader<S> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.shared))
    }
}

impl<S: Shard> fmt::Debug for Reader<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}
