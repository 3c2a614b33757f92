//! A text shard that dies when it is told to.

use std::sync::{Arc, Condvar, Mutex};

use tickring::colony::{Batch, DurableShard, Saved, Saving, TickContext};
use tickring::publication::ShardFailure;
use tickring::search::{TextDocument, TextShard, TextShardConfig, TextView};
use tickring::{Shard, ShardId, TickPhase};

use super::script::POISONED;

/// How a shard ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Panic,
    Fail,
    Hang,
}

/// Where a shard ends: in a phase, or when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Phase(TickPhase),
    Opening,
}

/// What happens to the shards of the colony.
#[derive(Debug, Default)]
pub(super) struct Plan {
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Each happens once.
    ends: Vec<(ShardId, Place, End)>,
    /// How often those that hang were let go.
    releases: u64,
}

impl Plan {
    pub(super) fn end(&self, shard: ShardId, place: Place, end: End) {
        self.state.lock().unwrap().ends.push((shard, place, end));
    }

    /// Forgets what hasn't happened, and lets go what hangs.
    pub(super) fn release(&self) {
        let mut state = self.state.lock().unwrap();
        state.ends.clear();
        state.releases += 1;
        self.released.notify_all();
    }

    fn meet(&self, shard: ShardId, place: Place) -> Result<(), ShardFailure> {
        let mut state = self.state.lock().unwrap();
        let planned = |one: &(ShardId, Place, End)| (one.0, one.1) == (shard, place);
        let Some(at) = state.ends.iter().position(planned) else {
            return Ok(());
        };
        let (.., end) = state.ends.swap_remove(at);
        match end {
            End::Fail => Err("a planned failure".into()),
            End::Panic => {
                drop(state);
                panic!("a planned panic")
            }
            End::Hang => {
                let until = state.releases + 1;
                // The count changes under the lock, and the wait goes to sleep in the step in which it releases it.
                while state.releases < until {
                    state = self.released.wait(state).unwrap();
                }
                Ok(())
            }
        }
    }
}

/// What the shards are made with.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) text: TextShardConfig,
    pub(super) plan: Arc<Plan>,
}

pub(super) struct Mortal {
    inner: TextShard,
    plan: Arc<Plan>,
}

type Context<'a> = TickContext<'a, TextDocument, TextView>;

impl Mortal {
    fn meet(&self, context: &Context<'_>, phase: TickPhase) -> Result<(), ShardFailure> {
        self.plan.meet(context.shard(), Place::Phase(phase))
    }
}

impl Shard for Mortal {
    type Document = TextDocument;
    type View = TextView;

    fn sense(&mut self, context: &mut Context<'_>) -> Result<(), ShardFailure> {
        self.meet(context, TickPhase::Sense)?;
        self.inner.sense(context)
    }

    fn act(
        &mut self,
        context: &mut Context<'_>,
        batch: &mut Batch<'_, TextDocument>,
    ) -> Result<(), ShardFailure> {
        for (_, _, write) in batch.iter() {
            let title = write.document().and_then(|document| document.text("title"));
            let is_poison = title.is_some_and(|title| title.starts_with(POISONED));
            assert!(!is_poison, "a poisonous document");
        }
        self.inner.act(context, batch)?;
        // After the work, which must not count.
        self.meet(context, TickPhase::Act)
    }

    fn decay(&mut self, context: &mut Context<'_>) -> Result<(), ShardFailure> {
        self.meet(context, TickPhase::Decay)?;
        self.inner.decay(context)
    }

    fn advance(&mut self, context: &mut Context<'_>) -> Result<(), ShardFailure> {
        self.inner.advance(context)?;
        self.meet(context, TickPhase::Advance)
    }

    fn view(&mut self) -> Result<TextView, ShardFailure> {
        self.inner.view()
    }
}

impl DurableShard for Mortal {
    type Settings = Settings;

    fn identity(settings: &Settings) -> Vec<(String, String)> {
        TextShard::identity(&settings.text)
    }

    fn encode(
        settings: &Settings,
        document: &TextDocument,
        out: &mut Vec<u8>,
    ) -> Result<(), ShardFailure> {
        TextShard::encode(&settings.text, document, out)
    }

    fn decode(settings: &Settings, bytes: &[u8]) -> Result<TextDocument, ShardFailure> {
        TextShard::decode(&settings.text, bytes)
    }

    fn open(
        settings: &Settings,
        shard: ShardId,
        saved: Option<&Saved>,
    ) -> Result<Self, ShardFailure> {
        settings.plan.meet(shard, Place::Opening)?;
        Ok(Self {
            inner: TextShard::open(&settings.text, shard, saved)?,
            plan: Arc::clone(&settings.plan),
        })
    }

    fn save(view: &TextView, saving: &mut Saving<'_>) -> Result<(), ShardFailure> {
        TextShard::save(view, saving)
    }
}
