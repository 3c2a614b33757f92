//! The snippets of hits, from the stored text fields.

use tickring::Publication;
use tickring::search::{
    Field, Hit, Query, Schema, SearchError, Snippet, Snippets, TextView, stored,
};

/// A snippet, and the field that it comes from.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) field: String,
    pub(super) snippet: Snippet,
}

/// The maker of the snippets of one query.
pub(super) struct Maker<'a> {
    publication: &'a Publication<TextView>,
    fields: Vec<(String, Snippets)>,
}

/// Returns the names of the fields that snippets are taken from.
pub(super) fn fields(schema: &Schema) -> impl Iterator<Item = &str> {
    let fields = schema.fields().iter();
    let shown = fields.filter(|field| field.is_text() && field.is_stored());
    shown.map(Field::name)
}

impl<'a> Maker<'a> {
    pub(super) fn new(
        publication: &'a Publication<TextView>,
        query: &Query,
    ) -> Result<Self, SearchError> {
        let made = fields(query.schema()).map(|field| {
            let snippets = Snippets::new(query, publication.statistics(), field)?;
            Ok((field.to_owned(), snippets))
        });
        Ok(Self {
            publication,
            fields: made.collect::<Result<_, SearchError>>()?,
        })
    }

    /// Returns the snippet of the first field with a word of the query, or else the beginning of the first field with a text.
    pub(super) fn of(&self, hit: &Hit) -> Result<Option<Shown>, SearchError> {
        let Some(stored) = stored(self.publication, hit)? else {
            return Ok(None);
        };
        let mut shown = None;
        for (field, snippets) in &self.fields {
            for text in stored.get_all(field).filter_map(|value| value.as_str()) {
                let snippet = snippets.of(text);
                let is_match = !snippet.highlights().is_empty();
                if is_match || shown.is_none() && !snippet.text().is_empty() {
                    let field = field.clone();
                    shown = Some(Shown { field, snippet });
                }
                if is_match {
                    return Ok(shown);
                }
            }
        }
        Ok(shown)
    }
}
