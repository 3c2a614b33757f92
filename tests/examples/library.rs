//! A library: records with fields of several kinds, searched with filters, pages, totals and snippets.
//!
//! `cargo run --features search --example library`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use tickring::search::{
    Field, QueryParser, Schema, SearchOptions, Snippets, TextShard, TextShardConfig, search_with,
    stored,
};
use tickring::{Colony, ColonyConfig, DocumentId};

const BOOKS: &str = r#"
{"title": "Moby-Dick", "author": "Herman Melville", "year": 1851, "summary": "A whale is hunted over every sea."}
{"title": "Typee", "author": "Herman Melville", "year": 1846, "summary": "Two sailors live in the South Sea."}
{"title": "The Sea-Wolf", "author": "Jack London", "year": 1904, "summary": "A castaway is taken aboard."}
{"title": "Walden", "author": "Henry David Thoreau", "year": 1854, "summary": "Two years by a pond."}
"#;

pub(crate) fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let schema = Schema::builder()
        .field(Field::text("title").boost(2.0).stored())
        .field(Field::text("summary").stored())
        .field(Field::keyword("author").stored())
        .field(Field::integer("year").stored())
        .build()?;
    let config = TextShardConfig {
        schema: schema.clone(),
        ..TextShardConfig::default()
    };
    let mut colony = Colony::new(ColonyConfig::default(), 3, TextShard::factory(config))?;
    for (number, record) in (0..).zip(BOOKS.trim().lines()) {
        let document = schema.document_from_json(record)?;
        let id = DocumentId::from_seed(number);
        colony.intake().try_upsert(id, document)?;
    }
    colony.tick()?;

    let publication = colony.publication();
    let parser = QueryParser::new(&schema);
    let (query, since_1850) = (parser.parse("sea")?, parser.parse("year:>=1850")?);
    let options = SearchOptions::new().filter(&since_1850).limit(10).total();
    let found = search_with(&publication, &query, &options)?;
    println!("{} books", found.total.unwrap_or_default());

    let snippets = Snippets::new(&query, publication.statistics(), "summary")?;
    for hit in &found.hits {
        let book = stored(&publication, hit)?.ok_or("another publication's hit")?;
        let text = |field| book.text(field).unwrap_or_default();
        println!("{:.3}  {}, {}", hit.score, text("author"), text("title"));
        println!("       {}", snippets.of(text("summary")).marked("*", "*"));
    }
    Ok(())
}
