//! The options of the query parser, and what is read in another way than it looks.

use tickring::DocumentId;
use tickring::search::{
    Field, Query, QueryError, QueryParser, Schema, SearchOptions, TextView, search, search_with,
};
use tickring::testing::search::{
    Documents, FORMS, LANGUAGES, NaiveAnalyzer, SCRIPTS, TextColony, is_in_run,
};
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
    let again = titles.fields([]).unwrap().literal("sea tide").unwrap();
    assert_eq!(found(&publication, &again).len(), 2);
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

/// A part of a document's word finds it as a prefix, wherever the word is split and whatever it folds to, or it is refused.
#[test]
fn s3_s6_prefixes_of_words_in_all_scripts_find_them() {
    let odd = "می‌خواهم بروم co\u{ad}operate Rust™ compiler seaⒶtide क्‍षमा ﬁnance ½ x²y ﷺ 1⁄2 Ⅷth";
    let texts = SCRIPTS.iter().chain(&LANGUAGES).map(|(_, text)| *text);
    let model = NaiveAnalyzer::new("text-1");
    let (mut asked, mut refused) = (0, 0);
    for text in texts.chain([odd]) {
        for (name, form) in FORMS {
            let text = form(text);
            let publication = publication_of(&[("", &text)], 1);
            for word in text.split_whitespace() {
                for (end, next) in word.char_indices().skip(2).chain([(word.len(), ' ')]) {
                    let start = &word[..end];
                    // Where a character is cut in two, its first part is another one.
                    if !model.fold(word).starts_with(&model.fold(start)) || !is_whole(next) {
                        continue;
                    }
                    let escape = |letter: char| match letter.is_alphanumeric() {
                        true => letter.to_string(),
                        false => format!("\\{letter}"),
                    };
                    let query: String = start.chars().map(escape).collect();
                    asked += 1;
                    match Query::parse(&format!("{query}*")) {
                        Ok(query) => {
                            let found = found(&publication, &query);
                            assert_eq!(found, [0], "{query} in {word}, {name}");
                        }
                        Err(_) => refused += 1,
                    }
                }
            }
        }
    }
    assert!(asked > 5_000 && refused < asked / 8, "{refused} of {asked}");
}

/// Whether nothing of the character before belongs to this one.
fn is_whole(letter: char) -> bool {
    is_in_run(letter)
        && NaiveAnalyzer::new("text-1")
            .tokens(&letter.to_string())
            .len()
            == 1
        || letter == ' '
}

#[test]
fn what_a_pattern_would_be_split_at_is_refused() {
    for query in [
        "می‌خ?اهم",
        "می‌خواهم~1",
        "co\u{ad}op?rate",
        "seaⒶt?de",
        "sea-*",
        "Rust™*",
    ] {
        let error = Query::parse(query).unwrap_err().to_string();
        assert!(
            error.contains("a character that no word has"),
            "{query}: {error}"
        );
    }
}

#[test]
fn a_field_that_is_not_there_leaves_its_words() {
    let publication = publication_of(&[("sea", ""), ("tide", "2020")], 2);
    for (query, expected) in [
        ("author:*", &[][..]),
        ("sea -author:*", &[0]),
        ("author:sea", &[0]),
        ("author:[a TO b]", &[]),
        ("author:(sea tide)", &[0, 1]),
    ] {
        let (parsed, left_out) = Query::lenient(query);
        let mut found = found(&publication, &parsed);
        found.sort_unstable();
        assert_eq!(found, expected, "{query}");
        assert!(!left_out.is_empty(), "{query}");
        assert!(Query::parse(query).is_err(), "{query}");
    }
    let error = Query::parse("body:-2020").unwrap_err().to_string();
    assert!(error.contains("a sign stands between a field"), "{error}");
}
