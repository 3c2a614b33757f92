//! What the shards of a tick decided, as the log holds it.

use super::applied::LateAside;
use super::ledger::too_large;
use crate::colony::occupant::caught;
use crate::colony::placing::Numbers;
use crate::colony::report::ReturnReason;
use crate::colony::round::Writes;
use crate::colony::tick::{Part, Ready};
use crate::colony::write::Refusal;
use crate::error::ColonyError;
use crate::id::{ShardId, Tick};
use crate::publication::View;
use crate::storage::changes::{Decision, Encoded, Outcome, Reason};
use crate::storage::codec::TooLong;
use crate::storage::record::{Kind, Unplaced};

/// Returns the record of what the shards of a tick decided and sent, or `None` if there is nothing to tell. It says which shards are behind, but nothing is
/// written for that alone in a tick without a record: they have nothing to apply.
pub(super) fn record<D: Send + Sync + 'static, V: View>(
    ready: &Ready<D, V>,
    late: &[(ShardId, LateAside)],
    messages: &Encoded<'_>,
    has_record: bool,
) -> Result<Option<Unplaced>, ColonyError> {
    let (texts, aside) = decisions(&ready.parts);
    let mut outcome = Outcome {
        refused: texts.iter().map(Text::decision).collect(),
        set_aside: aside.iter().map(Text::decision).collect(),
        messages: Vec::new(),
        behind: Vec::new(),
        late: late.iter().map(decision).collect(),
    };
    let is_needed = !outcome.is_empty() || messages.count > 0 || has_record;
    if is_needed {
        outcome.behind = behind(&ready.parts);
    }
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

fn decision((shard, aside): &(ShardId, LateAside)) -> (Tick, Decision<'_>) {
    let decision = Decision {
        shard: *shard,
        write: aside.number,
        reason: Reason::Because(&aside.why),
    };
    (aside.tick, decision)
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
    let count = |count: fn(&Writes<D>) -> usize| parts.iter().map(move |part| count(&part.writes));
    let messages: usize = count(|writes| writes.messages.len()).sum();
    let writes: usize = count(|writes| writes.intake.len()).sum();
    let ahead = parts.iter().map(|part| &part.writes.ahead);
    let (mut moved, mut message, mut write) = (messages + writes, 0, Numbers::new(ahead));
    let is_numbered = parts.iter().any(|part| !part.writes.numbers.is_empty());
    for part in parts {
        let Writes {
            moves,
            messages: own,
            intake,
            ahead,
            numbers,
            ..
        } = &*part.writes;
        let leaving = moves
            .iter()
            .take_while(|(_, write)| write.document().is_none());
        let leaving = leaving.count();
        // What a life refused that has died doesn't count.
        let counts = part.risen.is_some() || part.slot.fault().is_none();
        // No shard refuses to hand a document over, and no such write is set aside.
        let number = |index: usize| match index.checked_sub(moves.len()) {
            None => moved + index.saturating_sub(leaving),
            Some(index) => match index.checked_sub(own.len()) {
                None => message + index,
                Some(index) => {
                    messages
                        + numbers
                            .get(index)
                            .copied()
                            .unwrap_or_else(|| write.of(index, ahead))
                }
            },
        };
        let number = |index: usize| number(index) as u64;
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
        moved += moves.len() - leaving;
        message += own.len();
        if !is_numbered {
            write.pass(ahead, intake.len());
        }
    }
    (texts, aside)
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
