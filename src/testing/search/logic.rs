//! Set logic over five words: which of the 32 possible sets of words match a query, as the 32 bits of a number.

use tantivy::query_grammar::{Occur, UserInputAst, UserInputLeaf, parse_query};

use super::{Member, Tree};
use crate::search::Query;

/// The words. Bit `n` of a truth is set if the set matches in which word `w` is if bit `w` of `n` is set.
pub const LOGIC_WORDS: [&str; 5] = ["sea", "tide", "wind", "boat", "sail"];

fn of_word(word: &str) -> u32 {
    let index = LOGIC_WORDS.iter().position(|known| *known == word);
    let index = index.expect("one of the five words");
    let sets = (0..32_u32).filter(|set| set >> index & 1 == 1);
    sets.map(|set| 1 << set).sum()
}

/// Combines a list: all that is required, nothing that is excluded and, if nothing is required, something of the rest if there is any.
fn of_list(required: &[u32], excluded: &[u32], rest: &[u32]) -> u32 {
    let mut truth = u32::MAX;
    if required.is_empty() && !rest.is_empty() {
        truth = rest.iter().fold(0, |any, part| any | part);
    }
    truth = required.iter().fold(truth, |all, part| all & part);
    excluded.iter().fold(truth, |left, part| left & !part)
}

/// Returns what a tree finds. Its leaves are single words.
pub fn truth_of_tree(tree: &Tree) -> u32 {
    let signed = |member: &Member| {
        let truth = truth_of_tree(&member.tree);
        if member.is_excluded() { !truth } else { truth }
    };
    match tree {
        Tree::Everything => u32::MAX,
        Tree::Words(_, words) => of_word(&words[0]),
        Tree::Near(..) | Tree::Constant(_) => panic!("{tree:?} is no word"),
        Tree::Boost(child, _) => truth_of_tree(child),
        Tree::And(members) => members
            .iter()
            .map(signed)
            .fold(u32::MAX, |all, part| all & part),
        Tree::Or(members) => {
            let (required, rest): (Vec<_>, Vec<_>) =
                members.iter().partition(|member| member.is_required());
            let [required, rest] =
                [required, rest].map(|part| part.into_iter().map(signed).collect::<Vec<_>>());
            of_list(&required, &[], &rest)
        }
        Tree::List(members) => {
            let [mut required, mut excluded, mut rest] = [const { Vec::new() }; 3];
            for member in members {
                let truth = truth_of_tree(&member.tree);
                match (member.is_excluded(), member.is_required()) {
                    (true, _) => excluded.push(truth),
                    (false, true) => required.push(truth),
                    (false, false) => rest.push(truth),
                }
            }
            of_list(&required, &excluded, &rest)
        }
    }
}

/// Returns what a query finds.
pub fn truth_of_query(query: &Query) -> u32 {
    query.truth(&of_word)
}

/// Returns what a query finds as tantivy's grammar reads it, or `None` if it doesn't. A clause without a positive child is everything but its
/// children.
pub fn truth_in_tantivy(query: &str) -> Option<u32> {
    parse_query(query).ok().map(|ast| of_ast(&ast))
}

fn of_ast(ast: &UserInputAst) -> u32 {
    match ast {
        UserInputAst::Boost(child, _) => of_ast(child),
        UserInputAst::Leaf(leaf) => match &**leaf {
            UserInputLeaf::All => u32::MAX,
            UserInputLeaf::Literal(literal) => of_word(&literal.phrase),
            other => panic!("{other:?} is no word"),
        },
        UserInputAst::Clause(children) => {
            let of = |wanted: Occur| {
                let children = children.iter();
                let children =
                    children.filter(|(occur, _)| occur.unwrap_or(Occur::Should) == wanted);
                children.map(|(_, child)| of_ast(child)).collect::<Vec<_>>()
            };
            of_list(&of(Occur::Must), &of(Occur::MustNot), &of(Occur::Should))
        }
    }
}
