//! Tests that stops of the whole process evict no shard, however long and however many they are.

use std::io::{BufRead, BufReader, Write, stderr, stdin};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tickring::{Colony, Shard, ShardId};

use crate::{child, colony, faulty};

const LIMIT: Duration = Duration::from_millis(600);
/// How long the process is stopped in one phase, each time, in multiples of the limit.
const STOPS: [f64; 5] = [0.2, 0.85, 1.3, 2.0, 3.0];
const NAME: &str = "stops::c3_stops_of_any_length_evict_nobody_and_a_hang_is_found_all_the_same";

/// The messages of the child, each a line on its standard error.
#[expect(
    clippy::explicit_write,
    reason = "the harness keeps what `eprintln` writes"
)]
fn tell(what: &str) {
    writeln!(stderr(), "{what}").unwrap();
}

/// Waits until the parent says that the process has been stopped and continued.
fn be_stopped() {
    tell("stop me");
    stdin().lines().next().unwrap().unwrap();
}

fn tell_faults<S: Shard>(colony: &mut Colony<S>) {
    tell(&format!("{:?}", faulty(&colony.tick().unwrap())));
}

/// The child process. In each of the first two ticks it is stopped while shard 0 runs a phase. In the second tick shard 1 hangs.
fn be_the_child() {
    let (keep, hang) = crossbeam::channel::bounded::<()>(0);
    let mut colony = colony(2, LIMIT, move |context| {
        match (context.tick(), context.shard().as_u32()) {
            (0, 0) => STOPS.iter().for_each(|_| be_stopped()),
            (1, 0) => be_stopped(),
            (1, 1) => drop(hang.recv()),
            _ => {}
        }
        Ok(())
    });
    (0..3).for_each(|_| tell_faults(&mut colony));
    drop(keep);
}

fn signal(child: &Child, signal: &str) {
    let status = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn c3_stops_of_any_length_evict_nobody_and_a_hang_is_found_all_the_same() {
    let Some(mut command) = child(NAME) else {
        return be_the_child();
    };
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut orders = child.stdin.take().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut told = || told.next().unwrap().unwrap();
    let mut stop = |limits: f64, said: String| {
        assert_eq!(said, "stop me");
        signal(&child, "-STOP");
        thread::sleep(LIMIT.mul_f64(limits));
        signal(&child, "-CONT");
        writeln!(orders, "go on").unwrap();
    };
    for limits in STOPS {
        stop(limits, told());
    }
    assert_eq!(told(), "[]", "stopped in one phase for {STOPS:?} limits");
    stop(1.5, told());
    assert_eq!(told(), format!("{:?}", [ShardId::new(1)]));
    assert_eq!(told(), "[]");
    assert!(child.wait().unwrap().success());
}
