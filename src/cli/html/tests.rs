//! Whole pages, and the numbers in them.

use std::time::Duration;

use tickring::TickPhase;

use super::ticks::PhaseSummary;
use super::*;

fn size(shard: u32, documents: u64, bytes: u64) -> Size {
    Size {
        shard: ShardId::new(shard),
        documents,
        bytes,
        is_behind: false,
    }
}

fn tick(tick: Tick, microseconds: [u64; 4]) -> TickSummary {
    let phase = |(phase, time): (TickPhase, u64)| PhaseSummary {
        phase,
        elapsed: Duration::from_micros(time),
        slowest: (time > 0).then(|| (ShardId::new(1), Duration::from_micros(time / 2))),
    };
    let mut phases = TickPhase::ALL.into_iter().zip(microseconds).map(phase);
    TickSummary {
        tick,
        phases: std::array::from_fn(|_| phases.next().unwrap()),
        published: 1_000 * tick,
        moved: tick,
    }
}

fn page(ring: &HashRing) -> Page<'_> {
    Page {
        directory: "books".to_owned(),
        tick: 7,
        epoch: 3,
        ring,
        goal: None,
        sizes: &[],
        ticks: &[],
        fields: &[],
    }
}

/// Returns the value of an attribute of the first element after `place`.
fn value<'a>(page: &'a str, place: &str, attribute: &str) -> &'a str {
    let at = page.find(place).unwrap_or_else(|| panic!("{place}"));
    let after = &page[at..];
    let start = format!(r#"{attribute}=""#);
    let from = after.find(&start).unwrap_or_else(|| panic!("{attribute}"));
    let rest = &after[from + start.len()..];
    &rest[..rest.find('"').unwrap()]
}

