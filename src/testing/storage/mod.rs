//! A file system that loses what was not synced, and fails where a test tells it to.

mod calls;
mod disk;
mod fault;
mod fuzz;
mod image;
mod simulation;
#[cfg(test)]
mod tests;

pub(crate) use self::fault::Fault;
pub use self::fuzz::run as fuzz;
pub(crate) use self::image::Image;
pub(crate) use self::simulation::Simulation;
