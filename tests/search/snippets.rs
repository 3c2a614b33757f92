//! Snippets: which part of a text they show, and what they mark in it.

use tickring::search::{Query, SearchError, Snippets};

use super::publication_of;

fn snippet(query: &str, text: &str, max_bytes: usize) -> String {
    let documents = [(text, ""), ("sea sea wind", "sea"), ("sea", "")];
    let publication = publication_of(&documents, 2);
    let query = Query::parse(query).unwrap();
    let snippets = Snippets::new(&query, publication.statistics(), "title").unwrap();
    let snippet = snippets.max_bytes(max_bytes).of(text);
    for range in snippet.highlights() {
        assert!(snippet.text().get(range.clone()).is_some());
    }
    snippet.marked("[", "]")
}

#[test]
fn the_words_of_the_query_are_marked_however_they_are_written() {
    for (query, marked) in [
        ("sea tide", "the [Sea], the [TIDE] and the wind"),
        ("+sea -tide wind", "the [Sea], the TIDE and the [wind]"),
        ("\"the tide\"^0", "[the] Sea, [the] [TIDE] and [the] wind"),
        ("body:sea", "the Sea, the TIDE and the wind"),
        ("title:sea", "the [Sea], the TIDE and the wind"),
        ("kraken", "the Sea, the TIDE and the wind"),
        ("ti* -sea", "the Sea, the [TIDE] and the wind"),
        ("wi?d tids~1", "the Sea, the [TIDE] and the [wind]"),
        (
            "\"sea tide\"~3 body:the*",
            "the [Sea], the [TIDE] and the wind",
        ),
        ("\"the ti\"*", "[the] Sea, [the] [TIDE] and [the] wind"),
    ] {
        let text = "the Sea, the TIDE and the wind";
        assert_eq!(snippet(query, text, 150), marked, "{query}");
    }
}

#[test]
fn a_long_text_shows_where_its_rarest_word_stands() {
    let filler = "the sea and the sea again ".repeat(40);
    let text = format!("{filler} a kraken rises {filler}");
    let shown = snippet("sea kraken", &text, 60);
    assert!(shown.contains("[kraken]") && shown.len() < 100, "{shown}");
    assert_eq!(snippet("tide", &text, 20), "the sea and the sea");
    assert_eq!(snippet("tide", "ééééé", 5), "éé");
    assert_eq!(snippet("tide", "", 5), "");
}

#[test]
fn html_is_escaped() {
    let publication = publication_of(&[("sea", "")], 1);
    let query = Query::parse("sea b").unwrap();
    let snippets = Snippets::new(&query, publication.statistics(), "body").unwrap();
    let html = snippets.of("<b>\"sea\" & tide</b>").to_html();
    assert_eq!(
        html,
        "&lt;<b>b</b>&gt;&quot;<b>sea</b>&quot; &amp; tide&lt;/<b>b</b>"
    );
    let unknown = Snippets::new(&query, publication.statistics(), "abstract");
    assert!(matches!(unknown, Err(SearchError::NoTextField { .. })));
}