/// Returns the part of the page from one section's heading to its end.
fn part<'a>(page: &'a str, section: &str) -> &'a str {
    let start = page
        .find(&format!(r#"<section id="{section}""#))
        .unwrap_or_else(|| panic!("{section}"));
    let rest = &page[start..];
    &rest[..rest.find("</section>").unwrap()]
}

#[test]
fn a_page_of_a_colony_at_rest() {
    let ring = HashRing::new(2).unwrap();
    let sizes = [size(0, 300, 9_000), size(1, 100, 12_345)];
    let fields = [FieldTerms {
        field: "body".to_owned(),
        tokens: 5_000,
        distinct: 40,
        top: vec![("sea".to_owned(), 400), ("ice".to_owned(), 100)],
    }];
    let page = Page {
        sizes: &sizes,
        fields: &fields,
        ..page(&ring)
    };
    let page = page.html().unwrap();
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"));
    assert!(page.contains("<title>tickring: books at tick 7</title>"));
    for (name, figure) in [
        ("documents", "400"),
        ("bytes", "21345"),
        ("shards", "2"),
        ("points", "300"),
        ("tick", "7"),
        ("epoch", "3"),
    ] {
        let id = format!(r#"id="total-{name}""#);
        assert_eq!(value(&page, &id, "data-value"), figure, "{name}");
    }
    let shares = part(&page, "ring");
    for share in &ring.shares() {
        let row = format!(r#"<tr data-shard="{}">"#, share.shard.as_u32());
        let row = &shares[shares.find(&row).unwrap()..];
        let exact = share.fraction().to_string();
        assert_eq!(value(row, r#"data-kind="share""#, "data-value"), exact);
        assert_eq!(value(row, r#"data-kind="points""#, "data-value"), "150");
    }
    assert!(!page.contains("goal-share"));
    assert_eq!(value(&page, r#"id="goal""#, "data-pending"), "false");
    let sizes = part(&page, "sizes");
    let row = &sizes[sizes.find(r#"<tr data-shard="1""#).unwrap()..];
    assert_eq!(value(row, r#"data-kind="bytes""#, "data-value"), "12345");
    assert_eq!(value(row, r#"data-kind="documents""#, "data-value"), "100");
    // The bar beside 300 documents.
    assert!(row.contains(r#"<title>shard-1: 100 documents</title><rect class="track" width="100%" height="12"></rect><rect class="fill" width="33.33%""#), "{row}");
    let terms = part(&page, "terms");
    assert_eq!(value(terms, r#"data-field="body""#, "data-distinct"), "40");
    let sea = &terms[terms.find(r#"data-term="sea""#).unwrap()..];
    assert_eq!(value(sea, "data-kind", "data-value"), "400");
    assert!(terms.contains("25.00 %"));
    assert!(part(&page, "ticks").contains(r#"id="no-ticks""#));
}

#[test]
fn a_goal_shows_both_rings_and_what_moves() {
    let ring = HashRing::new(2).unwrap();
    let goal = ring.add_weighted(ShardId::new(2), 2).unwrap();
    let goal = goal.set_weight(ShardId::new(0), 0).unwrap();
    let sizes = [size(0, 1_000, 1), size(1, 500, 1)];
    let page = Page {
        goal: Some(&goal),
        sizes: &sizes,
        ..page(&ring)
    };
    let page = page.html().unwrap();
    assert_eq!(value(&page, r#"id="goal""#, "data-pending"), "true");
    let shares = part(&page, "ring");
    let row = &shares[shares.find(r#"<tr data-shard="2">"#).unwrap()..];
    assert!(row.contains(r#"data-kind="share">–<"#), "{row}");
    let exact = goal.shares().get(ShardId::new(2)).unwrap().fraction();
    let shown = value(row, r#"data-kind="goal-share""#, "data-value");
    assert_eq!(shown, exact.to_string());
    let plan = tickring::ring::RingPlan::between(&ring, &goal).unwrap();
    let moves = part(&page, "moves");
    let moved = value(moves, r#"id="moved""#, "data-share");
    assert_eq!(moved, plan.moved_fraction().to_string());
    let ranges = value(moves, r#"id="moved""#, "data-ranges");
    assert_eq!(ranges, plan.moves().len().to_string());
    let counts = moves.split(r#"data-kind="ranges" data-value=""#).skip(1);
    let counts = counts.map(|one| one.split('"').next().unwrap().parse::<usize>().unwrap());
    assert_eq!(counts.sum::<usize>(), plan.moves().len());
    // All that shard 0 has goes, to two shards.
    let documents = |to: u32| -> u64 {
        let row = format!(r#"<tr data-from="0" data-to="{to}">"#);
        let row = &moves[moves.find(&row).unwrap()..];
        let documents = value(row, r#"data-kind="documents""#, "data-value");
        documents.parse().unwrap()
    };
    assert_eq!(documents(1) + documents(2), 1_000);
    assert!(!moves.contains(r#"<tr data-from="2""#));
    // A goal that is reached.
    let reached = Page {
        goal: Some(&ring),
        ..self::page(&ring)
    };
    let reached = reached.html().unwrap();
    assert_eq!(value(&reached, r#"id="moved""#, "data-share"), "0");
    let other = tickring::placement::Placement::SipHash13;
    let other = HashRing::with_placement(other, 2, 150).unwrap();
    let differs = Page {
        goal: Some(&other),
        ..self::page(&ring)
    };
    assert_eq!(differs.html(), Err(RingError::PlacementDiffers));
}

#[test]
fn more_pairs_than_are_listed_are_summed_up() {
    let ring = HashRing::new(20).unwrap();
    // Nobody keeps anything.
    let goal = (20..40).map(ShardId::new);
    let goal = goal.fold(ring.clone(), |ring, shard| ring.add_shard(shard).unwrap());
    let goal = (0..20)
        .map(ShardId::new)
        .fold(goal, |ring, shard| ring.set_weight(shard, 0).unwrap());
    let page = Page {
        goal: Some(&goal),
        ..page(&ring)
    };
    let page = page.html().unwrap();
    let moves = part(&page, "moves");
    assert_eq!(moves.matches("<tr data-from=").count(), 200);
    let pairs: usize = value(moves, r#"id="other-pairs""#, "data-pairs")
        .parse()
        .unwrap();
    assert!((100..=200).contains(&pairs), "{pairs}");
    let shares = moves.split(r#"data-kind="share" data-value=""#).skip(1);
    let shares = shares.map(|one| one.split('"').next().unwrap().parse::<f64>().unwrap());
    let all: f64 = shares.sum();
    assert!((all - 1.0).abs() < 1e-9, "{all}");
}

#[test]
fn ticks_have_the_times_of_their_phases() {
    let ring = HashRing::new(2).unwrap();
    let ticks = [tick(1, [100, 200, 0, 100]), tick(2, [0, 700, 0, 100])];
    let page = Page {
        ticks: &ticks,
        ..page(&ring)
    };
    let page = page.html().unwrap();
    let ticks = part(&page, "ticks");
    let first = &ticks[ticks.find(r#"<tr data-tick="1">"#).unwrap()..];
    let elapsed = value(first, r#"data-kind="elapsed""#, "data-nanoseconds");
    assert_eq!(elapsed, "400000");
    let act = r#"data-phase="Act""#;
    assert_eq!(value(first, act, "data-nanoseconds"), "200000");
    assert_eq!(value(first, act, "data-slowest"), "1");
    assert_eq!(value(first, act, "data-slowest-nanoseconds"), "100000");
    assert_eq!(
        value(first, r#"data-kind="published""#, "data-value"),
        "1000"
    );
    assert_eq!(value(first, r#"data-kind="moved""#, "data-value"), "1");
    assert!(first.contains("no shard finished"));
    // 400 of 800 µs: Act begins after 100 and takes 200.
    let drawn = r#"<rect class="act" x="12.50%" y="1" width="25.00%" height="14">"#;
    assert!(first.contains(drawn), "{first}");
    let drawn = r#"<rect class="advance" x="37.50%" y="1" width="12.50%" height="14">"#;
    assert!(first.contains(drawn), "{first}");
    assert!(!page.contains("no-ticks"));
}

#[test]
fn strings_of_the_data_are_escaped() {
    let ring = HashRing::new(1).unwrap();
    let evil = r#""><script>alert(1)</script>&"#;
    let fields = [FieldTerms {
        field: evil.to_owned(),
        tokens: 1,
        distinct: 1,
        top: vec![(format!("{evil}\u{202e}\0"), 1)],
    }];
    let page = Page {
        directory: evil.to_owned(),
        fields: &fields,
        ..page(&ring)
    };
    let page = page.html().unwrap();
    assert!(!page.contains("<script"));
    assert!(!page.contains(['\u{202e}', '\0']));
    let escaped = "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;";
    assert!(page.contains(&format!("<title>tickring: {escaped} at tick 7</title>")));
    let term = format!("data-term=\"{escaped}\\u{{202e}}\\u{{0}}\"");
    assert!(page.contains(&term));
}

#[test]
fn empty_rings_and_many_shards_make_pages_too() {
    let none = HashRing::new(0).unwrap();
    let page = page(&none).html().unwrap();
    assert!(page.contains("no shard owns anything") && page.contains("0 arcs"));
    assert!(page.contains("The schema has no text field."));
    let ring = HashRing::new(100).unwrap();
    let page = self::page(&ring).html().unwrap();
    assert!(page.contains("all thinner than a pixel and hatched"));
    assert_eq!(part(&page, "ring").matches("<tr data-shard=").count(), 100);
    // A page stays small enough to be mailed.
    assert!(page.len() < 400_000, "{}", page.len());
    for outside in ["http:", "https:", "url(h", "<script", "<img", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
}
