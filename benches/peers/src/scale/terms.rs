//! The time and memory of interned terms.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::process::Command;
use std::time::Duration;

use tickring::ShardId;
use tickring::frequency::{
    GlobalFrequencies, ShardFrequencies, TermDictionary, aggregate_interned,
};
use tickring::id::TermId;

use super::median;
use crate::Scope;
use crate::measure::timed;
use crate::report::{Report, time};
use tickring::testing::random::Random;

/// The argument that makes the program [print](print_memory) a dictionary's memory.
pub const MEMORY: &str = "--memory-of-terms";

pub fn run(report: &mut Report, scope: Scope) {
    let most = if scope.is_quick() {
        1_000_000
    } else {
        10_000_000
    };
    let sizes = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];
    let rows: Vec<_> = sizes
        .into_iter()
        .filter(|&terms| terms <= most)
        .map(|terms| {
            let mut row = vec![terms.to_string()];
            row.extend(dictionary(terms));
            row.extend(sums(terms, scope.rounds(9)));
            row
        })
        .collect();
    report.table(
        "Terms of 5 to 11 bytes: interning and looking up in ns, the longest that one took to be interned, resident bytes of a term; 4 shards with half of \
         the terms each added up by ids, and ns an entry; an update of 100 terms anywhere, published.",
        &["terms", "intern", "longest", "look up", "bytes a term", "sum of 4 shards", "ns an entry", "update of 100"],
        &rows,
    );
}

fn texts(terms: usize) -> Vec<String> {
    (0..terms).map(|term| format!("term{term}")).collect()
}

/// Prints how many bytes a dictionary of this number of terms takes. Run it in a process of its own, which reuses no freed memory.
pub fn print_memory(terms: usize) {
    let texts = texts(terms);
    let before = resident();
    let dictionary = TermDictionary::new();
    texts.iter().for_each(|term| drop(dictionary.intern(term)));
    println!("{}", resident() - before);
    drop(dictionary);
}

fn memory(terms: usize) -> Option<f64> {
    let itself = std::env::current_exe().ok()?;
    let output = Command::new(itself)
        .args([MEMORY, &terms.to_string()])
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// Returns the memory in use in bytes.
pub fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0.0) * 4_096.0
}

fn dictionary(terms: usize) -> [String; 4] {
    let texts = texts(terms);
    let each = |took: Duration| format!("{:.0}", took.as_nanos() as f64 / terms as f64);
    let dictionary = TermDictionary::new();
    let intern = timed(|| texts.iter().for_each(|term| drop(dictionary.intern(term))));
    let look_up = timed(|| {
        texts.iter().for_each(|term| {
            black_box(dictionary.get(term));
        })
    });
    let again = TermDictionary::new();
    let longest = texts.iter().map(|term| timed(|| again.intern(term))).max();
    let bytes =
        memory(terms).map_or_else(String::new, |bytes| format!("{:.0}", bytes / terms as f64));
    let longest = time(longest.unwrap_or_default().as_nanos() as f64);
    [each(intern), longest, each(look_up), bytes]
}

fn sums(terms: usize, rounds: usize) -> [String; 3] {
    let mut random = Random::new(1);
    let mut shard = || {
        let ids = (0..terms as u32).filter(|_| random.below(2) == 0);
        let counts: Vec<_> = ids
            .map(|id| (TermId::new(id), 1 + u64::from(id % 7)))
            .collect();
        ShardFrequencies::new(10, 0, counts).expect("within the documents")
    };
    let shards: [_; 4] = std::array::from_fn(|_| shard());
    let sum = median(rounds, || timed(|| aggregate_interned(&shards)));
    let global = GlobalFrequencies::new();
    for (id, shard) in (0..).map(ShardId::new).zip(&shards) {
        global.replace(id, 0, shard).expect("it is new");
    }
    drop(global.publish());
    let mut generation = 0;
    let update = median(rounds * 5, || {
        generation += 1;
        let changed = (0..100).map(|_| TermId::new(random.below(terms) as u32));
        let changed: BTreeSet<_> = changed.collect();
        let counts = changed.into_iter().map(|id| (id, generation % 10));
        let update = ShardFrequencies::new(10, 0, counts).expect("within the documents");
        timed(|| {
            global
                .update(ShardId::new(0), generation, &update)
                .expect("it is later");
            global.publish()
        })
    });
    let entries = shards.iter().map(ShardFrequencies::len).sum::<usize>();
    [
        time(sum),
        format!("{:.2}", sum / entries as f64),
        time(update),
    ]
}
