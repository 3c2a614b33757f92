//! The ticks of a colony on its way to a goal: how far it is, and when it can't come there.

use std::time::{Duration, Instant};

use tickring::Colony;
use tickring::colony::{MovePause, MoveProgress};
use tickring::search::TextShard;

use super::drive;
use super::naming::Kept;
use crate::cli::interrupt::Interrupt;
use crate::cli::item::Skipped;
use crate::cli::progress::moves_progress;
use crate::cli::{Failure, say};

/// How long a shard that is needed may be away, or may have something that keeps it from leaving.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long the next tick waits after one in which nothing could move.
const PAUSE: Duration = Duration::from_millis(20);

/// What was moved, and whether the goal is reached.
#[derive(Debug)]
pub(super) struct Moved {
    pub(super) documents: usize,
    /// The number of ticks in which documents moved.
    pub(super) ticks: u64,
    pub(super) elapsed: Duration,
    /// The documents that their new shard couldn't take.
    pub(super) refused: Vec<Skipped>,
    pub(super) end: End,
}

/// How the way to a goal ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    Reached,
    /// The process was asked to end, or not to wait. The goal stays.
    Left,
    /// The goal can't be reached for this reason. It stays.
    Stuck(String),
}

impl Moved {
    /// Returns how much moved, in words.
    pub(super) fn amount(&self) -> String {
        let (documents, ticks) = (self.documents as u64, self.ticks);
        format!(
            "{} in {}",
            counted(documents, "document"),
            counted(ticks, "tick")
        )
    }

    /// Says why the goal isn't reached, if it isn't, and what goes on. Returns whether it is reached.
    pub(super) fn say_end(&self, goes_on: &str) -> bool {
        let pending = "the goal stays pending";
        match &self.end {
            End::Reached => return true,
            End::Left => say("error", &format!("interrupted: {pending}, and {goes_on}")),
            End::Stuck(why) => say("error", &format!("{why}; {pending}")),
        }
        false
    }
}

