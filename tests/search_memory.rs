//! A test of the memory that queries leave behind. It is a target of its own, since resident memory belongs to the whole process.
#![cfg(all(feature = "search", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use tickring::search::{Query, TextDocument, TextShard, TextShardConfig, search};
use tickring::{Colony, ColonyConfig, DocumentId};

/// Returns the resident memory of the process in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kilobytes.parse::<u64>().unwrap() << 10
}

#[test]
fn c7_words_that_no_index_has_cost_no_memory() {
    let make = TextShard::factory(TextShardConfig::default());
    let mut colony = Colony::new(ColonyConfig::default(), 1, make).unwrap();
    let document = TextDocument::new("tide", "the sea");
    let id = DocumentId::from_seed(1);
    colony.intake().try_upsert(id, document).unwrap();
    colony.tick().unwrap();
    let publication = colony.publication();
    // The parts of a search, and whole searches, each of which has to be parsed.
    let ask = |words: u32, searches: u32, length: usize| {
        let before = resident();
        for number in 0..words {
            let word = format!("{number:a>length$}");
            let statistics = publication.statistics();
            let frequency = statistics.document_frequency("body", &word);
            assert_eq!(frequency.unwrap(), 0);
            if number < searches {
                let query = Query::parse(&word).unwrap();
                assert!(search(&publication, &query, 10, None).unwrap().is_empty());
            }
        }
        resident().saturating_sub(before) >> 20
    };
    ask(100, 100, 8_000);
    let long = ask(32_000, 200, 8_000);
    assert!(long < 10, "32,000 words of 8,000 bytes left {long} MiB");
    // Short enough to be indexed.
    let short = ask(200_000, 200, 30);
    assert!(short < 10, "200,000 words of 30 bytes left {short} MiB");
    let tide = Query::parse("tide").unwrap();
    assert_eq!(search(&publication, &tide, 10, None).unwrap().len(), 1);
}
