//! The runs of a shard without a colony, and their comparison.

use std::fmt::Debug;

use super::differences::{Refused, State, refused, same_refusals, same_state};
use crate::colony::durable::lives::{Lives, SHARD};
use crate::colony::durable::saved::LifeFiles;
use crate::colony::durable::shard::DurableShard;
use crate::colony::{Batch, Rehearsal, Shard, TickContext, Write};
use crate::error::{Cause, DurableCheckError};
use crate::id::Tick;
use crate::publication::{Publication, Published, ShardFailure, View};
use crate::storage::manifest::ShardPart;
use crate::sync::Arc;

pub(super) struct Check<'a, S: DurableShard, F> {
    settings: &'a S::Settings,
    shows: F,
    lives: Lives,
}

/// What a tick of the first life left. Before all ticks there is one of an empty shard.
pub(super) struct Step<T> {
    refused: Vec<Refused>,
    pub(super) state: State<T>,
    part: ShardPart,
}

pub(super) type Checked<T> = Result<T, DurableCheckError>;
/// What each tick left, and its view.
pub(super) type First<S, T> = (Vec<Step<T>>, Vec<<S as Shard>::View>);
pub(super) type Ticks<S> = [Vec<Write<<S as Shard>::Document>>];

pub(super) fn failed(when: &str) -> impl Fn(ShardFailure) -> DurableCheckError {
    move |failure| DurableCheckError::Failed {
        when: when.to_owned(),
        source: Cause::new(failure),
    }
}

impl<'a, S, T, F> Check<'a, S, F>
where
    S: DurableShard,
    T: PartialEq + Debug,
    F: Fn(&S::View) -> Result<T, ShardFailure>,
{
    pub(super) fn new(settings: &'a S::Settings, shows: F) -> Self {
        Self {
            settings,
            shows,
            lives: Lives::default(),
        }
    }

    /// Encodes and decodes all documents.
    pub(super) fn decoded(&self, ticks: &Ticks<S>) -> Checked<Vec<Vec<Write<S::Document>>>> {
        let mut decoded = Vec::new();
        for (tick, writes) in (1..).zip(ticks) {
            let write = |(number, write)| {
                let when = format!("with write {number} of tick {tick}");
                let decoded = self.decoded_write(write).map_err(failed(&when))?;
                decoded.ok_or(DurableCheckError::Bytes {
                    write: number,
                    tick,
                })
            };
            let writes = (1..).zip(writes).map(write);
            decoded.push(writes.collect::<Checked<_>>()?);
        }
        Ok(decoded)
    }

    /// Returns `None` if the decoded document has other bytes.
    pub(super) fn decoded_write(
        &self,
        write: &Write<S::Document>,
    ) -> Result<Option<Write<S::Document>>, ShardFailure> {
        let Some(document) = write.document() else {
            return Ok(Some(write.clone()));
        };
        let (mut bytes, mut again) = (Vec::new(), Vec::new());
        S::encode(self.settings, document, &mut bytes)?;
        let document = S::decode(self.settings, &bytes)?;
        S::encode(self.settings, &document, &mut again)?;
        let (id, document) = (write.id(), Arc::new(document));
        let write = match write {
            Write::Add { .. } => Write::Add { id, document },
            _ => Write::Upsert { id, document },
        };
        Ok((bytes == again).then_some(write))
    }

    /// Gives all ticks to a shard with all phases, and saves it after each. Returns the views, too.
    pub(super) fn first(&mut self, ticks: &Ticks<S>) -> Checked<First<S, T>> {
        let life = self.lives.begin(None);
        let mut shard = self.open(None).map_err(failed("opened empty"))?;
        let (mut steps, mut views) = (Vec::new(), Vec::new());
        for tick in 0..=ticks.len() {
            let when = format!("in tick {tick}");
            let mut run = || {
                let refused = match tick.checked_sub(1) {
                    Some(at) => whole_tick(&mut shard, tick as Tick, &ticks[at])?,
                    None => Vec::new(),
                };
                let view = shard.view()?;
                steps.push(Step {
                    refused,
                    state: self.state(&view)?,
                    part: self.lives.save::<S>(&life, &view)?,
                });
                views.push(view);
                Ok(())
            };
            run().map_err(failed(&when))?;
        }
        for (tick, (view, step)) in views.iter().zip(&steps).enumerate() {
            let when = format!("after all ticks, the view of tick {tick}");
            let state = self.state(view).map_err(failed(&when))?;
            same_state(&when, &step.state, &state)?;
        }
        Ok((steps, views))
    }

    /// Opens shards from what was saved at the first of these steps, after a number of ticks. Gives them the rest.
    pub(super) fn again(
        &mut self,
        steps: &[Step<T>],
        rest: &Ticks<S>,
        ticks: usize,
    ) -> Checked<()> {
        let (first, last) = (&steps[0], &steps[steps.len() - 1]);
        let opened = format!("opened from what was saved after {ticks} ticks");
        let mut shard = self.open(Some(&first.part)).map_err(failed(&opened))?;
        let mut life = self.lives.begin(Some(&first.part));
        let mut part = self.same(&opened, &mut shard, first, &life)?;
        for (at, (writes, step)) in rest.iter().zip(&steps[1..]).enumerate() {
            let tick = ticks + at + 1;
            let when = format!("{opened}, after tick {tick}");
            let refused = act(&mut shard, tick as Tick, writes).map_err(failed(&when))?;
            same_refusals(&when, &step.refused, &refused)?;
            advance(&mut shard, tick as Tick).map_err(failed(&when))?;
            part = self.same(&when, &mut shard, step, &life)?;
        }
        let when = format!("{opened}, saved after the rest and opened again");
        let mut shard = self.open(Some(&part)).map_err(failed(&when))?;
        life = self.lives.begin(Some(&part));
        self.same(&when, &mut shard, last, &life)?;

        let when = format!("{opened}, with the rest at once");
        let mut shard = self.open(Some(&first.part)).map_err(failed(&when))?;
        for (at, (writes, step)) in rest.iter().zip(&steps[1..]).enumerate() {
            let tick = (ticks + at + 1) as Tick;
            let refused = act(&mut shard, tick, writes).map_err(failed(&when))?;
            same_refusals(&when, &step.refused, &refused)?;
        }
        let tick = (ticks + rest.len()) as Tick;
        advance(&mut shard, tick).map_err(failed(&when))?;
        life = self.lives.begin(Some(&first.part));
        self.same(&when, &mut shard, last, &life).map(drop)
    }

    pub(super) fn open(&self, part: Option<&ShardPart>) -> Result<S, ShardFailure> {
        self.lives.open(self.settings, part)
    }

    pub(super) fn state(&self, view: &S::View) -> Result<State<T>, ShardFailure> {
        let mut documents = view.documents()?;
        documents.sort_unstable();
        let shown = (self.shows)(view)?;
        Ok(State { documents, shown })
    }

    /// Compares what a shard holds with a step, and saves it.
    fn same(
        &mut self,
        when: &str,
        shard: &mut S,
        step: &Step<T>,
        life: &LifeFiles,
    ) -> Checked<ShardPart> {
        let view = shard.view().map_err(failed(when))?;
        let state = self.state(&view).map_err(failed(when))?;
        same_state(when, &step.state, &state)?;
        self.lives.save::<S>(life, &view).map_err(failed(when))
    }
}

