//! A test of the memory that a search takes while it runs. It is a target of its own, since it counts what the whole process allocates.
#![cfg(feature = "search")]

use peak_alloc::PeakAlloc;
use tickring::search::{Query, TextDocument, TextShard, TextShardConfig, search};
use tickring::{Colony, ColonyConfig, DocumentId};

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

const DOCUMENTS: u64 = 6_000;

/// Every word occurs in a sixth of all documents or more, so that it fills blocks of postings in each segment.
fn words(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("word{number}")).collect()
}

#[test]
fn a_search_takes_64_kilobytes_and_8_for_each_word() {
    let make = TextShard::factory(TextShardConfig::default());
    let mut colony = Colony::new(ColonyConfig::default(), 4, make).unwrap();
    let all = words(120);
    for (seed, first) in (0..DOCUMENTS).zip((0..120).cycle()) {
        let some = all.iter().cycle().skip(first).take(20);
        let text: Vec<_> = some.map(String::as_str).collect();
        let document = TextDocument::new("", text.join(" "));
        let id = DocumentId::from_seed(seed);
        colony.intake().try_upsert(id, document).unwrap();
        if seed % 1_000 == 999 {
            colony.tick().unwrap();
        }
    }
    let publication = colony.publication();
    let quoted = |words: &[String]| format!("body:\"{} {}\"", words[0], words[1]);
    let terms = |count| {
        all[..count]
            .iter()
            .map(|word| format!("body:{word}"))
            .collect::<Vec<_>>()
    };
    let phrases = |count: usize| all[..2 * count].chunks(2).map(quoted).collect::<Vec<_>>();
    let queries = [
        (1, terms(1)),
        (2, terms(2)),
        (120, terms(120)),
        (2, phrases(1)),
        (120, phrases(60)),
    ];
    for (words, leaves) in queries {
        let query = Query::parse(&leaves.join(" ")).unwrap();
        // The first search fills the publication's cache of terms.
        let hits = search(&publication, &query, 10, None).unwrap();
        assert_eq!(hits.len(), 10);
        let before = ALLOCATED.current_usage();
        ALLOCATED.reset_peak_usage();
        let hits = search(&publication, &query, 10, None).unwrap();
        let taken = ALLOCATED.peak_usage() - before;
        let allowed = (64 << 10) + words * (8 << 10) + hits.len() * 128;
        assert!(taken <= allowed, "{taken} bytes for {query}");
    }
}
