//! What became of every write of a colony's life, and what was to be live after each of its ticks.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tickring::colony::{ReturnReason, Returned, Write};
use tickring::search::TextDocument;
use tickring::testing::random::mix;
use tickring::{DocumentId, Publication, Tick};

use super::moody::{DEADLY, MoodyView, UNWELCOME};

/// A write that was accepted. Its writer sends no other for the same id before this one's tick is published.
pub(crate) struct Accepted {
    pub(crate) write: Write<TextDocument>,
    pub(crate) ticket: Tick,
}

/// What a colony's driver saw, in its order.
pub(crate) enum Event {
    /// A shard sent this; it is accepted with the next tick as its ticket.
    Sent(Accepted),
    Published(Tick, Write<TextDocument>),
    Returned(Tick, Returned<TextDocument>),
    /// A shard was forgotten, and with it this document.
    Lost(DocumentId),
    /// A tick has ended, and this is published now.
    Ended(Contents),
}

/// How many documents there are, and a sum over which ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    documents: usize,
    sum: u64,
}

impl Contents {
    pub(crate) fn of(publication: &Publication<MoodyView>) -> Self {
        let views = publication.shards().iter();
        views
            .flat_map(|published| published.view().documents.iter())
            .collect()
    }
}

impl<'a> FromIterator<(&'a DocumentId, &'a Arc<TextDocument>)> for Contents {
    fn from_iter<I: IntoIterator<Item = (&'a DocumentId, &'a Arc<TextDocument>)>>(
        documents: I,
    ) -> Self {
        let mut contents = Self::default();
        for (id, document) in documents {
            let id = id.as_bytes().iter().fold(0_u64, |hash, &byte| {
                mix(hash.rotate_left(8) ^ u64::from(byte))
            });
            contents.documents += 1;
            let which = mix(id ^ Arc::as_ptr(document) as u64);
            contents.sum = contents.sum.wrapping_add(which);
        }
        contents
    }
}

/// The accepted writes whose fate is open, by id in the order of their acceptance, and what is live.
#[derive(Default)]
pub(crate) struct Ledger {
    open: BTreeMap<DocumentId, VecDeque<Accepted>>,
    pub(crate) live: BTreeMap<DocumentId, Arc<TextDocument>>,
    pub(crate) accepted: u64,
    pub(crate) returned: u64,
    pub(crate) lost: u64,
}

impl Ledger {
    pub(crate) fn enter(&mut self, accepted: Accepted) {
        let id = accepted.write.id();
        self.open.entry(id).or_default().push_back(accepted);
        self.accepted += 1;
    }

    /// Every accepted write has come to one end, and only one.
    pub(crate) fn replay(&mut self, events: Vec<Event>) {
        for event in events {
            match event {
                Event::Sent(accepted) => self.enter(accepted),
                Event::Published(tick, write) => {
                    self.resolve(tick, &write);
                    self.apply(write);
                }
                Event::Returned(tick, returned) => {
                    self.resolve(tick, &returned.write);
                    self.give_back(&returned);
                }
                Event::Lost(id) => {
                    self.live.remove(&id).expect("what was lost was there");
                    self.lost += 1;
                }
                Event::Ended(contents) => {
                    let live = self.live.iter().collect::<Contents>();
                    assert_eq!(contents, live, "another state is published");
                }
            }
        }
        let open = self.open.values().flatten();
        let open: Vec<_> = open.map(|a| (&a.write, a.ticket)).collect();
        assert!(open.is_empty(), "neither published nor returned: {open:?}");
    }

    /// The tickets of an id ascend, and each is resolved by its tick: this is the first one that is open.
    fn resolve(&mut self, tick: Tick, write: &Write<TextDocument>) {
        let open = self.open.get_mut(&write.id());
        let accepted = open
            .and_then(VecDeque::pop_front)
            .expect("it was accepted, and open in that tick");
        assert!(
            tick <= accepted.ticket,
            "it came after tick {}",
            accepted.ticket
        );
        assert!(same(&accepted.write, write), "another write came");
    }

    fn apply(&mut self, write: Write<TextDocument>) {
        if let Some(document) = write.document() {
            let title = document.title.as_str();
            assert!(title != UNWELCOME && title != DEADLY, "it was published");
        }
        match write {
            Write::Add { id, document } => {
                let before = self.live.insert(id, document);
                assert!(before.is_none(), "an addition took another's place");
            }
            Write::Upsert { id, document } => drop(self.live.insert(id, document)),
            Write::Delete { id } => drop(self.live.remove(&id)),
        }
    }

    fn give_back(&mut self, returned: &Returned<TextDocument>) {
        self.returned += 1;
        let title = returned.write.document().map(|document| &*document.title);
        let is_there = self.live.contains_key(&returned.write.id());
        match &returned.reason {
            ReturnReason::Exists => assert!(is_there, "an addition of what is new was refused"),
            ReturnReason::Refused(why) => {
                assert!(matches!(title, Some(UNWELCOME | DEADLY)), "{why}");
                assert_eq!(title, Some(&*why.to_string()));
            }
            _ => {}
        }
    }
}

fn same(a: &Write<TextDocument>, b: &Write<TextDocument>) -> bool {
    match (a.document(), b.document()) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => a.id() == b.id(),
        _ => false,
    }
}
