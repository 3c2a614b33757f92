//! A comparison of tickring with its alternatives. Both sides alternate in one process; the results are medians and paired ratios.
//!
//! ```sh
//! cargo run --release --manifest-path benches/peers/Cargo.toml            # everything; writes benches/RESULTS.md
//! cargo run --release --manifest-path benches/peers/Cargo.toml routing    # some: routing, ring, membership, barrier, busy, frequency, colonies, messages, search, queries, leaves, hits, analysis, durable, reopening, disk, waiting, moves, scale
//! ```
//!
//! `--quick` measures fewer rounds. Only a complete run without it writes the results.

mod analysis;
mod barrier;
mod busy;
mod colonies;
mod corpus;
mod crew;
mod disk;
mod durable;
mod frequency;
mod hits;
mod leaves;
mod machine;
mod measure;
mod membership;
mod messages;
mod moves;
mod queries;
mod reopening;
mod report;
mod ring;
mod routing;
mod scale;
mod search;
mod sides;
mod single;
mod waiting;

use std::process::ExitCode;

use report::Report;

/// How thoroughly to measure.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    quick: bool,
}

impl Scope {
    fn is_quick(self) -> bool {
        self.quick
    }

    fn rounds(self, wanted: usize) -> usize {
        if self.quick {
            wanted.div_ceil(8).max(3)
        } else {
            wanted
        }
    }
}

type Suite = fn(&mut Report, Scope);

const SUITES: [(&str, Suite); 19] = [
    ("routing", routing::run),
    ("ring", ring::run),
    ("membership", membership::run),
    ("barrier", barrier::run),
    ("busy", busy::run),
    ("frequency", frequency::run),
    ("colonies", colonies::run),
    ("messages", messages::run),
    ("search", search::run),
    ("analysis", analysis::run),
    ("queries", queries::run),
    ("leaves", leaves::run),
    ("hits", hits::run),
    ("durable", durable::run),
    ("reopening", reopening::run),
    ("disk", disk::run),
    ("waiting", waiting::run),
    ("moves", moves::run),
    ("scale", scale::run),
];

fn main() -> ExitCode {
    let mut scope = Scope { quick: false };
    let mut wanted = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == scale::terms::MEMORY {
            let terms = arguments.next().and_then(|terms| terms.parse().ok());
            scale::terms::print_memory(terms.unwrap_or(0));
            return ExitCode::SUCCESS;
        }
        if argument == membership::MEMORY {
            membership::print_memory();
            return ExitCode::SUCCESS;
        }
        if argument == durable::memory::MEMORY {
            return durable::memory::print_memory(arguments);
        }
        if argument == "--quick" {
            scope.quick = true;
        } else if SUITES.iter().any(|(name, _)| *name == argument) {
            wanted.push(argument);
        } else {
            let names = SUITES.map(|(name, _)| name).join(", ");
            eprintln!("{argument:?} is neither --quick nor one of {names}");
            return ExitCode::from(2);
        }
    }
    let mut report = Report::default();
    let machine = machine::describe();
    println!("{machine}\n");
    for (name, run) in SUITES {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            run(&mut report, scope);
        }
    }
    if wanted.is_empty() && !scope.quick {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../RESULTS.md");
        let text = format!(
            "# Results\n\nWritten by `cargo run --release --manifest-path benches/peers/Cargo.toml`. {machine}\n\n\
             Both sides ran in turn in one process. Times are medians, a ratio is the median over rounds with its quartiles: how many times longer \
             the other side takes, unless the row says otherwise. In R1 to R8, B1 and B2 a side does its work twice in a row and the second time counts, so that \
             it finds its own data in the caches and its threads spread over the cores; in the others it finds what the other side has left. The machine's speed changes \
             from minute to minute: the ratio of a row is of sides measured together, the times of two rows aren't.\n\n{}",
            report.markdown()
        );
        if let Err(error) = std::fs::write(path, text) {
            eprintln!("{path}: {error}");
            return ExitCode::FAILURE;
        }
        println!("\nwritten to {path}");
    }
    ExitCode::SUCCESS
}
