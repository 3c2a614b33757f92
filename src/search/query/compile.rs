//! The compilation of a syntax tree: fields are looked up, boosts multiplied, and members compared.

use tantivy::query_grammar::Occur;

use super::ast::{Chain, Groups, Item, List, Raw, Sign, Unary};
use super::faults::Faults;
use super::scan::unescape;
use super::tree::{Forest, Members, PartId};
use super::{Query, QueryParser};
use crate::error::{Excerpt, QueryError};
use crate::search::schema::FieldId;

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
        patterns: 0,
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

pub(super) struct Compiler<'a, 'f> {
    pub(super) faults: &'f mut Faults<'a>,
    pub(super) parser: &'f QueryParser,
    pub(super) forest: Forest,
    /// The number of leaves of all parts so far, without repeated members.
    pub(super) leaves: usize,
    /// The number of parts with constant scores so far, each counted once for all fields.
    pub(super) patterns: usize,
}

/// What the groups around an item say about it.
#[derive(Clone, Copy)]
pub(super) struct Context {
    pub(super) field: Option<FieldId>,
    pub(super) boost: f32,
}

impl<'a> Compiler<'a, '_> {
    /// Closes the innermost part. Adds it to the one around it, or returns it if there is none.
    fn close(&mut self, open: &mut Vec<Open<'_, 'a>>) -> Option<PartId> {
        let closed = open.pop()?;
        let tree = self.clause(closed.members, closed.context.boost);
        let Some(around) = open.last_mut() else {
            return tree;
        };
        self.add(&mut around.members, closed.occur, tree);
        None
    }

    /// Makes a clause of members that are counted. What it gets besides them is counted as well.
    pub(super) fn clause(&mut self, members: Members, boost: f32) -> Option<PartId> {
        let written = self.forest.size_of(&members);
        let tree = self.forest.clause(members, boost)?;
        self.leaves += self.forest.size(tree) - written;
        Some(tree)
    }

    /// Adds a member, if there is one.
    pub(super) fn add(&mut self, members: &mut Members, occur: Occur, tree: Option<PartId>) {
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

    fn field(&mut self, name: Raw<'a>) -> Result<Option<FieldId>, QueryError> {
        let text = unescape(name.text);
        let field = self.parser.schema.field(&text);
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
