//! The parser of queries, from text to tree.
//!
//! tantivy's grammar parses the text. The tree is built here and not by tantivy's `QueryParser`, because that one's queries can't be
//! inspected, and scoring needs the order of the leaves and the boost of each.

use std::collections::HashSet;

use tantivy::query_grammar::{
    Delimiter, Occur, UserInputAst, UserInputLeaf, UserInputLiteral, parse_query,
};

use super::query::{Clause, Leaf, LeafKind, Node, Query};
use super::schema::{Schema, TextField, query_analyzer};
use crate::error::{Excerpt, QueryError};

pub(super) fn parse(query: &str) -> Result<Query, QueryError> {
    check_size(query)?;
    let ast = parse_query(query).map_err(|_| QueryError::Syntax {
        query: Excerpt::new(query),
    })?;
    let mut tree = tree(distinct(ast), query)?;
    if excludes_only(&tree) {
        add_everything(&mut tree);
    }
    let mut parsed = Query {
        text: query.to_owned(),
        schema: Schema::default(),
        root: Node::Leaf(0),
        clauses: Vec::new(),
        leaves: Vec::new(),
        filter: None,
    };
    parsed.root = flatten(tree, 1.0, true, &mut parsed)?;
    Ok(parsed)
}

/// Checks the bounds of the text. The grammar's parser recurses at an opening parenthesis and at a `NOT`, and nowhere else. Quoted ones are
/// counted too, because only the parser knows which ones are quoted.
fn check_size(query: &str) -> Result<(), QueryError> {
    if query.len() > Query::MAX_BYTES {
        return Err(QueryError::TooLong {
            bytes: query.len(),
            max: Query::MAX_BYTES,
            query: Excerpt::new(query),
        });
    }
    let groups = query.matches('(').count() + query.matches("NOT").count();
    if groups > Query::MAX_GROUPS {
        return Err(QueryError::TooNested {
            value: groups,
            max: Query::MAX_GROUPS,
            query: Excerpt::new(query),
        });
    }
    Ok(())
}

enum Tree {
    Leaf(LeafKind),
    Clause(Vec<(Occur, Self)>),
    Boost(Box<Self>, f32),
}

/// Without the clauses that a group has twice, from the innermost groups on. The grammar leaves them out as well, but not within a boost.
fn distinct(ast: UserInputAst) -> UserInputAst {
    match ast {
        UserInputAst::Clause(children) => {
            let mut seen = HashSet::with_capacity(children.len());
            let children = children
                .into_iter()
                .map(|(occur, child)| (occur, distinct(child)));
            UserInputAst::Clause(
                children
                    .filter(|child| seen.insert(child.clone()))
                    .collect(),
            )
        }
        UserInputAst::Boost(child, boost) => UserInputAst::Boost(Box::new(distinct(*child)), boost),
        leaf => leaf,
    }
}

fn tree(ast: UserInputAst, query: &str) -> Result<Tree, QueryError> {
    match ast {
        // The grammar has empty text, but no empty group.
        UserInputAst::Clause(children) if children.is_empty() => Err(QueryError::NoWords {
            query: Excerpt::new(query),
        }),
        UserInputAst::Clause(children) => {
            let child = |(occur, child): (Option<Occur>, _)| {
                Ok((occur.unwrap_or(Occur::Should), tree(child, query)?))
            };
            let children = children.into_iter().map(child);
            Ok(Tree::Clause(children.collect::<Result<_, QueryError>>()?))
        }
        UserInputAst::Boost(child, boost) => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a boost is rounded as tantivy rounds it; what overflows becomes infinite and is refused"
            )]
            let boost = boost.into_inner() as f32;
            Ok(boosted(tree(*child, query)?, boost))
        }
        UserInputAst::Leaf(leaf) => match *leaf {
            UserInputLeaf::All => Ok(Tree::Leaf(LeafKind::All)),
            UserInputLeaf::Literal(literal) => {
                check_literal(&literal, query)?;
                literal_tree(&literal, query)
            }
            UserInputLeaf::Range { .. } => unsupported("a range", query),
            UserInputLeaf::Set { .. } => unsupported("a set", query),
            UserInputLeaf::Exists { .. } => unsupported("the existence of a field", query),
            UserInputLeaf::Regex { .. } => unsupported("a regular expression", query),
        },
    }
}

/// Wraps a tree in a boost. Like tantivy, ignores a boost that is 1 within rounding.
fn boosted(tree: Tree, boost: f32) -> Tree {
    if (boost - 1.0).abs() < f32::EPSILON {
        tree
    } else {
        Tree::Boost(Box::new(tree), boost)
    }
}

fn unsupported<T>(what: &'static str, query: &str) -> Result<T, QueryError> {
    Err(QueryError::Unsupported {
        what,
        query: Excerpt::new(query),
    })
}

