//! The thread that writes the log.

use std::collections::VecDeque;
use std::io;
use std::thread::{self, JoinHandle};

use crossbeam::channel::{Receiver, Sender, bounded, unbounded};

use crate::error::StorageError;
use crate::id::Tick;
use crate::observe;
use crate::storage::log::{Log, Pins};
use crate::storage::record::{Kind, Unplaced};
use crate::sync::{Arc, Condvar, Instant, Mutex};

/// The thread that writes the log, and what is known of it.
///
/// Records are written in the order in which they were handed over. One that can't be written stays at its place until it is
/// [tried again](Self::retry).
pub(super) struct Writer {
    commands: Sender<Command>,
    pins: Pins,
    progress: Arc<Progress>,
    thread: Option<JoinHandle<()>>,
}

enum Command {
    Write(Unplaced),
    Retry,
    /// Ends the current file. Sends the number that the next one will have.
    Rotate(Sender<u64>),
    /// Removes what is only about ticks up to this one.
    Cut(Tick),
    End,
}

#[derive(Debug, Default)]
struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default, Clone)]
struct State {
    /// Records that were handed over and aren't durable.
    pending: usize,
    /// The sequence number of the last durable record.
    seq: u64,
    /// Why the first of the pending records couldn't be written.
    failed: Option<StorageError>,
}

impl Writer {
    /// Starts the thread. It calls `durable` with the tick of each record that has become durable and isn't ahead of its tick.
    pub(super) fn start(log: Log, durable: impl Fn(Tick) + Send + 'static) -> io::Result<Self> {
        let (commands, received) = unbounded();
        let pins = log.pins().clone();
        let progress = Arc::new(Progress::default());
        progress.change(|state| {
            state.seq = log.next_seq() - 1;
        });
        let shown = Arc::clone(&progress);
        let thread = thread::Builder::new()
            .name("tickring-log".to_owned())
            .spawn(move || run(log, &received, &shown, &durable))?;
        Ok(Self {
            commands,
            pins,
            progress,
            thread: Some(thread),
        })
    }

    /// Hands a record over.
    pub(super) fn write(&self, record: Unplaced) {
        self.progress.change(|state| state.pending += 1);
        self.send(Command::Write(record));
    }

    /// Tries to write the record again that couldn't be written, if there is one.
    pub(super) fn retry(&self) {
        let mut failed = false;
        self.progress
            .change(|state| failed = state.failed.take().is_some());
        if failed {
            self.send(Command::Retry);
        }
    }

    /// Ends the current file. The number that the next one will have is sent when all records handed over before are written.
    pub(super) fn rotate(&self) -> Receiver<u64> {
        let (tell, told) = bounded(1);
        self.send(Command::Rotate(tell));
        told
    }

    /// Returns what removes the records up to a tick, for another thread.
    pub(super) fn cutter(&self) -> impl Fn(Tick) + Send + use<> {
        let commands = self.commands.clone();
        move |tick| drop(commands.send(Command::Cut(tick)))
    }

    /// Returns whether all records are durable that were handed over.
    pub(super) fn is_idle(&self) -> bool {
        self.progress.state.lock().pending == 0
    }

    /// Waits until all records are durable. Returns the sequence number of the last one.
    ///
    /// The thread changes the state under the lock and notifies before it releases it, and the wait goes to sleep in the step in which it
    /// releases it. So no change comes between a check and the sleep after it.
    pub(super) fn wait(&self) -> Result<u64, StorageError> {
        let mut state = self.progress.state.lock();
        loop {
            if let Some(error) = &state.failed {
                return Err(error.clone());
            }
            if state.pending == 0 {
                return Ok(state.seq);
            }
            self.progress.changed.wait(&mut state);
        }
    }

    /// Waits like [`wait`](Self::wait), at most until the deadline.
    pub(super) fn wait_until(&self, deadline: Instant) -> Option<u64> {
        let mut state = self.progress.state.lock();
        while state.pending > 0 && state.failed.is_none() {
            let waited = self.progress.changed.wait_until(&mut state, deadline);
            if waited.timed_out() {
                break;
            }
        }
        (state.pending == 0).then_some(state.seq)
    }

    /// Returns the pins, which keep records from being removed.
    pub(super) fn pins(&self) -> &Pins {
        &self.pins
    }

    fn send(&self, command: Command) {
        // Nobody receives it after the end.
        drop(self.commands.send(command));
    }
}

/// Waits for the thread, which writes first what was handed over.
impl Drop for Writer {
    fn drop(&mut self) {
        // A checkpoint may still have a sender, so that the thread doesn't end with this one.
        self.send(Command::End);
        if let Some(thread) = self.thread.take() {
            // It calls no code that may panic.
            let _ = thread.join();
        }
    }
}

impl Progress {
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock();
        change(&mut state);
        self.changed.notify_all();
    }
}

fn run(mut log: Log, commands: &Receiver<Command>, progress: &Progress, durable: &dyn Fn(Tick)) {
    let mut waiting = VecDeque::new();
    for command in commands {
        match command {
            Command::Write(record) => waiting.push_back(record),
            Command::Retry => {}
            Command::End => return,
            Command::Rotate(tell) => {
                log.rotate();
                let _ = tell.send(log.next_number());
            }
            Command::Cut(tick) => {
                // What can't be removed now is removed at the next checkpoint.
                let _ = log.remove_through(tick);
            }
        }
        let is_blocked = progress.state.lock().failed.is_some();
        while let Some(record) = waiting.front_mut().filter(|_| !is_blocked) {
            let watch = observe::RecordWatch::begin(record.tick(), record.length());
            match watch.write(|| log.write(record)) {
                Ok(seq) => {
                    let (kind, tick) = (record.kind(), record.tick());
                    waiting.pop_front();
                    // The waiters of the tick learn it before the driver goes on.
                    if kind != Kind::Ahead {
                        durable(tick);
                    }
                    progress.change(|state| {
                        state.pending -= 1;
                        state.seq = seq;
                    });
                }
                Err(error) => {
                    progress.change(|state| state.failed = Some(error));
                    break;
                }
            }
        }
    }
}
