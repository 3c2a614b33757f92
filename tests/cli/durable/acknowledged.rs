//! A colony that is written in rounds, each of which may be killed or fail, and what must hold after each.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tickring::testing::random::Random;

use super::{command, done, found, text};

/// The words of the texts.
const WORDS: [&str; 12] = [
    "sea", "tide", "wind", "ring", "hash", "tick", "shard", "barrier", "whale", "light", "house",
    "storm",
];
/// Each of so many lines of the input isn't a record.
const WRONG: usize = 97;

/// How a round ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// By itself.
    Itself,
    /// Killed after this time.
    After(Duration),
    /// Killed when so many acknowledgements have come.
    Acknowledged(usize),
}

/// What a round was.
pub(super) struct Round {
    pub(super) status: ExitStatus,
    pub(super) complaint: String,
    /// The last number of documents that was acknowledged.
    pub(super) durable: usize,
}

/// The colony, and what is known of its documents. Each text begins with its number; later texts have greater ones.
pub(super) struct Rounds {
    /// The directory with the colony `data`.
    place: PathBuf,
    /// The directory of the input, which has room.
    input: tempfile::TempDir,
    random: Random,
    numbers: u64,
    /// The greatest number of each id that was acknowledged.
    acknowledged: HashMap<String, u64>,
    /// All texts that were ever offered for each id.
    offered: HashMap<String, Vec<String>>,
}

impl Rounds {
    pub(super) fn new(place: &Path, seed: u64) -> Self {
        Self {
            place: place.to_owned(),
            input: tempfile::tempdir().unwrap(),
            random: Random::new(seed),
            numbers: 0,
            acknowledged: HashMap::new(),
            offered: HashMap::new(),
        }
    }

    pub(super) fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// Returns the directory of the last input.
    pub(super) fn input(&self) -> &Path {
        self.input.path()
    }

    pub(super) fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }

    /// Writes an input of so many lines with so many words each. Returns the id and the number of each line that is a record.
    fn write_input(&mut self, lines: usize, words: usize) -> Vec<Option<(String, u64)>> {
        let mut all = String::new();
        let mut known = Vec::new();
        for line in 0..lines {
            if line % WRONG == WRONG - 1 {
                all.push_str("not a record\n");
                known.push(None);
                continue;
            }
            self.numbers += 1;
            let (number, id) = (self.numbers, format!("r{}", self.random.below(5_000)));
            let mut body = format!("n{number}");
            for _ in 0..words {
                body.push(' ');
                match self.random.one_in(2) {
                    true => body.push_str(self.random.pick(&WORDS).unwrap()),
                    // It can't be compressed.
                    false => body.push_str(&format!(
                        "{0:016x}{1:016x}",
                        self.random.next(),
                        self.random.next()
                    )),
                }
            }
            all.push_str(&format!("{{\"id\":\"{id}\",\"text\":\"{body}\"}}\n"));
            self.offered.entry(id.clone()).or_default().push(body);
            known.push(Some((id, number)));
        }
        fs::write(self.input.path().join("input.jsonl"), all).unwrap();
        known
    }

    /// Indexes an input, and notes what is acknowledged.
    pub(super) fn index(&mut self, (lines, words): (usize, usize), end: End) -> Round {
        let known = self.write_input(lines, words);
        let complaints = self.input.path().join("complaints");
        let mut child = Command::new(env!("CARGO_BIN_EXE_tickring"))
            .args(["index", "input.jsonl", "--acknowledge", "--data"])
            .arg(self.place.join("data"))
            .current_dir(self.input.path())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&complaints).unwrap())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let durable = std::thread::scope(|scope| {
            let (tell, told) = std::sync::mpsc::channel();
            let reader = scope.spawn(move || {
                let mut durable = 0;
                for (at, line) in output.lines().map_while(Result::ok).enumerate() {
                    // A line that is cut off by the kill says nothing.
                    let Ok(line) = serde_json::from_str::<Value>(&line) else {
                        break;
                    };
                    durable = line["durable"].as_u64().unwrap().max(durable);
                    if matches!(end, End::Acknowledged(count) if count == at + 1) {
                        let _ = tell.send(());
                    }
                }
                durable
            });
            // The other end is dropped when the process has ended.
            match end {
                End::Itself => {}
                End::After(time) => drop(told.recv_timeout(time)),
                End::Acknowledged(_) => drop(told.recv()),
            }
            if !matches!(end, End::Itself) {
                let _ = child.kill();
            }
            reader.join().unwrap()
        });
        let durable = usize::try_from(durable).unwrap();
        assert!(durable <= lines, "{durable} of {lines}");
        for (id, number) in known.into_iter().take(durable).flatten() {
            self.acknowledged.insert(id, number);
        }
        let complaint = String::from_utf8_lossy(&fs::read(complaints).unwrap()).into_owned();
        // Of what was acknowledged, each line that is no record was named.
        let named = complaint.matches("input.jsonl:").count();
        assert!(
            named >= durable / WRONG,
            "{named} for {durable}: {complaint}"
        );
        assert!(!complaint.contains("panicked"), "{complaint}");
        let status = child.wait().unwrap();
        Round {
            status,
            complaint,
            durable,
        }
    }

    /// Checks that everything acknowledged is there once, with the text of its last acknowledged or a later input, and nothing else; that `verify`
    /// passes; and that searches give what one run in memory gives. Returns the number of documents.
    pub(super) fn check(&self) -> usize {
        let input = self.input.path();
        let data = self.place.join("data");
        let data = data.to_str().unwrap();
        let output = command(&["export", "--data", data], input);
        let complaint = text(&output.stderr);
        if self.acknowledged.is_empty() && complaint.contains("there is no colony") {
            return 0;
        }
        assert!(output.status.success(), "{complaint}");
        let lines = text(&output.stdout);
        let mut there = HashMap::new();
        for line in lines.lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            let (id, body) = (
                record["id"].as_str().unwrap(),
                record["text"].as_str().unwrap(),
            );
            assert!(self.offered[id].iter().any(|one| one == body), "{line}");
            let number: u64 = body[1..].split(' ').next().unwrap().parse().unwrap();
            let before = there.insert(id.to_owned(), number);
            assert_eq!(before, None, "{id} is there twice");
        }
        for (id, number) in &self.acknowledged {
            let kept = there.get(id).unwrap_or_else(|| panic!("{id} is lost"));
            assert!(
                kept >= number,
                "{id} has the text {kept}, but {number} was acknowledged"
            );
        }
        done(&["verify", "--data", data], input);
        if !there.is_empty() {
            fs::write(input.join("export.jsonl"), &lines).unwrap();
            let queries = [
                "sea",
                "+tide -wind",
                "\"hash ring\"",
                "whale AND (light OR house)",
            ];
            let queries = queries.iter().flat_map(|query| ["--query", query]);
            let options: Vec<_> = queries.chain(["--json", "--top", "50"]).collect();
            let answers = done(&[&["search", "--data", data], &options[..]].concat(), input);
            let expected = done(&[&["run", "export.jsonl"], &options[..]].concat(), input);
            assert_eq!(found(&answers), found(&expected));
        }
        there.len()
    }
}
