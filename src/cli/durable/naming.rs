//! The names of a colony's documents, which a field of its schema keeps beside the user's fields.

use tickring::DocumentId;
use tickring::search::{DocumentError, Field, Schema, SchemaBuilder, TextDocument, Value};
use uuid::Uuid;

use crate::cli::Failure;
use crate::cli::item::Place;

/// The member of an exported record with the document's id and name, if they don't follow from the other members. Also the field with the names in a
/// colony whose schema is the user's own.
pub(in crate::cli) const OWN: &str = "tickring.document";
/// The field with the names in a colony whose records have a text and maybe a title.
const PLAIN: &str = "tickring.text";

/// The schema of a colony.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// The user's fields, then the one with the names.
    pub(super) whole: Schema,
    /// The user's fields.
    pub(super) visible: Schema,
    /// The field with the names. `None` if another program made the colony.
    field: Option<&'static str>,
}

/// What a document is called, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) path: Option<String>,
    pub(super) line: Option<u64>,
}

impl Kept {
    /// Returns the schema of a new colony.
    pub(super) fn new(visible: Schema, is_plain: bool) -> Result<Self, Failure> {
        let field = if is_plain { PLAIN } else { OWN };
        let most = Schema::MAX_FIELDS - 1;
        let fields = visible.fields();
        if fields.len() > most {
            let count = fields.len();
            return Err(
                format!("the schema has {count} fields, but with --data at most {most}").into(),
            );
        }
        if fields.iter().any(|one| [OWN, PLAIN].contains(&one.name())) {
            let reason = format!("no field can be named {OWN:?} or {PLAIN:?} with --data");
            return Err(reason.into());
        }
        let whole = built(fields.iter().cloned().chain([Field::keyword(field)]))?;
        let field = Some(field);
        Ok(Self {
            whole,
            visible,
            field,
        })
    }

    /// Returns the schema of a colony that has this one.
    pub(super) fn of(whole: Schema) -> Result<Self, Failure> {
        let fields = whole.fields();
        let named = |name: &&str| fields.iter().any(|field| field.name() == *name);
        let field = [OWN, PLAIN].into_iter().find(named);
        let visible = fields.iter().filter(|one| Some(one.name()) != field);
        Ok(Self {
            visible: built(visible.cloned())?,
            whole,
            field,
        })
    }

    /// Returns whether records have a text and maybe a title.
    pub(super) fn is_plain(&self) -> bool {
        self.field == Some(PLAIN)
    }

    /// Returns whether it keeps names.
    pub(super) const fn is_ours(&self) -> bool {
        self.field.is_some()
    }

    /// Adds the name to a document.
    pub(super) fn name(
        &self,
        document: &mut TextDocument,
        name: &str,
        place: Option<&Place>,
    ) -> Result<(), DocumentError> {
        let Some(field) = self.field else {
            return Ok(());
        };
        let path = place.map(|place| &place.path);
        let line = place.and_then(|place| place.line);
        // Strings and numbers have a JSON form: this can't fail.
        let json = serde_json::to_string(&(name, path, line)).unwrap_or_default();
        let mut rest = json.as_str();
        while !rest.is_empty() {
            // A keyword is bounded.
            let (first, next) = rest.split_at(rest.floor_char_boundary(Schema::MAX_KEYWORD_BYTES));
            document.add(field, first)?;
            rest = next;
        }
        Ok(())
    }

    /// Returns the name of a document. Without one, it is called by its id.
    pub(super) fn named(&self, id: DocumentId, document: &TextDocument) -> Named {
        let parts = self.field.map(|field| {
            let values = document.get_all(field).filter_map(Value::as_str);
            values.collect::<String>()
        });
        let read = parts.and_then(|json| serde_json::from_str(&json).ok());
        let (name, path, line) = read.unwrap_or_else(|| (id.to_string(), None, None));
        Named { name, path, line }
    }
}

impl Named {
    pub(super) fn place(&self) -> Option<Place> {
        let path = self.path.clone()?;
        let line = self.line;
        Some(Place { path, line })
    }
}

fn built(fields: impl Iterator<Item = Field>) -> Result<Schema, Failure> {
    Ok(fields
        .fold(Schema::builder(), SchemaBuilder::field)
        .build()?)
}

/// Reads the member of an exported record with the document's id and name.
pub(in crate::cli) fn given(member: &serde_json::Value) -> Result<(DocumentId, String), String> {
    let text = |name| member.get(name).and_then(serde_json::Value::as_str);
    let id = text("id").and_then(|id| id.parse::<Uuid>().ok());
    match id.zip(text("name")) {
        Some((id, name)) => Ok((DocumentId::from(id), name.to_owned())),
        None => Err(format!(
            "the member {OWN:?} is not an object with the \"id\" and the \"name\" of an exported document"
        )),
    }
}
