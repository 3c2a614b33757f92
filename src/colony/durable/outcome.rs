//! What the shards of a tick decided, as the log holds it.

use super::ledger::too_large;
use crate::colony::occupant::caught;
use crate::colony::report::ReturnReason;
use crate::colony::tick::{Part, Ready};
use crate::colony::write::Refusal;
use crate::error::ColonyError;
use crate::id::ShardId;
use crate::publication::View;
use crate::storage::changes::{Decision, Encoded, Outcome, Reason};
use crate::storage::codec::TooLong;
use crate::storage::record::{Kind, Unplaced};

/// Returns the record of what the shards of a tick decided and sent, or `None` if there is nothing to tell.
pub(super) fn record<D: Send + Sync + 'static, V: View>(
    ready: &Ready<D, V>,
    messages: &Encoded<'_>,
) -> Result<Option<Unplaced>, ColonyError> {
    let (texts, aside) = decisions(&ready.parts);
    let outcome = Outcome {
        refused: texts.iter().map(Text::decision).collect(),
        set_aside: aside.iter().map(Text::decision).collect(),
        messages: Vec::new(),
        behind: behind(&ready.parts),
    };
    if outcome.is_empty() && messages.count == 0 {
        return Ok(None);
    }
    let record = Unplaced::new(Kind::Outcome, ready.tick, |out| {
        outcome.encode_sent(messages, out)
    });
    record
        .map(Some)
        .map_err(|TooLong(bytes)| too_large("a tick's outcome", bytes))
}

/// A refusal, with its reason as a text.
struct Text {
    shard: ShardId,
    write: u64,
    reason: Option<String>,
}

impl Text {
    fn decision(&self) -> Decision<'_> {
        Decision {
            shard: self.shard,
            write: self.write,
            reason: self
                .reason
                .as_deref()
                .map_or(Reason::Exists, Reason::Because),
        }
    }
}

/// Returns what the shards refused and what was set aside, by the number of the write in the tick's record.
fn decisions<D: Send + Sync + 'static, V: View>(parts: &[Part<D, V>]) -> (Vec<Text>, Vec<Text>) {
    let (mut texts, mut aside) = (Vec::new(), Vec::new());
    let messages: usize = parts.iter().map(|part| part.writes.messages.len()).sum();
    let (mut message, mut write) = (0, Numbers::after(messages, parts));
    for part in parts {
        let own = part.writes.messages.len();
        // What a life refused that has died doesn't count.
        let counts = part.risen.is_some() || part.slot.fault().is_none();
        let number = |index: usize| match index.checked_sub(own) {
            None => (message + index) as u64,
            Some(index) => write.of(index, &part.writes.ahead) as u64,
        };
        aside.extend(part.aside.iter().map(|(index, why)| Text {
            shard: part.slot.id(),
            write: number(*index),
            reason: Some(why.clone()),
        }));
        for (index, why) in part.refused.iter().filter(|_| counts) {
            texts.push(Text {
                shard: part.slot.id(),
                write: number(*index),
                reason: match why {
                    Refusal::Exists => None,
                    Refusal::Because(_) => Some(reason(why)),
                },
            });
        }
        message += own;
        write.pass(&part.writes.ahead, part.writes.intake.len());
    }
    (texts, aside)
}

/// The numbers of a tick's writes from outside: first those of each record ahead of the tick, then those of its own record, and in each of them
/// shard by shard.
struct Numbers {
    /// Of the next shard's first write in each of these records.
    next: Vec<usize>,
}

impl Numbers {
    fn after<D, V: View>(messages: usize, parts: &[Part<D, V>]) -> Self {
        let ahead = || parts.iter().map(|part| &part.writes.ahead);
        let mut next = vec![messages; 1 + ahead().map(Vec::len).max().unwrap_or(0)];
        for (record, count) in ahead().flat_map(|ahead| ahead.iter().enumerate()) {
            next[record + 1] += count;
        }
        for record in 1..next.len() {
            // Without the messages, which both count.
            next[record] += next[record - 1] - messages;
        }
        Self { next }
    }

    /// Returns the number of a write of the next shard, given how many of its writes are in each record ahead of the tick.
    fn of(&self, mut index: usize, ahead: &[usize]) -> usize {
        for (next, &count) in self.next.iter().zip(ahead) {
            if index < count {
                return next + index;
            }
            index -= count;
        }
        self.next.last().map_or(index, |next| next + index)
    }

    /// Goes on behind a shard with this many writes.
    fn pass(&mut self, ahead: &[usize], writes: usize) {
        let own = writes - ahead.iter().sum::<usize>();
        if let Some(next) = self.next.last_mut() {
            *next += own;
        }
        for (next, count) in self.next.iter_mut().zip(ahead) {
            *next += count;
        }
    }
}

/// Shows the reason of a refusal. Catches a panic of the caller's code.
pub(super) fn reason(why: &Refusal) -> String {
    match why {
        Refusal::Exists => ReturnReason::Exists.to_string(),
        Refusal::Because(why) => {
            caught(|| Ok(why.to_string())).unwrap_or_else(|kind| kind.to_string())
        }
    }
}

fn behind<D: Send + Sync + 'static, V: View>(parts: &[Part<D, V>]) -> Vec<ShardId> {
    let behind = parts.iter().filter(|part| part.is_behind);
    behind.map(|part| part.slot.id()).collect()
}
