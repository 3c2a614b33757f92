//! `tickring export`: every live document as a record that `tickring index` takes back.

use std::io::{self, Write};

use clap::Args;
use serde::{Serialize, Serializer};
use serde_json::Value;
use tickring::DocumentId;
use tickring::search::TextDocument;

use super::naming::{self, Kept};
use super::place::Data;
use super::report;
use crate::cli::document::record_id;
use crate::cli::record::id_text;
use crate::cli::{Failure, json};

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    data: Data,
}

/// The members of a record, in their order.
struct Record<'a>(Vec<(&'a str, Value)>);

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Export {
    /// Runs the command. Returns true: what it has begun to print is all there.
    pub(in crate::cli) fn run(&self) -> Result<bool, Failure> {
        let found = self.data.read()?;
        let mut output = io::BufWriter::new(io::stdout().lock());
        let settings = &found.settings;
        for shard in found.colony.publication().shards() {
            let documents = shard.view().documents_between(settings.placement, ..)?;
            for document in documents {
                let (id, document) = document?;
                if !write(&record(&settings.kept, id, &document), &mut output)? {
                    return Ok(true);
                }
            }
        }
        report::ended(output.flush())?;
        Ok(true)
    }
}

/// Writes a record. Returns false if nobody reads on.
fn write(record: &Record<'_>, output: &mut impl Write) -> Result<bool, Failure> {
    report::ended(report::write_line(record, output))
}

/// Returns the record of a document.
fn record<'a>(kept: &'a Kept, id: DocumentId, document: &TextDocument) -> Record<'a> {
    let name = kept.named(id, document).name;
    let mut members = Vec::new();
    let values = |field| {
        let values: Vec<_> = document.get_all(field).map(json::value).collect();
        match <[Value; 1]>::try_from(values) {
            Ok([value]) => value,
            Err(values) => Value::Array(values),
        }
    };
    if kept.is_plain() {
        members.push(("id", Value::from(name.as_str())));
        if document
            .text("title")
            .is_some_and(|title| !title.is_empty())
        {
            members.push(("title", values("title")));
        }
        members.push(("text", values("body")));
    } else {
        let fields = kept.visible.fields().iter();
        let fields: Vec<_> = fields.map(tickring::search::Field::name).collect();
        if !fields.contains(&"id") {
            members.push(("id", Value::from(name.as_str())));
        }
        let filled = fields.into_iter().map(|field| (field, values(field)));
        members.extend(filled.filter(|(_, value)| value != &Value::Array(Vec::new())));
    }
    let member = members.iter().find(|(name, _)| *name == "id");
    let derived = member.and_then(|(_, value)| id_text(value));
    if derived.as_ref() != Some(&name) || record_id(&name) != id {
        let given = serde_json::json!({ "id": id.to_string(), "name": name });
        members.push((naming::OWN, given));
    }
    Record(members)
}
