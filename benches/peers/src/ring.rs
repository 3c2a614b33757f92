//! The time to build and to change rings.

use phago_distributed::hashing::ConsistentHashRing;
use tickring::{HashRing, ShardId};

use crate::Scope;
use crate::measure::{pair, timed};
use crate::report::{Goal, Report, Row, time};

const VIRTUAL_NODES: u32 = 150;

fn ring(shards: u32) -> HashRing {
    HashRing::with_virtual_nodes(shards, VIRTUAL_NODES).expect("within the bounds")
}

pub fn run(report: &mut Report, scope: Scope) {
    let shards = 10_000;
    let built = pair(
        scope.rounds(11),
        1.0,
        &mut || timed(|| ring(shards)),
        &mut || timed(|| ConsistentHashRing::with_virtual_nodes(shards, VIRTUAL_NODES)),
    );
    report.pair(
        "R9",
        "ring of 10,000 × 150 points built",
        Goal::AtLeast(1.0),
        built,
    );
    report.push(Row {
        id: "R9",
        work: "the same, alone".to_owned(),
        ours: time(built.ours.median),
        theirs: String::new(),
        result: String::new(),
        goal: "< 100 ms".to_owned(),
        reached: Some(built.ours.median < 100e6),
    });

    let (shards, whole) = (1_000, ring(1_000));
    let middle = ShardId::new(shards / 2);
    let gap = whole.remove_shard(middle).expect("it is there");
    assert_eq!(gap.add_shard(middle).as_ref(), Ok(&whole));
    let last = ShardId::new(shards - 1);
    let without_last = whole.remove_shard(last).expect("it is there");
    for (which, id, from) in [
        ("the last", last, &without_last),
        ("one in the middle", middle, &gap),
    ] {
        let changed = pair(
            scope.rounds(81),
            1.0,
            &mut || timed(|| from.add_shard(id)),
            &mut || timed(|| ring(shards)),
        );
        report.pair(
            "R9",
            format!("adding {which} to 1,000 × 150, against building"),
            Goal::AtLeast(5.0),
            changed,
        );
    }
    // Theirs changes in place. Ours returns a new ring and leaves the old one to its readers.
    let theirs = ConsistentHashRing::with_virtual_nodes(shards - 1, VIRTUAL_NODES);
    let against = pair(
        scope.rounds(41),
        1.0,
        &mut || timed(|| without_last.add_shard(last)),
        &mut || {
            let mut ring = theirs.clone();
            let took = timed(|| ring.add_shard(phago_distributed::types::ShardId::new(shards - 1)));
            drop(ring);
            took
        },
    );
    report.pair(
        "",
        "adding the last to 1,000 × 150, a new ring against theirs in place",
        Goal::Shown,
        against,
    );
}
