//! A shard that writes to the others.

use tickring::colony::{Batch, TickContext, Write};
use tickring::publication::ShardFailure;
use tickring::{DocumentId, Shard, ShardId};

/// The first one dies after its first tick, the others write.
pub(crate) struct Caller;

impl Shard for Caller {
    type Document = ();
    type View = ();

    fn act(
        &mut self,
        context: &mut TickContext<'_, (), ()>,
        _batch: &mut Batch<'_, ()>,
    ) -> Result<(), ShardFailure> {
        if context.shard() == ShardId::new(0) {
            return if context.tick() > 0 {
                Err("on purpose".into())
            } else {
                Ok(())
            };
        }
        for seed in 0..20 {
            let id = DocumentId::from_seed(seed);
            context
                .send(Write::Delete { id })
                .map_err(|unsent| format!("{unsent}"))?;
        }
        Ok(())
    }

    fn view(&mut self) -> Result<(), ShardFailure> {
        Ok(())
    }
}
