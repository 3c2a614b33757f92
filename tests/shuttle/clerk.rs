//! A shard for the shuttle models: it stores papers, dies as planned, refuses writes, sends messages, and records all of that.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};

use tickring::colony::{Batch, Birth, Origin, Refusal, TickContext, Write};
use tickring::id::Incarnation;
use tickring::publication::ShardFailure;
use tickring::testing::colony::{Misdeed, Notes};
use tickring::testing::random::Random;
use tickring::{DocumentId, Shard, ShardId, TickPhase, View};

/// The number of ids that each writer and each shard has of its own: few, so that deletions and additions often find a document.
pub(crate) const IDS: u64 = 6;
/// The first id to which shards send.
const MAIL: u64 = 1 << 32;
const REFUSED: &str = "refused";

/// A document. Its identity is its address in memory.
#[derive(Debug)]
pub(crate) struct Paper {
    is_welcome: bool,
}

pub(crate) fn refusal(paper: &Paper) -> Option<&str> {
    (!paper.is_welcome).then_some(REFUSED)
}

/// Draws a change of one document. The shard refuses one in eight of the documents.
pub(crate) fn draw(random: &mut Random, id: DocumentId) -> Write<Paper> {
    let document = Arc::new(Paper {
        is_welcome: !random.one_in(8),
    });
    match random.below(4) {
        0 => Write::Delete { id },
        1 => Write::Upsert { id, document },
        _ => Write::Add { id, document },
    }
}

#[derive(Clone, Default)]
pub(crate) struct Papers(pub(crate) BTreeMap<DocumentId, Arc<Paper>>);

impl View for Papers {
    type Statistics = usize;

    fn holds(&self, document: DocumentId) -> bool {
        self.0.contains_key(&document)
    }
    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        Ok(self.0.keys().copied().collect())
    }
    fn statistics(views: &[&Self]) -> Result<usize, ShardFailure> {
        Ok(views.iter().map(|view| view.0.len()).sum())
    }
}

/// The notes that the driver and the shards share. No primitive of the checker is used under this lock.
pub(crate) type Noted = Arc<Mutex<Notes<Paper>>>;

/// A shard that stores papers and notes what it does.
pub(crate) struct Clerk {
    life: (ShardId, Incarnation),
    papers: Papers,
    applied: Vec<(Origin, Write<Paper>)>,
    /// The misdeed, with the tick of this life and the phase in which it happens.
    misdeed: (u64, TickPhase, Misdeed),
    /// The ids that it has sent to in this tick.
    sent: BTreeSet<DocumentId>,
    noted: Noted,
    random: Random,
}

type Context<'a, 'b> = &'a mut TickContext<'b, Paper, Papers>;

impl Clerk {
    /// The factory. A new life begins with the documents that the previous one published.
    pub(crate) fn make(
        birth: Birth<Papers>,
        noted: &Noted,
        seed: u64,
    ) -> Result<Self, ShardFailure> {
        let life = u64::from(birth.shard.as_u32()) << 32 | birth.incarnation.get();
        let mut random = Random::stream(seed, life);
        let misdeeds = [Misdeed::Panic, Misdeed::Fail];
        let mut clerk = Self {
            life: (birth.shard, birth.incarnation),
            papers: Papers::default(),
            applied: Vec::new(),
            misdeed: (
                random.range(0, 8),
                random.pick(&TickPhase::ALL).unwrap(),
                random.pick(&misdeeds).unwrap(),
            ),
            sent: BTreeSet::new(),
            noted: Arc::clone(noted),
            random,
        };
        if let Some(last) = birth.last {
            if clerk.random.one_in(4) {
                return Err(clerk.confess(TickPhase::Sense, Misdeed::NotMade));
            }
            clerk.papers = last.view().clone();
        }
        Ok(clerk)
    }

    fn confess(&self, phase: TickPhase, misdeed: Misdeed) -> ShardFailure {
        let (shard, incarnation) = self.life;
        let mut notes = self.noted.lock().unwrap();
        notes.misdeeds.push((shard, incarnation, phase, misdeed));
        "on purpose".into()
    }

    /// The end of each phase: at most one message, and the misdeed when it is due.
    fn pass(&mut self, phase: TickPhase, context: Context<'_, '_>) -> Result<(), ShardFailure> {
        if self.random.one_in(4) {
            self.send(context);
        }
        match self.misdeed {
            (0, at, misdeed) if at == phase => {
                let failure = self.confess(phase, misdeed);
                if misdeed == Misdeed::Panic {
                    // Doesn't call the panic hook, which would print the schedule.
                    resume_unwind(Box::new("on purpose"));
                }
                Err(failure)
            }
            _ => Ok(()),
        }
    }

    /// Sends a write for an id for which it has sent none in this tick.
    fn send(&mut self, context: Context<'_, '_>) {
        let first = MAIL + u64::from(self.life.0.as_u32()) * IDS;
        let id = DocumentId::from_seed(first + self.random.range(0, IDS));
        let write = draw(&mut self.random, id);
        if self.sent.insert(id) && context.send(write.clone()).is_ok() {
            let mut notes = self.noted.lock().unwrap();
            notes.sent.push((self.life.0, write));
        }
    }

    fn apply(&mut self, write: &Write<Paper>) -> Result<(), Refusal> {
        if let Some(why) = write.document().and_then(|paper| refusal(paper)) {
            return Err(Refusal::Because(why.into()));
        }
        match write {
            Write::Add { id, .. } if self.papers.holds(*id) => return Err(Refusal::Exists),
            Write::Add { id, document } | Write::Upsert { id, document } => {
                self.papers.0.insert(*id, Arc::clone(document));
            }
            Write::Delete { id } => drop(self.papers.0.remove(id)),
        }
        Ok(())
    }
}

impl Shard for Clerk {
    type Document = Paper;
    type View = Papers;

    fn sense(&mut self, context: Context<'_, '_>) -> Result<(), ShardFailure> {
        self.applied.clear();
        self.sent.clear();
        self.pass(TickPhase::Sense, context)?;
        self.misdeed.0 = self.misdeed.0.saturating_sub(1);
        Ok(())
    }
    fn act(
        &mut self,
        context: Context<'_, '_>,
        batch: &mut Batch<'_, Paper>,
    ) -> Result<(), ShardFailure> {
        for (index, origin, write) in batch.iter() {
            match self.apply(write) {
                Ok(()) => self.applied.push((origin, write.clone())),
                Err(why) => batch.refuse(index, why),
            }
        }
        self.pass(TickPhase::Act, context)
    }
    fn decay(&mut self, context: Context<'_, '_>) -> Result<(), ShardFailure> {
        self.pass(TickPhase::Decay, context)
    }
    fn advance(&mut self, context: Context<'_, '_>) -> Result<(), ShardFailure> {
        self.pass(TickPhase::Advance, context)
    }
    fn view(&mut self) -> Result<Papers, ShardFailure> {
        let mut notes = self.noted.lock().unwrap();
        notes.applied.append(&mut self.applied);
        Ok(self.papers.clone())
    }
}
