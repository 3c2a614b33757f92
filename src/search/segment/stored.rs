//! What a segment keeps of its documents.

use tantivy::schema::{Document, Value as StoredValue};
use tantivy::store::StoreReader;
use tantivy::{DocId, TantivyDocument, TantivyError};

use super::SegmentView;
use crate::error::{Cause, SearchError};
use crate::search::document::TextDocument;
use crate::search::schema::{FieldId, Kind, Schema, Storing};
use crate::search::value::{Date, Value};

impl SegmentView {
    /// Opens the store of the documents, with a cache of this many blocks.
    pub(in crate::search) fn store(&self, blocks: usize) -> Result<StoreReader, SearchError> {
        let store = self.reader.get_store_reader(blocks);
        store.map_err(|error| SearchError::index(TantivyError::from(error)))
    }
}

/// Reads the values that a document has in these fields. Leaves out what isn't stored.
pub(in crate::search) fn read(
    store: &StoreReader,
    document: DocId,
    schema: &Schema,
    fields: Storing,
) -> Result<TextDocument, SearchError> {
    let stored: TantivyDocument = store.get(document).map_err(SearchError::index)?;
    let mut restored = schema.document();
    for (number, value) in stored.iter_fields_and_values() {
        let field = FieldId::new(number.field_id() as usize);
        if !fields.stores(schema.definition(field)) {
            continue;
        }
        let value = value_of(&value, schema.kind(field)).ok_or_else(|| {
            SearchError::Index(Cause::new(format!(
                "document {document} has a stored value of another type than its field"
            )))
        })?;
        restored.restore(field, value);
    }
    Ok(restored)
}

/// Converts a stored value of a field of this kind.
fn value_of<'a>(value: &impl StoredValue<'a>, kind: Kind) -> Option<Value> {
    Some(match kind {
        Kind::Text(_) | Kind::Keyword => Value::Text(value.as_str()?.to_owned()),
        Kind::Integer => Value::Integer(value.as_i64()?),
        Kind::Float => Value::Float(value.as_f64()?),
        Kind::Date => Value::Date(Date::from_nanoseconds(value.as_i64()?)),
        Kind::Boolean => Value::Boolean(value.as_i64()? != 0),
    })
}
