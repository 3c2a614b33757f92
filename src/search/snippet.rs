//! Snippets: the part of a text that shows best why it was found.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use tantivy::Term;
use tantivy::snippet::SnippetGenerator;
use tantivy::tokenizer::TextAnalyzer;

use super::constant::{Automatic, Constant, Pattern};
use super::query::{LeafKind, Query};
use super::schema::TextField;
use super::statistics::{TextStatistics, same_schema};
use super::view::text_field;
use crate::error::SearchError;

/// A maker of snippets for the hits of one query, in one text field.
///
/// A snippet is the part of a text with the rarest words of the query, and the places of these words. Words that match a prefix, a wildcard or
/// a fuzzy word count as well. Those of an exclusion don't. If the text has none of the words, the snippet is its beginning.
///
/// The text comes from a [stored](crate::search::Field::stored) field or from your own store. A snippet costs the analysis of the whole text,
/// twice if the query has a pattern.
///
/// ```
/// use tickring::search::{Query, Snippets, TextDocument, TextShard, TextShardConfig};
/// use tickring::{Colony, ColonyConfig, DocumentId};
///
/// let factory = TextShard::factory(TextShardConfig::default());
/// let mut colony = Colony::new(ColonyConfig::default(), 2, factory)?;
/// let text = "Time & tide wait for nobody.";
/// colony.intake().try_add(DocumentId::from_seed(1), TextDocument::new("", text))?;
/// colony.tick()?;
///
/// let (publication, query) = (colony.publication(), Query::parse("tide")?);
/// let snippets = Snippets::new(&query, publication.statistics(), "body")?;
/// let snippet = snippets.of(text);
/// assert_eq!(snippet.to_html(), "Time &amp; <b>tide</b> wait for nobody");
/// assert_eq!(&snippet.text()[snippet.highlights()[0].clone()], "tide");
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
pub struct Snippets {
    /// The words to look for, each with its weight.
    words: BTreeMap<String, f32>,
    patterns: Vec<Automatic>,
    analyzer: TextAnalyzer,
    max_bytes: usize,
}

impl Snippets {
    /// The default of [`max_bytes`](Self::max_bytes).
    pub const DEFAULT_MAX_BYTES: usize = 150;

    /// Prepares the snippets of a query in a text field. Looks up the document frequencies of the query's words.
    ///
    /// # Errors
    /// [`SearchError::OtherSchema`] if the query was parsed for another schema; [`SearchError::NoTextField`] if the schema has no such text
    /// field; [`SearchError::Index`] if an index can't be read.
    pub fn new(
        query: &Query,
        statistics: &TextStatistics,
        field: &str,
    ) -> Result<Self, SearchError> {
        let schema = statistics.schema();
        same_schema(schema, query.schema(), "the query")?;
        let field = text_field(schema, field)?;
        let mut words = BTreeMap::new();
        let (terms, patterns) = wanted(query, field);
        for term in terms {
            let frequency = statistics.entries(field, term)?.frequency;
            if let Some(word) = term.value().as_str() {
                // The generator looks words up in lower case, which isn't their folded form in every script.
                words.insert(word.to_lowercase(), frequency);
            }
        }
        Ok(Self {
            words: weighed(words),
            patterns,
            analyzer: schema.analyzer(field).tokenizer(),
            max_bytes: Self::DEFAULT_MAX_BYTES,
        })
    }

    /// Makes snippets of at most this many bytes. A single word may be longer.
    #[must_use]
    pub const fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Returns the snippet of a text.
    pub fn of(&self, text: &str) -> Snippet {
        let any_field = tantivy::schema::Field::from_field_id(0);
        let (words, analyzer) = (self.words_of(text), self.analyzer.clone());
        let generator = SnippetGenerator::new(words, analyzer, any_field, self.max_bytes);
        let best = generator.snippet(text);
        if best.is_empty() {
            return Snippet {
                text: beginning(text, self.max_bytes).to_owned(),
                highlights: Vec::new(),
            };
        }
        Snippet {
            text: best.fragment().to_owned(),
            highlights: merged(best.highlighted()),
        }
    }
}

impl Snippets {
    /// Returns the words to look for in a text, with those that match a pattern. They count as much as the rarest word.
    fn words_of(&self, text: &str) -> BTreeMap<String, f32> {
        let mut words = self.words.clone();
        if !self.patterns.is_empty() {
            let mut analyzer = self.analyzer.clone();
            analyzer.token_stream(text).process(&mut |token| {
                let mut patterns = self.patterns.iter();
                if patterns.any(|pattern| pattern.accepts(&token.text)) {
                    words.entry(token.text.to_lowercase()).or_insert(1.0);
                }
            });
        }
        words
    }
}

