//! Full-text search over shards that are tantivy indexes and together answer as one.
//!
//! A [`TextShard`] holds [`TextDocument`]s in an index in memory. [`search`] runs a [`Query`] over all shards of a publication, with the
//! statistics of them all, and gives the same answer, to the bit of a score, for every number of shards.

mod bitset;
mod ceilings;
mod deadline;
mod document;
mod evaluate;
mod parse;
mod prune;
mod query;
mod remembered;
mod run;
mod schema;
mod segment;
mod shard;
mod slack;
mod statistics;
mod view;
mod weight;

pub use self::document::TextDocument;
pub use self::query::Query;
pub use self::run::{search, search_views, search_with_local_statistics};
pub use self::schema::TextField;
pub use self::shard::{
    MAX_TEXT_SHARDS, MAX_WRITER_MEMORY, MIN_WRITER_MEMORY, TextShard, TextShardConfig,
};
pub use self::statistics::TextStatistics;
pub use self::view::TextView;
pub use crate::error::{QueryError, QueryExcerpt, SearchError};
pub use crate::publication::Hit;