/// Refuses literals that can't be scored exactly. tantivy counts a phrase with slop in an order that depends on the segment. It reads `sea*`
/// as `sea`, and `sea~2` as the phrase `sea 2`, which nobody means.
fn check_literal(literal: &UserInputLiteral, query: &str) -> Result<(), QueryError> {
    if literal.slop > 0 {
        return unsupported("a phrase with slop", query);
    }
    if literal.prefix {
        return unsupported("a phrase prefix", query);
    }
    if literal.delimiter != Delimiter::None {
        return Ok(());
    }
    let is_word = |text: &str| text.ends_with(char::is_alphanumeric);
    if literal.phrase.strip_suffix('*').is_some_and(is_word) {
        return unsupported("a prefix", query);
    }
    let is_distance = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '.');
    match literal.phrase.rsplit_once('~') {
        Some((word, distance)) if is_word(word) && is_distance(distance) => {
            unsupported("a fuzzy word", query)
        }
        _ => Ok(()),
    }
}

/// Returns the tree of a word or phrase: in its field, or in either field.
fn literal_tree(literal: &UserInputLiteral, query: &str) -> Result<Tree, QueryError> {
    let leaf = |field| match leaf(field, &literal.phrase) {
        Some(leaf) => Ok(Tree::Leaf(leaf)),
        None => Err(QueryError::NoToken {
            word: Excerpt::new(&literal.phrase),
            query: Excerpt::new(query),
        }),
    };
    if let Some(name) = &literal.field_name {
        let unknown = || QueryError::UnknownField {
            field: Excerpt::new(name),
            query: Excerpt::new(query),
        };
        let field = Schema::default().text_field(name).ok_or_else(unknown)?;
        return leaf(field);
    }
    let leaves = Schema::default()
        .text_fields()
        .map(|field| Ok((Occur::Should, leaf(field)?)));
    Ok(Tree::Clause(leaves.collect::<Result<_, QueryError>>()?))
}

fn tokens(text: &str) -> Vec<(usize, String)> {
    let mut tokens = Vec::new();
    query_analyzer()
        .token_stream(text)
        .process(&mut |token| tokens.push((token.position, token.text.clone())));
    tokens
}

/// Returns the leaf of a word or phrase, or `None` if the text has no token.
fn leaf(field: TextField, text: &str) -> Option<LeafKind> {
    let term = |text: &str| Schema::default().term(field, text);
    match &tokens(text)[..] {
        [] => None,
        [(_, word)] => Some(LeafKind::Term(field, term(word))),
        words => {
            let words = words.iter().map(|(place, word)| (*place, term(word)));
            Some(LeafKind::Phrase(words.collect()))
        }
    }
}

fn excludes_only(tree: &Tree) -> bool {
    match tree {
        Tree::Leaf(_) => false,
        Tree::Boost(child, _) => excludes_only(child),
        Tree::Clause(children) => children
            .iter()
            .all(|(occur, child)| *occur == Occur::MustNot || excludes_only(child)),
    }
}

fn add_everything(tree: &mut Tree) {
    match tree {
        Tree::Leaf(_) => {}
        Tree::Boost(child, _) => add_everything(child),
        Tree::Clause(children) => children.push((Occur::Should, Tree::Leaf(LeafKind::All))),
    }
}

/// Moves the tree into the query's lists, with the leaves in the query's order. Each leaf gets the product of the boosts above it, multiplied
/// from the outermost inwards as tantivy does.
fn flatten(tree: Tree, boost: f32, scored: bool, query: &mut Query) -> Result<Node, QueryError> {
    match tree {
        Tree::Boost(child, factor) => {
            let boost = boost * factor;
            #[expect(clippy::cast_precision_loss, reason = "the bound is exact in 32 bits")]
            let max = Query::MAX_BOOST as f32;
            if boost <= max {
                return flatten(*child, boost, scored, query);
            }
            Err(QueryError::Boost {
                max: Query::MAX_BOOST,
                query: Excerpt::new(&query.text),
            })
        }
        Tree::Leaf(kind) => {
            let boost = match &kind {
                LeafKind::Term(field, _) => boost * query.schema.boost(*field),
                LeafKind::Phrase(words) => match query.schema.text_field_of(&words[0].1) {
                    Some(field) => boost * query.schema.boost(field),
                    None => boost,
                },
                LeafKind::All | LeafKind::Constant(_) => boost,
            };
            if query.leaves.len() == Query::MAX_LEAVES {
                return Err(QueryError::TooManyLeaves {
                    max: Query::MAX_LEAVES,
                    query: Excerpt::new(&query.text),
                });
            }
            query.leaves.push(Leaf {
                kind,
                boost,
                scored,
            });
            Ok(Node::Leaf(query.leaves.len() - 1))
        }
        Tree::Clause(children) => {
            let mut clause = Clause::default();
            for (occur, child) in children {
                let scored = scored && occur != Occur::MustNot;
                clause.push(occur, flatten(child, boost, scored, query)?);
            }
            query.clauses.push(clause);
            Ok(Node::Clause(query.clauses.len() - 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_twice_counts_once_within_a_boost_too() {
        let leaves = |query: &str| parse(query).unwrap().leaves.len();
        for (twice, once) in [
            ("sea sea", "sea"),
            ("(sea sea)^2", "sea^2"),
            ("tide ((+sea -wind) (+sea -wind))^2", "tide (+sea -wind)^2"),
            ("((+sea +sea wind) (+sea wind))^2", "(+sea wind)^2"),
        ] {
            assert_eq!(leaves(twice), leaves(once), "{twice}");
        }
    }
}
