//! The snippets of hits, from the stored text fields.

use tickring::Publication;
use tickring::search::{
    Field, Query, Schema, SearchError, Snippet, Snippets, TextDocument, TextView, Value,
};

/// A snippet, and the field that it comes from.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) field: String,
    pub(super) snippet: Snippet,
}

/// The maker of the snippets of one field.
type Maker = (String, Snippets);

/// Returns the names of the fields that snippets are taken from.
pub(super) fn fields(schema: &Schema) -> impl Iterator<Item = &str> {
    let fields = schema.fields().iter();
    let shown = fields.filter(|field| field.is_text() && field.is_stored());
    shown.map(Field::name)
}

/// Returns the makers of a query's snippets, one for each stored text field.
pub(super) fn makers(
    publication: &Publication<TextView>,
    query: &Query,
) -> Result<Vec<Maker>, SearchError> {
    let made = fields(query.schema()).map(|field| {
        let snippets = Snippets::new(query, publication.statistics(), field)?;
        Ok((field.to_owned(), snippets))
    });
    made.collect()
}

/// Returns the snippet of the first field with a word of the query, or else the beginning of the first field with a text.
pub(super) fn of(stored: &TextDocument, makers: &[Maker]) -> Option<Shown> {
    let mut shown = None;
    for (field, snippets) in makers {
        for text in stored.get_all(field).filter_map(Value::as_str) {
            let snippet = snippets.of(text);
            let is_match = !snippet.highlights().is_empty();
            if is_match || shown.is_none() && !snippet.text().is_empty() {
                let field = field.clone();
                shown = Some(Shown { field, snippet });
            }
            if is_match {
                return shown;
            }
        }
    }
    shown
}
