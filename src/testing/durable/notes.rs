//! A durable shard of texts.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::hazards::{Hazards, Moment};
use crate::colony::{
    Batch, DurableShard, Origin, Refusal, Saved, Saving, Shard, ShardMetrics, TickContext, Write,
};
use crate::id::{DocumentId, ShardId, Tick};
use crate::placement::Placement;
use crate::publication::{Movable, ShardFailure, View};
use crate::sync::Arc;

/// The files of a shard.
const PAGES: usize = 3;
/// A text that begins with this and a number goes to the document with that seed.
const MOVE: &str = "move ";

/// A shard dies of this text each time.
pub(super) const POISON: &str = "poison";

/// A shard dies of this text as long as it is [weak](Hazards::weaken).
pub(super) const FRAIL: &str = "frail";

/// A shard dies of this text each time if the document moves to it.
pub(super) const SETTLED: &str = "settled";

/// Texts by id. It is its own view.
///
/// Refuses to add what it has, and empty texts. A text `move 7` is sent to the document with the seed 7 in each tick in which the shard finds it:
/// an addition there, and the deletion here. What didn't change since it was saved isn't saved again.
#[derive(Debug, Clone)]
pub struct Notes {
    shard: ShardId,
    tick: Tick,
    pages: [Arc<Page>; PAGES],
    hazards: Hazards,
}

#[derive(Debug, Clone, Default)]
struct Page {
    texts: BTreeMap<DocumentId, String>,
    /// The tick of its last change.
    changed: Tick,
}

/// Why a shard of texts refuses a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    Exists,
    Empty,
    SetAside,
    /// It was applied, and nobody has seen that before the shard was forgotten.
    Lost,
}

/// The reason for which an empty text is refused.
pub(super) const EMPTY: &str = "it is empty";

/// Says whether a shard of texts refuses a write, given what it has.
pub(super) fn refusal(texts: &BTreeMap<DocumentId, String>, write: &Write<String>) -> Option<Why> {
    match write {
        Write::Add { id, .. } if texts.contains_key(id) => Some(Why::Exists),
        Write::Add { document, .. } | Write::Upsert { document, .. } => {
            document.is_empty().then_some(Why::Empty)
        }
        Write::Delete { .. } => None,
    }
}

/// Whether a shard dies of a write that it doesn't refuse.
pub(super) fn is_poison(write: &Write<String>) -> bool {
    let document = write.document();
    document.is_some_and(|text| **text == POISON)
}

fn is_frail(write: &Write<String>) -> bool {
    let document = write.document();
    document.is_some_and(|text| **text == FRAIL)
}

fn is_settled(origin: Origin, write: &Write<String>) -> bool {
    let document = write.document();
    matches!(origin, Origin::Moved(_)) && document.is_some_and(|text| **text == SETTLED)
}

/// Applies a write that isn't refused.
pub(super) fn apply(texts: &mut BTreeMap<DocumentId, String>, write: &Write<String>) {
    match write {
        Write::Add { id, document } | Write::Upsert { id, document } => {
            texts.insert(*id, (**document).clone());
        }
        Write::Delete { id } => drop(texts.remove(id)),
    }
}

/// Returns the writes that a shard with this text sends.
pub(super) fn messages(id: DocumentId, text: &str) -> Option<[Write<String>; 2]> {
    let seed = text.strip_prefix(MOVE)?.parse().ok()?;
    let there = Write::Add {
        id: DocumentId::from_seed(seed),
        document: Arc::new(format!("from {id}")),
    };
    Some([there, Write::Delete { id }])
}

fn page(id: &DocumentId) -> usize {
    usize::from(id.as_bytes()[15]) % PAGES
}

impl Notes {
    /// Returns all texts.
    pub fn texts(&self) -> BTreeMap<DocumentId, String> {
        let pages = self.pages.iter();
        pages.flat_map(|page| page.texts.clone()).collect()
    }

    fn pass(&self, tick: Tick, moment: Moment) -> Result<(), ShardFailure> {
        self.hazards.pass(self.shard, tick, moment)
    }
}

impl Shard for Notes {
    type Document = String;
    type View = Self;

    fn sense(&mut self, context: &mut TickContext<'_, String, Self>) -> Result<(), ShardFailure> {
        for (id, text) in self.texts() {
            for write in messages(id, &text).into_iter().flatten() {
                // Refused in the last tick.
                let _ = context.send(write);
            }
        }
        self.pass(context.tick(), Moment::Sense)
    }

