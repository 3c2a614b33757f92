//! The compilation of a syntax tree: fields are looked up, words analysed, boosts multiplied, and bounds checked.

use tantivy::query_grammar::Occur;

use super::ast::{Chain, Groups, Item, List, Raw, Sign, Unary};
use super::faults::{Fault, Faults};
use super::plan::LeafKind;
use super::scan::unescape;
use super::tree::{Forest, Members, PartId};
use super::{Query, QueryParser};
use crate::error::{Excerpt, QueryError};
use crate::search::analyzer::QueryToken;
use crate::search::constant::{Constant, Near, Pattern};
use crate::search::schema::{Schema, TextField};

/// Compiles a query. Returns nothing if no word is left of it. Groups are kept in a list, so that they can be nested without recursion.
pub(super) fn compile<'a>(
    query: &Groups<'a>,
    parser: &QueryParser,
    faults: &mut Faults<'a>,
) -> Result<Option<(Forest, PartId)>, QueryError> {
    let mut compiler = Compiler {
        faults,
        parser,
        forest: Forest::default(),
        leaves: 0,
    };
    let context = Context {
        field: None,
        boost: 1.0,
    };
    let mut open = vec![Open::new(Level::List(&query.whole), Occur::Must, context)];
    while let Some(innermost) = open.last_mut() {
        let Some((occur, part)) = innermost.next(parser) else {
            let tree = compiler.close(&mut open);
            if open.is_empty() {
                return Ok(tree.map(|tree| (compiler.forest, tree)));
            }
            continue;
        };
        let context = innermost.context;
        let (level, context) = match part {
            Level::Item(item) => {
                let context = compiler.context(item, context)?;
                if let Unary::Group(group) = item.unary {
                    (Level::List(&query.groups[group]), context)
                } else {
                    let tree = compiler.leaf(item, context)?;
                    compiler.add(&mut innermost.members, occur, tree);
                    continue;
                }
            }
            level => (level, context),
        };
        open.push(Open::new(level, occur, context));
    }
    Ok(None)
}

/// A list, chain, conjunction or item of a query.
enum Level<'t, 'a> {
    List(&'t List<'a>),
    Chain(&'t Chain<'a>),
    Items(&'t [Item<'a>]),
    Item(&'t Item<'a>),
}

/// A part of a query, and how much of it is compiled.
struct Open<'t, 'a> {
    level: Level<'t, 'a>,
    done: usize,
    members: Members,
    /// What the part is to the one around it.
    occur: Occur,
    context: Context,
}

impl<'t, 'a> Open<'t, 'a> {
    fn new(level: Level<'t, 'a>, occur: Occur, context: Context) -> Self {
        Self {
            level,
            done: 0,
            members: Members::default(),
            occur,
            context,
        }
    }

    /// Returns the next member that isn't compiled yet, and what it is to this part.
    fn next(&mut self, parser: &QueryParser) -> Option<(Occur, Level<'t, 'a>)> {
        let at = self.done;
        self.done += 1;
        match self.level {
            Level::List(List(chains)) => {
                let chain = chains.get(at)?;
                let unsigned = if parser.all_words {
                    Occur::Must
                } else {
                    Occur::Should
                };
                Some(match chain.single() {
                    Some(item) => (item.sign.occur(unsigned), Level::Item(item)),
                    None => (unsigned, Level::Chain(chain)),
                })
            }
            Level::Chain(Chain(alternatives)) => {
                let items = alternatives.get(at)?;
                Some(match &items[..] {
                    [item] if item.sign != Sign::Excluded => {
                        (item.sign.occur(Occur::Should), Level::Item(item))
                    }
                    _ => (Occur::Should, Level::Items(items)),
                })
            }
            Level::Items(items) => {
                let item = items.get(at)?;
                Some((item.sign.occur(Occur::Must), Level::Item(item)))
            }
            Level::Item(_) => None,
        }
    }
}

impl Sign {
    const fn occur(self, unsigned: Occur) -> Occur {
        match self {
            Self::None => unsigned,
            Self::Required => Occur::Must,
            Self::Excluded => Occur::MustNot,
        }
    }
}

