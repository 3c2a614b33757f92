//! A check of durable shards that their authors run.

mod differences;
mod moving;
mod run;
#[cfg(test)]
mod tests;

use std::fmt::Debug;

use self::run::Check;
use super::shard::DurableShard;
use crate::colony::Write;
use crate::error::DurableCheckError;
use crate::publication::ShardFailure;

/// Checks that a shard keeps what [`DurableShard`] asks for, on files in memory, with writes that you give tick by tick.
///
/// One shard gets all ticks and is saved after each. From each of its savings others are opened, which must hold the same and, with the rest of
/// the writes, refuse the same and end the same: one gets them tick by tick, and one all at once as when a colony is opened, from documents that
/// were encoded and decoded. Of each view, the documents are [read back](crate::publication::Movable) in parts, and an empty shard that takes them in must
/// hold and show the same, as when they move. `shows` returns what you want compared of a view, such as the answers to some queries. The ids of the documents are
/// compared anyway.
///
/// The number of ticks that are run is about the square of the number given, so a dozen small ones are a good choice. Write the same ids again,
/// add some that are there, delete some that aren't, and include what the shard refuses.
///
/// ```
/// # use std::collections::BTreeMap;
/// # use std::ops::RangeInclusive;
/// use std::sync::Arc;
/// use tickring::colony::{Batch, DurableShard, Saved, Saving, TickContext, Write, check_durable};
/// # use tickring::placement::Placement;
/// # use tickring::publication::{Movable, ShardFailure};
/// # use tickring::{DocumentId, Shard, ShardId, View};
///
/// /// Numbers, which are saved as pairs of 24 bytes.
/// #[derive(Default, Clone)]
/// struct Numbers(BTreeMap<DocumentId, u64>);
///
/// // Shard and View are left out here.
/// # impl Shard for Numbers {
/// #     type Document = u64;
/// #     type View = Self;
/// #
/// #     fn act(&mut self, _: &mut TickContext<'_, u64, Self>, batch: &mut Batch<'_, u64>) -> Result<(), ShardFailure> {
/// #         for (_, _, write) in batch.iter() {
/// #             match write.document() {
/// #                 Some(number) => drop(self.0.insert(write.id(), **number)),
/// #                 None => drop(self.0.remove(&write.id())),
/// #             }
/// #         }
/// #         Ok(())
/// #     }
/// #
/// #     fn view(&mut self) -> Result<Self, ShardFailure> {
/// #         Ok(self.clone())
/// #     }
/// # }
/// #
/// # impl View for Numbers {
/// #     type Statistics = ();
/// #
/// #     fn holds(&self, document: DocumentId) -> bool {
/// #         self.0.contains_key(&document)
/// #     }
/// #     fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
/// #         Ok(self.0.keys().copied().collect())
/// #     }
/// #     fn statistics(_: &[&Self]) -> Result<(), ShardFailure> {
/// #         Ok(())
/// #     }
/// # }
/// # impl Movable<u64> for Numbers {
/// #     fn documents_between(
/// #         &self,
/// #         placement: Placement,
/// #         positions: RangeInclusive<u64>,
/// #     ) -> Result<Vec<(DocumentId, Arc<u64>)>, ShardFailure> {
/// #         let numbers = self.0.iter();
/// #         let inside = numbers.filter(|(id, _)| positions.contains(&placement.document_position(id)));
/// #         Ok(inside.map(|(id, number)| (*id, Arc::new(*number))).collect())
/// #     }
/// # }
/// #
/// impl DurableShard for Numbers {
///     type Settings = ();
///
///     fn encode(_: &(), number: &u64, out: &mut Vec<u8>) -> Result<(), ShardFailure> {
///         out.extend(number.to_le_bytes());
///         Ok(())
///     }
///
///     fn decode(_: &(), bytes: &[u8]) -> Result<u64, ShardFailure> {
///         Ok(u64::from_le_bytes(bytes.try_into()?))
///     }
///
///     fn open(_: &(), _: ShardId, saved: Option<&Saved>) -> Result<Self, ShardFailure> {
///         let mut numbers = Self::default();
///         let pairs = saved.map_or(&[][..], |saved| saved.meta());
///         for (id, number) in pairs.chunks_exact(24).map(|pair| pair.split_at(16)) {
///             numbers.0.insert(DocumentId::from_bytes(id.try_into()?), Self::decode(&(), number)?);
///         }
///         Ok(numbers)
///     }
///
///     fn save(view: &Self, saving: &mut Saving<'_>) -> Result<(), ShardFailure> {
///         let mut pairs = Vec::new();
///         for (id, number) in &view.0 {
///             pairs.extend(id.as_bytes());
///             Self::encode(&(), number, &mut pairs)?;
///         }
///         saving.meta(pairs);
///         Ok(())
///     }
/// }
///
/// let upsert = |seed| Write::Upsert { id: DocumentId::from_seed(seed), document: Arc::new(seed) };
/// let ticks = [vec![upsert(1), upsert(2)], vec![Write::Delete { id: DocumentId::from_seed(1) }]];
/// check_durable::<Numbers, _>(&(), &ticks, |view| Ok(view.0.clone()))?;
/// # Ok::<(), tickring::error::DurableCheckError>(())
/// ```
///
/// # Errors
/// [`DurableCheckError`] says what differs, and when.
pub fn check_durable<S: DurableShard, T: PartialEq + Debug>(
    settings: &S::Settings,
    ticks: &[Vec<Write<S::Document>>],
    shows: impl Fn(&S::View) -> Result<T, ShardFailure>,
) -> Result<(), DurableCheckError> {
    let mut check = Check::<S, _>::new(settings, shows);
    let decoded = check.decoded(ticks)?;
    let (steps, views) = check.first(ticks)?;
    (0..steps.len()).try_for_each(|at| check.again(&steps[at..], &decoded[at..], at))?;
    let seen = views.iter().zip(&steps).enumerate();
    let mut seen = seen.map(|(tick, (view, step))| check.moved(tick, view, step));
    seen.try_for_each(|moved| moved)
}
