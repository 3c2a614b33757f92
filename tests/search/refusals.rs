//! What is no query is refused, with the place and a way out.

use proptest::prelude::*;
use tickring::search::{Query, QueryError, QueryPlace, search};
use tickring::testing::search::bits;

use super::{find, publication_of};

fn message(query: &str) -> String {
    let parsed = Query::parse(query).map(|query| query.to_string());
    parsed.unwrap_err().to_string()
}

#[test]
fn what_is_no_query_is_refused_with_the_place() {
    let long = format!("sea {}", "a".repeat(Query::MAX_BYTES));
    let many = (0..=Query::MAX_LEAVES / 2).map(|n| format!("w{n} "));
    let many: String = many.collect();
    let cases = [
        (
            "sea title:/s.a/",
            "a regular expression can't be searched for at byte 10, near \"/s.a/\": to mean the characters, quote them",
        ),
        ("/s.a/", "a regular expression "),
        (
            "sea id:AAAA",
            "there is no field \"id\" at byte 4, near \"id:AAAA\": the fields are title, body; to mean a colon, quote the word or put a \
             backslash before the colon",
        ),
        ("_tokens_0:3", "there is no field \"_tokens_0\" "),
        ("Title:sea", "there is no field \"Title\" "),
        (
            "wind sea^-1",
            "a boost can't be read at byte 8, near \"^-1\": write a number that isn't negative directly after ^, as in sea^2.5, or put a \
             backslash before ^ to mean the character",
        ),
        ("sea^NaN", "a boost can't be read at byte 3"),
        ("sea^inf", "a boost can't be read at byte 3"),
        ("sea^", "a boost can't be read at byte 3"),
        ("sea^1e3", "a boost can't be read at byte 3"),
        ("sea^2^3", "a boost can't be read at byte 5"),
        ("sea ^2", "a boost has nothing directly before it at byte 4"),
        (
            "wind sea^2000000000",
            "a boost is above 1e9 at byte 5, near \"sea^2000000000\": write a smaller one",
        ),
        ("(sea^100000 tide)^100000", "a boost is above 1e9 at byte 1"),
        ("", "the query has no word to search for: \"\""),
        (" \t", "the query has no word to search for: \" \\t\""),
        (
            "sea & tide",
            "\"&\" has no letter or digit to search for at byte 4, near \"& tide\": leave it out, or quote it with its neighbours",
        ),
        ("sea +...", "\"...\" has no letter or digit "),
        ("sea -...", "\"...\" has no letter or digit "),
        ("+(title:'—' sea)^2", "\"—\" has no letter or digit "),
        ("sea \"\"", "\"\" has no letter or digit "),
        ("sea ()", "a group is empty at byte 4"),
        ("wrong:&", "there is no field \"wrong\" "),
        (
            "tide (sea",
            "a parenthesis isn't closed at byte 5, near \"(sea\": close it, or put a backslash before it to mean the character",
        ),
        ("tide (sea (fog)", "a parenthesis isn't closed at byte 5"),
        ("sea) tide", "a parenthesis closes nothing at byte 3"),
        ("tide \"sea", "a quote isn't closed at byte 5"),
        ("'sea", "a quote isn't closed at byte 0"),
        ("sea AND", "an operator has nothing after it at byte 4"),
        (
            "sea AND OR tide",
            "an operator has nothing after it at byte 4",
        ),
        (
            "(sea OR) tide",
            "an operator has nothing after it at byte 5",
        ),
        ("AND sea", "an operator has nothing before it at byte 0"),
        ("(OR sea)", "an operator has nothing before it at byte 1"),
        ("title:", "a field has nothing after its colon at byte 0"),
        (
            "(title:) sea",
            "a field has nothing after its colon at byte 7",
        ),
        (
            "title:-sea",
            "a sign stands between a field and what it should contain at byte 6",
        ),
        (
            "title:NOT sea",
            "a sign stands between a field and what it should contain at byte 6",
        ),
        ("title:body:sea", "a field stands within a field at byte 6"),
        (":sea", "a colon has no field before it at byte 0"),
        (
            "[a TO c]",
            "a range or comparison has no field before it at byte 0",
        ),
        (
            "sea > 5",
            "a range or comparison has no field before it at byte 4",
        ),
        ("title:[a c]", "a range can't be read at byte 6"),
        ("title: IN [a, b]", "a set can't be read at byte 7"),
        (
            "\"open sea\"~x",
            "the slop of a phrase can't be read at byte 10",
        ),
        (
            "(sea)tide",
            "something stands directly after a phrase, group, set or range at byte 5",
        ),
        ("sea NOT", "a sign has no word directly after it at byte 4"),
        ("-(+ sea)", "a sign has no word directly after it at byte 2"),
        (
            "- AND sea",
            "a sign has no word directly after it at byte 0",
        ),
        (
            &long,
            "the query has 8196 bytes, but may have at most 8192: shorten it at byte 8192, near \"aaaa\"",
        ),
        (
            &many,
            "the query has more than 512 words and phrases, counted for each field, at byte 1170, near \"w256 \": leave some out",
        ),
    ];
    for (query, start) in cases {
        let message = message(query);
        assert!(message.starts_with(start), "{query}: {message}");
    }
    let huge = format!("sea^{}", "9".repeat(400));
    assert!(matches!(Query::parse(&huge), Err(QueryError::Boost { .. })));
    assert!(Query::parse(r#""sea*" "sea~1" "spi:mode" /usr/bin"#).is_ok());
}

/// Returns whether two queries have the same answers in documents of all kinds.
fn mean_the_same(one: &str, other: &str) -> bool {
    let texts = [
        "sea",
        "tide",
        "sea tide",
        "tide sea",
        "don t panic",
        "don",
        "t",
        "o brien",
        "brien",
        "24 inches",
        "std sync",
        "sync std",
        "made in china",
        "in",
        "http example org",
        "c",
        "fn x",
        "x fn",
        "path to file",
        "sea wind tide",
    ];
    let documents: Vec<_> = texts.iter().map(|text| (*text, "")).collect();
    let publication = publication_of(&documents, 2);
    find(&publication, one, 100) == find(&publication, other, 100)
}

#[test]
fn s10_what_people_type_is_as_meant() {
    for (query, same) in [
        ("don't panic", "\"don t\" panic"),
        ("don\u{2019}t", "\"don t\""),
        ("O'Brien", "\"o brien\""),
        ("'don't panic'", "\"don t panic\""),
        ("24\"", "24"),
        ("24\" inches", "24 inches"),
        ("5'24\" sea", "\"5 24\" sea"),
        ("std::sync", "\"std sync\""),
        ("title:std::sync", "title:\"std sync\""),
        ("MADE IN CHINA", "made in china"),
        ("http://example.org", "\"http example org\""),
        ("title:http://example.org", "title:\"http example org\""),
        ("C++", "c"),
        (r"path\to\file", "\"path to file\""),
        (r"fn\(x\)", "\"fn x\""),
        (r"\-sea \!tide", "sea tide"),
        (r"sea\ tide", "\"sea tide\""),
        ("title : sea", "title:sea"),
        ("wind\ttitle:sea", "wind title:sea"),
        ("a[24] sea", "\"a 24\" sea"),
    ] {
        assert!(mean_the_same(query, same), "{query}");
    }
    assert!(!mean_the_same("sea tide", "\"sea tide\""));
}

#[test]
fn s10_what_can_t_be_meant_shows_the_place_and_a_way_out() {
    for (query, refusal) in [
        (
            "sea - tide",
            "a sign has no word directly after it at byte 4, near \"- tide\": write it directly before a word, or leave it out",
        ),
        (
            "fn(x)",
            "a group begins directly after a word at byte 2, near \"(x)\": put a space before it, or quote the word with its parentheses",
        ),
        (
            "open sea\"",
            "a quote begins directly after a word at byte 8, near \"\\\"\": put a space before it, or a backslash to mean the character",
        ),
        (
            "sea \u{2014}tide",
            "a dash stands before a word at byte 4, near \"—tide\": write - to exclude the word, or leave the dash out",
        ),
        (
            "spi:mode",
            "there is no field \"spi\" at byte 0, near \"spi:mode\": the fields are title, body; to mean a colon, quote the word or put a \
             backslash before the colon",
        ),
    ] {
        assert_eq!(message(query), refusal, "{query}");
    }
}

#[test]
fn s10_any_text_is_literal() {
    for (text, same) in [
        ("sea - tide", "sea tide"),
        ("fn(x)", "\"fn x\""),
        ("-sea AND (tide", "sea and tide"),
        ("title:sea*^2 \"", "\"title sea 2\""),
    ] {
        let publication =
            publication_of(&[("sea", "fn x"), ("tide", "title sea 2"), ("and", "")], 1);
        let query = Query::literal(text).unwrap();
        assert_eq!(query.as_str(), text);
        let hits = search(&publication, &query, 10, None).unwrap();
        assert_eq!(bits(&hits), find(&publication, same, 10), "{text}");
    }
    let none = Query::literal("( - )").unwrap_err();
    assert_eq!(
        none.to_string(),
        "the query has no word to search for: \"( - )\""
    );
    let long = Query::literal(&"a ".repeat(5_000)).unwrap_err();
    assert!(matches!(long, QueryError::TooLong { .. }));
}

#[test]
fn s10_a_lenient_reading_says_what_it_left_out() {
    let publication = publication_of(
        &[
            ("sea", ""),
            ("tide", ""),
            ("sea tide", ""),
            ("", "sea tide wind"),
        ],
        2,
    );
    for (text, same, places) in [
        ("sea tide", "sea tide", vec![]),
        ("sea - tide", "sea tide", vec![4]),
        ("(sea AND tide", "sea AND tide", vec![0]),
        ("sea) AND tide", "sea AND tide", vec![3]),
        ("sea AND", "sea", vec![4]),
        ("sea AND OR tide", "sea OR tide", vec![4]),
        ("AND sea", "sea", vec![0]),
        ("\"sea tide", "sea tide", vec![0]),
        ("sea^x tide", "sea tide", vec![3]),
        ("& sea", "sea", vec![0]),
        ("sea AND &", "sea", vec![8]),
        ("author:sea -tide", "sea -tide", vec![0]),
        ("title:-tide sea", "-tide sea", vec![6]),
        ("sea()tide", "sea tide", vec![3, 3]),
        ("fn(sea)", "fn sea", vec![2]),
        ("sea^9999999999", "sea^1000000000", vec![0]),
    ] {
        let (query, left_out) = Query::lenient(text);
        let hits = search(&publication, &query, 10, None).unwrap();
        assert_eq!(
            bits(&hits),
            find(&publication, same, 10),
            "{text}: {left_out:?}"
        );
        let found: Vec<_> = left_out
            .iter()
            .filter_map(QueryError::place)
            .map(QueryPlace::byte)
            .collect();
        assert_eq!(found, places, "{text}: {left_out:?}");
        assert_eq!(
            Query::parse(text).err().as_ref(),
            left_out.first(),
            "{text}"
        );
    }
    for text in ["", "&", "((", "- -", "title:"] {
        let (query, left_out) = Query::lenient(text);
        assert!(!left_out.is_empty(), "{text}");
        assert!(
            search(&publication, &query, 10, None).unwrap().is_empty(),
            "{text}"
        );
    }
    let long = format!("sea {}", "tide ".repeat(2_000));
    let (query, left_out) = Query::lenient(&long);
    assert!(matches!(left_out[..], [QueryError::TooLong { .. }]));
    let hits = search(&publication, &query, 10, None).unwrap();
    assert_eq!(bits(&hits), find(&publication, "sea tide", 10));
    let (_, left_out) = Query::lenient(&format!("{}sea{}", "(".repeat(103), ")".repeat(103)));
    assert_eq!(left_out.len(), 3);
}

#[test]
fn no_query_panics_or_overflows_the_stack() {
    let hostile = [
        "(".repeat(8_192),
        "title:(".repeat(1_000),
        "(+(-(".repeat(1_600),
        "\0".to_owned(),
        "sea\0tide".to_owned(),
        "+ - AND OR NOT ^ ~ * ( )".to_owned(),
        "\"".to_owned(),
        "'".to_owned(),
        "\\".to_owned(),
        "AND OR NOT".to_owned(),
    ];
    for query in hostile {
        let (_, left_out) = Query::lenient(&query);
        match Query::parse(&query) {
            Ok(_) => assert!(left_out.is_empty()),
            Err(error) => assert!(error.to_string().len() < 1_000 && !left_out.is_empty()),
        }
    }
    let groups = Query::MAX_GROUPS;
    for query in ["(", "title:(", "NOT (", "sea AND ("] {
        let nested = |times: usize| format!("{}sea{}", query.repeat(times), ")".repeat(times));
        let error = Query::parse(&nested(groups + 1)).unwrap_err();
        assert!(matches!(error, QueryError::TooNested { .. }), "{error}");
        assert_eq!(
            error.place().unwrap().byte(),
            query.len() * (groups + 1) - 1
        );
        assert!(Query::parse(&nested(groups)).is_ok());
    }
}

#[test]
fn s14_a_hundred_nested_groups_need_little_stack() {
    let groups = Query::MAX_GROUPS;
    let nested = move |open: &str, close: &str| {
        let text = format!("{}sea{}", open.repeat(groups), close.repeat(groups));
        Query::parse(&text).unwrap()
    };
    let publication = publication_of(&[("sea", "sea tide")], 1);
    // A thread has 2 MiB by default. Without optimisations the functions need several times their room.
    let stack = if cfg!(debug_assertions) { 256 } else { 64 } << 10;
    let thread = std::thread::Builder::new().stack_size(stack);
    let run = move || {
        for query in [
            nested("(", ")"),
            nested("(+", ")"),
            nested("(tide +", ")^1.1"),
            nested("title:(wind -", ")"),
            nested("(wind OR tide AND -", ")"),
            nested("-(title:tide NOT ", " title:wind OR title:sea)"),
        ] {
            let again = Query::parse(query.as_str()).unwrap();
            let (lenient, left_out) = Query::lenient(query.as_str());
            assert_eq!(left_out, []);
            for query in [query, again, lenient] {
                search(&publication, &query, 10, None).unwrap();
            }
        }
    };
    thread.spawn(run).unwrap().join().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn any_characters_parse_or_are_refused(query in r#"([a-c +\-^~*:()\[\]{}"'\\/<>!.\t\u{b}\u{85}é]|AND|OR|NOT|IN|TO|title:|\^2|~1){0,24}"#) {
        if let Err(error) = Query::parse(&query) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