impl fmt::Debug for Snippets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snippets")
            .field("words", &self.words)
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}

/// Returns the terms and the patterns of the query's leaves in this field, without those of an exclusion.
fn wanted(query: &Query, field: TextField) -> (Vec<&Term>, Vec<Automatic>) {
    let schema = query.schema();
    let (mut words, mut patterns) = (Vec::new(), Vec::new());
    for leaf in query.leaves.iter().filter(|leaf| leaf.scored) {
        match &leaf.kind {
            LeafKind::Term(_, term) => words.push(term),
            LeafKind::Phrase(_, terms) => words.extend(terms.iter().map(|(_, term)| term)),
            LeafKind::Constant(constant) if constant.text_field(schema) == Some(field) => {
                match constant {
                    Constant::Pattern(_, pattern) => patterns.push(Automatic::new(pattern)),
                    Constant::Near(_, near) => {
                        words.extend(near.terms.iter().map(|(_, term)| term));
                        let prefix = near.prefix.iter();
                        let prefix = prefix.map(|(_, text)| Pattern::Prefix(text.clone()));
                        patterns.extend(prefix.map(|prefix| Automatic::new(&prefix)));
                    }
                    Constant::Values(..) | Constant::Exists(_) => {}
                }
            }
            LeafKind::Constant(_) | LeafKind::Everything => {}
        }
    }
    words.retain(|term| schema.text_field_of(term) == Some(field));
    (words, patterns)
}

/// Weighs words by their document frequencies, so that a rarer word counts for more than a hundred frequent ones.
fn weighed(words: BTreeMap<String, u64>) -> BTreeMap<String, f32> {
    /// Above this rank a weight would be too small for 32 bits.
    const LAST: i32 = 18;
    let frequencies: BTreeSet<u64> = words.values().copied().collect();
    let ranks = (0..=LAST).chain(std::iter::repeat(LAST));
    let weights: BTreeMap<u64, f32> = frequencies
        .into_iter()
        .zip(ranks.map(|rank| 0.01_f32.powi(rank)))
        .collect();
    let weigh = |(word, frequency)| (word, weights.get(&frequency).copied().unwrap_or(1.0));
    words.into_iter().map(weigh).collect()
}

/// Returns the beginning of a text, up to the last whitespace within the bound if there is any.
fn beginning(text: &str, max_bytes: usize) -> &str {
    let text = text.trim();
    if text.len() <= max_bytes {
        return text;
    }
    let cut = &text[..text.floor_char_boundary(max_bytes)];
    cut.rfind(char::is_whitespace)
        .map_or(cut, |end| cut[..end].trim_end())
}

/// Sorts the ranges and merges those that overlap or touch.
fn merged(ranges: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut sorted = ranges.to_vec();
    sorted.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(sorted.len());
    for range in sorted {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// A part of a text, and the places in it that match the query. See the example of [`Snippets`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    text: String,
    highlights: Vec<Range<usize>>,
}

impl Snippet {
    /// Returns the part of the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the byte ranges of the matching words in [`text`](Self::text), ascending and apart from each other.
    pub fn highlights(&self) -> &[Range<usize>] {
        &self.highlights
    }

    /// Returns the text with `begin` and `end` around each matching word. Nothing is escaped.
    ///
    /// ```
    /// # use tickring::search::{Query, Snippets, TextShard, TextShardConfig};
    /// # use tickring::{Colony, ColonyConfig, DocumentId};
    /// # let colony = Colony::new(ColonyConfig::default(), 1, TextShard::factory(TextShardConfig::default()))?;
    /// # let publication = colony.publication();
    /// let snippets = Snippets::new(&Query::parse("tide")?, publication.statistics(), "body")?;
    /// assert_eq!(snippets.of("Tide tables").marked("[", "]"), "[Tide] tables");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// ```
    pub fn marked(&self, begin: &str, end: &str) -> String {
        self.mapped(begin, end, str::to_owned)
    }

    /// Returns the text as HTML: escaped, with `<b>` around each matching word.
    pub fn to_html(&self) -> String {
        self.mapped("<b>", "</b>", |text| {
            let text = text.replace('&', "&amp;").replace('<', "&lt;");
            text.replace('>', "&gt;").replace('"', "&quot;")
        })
    }

    fn mapped(&self, begin: &str, end: &str, escape: impl Fn(&str) -> String) -> String {
        let mut marked = String::new();
        let mut from = 0;
        for range in &self.highlights {
            marked.push_str(&escape(&self.text[from..range.start]));
            marked.push_str(begin);
            marked.push_str(&escape(&self.text[range.clone()]));
            marked.push_str(end);
            from = range.end;
        }
        marked + &escape(&self.text[from..])
    }
}
