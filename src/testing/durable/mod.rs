//! A durable colony of texts on files that fail, and the naive model that says what it may hold after a fault.

mod campaign;
mod careless;
mod flips;
mod hazards;
mod life;
mod model;
mod notes;
mod opening;
mod plan;
mod script;
#[cfg(test)]
pub(crate) mod tests;
mod truth;

pub use self::campaign::Counts;
pub use self::careless::Mistake;
pub use self::flips::{FlipCounts, flip_all};
pub use self::hazards::{Death, Hazards, Moment};
pub use self::notes::Notes;
pub use self::plan::run_all;
