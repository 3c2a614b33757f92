//! Analysis through whole searches: every script, form and language.

use std::collections::BTreeSet;

use tickring::DocumentId;
use tickring::search::{
    Analyzer, Field, Query, QueryParser, Schema, TextDocument, TextShard, TextShardConfig,
    TextView, search,
};
use tickring::testing::search::{
    Documents, FORMS, LANGUAGES, NaiveAnalyzer, SCRIPTS, TextColony, bits, words,
};
use tickring::{Colony, ColonyConfig, Publication};

fn found(publication: &Publication<TextView>, query: &Query) -> BTreeSet<DocumentId> {
    let hits = search(publication, query, 10_000, None).unwrap();
    hits.iter().map(|hit| hit.document).collect()
}

fn colony(texts: &[&str]) -> TextColony {
    let documents = (1..).map(DocumentId::from_seed).zip(texts);
    let documents = documents.map(|(id, text)| (id, TextDocument::new("", *text)));
    TextColony::with(2, &documents.collect())
}

#[test]
fn s3_s6_documents_in_all_scripts_are_found_by_their_words_in_all_forms() {
    let texts: Vec<_> = SCRIPTS.iter().chain(&LANGUAGES).collect();
    let mut documents = Documents::new();
    for (number, (_, text)) in texts.iter().enumerate() {
        for (at, (_, form)) in FORMS.iter().enumerate() {
            let id = DocumentId::from_seed((number * FORMS.len() + at) as u64);
            documents.insert(id, TextDocument::new("", form(text)));
        }
    }
    let [one, three] = [1, 3].map(|shards| TextColony::with(shards, &documents));
    let [one, three] = [one, three].map(|colony| colony.colony.publication());
    let model = NaiveAnalyzer::new("text-1");
    let mut asked = 0;
    for (number, (script, text)) in texts.iter().enumerate() {
        let ids = (0..FORMS.len()).map(|at| (number * FORMS.len() + at) as u64);
        let ids: Vec<_> = ids.map(DocumentId::from_seed).collect();
        for word in words(text) {
            // What is never shown is no word. In capitals ı is another letter.
            if model.fold(&word).is_empty() || word.contains('ı') {
                continue;
            }
            for (name, form) in FORMS {
                let query = Query::literal(&form(&word)).unwrap();
                let found = found(&three, &query);
                for id in &ids {
                    assert!(found.contains(id), "{script}: {word}, {name}: {found:?}");
                }
                asked += 1;
            }
            let query = Query::literal(&word).unwrap();
            let [a, b] = [&one, &three].map(|all| bits(&search(all, &query, 10, None).unwrap()));
            assert_eq!(a, b, "{word}");
        }
    }
    assert!(asked > 2_000);
}

#[test]
fn s3_text_without_spaces_is_found_by_its_parts() {
    let fixture = colony(&[
        "«使用Rust编写的搜索引擎»",
        "海洋是蓝色的",
        "ทะเลเป็นสีฟ้าและลมแรง",
        "commit 0123456789abcdef0123456789abcdef01234567",
        "нормированнаядлинная",
    ]);
    let publication = fixture.colony.publication();
    for (query, expected) in [
        ("Rust", vec![1]),
        ("索引", vec![1]),
        ("搜索引擎", vec![1]),
        ("\"使用rust\"", vec![1]),
        ("引索", vec![]),
        // A single character is found wherever it stands.
        ("用", vec![1]),
        ("擎", vec![1]),
        ("的", vec![1, 2]),
        ("\"rust 编\"", vec![1]),
        ("\"rust 写\"", vec![]),
        ("สีฟ้า", vec![3]),
        ("0123456789ABCDEF0123456789abcdef01234567", vec![4]),
        ("нормированнаядлинная", vec![5]),
    ] {
        let expected: BTreeSet<_> = expected.into_iter().map(DocumentId::from_seed).collect();
        let query = Query::parse(query).unwrap();
        assert_eq!(found(&publication, &query), expected, "{query}");
    }
}

