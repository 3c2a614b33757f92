//! The index's own schema: the fields of a [`Schema`], and what the index needs besides. Conversion of documents for it.

use tantivy::schema::{
    BytesOptions, Field as IndexField, IndexRecordOption, NumericOptions, Schema as IndexSchema,
    TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{RawTokenizer, TokenizerManager};
use tantivy::{TantivyDocument, Term};

use super::{Field, FieldId, Kind, Schema, TextField};
use crate::id::DocumentId;
use crate::search::analyzer::Analyzer;
use crate::search::document::TextDocument;
use crate::search::value::Value;

// A schema's names begin with a letter, so these are free.
pub(in crate::search) const ID_NAME: &str = "_id";
pub(in crate::search) const ID_HIGH_NAME: &str = "_id_high";
pub(in crate::search) const ID_LOW_NAME: &str = "_id_low";

/// tantivy's tokenizer that makes one token of a whole value.
const KEYWORD: &str = "raw";

/// Returns the name of the column with the numbers of tokens of a text field.
pub(in crate::search) fn tokens_name(field: TextField) -> String {
    format!("_tokens_{}", field.index())
}

/// The fields whose values an index keeps, so that they can be read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::search) enum Storing {
    /// Those whose definition says so.
    Chosen,
    /// All, so that whole documents can be read back.
    All,
}

impl Storing {
    /// Returns whether an index keeps the values of a field.
    pub(in crate::search) const fn stores(self, field: &Field) -> bool {
        match self {
            Self::Chosen => field.is_stored(),
            Self::All => true,
        }
    }
}

impl Schema {
    /// Returns the schema of the index. The schema's own fields come first, so that a field's number is its index. Then comes the id. It is
    /// indexed, so that a document can be found and deleted by it. It is also kept as two numbers, so that a hit's id costs two
    /// array look-ups. Last come the exact numbers of tokens, because the index itself keeps only an approximate length.
    pub(in crate::search) fn for_index(&self, storing: Storing) -> IndexSchema {
        let mut builder = IndexSchema::builder();
        for (at, field) in self.fields().iter().enumerate() {
            let (name, stored) = (field.name(), storing.stores(field));
            let mut number = NumericOptions::default().set_fast();
            if stored {
                number = number.set_stored();
            }
            match self.kind(FieldId::new(at)) {
                Kind::Text(text) => {
                    builder.add_text_field(name, text_options(self.analyzer(text), stored))
                }
                Kind::Keyword => builder.add_text_field(name, keyword_options(stored)),
                Kind::Integer | Kind::Date | Kind::Boolean => builder.add_i64_field(name, number),
                Kind::Float => builder.add_f64_field(name, number),
            };
        }
        builder.add_bytes_field(ID_NAME, BytesOptions::default().set_indexed());
        let number = NumericOptions::default().set_fast();
        for name in [ID_HIGH_NAME, ID_LOW_NAME] {
            builder.add_u64_field(name, number.clone());
        }
        for field in self.text_fields() {
            builder.add_u64_field(&tokens_name(field), number.clone());
        }
        builder.build()
    }

    /// Returns the number of the first field after the schema's own.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a schema has at most 100 fields"
    )]
    fn own(&self, offset: usize) -> IndexField {
        IndexField::from_field_id((self.fields().len() + offset) as u32)
    }

    const ID_HIGH: usize = 1;
    const ID_LOW: usize = 2;
    const TOKENS: usize = 3;
}

fn text_options(analyzer: Analyzer, stored: bool) -> TextOptions {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(&analyzer.name())
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    let options = TextOptions::default().set_indexing_options(indexing);
    if stored {
        options.set_stored()
    } else {
        options
    }
}

/// A keyword is one term. Its column has the values in order, for ranges.
fn keyword_options(stored: bool) -> TextOptions {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(KEYWORD)
        .set_fieldnorms(false)
        .set_index_option(IndexRecordOption::Basic);
    let options = TextOptions::default()
        .set_indexing_options(indexing)
        .set_fast(KEYWORD);
    if stored {
        options.set_stored()
    } else {
        options
    }
}

