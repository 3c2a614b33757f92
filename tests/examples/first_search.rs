//! A first search: four documents in three shards, which answer like a single index.
//!
//! `cargo run --features search --example first_search`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use tickring::search::{Query, TextDocument, TextShard, TextShardConfig, search};
use tickring::{Colony, ColonyConfig, DocumentId};

pub(crate) fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let factory = TextShard::factory(TextShardConfig::default());
    let mut colony = Colony::new(ColonyConfig::default(), 3, factory)?;

    let titles = [
        "The open sea",
        "Tide and time",
        "A boat at sea",
        "Sea, tide, sea",
    ];
    let intake = colony.intake();
    for (number, title) in (0..).zip(titles) {
        let document = TextDocument::new(title, "");
        intake.try_upsert(DocumentId::from_seed(number), document)?;
    }
    colony.tick()?;

    let query = Query::parse("sea tide")?;
    for hit in search(&colony.publication(), &query, 10, None)? {
        let number = (0..titles.len()).find(|&n| DocumentId::from_seed(n as u64) == hit.document);
        let title = number.map_or("?", |number| titles[number]);
        println!("{:.3}  {title}  ({})", hit.score, hit.shard);
    }
    Ok(())
}