    fn act(
        &mut self,
        context: &mut TickContext<'_, String, Self>,
        batch: &mut Batch<'_, String>,
    ) -> Result<(), ShardFailure> {
        if !context.publication().shards().is_empty() {
            return Err("what is repeated can't see what was published".into());
        }
        for (index, origin, write) in batch.iter() {
            let page = Arc::make_mut(&mut self.pages[page(&write.id())]);
            match refusal(&page.texts, write) {
                _ if is_frail(write) && self.hazards.is_frail() => {
                    std::panic::resume_unwind(Box::new("too frail"));
                }
                Some(Why::Exists) => batch.refuse(index, Refusal::Exists),
                Some(_) => batch.refuse(index, Refusal::Because(EMPTY.into())),
                None if is_poison(write) || is_settled(origin, write) => {
                    std::panic::resume_unwind(Box::new("poisoned"));
                }
                None => {
                    apply(&mut page.texts, write);
                    page.changed = context.tick();
                }
            }
        }
        self.pass(context.tick(), Moment::Act)
    }

    fn advance(&mut self, context: &mut TickContext<'_, String, Self>) -> Result<(), ShardFailure> {
        self.tick = context.tick();
        self.pass(self.tick, Moment::Advance)
    }

    fn view(&mut self) -> Result<Self, ShardFailure> {
        self.pass(self.tick, Moment::View)?;
        Ok(self.clone())
    }

    fn metrics(&self) -> ShardMetrics {
        ShardMetrics {
            documents: self.pages.iter().map(|page| page.texts.len()).sum(),
            memory_bytes: 0,
        }
    }
}

impl View for Notes {
    type Statistics = usize;

    fn holds(&self, document: DocumentId) -> bool {
        self.pages[page(&document)].texts.contains_key(&document)
    }
    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        Ok(self.texts().into_keys().collect())
    }
    fn statistics(views: &[&Self]) -> Result<usize, ShardFailure> {
        Ok(views.iter().map(|notes| notes.texts().len()).sum())
    }
}

impl Movable<String> for Notes {
    fn documents_between(
        &self,
        placement: Placement,
        positions: RangeInclusive<u64>,
    ) -> Result<Vec<(DocumentId, Arc<String>)>, ShardFailure> {
        let texts = self.texts().into_iter();
        let inside = texts.filter(|(id, _)| positions.contains(&placement.document_position(id)));
        Ok(inside.map(|(id, text)| (id, Arc::new(text))).collect())
    }
}

impl DurableShard for Notes {
    type Settings = Hazards;

    fn encode(
        _settings: &Hazards,
        document: &String,
        out: &mut Vec<u8>,
    ) -> Result<(), ShardFailure> {
        out.extend_from_slice(document.as_bytes());
        Ok(())
    }

    fn decode(_settings: &Hazards, bytes: &[u8]) -> Result<String, ShardFailure> {
        Ok(String::from_utf8(bytes.to_vec())?)
    }

    fn open(
        settings: &Hazards,
        shard: ShardId,
        saved: Option<&Saved>,
    ) -> Result<Self, ShardFailure> {
        settings.open(shard)?;
        let mut notes = Self {
            shard,
            tick: 0,
            pages: <[_; PAGES]>::default(),
            hazards: settings.clone(),
        };
        let Some(saved) = saved else {
            return Ok(notes);
        };
        for (name, _) in saved.files() {
            let (page, changed) = name.split_once('-').ok_or("no name of a page")?;
            let texts = serde_json::from_slice::<Vec<(u128, String)>>(&saved.read(name)?)?;
            let id = |id: u128| DocumentId::from_bytes(id.to_le_bytes());
            let texts = texts.into_iter().map(|(bits, text)| (id(bits), text));
            notes.pages[page.parse::<usize>()?] = Arc::new(Page {
                texts: texts.collect(),
                changed: changed.parse()?,
            });
        }
        Ok(notes)
    }

    fn save(view: &Self, saving: &mut Saving<'_>) -> Result<(), ShardFailure> {
        for (number, page) in view.pages.iter().enumerate() {
            let name = format!("{number}-{}", page.changed);
            if page.changed > 0 && !saving.keep(&name) {
                let texts = page.texts.iter();
                let texts = texts.map(|(id, text)| (u128::from_le_bytes(*id.as_bytes()), text));
                saving.write(&name, &serde_json::to_vec(&texts.collect::<Vec<_>>())?)?;
            }
        }
        view.hazards.save()
    }
}
