//! `tickring quarantine`: the writes that were set aside because their shard died of them, and what becomes of them.

use std::collections::HashSet;
use std::io::{self, Write as _};
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use tickring::colony::{Quarantined, ReturnReason, Write};
use tickring::search::{TextDocument, TextShard};
use tickring::{Colony, Tick};

use super::drive::PATIENCE;
use super::naming::Named;
use super::place::{Data, Settings, shown};
use super::report;
use crate::cli::index::PHASE_TIMEOUT;
use crate::cli::{Failure, escape, say};

#[derive(Debug, Args)]
pub(crate) struct Quarantine {
    #[command(flatten)]
    data: Data,
    /// Write what was set aside of this document once more, over any later version, and take it out of the quarantine. Its shard may die of it again:
    /// then it is set aside again. The document is named by its name or its id, as they are listed; repeat the option for more documents.
    #[arg(long, value_name = "DOCUMENT", allow_hyphen_values = true)]
    restore: Vec<String>,
    /// Throw away what was set aside of this document. Its earlier version stays, if there is one.
    #[arg(long, value_name = "DOCUMENT", allow_hyphen_values = true)]
    drop: Vec<String>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// A write that was set aside.
#[derive(Clone)]
struct Aside {
    entry: Quarantined,
    write: Write<TextDocument>,
    named: Named,
}

#[derive(Serialize)]
struct Output<'a> {
    quarantine: Vec<Listed<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    restored: Vec<Listed<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dropped: Vec<Listed<'a>>,
}

#[derive(Serialize)]
struct Listed<'a> {
    document: &'a str,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    write: &'static str,
    shard: u32,
    tick: Tick,
    why: &'a str,
}

impl Aside {
    /// Returns whether the user means it by this.
    fn is_called(&self, what: &str) -> bool {
        self.named.name == what || self.entry.document.to_string() == what
    }

    fn listed(&self) -> Listed<'_> {
        Listed {
            document: &self.named.name,
            id: self.entry.document.to_string(),
            path: self.named.path.as_deref(),
            line: self.named.line,
            write: match self.write {
                Write::Add { .. } => "add",
                Write::Upsert { .. } => "upsert",
                Write::Delete { .. } => "delete",
            },
            shard: self.entry.shard.as_u32(),
            tick: self.entry.tick,
            why: &self.entry.why,
        }
    }
}

impl Quarantine {
    /// Runs the command. Returns whether everything that the command line names was done.
    pub(in crate::cli) fn run(&self) -> Result<bool, Failure> {
        let all = self.all()?;
        let chosen = |names: &[String]| -> Result<Vec<Aside>, Failure> {
            let directory = shown(&self.data.directory);
            for name in names {
                if !all.iter().any(|aside| aside.is_called(name)) {
                    let what = format!("no write of {name:?} is in the quarantine of {directory}");
                    return Err(format!("{what}: leave the options out to list it").into());
                }
            }
            let of_one = |aside: &&Aside| names.iter().any(|name| aside.is_called(name));
            Ok(all.iter().filter(of_one).cloned().collect())
        };
        let (restored, dropped) = (chosen(&self.restore)?, chosen(&self.drop)?);
        if let Some(both) = restored.iter().find(|one| {
            let entry = &one.entry;
            dropped.iter().any(|other| other.entry == *entry)
        }) {
            let name = &both.named.name;
            return Err(format!("{name} can't be both restored and dropped").into());
        }
        if restored.is_empty() && dropped.is_empty() {
            self.print(&all, &[], &[])?;
            return Ok(true);
        }
        let (restored, is_complete) = self.change(&restored, &dropped)?;
        self.print(&self.all()?, &restored, &dropped)?;
        Ok(is_complete)
    }

    /// Returns what the quarantine holds.
    fn all(&self) -> Result<Vec<Aside>, Failure> {
        let found = self.data.read()?;
        let kept = &found.settings.kept;
        let writes = found.colony.quarantined_writes::<TextShard>(kept.shard());
        let asides = writes.map(|kept_write| {
            let (entry, write) = kept_write?;
            let id = entry.document;
            let views = found.colony.publication().shards().iter();
            let mut views = views.map(tickring::publication::Published::view);
            // A delete has no document, but the one that it was to delete is there.
            let there = views.find_map(|view| view.document(id).ok().flatten());
            let document = write.document().map(|document| (**document).clone());
            let document = document.or(there).unwrap_or_else(|| kept.whole.document());
            let named = kept.named(id, &document);
            Ok(Aside {
                entry,
                write,
                named,
            })
        });
        asides.collect()
    }

