//! `tickring search`: answers from a colony on the disk.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use parking_lot::Mutex;
use tickring::DocumentId;
use tickring::search::{Hit, Query};

use super::naming::{Kept, Named};
use super::place::{Data, Found, Publication};
use super::report;
use crate::cli::answers::{Answer, Asked, Names};
use crate::cli::asking::Asking;
use crate::cli::item::Place;
use crate::cli::{Failure, queries, say, snippet, text};

#[derive(Debug, Args)]
pub(crate) struct Search {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    asking: Asking,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// The names that the colony keeps. Each is read once.
struct StoredNames<'a> {
    publication: &'a Publication,
    kept: &'a Kept,
    known: Mutex<HashMap<DocumentId, Arc<Named>>>,
}

impl StoredNames<'_> {
    fn named(&self, hit: &Hit) -> Arc<Named> {
        if let Some(known) = self.known.lock().get(&hit.document) {
            return Arc::clone(known);
        }
        let shard = self.publication.shard(hit.shard);
        let document = shard.and_then(|shard| shard.view().document(hit.document).ok().flatten());
        // A hit that can't be read is called by its id.
        let document = document.unwrap_or_else(|| self.kept.whole.document());
        let named = Arc::new(self.kept.named(hit.document, &document));
        self.known.lock().insert(hit.document, Arc::clone(&named));
        named
    }
}

impl Names for StoredNames<'_> {
    fn compare(&self, one: &Hit, other: &Hit) -> Ordering {
        self.named(one).name.cmp(&self.named(other).name)
    }

    fn of(&self, hit: &Hit) -> (String, Option<Place>) {
        let named = self.named(hit);
        (named.name.clone(), named.place())
    }
}

impl Search {
    /// Returns what the command line lacks, if it does.
    pub(in crate::cli) fn wrong(&self) -> Option<String> {
        let is_asked = !self.asking.queries.is_empty() || self.asking.query_file.is_some();
        let reason = "nothing to search for: give a --query, or --queries with a file of them";
        (!is_asked).then(|| reason.to_owned())
    }

    /// Runs the command. Returns whether every query was answered.
    pub(in crate::cli) fn run(&self) -> Result<bool, Failure> {
        let begun = Instant::now();
        let asked = queries::given(&self.asking)?;
        let found = self.data.read()?;
        let kept = &found.settings.kept;
        // First as if there were only the user's fields, for the messages.
        queries::parse(&asked, &kept.visible, &self.asking, "")?;
        let queries = queries::parse(&asked, &kept.whole, &self.asking, "")?;
        if self.asking.snippets && snippet::fields(&kept.visible).next().is_none() {
            let why = "the schema has no stored text field";
            say("warning", &format!("--snippets has no effect: {why}"));
        }
        let opened = begun.elapsed();
        let begun = Instant::now();
        let publication = found.colony.publication();
        let frequencies = crate::cli::report::frequencies(publication)?;
        let aggregation = begun.elapsed();
        let answers = self.answers(&found, &queries);
        for (query, reason) in answers.iter().filter_map(failed) {
            say("error", &format!("query {query:?}: {reason}"));
        }
        let is_complete = answers.iter().all(|answer| answer.page.is_ok());
        let output = Output {
            found: &found,
            answers: &answers,
            distinct_terms: frequencies.len(),
            opened,
            aggregation,
        };
        report::ended(self.write(&output))?;
        Ok(is_complete)
    }

    fn answers(&self, found: &Found, queries: &[Query]) -> Vec<Answer> {
        let publication = found.colony.publication();
        let kept = &found.settings.kept;
        let known = Mutex::default();
        let asked = Asked {
            publication,
            names: &StoredNames {
                publication,
                kept,
                known,
            },
            asking: &self.asking,
            shows_stored: !kept.is_plain(),
        };
        queries.iter().map(|query| asked.answer(query)).collect()
    }

    fn write(&self, output: &Output<'_>) -> io::Result<()> {
        let mut writer = io::BufWriter::new(io::stdout().lock());
        if self.json {
            report::write_answers(output, &mut writer)?;
        } else {
            let publication = output.found.colony.publication();
            let (documents, tick) = (report::documents(publication), report::tick(publication));
            writeln!(writer, "documents  {documents}, at tick {tick}")?;
            for answer in output.answers {
                text::write_answer(answer, &mut writer)?;
            }
        }
        writer.flush()
    }
}

fn failed(answer: &Answer) -> Option<(&String, &String)> {
    Some((&answer.query, answer.page.as_ref().err()?))
}

/// What a search gives.
pub(super) struct Output<'a> {
    pub(super) found: &'a Found,
    pub(super) answers: &'a [Answer],
    pub(super) distinct_terms: usize,
    /// The time until the colony was open.
    pub(super) opened: Duration,
    pub(super) aggregation: Duration,
}
