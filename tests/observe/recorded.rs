//! A subscriber and a recorder that remember what they were told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Recorder,
    SharedString, Unit,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// A span or an event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Told {
    pub(crate) name: String,
    pub(crate) target: String,
    pub(crate) level: String,
    pub(crate) fields: BTreeSet<String>,
}

/// A figure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) kind: String,
    pub(crate) unit: String,
    pub(crate) meaning: String,
    /// Each with its values.
    pub(crate) labels: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Debug, Default)]
struct State {
    spans: BTreeSet<Told>,
    events: BTreeSet<Told>,
    /// For each event, the fields that it had each time.
    always: BTreeMap<String, BTreeSet<String>>,
    counts: BTreeMap<String, u64>,
    /// The labels with which each figure was used.
    used: BTreeMap<String, Figure>,
    described: BTreeMap<String, Figure>,
    values: BTreeMap<Key, Arc<Value>>,
}

/// What was told. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recorded(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct Value(AtomicU64);

impl CounterFn for Value {
    fn increment(&self, value: u64) {
        CounterFn::increment(&self.0, value);
    }
    fn absolute(&self, value: u64) {
        CounterFn::absolute(&self.0, value);
    }
}

impl GaugeFn for Value {
    fn increment(&self, value: f64) {
        GaugeFn::increment(&self.0, value);
    }
    fn decrement(&self, value: f64) {
        GaugeFn::decrement(&self.0, value);
    }
    fn set(&self, value: f64) {
        GaugeFn::set(&self.0, value);
    }
}

/// Counts.
impl HistogramFn for Value {
    fn record(&self, value: f64) {
        assert!(value >= 0.0);
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Recorded {
    /// Lets all threads of the process tell it.
    pub(crate) fn install() -> Self {
        let recorded = Self::default();
        tracing::subscriber::set_global_default(recorded.clone()).unwrap();
        assert!(metrics::set_global_recorder(recorded.clone()).is_ok());
        recorded
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    pub(crate) fn spans(&self) -> BTreeSet<Told> {
        self.change(|state| state.spans.clone())
    }

    pub(crate) fn events(&self) -> BTreeSet<Told> {
        self.change(|state| state.events.clone())
    }

    /// Returns the fields that each event of this name had.
    pub(crate) fn always(&self, event: &str) -> BTreeSet<String> {
        self.change(|state| state.always.get(event).cloned().unwrap_or_default())
    }

    /// Returns how many spans or events of this name there were.
    pub(crate) fn count(&self, name: &str) -> u64 {
        self.change(|state| state.counts.get(name).copied().unwrap_or_default())
    }

    pub(crate) fn used(&self) -> BTreeMap<String, Figure> {
        self.change(|state| state.used.clone())
    }

    pub(crate) fn described(&self) -> BTreeMap<String, Figure> {
        self.change(|state| state.described.clone())
    }

    /// Returns the sum of a counter, or the number of values of a histogram, over all labels.
    pub(crate) fn total(&self, figure: &str) -> u64 {
        self.change(|state| {
            let values = state.values.iter();
            let own = values.filter(|(key, _)| key.name() == figure);
            own.map(|(_, value)| value.0.load(Ordering::Relaxed)).sum()
        })
    }

    /// Returns a gauge.
    pub(crate) fn gauge(&self, figure: &str) -> f64 {
        f64::from_bits(self.total(figure))
    }

    fn describe(&self, kind: &str, name: &KeyName, unit: Option<Unit>, meaning: &SharedString) {
        let figure = Figure {
            kind: kind.to_owned(),
            unit: unit.map_or("", |unit| unit.as_str()).to_owned(),
            meaning: meaning.to_string(),
            labels: BTreeMap::new(),
        };
        self.change(|state| state.described.insert(name.as_str().to_owned(), figure));
    }

    fn register(&self, kind: &str, key: &Key) -> Arc<Value> {
        self.change(|state| {
            let figure = state.used.entry(key.name().to_owned()).or_default();
            kind.clone_into(&mut figure.kind);
            for label in key.labels() {
                let values = figure.labels.entry(label.key().to_owned()).or_default();
                values.insert(label.value().to_owned());
            }
            Arc::clone(state.values.entry(key.clone()).or_default())
        })
    }
}

fn told(metadata: &Metadata<'_>) -> Told {
    let fields = metadata.fields().iter().map(|field| field.name());
    Told {
        name: metadata.name().to_owned(),
        target: metadata.target().to_owned(),
        level: metadata.level().to_string(),
        fields: fields
            .filter(|name| *name != "message")
            .map(str::to_owned)
            .collect(),
    }
}

struct Names(BTreeSet<String>);

impl Visit for Names {
    fn record_debug(&mut self, field: &Field, _value: &dyn std::fmt::Debug) {
        self.0.insert(field.name().to_owned());
    }
}

impl Subscriber for Recorded {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // tantivy and others may tell something too.
        metadata.target().starts_with("tickring")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let told = told(span.metadata());
        self.change(|state| {
            *state.counts.entry(told.name.clone()).or_default() += 1;
            state.spans.insert(told);
        });
        Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        let told = told(event.metadata());
        let mut names = Names(BTreeSet::new());
        event.record(&mut names);
        assert!(names.0.remove("message"), "{told:?}");
        self.change(|state| {
            *state.counts.entry(told.name.clone()).or_default() += 1;
            let always = state.always.entry(told.name.clone());
            let always = always.or_insert_with(|| names.0.clone());
            always.retain(|name| names.0.contains(name));
            state.events.insert(told);
        });
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}
    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}
    fn enter(&self, _span: &Id) {}
    fn exit(&self, _span: &Id) {}
}

impl Recorder for Recorded {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, meaning: SharedString) {
        self.describe("counter", &name, unit, &meaning);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, meaning: SharedString) {
        self.describe("gauge", &name, unit, &meaning);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, meaning: SharedString) {
        self.describe("histogram", &name, unit, &meaning);
    }

    fn register_counter(&self, key: &Key, _metadata: &metrics::Metadata<'_>) -> Counter {
        Counter::from_arc(self.register("counter", key))
    }

    fn register_gauge(&self, key: &Key, _metadata: &metrics::Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.register("gauge", key))
    }

    fn register_histogram(&self, key: &Key, _metadata: &metrics::Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.register("histogram", key))
    }
}
