//! The model colony in a directory of the operating system.

use std::path::Path;

use super::script::{State, script};
use super::store::Store;
use crate::storage::{Access, Directory};
use crate::testing::random::Random;

/// Runs the model colony in a directory of the operating system, and opens it again, several times.
///
/// # Panics
/// If the colony isn't as it was.
pub fn run_on_disk(path: &Path) {
    let mut random = Random::new(5);
    let (mut state, mut tick) = (State::new(), 0);
    for life in 0..6 {
        let directory = Directory::open(path, Access::Create).expect("nobody else has it");
        let (mut store, opened) = Store::open(directory.files(), None).expect("a colony");
        assert_eq!((&store.state, store.tick), (&state, tick));
        assert!(opened.cuts.is_empty() && opened.leftovers.is_empty());
        for number in 0..20 {
            store
                .tick(&script(&mut random))
                .expect("nothing goes wrong");
            if life % 2 == 0 && number % 7 == 6 {
                store.checkpoint().expect("nothing goes wrong");
            }
        }
        (state, tick) = (store.state, store.tick);
    }
}
