//! The last ticks of a durable colony, as its manifest has them: for whoever looks at the directory later.

use std::collections::VecDeque;
use std::time::Duration;

use crate::colony::report::{PhaseReport, TickReport};
use crate::error::StorageError;
use crate::id::{ShardId, Tick};
use crate::phase::TickPhase;
use crate::storage::codec::{Decoded, Put, Reader};
use crate::storage::manifest::store;

/// How many are kept.
const KEPT: usize = 32;
/// In the place of a shard, if no shard has finished the phase.
const NOBODY: u32 = u32::MAX;

/// What a tick did, from [`ReadOnly::last_ticks`](crate::colony::ReadOnly::last_ticks). The times are in whole microseconds, of at most 71 minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TickSummary {
    /// The tick.
    pub tick: Tick,
    /// The times of the four phases, in their order.
    pub phases: [PhaseReport; 4],
    /// The number of writes from outside that it published.
    pub published: usize,
    /// The number of documents that moved to another shard.
    pub moved: usize,
}

/// The last ticks, the oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct LastTicks(VecDeque<TickSummary>);

impl LastTicks {
    /// Takes note of a tick, and forgets the oldest if there are too many.
    pub(super) fn push<D>(&mut self, report: &TickReport<D>) {
        self.0.push_back(TickSummary {
            tick: report.tick,
            phases: report.phases,
            published: report.published,
            moved: report.moved,
        });
        if self.0.len() > KEPT {
            self.0.pop_front();
        }
    }

    pub(super) fn into_vec(self) -> Vec<TickSummary> {
        self.0.into()
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let time = |time: Duration| u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        for summary in &self.0 {
            out.put_u64(summary.tick);
            out.put_u32(count(summary.published));
            out.put_u32(count(summary.moved));
            for phase in &summary.phases {
                let (shard, slowest) = match phase.slowest {
                    Some((shard, slowest)) => (shard.as_u32(), slowest),
                    None => (NOBODY, Duration::ZERO),
                };
                out.put_u32(time(phase.elapsed));
                out.put_u32(shard);
                out.put_u32(time(slowest));
            }
        }
        out
    }

    /// Decodes the ticks of a manifest.
    pub(super) fn listed(bytes: &[u8]) -> Result<Self, StorageError> {
        let decoded = decode(&mut Reader::new(bytes));
        decoded.map_err(|malformed| malformed.in_file(store::NAME, 0, "known ticks"))
    }
}

fn decode(reader: &mut Reader<'_>) -> Decoded<LastTicks> {
    let mut ticks = LastTicks::default();
    while reader.left() > 0 {
        let (tick, published, moved) = (reader.u64()?, reader.u32()?, reader.u32()?);
        let mut phase = |phase| -> Decoded<PhaseReport> {
            let (elapsed, shard, slowest) = (reader.u32()?, reader.u32()?, reader.u32()?);
            let time = |micros: u32| Duration::from_micros(micros.into());
            let slowest = (shard != NOBODY).then(|| (ShardId::new(shard), time(slowest)));
            Ok(PhaseReport {
                phase,
                elapsed: time(elapsed),
                slowest,
            })
        };
        let [sense, act, decay, advance] = TickPhase::ALL;
        ticks.0.push_back(TickSummary {
            tick,
            phases: [phase(sense)?, phase(act)?, phase(decay)?, phase(advance)?],
            published: published as usize,
            moved: moved as usize,
        });
    }
    Ok(ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ticks_are_read_as_they_were_written() {
        let mut ticks = LastTicks::default();
        for tick in 0..KEPT as u64 + 2 {
            let phases = TickPhase::ALL.map(|phase| PhaseReport {
                phase,
                elapsed: Duration::from_micros(7 * tick),
                slowest: (phase != TickPhase::Sense)
                    .then(|| (ShardId::new(3), Duration::from_micros(tick))),
            });
            let report: TickReport<()> = TickReport {
                tick,
                epoch: crate::id::Epoch::default(),
                phases,
                published: 5,
                moved: 2,
                messages: crate::colony::MessageCounts {
                    published: 0,
                    sent: 0,
                },
                returned: Vec::new(),
                faults: Vec::new(),
                revived: Vec::new(),
                frozen: Vec::new(),
            };
            ticks.push(&report);
        }
        let bytes = ticks.encode();
        let again = LastTicks::listed(&bytes).unwrap().into_vec();
        assert_eq!(again, ticks.into_vec());
        assert_eq!(again.first().map(|first| first.tick), Some(2));
        assert_eq!(again.len(), KEPT);
        assert!(LastTicks::listed(&bytes[1..]).is_err());
    }
}
