//! The options of the query parser, and what is read in another way than it looks.

use tickring::DocumentId;
use tickring::search::{
    Field, Query, QueryError, QueryParser, Schema, SearchOptions, TextView, search, search_with,
};
use tickring::testing::search::{Documents, TextColony};
use tickring::{Publication, publication::ShardFailure};

use super::publication_of;

fn found(publication: &Publication<TextView>, query: &Query) -> Vec<u64> {
    let hits = search(publication, query, 100, None).unwrap();
    let seed = |id| (0..100).find(|&seed| DocumentId::from_seed(seed) == id);
    hits.iter().filter_map(|hit| seed(hit.document)).collect()
}

#[test]
fn a_question_mark_at_the_end_of_a_word_is_no_wildcard() {
    let publication = publication_of(&[("where is the sea", ""), ("seas", ""), ("c", "")], 2);
    for (query, expected) in [
        ("sea?", &[0][..]),
        ("+where +is +the +sea?", &[0]),
        ("sea??", &[0]),
        ("(sea?)^2", &[0]),
        ("c?", &[2]),
        ("is/the?", &[0]),
        ("se?s", &[1]),
        ("se?*", &[0, 1]),
        ("s?a", &[]),
        ("sea\\?", &[0]),
    ] {
        let parsed = QueryParser::new(&Schema::default()).parse(query);
        match parsed {
            Ok(parsed) => {
                let mut found = found(&publication, &parsed);
                found.sort_unstable();
                assert_eq!(found, expected, "{query}");
            }
            Err(QueryError::OutOfBounds { .. }) => assert_eq!(query, "s?a"),
            Err(error) => panic!("{error}"),
        }
    }
    assert!(matches!(Query::parse("?"), Err(QueryError::NoToken { .. })));
}

#[test]
fn words_without_a_field_are_looked_for_in_the_fields_of_the_parser() {
    let publication = publication_of(&[("sea", "tide"), ("tide", "sea")], 2);
    let parser = QueryParser::new(&Schema::default()).all_words(true);
    let titles = parser.clone().fields(["title"]).unwrap();
    for (query, all, in_titles) in [
        ("sea", &[0, 1][..], &[0][..]),
        ("body:sea", &[1], &[1]),
        ("sea body:tide", &[0], &[0]),
        ("se*", &[0, 1], &[0]),
        ("\"sea\"", &[0, 1], &[0]),
    ] {
        let sorted = |parser: &QueryParser| {
            let mut found = found(&publication, &parser.parse(query).unwrap());
            found.sort_unstable();
            found
        };
        assert_eq!(sorted(&parser), all, "{query}");
        assert_eq!(sorted(&titles), in_titles, "{query}");
    }
    let typed = titles.literal("sea: (\"").unwrap();
    assert_eq!(found(&publication, &typed), [0]);
    let error = QueryParser::new(&Schema::default()).fields(["subject"]);
    assert!(error.unwrap_err().to_string().contains("\"subject\""));
}

#[test]
fn the_last_word_goes_on_while_somebody_types() {
    let publication = publication_of(
        &[
            ("open sea", ""),
            ("open seashore", ""),
            ("open season sea", ""),
            ("sea", ""),
            ("don't go", ""),
        ],
        2,
    );
    let typed = QueryParser::new(&Schema::default())
        .all_words(true)
        .last_word_goes_on(true);
    let all = |text: &str| {
        let mut found = [
            found(&publication, &typed.parse(text).unwrap()),
            found(&publication, &typed.literal(text).unwrap()),
        ];
        found.iter_mut().for_each(|found| found.sort_unstable());
        assert_eq!(found[0], found[1], "{text}");
        found[0].clone()
    };
    for (text, expected) in [
        ("o", &[][..]),
        ("op", &[0, 1, 2]),
        ("open se", &[0, 1, 2]),
        ("open sea", &[0, 1, 2]),
        ("open seas", &[1, 2]),
        ("open sea ", &[0, 2]),
        ("open sea.", &[0, 2]),
        ("don't g", &[]),
        ("don't go", &[4]),
        ("don'", &[4]),
        ("do'", &[]),
        ("don't", &[4]),
    ] {
        assert_eq!(all(text), expected, "{text}");
    }
    // The very word is better than a word that begins with it.
    let best = found(&publication, &typed.parse("open sea").unwrap());
    assert_eq!(best.last(), Some(&1));
    // What is excluded, or in quotes, is taken as it stands.
    let mut without = found(&publication, &typed.parse("open -sea").unwrap());
    without.sort_unstable();
    assert_eq!(without, [1]);
    let mut quoted = found(&publication, &typed.parse("open \"sea\"").unwrap());
    quoted.sort_unstable();
    assert_eq!(quoted, [0, 2]);
    // Seventeen prefixes would be one too many. The query is parsed without the last.
    let patterns: String = (10..26).map(|n| format!("ab{n}* ")).collect();
    assert!(typed.parse(&format!("{patterns} sea")).is_ok());
}

