//! The pinned schema of a shard's index: its fields, and the analysis of text into tokens.

use tantivy::schema::{
    BytesOptions, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{
    LowerCaser, RemoveLongFilter, SimpleTokenizer, TextAnalyzer, TokenizerManager,
};
use tantivy::{TantivyDocument, Term};

use super::document::TextDocument;
use crate::id::DocumentId;

/// A field of a [`TextDocument`](crate::search::TextDocument) that can be searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TextField {
    /// The title.
    Title,
    /// The body.
    Body,
}

impl TextField {
    /// Both fields, in the order in which a word without a field is searched for and scored.
    pub const ALL: [Self; 2] = [Self::Title, Self::Body];

    /// Returns the field's name in queries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Body => "body",
        }
    }

    pub(super) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    pub(super) const fn index(self) -> usize {
        self as usize
    }

    /// Returns its number in the index. [`schema`] adds the fields in this order.
    pub(super) const fn number(self) -> Field {
        Field::from_field_id(self as u32)
    }

    pub(super) fn by_number(number: Field) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.number() == number)
    }
}

const ID: Field = Field::from_field_id(2);
const ID_HIGH: Field = Field::from_field_id(3);
const ID_LOW: Field = Field::from_field_id(4);
const TOKENS: [Field; 2] = [Field::from_field_id(5), Field::from_field_id(6)];

pub(super) const ID_HIGH_NAME: &str = "id_high";
pub(super) const ID_LOW_NAME: &str = "id_low";
pub(super) const TOKENS_NAMES: [&str; 2] = ["title_tokens", "body_tokens"];

const TOKENIZER: &str = "default";
/// Tokens of this many bytes or more are not indexed. They still take up a position.
const LONG_TOKEN: usize = 40;

/// Builds the schema. The document store stays empty. The id is indexed, so that a document can be found and deleted by it. It is also
/// kept as two numbers, so that a hit's id costs two array look-ups.
pub(super) fn schema() -> Schema {
    let mut builder = Schema::builder();
    let text = TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer(TOKENIZER)
            .set_index_option(IndexRecordOption::WithFreqsAndPositions),
    );
    for field in TextField::ALL {
        builder.add_text_field(field.name(), text.clone());
    }
    builder.add_bytes_field("id", BytesOptions::default().set_indexed());
    let number = NumericOptions::default().set_fast();
    for name in [ID_HIGH_NAME, ID_LOW_NAME].into_iter().chain(TOKENS_NAMES) {
        builder.add_u64_field(name, number.clone());
    }
    builder.build()
}

/// Whether the term is too long to be in any document. Lower case makes a token at most half as long again: `Ⱥ` grows from 2 bytes to 3.
pub(super) fn is_too_long(term: &Term) -> bool {
    term.serialized_value_bytes().len() >= LONG_TOKEN + LONG_TOKEN / 2
}

/// tantivy's `default` analyser, spelt out so that a new version of tantivy can't change it: split at characters that aren't alphanumeric,
/// drop long tokens, convert to lower case.
pub(super) fn analyzer() -> TextAnalyzer {
    TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(LONG_TOKEN))
        .filter(LowerCaser)
        .build()
}

/// The analyser of queries. It keeps long tokens as terms that no index has, so that a query which requires one finds nothing.
pub(super) fn query_analyzer() -> TextAnalyzer {
    TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(LowerCaser)
        .build()
}

pub(super) fn tokenizers() -> TokenizerManager {
    let tokenizers = TokenizerManager::new();
    tokenizers.register(TOKENIZER, analyzer());
    tokenizers
}

/// Converts a document for the index. It includes the exact number of tokens, because the index itself keeps only an approximate length.
pub(super) fn indexed(id: DocumentId, document: &TextDocument) -> TantivyDocument {
    let mut indexed = TantivyDocument::new();
    indexed.add_bytes(ID, id.as_bytes());
    let (high, low) = id.0.as_u64_pair();
    indexed.add_u64(ID_HIGH, high);
    indexed.add_u64(ID_LOW, low);
    for (field, text) in [
        (TextField::Title, &document.title),
        (TextField::Body, &document.body),
    ] {
        indexed.add_text(field.number(), text);
        indexed.add_u64(TOKENS[field.index()], token_count(text));
    }
    indexed
}

/// Counts the tokens that the [`analyzer`] makes of the text, without making them.
fn token_count(text: &str) -> u64 {
    let tokens = text.split(|letter: char| !letter.is_alphanumeric());
    let tokens = tokens.filter(|token| (1..LONG_TOKEN).contains(&token.len()));
    tokens.count() as u64
}

pub(super) fn id_term(id: DocumentId) -> Term {
    Term::from_field_bytes(ID, id.as_bytes())
}

pub(super) const fn id_field() -> Field {
    ID
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tokens_are_counted_as_the_analyser_makes_them(
            words in proptest::collection::vec(prop_oneof![".{0,45}", "[a-zA-Z0-9]{36,44}", "[äßİ漢ﬁ½²٣]{10,25}"], 0..8),
            between in prop_oneof!["", "[ ,.'_-]{1,3}"],
        ) {
            let text = words.join(&between);
            let mut tokens = 0;
            analyzer().token_stream(&text).process(&mut |_| tokens += 1);
            prop_assert_eq!(token_count(&text), tokens);
        }
    }

    #[test]
    fn c7_no_term_of_a_document_is_too_long() {
        let mut most = 0;
        for letter in (char::MIN..=char::MAX).filter(|letter| letter.is_alphanumeric()) {
            // The longest token of this letter that is indexed.
            let token = letter
                .to_string()
                .repeat((LONG_TOKEN - 1) / letter.len_utf8());
            analyzer().token_stream(&token).process(&mut |token| {
                let term = Term::from_field_text(TextField::Body.number(), &token.text);
                assert!(!is_too_long(&term), "{letter:?}");
                most = most.max(token.text.len());
            });
            let lower: usize = letter.to_lowercase().map(char::len_utf8).sum();
            assert!(2 * lower <= 3 * letter.len_utf8(), "{letter:?}");
        }
        assert_eq!(most, 57);
        let long = Term::from_field_text(TextField::Title.number(), &"a".repeat(60));
        assert!(is_too_long(&long));
    }

    #[test]
    fn the_numbers_are_those_of_the_names() {
        let schema = schema();
        for field in TextField::ALL {
            assert_eq!(schema.get_field(field.name()).unwrap(), field.number());
            assert_eq!(TextField::by_number(field.number()), Some(field));
            assert_eq!(
                schema.get_field(TOKENS_NAMES[field.index()]).unwrap(),
                TOKENS[field.index()]
            );
        }
        assert_eq!(schema.get_field("id").unwrap(), ID);
        assert_eq!(schema.get_field(ID_HIGH_NAME).unwrap(), ID_HIGH);
        assert_eq!(schema.get_field(ID_LOW_NAME).unwrap(), ID_LOW);
        assert_eq!(TextField::by_number(ID), None);
    }

    #[test]
    fn the_analyser_is_the_default_one() {
        let text = format!("Äpfel, don't fs/proc.c  {} x_y A1", "long".repeat(10));
        let tokens = |mut analyzer: TextAnalyzer| {
            let mut tokens = Vec::new();
            analyzer
                .token_stream(&text)
                .process(&mut |token| tokens.push(token.clone()));
            tokens
        };
        let default = TokenizerManager::default().get(TOKENIZER).unwrap();
        assert_eq!(tokens(analyzer()), tokens(default));
    }
}
