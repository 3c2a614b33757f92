//! Pages, filters, totals, `keep` and ties: against the whole list of hits.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use tickring::search::{Found, Hit, Query, SearchError, SearchOptions, TextView, search_with};
use tickring::testing::random::Random;
use tickring::testing::search::{Documents, TextColony, document};
use tickring::{DocumentId, Publication};

use super::{find, publication_of, queries};

fn with(publication: &Publication<TextView>, query: &Query, options: SearchOptions<'_>) -> Found {
    search_with(publication, query, &options).unwrap()
}

fn ids(hits: &[Hit]) -> Vec<(DocumentId, u32)> {
    tickring::testing::search::bits(hits)
}

fn corpus(shards: u32) -> TextColony {
    let mut random = Random::new(77);
    let documents: Documents = (0..300)
        .map(|seed| (DocumentId::from_seed(seed), document(&mut random)))
        .collect();
    TextColony::with(shards, &documents)
}

#[test]
fn pages_put_together_are_the_whole_and_totals_are_exact() {
    let publication = corpus(3).colony.publication();
    for asked in queries(&mut Random::new(1), 40, 2) {
        let query = Query::parse(&asked.render()).unwrap();
        let all = find(&publication, query.as_str(), 1_000);
        let mut pages = Vec::new();
        for offset in (0..all.len() + 7).step_by(7) {
            let options = SearchOptions::new().limit(7).offset(offset).total();
            let page = with(&publication, &query, options);
            assert_eq!(page.total, Some(all.len() as u64), "{query}");
            pages.extend(ids(&page.hits));
        }
        assert_eq!(pages, all, "{query}");
        let none = with(&publication, &query, SearchOptions::new().limit(0).total());
        assert_eq!((none.hits.len(), none.total), (0, Some(all.len() as u64)));
        assert_eq!(with(&publication, &query, SearchOptions::new()).total, None);
    }
}

/// A filter takes documents out and changes no score; the pruned search finds the same as the exhaustive one.
#[test]
fn a_filter_takes_out_what_does_not_match_it() {
    let publication = corpus(3).colony.publication();
    let mut random = Random::new(2);
    let (asked, filters) = (queries(&mut random, 60, 2), queries(&mut random, 60, 2));
    let mut left_out = 0;
    for (asked, filter) in asked.iter().zip(filters) {
        left_out += filtered(&publication, &asked.render(), &filter.render());
    }
    assert!(left_out > 1_000, "{left_out}");
}

/// The matches of these queries are looked up in the filter one by one, since the filter has far more.
#[test]
fn a_filter_takes_out_matches_of_rare_words() {
    let mut random = Random::new(4);
    let mut text = || {
        let words = [
            ("sea", 1),
            ("wind", 2),
            ("tide", 3),
            ("amber", 90),
            ("pearl", 120),
        ];
        let drawn = words.into_iter().rev();
        let drawn = drawn.filter(|(_, part)| random.below(*part) == 0);
        drawn.map(|(word, _)| word).collect::<Vec<_>>().join(" ")
    };
    let documents: Vec<_> = (0..3_000).map(|_| (text(), text())).collect();
    let documents: Vec<_> = documents.iter().map(|(a, b)| (&**a, &**b)).collect();
    let publication = publication_of(&documents, 1);
    let mut left_out = 0;
    for query in [
        "pearl",
        "pearl amber",
        "+pearl wind",
        "(+pearl tide) (amber -wind)^2",
        "+(pearl amber) +(sea wind)",
        "\"pearl wind\" amber",
        "body:pearl -title:tide",
    ] {
        for filter in [
            "sea",
            "tide",
            "-tide",
            "wind -tide",
            "+sea +wind",
            "\"wind sea\"",
            "se* -wind",
        ] {
            left_out += filtered(&publication, query, filter);
        }
    }
    assert!(left_out > 500, "{left_out}");
}

/// Checks the hits of a filtered query, and returns how many the filter takes out.
fn filtered(publication: &Publication<TextView>, query: &str, filter: &str) -> usize {
    let passing = find(publication, filter, 10_000);
    let passing: HashSet<DocumentId> = passing.into_iter().map(|(id, _)| id).collect();
    let mut expected = find(publication, query, 10_000);
    let all = expected.len();
    expected.retain(|(id, _)| passing.contains(id));
    let (query, filter) = (Query::parse(query).unwrap(), Query::parse(filter).unwrap());
    for top in [1, 5, 10_000] {
        let options = SearchOptions::new().limit(top).filter(&filter);
        let pruned = with(publication, &query, options);
        let best = &expected[..top.min(expected.len())];
        assert_eq!(ids(&pruned.hits), best, "{query} filtered by {filter}");
        let counted = with(publication, &query, options.total());
        assert_eq!(ids(&counted.hits), best);
        assert_eq!(counted.total, Some(expected.len() as u64));
    }
    all - expected.len()
}

