// The parts of a colony in version 0.1.0. Included beside `rows.rs`.

use tickring::{
    GlobalFrequencies, Shard, ShardFailure, ShardFrequencies, TermId, Tick, aggregate_interned,
    aggregate_owned,
};

/// A shard without documents, which works for this long in each tick.
struct Empty(Duration);

impl Shard for Empty {
    type Document = ();
    type Searcher = ();
    type Statistics = ();

    fn decay(&mut self, _tick: Tick) -> Result<(), ShardFailure> {
        busy(self.0);
        Ok(())
    }

    fn searcher(&self) {}

    fn holds((): &(), _document: &DocumentId) -> bool {
        false
    }

    fn statistics(_searchers: &[&()]) {}
}

fn empty_colony(shards: u32, work: Duration) -> Colony<Empty> {
    let shards = (0..shards).map(|_| Empty(work)).collect();
    Colony::new(ColonyConfig::default(), shards).expect("within the bounds")
}

fn text_colony(config: ColonyConfig, shards: u32) -> Colony<TextShard> {
    let shard = |_| TextShard::new(&TextShardConfig::default()).expect("threads can be started");
    Colony::new(config, (0..shards).map(shard).collect()).expect("within the bounds")
}

fn text(title: String, body: String) -> TextDocument {
    TextDocument { title, body }
}