/// Returns what an index with this schema of its own stores.
pub(in crate::search) fn storing(schema: &Schema, index: &IndexSchema) -> Storing {
    let mut fields = (0..schema.fields().len()).map(|at| FieldId::new(at).number());
    if fields.all(|field| index.get_field_entry(field).is_stored()) {
        Storing::All
    } else {
        Storing::Chosen
    }
}

/// Converts a document for the index.
pub(in crate::search) fn indexed(id: DocumentId, document: &TextDocument) -> TantivyDocument {
    let schema = document.schema();
    let mut indexed = TantivyDocument::new();
    let mut tokens = vec![0; schema.text_fields().len()];
    for (field, value) in document.values() {
        let number = field.number();
        match value {
            Value::Text(text) => {
                if let Kind::Text(field) = schema.kind(*field) {
                    tokens[field.index()] += schema.analyzer(field).count(text).tokens;
                }
                indexed.add_text(number, text);
            }
            Value::Integer(integer) => indexed.add_i64(number, *integer),
            Value::Float(float) => indexed.add_f64(number, *float),
            Value::Date(date) => indexed.add_i64(number, date.nanoseconds()),
            Value::Boolean(boolean) => indexed.add_i64(number, i64::from(*boolean)),
        }
    }
    indexed.add_bytes(schema.own(0), id.as_bytes());
    let (high, low) = id.0.as_u64_pair();
    indexed.add_u64(schema.own(Schema::ID_HIGH), high);
    indexed.add_u64(schema.own(Schema::ID_LOW), low);
    for (at, count) in tokens.into_iter().enumerate() {
        indexed.add_u64(schema.own(Schema::TOKENS + at), count);
    }
    indexed
}

pub(in crate::search) fn id_term(schema: &Schema, id: DocumentId) -> Term {
    Term::from_field_bytes(id_field(schema), id.as_bytes())
}

pub(in crate::search) fn id_field(schema: &Schema) -> IndexField {
    schema.own(0)
}

pub(in crate::search) fn tokenizers(schema: &Schema) -> TokenizerManager {
    let tokenizers = TokenizerManager::new();
    for field in schema.text_fields() {
        let analyzer = schema.analyzer(field);
        tokenizers.register(&analyzer.name(), analyzer.tokenizer());
    }
    tokenizers.register(KEYWORD, RawTokenizer::default());
    // tantivy looks it up for the fields that aren't text.
    tokenizers.register("default", RawTokenizer::default());
    tokenizers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Field;

    #[test]
    fn the_numbers_are_those_of_the_names() {
        let own = Schema::builder()
            .field(Field::keyword("author"))
            .field(Field::text("body"))
            .field(Field::integer("year"))
            .field(Field::text("notes"));
        for schema in [Schema::default(), own.build().unwrap()] {
            let index = schema.for_index(Storing::Chosen);
            for (at, field) in schema.fields().iter().enumerate() {
                let number = FieldId::new(at).number();
                assert_eq!(index.get_field(field.name()).unwrap(), number);
            }
            for field in schema.text_fields() {
                assert_eq!(schema.text_field_of(&schema.term(field, "")), Some(field));
                let tokens = index.get_field(&tokens_name(field)).unwrap();
                assert_eq!(tokens, schema.own(Schema::TOKENS + field.index()));
            }
            assert_eq!(index.get_field(ID_NAME).unwrap(), id_field(&schema));
            for (name, at) in [
                (ID_HIGH_NAME, Schema::ID_HIGH),
                (ID_LOW_NAME, Schema::ID_LOW),
            ] {
                assert_eq!(index.get_field(name).unwrap(), schema.own(at));
            }
            let id = id_term(&schema, DocumentId::from_seed(1));
            assert_eq!(schema.text_field_of(&id), None);
        }
    }
}
