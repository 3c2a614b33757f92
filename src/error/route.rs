//! Errors of routing.

use crate::limits::MAX_REPLICAS;

/// An error of routing one document. Routing never changes the coordinator's state.
// As small as an answer, so that a look-up's result is returned in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// No shard owns anything, because there are no shards or all have weight 0.
    #[error("no shard owns any document: the ring has no points")]
    EmptyRing,
    /// There are owners, but none of them can serve now. Try again once a shard has come back.
    #[error("none of the {members} shards on the ring can serve now")]
    NoneServing {
        /// The number of shards on the ring.
        members: u32,
    },
    /// More replicas were requested than an answer can hold.
    #[error("the number of replicas is {value}, but must be from 0 to {MAX_REPLICAS}")]
    TooManyReplicas {
        /// The number of replicas requested, not counting the owner.
        value: u32,
    },
}

/// An error of routing a batch. Nothing is routed, and the output is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// The two slices of the batch differ in length.
    #[error("the batch has {documents} documents, but room for {output} answers")]
    Length {
        /// The number of documents.
        documents: usize,
        /// The length of the output.
        output: usize,
    },
    /// No document can be routed.
    #[error(transparent)]
    Route(#[from] RouteError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ShardId;

    #[test]
    fn a_look_up_s_result_fits_into_a_register() {
        assert_eq!(size_of::<Result<ShardId, RouteError>>(), 8);
    }
}
