//! The shape of documents: the fields that they have, and how files and records fill them.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::path::Path;

use tickring::search::{Field, Schema, TextDocument};

use super::Failure;
use super::corpus::{self, Purpose};
use super::document::{Document, normalised};
use super::durable::naming;
use super::format::inner_name;
use super::infer::{Inferred, Sample};
use super::item::Place;
use super::reading::Reading;
use super::record::{Fields, Name, Object, id_of, record};
use super::seed::Seed;
use super::source::{self, StandardInput};

/// The maximum size of a file with a schema.
const MAX_SCHEMA_BYTES: u64 = 1 << 20;

/// The fields of the run's documents.
pub(super) struct Shape<'a> {
    pub(super) schema: Schema,
    /// The fields of a record that are read, unless they are the schema's own.
    plain: Option<Fields<'a>>,
    id: Name<'a>,
    /// Whether a record has had the field of the title.
    has_title: Cell<bool>,
    /// Whether the schema is the sample's.
    is_inferred: bool,
    /// The members that don't fill fields of their name: those of the sample that aren't fields, beside which an inferred schema always has two
    /// text fields, and the member that an export adds.
    left_out: HashSet<String>,
    /// Whether the documents outlive the run.
    is_lasting: bool,
}

impl<'a> Shape<'a> {
    /// Returns the shape of documents with a title and a body, which the options name.
    pub(super) fn plain(reading: &'a Reading, stored: bool) -> Result<Self, Failure> {
        let fields = ["title", "body"].map(|name| Field::text(name).analyzer(reading.analyzer()));
        let schema = fields.into_iter().fold(Schema::builder(), |schema, field| {
            let is_shown = stored && field.name() == "body";
            schema.field(if is_shown { field.stored() } else { field })
        });
        Ok(Self {
            schema: schema.build()?,
            plain: Some(Fields {
                id: reading.id_field(),
                text: reading.text_field(),
                title: reading.title_field(),
            }),
            id: reading.id_field(),
            has_title: Cell::new(false),
            is_inferred: false,
            left_out: HashSet::from([naming::OWN.to_owned()]),
            is_lasting: false,
        })
    }

    /// Returns the shape that a schema gives.
    pub(super) fn of(schema: Schema, reading: &'a Reading) -> Self {
        let mut fields = schema.fields().iter();
        let is_field = fields.any(|field| field.name() == naming::OWN);
        let left_out = (!is_field).then(|| naming::OWN.to_owned());
        Self {
            schema,
            plain: None,
            id: reading.id_field(),
            has_title: Cell::new(false),
            is_inferred: false,
            left_out: left_out.into_iter().collect(),
            is_lasting: false,
        }
    }

    /// Returns the shape that fits the first records, and how it was inferred.
    pub(super) fn inferred(
        reading: &'a Reading,
        stored: bool,
        standard: &StandardInput,
    ) -> Result<(Self, Inferred), Failure> {
        let mut sample = Sample::new(reading.id_field().name);
        standard.keep();
        corpus::read(reading, standard, Purpose::Sample(&mut sample), &mut |_| {
            Ok(())
        })?;
        standard.rewind();
        let inferred = sample.schema(stored, reading.analyzer())?;
        let left_out = inferred.left_out.iter();
        let others = [reading.id_field().name, naming::OWN].map(str::to_owned);
        let shape = Self {
            is_inferred: true,
            left_out: left_out
                .map(|(name, _)| name.clone())
                .chain(others)
                .collect(),
            ..Self::of(inferred.schema.clone(), reading)
        };
        Ok((shape, inferred))
    }

    /// Reads the schema from a file.
    pub(super) fn from_file(path: &Path, reading: &'a Reading) -> Result<Self, Failure> {
        let named = |reason: String| format!("{}: {reason}", path.display());
        let json = source::read_named(path, MAX_SCHEMA_BYTES).map_err(named)?;
        let schema = Schema::from_json(&json).map_err(|error| named(error.to_string()))?;
        Ok(Self::of(schema, reading))
    }