    /// Writes again what is to be restored, and takes all out of the quarantine. Returns what was restored, and whether that is all.
    fn change(&self, restored: &[Aside], dropped: &[Aside]) -> Result<(Vec<Aside>, bool), Failure> {
        let mut colony = self.open()?;
        let mut done = Vec::new();
        // Written before it is taken out, so that it is always in one of both places.
        let mut taken_out: Vec<_> = dropped.iter().map(|one| &one.entry).collect();
        for aside in restored {
            let end = write_again(&mut colony, aside)?;
            if end == End::There {
                done.push(aside.clone());
            }
            if end != End::Back {
                taken_out.push(&aside.entry);
            }
        }
        let mut taken = HashSet::new();
        for entry in taken_out {
            // The writes of one document and tick are one entry.
            if taken.insert((entry.shard, entry.tick, entry.document)) {
                colony.take_quarantined(entry, Instant::now() + PATIENCE)?;
            }
        }
        let end = colony.close(Instant::now() + PATIENCE);
        end.last?;
        let is_complete = done.len() == restored.len();
        Ok((done, is_complete))
    }

    fn open(&self) -> Result<Colony<TextShard>, Failure> {
        let settings: Option<Settings> = self.data.settings()?;
        let settings = settings.ok_or("the colony has gone")?;
        let mut config = settings.config();
        config.colony.phase_timeout = PHASE_TIMEOUT;
        let directory = &self.data.directory;
        Ok(Colony::open(directory, config, settings.kept.shard())?)
    }

    fn print(&self, all: &[Aside], restored: &[Aside], dropped: &[Aside]) -> Result<(), Failure> {
        let mut output = io::BufWriter::new(io::stdout().lock());
        let written = if self.json {
            let lists = Output {
                quarantine: all.iter().map(Aside::listed).collect(),
                restored: restored.iter().map(Aside::listed).collect(),
                dropped: dropped.iter().map(Aside::listed).collect(),
            };
            report::write_line(&lists, &mut output)
        } else {
            let parts = [("restored", restored), ("dropped", dropped)];
            let parts = parts.iter().filter(|(_, asides)| !asides.is_empty());
            let mut parts = parts.copied().chain([("quarantine", all)]);
            parts.try_for_each(|(what, asides)| list(what, asides, &mut output))
        };
        report::ended(written.and_then(|()| output.flush()))?;
        Ok(())
    }
}

fn list(what: &str, asides: &[Aside], output: &mut impl io::Write) -> io::Result<()> {
    let count = asides.len();
    writeln!(output, "{what:<10} {count}")?;
    for aside in asides {
        let listed = aside.listed();
        let name = escape::shown(listed.document);
        writeln!(
            output,
            "  {name}  {} of tick {}, of which shard-{} died: {}",
            listed.write,
            listed.tick,
            listed.shard,
            escape::shown(listed.why)
        )?;
        if listed.id != listed.document {
            writeln!(output, "    id {}", listed.id)?;
        }
    }
    Ok(())
}

/// What became of a write that was to be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It is published.
    There,
    /// Its shard has died of it again.
    AsideAgain,
    /// It came back, or its shard didn't.
    Back,
}

/// Writes once more what was set aside.
fn write_again(colony: &mut Colony<TextShard>, aside: &Aside) -> Result<End, Failure> {
    let (intake, id) = (colony.intake(), aside.entry.document);
    match &aside.write {
        Write::Delete { .. } => intake.try_delete(id)?,
        Write::Add { document, .. } => intake.try_add(id, (**document).clone())?,
        Write::Upsert { document, .. } => intake.try_upsert(id, (**document).clone())?,
    };
    let name = &aside.named.name;
    let unable = |why: &str| say("error", &format!("{name} can't be restored: {why}"));
    let deadline = Instant::now() + PATIENCE;
    let mut end = End::There;
    loop {
        let report = colony.tick()?;
        for fault in &report.faults {
            say("warning", &fault.to_string());
        }
        for returned in &report.returned {
            let reason = &returned.reason;
            end = match reason {
                ReturnReason::SetAside(_) => End::AsideAgain,
                _ => End::Back,
            };
            unable(&format!("{reason}; it stays in the quarantine"));
        }
        // A shard that is behind tells what became of the write once it has caught up.
        if report.frozen.is_empty() {
            return Ok(end);
        }
        if Instant::now() >= deadline {
            unable("its shard doesn't come back; it stays in the quarantine");
            return Ok(End::Back);
        }
    }
}
