//! A file system that loses what was not synced, and the tests of the log and the manifest over it.
#![allow(
    dead_code,
    unused_imports,
    reason = "the tests that use it are being built"
)]

mod calls;
mod disk;
mod fault;
mod image;
mod simulation;
#[cfg(test)]
mod tests;

pub(crate) use self::fault::Fault;
pub(crate) use self::image::Image;
pub(crate) use self::simulation::Simulation;
