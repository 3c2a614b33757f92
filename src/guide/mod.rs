//! Documentation beyond single items.
//!
//! - [`choosing`]: which part for which job, and when not to use it.
//! - [`invariants`]: what always holds, numbered, with the part that holds it and the tests that check it.
//! - [`limitations`]: what the parts don't do, what blocks, and what they cost by size.
//! - [`metrics_and_errors`]: what to watch, what each error means for your state, and what to do.
//! - [`migrating`]: from phago-distributed, without moving a document.

pub mod choosing;
pub mod invariants;
pub mod limitations;
pub mod metrics_and_errors;
pub mod migrating;
