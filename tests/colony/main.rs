//! Tests of the colony through the public API: what a shard's code may do in it, and what becomes of each write.
//!
//! A test whose name begins with a fault (`c1_` and so on) would fail if that fault came back.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod messages;
mod orders;
#[path = "../examples/pagerank.rs"]
#[expect(dead_code, reason = "its main is run with the other examples")]
mod pagerank;
mod poison;
mod rayon_in_phases;
mod stops;

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tickring::colony::{Batch, Birth, TickContext, TickReport};
use tickring::publication::ShardFailure;
use tickring::{Colony, ColonyConfig, Shard, ShardId};

/// A shard that runs this in Act, and whose view is empty.
struct Acting<F>(Arc<F>);

impl<F> Shard for Acting<F>
where
    F: Fn(&TickContext<'_, (), ()>) -> Result<(), ShardFailure> + Send + Sync + 'static,
{
    type Document = ();
    type View = ();

    fn act(
        &mut self,
        context: &mut TickContext<'_, (), ()>,
        _batch: &mut Batch<'_, ()>,
    ) -> Result<(), ShardFailure> {
        (self.0)(context)
    }

    fn view(&mut self) -> Result<(), ShardFailure> {
        Ok(())
    }
}

/// A colony on two threads whose shards all run this in Act.
fn colony<F>(shards: u32, limit: Duration, act: F) -> Colony<Acting<F>>
where
    F: Fn(&TickContext<'_, (), ()>) -> Result<(), ShardFailure> + Send + Sync + 'static,
{
    let act = Arc::new(act);
    let make = move |_: Birth<()>| Ok(Acting(Arc::clone(&act)));
    Colony::new(config(limit), shards, make).unwrap()
}

fn config(limit: Duration) -> ColonyConfig {
    ColonyConfig {
        threads: 2,
        phase_timeout: limit,
        virtual_nodes_per_shard: 16,
        ..ColonyConfig::default()
    }
}

/// A time limit that no healthy shard reaches.
const GENEROUS: Duration = Duration::from_secs(60);

fn far() -> Instant {
    Instant::now() + GENEROUS
}

/// Returns the shards that died in a tick.
fn faulty<D>(report: &TickReport<D>) -> Vec<ShardId> {
    report.faults.iter().map(|fault| fault.shard).collect()
}

/// The variable that is set in a process that runs one test for another process.
const CHILD: &str = "TICKRING_TEST_OF_A_COLONY";

/// Returns the command that runs the test with this name and module in a process of its own, or `None` if this is that process.
fn child(name: &str) -> Option<Command> {
    if std::env::var_os(CHILD).is_some() {
        return None;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", name]).env(CHILD, "");
    child.env("RUST_BACKTRACE", "0");
    Some(child)
}

/// Runs the calling test, which has this name, in a process of its own, because it ends the process or blocks its thread pools.
fn in_a_process_of_its_own(name: &str, test: impl FnOnce()) {
    let Some(mut child) = child(name) else {
        return test();
    };
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{}: {said}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}
