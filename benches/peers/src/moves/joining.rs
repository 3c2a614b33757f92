//! E1: the rate of a move, and its ticks beside those that add documents to a colony of as many shards.

use std::time::Duration;

use super::{ADDED, DOCUMENTS, Document, Home};
use crate::measure::{Spread, timed};
use crate::report::{Report, Row, ratio, time};

pub(super) fn run(
    report: &mut Report,
    rounds: usize,
    home: Home,
    (first, more): (&[Document], &[Document]),
    (each, least): (usize, f64),
) {
    let (mut rates, mut moves, mut adds, mut ratios) = (vec![], vec![], vec![], vec![]);
    for _ in 0..rounds {
        let (mut moving, mut adding) = (home.filled(4, first), home.filled(5, first));
        let mut more = more.chunks(ADDED).cycle();
        moving.join(each);
        let (mut moved, mut took) = (0, Duration::ZERO);
        let (mut mine, mut theirs) = (vec![], vec![]);
        while moving.is_moving() {
            let mut documents = 0;
            let tick = timed(|| documents = moving.tick());
            moved += documents;
            took += tick;
            // The last tick of a move is a smaller one.
            if documents + each / 10 >= each {
                mine.push(tick.as_nanos() as f64);
            }
            theirs.push(
                timed(|| {
                    adding.add(more.next().expect("it goes on for ever"));
                    adding.tick();
                })
                .as_nanos() as f64,
            );
        }
        rates.push(moved as f64 / took.as_secs_f64());
        let (mine, theirs) = (Spread::of(mine), Spread::of(theirs));
        ratios.push(mine.median / theirs.median);
        moves.push(mine.median);
        adds.push(theirs.median);
    }
    let [rates, moves, adds, ratios] = [rates, moves, adds, ratios].map(Spread::of);
    report.push(Row {
        id: "E1",
        work: format!(
            "a fifth shard joins {DOCUMENTS} documents {}, {each} a tick: documents a second",
            home.name()
        ),
        ours: format!("{:.0}", rates.median),
        theirs: String::new(),
        result: format!("({:.0} – {:.0})", rates.low, rates.high),
        goal: format!("≥ {least}"),
        reached: Some(rates.median >= least),
    });
    report.push(Row {
        id: "E1",
        work: format!("a tick of it, against one that adds {ADDED} documents"),
        ours: time(moves.median),
        theirs: time(adds.median),
        result: ratio(ratios),
        goal: if each == ADDED {
            "≤ 1.5 × its time".to_owned()
        } else {
            String::new()
        },
        reached: (each == ADDED).then_some(ratios.median <= 1.5),
    });
}
