//! Text shards that panic, hang, refuse writes and send messages at random, and their factory.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};

use tickring::colony::{Batch, Birth, Origin, Refusal, Rehearsal, TickContext, Write};
use tickring::id::Incarnation;
use tickring::publication::ShardFailure;
use tickring::search::{TextDocument, TextShard, TextShardConfig, TextStatistics, TextView};
use tickring::testing::colony::{Misdeed, Notes};
use tickring::testing::random::Random;
use tickring::{DocumentId, Publication, Shard, ShardId, TickPhase, View};

/// The title of a document that every shard refuses.
pub(crate) const UNWELCOME: &str = "unwelcome";
/// The title of a document that kills its shard.
pub(crate) const DEADLY: &str = "deadly";
/// The first id to which shards send. Each shard has a range of its own.
const MAIL: u64 = 1 << 48;
const MAIL_IDS: u64 = 40;

/// The state that a colony's driver and its shards share.
pub(crate) struct Ward {
    seed: u64,
    notes: Mutex<Notes<TextDocument>>,
    /// Shards that die in the next phase that they run.
    doomed: Mutex<BTreeSet<ShardId>>,
    /// The senders that hanging shards wait for. `None` once no shard may misbehave.
    hanging: Mutex<Option<Vec<Sender<()>>>>,
}

impl Ward {
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self {
            seed,
            notes: Mutex::default(),
            doomed: Mutex::default(),
            hanging: Mutex::new(Some(Vec::new())),
        })
    }

    pub(crate) fn take_notes(&self) -> Notes<TextDocument> {
        mem::take(&mut *self.notes.lock().unwrap())
    }

    pub(crate) fn doom(&self, shards: impl IntoIterator<Item = ShardId>) {
        *self.doomed.lock().unwrap() = shards.into_iter().collect();
    }

    /// Releases the hanging shards.
    pub(crate) fn release(&self) {
        self.hanging.lock().unwrap().iter_mut().for_each(Vec::clear);
    }

    /// Ends all misbehaviour.
    pub(crate) fn calm(&self) {
        *self.hanging.lock().unwrap() = None;
        self.doom([]);
    }

    fn is_calm(&self) -> bool {
        self.hanging.lock().unwrap().is_none()
    }

    /// The factory. A new life begins with the documents that the previous one published.
    pub(crate) fn make(self: &Arc<Self>, birth: &Birth<MoodyView>) -> Result<Moody, ShardFailure> {
        let life = u64::from(birth.shard.as_u32()) << 32 | birth.incarnation.get();
        let mut random = Random::stream(self.seed, life);
        let mut moody = Moody {
            life: (birth.shard, birth.incarnation),
            inner: TextShard::begin(&TextShardConfig::default(), birth)?,
            stage: Rehearsal::new(birth.shard, Arc::new(Publication::new([])?))?,
            documents: BTreeMap::new(),
            applied: Vec::new(),
            misdeed: Self::draw(&mut random),
            given_up: false,
            ward: Arc::clone(self),
            random,
        };
        let Some(last) = &birth.last else {
            return Ok(moody);
        };
        if moody.random.one_in(4) && !self.is_calm() {
            return Err(moody.confess(TickPhase::Sense, Misdeed::NotMade));
        }
        moody.documents = BTreeMap::clone(&last.view().documents);
        Ok(moody)
    }

    /// Draws a misdeed, with the tick of the life and the phase in which it happens.
    fn draw(random: &mut Random) -> (u64, TickPhase, Misdeed) {
        // Rare, since a hang takes the whole timeout.
        let misdeed = match random.below(30) {
            0 => Misdeed::Hang,
            1..10 => Misdeed::Fail,
            _ => Misdeed::Panic,
        };
        let phase = random.pick(&TickPhase::ALL).unwrap();
        (random.range(0, 30), phase, misdeed)
    }
}

pub(crate) struct Moody {
    life: (ShardId, Incarnation),
    inner: TextShard,
    /// The rehearsal for the inner shard, since its view has another type than this shard's.
    stage: Rehearsal<TextDocument, TextView>,
    documents: BTreeMap<DocumentId, Arc<TextDocument>>,
    applied: Vec<(Origin, Write<TextDocument>)>,
    /// The misdeed, with the tick of this life and the phase in which it happens.
    misdeed: (u64, TickPhase, Misdeed),
    /// Whether it has hung.
    given_up: bool,
    ward: Arc<Ward>,
    random: Random,
}

type Context<'a, 'b> = &'a mut TickContext<'b, TextDocument, MoodyView>;

impl Moody {
    fn confess(&self, phase: TickPhase, misdeed: Misdeed) -> ShardFailure {
        let (shard, incarnation) = self.life;
        let mut notes = self.ward.notes.lock().unwrap();
        notes.misdeeds.push((shard, incarnation, phase, misdeed));
        "on purpose".into()
    }

    /// The beginning of each phase.
    fn pass(&mut self, phase: TickPhase, context: Context<'_, '_>) -> Result<(), ShardFailure> {
        self.send(context);
        let is_doomed = self.ward.doomed.lock().unwrap().remove(&self.life.0);
        match self.misdeed {
            _ if is_doomed => self.commit_misdeed(phase, Misdeed::Fail),
            (0, at, misdeed) if at == phase => self.commit_misdeed(phase, misdeed),
            _ => Ok(()),
        }
    }