#[test]
fn a_value_is_found_whatever_characters_it_has() -> Result<(), ShardFailure> {
    let schema = Schema::builder()
        .field(Field::text("notes"))
        .field(Field::keyword("author"))
        .field(Field::integer("year"))
        .field(Field::date("day"))
        .field(Field::keyword("shelf-mark"))
        .build()?;
    let authors = [
        "", "a\"b", "a\\", "\\\"", "x OR y", "*", "Ann ", "ann", "ü:(]", "it's",
    ];
    let mut documents = Documents::new();
    for (seed, author) in (0..).zip(authors) {
        let mut document = schema.document();
        document.add("author", author)?;
        document.add("shelf-mark", author)?;
        document.add("notes", "open sea")?;
        document.add("year", -i64::try_from(seed)?)?;
        document.add("day", "2024-03-01T12:00:00Z")?;
        documents.insert(DocumentId::from_seed(seed), document);
    }
    let mut colony = TextColony::of(&schema, 2);
    for (id, document) in &documents {
        colony.upsert(*id, document.clone());
    }
    let publication = colony.tick();
    let parser = QueryParser::new(&schema);
    for (seed, author) in (0..).zip(authors) {
        for field in ["author", "shelf-mark"] {
            let query = parser.value(field, author)?;
            assert_eq!(found(&publication, &query), [seed], "{query}");
        }
        let year = -i64::try_from(seed)?;
        assert_eq!(found(&publication, &parser.value("year", year)?), [seed]);
        let (day, filter) = (
            parser.value("notes", "sea")?,
            parser.value("author", author)?,
        );
        let options = SearchOptions::new().filter(&filter);
        assert_eq!(search_with(&publication, &day, &options)?.hits.len(), 1);
    }
    assert!(matches!(
        parser.value("year", "x"),
        Err(QueryError::WrongType { .. })
    ));
    assert!(matches!(
        parser.value("yea:r", 1),
        Err(QueryError::UnknownField { .. })
    ));
    Ok(())
}

#[test]
fn a_day_a_month_and_a_year_are_meant_as_a_whole() -> Result<(), ShardFailure> {
    let schema = Schema::builder()
        .field(Field::text("notes"))
        .field(Field::date("day"))
        .build()?;
    let times = [
        "2023-12-31T23:59:59.999999999Z",
        "2024-01-01T00:00:00Z",
        "2024-02-29T23:59:59Z",
        "2024-03-01T00:00:00Z",
        "2024-03-01T12:00:00Z",
        "2024-03-02T00:00:00Z",
        "2025-01-01T00:00:00Z",
    ];
    let mut colony = TextColony::of(&schema, 2);
    for (seed, time) in (0..).zip(times) {
        let mut document = schema.document();
        document.add("day", time)?;
        colony.upsert(DocumentId::from_seed(seed), document);
    }
    let publication = colony.tick();
    for (query, expected) in [
        ("day:2024-03-01", &[3, 4][..]),
        ("day:2024-02", &[2]),
        ("day:2024", &[1, 2, 3, 4, 5]),
        ("day:2024-03-01T12:00:00Z", &[4]),
        ("day:<=2024-03-01", &[0, 1, 2, 3, 4]),
        ("day:<2024-03-01", &[0, 1, 2]),
        ("day:>2024-03-01", &[5, 6]),
        ("day:>=2024-03-01", &[3, 4, 5, 6]),
        ("day:>2024", &[6]),
        ("day:[2024-02 TO 2024-03-01]", &[2, 3, 4]),
        ("day:{2024-02 TO 2024-03-01]", &[3, 4]),
        ("day:[2024-02 TO 2024-03-01}", &[2]),
        (
            "day: IN [2023 2024-03-01 \"2024-03\" 2025-01-01]",
            &[0, 3, 4, 5, 6],
        ),
        (
            "day: IN [2024-03-01T12:00:00Z 2024-02-29T23:59:59Z]",
            &[2, 4],
        ),
        ("-day:2024", &[0, 6]),
    ] {
        let mut found = found(&publication, &QueryParser::new(&schema).parse(query)?);
        found.sort_unstable();
        assert_eq!(found, expected, "{query}");
    }
    Ok(())
}
