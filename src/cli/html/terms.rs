//! The most frequent terms of the text fields.

use maud::{Markup, html};

use super::figures::{counted, percent, ratio};
use super::{Page, scrolled, shapes};
use crate::cli::escape::shown;
use crate::cli::text::grouped;

/// The terms of a text field.
pub(in crate::cli) struct FieldTerms {
    pub(in crate::cli) field: String,
    pub(in crate::cli) tokens: u64,
    /// The number of distinct terms.
    pub(in crate::cli) distinct: usize,
    /// The most frequent terms with the number of documents that each is in, the most frequent first.
    pub(in crate::cli) top: Vec<(String, u64)>,
}

pub(super) fn section(page: &Page<'_>) -> Markup {
    if page.fields.is_empty() {
        return html! { p { "The schema has no text field." } };
    }
    html! {
        @for field in page.fields { (field.table(page.documents())) }
    }
}

impl FieldTerms {
    fn table(&self, documents: u64) -> Markup {
        let name = shown(&self.field);
        let heading = html! { h3 { "The field " code { (name) } } };
        if self.top.is_empty() {
            return html! {
                (heading)
                p data-field=(name) { "It has no terms." }
            };
        }
        let table = html! {
            table data-field=(name) data-tokens=(self.tokens) data-distinct=(self.distinct) {
                caption {
                    "The " (counted(self.top.len() as u64, "term")) " of the field " (name) " that most documents have, out of "
                    (counted(self.distinct as u64, "distinct term")) " and " (counted(self.tokens, "token")) ". Bars are drawn beside all documents."
                }
                thead {
                    tr {
                        th.number scope="col" { "Rank" }
                        th scope="col" { "Term" }
                        th.number scope="col" { "Documents" }
                        th.number scope="col" { "Of all" }
                        th.wide scope="col" { "Of all documents" }
                    }
                }
                tbody {
                    @for (rank, (term, frequency)) in (1..).zip(&self.top) {
                        (row(rank, term, *frequency, documents))
                    }
                }
            }
        };
        html! {
            (heading)
            (scrolled(&format!("Terms of the field {name}"), &table))
        }
    }
}

fn row(rank: u32, term: &str, frequency: u64, documents: u64) -> Markup {
    let (term, share) = (shown(term), ratio(frequency, documents));
    let says = format!("{term}: {} documents", grouped(frequency));
    html! {
        tr data-term=(term) {
            td.number { (rank) }
            th.term scope="row" { (term) }
            td.number data-kind="documents" data-value=(frequency) { (grouped(frequency)) }
            td.number { (percent(share)) }
            td { (shapes::bar(share, &says)) }
        }
    }
}
