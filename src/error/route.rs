//! Errors of routing.

/// A document that can't be routed. Routing never changes the coordinator's state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// No shard owns anything: there is none, or all have weight 0.
    #[error("no shard owns any document: the ring has no points")]
    EmptyRing,
    /// There are owners, but none of the shards can serve now. Worth another try once one has come back.
    #[error("none of the {members} shards on the ring can serve now")]
    NoneServing {
        /// The number of shards on the ring.
        members: usize,
    },
    /// More replicas besides the owner were asked for than an answer holds.
    #[error("the number of replicas is {value}, but must be from 0 to {max}")]
    TooManyReplicas {
        /// The number asked for.
        value: usize,
        /// The greatest number allowed.
        max: usize,
    },
    /// The two slices of a batch differ in length. The output is untouched.
    #[error("the batch has {documents} documents, but room for {output} answers")]
    BatchLength {
        /// Documents given.
        documents: usize,
        /// Places for answers.
        output: usize,
    },
}
