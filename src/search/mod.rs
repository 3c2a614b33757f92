//! Full-text search over shards that are tantivy indexes and answer together like a single index.
//!
//! A [`TextShard`] holds [`TextDocument`]s in an in-memory index; run such shards in a [`Colony`](crate::Colony). [`search`] runs a
//! [`Query`] over all shards of a publication and scores with the statistics over all of them. So the answer is the same for every number
//! of shards, down to the bits of the scores.
//!
//! | to | use |
//! | --- | --- |
//! | search titles and bodies | [`TextDocument::new`], [`Query::parse`], [`search`] |
//! | have fields of your own: texts, keywords, numbers, dates | a [`Schema`] of [`Field`]s, [`Schema::document`] or [`Schema::document_from_json`], a [`QueryParser`] |
//! | fold accents, stem words | an [`Analyzer`] in a field |
//! | turn pages, count matches, filter, order ties, search on several threads | [`search_with`] and [`SearchOptions`] |
//! | show what was found | [stored](Field::stored) fields, [`stored`], [`Snippets`] |
//! | take any text from a search box | [`Query::literal`], which knows no syntax; [`Query::lenient`], which reads what it can |
//! | require all words, search in one field, search while somebody types, filter by a value | the options of a [`QueryParser`] |
//! | replace and delete documents, and learn which were refused | [`Intake`](crate::colony::Intake), [`TickReport`](crate::colony::TickReport) |
//! | search views that no colony made | [`search_views`] |
//!
//! # Loading
//! An inbox is bounded, so a long loop of writes gets [`IntakeError::Full`](crate::error::IntakeError::Full). The document comes back, and there
//! is room after the next tick. A large tick is much cheaper than many small ones:
//!
//! ```
//! use tickring::error::IntakeError;
//! use tickring::search::{TextDocument, TextShard, TextShardConfig};
//! use tickring::{Colony, ColonyConfig, DocumentId};
//!
//! let config = ColonyConfig { inbox_capacity: 100, ..ColonyConfig::default() };
//! let mut colony = Colony::new(config, 3, TextShard::factory(TextShardConfig::default()))?;
//! let intake = colony.intake();
//! for number in 0..1_000 {
//!     let mut document = TextDocument::new(format!("page {number}"), "sea").into();
//!     while let Err(rejected) = intake.try_upsert(DocumentId::from_seed(number), document) {
//!         match rejected.reason {
//!             IntakeError::Full { .. } => colony.tick()?,
//!             reason => return Err(reason.into()),
//!         };
//!         document = rejected.document;
//!     }
//! }
//! colony.tick()?;
//! # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//! ```
//!
//! # In a directory
//! With the feature `durable`, `Colony::open` keeps a colony of text shards in a directory. The index of such a shard keeps the values of all
//! fields, compressed, so that whole documents can be [read back](TextView::document). Hits still show only those that the schema stores.
//!
//! ```
//! # #[cfg(feature = "durable")]
//! # fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use tickring::colony::DurableConfig;
//! use tickring::search::{Query, TextDocument, TextShard, TextShardConfig, search};
//! use tickring::{Colony, DocumentId};
//!
//! # let path = tempfile::tempdir()?;
//! let open = || Colony::<TextShard>::open(&path, DurableConfig::default(), TextShardConfig::default());
//! let mut colony = open()?;
//! colony.intake().try_upsert(DocumentId::from_seed(1), TextDocument::new("Tides", "sea"))?;
//! colony.tick()?;
//! drop(colony);
//! assert_eq!(search(&open()?.publication(), &Query::parse("sea")?, 10, None)?.len(), 1);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "durable"))]
//! # fn main() {}
//! ```
//!
//! Opening reads the index into memory. One that is larger than memory is mapped, with [`Reading::Mapped`] in the [`TextShardConfig`]; the
//! answers are the same.
//!
//! # Another schema
//! Documents, queries and shards of different schemas don't mix: each meeting is an [`OtherSchema`](SearchError::OtherSchema) error or a write
//! that comes back. To change the schema or an analyzer, make a new colony and write the documents to it.

mod analyzer;
mod bitset;
#[cfg(feature = "durable")]
mod bytes;
mod ceilings;
mod collect;
mod constant;
mod cursor;
mod deadline;
mod document;
mod entries;
mod evaluate;
mod filter;
mod lengths;
mod options;
mod period;
mod phrase;
mod postings;
mod prune;
mod query;
mod record;
mod remembered;
mod run;
mod schema;
mod segment;
mod shard;
mod slack;
mod snippet;
mod statistics;
mod value;
mod view;
mod weight;

pub use self::analyzer::Analyzer;
pub use self::document::TextDocument;
pub use self::options::{Found, SearchOptions};
pub use self::query::{Query, QueryParser};
pub use self::run::{search, search_views, search_with, search_with_local_statistics, stored};
pub use self::schema::{Field, Schema, SchemaBuilder};
pub use self::shard::{
    MAX_TEXT_SHARDS, MAX_WRITER_MEMORY, MIN_WRITER_MEMORY, Reading, TextShard, TextShardConfig,
};
pub use self::snippet::{Snippet, Snippets};
pub use self::statistics::TextStatistics;
pub use self::value::{Date, Value};
pub use self::view::TextView;
pub use crate::error::{
    AnalyzerError, DateError, DocumentError, Excerpt, QueryError, QueryPlace, SchemaError,
    SearchError,
};
pub use crate::publication::Hit;