struct Compiler<'a, 'f> {
    faults: &'f mut Faults<'a>,
    parser: &'f QueryParser,
    forest: Forest,
    /// The number of leaves so far, without those of repeated members.
    leaves: usize,
}

/// What the groups around an item say about it.
#[derive(Clone, Copy)]
struct Context {
    field: Option<TextField>,
    boost: f32,
}

impl<'a> Compiler<'a, '_> {
    /// Closes the innermost part. Adds it to the one around it, or returns it if there is none.
    fn close(&mut self, open: &mut Vec<Open<'_, 'a>>) -> Option<PartId> {
        let closed = open.pop()?;
        let tree = self.forest.clause(closed.members, closed.context.boost);
        let Some(around) = open.last_mut() else {
            return tree;
        };
        self.add(&mut around.members, closed.occur, tree);
        None
    }

    /// Adds a member, if there is one.
    fn add(&mut self, members: &mut Members, occur: Occur, tree: Option<PartId>) {
        if let Some(tree) = tree
            && !members.push(occur, tree)
        {
            self.leaves -= self.forest.size(tree);
        }
    }

    /// Returns what an item and the groups around it say.
    fn context(&mut self, item: &Item<'a>, around: Context) -> Result<Context, QueryError> {
        let mut context = around;
        if let Some(name) = item.field {
            context.field = self.field(name)?;
        }
        if let Some(boost) = item.boost {
            context.boost = self.boost(around.boost * boost, item.place)?;
        }
        Ok(context)
    }

    fn leaf(&mut self, item: &Item<'a>, context: Context) -> Result<Option<PartId>, QueryError> {
        let unary = &item.unary;
        let unsupported = match unary {
            Unary::Everything if context.field.is_none() => {
                return self.tree(vec![LeafKind::Everything], item.place, context);
            }
            Unary::Word(raw) => match special(raw.text) {
                Some(what) => what,
                None => return self.word(*raw, item, context),
            },
            Unary::Literal(raw) => return self.words(raw.text, *raw, true, context),
            Unary::Phrase {
                text,
                slop: None,
                is_prefix: false,
            } => return self.words(&unescape(text.text), *text, false, context),
            Unary::Phrase { slop: None, .. } => "a phrase prefix",
            Unary::Phrase { .. } => "a phrase with slop",
            Unary::Range(..) => "a range",
            Unary::Set(_) => "a set",
            Unary::Everything | Unary::Group(_) => "the existence of a field",
        };
        self.faults.refuse(QueryError::Unsupported {
            what: unsupported,
            place: self.faults.place(item.place),
        })?;
        Ok(None)
    }

    /// Compiles a word without wildcards. Directly after a field it can contain a colon, but not a second field.
    fn word(
        &mut self,
        raw: Raw<'a>,
        item: &Item<'a>,
        context: Context,
    ) -> Result<Option<PartId>, QueryError> {
        let name = raw.text.split(':').next().unwrap_or("");
        let is_name = name.len() < raw.text.len() && self.parser.schema.field(name).is_some();
        if item.field.is_some() && is_name {
            self.faults.syntax(Fault::NESTED_FIELD, raw.place)?;
        }
        self.words(&unescape(raw.text), raw, false, context)
    }

    /// Compiles a word or phrase: a leaf in its field, or one in each text field.
    fn words(
        &mut self,
        text: &str,
        raw: Raw<'a>,
        may_be_empty: bool,
        context: Context,
    ) -> Result<Option<PartId>, QueryError> {
        let schema = &self.parser.schema;
        let leaf = |field| leaf(schema, field, text);
        let leaves: Vec<_> = match context.field {
            Some(field) => leaf(field).into_iter().collect(),
            None => schema.text_fields().filter_map(leaf).collect(),
        };
        if leaves.is_empty() && !may_be_empty {
            self.faults.refuse(QueryError::NoToken {
                word: Excerpt::new(text),
                place: self.faults.place(raw.place),
            })?;
        }
        self.tree(leaves, raw.place, context)
    }

    /// Returns the tree that matches if one of these leaves does.
    fn tree(
        &mut self,
        leaves: Vec<LeafKind>,
        place: usize,
        context: Context,
    ) -> Result<Option<PartId>, QueryError> {
        if self.leaves + leaves.len() > Query::MAX_LEAVES {
            self.faults.refuse(QueryError::TooManyLeaves {
                max: Query::MAX_LEAVES,
                place: self.faults.place(place),
            })?;
            return Ok(None);
        }
        self.leaves += leaves.len();
        let mut members = Members::default();
        for leaf in leaves {
            let boost = match &leaf {
                LeafKind::Term(field, _) | LeafKind::Phrase(field, _) => {
                    context.boost * self.parser.schema.boost(*field)
                }
                LeafKind::Constant(constant) => match constant.text_field(&self.parser.schema) {
                    Some(field) => context.boost * self.parser.schema.boost(field),
                    None => context.boost,
                },
                LeafKind::Everything => context.boost,
            };
            let leaf = self.forest.leaf(leaf, boost);
            self.add(&mut members, Occur::Should, Some(leaf));
        }
        Ok(self.forest.clause(members, context.boost))
    }

    fn field(&mut self, name: Raw<'a>) -> Result<Option<TextField>, QueryError> {
        let text = unescape(name.text);
        let field = self.parser.schema.text_field(&text);
        if field.is_none() {
            self.faults.refuse(QueryError::UnknownField {
                field: Excerpt::new(&text),
                fields: self.parser.schema.names(),
                place: self.faults.place(name.place),
            })?;
        }
        Ok(field)
    }

    fn boost(&mut self, boost: f32, place: usize) -> Result<f32, QueryError> {
        #[expect(clippy::cast_precision_loss, reason = "the bound is exact in 32 bits")]
        let max = Query::MAX_BOOST as f32;
        if boost <= max {
            return Ok(boost);
        }
        self.faults.refuse(QueryError::Boost {
            max: Query::MAX_BOOST,
            place: self.faults.place(place),
        })?;
        Ok(max)
    }
}

