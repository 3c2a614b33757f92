//! The writers and readers of a colony.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use tickring::colony::{Intake, Reader, Write};
use tickring::error::{ColonyError, IntakeError};
use tickring::search::{Query, TextDocument, TextStatistics, TextView, search};
use tickring::testing::colony::{self, Accepted};
use tickring::testing::random::Random;
use tickring::{DocumentId, Publication, View};

use super::colony::{Counts, count};
use super::moody::{Moody, MoodyView, text};
use super::watch::PATIENCE;

const IDS_OF_A_WRITER: u64 = 200;
pub(crate) const QUERIES: [&str; 5] = [
    "sea",
    "sea tide",
    "+wind boat -rope",
    "\"sea tide\"",
    "moon star fish net",
];

/// Writes until the colony is closed. It writes an id again only after its last write was published.
pub(crate) fn write(
    writer: u64,
    intake: &Intake<Moody>,
    random: &mut Random,
    counts: &Counts,
) -> Vec<Accepted<TextDocument>> {
    let mut accepted = Vec::new();
    loop {
        let ids: BTreeSet<_> = (0..random.below(30))
            .map(|_| writer << 32 | random.range(0, IDS_OF_A_WRITER))
            .collect();
        let mut last = None;
        for seed in ids {
            let id = DocumentId::from_seed(seed);
            let deadline = Instant::now() + PATIENCE;
            let document = Arc::new(text(random));
            let kept = Arc::clone(&document);
            let (write, offered) = match random.below(4) {
                0 => {
                    let offered = intake.add(id, document, deadline).map_err(|r| r.reason);
                    (Write::Add { id, document: kept }, offered)
                }
                1 => (Write::Delete { id }, intake.delete(id, deadline)),
                _ => {
                    let offered = intake.upsert(id, document, deadline).map_err(|r| r.reason);
                    (Write::Upsert { id, document: kept }, offered)
                }
            };
            match offered {
                Ok(ticket) => {
                    last = last.max(Some(ticket.tick()));
                    let ticket = ticket.tick();
                    accepted.push(Accepted { write, ticket });
                }
                Err(IntakeError::Recovering { .. }) => count(&counts.recovering, 1),
                Err(IntakeError::NoOwner) => count(&counts.without_owner, 1),
                Err(IntakeError::Closed) => return accepted,
                Err(error) => panic!("a write was refused: {error}"),
            }
        }
        let Some(last) = last else {
            thread::yield_now();
            continue;
        };
        match intake.wait_published(last, Instant::now() + PATIENCE) {
            Ok(()) => {}
            Err(ColonyError::Closed) => return accepted,
            Err(error) => panic!("a publication did not come: {error}"),
        }
    }
}

/// Reads every publication until the colony is closed. Checks that a query sees one publication, which always gives the same answer.
pub(crate) fn read(
    reader: &Reader<Moody>,
    intake: &Intake<Moody>,
    random: &mut Random,
    counts: &Counts,
) {
    let queries = QUERIES.map(|query| Query::parse(query).unwrap());
    let mut last = None;
    loop {
        let publication = reader.publication();
        assert!(publication.tick() >= last, "publications went back");
        last = publication.tick();
        check_views(&publication);
        let query = &queries[random.below(queries.len())];
        assert_eq!(answer(&publication, query), answer(&publication, query));
        count(&counts.searches, 2);
        let next = last.map_or(0, |last| last + 1);
        match intake.wait_published(next, Instant::now() + PATIENCE) {
            Ok(()) => {}
            Err(ColonyError::Closed) => return,
            Err(error) => panic!("a publication did not come: {error}"),
        }
    }
}

/// Checks the views by the naive model, and that each index contains exactly the documents of its shard.
pub(crate) fn check_views(publication: &Publication<MoodyView>) {
    colony::check_views(publication);
    for published in publication.shards() {
        let view = published.view();
        let ids: BTreeSet<_> = view.documents().unwrap().into_iter().collect();
        assert!(ids.iter().eq(view.documents.keys()), "{published:?}");
    }
}

pub(crate) fn answer<V>(publication: &Publication<V>, query: &Query) -> Vec<(DocumentId, u32)>
where
    V: View<Statistics = TextStatistics> + AsRef<TextView>,
{
    let deadline = Instant::now() + PATIENCE;
    let hits = search(publication, query, 20, Some(deadline)).unwrap();
    hits.iter()
        .map(|hit| (hit.document, hit.score.to_bits()))
        .collect()
}
