use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::differences::{State, same_state};
use super::run::Checked;
use super::*;
use crate::colony::{Batch, Refusal, Saved, Saving, Shard, TickContext};
use crate::id::{DocumentId, ShardId};
use crate::placement::Placement;
use crate::publication::{Movable, View};
use crate::sync::{Arc, AtomicBool, Mutex, Ordering};

/// What is wrong with a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    /// A decoded document isn't the one that was encoded.
    Bytes,
    /// Something is lost in encoding, which the bytes don't show.
    Lossy,
    /// Whether a write is refused depends on something else than the shard.
    Mood,
    /// What a tick has written is seen by the next only once it is visible.
    Late,
    /// A view changes with the shard.
    Shared,
    /// A phase that isn't run again changes documents.
    Decay,
    Sense,
    /// A file is kept that has changed.
    Stale,
    /// A document is lost when it is saved.
    Lost,
    /// What was saved can't be opened.
    Unreadable,
    /// Only the ids are saved.
    IdsAlone,
    /// A document isn't read back.
    Unread,
    /// Documents are read that lie outside the range.
    Outside,
    /// A position isn't listed.
    Position,
    /// A document is read back as it was once.
    Outdated,
}

type Notes = BTreeMap<DocumentId, u32>;

struct Settings {
    mistake: Mistake,
    was_opened: AtomicBool,
}

struct Faulty {
    mistake: Mistake,
    is_moody: bool,
    notes: Notes,
    visible: Arc<Mutex<Notes>>,
}

struct FaultyView {
    mistake: Mistake,
    notes: Arc<Mutex<Notes>>,
}

impl Shard for Faulty {
    type Document = u32;
    type View = FaultyView;

    fn sense(&mut self, _: &mut TickContext<'_, u32, FaultyView>) -> Result<(), ShardFailure> {
        if self.mistake == Mistake::Sense {
            self.notes.insert(DocumentId::from_seed(99), 0);
        }
        Ok(())
    }

    fn act(
        &mut self,
        _: &mut TickContext<'_, u32, FaultyView>,
        batch: &mut Batch<'_, u32>,
    ) -> Result<(), ShardFailure> {
        for (index, _, write) in batch.iter() {
            let exists = match self.mistake {
                Mistake::Late => self.visible.lock().contains_key(&write.id()),
                _ => self.notes.contains_key(&write.id()),
            };
            match write {
                Write::Add { .. } if exists => batch.refuse(index, Refusal::Exists),
                Write::Add { id, document } | Write::Upsert { id, document } => {
                    self.notes.insert(*id, **document);
                }
                Write::Delete { .. } if self.is_moody => {
                    batch.refuse(index, Refusal::Because("not today".into()));
                }
                Write::Delete { id } => drop(self.notes.remove(id)),
            }
        }
        Ok(())
    }

    fn decay(&mut self, _: &mut TickContext<'_, u32, FaultyView>) -> Result<(), ShardFailure> {
        if self.mistake == Mistake::Decay {
            self.notes.retain(|_, note| *note > 5);
        }
        Ok(())
    }

    fn advance(&mut self, _: &mut TickContext<'_, u32, FaultyView>) -> Result<(), ShardFailure> {
        if self.mistake == Mistake::Shared {
            self.visible.lock().clone_from(&self.notes);
        } else {
            self.visible = Arc::new(Mutex::new(self.notes.clone()));
        }
        Ok(())
    }

    fn view(&mut self) -> Result<FaultyView, ShardFailure> {
        Ok(FaultyView {
            mistake: self.mistake,
            notes: Arc::clone(&self.visible),
        })
    }
}

impl View for FaultyView {
    type Statistics = ();

    fn holds(&self, document: DocumentId) -> bool {
        self.notes.lock().contains_key(&document)
    }
    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        Ok(self.notes.lock().keys().rev().copied().collect())
    }
    fn statistics(_: &[&Self]) -> Result<(), ShardFailure> {
        Ok(())
    }
}

impl Movable<u32> for FaultyView {
    fn documents_between(
        &self,
        placement: Placement,
        positions: RangeInclusive<u64>,
    ) -> Result<Vec<(DocumentId, Arc<u32>)>, ShardFailure> {
        let notes = self.notes.lock();
        let inside = notes.iter();
        let inside = inside.filter(|(id, note)| {
            let is_inside = positions.contains(&placement.document_position(id));
            match self.mistake {
                Mistake::Unread => is_inside && **note != 3,
                Mistake::Outside => is_inside || **note == 3,
                _ => is_inside,
            }
        });
        let read = |note: u32| match self.mistake {
            Mistake::Outdated if note == 3 => 4,
            _ => note,
        };
        Ok(inside
            .map(|(id, note)| (*id, Arc::new(read(*note))))
            .collect())
    }

    fn positions_between(
        &self,
        placement: Placement,
        positions: RangeInclusive<u64>,
    ) -> Result<Vec<u64>, ShardFailure> {
        let notes = self.notes.lock();
        let inside = notes.iter();
        let inside = inside.filter(|(_, note)| self.mistake != Mistake::Position || **note != 3);
        let at = inside.map(|(id, _)| placement.document_position(id));
        Ok(at.filter(|at| positions.contains(at)).collect())
    }
}

impl DurableShard for Faulty {
    type Settings = Settings;

    fn encode(settings: &Settings, note: &u32, out: &mut Vec<u8>) -> Result<(), ShardFailure> {
        let lossy = settings.mistake == Mistake::Lossy && *note == 7;
        out.extend((note - u32::from(lossy)).to_le_bytes());
        Ok(())
    }

