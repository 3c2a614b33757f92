//! The naive search, and a comparison of its answers with those of text shards and of tantivy alone.

mod analysis;
mod colony;
mod constant;
mod logic;
mod naive;
mod phrase;
mod plain;
mod queries;
pub mod schemas;
mod scripts;
mod tree;
mod words;

use std::collections::BTreeMap;

pub use self::analysis::{
    NaiveAnalyzer, check_analysis, is_in_run, is_unspaced, run_analyzer, tokenizer,
};
pub use self::colony::{TextColony, bits};
pub use self::constant::{Leaf, distance, wildcard};
pub use self::logic::{LOGIC_WORDS, truth_in_tantivy, truth_of_query, truth_of_tree};
pub use self::naive::NaiveSearch;
pub use self::phrase::Phrase;
pub use self::plain::PlainTantivy;
pub use self::queries::run;
pub use self::scripts::{FORMS, Form, LANGUAGES, SCRIPTS, words};
pub use self::tree::{Meaning, Member, Occur, Sign, Tree};
pub use self::words::{WORDS, document, word};

use crate::DocumentId;
use crate::search::TextDocument;

/// Documents by id.
pub type Documents = BTreeMap<DocumentId, TextDocument>;
