//! The report of a colony as one HTML page: pure functions from what is known of the colony to the text of the page.
//!
//! The page needs nothing else: its style is in it, its pictures are SVG, it has no script, and its content policy forbids it to load anything.
//! Whatever a picture shows stands in a table too. Exact values are in `data-` attributes, whose names don't change. All strings are escaped
//! by the macro that builds the page.

mod arcs;
mod circle;
mod figures;
mod moves;
mod owners;
mod shapes;
mod sizes;
mod terms;
mod ticks;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use tickring::error::RingError;
use tickring::{HashRing, ShardId, Tick};

use self::figures::counted;
use self::moves::Moves;
use self::owners::Owners;
pub(super) use self::sizes::Size;
pub(super) use self::terms::FieldTerms;
pub(super) use self::ticks::{PhaseSummary, TickSummary};
use crate::cli::escape::shown;
use crate::cli::text::grouped;

const STYLE: &str = include_str!("style.css");
/// The page loads nothing and runs nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// What a page is about.
pub(super) struct Page<'a> {
    /// The directory, as it is shown.
    pub(super) directory: String,
    pub(super) tick: Tick,
    pub(super) epoch: u64,
    /// The ring as it is.
    pub(super) ring: &'a HashRing,
    /// The ring that the goal leads to, if one is pending.
    pub(super) goal: Option<&'a HashRing>,
    /// The shards with their documents, ascending by id.
    pub(super) sizes: &'a [Size],
    /// The last ticks, the oldest first.
    pub(super) ticks: &'a [TickSummary],
    /// The text fields, in the order of the schema.
    pub(super) fields: &'a [FieldTerms],
}

impl Page<'_> {
    /// Returns the page. Costs a pass over the points of both rings for each picture of them.
    ///
    /// # Errors
    /// If the two rings hash differently.
    pub(super) fn html(&self) -> Result<String, RingError> {
        let owners = Owners::of(self)?;
        let moves = Moves::of(self)?;
        let directory = shown(&self.directory);
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    title { "tickring: " (directory) " at tick " (self.tick) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    (shapes::patterns())
                    header {
                        h1 { "The colony in " code { (directory) } }
                        (self.summary())
                        (contents())
                    }
                    main {
                        (section("ring", "Ring and shares", &owners.section(moves.as_ref())))
                        (section("moves", "Moves", &moves::section(moves.as_ref())))
                        (section("sizes", "Documents and bytes", &sizes::section(self)))
                        (section("ticks", "Last ticks", &ticks::section(self.ticks)))
                        (section("terms", "Most frequent terms", &terms::section(self)))
                    }
                }
            }
        };
        Ok(page.into_string())
    }

    /// Returns the shards of the rings and of the publication, ascending.
    fn shards(&self) -> Vec<ShardId> {
        let rings = [Some(self.ring), self.goal].into_iter().flatten();
        let members = rings.flat_map(HashRing::members).map(|one| one.shard);
        let held = self.sizes.iter().map(|size| size.shard);
        let mut shards: Vec<_> = members.chain(held).collect();
        shards.sort_unstable();
        shards.dedup();
        shards
    }

    fn documents(&self) -> u64 {
        self.sizes.iter().map(|size| size.documents).sum()
    }

    fn bytes(&self) -> u64 {
        self.sizes.iter().map(|size| size.bytes).sum()
    }

    fn summary(&self) -> Markup {
        let figures = [
            ("documents", self.documents()),
            ("bytes", self.bytes()),
            ("shards", self.sizes.len() as u64),
            ("points", self.ring.total_virtual_nodes() as u64),
            ("tick", self.tick),
            ("epoch", self.epoch),
        ];
        let goal = match self.goal {
            None => "There is no pending goal.".to_owned(),
            Some(goal) => {
                let shards = counted(u64::from(goal.shard_count()), "shard");
                format!("A goal is pending: a ring of {shards}.")
            }
        };
        html! {
            dl.summary {
                @for (name, figure) in figures {
                    div {
                        dt { (name) }
                        dd id={ "total-" (name) } data-value=(figure) { (grouped(figure)) }
                    }
                }
            }
            p id="goal" data-pending=(self.goal.is_some()) { (goal) }
        }
    }
}

fn contents() -> Markup {
    html! {
        nav aria-label="Sections" {
            a href="#ring" { "Ring and shares" } " "
            a href="#moves" { "Moves" } " "
            a href="#sizes" { "Documents and bytes" } " "
            a href="#ticks" { "Last ticks" } " "
            a href="#terms" { "Most frequent terms" }
        }
    }
}

fn section(id: &str, heading: &str, content: &Markup) -> Markup {
    html! {
        section id=(id) aria-labelledby={ (id) "-heading" } {
            h2 id={ (id) "-heading" } { (heading) }
            (content)
        }
    }
}

/// Puts a wide table where it can be scrolled by itself, also with the keyboard.
fn scrolled(name: &str, table: &Markup) -> Markup {
    html! {
        div.scroll role="region" aria-label=(name) tabindex="0" { (table) }
    }
}

#[cfg(test)]
mod tests;