    /// Makes documents that outlive the run, with this schema. Their ids tell them apart from those of other runs.
    pub(super) fn last(&mut self, schema: Schema) {
        self.schema = schema;
        self.is_lasting = true;
    }

    /// Returns what the ids of a file's documents follow from.
    pub(super) fn seed(&self, path: &Path) -> Seed {
        match self.is_lasting {
            true => Seed::lasting(path),
            false => Seed::of_run(path),
        }
    }

    /// Returns whether records have a text and maybe a title.
    pub(super) const fn is_plain(&self) -> bool {
        self.plain.is_some()
    }

    /// Makes the document of a file.
    pub(super) fn file(&self, path: &Path, body: String) -> Result<Document, String> {
        let is_text = |name| {
            let mut fields = self.schema.fields().iter();
            fields.any(|field| field.name() == name && field.is_text())
        };
        if !is_text("body") {
            let reason = "the schema has no text field \"body\", which the text of a file needs";
            return Err(reason.to_owned());
        }
        let (id, name) = self.seed(path).file(path, &body);
        let mut document = Document::file(id, name, self.schema.document());
        if is_text("title") {
            add(&mut document.text, "title", normalised(inner_name(path)))?;
        }
        add(&mut document.text, "body", body)?;
        Ok(document)
    }

    /// Makes the document of a generated text.
    pub(super) fn generated(
        &self,
        number: u64,
        (title, body): (String, String),
    ) -> Result<Document, String> {
        let mut text = self.schema.document();
        add(&mut text, "title", title)?;
        add(&mut text, "body", body)?;
        Ok(Document::generated(number, text))
    }

    /// Makes the document of a record, or returns the reason why it isn't one. If the schema is inferred, also returns the names of the members
    /// that it doesn't have.
    pub(super) fn record(
        &self,
        line: &str,
        place: &Place,
        seed: &Seed,
    ) -> Result<(Document, Vec<String>), String> {
        let object = Object::read(line)?;
        let is_read = !self.id.is_given && self.left_out.contains(naming::OWN);
        let member = object.get(naming::OWN).filter(|_| is_read);
        let given = member.map(naming::given).transpose()?;
        let named = |id, text| match (&given, id) {
            (Some((id, name)), _) => Document::named(*id, name.clone(), text),
            (None, Some(id)) => Document::record(id, text),
            (None, None) => {
                let (id, name) = seed.line(place, line);
                Document::named(id, name, text)
            }
        };
        if let Some(names) = self.plain {
            if object.has(names.title.name) {
                self.has_title.set(true);
            }
            let record = record(names, object)?;
            let mut text = self.schema.document();
            add(&mut text, "title", record.title)?;
            add(&mut text, "body", record.text)?;
            return Ok((named(record.id, text), Vec::new()));
        }
        let id = match given {
            Some(_) => None,
            None => id_of(&object, self.id)?,
        };
        let is_left_out = |name: &&String| self.left_out.contains(*name);
        let is_field = |name: &str| self.schema.fields().iter().any(|at| at.name() == name);
        let mut taken = object.names().filter(is_left_out);
        let line = match taken.any(|name| is_field(name)) {
            true => Cow::Owned(object.without(&self.left_out)),
            false => Cow::Borrowed(line),
        };
        let text = self.schema.document_from_json(&line);
        let mut text = text.map_err(|error| error.to_string())?;
        let mut unknown = Vec::new();
        if self.is_inferred {
            if let Some(id) = id.as_ref().filter(|_| is_field(self.id.name)) {
                add(&mut text, self.id.name, id.clone())?;
            }
            let names = object
                .names()
                .filter(|name| !is_left_out(name) && !is_field(name));
            unknown.extend(names.cloned());
            unknown.sort_unstable();
        }
        Ok((named(id, text), unknown))
    }

    /// Returns the field of the title if the user gave it, and no record that was read has it.
    pub(super) fn absent_title(&self) -> Option<&'a str> {
        let title = self.plain?.title;
        let is_absent = title.is_given && !self.has_title.get();
        is_absent.then_some(title.name)
    }
}

fn add(document: &mut TextDocument, field: &str, text: String) -> Result<(), String> {
    document.add(field, text).map_err(|error| error.to_string())
}
