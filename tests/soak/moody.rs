//! A text shard that misbehaves once.

use std::sync::mpsc::Receiver;

use tickring::search::{TextDocument, TextSearcher, TextShard, TextShardConfig, TextStatistics};
use tickring::{Batch, DocumentId, Shard, ShardFailure, Tick, TickPhase};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misdeed {
    Panic,
    Fail,
    Hang,
}

pub(crate) struct Moody {
    inner: TextShard,
    misdeed: Option<(TickPhase, Tick, Misdeed)>,
    /// Hangs until its other side is dropped.
    hang: Receiver<()>,
}

impl Moody {
    pub(crate) fn new(misdeed: Option<(TickPhase, Tick, Misdeed)>, hang: Receiver<()>) -> Self {
        Self {
            inner: TextShard::new(&TextShardConfig::default()).unwrap(),
            misdeed,
            hang,
        }
    }

    fn pass(&self, phase: TickPhase, tick: Tick) -> Result<(), ShardFailure> {
        match self.misdeed {
            Some((at, when, misdeed)) if (at, when) == (phase, tick) => match misdeed {
                // Not a panic of an assertion: its hook would print.
                Misdeed::Panic => std::panic::resume_unwind(Box::new("on purpose")),
                Misdeed::Fail => Err("on purpose".into()),
                Misdeed::Hang => {
                    let _ = self.hang.recv();
                    Ok(())
                }
            },
            _ => Ok(()),
        }
    }
}

impl Shard for Moody {
    type Document = TextDocument;
    type Searcher = TextSearcher;
    type Statistics = TextStatistics;

    fn sense(&mut self, tick: Tick) -> Result<(), ShardFailure> {
        self.pass(TickPhase::Sense, tick)
    }

    fn act(&mut self, tick: Tick, batch: &mut Batch<'_, TextDocument>) -> Result<(), ShardFailure> {
        self.inner.act(tick, batch)?;
        self.pass(TickPhase::Act, tick)
    }

    fn decay(&mut self, tick: Tick) -> Result<(), ShardFailure> {
        self.pass(TickPhase::Decay, tick)
    }

    fn advance(&mut self, tick: Tick) -> Result<(), ShardFailure> {
        self.inner.advance(tick)?;
        self.pass(TickPhase::Advance, tick)
    }

    fn searcher(&self) -> TextSearcher {
        self.inner.searcher()
    }

    fn holds(searcher: &TextSearcher, document: &DocumentId) -> bool {
        TextShard::holds(searcher, document)
    }

    fn statistics(searchers: &[&TextSearcher]) -> TextStatistics {
        TextShard::statistics(searchers)
    }
}
