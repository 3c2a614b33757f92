//! The outcomes of all writes to a colony, and the documents that must be live after each tick.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::super::random::mix;
use crate::colony::{ReturnReason, Returned, Write};
use crate::{DocumentId, Publication, Tick, View};

/// An accepted write. Its writer sends no other one for the same id before the tick of this one is published.
#[derive(Debug)]
pub struct Accepted<D> {
    pub write: Write<D>,
    pub ticket: Tick,
}

/// An event that a colony's driver saw. The order of events matters.
#[derive(Debug)]
pub enum Event<D> {
    /// A shard sent this message. It is accepted with the next tick as its ticket.
    Sent(Accepted<D>),
    Published(Tick, Write<D>),
    Returned(Tick, Returned<D>),
    /// A shard was forgotten, along with this document.
    Lost(DocumentId),
    /// A tick has ended, and this is its publication.
    Ended(Contents),
}

/// The number of documents, and a checksum of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Contents {
    documents: usize,
    sum: u64,
}

impl Contents {
    pub fn of<V: View, D: 'static>(
        publication: &Publication<V>,
        documents: impl Fn(&V) -> &BTreeMap<DocumentId, Arc<D>>,
    ) -> Self {
        let views = publication.shards().iter();
        views
            .flat_map(|published| documents(published.view()))
            .collect()
    }
}

impl<'a, D: 'a> FromIterator<(&'a DocumentId, &'a Arc<D>)> for Contents {
    fn from_iter<I: IntoIterator<Item = (&'a DocumentId, &'a Arc<D>)>>(documents: I) -> Self {
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

/// The accepted writes without an outcome, by id and in the order of their acceptance, and the live documents.
#[derive(Debug)]
pub struct Ledger<D> {
    /// Returns why shards refuse a document, if they do.
    refusal: fn(&D) -> Option<&str>,
    open: BTreeMap<DocumentId, VecDeque<Accepted<D>>>,
    pub live: BTreeMap<DocumentId, Arc<D>>,
    pub accepted: u64,
    pub returned: u64,
    pub lost: u64,
}

impl<D> Ledger<D> {
    pub fn new(refusal: fn(&D) -> Option<&str>) -> Self {
        Self {
            refusal,
            open: BTreeMap::new(),
            live: BTreeMap::new(),
            accepted: 0,
            returned: 0,
            lost: 0,
        }
    }

    pub fn enter(&mut self, accepted: Accepted<D>) {
        let id = accepted.write.id();
        self.open.entry(id).or_default().push_back(accepted);
        self.accepted += 1;
    }

    /// Checks that every accepted write has had exactly one outcome.
    pub fn replay(&mut self, events: Vec<Event<D>>) {
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

    /// Resolves the first open ticket of an id. Tickets of an id ascend, and each is resolved by its tick at the latest.
    fn resolve(&mut self, tick: Tick, write: &Write<D>) {
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

    fn apply(&mut self, write: Write<D>) {
        if let Some(document) = write.document() {
            assert_eq!((self.refusal)(document), None, "it was published");
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

    fn give_back(&mut self, returned: &Returned<D>) {
        self.returned += 1;
        let is_there = self.live.contains_key(&returned.write.id());
        match &returned.reason {
            ReturnReason::Exists => assert!(is_there, "an addition of what is new was refused"),
            ReturnReason::Refused(why) => {
                let document = returned.write.document();
                let refusal = document.and_then(|document| (self.refusal)(document));
                assert_eq!(refusal, Some(&*why.to_string()));
            }
            _ => {}
        }
    }
}

fn same<D>(a: &Write<D>, b: &Write<D>) -> bool {
    match (a.document(), b.document()) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => a.id() == b.id(),
        _ => false,
    }
}
