//! The source of documents: files, directories, records, standard input or the generator. What can't be indexed is skipped, with the reason.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use ignore::overrides::Override;

use super::arguments::Run;
use super::document::normalised;
use super::generate::Vocabulary;
use super::infer::{SAMPLE_RECORDS, Sample};
use super::item::{Item, Place, Skipped};
use super::reading::Reading;
use super::records::{Limits, Records};
use super::seed::Seed;
use super::shape::Shape;
use super::source::{self, FileKey, MAX_BYTES, STANDARD_INPUT, StandardInput};
use super::{Failure, walk};

/// The limits of a file of records. A longer line isn't passed over: the rest of its file isn't read.
const LIMITS: Limits = Limits {
    line: MAX_BYTES,
    passed_over: 256 << 20,
};

/// The number of lines after which a file without a record isn't read further: it isn't a file of records.
const MAX_WRONG: u64 = 10_000;

/// What the content of the paths is read for.
pub(super) enum Purpose<'a> {
    /// To infer a schema from the first records. Texts aren't read.
    Sample(&'a mut Sample),
    /// To make documents of this shape.
    Documents(&'a Shape<'a>),
}

/// Calls `take` for each generated document.
pub(super) fn generate(
    run: &Run,
    shape: &Shape<'_>,
    take: &mut dyn FnMut(Item) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let vocabulary = Vocabulary::new();
    (0..run.documents).try_for_each(|number| {
        let document = shape.generated(number, vocabulary.document(run.seed, number))?;
        take(Item::Document(document, None))
    })
}

/// Calls `take` for each document of the paths. The order depends only on the arguments and the files. Returns whether it read a file of
/// records.
pub(super) fn read(
    reading: &Reading,
    standard: &StandardInput,
    purpose: Purpose<'_>,
    take: &mut dyn FnMut(Item) -> Result<(), Failure>,
) -> Result<bool, Failure> {
    let mut reader = Reader {
        reading,
        standard,
        globs: walk::globs(reading)?,
        seen: HashMap::new(),
        documents: 0,
        settled: false,
        has_records: false,
        unknown: HashSet::new(),
        purpose,
        take,
    };
    reading
        .paths
        .iter()
        .try_for_each(|path| reader.path(path))?;
    Ok(reader.has_records)
}

/// The reader of all paths of the command line.
pub(super) struct Reader<'a> {
    pub(super) reading: &'a Reading,
    standard: &'a StandardInput,
    purpose: Purpose<'a>,
    pub(super) globs: Override,
    /// The files that were read: the first name of each, and whether it gave a document.
    seen: HashMap<FileKey, (String, bool)>,
    /// The number of documents.
    documents: u64,
    /// Whether the file that is being read was complained about, or led to a document that another path had led to.
    settled: bool,
    has_records: bool,
    /// The members of records that an inferred schema doesn't have, and that were listed.
    unknown: HashSet<String>,
    take: &'a mut dyn FnMut(Item) -> Result<(), Failure>,
}