    fn decode(settings: &Settings, bytes: &[u8]) -> Result<u32, ShardFailure> {
        let note = u32::from_le_bytes(bytes.try_into()?);
        Ok(note + u32::from(settings.mistake == Mistake::Bytes && note == 7))
    }

    fn open(settings: &Settings, _: ShardId, saved: Option<&Saved>) -> Result<Self, ShardFailure> {
        let mistake = settings.mistake;
        let mut notes = Notes::new();
        if let Some(saved) = saved {
            if mistake == Mistake::Unreadable {
                return Err("unreadable".into());
            }
            for pair in saved.read("notes")?.chunks_exact(20) {
                let (id, note) = pair.split_at(16);
                let id = DocumentId::from_bytes(id.try_into()?);
                notes.insert(id, u32::from_le_bytes(note.try_into()?));
            }
        }
        let was_opened = settings.was_opened.swap(true, Ordering::Relaxed);
        Ok(Self {
            mistake,
            is_moody: was_opened && mistake == Mistake::Mood,
            visible: Arc::new(Mutex::new(notes.clone())),
            notes,
        })
    }

    fn save(view: &FaultyView, saving: &mut Saving<'_>) -> Result<(), ShardFailure> {
        if view.mistake == Mistake::Stale && saving.keep("notes") {
            return Ok(());
        }
        let notes = view.notes.lock();
        let mut bytes = Vec::new();
        for (id, note) in notes.iter() {
            if view.mistake == Mistake::Lost && notes.len() > 3 && *note == 7 {
                continue;
            }
            let note = if view.mistake == Mistake::IdsAlone {
                0
            } else {
                *note
            };
            bytes.extend(id.as_bytes());
            bytes.extend(note.to_le_bytes());
        }
        Ok(saving.write("notes", &bytes)?)
    }
}

fn ticks() -> Vec<Vec<Write<u32>>> {
    let note = |seed: u32| (DocumentId::from_seed(seed.into()), Arc::new(seed));
    let add = |seed| {
        let (id, document) = note(seed);
        Write::Add { id, document }
    };
    let upsert = |seed| {
        let (id, document) = note(seed);
        Write::Upsert { id, document }
    };
    let delete = |seed| Write::Delete {
        id: DocumentId::from_seed(seed),
    };
    vec![
        vec![add(1), add(7), add(1), delete(2)],
        vec![],
        vec![upsert(2), add(3), delete(1), add(7)],
        vec![add(1), add(2), delete(9), upsert(7)],
    ]
}

fn check(mistake: Mistake) -> Checked<()> {
    let settings = Settings {
        mistake,
        was_opened: AtomicBool::new(false),
    };
    check_durable::<Faulty, _>(&settings, &ticks(), |view| Ok(view.notes.lock().clone()))
}

#[test]
fn a_shard_that_does_as_it_should_passes() {
    assert_eq!(check(Mistake::None), Ok(()));
}

#[test]
fn each_mistake_is_found_and_named() {
    let cases = [
        (
            Mistake::Bytes,
            "the document of write 2 in tick 1 has other bytes once it was decoded",
        ),
        (
            Mistake::Lossy,
            "opened from what was saved after 0 ticks, after tick 1, the shard holds",
        ),
        (
            Mistake::Mood,
            "opened from what was saved after 0 ticks, after tick 1, the shard refuses",
        ),
        (
            Mistake::Late,
            "opened from what was saved after 0 ticks, with the rest at once, the shard refuses",
        ),
        (
            Mistake::Shared,
            "after all ticks, the view of tick 0, the shard holds",
        ),
        (
            Mistake::Decay,
            "opened from what was saved after 0 ticks, after tick 1, the shard holds",
        ),
        (
            Mistake::Sense,
            "opened from what was saved after 0 ticks, after tick 1, the shard holds",
        ),
        (
            Mistake::Stale,
            "opened from what was saved after 0 ticks, saved after the rest and opened again, the shard holds",
        ),
        (
            Mistake::Lost,
            "opened from what was saved after 0 ticks, saved after the rest and opened again, the shard holds",
        ),
        (
            Mistake::Unreadable,
            "opened from what was saved after 0 ticks, the shard fails: unreadable",
        ),
        (
            Mistake::IdsAlone,
            "opened from what was saved after 0 ticks, saved after the rest and opened again, the shard holds",
        ),
        (
            Mistake::Unread,
            "after tick 3, the view reads the documents",
        ),
        (
            Mistake::Outside,
            "after tick 3, the view reads the documents",
        ),
        (
            Mistake::Position,
            "after tick 3, the view reads the positions",
        ),
        (
            Mistake::Outdated,
            "after tick 3, when all its documents have moved to an empty one, the shard holds",
        ),
    ];
    for (mistake, expected) in cases {
        let error = check(mistake).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{mistake:?}: {error}");
    }
}

#[test]
fn a_difference_is_shown_from_a_little_before() {
    let state = |last| State {
        documents: (0..100).map(DocumentId::from_seed).collect(),
        shown: last,
    };
    let error = same_state("now", &state(1), &state(2))
        .unwrap_err()
        .to_string();
    let (found, expected) = error.split_once(" instead of ").unwrap();
    assert!(
        found.ends_with("shown: 2 }\"") && expected.ends_with("shown: 1 }\""),
        "{error}"
    );
    assert!(error.len() < 200, "{error}");
}
