//! A file system that loses what was not synced, and a model colony over log and manifest that is run on it.

mod calls;
mod campaign;
mod disk;
mod fault;
mod flips;
mod fuzz;
mod image;
mod mistake;
mod on_disk;
mod plan;
mod replay;
mod script;
mod simulation;
mod store;
#[cfg(test)]
mod tests;

pub use self::campaign::Counts;
pub(crate) use self::fault::Fault;
pub use self::flips::{FlipCounts, flip_all};
pub use self::fuzz::run as fuzz;
pub(crate) use self::image::Image;
pub use self::mistake::Mistake;
pub use self::on_disk::run_on_disk;
pub use self::plan::run_all;
pub(crate) use self::simulation::Simulation;
