//! Threads that write, and know what may be published of it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tickring::colony::{Intake, TickReport, Write};
use tickring::search::{TextDocument, TextShard};
use tickring::testing::random::Random;
use tickring::{DocumentId, Tick};

/// The ids of a writer.
const IDS: u64 = 300;

pub(crate) fn document(text: &str) -> TextDocument {
    let mut document = super::config().schema.document();
    document.add("body", text).unwrap();
    document
}

/// A write that was accepted: the last tick that may publish it, and the text of the document after it.
#[derive(Debug, Clone)]
struct Accepted {
    tick: Tick,
    is_add: bool,
    text: Option<String>,
}

/// A thread that alone writes its ids.
pub(crate) struct Writer {
    number: u64,
    seed: u64,
    accepted: Mutex<BTreeMap<DocumentId, Vec<Accepted>>>,
}

impl Writer {
    pub(crate) fn new(number: u64, seed: u64) -> Self {
        Self {
            number,
            seed,
            accepted: Mutex::default(),
        }
    }

    pub(crate) fn written(&self) -> usize {
        self.accepted.lock().unwrap().values().map(Vec::len).sum()
    }

    pub(crate) fn run(&self, intake: &Intake<TextShard>, stop: &AtomicBool) {
        let mut random = Random::new(self.seed * 31 + self.number);
        let mut count = 0;
        while !stop.load(Ordering::Relaxed) {
            let id = DocumentId::from_seed(self.number * IDS + random.range(0, IDS));
            count += 1;
            let words = random.range(3, 12);
            let words: Vec<_> = (0..words).map(|_| super::word(&mut random)).collect();
            let text = format!("{} n{count}", words.join(" "));
            // Accepted and noted in one step, as the check sees it.
            let mut accepted = self.accepted.lock().unwrap();
            let (is_add, ticket, text) = match random.below(8) {
                0 => (false, intake.try_delete(id).ok(), None),
                1 => (true, intake.try_add(id, document(&text)).ok(), Some(text)),
                _ => (
                    false,
                    intake.try_upsert(id, document(&text)).ok(),
                    Some(text),
                ),
            };
            if let Some(ticket) = ticket {
                let tick = ticket.tick();
                let of_id = accepted.entry(id).or_default();
                of_id.push(Accepted { tick, is_add, text });
            }
            drop(accepted);
            if count % 16 == 0 {
                std::thread::yield_now();
            }
        }
    }

    /// Only an add of a document that is there comes back.
    pub(crate) fn returned(&self, report: &TickReport<TextDocument>) {
        let mut accepted = self.accepted.lock().unwrap();
        for returned in &report.returned {
            let Write::Add { id, document } = &returned.write else {
                panic!("{returned:?}");
            };
            let Some(of_id) = accepted.get_mut(id) else {
                continue;
            };
            let text = document.text("body");
            let at = of_id
                .iter()
                .position(|write| write.is_add && write.text.as_deref() == text);
            of_id.remove(at.unwrap());
        }
    }

    /// After a tick: each document is as one of its writes left it that this tick may have published, and no earlier one.
    pub(crate) fn check(&self, texts: &BTreeMap<DocumentId, String>, tick: Tick) {
        let mut accepted = self.accepted.lock().unwrap();
        for (id, writes) in accepted.iter_mut() {
            let published = texts.get(id);
            let last = writes.iter().rposition(|write| write.tick <= tick);
            let before = (last.is_none()).then_some(None);
            let may = writes[last.unwrap_or(0)..]
                .iter()
                .map(|write| write.text.as_ref());
            let mut may = before.into_iter().chain(may);
            assert!(
                may.any(|text| text == published),
                "{id} is {published:?} after tick {tick}, of {writes:?}"
            );
            // What is decided needs no other look.
            writes.drain(..last.unwrap_or(0));
        }
        for id in texts.keys() {
            let is_own = (0..IDS).any(|n| DocumentId::from_seed(self.number * IDS + n) == *id);
            assert!(
                !is_own || accepted.contains_key(id),
                "{id} comes from nowhere"
            );
        }
    }

    /// With nothing left to publish: each document is as its last write left it.
    pub(crate) fn check_end(&self, texts: &BTreeMap<DocumentId, String>) {
        for (id, writes) in &*self.accepted.lock().unwrap() {
            let last = writes.last().and_then(|write| write.text.as_ref());
            assert_eq!(texts.get(id), last, "{id} of {writes:?}");
        }
    }
}
