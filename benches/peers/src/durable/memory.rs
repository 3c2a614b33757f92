//! The memory of a colony that is opened: with its index in the heap, and mapped under a limit that the index exceeds.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use tempfile::TempDir;
use tickring::DocumentId;
use tickring::search::{QueryParser, Reading, TextShard, TextShardConfig, search};

use super::{Documents, TICK, open_with, schema, settings};
use crate::Scope;
use crate::corpus::Corpus;
use crate::report::{Report, Row, time};

/// The argument that makes the program [print](print_memory) the memory of a colony.
pub const MEMORY: &str = "--memory-of-a-colony";

const SHARDS: u32 = 4;
/// What the line allows a shard beside its index and its settings.
const A_SHARD: f64 = 50e6;
const TOP: usize = 10;

/// What a process tells that has opened a colony and answered queries.
struct Told {
    /// Resident memory now: of the heap, and of files.
    anonymous: f64,
    mapped: f64,
    /// The most resident memory that it ever had.
    most: f64,
    index: f64,
    /// Nanoseconds of the opening, and of a query.
    opening: f64,
    query: f64,
    answers: String,
}

pub fn run(report: &mut Report, scope: Scope, corpus: &Corpus, documents: &Documents) {
    let directory = TempDir::new().expect("there is room");
    // The same documents under other ids, until the limit leaves room for four writers.
    let copies = if scope.is_quick() { 2 } else { 12 };
    write(directory.path(), documents, copies);
    let queries = corpus.queries(100);
    let Some(heap) = told(directory.path(), "heap", &queries, None) else {
        return;
    };
    let settings = f64::from(SHARDS) * settings().writer_memory as f64;
    let most = settings + 1.3 * heap.index + f64::from(SHARDS) * A_SHARD;
    push(
        report,
        "in the heap",
        &heap,
        format!("at most {}", megabytes(most)),
        heap.most <= most,
    );
    let mapped = told(directory.path(), "mapped", &queries, None);
    let Some(mapped) = mapped else { return };
    let most = settings + f64::from(SHARDS) * A_SHARD;
    push(
        report,
        "mapped",
        &mapped,
        format!("in the heap at most {}, the same answers", megabytes(most)),
        mapped.anonymous <= most && mapped.answers == heap.answers,
    );
    if scope.is_quick() {
        return;
    }
    let limit = heap.index / 3.0;
    let limited = told(directory.path(), "mapped", &queries, Some(limit));
    let refused = told(directory.path(), "heap", &queries, Some(limit)).is_none();
    let row = |answers| Row {
        id: "P6",
        work: format!(
            "the same, mapped, with a heap of at most {}, a third of it",
            megabytes(limit)
        ),
        ours: answers,
        theirs: if refused {
            "in the heap: none"
        } else {
            "in the heap: answers"
        }
        .to_owned(),
        result: String::new(),
        goal: "answers".to_owned(),
        reached: Some(
            limited
                .as_ref()
                .is_some_and(|told| told.answers == heap.answers),
        ),
    };
    let answers = if limited.is_some() { "answers" } else { "none" };
    report.push(row(answers.to_owned()));
}

fn push(report: &mut Report, how: &str, told: &Told, goal: String, reached: bool) {
    let [index, anonymous, mapped, most] =
        [told.index, told.anonymous, told.mapped, told.most].map(megabytes);
    report.push(Row {
        id: "P6",
        work: format!("memory of an index of {index}, {SHARDS} shards, {how}"),
        ours: format!("{anonymous} of heap, {mapped} of files, most {most}"),
        theirs: String::new(),
        result: format!(
            "opened in {}, {} a query",
            time(told.opening),
            time(told.query)
        ),
        goal,
        reached: Some(reached),
    });
}

fn megabytes(bytes: f64) -> String {
    format!("{:.0} MB", bytes / 1e6)
}

fn write(directory: &Path, documents: &Documents, copies: u8) {
    let mut colony = open_with::<TextShard>(directory, SHARDS, with_reading(Reading::Mapped));
    let intake = colony.intake();
    for copy in 0..copies {
        for chunk in documents.chunks(TICK) {
            for (id, document) in chunk {
                let mut bytes = *id.as_bytes();
                bytes[0] ^= copy;
                let document = std::sync::Arc::clone(document);
                let written = intake.try_upsert(DocumentId::from_bytes(bytes), document);
                written.expect("there is room");
            }
            colony.tick().expect("it isn't closed");
        }
    }
    let deadline = Instant::now() + std::time::Duration::from_secs(600);
    colony.close(deadline);
}

/// Opens a colony in a process of its own, with at most this many bytes of heap, and has it answer queries. `None` if that process fails.
fn told(directory: &Path, how: &str, queries: &[String], limit: Option<f64>) -> Option<Told> {
    let itself = std::env::current_exe().ok()?;
    let limit = limit.map_or("unlimited".to_owned(), |bytes| {
        format!("{:.0}", bytes / 1024.0)
    });
    // This limit counts what is private and can be written: not files that are mapped to be read.
    let script = format!("ulimit -d {limit} && exec \"$0\" \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &script])
        .arg(itself)
        .args([MEMORY, how])
        .arg(directory)
        .args(queries)
        .output()
        .ok()?;
    let output = String::from_utf8(output.stdout).ok()?;
    let mut parts = output.split_whitespace();
    let mut number = || parts.next()?.parse().ok();
    Some(Told {
        anonymous: number()?,
        mapped: number()?,
        most: number()?,
        index: number()?,
        opening: number()?,
        query: number()?,
        answers: parts.next()?.to_owned(),
    })
}

/// Opens a colony, answers queries, and prints the memory that it has taken. Run it in a process of its own.
pub fn print_memory(mut arguments: impl Iterator<Item = String>) -> ExitCode {
    let (Some(how), Some(directory)) = (arguments.next(), arguments.next()) else {
        return ExitCode::from(2);
    };
    let reading = if how == "mapped" {
        Reading::Mapped
    } else {
        Reading::Heap
    };
    let begun = Instant::now();
    let colony = open_with::<TextShard>(Path::new(&directory), SHARDS, with_reading(reading));
    let opening = begun.elapsed().as_nanos();
    let publication = colony.publication();
    let parser = QueryParser::new(&schema());
    let (mut answers, mut count) = (0_u64, 0);
    let begun = Instant::now();
    for query in arguments {
        let query = parser.literal(&query).expect("it is short");
        count += 1;
        for hit in search(&publication, &query, TOP, None)
            .expect("it is read")
            .iter()
        {
            let id = xxhash_rust::xxh3::xxh3_64(hit.document.as_bytes());
            answers = answers.rotate_left(5) ^ id ^ u64::from(hit.score.to_bits());
        }
    }
    let query = begun.elapsed().as_nanos() / count.max(1);
    let views = publication.shards().iter();
    let index: u64 = views.map(|shard| shard.view().memory_bytes()).sum();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        number.unwrap_or(0) * 1024
    };
    let [anonymous, mapped, most] = ["RssAnon:", "RssFile:", "VmHWM:"].map(field);
    println!("{anonymous} {mapped} {most} {index} {opening} {query} {answers:016x}");
    ExitCode::SUCCESS
}

/// The settings of shards that read their files like this.
fn with_reading(reading: Reading) -> TextShardConfig {
    TextShardConfig {
        reading,
        ..settings()
    }
}
