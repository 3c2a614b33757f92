//! The documents and bytes of each shard.

use maud::{Markup, html};
use tickring::ShardId;

use super::figures::{percent, ratio};
use super::{Page, scrolled, shapes};
use crate::cli::text::grouped;

/// What a shard holds.
pub(in crate::cli) struct Size {
    pub(in crate::cli) shard: ShardId,
    pub(in crate::cli) documents: u64,
    /// The size of its index.
    pub(in crate::cli) bytes: u64,
    /// Whether its view is of an earlier tick than the others'.
    pub(in crate::cli) is_behind: bool,
}

pub(super) fn section(page: &Page<'_>) -> Markup {
    let (documents, bytes) = (page.documents(), page.bytes());
    let most = page.sizes.iter().map(|one| one.documents).max();
    let largest = page.sizes.iter().map(|one| one.bytes).max();
    let table = html! {
        table id="shard-sizes" {
            caption { "What each shard holds. Bars are drawn beside the largest of their column." }
            thead {
                tr {
                    th scope="col" { "Shard" }
                    th.number scope="col" { "Documents" }
                    th.number scope="col" { "Of all" }
                    th.wide scope="col" { "Documents, beside the most" }
                    th.number scope="col" { "Bytes" }
                    th.wide scope="col" { "Bytes, beside the most" }
                }
            }
            tbody {
                @for size in page.sizes {
                    (size.row(documents, most.unwrap_or(0), largest.unwrap_or(0)))
                }
            }
            tfoot {
                tr {
                    th scope="row" { "All" }
                    td.number { (grouped(documents)) }
                    td {}
                    td {}
                    td.number { (grouped(bytes)) }
                    td {}
                }
            }
        }
    };
    scrolled("Documents and bytes of the shards", &table)
}

impl Size {
    fn row(&self, all: u64, most: u64, largest: u64) -> Markup {
        let (shard, documents, bytes) = (self.shard, grouped(self.documents), grouped(self.bytes));
        html! {
            tr data-shard=(shard.as_u32()) data-behind=(self.is_behind) {
                th scope="row" {
                    (shard)
                    @if self.is_behind { " (behind)" }
                }
                td.number data-kind="documents" data-value=(self.documents) { (documents) }
                td.number { (percent(ratio(self.documents, all))) }
                td { (shapes::bar(ratio(self.documents, most), &format!("{shard}: {documents} documents"))) }
                td.number data-kind="bytes" data-value=(self.bytes) { (bytes) }
                td { (shapes::bar(ratio(self.bytes, largest), &format!("{shard}: {bytes} bytes"))) }
            }
        }
    }
}
