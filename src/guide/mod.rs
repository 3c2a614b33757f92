//! Documentation beyond single items.
//!
//! - [`invariants`]: what always holds, numbered, with the part that holds it and the tests that check it.

pub mod invariants;
