//! The time of prefixes, fuzzy words and ranges, compared with tantivy's own queries on one index with as many segments.

use std::ops::Bound;

use tantivy::merge_policy::NoMergePolicy;
use tantivy::query::{BooleanQuery, FuzzyTermQuery, Query as Theirs, RangeQuery, RegexQuery};
use tantivy::query::{Occur, TermQuery};
use tantivy::schema::{FAST, Field as Column, IndexRecordOption, NumericOptions, TEXT};
use tantivy::{Index, IndexWriter, Searcher, TantivyDocument, Term, doc};
use tickring::search::{
    Field, Query, QueryParser, Schema, SearchOptions, TextDocument, TextShard, TextShardConfig,
    search, search_with,
};
use tickring::testing::random::Random;
use tickring::{Colony, ColonyConfig};

use crate::Scope;
use crate::corpus::Corpus;
use crate::measure::{steady_pair, timed};
use crate::report::{Goal, Report};
use crate::search::{DOCUMENTS, TOP};
use crate::single::pruned;

/// Numbers lie below this, each as often as any other.
const NUMBERS: i64 = 1_000_000;
/// The number of queries of each kind.
const QUERIES: usize = 50;

/// The same documents on both sides, each with a number.
struct Sides {
    colony: Colony<TextShard>,
    schema: Schema,
    searcher: Searcher,
    body: Column,
    number: Column,
}

pub fn run(report: &mut Report, scope: Scope) {
    let corpus = &Corpus::new(DOCUMENTS);
    report.note(corpus.describe());
    let sides = Sides::new(corpus);
    let words = corpus.queries(4 * QUERIES);
    let words: Vec<_> = words.iter().step_by(4).map(String::as_str).collect();
    let letters = |word: &str, count: usize| word.chars().take(count).collect::<String>();
    let long = || words.iter().copied().filter(|word| word.len() >= 6);
    let body = |word: &str| Term::from_field_text(sides.body, word);
    let prefix = |count: usize| -> Vec<_> {
        let prefixes = words.iter().map(|word| letters(word, count));
        let pair = |prefix: String| {
            let theirs = RegexQuery::from_pattern(&format!("{prefix}.*"), sides.body);
            let theirs: Box<dyn Theirs> = Box::new(theirs.expect("letters"));
            (format!("body:{prefix}*"), theirs)
        };
        prefixes.map(pair).collect()
    };
    let fuzzy = |distance: u8| -> Vec<_> {
        let pair = |word: &str| {
            // Like ours, theirs with the first letter equal.
            let theirs: Box<dyn Theirs> = Box::new(FuzzyTermQuery::new(body(word), distance, true));
            (format!("body:{word}~{distance}"), theirs)
        };
        long().map(pair).collect()
    };
    let mut random = Random::new(5);
    let mut range = |width: i64| -> (String, Box<dyn Theirs>) {
        let from = random.below((NUMBERS - width) as usize) as i64;
        let term = |number| Term::from_field_i64(sides.number, number);
        let theirs = RangeQuery::new(
            Bound::Included(term(from)),
            Bound::Excluded(term(from + width)),
        );
        let ours = format!("number:[{from} TO {}}}", from + width);
        (ours, Box::new(theirs))
    };
    let mut ranges = |share: i64| -> Vec<_> {
        let width = NUMBERS / share;
        (0..QUERIES).map(|_| range(width)).collect()
    };
    let (few, many) = (ranges(100), ranges(2));
    let within = words.iter().zip(ranges(2)).map(|(word, (ours, theirs))| {
        let word_query = TermQuery::new(body(word), IndexRecordOption::WithFreqs);
        let both: Vec<(_, Box<dyn Theirs>)> =
            vec![(Occur::Must, Box::new(word_query)), (Occur::Must, theirs)];
        let theirs: Box<dyn Theirs> = Box::new(BooleanQuery::new(both));
        (format!("+body:{word} +{ours}"), theirs)
    });
    let within = within.collect();
    for (what, queries) in [
        ("prefix of 2 letters", prefix(2)),
        ("prefix of 4 letters", prefix(4)),
        ("fuzzy word, distance 1", fuzzy(1)),
        ("fuzzy word, distance 2", fuzzy(2)),
        ("range of 1% of the documents", few),
        ("range of half of the documents", many),
        ("word within half of the documents", within),
    ] {
        sides.measure(report, scope, what, queries);
    }
}