#[test]
fn s6_a_word_is_found_in_any_form_and_no_other() {
    let fixture = colony(&[
        "cafe\u{301}",
        "ΟΔΥΣΣΕΥΣ",
        "İstanbul",
        "ﬁne",
        "Ｒｕｓｔ",
        "3½ cups",
        "cafe",
    ]);
    let publication = fixture.colony.publication();
    for (query, expected) in [
        ("café", vec![1]),
        ("CAFE\u{301}", vec![1]),
        ("cafe", vec![7]),
        ("οδυσσευς", vec![2]),
        ("İstanbul", vec![3]),
        ("i\u{307}stanbul", vec![3]),
        ("istanbul", vec![]),
        ("fine", vec![4]),
        ("rust", vec![5]),
        ("½", vec![]),
        ("3½", vec![6]),
    ] {
        let expected: BTreeSet<_> = expected.into_iter().map(DocumentId::from_seed).collect();
        let query = Query::parse(query).unwrap();
        assert_eq!(found(&publication, &query), expected, "{query}");
    }
}

#[test]
fn each_field_has_its_own_analyzer() {
    let analyzer = |name| Analyzer::by_name(name).unwrap();
    let schema = Schema::builder()
        .field(Field::text("plain"))
        .field(Field::text("folded").analyzer(analyzer("text-1-folded")))
        .field(Field::text("english").analyzer(analyzer("text-1-english")))
        .build()
        .unwrap();
    let config = TextShardConfig {
        schema: schema.clone(),
        ..TextShardConfig::default()
    };
    let mut colony = Colony::new(ColonyConfig::default(), 2, TextShard::factory(config)).unwrap();
    for (seed, field) in (1..).zip(["plain", "folded", "english"]) {
        let mut document = schema.document();
        document.add(field, "Sailing to Łódź").unwrap();
        let id = DocumentId::from_seed(seed);
        colony.intake().try_add(id, document).unwrap();
    }
    colony.tick().unwrap();
    let publication = colony.publication();
    for (query, expected) in [
        ("sailing", vec![1, 2, 3]),
        ("sails", vec![3]),
        ("łódź", vec![1, 2, 3]),
        ("lodz", vec![2]),
        ("plain:lodz", vec![]),
        ("english:sailed", vec![3]),
        ("english:\"SAILS to\"", vec![3]),
    ] {
        let query = QueryParser::new(&schema).parse(query).unwrap();
        let expected: BTreeSet<_> = expected.into_iter().map(DocumentId::from_seed).collect();
        assert_eq!(found(&publication, &query), expected, "{query}");
    }
    assert_eq!(
        publication
            .statistics()
            .document_frequency("english", "sail")
            .unwrap(),
        1
    );
}

#[test]
fn a_schema_names_its_analyzers() {
    let english = Analyzer::by_name("text-1-english").unwrap();
    let build = |field: Field| Schema::builder().field(field).build();
    let plain = build(Field::text("body")).unwrap();
    let stemmed = build(Field::text("body").analyzer(english)).unwrap();
    assert_ne!(plain, stemmed);
    assert_ne!(plain.fingerprint(), stemmed.fingerprint());
    // An analyzer that isn't named is text-1, also where it is.
    let named = build(Field::text("body").analyzer(Analyzer::default())).unwrap();
    assert_eq!(named, plain);
    assert_eq!(named.fingerprint(), plain.fingerprint());
    let json = r#"{"fields": [{"name": "body", "kind": "text", "analyzer": "text-1"}]}"#;
    assert_eq!(Schema::from_json(json).unwrap(), plain);
    let english = json.replace("text-1", "text-1-english");
    assert_eq!(Schema::from_json(&english).unwrap(), stemmed);
    assert_eq!(Schema::from_json(&stemmed.to_json()).unwrap(), stemmed);
    let error = Schema::from_json(&json.replace("text-1", "text-9")).unwrap_err();
    assert!(
        error.to_string().contains("text-1-folded-turkish"),
        "{error}"
    );
    let error = Schema::from_json(&english.replace("\"text\"", "\"keyword\"")).unwrap_err();
    assert!(error.to_string().contains("an analyzer"), "{error}");
}