    fn commit_misdeed(&mut self, phase: TickPhase, misdeed: Misdeed) -> Result<(), ShardFailure> {
        if misdeed == Misdeed::Hang {
            let hang = {
                let mut hanging = self.ward.hanging.lock().unwrap();
                let Some(hanging) = hanging.as_mut() else {
                    return Ok(());
                };
                let (release, hang) = mpsc::channel();
                hanging.push(release);
                hang
            };
            drop(self.confess(phase, misdeed));
            let _ = hang.recv();
            self.given_up = true;
            return match self.random.one_in(2) {
                true => Ok(()),
                false => Err("released".into()),
            };
        }
        if self.ward.is_calm() {
            return Ok(());
        }
        let failure = self.confess(phase, misdeed);
        if misdeed == Misdeed::Panic {
            // Doesn't call the panic hook, which would print a message.
            std::panic::resume_unwind(Box::new("on purpose"));
        }
        Err(failure)
    }

    /// Sends a write for an id for which it has sent none in this tick.
    fn send(&mut self, context: Context<'_, '_>) {
        if !self.random.one_in(3) {
            return;
        }
        let first = MAIL + u64::from(self.life.0.as_u32()) * MAIL_IDS;
        let mut sent: Vec<_> = {
            let notes = self.ward.notes.lock().unwrap();
            let sent = notes.sent.iter().filter(|(from, _)| *from == self.life.0);
            sent.map(|(_, write)| write.id()).collect()
        };
        for _ in 0..self.random.below(5) {
            let id = DocumentId::from_seed(first + self.random.range(0, MAIL_IDS));
            if sent.contains(&id) {
                continue;
            }
            let write = match self.random.below(3) {
                0 => Write::Delete { id },
                1 => Write::Add {
                    id,
                    document: Arc::new(text(&mut self.random)),
                },
                _ => Write::Upsert {
                    id,
                    document: Arc::new(text(&mut self.random)),
                },
            };
            if context.send(write.clone()).is_ok() {
                let mut notes = self.ward.notes.lock().unwrap();
                notes.sent.push((self.life.0, write));
                sent.push(id);
            }
        }
    }
}

const WORDS: [&str; 12] = [
    "sea", "tide", "wind", "boat", "sail", "rope", "port", "star", "moon", "fish", "net", "oar",
];

pub(crate) fn text(random: &mut Random) -> TextDocument {
    let mut words = |most| {
        let words = (0..random.below(most)).map(|_| random.pick(&WORDS).unwrap());
        words.collect::<Vec<_>>().join(" ")
    };
    let (title, body) = (words(3), words(12));
    let title = match random.below(1_000) {
        0..50 => UNWELCOME.to_owned(),
        50 => DEADLY.to_owned(),
        _ => title,
    };
    TextDocument::new(title, body)
}

impl Shard for Moody {
    type Document = TextDocument;
    type View = MoodyView;

    fn sense(&mut self, context: Context<'_, '_>) -> Result<(), ShardFailure> {
        self.applied.clear();
        self.pass(TickPhase::Sense, context)?;
        self.misdeed.0 = self.misdeed.0.saturating_sub(1);
        Ok(())
    }

    fn act(
        &mut self,
        context: Context<'_, '_>,
        batch: &mut Batch<'_, TextDocument>,
    ) -> Result<(), ShardFailure> {
        let (mut taken, mut places) = (Vec::new(), Vec::new());
        for (index, origin, write) in batch.iter() {
            match write.document().and_then(|document| document.text("title")) {
                Some(DEADLY) if !self.ward.is_calm() => {
                    return Err(self.confess(TickPhase::Act, Misdeed::Fail));
                }
                Some(title @ (UNWELCOME | DEADLY)) => {
                    batch.refuse(index, Refusal::Because(title.into()));
                }
                _ => {
                    taken.push(write.clone());
                    places.push((index, origin));
                }
            }
        }
        let mut inner = Batch::new(&taken);
        let tick = context.tick();
        self.inner.act(&mut self.stage.context(tick), &mut inner)?;
        let exists: BTreeSet<_> = inner.refused().iter().map(|&(index, _)| index).collect();
        for (place, write) in taken.into_iter().enumerate() {
            let (index, origin) = places[place];
            if exists.contains(&place) {
                batch.refuse(index, Refusal::Exists);
                continue;
            }
            match &write {
                Write::Add { id, document } | Write::Upsert { id, document } => {
                    self.documents.insert(*id, Arc::clone(document));
                }
                Write::Delete { id } => drop(self.documents.remove(id)),
            }
            self.applied.push((origin, write));
        }
        self.pass(TickPhase::Act, context)
    }

    fn decay(&mut self, context: Context<'_, '_>) -> Result<(), ShardFailure> {
        self.pass(TickPhase::Decay, context)
    }

    fn advance(&mut self, context: Context<'_, '_>) -> Result<(), ShardFailure> {
        self.inner
            .advance(&mut self.stage.context(context.tick()))?;
        self.pass(TickPhase::Advance, context)
    }

    fn view(&mut self) -> Result<MoodyView, ShardFailure> {
        if !self.given_up {
            let mut notes = self.ward.notes.lock().unwrap();
            notes.applied.append(&mut self.applied);
        }
        Ok(MoodyView {
            text: self.inner.view()?,
            documents: Arc::new(self.documents.clone()),
        })
    }
}

/// The view of the index, and the documents in it.
pub(crate) struct MoodyView {
    text: TextView,
    pub(crate) documents: Arc<BTreeMap<DocumentId, Arc<TextDocument>>>,
}

impl AsRef<TextView> for MoodyView {
    fn as_ref(&self) -> &TextView {
        &self.text
    }
}

impl View for MoodyView {
    type Statistics = TextStatistics;

    fn holds(&self, document: DocumentId) -> bool {
        self.text.holds(document)
    }

    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        self.text.documents()
    }

    fn statistics(views: &[&Self]) -> Result<TextStatistics, ShardFailure> {
        let views: Vec<_> = views.iter().map(|view| &view.text).collect();
        View::statistics(&views)
    }
}