impl Reader<'_> {
    pub(super) fn take(&mut self, item: Item) -> Result<(), Failure> {
        match &item {
            Item::Document(..) => self.documents += 1,
            Item::Skipped(skipped) | Item::Noted(skipped) => self.settled |= skipped.named,
            Item::Complaint(_) => {}
        }
        (self.take)(item)
    }

    /// Reads a path of the command line. A file that gives no document is complained about.
    fn path(&mut self, path: &Path) -> Result<(), Failure> {
        if path.is_dir() && path != Path::new(STANDARD_INPUT) {
            return self.directory(path);
        }
        self.settled = false;
        let before = self.documents;
        self.file(path, true)?;
        if self.settled || self.documents > before {
            return Ok(());
        }
        self.take(Item::Complaint(Skipped {
            path: normalised(path),
            reason: "gave no document".to_owned(),
            named: true,
        }))
    }

    /// Reads a file, unless it was read before under any name. `named` says whether the command line names it.
    pub(super) fn file(&mut self, path: &Path, named: bool) -> Result<(), Failure> {
        let name = normalised(path);
        // What has no key can't be opened, and then the error says why.
        let key = source::key(path).ok();
        if let Some((first, gave)) = key.as_ref().and_then(|key| self.seen.get(key)) {
            let reason = format!("the same file as {first}, which counts once");
            self.settled |= gave;
            return self.take(Item::noted(name, &reason));
        }
        let before = self.documents;
        if self.reading.format.is_records(path) {
            self.has_records = true;
            self.records(path, &name, named)?;
        } else {
            self.text(path, &name, named)?;
        }
        let gave = self.documents > before;
        self.seen.extend(key.map(|key| (key, (name, gave))));
        Ok(())
    }

    fn text(&mut self, path: &Path, name: &str, named: bool) -> Result<(), Failure> {
        let Purpose::Documents(shape) = &self.purpose else {
            return Ok(());
        };
        let text = source::open(path, self.standard)
            .and_then(|input| source::read_text(input, MAX_BYTES))
            .and_then(|text| match text.is_empty() {
                true => Err("empty".to_owned()),
                false => shape.file(path, text),
            });
        self.take(match text {
            Ok(document) => {
                let place = Place {
                    path: name.to_owned(),
                    line: None,
                };
                Item::Document(document, Some(place))
            }
            Err(reason) => Item::file_skipped(name, &reason, named),
        })
    }

    /// Reads the records of a file. An invalid record is skipped alone. If the file itself can't be read, it is skipped.
    fn records(&mut self, path: &Path, name: &str, named: bool) -> Result<(), Failure> {
        if self.is_sampled() {
            return Ok(());
        }
        let input = match source::open(path, self.standard) {
            Ok(input) => input,
            Err(reason) => return self.take(Item::file_skipped(name, &reason, named)),
        };
        let limits = match &self.purpose {
            // What is longer than a line may be is more than a sample.
            Purpose::Sample(_) => Limits {
                passed_over: 0,
                ..LIMITS
            },
            Purpose::Documents(_) => LIMITS,
        };
        let seed = match &self.purpose {
            Purpose::Sample(_) => Seed::of_run(path),
            Purpose::Documents(shape) => shape.seed(path),
        };
        let mut records = Records::new(input, limits);
        let before = self.found();
        let mut lines = 0;
        while let Some((number, line)) = records.next() {
            lines += 1;
            if lines > MAX_WRONG && self.found() == before {
                let reason = format!("no record in {MAX_WRONG} lines, so the rest isn't read");
                return self.take(Item::file_skipped(name, &reason, named));
            }
            let place = Place {
                path: name.to_owned(),
                line: Some(number),
            };
            let named = named && records.is_unreadable();
            if self.is_sampled() {
                return Ok(());
            }
            if let Purpose::Sample(sample) = &mut self.purpose {
                sample.count(records.take_bytes());
            }
            match line {
                Ok(line) => self.record(&line, place, &seed)?,
                Err(reason) => {
                    self.take(Item::file_skipped(place.to_string(), &reason, named))?;
                }
            }
        }
        if lines == 0 {
            self.take(Item::file_skipped(name, &"contains no records", named))?;
        }
        Ok(())
    }

    /// Returns the number of documents, or that of the records of the sample.
    fn found(&self) -> u64 {
        match &self.purpose {
            Purpose::Documents(_) => self.documents,
            Purpose::Sample(sample) => sample.records(),
        }
    }

    /// Returns whether the sample needs no more records.
    fn is_sampled(&self) -> bool {
        matches!(&self.purpose, Purpose::Sample(sample) if sample.is_enough())
    }

    fn record(&mut self, line: &str, place: Place, seed: &Seed) -> Result<(), Failure> {
        let shape = match &mut self.purpose {
            Purpose::Documents(shape) => *shape,
            Purpose::Sample(sample) => {
                sample.add(line, &place);
                return Ok(());
            }
        };
        match shape.record(line, &place, seed) {
            Ok((document, unknown)) => {
                for member in unknown {
                    self.note_unknown(member, &place)?;
                }
                self.take(Item::Document(document, Some(place)))
            }
            Err(reason) => self.take(Item::skipped(place.to_string(), &reason)),
        }
    }

    /// Lists a member that the sample didn't have, the first time that it comes.
    fn note_unknown(&mut self, member: String, place: &Place) -> Result<(), Failure> {
        /// Records may have keys of their own as names of members.
        const LISTED: usize = 100;
        if self.unknown.len() >= LISTED || self.unknown.contains(&member) {
            return Ok(());
        }
        let reason = format!(
            "the member {member:?} is not indexed: the first {SAMPLE_RECORDS} records don't have it"
        );
        self.unknown.insert(member);
        self.take(Item::noted(place.to_string(), &reason))
    }
}

/// Lists the paths, for the message of a run that found no documents.
pub(super) fn described(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths.iter().map(|path| normalised(path)).collect();
    paths.join(", ")
}