/// Runs all phases, as in a tick that isn't replayed. The first and the third see what was published last.
fn whole_tick<S: DurableShard>(
    shard: &mut S,
    tick: Tick,
    writes: &[Write<S::Document>],
) -> Result<Vec<Refused>, ShardFailure> {
    let last = shard.view()?;
    phase::<S, _>(tick, Some(last), |context| shard.sense(context))?;
    let refused = act(shard, tick, writes)?;
    let last = shard.view()?;
    phase::<S, _>(tick, Some(last), |context| shard.decay(context))?;
    advance(shard, tick)?;
    Ok(refused)
}

pub(super) fn act<S: DurableShard>(
    shard: &mut S,
    tick: Tick,
    writes: &[Write<S::Document>],
) -> Result<Vec<Refused>, ShardFailure> {
    phase::<S, _>(tick, None, |context| {
        let mut batch = Batch::new(writes);
        shard.act(context, &mut batch)?;
        Ok(refused(batch.refused()))
    })
}

pub(super) fn advance<S: DurableShard>(shard: &mut S, tick: Tick) -> Result<(), ShardFailure> {
    phase::<S, _>(tick, None, |context| shard.advance(context))
}

/// Runs a phase that sees this view published, or none.
fn phase<S: DurableShard, R>(
    tick: Tick,
    last: Option<S::View>,
    run: impl FnOnce(&mut TickContext<'_, S::Document, S::View>) -> Result<R, ShardFailure>,
) -> Result<R, ShardFailure> {
    let last = last.map(|view| Published::new(SHARD, view));
    let mut rehearsal = Rehearsal::new(SHARD, Arc::new(Publication::new(last)?))?;
    run(&mut rehearsal.context(tick))
}