impl Sides {
    fn new(corpus: &Corpus) -> Self {
        let schema = Schema::builder()
            .field(Field::text("title"))
            .field(Field::text("body"))
            .field(Field::integer("number"));
        let schema = schema.build().expect("the names differ");
        let mut random = Random::new(3);
        let number = |_| random.below(NUMBERS as usize) as i64;
        let numbers: Vec<_> = corpus.documents.iter().map(number).collect();
        let config = TextShardConfig {
            schema: schema.clone(),
            ..TextShardConfig::default()
        };
        let colony_config = ColonyConfig {
            inbox_capacity: corpus.documents.len(),
            ..ColonyConfig::default()
        };
        let make = TextShard::factory(config);
        let mut colony = Colony::new(colony_config, 1, make).expect("threads can be started");
        for ((id, document), number) in corpus.documents.iter().zip(&numbers) {
            let added = colony
                .intake()
                .try_add(*id, ours(&schema, document, *number));
            added.expect("there is room");
        }
        let tick = colony.tick().expect("it isn't closed");
        assert!(tick.faults.is_empty() && tick.returned.is_empty());
        let segments = colony.publication().shards()[0].view().segment_count();
        Self::beside(colony, schema, corpus, &numbers, segments)
    }

    /// Creates tantivy's index of the same documents.
    fn beside(
        colony: Colony<TextShard>,
        schema: Schema,
        corpus: &Corpus,
        numbers: &[i64],
        segments: usize,
    ) -> Self {
        let mut builder = tantivy::schema::Schema::builder();
        let title = builder.add_text_field("title", TEXT);
        let body = builder.add_text_field("body", TEXT);
        let number = builder.add_i64_field("number", NumericOptions::from(FAST));
        let index = Index::create_in_ram(builder.build());
        let mut writer: IndexWriter = index
            .writer_with_num_threads(1, 500_000_000)
            .expect("threads can be started");
        writer.set_merge_policy(Box::new(NoMergePolicy));
        let documents: Vec<_> = corpus.documents.iter().zip(numbers).collect();
        for chunk in documents.chunks(documents.len().div_ceil(segments)) {
            for ((_, document), value) in chunk {
                let text = |field| document.text(field).unwrap_or_default();
                let document: TantivyDocument =
                    doc!(title => text("title"), body => text("body"), number => **value);
                writer.add_document(document).expect("the writer lives");
            }
            writer.commit().expect("it is in memory");
        }
        let searcher = index.reader().expect("it is in memory").searcher();
        assert_eq!(searcher.segment_readers().len(), segments);
        Self {
            colony,
            schema,
            searcher,
            body,
            number,
        }
    }

    fn measure(
        &self,
        report: &mut Report,
        scope: Scope,
        what: &str,
        queries: Vec<(String, Box<dyn Theirs>)>,
    ) {
        let publication = self.colony.publication();
        let parse = |text: &str| {
            let parsed = QueryParser::new(&self.schema).parse(text);
            parsed.unwrap_or_else(|error| panic!("{error}"))
        };
        let queries: Vec<_> = queries
            .into_iter()
            .map(|(ours, theirs)| (parse(&ours), theirs))
            .collect();
        let count = |query: &Query| {
            let options = SearchOptions::new().limit(0).total();
            let found = search_with(&publication, query, &options).expect("in memory");
            found.total.expect("it was asked for")
        };
        let matches: u64 = queries.iter().map(|(ours, _)| count(ours)).sum();
        let ours = &mut || {
            timed(|| {
                for (query, _) in &queries {
                    search(&publication, query, TOP, None).expect("in memory");
                }
            })
        };
        let theirs = &mut || {
            timed(|| {
                for (_, query) in &queries {
                    pruned(&self.searcher, &**query, TOP);
                }
            })
        };
        let pair = steady_pair(scope.rounds(15), queries.len() as f64, ours, theirs);
        let average = matches / queries.len() as u64;
        report.pair(
            "S4",
            format!("{what}, {average} matches on average"),
            Goal::Shown,
            pair,
        );
    }
}

fn ours(schema: &Schema, document: &TextDocument, number: i64) -> TextDocument {
    let mut with_number = schema.document();
    for field in ["title", "body"] {
        let text = document.text(field).unwrap_or_default();
        with_number.add(field, text).expect("it is text");
    }
    with_number.add("number", number).expect("it is an integer");
    with_number
}
