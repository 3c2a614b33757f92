//! What the parent knows of the documents: the acknowledged writes, and those of which it can't know.

use std::collections::{BTreeMap, HashMap};

use super::script::{IDS, Kind, Script};

/// Why a write has not changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// It adds a document that exists.
    Exists,
    /// It was not accepted, or was set aside.
    Otherwise,
}

/// The documents, and what may have become of them.
#[derive(Debug)]
pub(super) struct Model {
    script: Script,
    /// For each id the number of the write that its document comes from.
    documents: HashMap<u64, u64>,
    /// All writes before this one are acknowledged.
    pub(super) acknowledged: u64,
    /// No write from this one on was offered.
    pub(super) offered: u64,
    /// Of the writes that are not acknowledged, those that have changed nothing.
    refused: BTreeMap<u64, Refused>,
}

impl Model {
    pub(super) fn new(script: Script) -> Self {
        Self {
            script,
            documents: HashMap::new(),
            acknowledged: 0,
            offered: 0,
            refused: BTreeMap::new(),
        }
    }

    pub(super) fn documents(&self) -> usize {
        self.documents.len()
    }

    pub(super) fn refuse(&mut self, write: u64, why: Refused) {
        assert!(
            (self.acknowledged..self.offered).contains(&write),
            "write {write}"
        );
        self.refused.insert(write, why);
    }

    /// Applies all writes before this one. What was refused must be what had to be.
    pub(super) fn acknowledge(&mut self, up_to: u64) {
        assert!((self.acknowledged..=self.offered).contains(&up_to));
        for number in self.acknowledged..up_to {
            let (id, kind) = self.script.write(number);
            let refused = self.refused.remove(&number);
            if refused == Some(Refused::Otherwise) {
                continue;
            }
            let exists = self.documents.contains_key(&id);
            let is_right = exists && kind == Kind::Add;
            assert_eq!(
                refused.is_some(),
                is_right,
                "write {number}, {kind:?} of {id}"
            );
            match kind {
                Kind::Poison => panic!("write {number} is poisonous, and was not refused"),
                Kind::Add | Kind::Upsert if refused.is_none() => {
                    self.documents.insert(id, number);
                }
                Kind::Delete => drop(self.documents.remove(&id)),
                Kind::Add | Kind::Upsert => {}
            }
        }
        self.acknowledged = up_to;
    }

    /// Compares the documents with those of a colony that was opened: for each id the write. From then on they are known.
    pub(super) fn opened(&mut self, found: HashMap<u64, u64>) {
        // For each id the undecided documents, and whether it may be deleted.
        let mut undecided: HashMap<u64, (Vec<u64>, bool)> = HashMap::new();
        for number in self.acknowledged..self.offered {
            if self.refused.contains_key(&number) {
                continue;
            }
            let (id, kind) = self.script.write(number);
            let of_id = undecided.entry(id).or_default();
            match kind {
                Kind::Add | Kind::Upsert => of_id.0.push(number),
                Kind::Delete => of_id.1 = true,
                Kind::Poison => {}
            }
        }
        for id in 0..IDS {
            let (known, now) = (self.documents.get(&id), found.get(&id));
            let (later, may_be_gone) = undecided.remove(&id).unwrap_or_default();
            let is_right = known == now || now.map_or(may_be_gone, |now| later.contains(now));
            assert!(
                is_right,
                "{id} has the document of write {now:?}, but that of {known:?} was acknowledged, and {later:?} were offered later (deleted: {may_be_gone})"
            );
        }
        assert!(found.keys().all(|&id| id < IDS));
        self.documents = found;
        self.acknowledged = self.offered;
        self.refused.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a model with so many acknowledged writes, and the next that upserts.
    fn model() -> (Model, u64) {
        let mut model = Model::new(Script { seed: 3 });
        let upserts = |&number: &u64| model.script.write(number).1 == Kind::Upsert;
        let next = (0..).find(upserts).unwrap();
        model.offered = next + 1;
        for number in 0..next {
            model.refuse(number, Refused::Otherwise);
        }
        (model, next)
    }

    #[test]
    fn a_write_that_was_not_acknowledged_may_be_there_or_not() {
        for is_there in [false, true] {
            let (mut model, write) = model();
            let id = model.script.write(write).0;
            model.opened(is_there.then_some((id, write)).into_iter().collect());
            assert_eq!(model.documents(), usize::from(is_there));
        }
    }

    #[test]
    #[should_panic(expected = "was acknowledged")]
    fn an_acknowledged_write_that_is_lost_is_noticed() {
        let (mut model, write) = model();
        model.acknowledge(write + 1);
        model.opened(HashMap::new());
    }

    #[test]
    #[should_panic(expected = "was acknowledged")]
    fn a_document_of_another_write_is_noticed() {
        let (mut model, write) = model();
        let id = model.script.write(write).0;
        model.opened([(id, write + 1)].into());
    }
}
