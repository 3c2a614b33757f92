//! `tickring report`: what a colony holds, as one HTML page.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use tickring::HashRing;
use tickring::colony::PhaseReport;
use tickring::frequency::aggregate_owned;
use tickring::search::Field;

use super::place::{Data, Found, Publication, shown};
use super::report;
use crate::cli::Failure;
use crate::cli::html::{FieldTerms, Page, PhaseSummary, Size, TickSummary};

/// The number of terms that are shown of a field.
const FREQUENT: usize = 20;

#[derive(Debug, Args)]
pub(crate) struct HtmlReport {
    #[command(flatten)]
    data: Data,
    /// File that the page is written to. It is replaced if it exists.
    #[arg(long, value_name = "FILE")]
    html: PathBuf,
}

impl HtmlReport {
    /// Runs the command. Returns true: the page is written.
    pub(in crate::cli) fn run(&self) -> Result<bool, Failure> {
        let target = self.target()?;
        let found = self.data.read()?;
        let (goal, ring) = (found.colony.goal(), found.colony.ring());
        let goal = goal.map(|goal| goal.ring(ring)).transpose()?;
        let ticks: Vec<_> = found.colony.last_ticks().iter().map(summary).collect();
        let page = self.page(&found, goal.as_ref(), &ticks)?;
        replace(&target, page.as_bytes()).map_err(|error| self.unwritable(&error.to_string()))?;
        Ok(true)
    }

    fn page(
        &self,
        found: &Found,
        goal: Option<&HashRing>,
        ticks: &[TickSummary],
    ) -> Result<String, Failure> {
        let publication = found.colony.publication();
        let fields = found.settings.kept.visible.fields().iter();
        let fields = fields.filter(|field| field.is_text());
        let fields = fields.map(|field| terms(publication, field));
        let page = Page {
            directory: shown(&self.data.directory),
            tick: report::tick(publication),
            epoch: publication.epoch().get(),
            ring: found.colony.ring(),
            goal,
            sizes: &sizes(publication),
            ticks,
            fields: &fields.collect::<Result<Vec<_>, _>>()?,
        };
        Ok(page.html()?)
    }

    /// Returns the file that is written, behind links. Refuses what isn't a file, and what lies in the colony's directory.
    fn target(&self) -> Result<PathBuf, Failure> {
        let file = match self.html.canonicalize() {
            Ok(file) if !file.is_file() => {
                return Err(self.unwritable("it isn't a regular file"));
            }
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => self.html.clone(),
            Err(error) => return Err(self.unwritable(&error.to_string())),
        };
        let name = file.file_name();
        let name = name.ok_or_else(|| self.unwritable("it has no name of a file"))?;
        let directory = folder(&file).canonicalize();
        let directory = directory
            .map_err(|error| self.unwritable(&format!("its directory can't be found: {error}")))?;
        // If there is no such directory, there is no colony, which opening says.
        let colony = self.data.directory.canonicalize();
        if colony.is_ok_and(|colony| directory.starts_with(colony)) {
            let why = "it is in the directory of the colony, where only the colony writes";
            return Err(self.unwritable(why));
        }
        Ok(directory.join(name))
    }

    fn unwritable(&self, why: &str) -> Failure {
        format!("the page can't be written to {}: {why}", shown(&self.html)).into()
    }
}

fn summary(tick: &tickring::colony::TickSummary) -> TickSummary {
    let phase = |phase: &PhaseReport| PhaseSummary {
        phase: phase.phase,
        elapsed: phase.elapsed,
        slowest: phase.slowest,
    };
    TickSummary {
        tick: tick.tick,
        phases: tick.phases.each_ref().map(phase),
        published: tick.published as u64,
        moved: tick.moved as u64,
    }
}

fn sizes(publication: &Publication) -> Vec<Size> {
    let shards = publication.shards().iter();
    let size = shards.map(|published| Size {
        shard: published.shard(),
        documents: published.view().document_count(),
        bytes: published.view().memory_bytes(),
        is_behind: published.is_frozen() || published.tick() != publication.tick(),
    });
    size.collect()
}

/// Returns the most frequent terms of a text field, over all shards.
fn terms(publication: &Publication, field: &Field) -> Result<FieldTerms, Failure> {
    let name = field.name();
    let shards = publication.shards().iter();
    let dictionaries = shards.map(|shard| shard.view().term_frequencies(name));
    let frequencies = aggregate_owned(dictionaries.collect::<Result<_, _>>()?)?;
    let top = frequencies.top(FREQUENT).into_iter();
    Ok(FieldTerms {
        field: name.to_owned(),
        tokens: publication.statistics().token_count(name)?,
        distinct: frequencies.len(),
        top: top
            .map(|(term, frequency)| (term.to_owned(), frequency))
            .collect(),
    })
}

/// Writes a file as a whole: to a new file beside it, which then takes its place. If that fails, the new file is removed, and an existing one stays.
fn replace(target: &Path, content: &[u8]) -> io::Result<()> {
    let (beside, mut file) = beside(target)?;
    let written = file
        .write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&beside, target));
    if written.is_err() {
        // The first error counts.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// Creates a file beside another, with a name that no file has.
fn beside(target: &Path) -> io::Result<(PathBuf, File)> {
    let process = std::process::id();
    let mut number = 0;
    loop {
        let new = folder(target).join(format!(".tickring-report-{process}-{number}.tmp"));
        match File::create_new(&new) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            created => return Ok((new, created?)),
        }
    }
}

/// Returns the directory of a file.
fn folder(file: &Path) -> &Path {
    let parent = file.parent();
    parent
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_a_page_that_cant_take_its_place() {
        let directory = tempfile::tempdir().unwrap();
        let taken = directory.path().join("page.html");
        fs::create_dir(&taken).unwrap();
        assert!(replace(&taken, b"page").is_err());
        let names = fs::read_dir(directory.path()).unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["page.html"]);
    }

    #[test]
    fn a_name_that_is_taken_is_passed_over() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("page.html");
        let (first, _file) = beside(&target).unwrap();
        let (second, _file) = beside(&target).unwrap();
        assert_ne!(first, second);
        assert_eq!(first.parent(), Some(directory.path()));
        assert!(!target.exists());
    }
}
