//! What became of every write of a colony's life, and what must be live at its end.

use std::collections::BTreeMap;
use std::sync::Arc;

use tickring::search::TextDocument;
use tickring::{DocumentId, ReturnReason, Returned, Tick, Write};

/// A write that was accepted. Its writer sends no other for the same id before this one's tick is published.
pub(crate) struct Accepted {
    pub(crate) write: Write<TextDocument>,
    pub(crate) ticket: Tick,
}

/// The accepted writes in the order of their acceptance, by id, and which came back.
#[derive(Default)]
pub(crate) struct Ledger {
    accepted: BTreeMap<DocumentId, Vec<(Accepted, Option<ReturnReason>)>>,
}

impl Ledger {
    pub(crate) fn enter(&mut self, accepted: Accepted) {
        let id = accepted.write.id();
        self.accepted.entry(id).or_default().push((accepted, None));
    }

    /// A write came back in the report of a tick, or from the end of a colony whose last tick this was to be.
    pub(crate) fn give_back(&mut self, tick: Tick, returned: &Returned<TextDocument>) {
        let id = returned.write.id();
        // The tickets of an id ascend, and each is resolved by its tick: this is the first one that may be open.
        let entries = self.accepted.get_mut(&id).expect("it was accepted");
        let (accepted, fate) = entries
            .iter_mut()
            .find(|(accepted, _)| tick <= accepted.ticket)
            .expect("it was open in that tick");
        assert!(
            same(&accepted.write, &returned.write),
            "another write came back"
        );
        assert_eq!(*fate, None, "a write came back twice");
        *fate = Some(returned.reason);
    }

    pub(crate) fn len(&self) -> usize {
        self.accepted.values().map(Vec::len).sum()
    }

    pub(crate) fn returned(&self) -> usize {
        let entries = self.accepted.values().flatten();
        entries.filter(|(_, fate)| fate.is_some()).count()
    }

    /// The documents that must be live: every write that didn't come back took effect, in its order.
    pub(crate) fn live(&self) -> BTreeMap<DocumentId, Arc<TextDocument>> {
        let mut live = BTreeMap::new();
        for (&id, entries) in &self.accepted {
            for (accepted, fate) in entries {
                let exists = live.contains_key(&id);
                match (&accepted.write, fate) {
                    (Write::Add { .. }, Some(ReturnReason::Exists)) => {
                        assert!(exists, "an addition of what is new was refused");
                    }
                    (_, Some(_)) => {}
                    (Write::Add { document, .. }, None) => {
                        assert!(!exists, "an addition took the place of what is there");
                        live.insert(id, Arc::clone(document));
                    }
                    (Write::Upsert { document, .. }, None) => {
                        live.insert(id, Arc::clone(document));
                    }
                    (Write::Delete { .. }, None) => {
                        live.remove(&id);
                    }
                }
            }
        }
        live
    }
}

fn same(a: &Write<TextDocument>, b: &Write<TextDocument>) -> bool {
    match (a.document(), b.document()) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => a.id() == b.id(),
        _ => false,
    }
}
