//! Publications of one's own, and rankings against the naive model: sort all, cut.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn published(shard: u32) -> Published<()> {
    Published::new(ShardId(shard), ())
}

/// Few values, so that many tie; -0 ties with 0.
fn score() -> impl Strategy<Value = f32> {
    prop::sample::select(vec![f32::NEG_INFINITY, -1.5, -0.0, 0.0, 0.5, 7.0])
}

/// By descending score; at the same score by ascending id, and at the same id by shard.
fn ranked(mut hits: Vec<Hit>, k: usize) -> Vec<Hit> {
    for hit in &mut hits {
        hit.score += 0.0;
    }
    hits.sort_by(|one, other| {
        let scores = other.score.partial_cmp(&one.score).unwrap();
        scores.then((one.document, one.shard).cmp(&(other.document, other.shard)))
    });
    hits.truncate(k);
    hits
}

fn hits() -> impl Strategy<Value = Vec<Hit>> {
    let hit = (0..20_u64, score(), 0..4_u32).prop_map(|(seed, score, shard)| Hit {
        document: DocumentId::from_seed(seed),
        score,
        shard: ShardId(shard),
    });
    vec(hit, 0..40)
}

proptest! {
    #[test]
    fn the_top_is_the_front_of_all_sorted(hits in hits(), k in 0..45_usize) {
        let publication = Publication::new((0..4).map(published)).unwrap();
        let top = publication.top(k, |published| {
            let of_shard = hits.iter().filter(|hit| hit.shard == published.shard());
            of_shard.map(|hit| (hit.score, hit.document))
        });
        prop_assert_eq!(top.unwrap(), ranked(hits, k));
    }

    #[cfg(feature = "search")]
    #[test]
    fn what_a_search_may_pass_over_is_not_among_the_best(hits in hits(), k in 1..10_usize) {
        let mut top = Top::new(k, None);
        for (number, &hit) in hits.iter().enumerate() {
            let best = ranked(hits[..number].to_vec(), k);
            let worst = best.get(k - 1);
            prop_assert_eq!(top.threshold(), worst.map(|worst| worst.score));
            let score = hit.score + 0.0;
            let high = |hit: &Hit| hit.document.0.as_u64_pair().0;
            let may_be_better = |worst: &Hit| {
                score > worst.score || (score == worst.score && high(&hit) <= high(worst))
            };
            prop_assert_eq!(top.admits(score, || Some(high(&hit))), worst.is_none_or(may_be_better));
            let at_least = |worst: &Hit| score >= worst.score;
            prop_assert_eq!(top.admits(score, || None), worst.is_none_or(at_least));
            top.offer(Hit { score, ..hit }, |_| true);
        }
    }
}

#[test]
fn a_shard_that_is_there_twice_is_named() {
    let twice = Publication::new([3, 1, 3].map(published));
    assert!(matches!(
        twice,
        Err(PublicationError::SameShardTwice(ShardId(3)))
    ));
}

#[test]
fn a_score_that_is_no_number_is_named_also_where_nothing_is_asked_for() {
    let publication = Publication::new([1, 0].map(published)).unwrap();
    let documents = [0, 1, 2].map(DocumentId::from_seed);
    for k in [0, 1, 10] {
        let error = publication.top(k, |published| {
            let score = if published.shard() == ShardId(1) {
                f32::NAN
            } else {
                1.0
            };
            [(2.0, documents[0]), (score, documents[1])]
        });
        let Err(PublicationError::NotANumber { shard, document }) = error else {
            panic!("{error:?}");
        };
        assert_eq!((shard, document), (ShardId(1), documents[1]));
    }
}

#[test]
fn a_publication_shows_its_shards() {
    let publication = Publication::new([published(7)]).unwrap();
    let shown = format!("{publication:?}");
    assert!(shown.starts_with("Publication { tick: None, "), "{shown}");
    assert!(shown.contains("Published { shard: ShardId(7), "), "{shown}");
    let found = publication.shard(ShardId(7)).map(Published::shard);
    assert_eq!(found, Some(ShardId(7)));
    assert!(publication.shard(ShardId(6)).is_none());
}

#[test]
fn a_colonys_publication_says_of_which_tick_it_and_each_view_are() {
    let life = |number| Incarnation::new(number).unwrap();
    let dead = Published {
        incarnation: life(5),
        tick: Some(7),
        frozen: true,
        ..published(2)
    };
    let alive = Published {
        incarnation: life(9),
        tick: Some(8),
        ..published(3)
    };
    let shards = Box::new([dead, alive]);
    let publication = Publication::of(Some(8), Epoch::new(4), shards).unwrap();
    assert_eq!(
        (publication.tick(), publication.epoch()),
        (Some(8), Epoch::new(4))
    );
    let told = publication.shards().iter().map(|part| {
        let (tick, frozen) = (part.tick(), part.is_frozen());
        (part.shard(), part.incarnation(), tick, frozen)
    });
    let expected = [
        (ShardId(2), life(5), Some(7), true),
        (ShardId(3), life(9), Some(8), false),
    ];
    assert!(told.eq(expected));
}

#[test]
fn of_no_view_there_is_the_empty_publication() {
    let empty = Publication::<()>::new([]).unwrap();
    assert!(empty.shards().is_empty());
    assert_eq!((empty.tick(), empty.epoch()), (None, Epoch::default()));
    let none = empty.top(5, |_| [(1.0, DocumentId::from_seed(0))]);
    assert_eq!(none.unwrap(), []);
}

#[test]
fn a_view_of_nothing_holds_nothing() {
    assert!(!().holds(DocumentId::from_seed(0)));
    assert_eq!(().documents().unwrap(), []);
}