/// Returns what a word is that stands for several: a prefix, a pattern, or a fuzzy word.
fn special(raw: &str) -> Option<&'static str> {
    let is_word = |text: &str| text.ends_with(char::is_alphanumeric);
    let is_distance = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '.');
    let mut is_escaped = false;
    let wildcard = raw.find(|letter| {
        let is_wildcard = matches!(letter, '*' | '?') && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        is_wildcard
    });
    match (wildcard, raw.rsplit_once('~')) {
        (Some(place), _) if raw.get(place..) == Some("*") && place > 0 => Some("a prefix"),
        (Some(_), _) => Some("a wildcard"),
        (None, Some((word, distance))) if is_word(word) && is_distance(distance) => {
            Some("a fuzzy word")
        }
        _ => None,
    }
}

/// Returns the leaf of a word or phrase, or `None` if the text has no token.
fn leaf(schema: &Schema, field: TextField, text: &str) -> Option<LeafKind> {
    let mut tokens = schema.analyzer(field).query_tokens(text);
    let prefix = tokens.pop_if(|last| last.is_prefix);
    let term = |token: &QueryToken| (token.position, schema.term(field, &token.text));
    let mut terms: Vec<_> = tokens.iter().map(term).collect();
    Some(match (prefix, terms.len()) {
        (None, 0) => return None,
        (None, 1) => LeafKind::Term(field, terms.remove(0).1),
        (None, _) => LeafKind::Phrase(field, terms),
        (Some(prefix), 0) => {
            let pattern = Pattern::Prefix(prefix.text);
            LeafKind::Constant(Constant::Pattern(schema.field_of(field), pattern))
        }
        (Some(prefix), _) => LeafKind::Constant(Constant::Near(
            field,
            Near {
                terms,
                prefix: Some((prefix.position, prefix.text)),
                slop: 0,
            },
        )),
    })
}
