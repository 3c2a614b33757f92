//! Documents as bytes, in the log of a durable colony.
//!
//! A document is a version, then its values in their order: the number of the field and the value, in the form of the field's kind. Numbers are
//! little-endian.

use super::document::TextDocument;
use super::schema::{FieldId, Kind, Schema};
use super::value::{Date, Value};
use crate::error::StorageError;
use crate::storage::codec::{Decoded, Put, Reader, TooLong, put_block};

const VERSION: u8 = 1;

/// Appends the bytes of a document.
pub(super) fn encode(document: &TextDocument, out: &mut Vec<u8>) -> Result<(), StorageError> {
    out.push(VERSION);
    for (field, value) in document.values() {
        // A schema has at most 100 fields.
        out.push(u8::try_from(field.index()).unwrap_or(u8::MAX));
        match value {
            Value::Text(text) => put_block(out, text.as_bytes()).map_err(too_long)?,
            Value::Integer(integer) => out.put(&integer.to_le_bytes()),
            Value::Float(float) => out.put_u64(float.to_bits()),
            Value::Date(date) => out.put(&date.nanoseconds().to_le_bytes()),
            Value::Boolean(boolean) => out.push(u8::from(*boolean)),
        }
    }
    Ok(())
}

fn too_long(length: TooLong) -> StorageError {
    StorageError::TooLarge {
        what: "a text",
        bytes: length.0 as u64,
        max: u32::MAX.into(),
    }
}

/// Makes a document from its bytes. What it accepts, [`encode`] turns into the same bytes.
pub(super) fn decode(schema: &Schema, bytes: &[u8]) -> Result<TextDocument, StorageError> {
    let document = read(schema, &mut Reader::new(bytes));
    document.map_err(|malformed| malformed.in_file("a document", 0, ""))
}

fn read(schema: &Schema, bytes: &mut Reader<'_>) -> Decoded<TextDocument> {
    let at = bytes.clone();
    let version = bytes.u8()?;
    if version != VERSION {
        return at.malformed(format!("version {version}"), "version 1");
    }
    let mut document = schema.document();
    while bytes.left() > 0 {
        let at = bytes.clone();
        let field = usize::from(bytes.u8()?);
        if field >= schema.fields().len() {
            return at.malformed(format!("field {field}"), "a field of the schema");
        }
        let field = FieldId::new(field);
        let value = value(schema.kind(field), bytes)?;
        if let Err(error) = document.add_exactly(field, value) {
            return at.malformed(error, "a value that fits its field");
        }
    }
    Ok(document)
}

fn value(kind: Kind, bytes: &mut Reader<'_>) -> Decoded<Value> {
    let at = bytes.clone();
    let integer = |bytes: &mut Reader<'_>| Ok(i64::from_le_bytes(bytes.array()?));
    Ok(match kind {
        Kind::Text(_) | Kind::Keyword => Value::Text(bytes.text()?.to_owned()),
        Kind::Integer => Value::Integer(integer(bytes)?),
        Kind::Date => Value::Date(Date::from_nanoseconds(integer(bytes)?)),
        Kind::Float => match f64::from_bits(bytes.u64()?) {
            float if float == 0.0 && float.is_sign_negative() => {
                return at.malformed("-0", "0");
            }
            float => Value::Float(float),
        },
        Kind::Boolean => match bytes.u8()? {
            0 => Value::Boolean(false),
            1 => Value::Boolean(true),
            other => return at.malformed(other, "0 or 1 as a boolean"),
        },
    })
}

#[cfg(test)]
mod tests;