#[test]
fn keep_is_asked_only_for_what_would_be_among_the_best() {
    let publication = corpus(3).colony.publication();
    let query = Query::parse("sea tide wind").unwrap();
    let all = find(&publication, query.as_str(), 1_000);
    let asked = Mutex::new(Vec::new());
    let even = |_, id: DocumentId| {
        asked.lock().unwrap().push(id);
        all.iter().position(|(other, _)| *other == id).unwrap() % 2 == 0
    };
    let options = SearchOptions::new().limit(5).keep(&even);
    let kept = ids(&with(&publication, &query, options).hits);
    let expected: Vec<_> = all.iter().copied().step_by(2).take(5).collect();
    assert_eq!(kept, expected);
    let asked = asked.into_inner().unwrap().len();
    assert!(asked < all.len() / 2, "{asked} asked");
    let none = |_, _| false;
    let options = SearchOptions::new().keep(&none).total();
    let found = with(&publication, &query, options);
    assert_eq!((found.hits.len(), found.total), (0, Some(all.len() as u64)));
}

#[test]
fn ties_are_ordered_by_the_comparison_and_then_by_id() {
    let documents = [("sea", ""); 40];
    let publication = publication_of(&documents, 3);
    let query = Query::parse("sea").unwrap();
    let backwards = |a: &Hit, b: &Hit| b.document.cmp(&a.document);
    let mut all = find(&publication, "sea", 100);
    let options = SearchOptions::new().limit(7).ties_by(&backwards);
    all.reverse();
    assert_eq!(ids(&with(&publication, &query, options).hits), all[..7]);
    let equal = |_: &Hit, _: &Hit| Ordering::Equal;
    let options = SearchOptions::new().limit(7).ties_by(&equal);
    all.reverse();
    assert_eq!(ids(&with(&publication, &query, options).hits), all[..7]);
}

/// Segments of several windows, so that the threads' thresholds skip something, with ties at the threshold.
#[test]
fn several_threads_find_the_same_as_one() {
    let mut random = Random::new(41);
    let documents: Documents = (0..6_000)
        .map(|seed| (DocumentId::from_seed(seed), document(&mut random)))
        .collect();
    let publication = TextColony::with(4, &documents).colony.publication();
    let third = |_, id: DocumentId| id.0.as_u128().is_multiple_of(3);
    let backwards = |a: &Hit, b: &Hit| b.document.cmp(&a.document);
    for (number, asked) in queries(&mut random, 60, 2).into_iter().enumerate() {
        let query = Query::parse(&asked.render()).unwrap();
        let mut options = SearchOptions::new().limit([1, 10, 300][number % 3]);
        options = match number % 4 {
            0 => options.total(),
            1 => options.keep(&third),
            2 => options.ties_by(&backwards),
            _ => options.offset(5),
        };
        let alone = with(&publication, &query, options);
        for threads in [0, 2, 3, 1_000] {
            let together = with(&publication, &query, options.threads(threads));
            assert_eq!(ids(&together.hits), ids(&alone.hits), "{query}, {threads}");
            assert_eq!(together.total, alone.total, "{query}, {threads}");
        }
    }
}

#[test]
fn a_panic_on_a_thread_of_a_search_is_one_of_its_caller() {
    let publication = corpus(3).colony.publication();
    let query = Query::parse("sea tide wind").unwrap();
    let panicking = |_, _| panic!("out of patience");
    let options = SearchOptions::new().keep(&panicking).threads(3);
    let searched = catch_unwind(AssertUnwindSafe(|| with(&publication, &query, options)));
    let panic = searched.unwrap_err();
    assert_eq!(*panic.downcast::<&str>().unwrap(), "out of patience");
    let found = with(&publication, &query, SearchOptions::new().threads(3));
    assert_eq!(found.hits.len(), 10);
}

#[test]
fn too_many_hits_are_refused() {
    let publication = publication_of(&[("sea", "")], 1);
    let query = Query::parse("sea").unwrap();
    let most = SearchOptions::MAX_HITS;
    let ask = |offset, limit| {
        let options = SearchOptions::new().offset(offset).limit(limit);
        search_with(&publication, &query, &options)
    };
    assert_eq!(ask(0, most).unwrap().hits.len(), 1);
    assert!(ask(most, 0).unwrap().hits.is_empty());
    for (offset, limit) in [(1, most), (most, 1), (usize::MAX, usize::MAX)] {
        let refused = ask(offset, limit).unwrap_err();
        assert!(matches!(refused, SearchError::TooManyHits { max, .. } if max == most));
    }
}
