//! A child process: what it says, what it is told, and its end.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use super::child::{CHILD, MARK};
use super::script::Life;

/// What came until a moment.
pub(super) enum Heard {
    Line(String),
    Nothing,
    /// The process has ended, and all that it said was heard.
    End,
}

pub(super) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    /// What it writes to its standard error.
    complaints: File,
    was_killed: bool,
    has_ended: bool,
}

impl Process {
    pub(super) fn start(life: &Life) -> Self {
        let complaints = tempfile::tempfile().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "soak::child::the_child", "--nocapture"])
            .env(CHILD, life.to_json())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(complaints.try_clone().unwrap())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            // A line that a kill has cut off says nothing.
            while output.read_line(&mut line).is_ok() && line.ends_with('\n') {
                if let Some((_, said)) = line.trim_end().split_once(MARK)
                    && tell.send(said.to_owned()).is_err()
                {
                    return;
                }
                line.clear();
            }
        });
        Self {
            input: child.stdin.take(),
            child,
            lines,
            complaints,
            was_killed: false,
            has_ended: false,
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the next line, until a moment.
    pub(super) fn hear(&self, until: Instant) -> Heard {
        let timeout = until.saturating_duration_since(Instant::now());
        match self.lines.recv_timeout(timeout) {
            Ok(line) => Heard::Line(line),
            Err(RecvTimeoutError::Timeout) => Heard::Nothing,
            Err(RecvTimeoutError::Disconnected) => Heard::End,
        }
    }

    /// Gives an order. A process that has ended hears nothing.
    pub(super) fn tell(&mut self, what: &str) {
        if let Some(input) = &mut self.input {
            let _ = writeln!(input, "{what}").and_then(|()| input.flush());
        }
    }

    /// Kills it. Returns false if it was killed before.
    pub(super) fn kill(&mut self) -> bool {
        let _ = self.child.kill();
        !std::mem::replace(&mut self.was_killed, true)
    }

    /// Waits for its end, which must be one that was wanted. Returns whether it was killed.
    pub(super) fn end(&mut self) -> bool {
        let status = self.child.wait().unwrap();
        self.has_ended = true;
        assert!(status.success() || self.was_killed, "{status}");
        assert!(status.success() || status.code().is_none(), "{status}");
        !status.success()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.has_ended {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if thread::panicking() {
            let mut text = Vec::new();
            let _ = self.complaints.seek(SeekFrom::Start(0));
            let _ = self.complaints.read_to_end(&mut text);
            let end = text.len().saturating_sub(6_000);
            println!("...{}", String::from_utf8_lossy(&text[end..]));
        }
    }
}
