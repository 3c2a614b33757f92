// The parts of a colony in this version. Included beside `rows.rs`.

use tickring::Shard;
use tickring::colony::{Batch, TickContext};
use tickring::frequency::{
    GlobalFrequencies, ShardFrequencies, aggregate_interned, aggregate_owned,
};
use tickring::id::TermId;
use tickring::publication::ShardFailure;

/// A shard without documents, which works for this long in each tick.
struct Empty(Duration);

impl Shard for Empty {
    type Document = ();
    type View = ();

    fn act(
        &mut self,
        _context: &mut TickContext<'_, (), ()>,
        _batch: &mut Batch<'_, ()>,
    ) -> Result<(), ShardFailure> {
        Ok(())
    }

    fn decay(&mut self, _context: &mut TickContext<'_, (), ()>) -> Result<(), ShardFailure> {
        busy(self.0);
        Ok(())
    }

    fn view(&mut self) -> Result<(), ShardFailure> {
        Ok(())
    }
}

fn empty_colony(shards: u32, work: Duration) -> Colony<Empty> {
    let make = move |_| Ok(Empty(work));
    Colony::new(ColonyConfig::default(), shards, make).expect("within the bounds")
}

fn text_colony(config: ColonyConfig, shards: u32) -> Colony<TextShard> {
    let make = |_| Ok(TextShard::new(&TextShardConfig::default())?);
    Colony::new(config, shards, make).expect("threads can be started")
}

fn text(title: String, body: String) -> TextDocument {
    TextDocument::new(title, body)
}
