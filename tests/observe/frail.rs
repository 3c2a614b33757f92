//! A shard in memory that does what its documents say.

use tickring::colony::{Batch, Shard, TickContext};
use tickring::publication::ShardFailure;
use tickring::{DocumentId, View};

/// What a document makes its shard do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Nothing,
    /// Fail at once.
    Die,
    /// Fail in the next Sense.
    DieNext,
    /// Let no statistics be computed.
    Spoil,
}

/// The order that it carries out, and the last one of its views.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frail(pub(crate) Order);

impl Shard for Frail {
    type Document = Order;
    type View = Self;

    fn sense(&mut self, _context: &mut TickContext<'_, Order, Self>) -> Result<(), ShardFailure> {
        match self.0 {
            Order::DieNext => Err("as ordered before".into()),
            _ => Ok(()),
        }
    }

    fn act(
        &mut self,
        _context: &mut TickContext<'_, Order, Self>,
        batch: &mut Batch<'_, Order>,
    ) -> Result<(), ShardFailure> {
        for (_, _, write) in batch.iter() {
            self.0 = write.document().map_or(Order::Nothing, |order| **order);
            if self.0 == Order::Die {
                return Err("as ordered".into());
            }
        }
        Ok(())
    }

    fn view(&mut self) -> Result<Self, ShardFailure> {
        Ok(*self)
    }
}

impl View for Frail {
    type Statistics = ();

    fn holds(&self, _document: DocumentId) -> bool {
        false
    }

    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        Ok(Vec::new())
    }

    fn statistics(views: &[&Self]) -> Result<(), ShardFailure> {
        match views.iter().any(|view| view.0 == Order::Spoil) {
            true => Err("as ordered".into()),
            false => Ok(()),
        }
    }
}
