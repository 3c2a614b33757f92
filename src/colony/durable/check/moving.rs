//! What a view gives back when its documents move to another shard.

use std::fmt::Debug;
use std::ops::RangeInclusive;

use super::differences::{different, same_refusals, same_state};
use super::run::{Check, Checked, Step, act, advance, failed};
use crate::colony::Write;
use crate::colony::durable::shard::DurableShard;
use crate::error::DurableCheckError;
use crate::id::{DocumentId, Tick};
use crate::placement::Placement;
use crate::publication::{Movable, ShardFailure};
use crate::sync::Arc;

/// How many parts of the ring are read, about.
const PARTS: usize = 8;

impl<S, T, F> Check<'_, S, F>
where
    S: DurableShard,
    T: PartialEq + Debug,
    F: Fn(&S::View) -> Result<T, ShardFailure>,
{
    /// Checks that the documents of a tick's view can move: each is read once and from where it lies, and an empty shard that takes all of them in holds and
    /// shows the same.
    pub(super) fn moved(&self, tick: usize, view: &S::View, step: &Step<T>) -> Checked<()> {
        let when = format!("after tick {tick}");
        let mut all = Vec::new();
        for placement in [Placement::Xxh3, Placement::SipHash13] {
            all.clear();
            for range in parts(placement, &step.state.documents) {
                all.extend(read::<S>(
                    &when,
                    placement,
                    &range,
                    view,
                    &step.state.documents,
                )?);
            }
        }
        let when = format!("{when}, when all its documents have moved to an empty one");
        let mut shard = self.open(None).map_err(failed(&when))?;
        let writes = all.iter().map(|(id, document)| {
            let (id, document) = (*id, Arc::clone(document));
            let decoded = self.decoded_write(&Write::Upsert { id, document });
            let decoded = decoded.map_err(failed(&when))?;
            decoded.ok_or_else(|| DurableCheckError::BytesRead {
                when: when.clone(),
                document: id,
            })
        });
        let writes = writes.collect::<Checked<Vec<_>>>()?;
        let tick = tick as Tick + 1;
        let refused = act(&mut shard, tick, &writes).map_err(failed(&when))?;
        same_refusals(&when, &[], &refused)?;
        advance(&mut shard, tick).map_err(failed(&when))?;
        let view = shard.view().map_err(failed(&when))?;
        let state = self.state(&view).map_err(failed(&when))?;
        same_state(&when, &step.state, &state)
    }
}

/// Returns ranges that are the whole ring together, and that end between the documents and at them.
fn parts(placement: Placement, documents: &[DocumentId]) -> Vec<RangeInclusive<u64>> {
    let at = |id| placement.document_position(id);
    let mut positions: Vec<_> = documents.iter().map(at).collect();
    positions.sort_unstable();
    let (mut parts, mut first) = (Vec::new(), 0);
    for position in positions
        .into_iter()
        .step_by(documents.len().div_ceil(PARTS).max(1))
    {
        // At most one more.
        for last in [position, position.saturating_add(1)] {
            if first <= last && last < u64::MAX {
                parts.push(first..=last);
                first = last + 1;
            }
        }
    }
    parts.push(first..=u64::MAX);
    parts
}

/// Reads the documents in a range.
fn read<S: DurableShard>(
    when: &str,
    placement: Placement,
    range: &RangeInclusive<u64>,
    view: &S::View,
    documents: &[DocumentId],
) -> Checked<Vec<(DocumentId, Arc<S::Document>)>> {
    let at = |id: &DocumentId| placement.document_position(id);
    let inside = |id: &&DocumentId| range.contains(&at(id));
    let expected: Vec<_> = documents.iter().filter(inside).copied().collect();
    let mut read = view
        .documents_between(placement, range.clone())
        .map_err(failed(when))?;
    read.sort_by_key(|(id, _)| *id);
    let found: Vec<_> = read.iter().map(|(id, _)| *id).collect();
    let differs = |what, [expected, found]: [_; 2]| DurableCheckError::Range {
        when: when.to_owned(),
        what,
        expected,
        found,
    };
    if found != expected {
        return Err(differs("documents", different(&expected, &found)));
    }
    let mut expected: Vec<_> = expected.iter().map(at).collect();
    expected.sort_unstable();
    let mut found = view
        .positions_between(placement, range.clone())
        .map_err(failed(when))?;
    found.sort_unstable();
    match found == expected {
        true => Ok(read),
        false => Err(differs("positions", different(&expected, &found))),
    }
}