fn counted(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

/// Runs ticks until the goal is reached, or until it can't be, or until the process is asked to end. Runs one at least if there is a goal, so that
/// the log has it.
pub(super) fn reach(
    colony: &mut Colony<TextShard>,
    kept: &Kept,
    interrupt: &Interrupt,
) -> Result<Moved, Failure> {
    let (begun, bar) = (Instant::now(), moves_progress());
    let (mut documents, mut ticks, mut refused) = (0, 0, Vec::new());
    let mut patience = Patience::default();
    let mut end = End::Reached;
    while colony.progress().is_some() {
        let report = colony.tick()?;
        for fault in &report.faults {
            say("warning", &fault.to_string());
        }
        documents += report.moved;
        ticks += u64::from(report.moved > 0);
        let returned = report.returned.iter();
        refused.extend(returned.map(|one| drive::refused(kept, one)));
        let Some(progress) = colony.progress() else {
            break;
        };
        bar.set_length((progress.moved.documents + progress.left.documents) as u64);
        bar.set_position(progress.moved.documents as u64);
        bar.set_message(message(&progress));
        if interrupt.came() {
            end = End::Left;
            break;
        }
        if let Some(why) = patience.ends(progress.pause.as_ref(), Instant::now()) {
            end = End::Stuck(why);
            break;
        }
        if progress.pause.is_some() {
            // A shard comes back within a tick, so there is nothing else to wait for.
            std::thread::sleep(PAUSE);
        }
    }
    bar.finish_and_clear();
    if end != End::Reached {
        colony.pause_moves();
    }
    let elapsed = begun.elapsed();
    Ok(Moved {
        documents,
        ticks,
        elapsed,
        refused,
        end,
    })
}

/// Returns what the progress bar adds to the numbers of documents.
fn message(progress: &MoveProgress) -> String {
    let pause = progress.pause.as_ref();
    let mut words = vec![counted(progress.ticks, "tick")];
    words.extend(
        progress
            .rate()
            .map(|rate| format!("{rate:.0} documents a second")),
    );
    words.extend(
        progress
            .time_left()
            .map(|left| format!("{} s left", left.as_secs())),
    );
    words.extend(pause.map(|pause| format!("waits: {}", reason(pause))));
    words.join(", ")
}

/// Returns why nothing moves, in words.
fn reason(pause: &MovePause) -> String {
    match pause {
        MovePause::Asked => "the moves are paused".to_owned(),
        MovePause::Waiting(shard) => format!("{shard} is dead or hasn't been made yet"),
        MovePause::LogFull => "the log is full, since no checkpoint could be completed, or a shard has been behind for too long".to_owned(),
        MovePause::Leaving(shard) => format!("{shard} is empty, but writes wait for it"),
        MovePause::Unreadable { shard, why } => {
            format!("the documents of {shard} can't be read: {why}")
        }
        MovePause::Unreachable { why } => why.clone(),
        other => format!("{other:?}"),
    }
}

/// How long it has been waited for a shard.
#[derive(Debug, Default)]
struct Patience {
    since: Option<Instant>,
}

impl Patience {
    /// Returns why it makes no sense to go on, and what to do, if so.
    fn ends(&mut self, pause: Option<&MovePause>, now: Instant) -> Option<String> {
        let Some(pause) = pause else {
            self.since = None;
            return None;
        };
        let what = reason(pause);
        match pause {
            MovePause::Unreachable { .. } => Some(format!(
                "{what}: set another goal with `tickring shards weigh`, `add`, `drain` or `remove`"
            )),
            MovePause::Unreadable { .. } => {
                Some(format!("{what}: `tickring verify` looks for damage"))
            }
            _ => {
                let since = *self.since.get_or_insert(now);
                let waited = now.saturating_duration_since(since);
                (waited >= PATIENCE).then(|| {
                    let seconds = waited.as_secs();
                    format!("{what}, for {seconds} seconds now: see the warnings for why, and run the command again")
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tickring::ShardId;

    use super::*;

    const SHARD: ShardId = ShardId::new(3);

    #[test]
    fn a_shard_that_is_away_is_waited_for_for_a_bounded_time() {
        let begun = Instant::now();
        let waiting = MovePause::Waiting(SHARD);
        let (mut patience, almost) = (Patience::default(), PATIENCE - Duration::from_nanos(1));
        assert_eq!(patience.ends(Some(&waiting), begun), None);
        assert_eq!(patience.ends(Some(&waiting), begun + almost), None);
        // What moves meanwhile begins a new wait.
        assert_eq!(patience.ends(None, begun + almost), None);
        let again = begun + PATIENCE;
        assert_eq!(patience.ends(Some(&waiting), again), None);
        assert_eq!(patience.ends(Some(&waiting), again + almost), None);
        let leaving = MovePause::Leaving(SHARD);
        let why = patience.ends(Some(&leaving), again + PATIENCE).unwrap();
        assert!(why.starts_with("shard-3 is empty, but"), "{why}");
        assert!(why.contains("for 300 seconds"), "{why}");
    }

    #[test]
    fn what_does_not_end_by_itself_is_not_waited_for() {
        let now = Instant::now();
        let why = || "nobody knows".to_owned();
        let unreachable = MovePause::Unreachable { why: why() };
        let ends = Patience::default().ends(Some(&unreachable), now).unwrap();
        assert!(
            ends.contains("nobody knows: set another goal with `tickring shards weigh`"),
            "{ends}"
        );
        let (shard, why) = (SHARD, why());
        let unreadable = MovePause::Unreadable { shard, why };
        let ends = Patience::default().ends(Some(&unreadable), now).unwrap();
        assert!(
            ends.contains(
                "the documents of shard-3 can't be read: nobody knows: `tickring verify`"
            ),
            "{ends}"
        );
    }
}
