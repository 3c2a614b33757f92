//! The commands of a colony that is kept in a directory: `index`, `search`, `export`, `verify`,
//! `quarantine`, `shards` and `report`.

mod drive;
mod export;
mod html_report;
mod index;
mod line;
mod look;
mod moving;
pub(super) mod naming;
mod opening;
mod pending;
mod place;
mod quarantine;
mod report;
mod search;
mod shape;
mod shards;
mod summary;
mod verify;

pub(super) use self::export::Export;
pub(super) use self::html_report::HtmlReport;
pub(super) use self::index::Index;
pub(super) use self::quarantine::Quarantine;
pub(super) use self::search::Search;
pub(super) use self::shards::Shards;
pub(super) use self::verify::Verify;
