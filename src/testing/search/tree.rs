//! Queries as trees, which are generated along with their texts, not parsed from them. They define what a query means.

use arbitrary::Unstructured;

use super::Leaf;
use super::phrase::Phrase;

/// A sign, as it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sign {
    Plus,
    Minus,
    Not,
    Bang,
}

impl Sign {
    const fn text(self) -> &'static str {
        match self {
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Not => "NOT ",
            Self::Bang => "!",
        }
    }
}

/// A part of a list or a chain, with its signs.
#[derive(Clone, PartialEq, Debug)]
pub struct Member {
    pub signs: Vec<Sign>,
    pub tree: Tree,
}

impl Member {
    /// Whether it is excluded: exclusion signs cancel pairwise.
    pub fn is_excluded(&self) -> bool {
        self.signs
            .iter()
            .filter(|sign| **sign != Sign::Plus)
            .count()
            % 2
            == 1
    }

    pub fn is_required(&self) -> bool {
        !self.is_excluded() && self.signs.contains(&Sign::Plus)
    }

    fn render(&self, within: Within) -> String {
        let signs: String = self.signs.iter().map(|sign| sign.text()).collect();
        let within = if self.signs.is_empty() {
            within
        } else {
            Within::Item
        };
        signs + &self.tree.render_within(within)
    }
}

/// A query as a tree, as it is written.
#[derive(Clone, PartialEq, Debug)]
pub enum Tree {
    Everything,
    /// A word, or several as a phrase, in one field or in either.
    Words(Option<&'static str>, Vec<String>),
    /// Two or more words as a phrase with this slop, in one field.
    Near(&'static str, Vec<String>, usize),
    /// A leaf with a constant score.
    Constant(Leaf),
    /// Members side by side: the whole query, or a group.
    List(Vec<Member>),
    /// At least two members, joined by AND.
    And(Vec<Member>),
    /// At least two members, joined by OR.
    Or(Vec<Member>),
    Boost(Box<Self>, f32),
}

/// What a part of a query stands in. A part that binds less tightly needs parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Within {
    Query,
    List,
    Or,
    And,
    Item,
}

impl Tree {
    pub fn word(word: &str) -> Self {
        Self::Words(None, vec![word.to_owned()])
    }

    /// Makes a list of members with at most one sign each.
    pub fn list(members: impl IntoIterator<Item = (Occur, Self)>) -> Self {
        let members = members.into_iter().map(|(occur, tree)| {
            let signs = match occur {
                Occur::Should => vec![],
                Occur::Must => vec![Sign::Plus],
                Occur::MustNot => vec![Sign::Minus],
            };
            Member { signs, tree }
        });
        Self::List(members.collect())
    }

    /// Returns the text of the query.
    pub fn render(&self) -> String {
        self.render_within(Within::Query)
    }

    fn render_within(&self, within: Within) -> String {
        let (members, between, binding) = match self {
            Self::Everything => return "*".to_owned(),
            Self::Constant(leaf) => return leaf.to_string(),
            Self::Words(field, words) => {
                let field = field.map_or(String::new(), |field| format!("{field}:"));
                return match &words[..] {
                    [word] => format!("{field}{word}"),
                    words => format!("{field}\"{}\"", words.join(" ")),
                };
            }
            Self::Near(field, words, slop) => {
                return format!("{field}:\"{}\"~{slop}", words.join(" "));
            }
            Self::Boost(child, boost) => {
                let text = child.render_within(Within::Item);
                return match **child {
                    Self::Boost(..) => format!("({text})^{boost}"),
                    _ => format!("{text}^{boost}"),
                };
            }
            Self::List(members) => (members, " ", Within::Query),
            Self::Or(members) => (members, " OR ", Within::List),
            Self::And(members) => (members, " AND ", Within::Or),
        };
        let inner = match self {
            Self::List(_) => Within::List,
            Self::Or(_) => Within::Or,
            _ => Within::And,
        };
        let members: Vec<_> = members.iter().map(|member| member.render(inner)).collect();
        let text = members.join(between);
        if within > binding {
            format!("({text})")
        } else {
            text
        }
    }

    fn members(&self) -> &[Member] {
        match self {
            Self::Everything
            | Self::Words(..)
            | Self::Near(..)
            | Self::Constant(_)
            | Self::Boost(..) => &[],
            Self::List(members) | Self::And(members) | Self::Or(members) => members,
        }
    }

    /// Returns whether it is or contains a tree that `is` accepts.
    pub fn has(&self, is: &dyn Fn(&Self) -> bool) -> bool {
        let within = match self {
            Self::Boost(child, _) => child.has(is),
            other => other.members().iter().any(|member| member.tree.has(is)),
        };
        within || is(self)
    }

    /// Whether tantivy's grammar reads it and finds the same. That grammar repeats no sign and has no `!`; it moves the alternatives of a
    /// chain, and what is excluded alone in a group, into the list around it; and a boost after or around a `NOT` changes what it means.
    pub fn is_shared(&self) -> bool {
        let has_not = |tree: &Self| {
            let mut members = tree.members().iter();
            members.any(|member| member.signs.contains(&Sign::Not))
        };
        !self.has(&|tree| {
            if matches!(tree, Self::Boost(child, _) if child.has(&has_not)) {
                return true;
            }
            let members = tree.members();
            let is_list = matches!(tree, Self::List(_));
            let is_repeated = |(index, member): (usize, &Member)| {
                let rendered = member.render(Within::Item);
                let mut earlier = members[..index].iter();
                earlier.any(|earlier| earlier.render(Within::Item) == rendered)
            };
            members.iter().enumerate().any(is_repeated)
                || members.iter().any(|member| {
                    let is_boosted = matches!(member.tree, Self::Boost(..));
                    member.signs.len() > 1
                        || member.signs.contains(&Sign::Bang)
                        || (member.signs.contains(&Sign::Not) && is_boosted)
                        || (is_list && member.tree.leaves_its_group())
                })
        })
    }

    fn leaves_its_group(&self) -> bool {
        match self {
            Self::List(members) => match &members[..] {
                [member] => member.is_excluded() || member.tree.leaves_its_group(),
                _ => false,
            },
            Self::Or(members) => members.iter().any(Member::is_required),
            Self::Boost(child, _) => child.leaves_its_group(),
            _ => false,
        }
    }
}

/// What a member is to its clause.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Occur {
    Should,
    Must,
    MustNot,
}

/// A query as it is meant: boosts are multiplied down, and what is the same after analysis counts once.
#[derive(Clone, PartialEq, Debug)]
pub enum Meaning {
    Everything(f32),
    Words(String, Phrase, f32),
    Constant(Leaf, f32),
    Clause(Vec<(Occur, Self)>),
}

impl Meaning {
    /// Whether everything is a part of it, as it is where all members of a clause are excluded.
    pub fn has_everything(&self) -> bool {
        match self {
            Self::Everything(_) => true,
            Self::Words(..) | Self::Constant(..) => false,
            Self::Clause(children) => children.iter().any(|(_, child)| child.has_everything()),
        }
    }
}

impl Tree {
    /// Returns the meaning for documents with a title and a body.
    pub fn meaning(&self) -> Meaning {
        self.meaning_in(&["title", "body"])
    }

    /// Returns the meaning for documents with these text fields.
    pub fn meaning_in(&self, fields: &[&str]) -> Meaning {
        self.boosted(fields, 1.0)
    }

    fn boosted(&self, fields: &[&str], boost: f32) -> Meaning {
        let clause = |members: &[Member], occur: &dyn Fn(&Member) -> Occur| {
            let members = members.iter();
            clause(
                members.map(|member| (occur(member), member.tree.boosted(fields, boost))),
                boost,
            )
        };
        match self {
            Self::Everything => Meaning::Everything(boost),
            Self::Boost(child, factor) => child.boosted(fields, boost * factor),
            Self::Constant(leaf) => Meaning::Constant(leaf.clone(), boost),
            Self::Words(Some(field), words) => {
                Meaning::Words((*field).to_owned(), Phrase::of(words), boost)
            }
            Self::Near(field, words, slop) => {
                let Phrase { words, prefix } = Phrase::of(words);
                let (field, slop) = (*field, *slop);
                let leaf = Leaf::Near {
                    field,
                    words,
                    prefix,
                    slop,
                };
                Meaning::Constant(leaf, boost)
            }
            Self::Words(None, words) => {
                let leaf = |field: &&str| {
                    let leaf = Meaning::Words((*field).to_owned(), Phrase::of(words), boost);
                    (Occur::Should, leaf)
                };
                self::clause(fields.iter().map(leaf), boost)
            }
            Self::List(members) => clause(members, &|member| match (
                member.is_excluded(),
                member.is_required(),
            ) {
                (true, _) => Occur::MustNot,
                (false, true) => Occur::Must,
                (false, false) => Occur::Should,
            }),
            Self::And(members) => clause(members, &|member| {
                if member.is_excluded() {
                    Occur::MustNot
                } else {
                    Occur::Must
                }
            }),
            Self::Or(members) => {
                let alternatives = members.iter().map(|member| {
                    let tree = member.tree.boosted(fields, boost);
                    match (member.is_excluded(), member.is_required()) {
                        (true, _) => (Occur::Should, self::clause([(Occur::MustNot, tree)], boost)),
                        (false, true) => (Occur::Must, tree),
                        (false, false) => (Occur::Should, tree),
                    }
                });
                self::clause(alternatives, boost)
            }
        }
    }
}

/// Makes a clause. What is repeated counts once; exclusions alone exclude from everything; a single member needs no clause.
fn clause(members: impl IntoIterator<Item = (Occur, Meaning)>, boost: f32) -> Meaning {
    let mut distinct = Vec::new();
    for member in members {
        if !distinct.contains(&member) {
            distinct.push(member);
        }
    }
    if distinct.iter().all(|(occur, _)| *occur == Occur::MustNot) {
        distinct.insert(0, (Occur::Must, Meaning::Everything(boost)));
    }
    match distinct.len() {
        1 => distinct.remove(0).1,
        _ => Meaning::Clause(distinct),
    }
}

impl Tree {
    /// Generates a query of these words, with groups and chains nested up to this depth.
    ///
    /// # Errors
    /// None so far: missing bytes are read as 0.
    pub fn generate(
        input: &mut Unstructured<'_>,
        words: &[&str],
        depth: u8,
    ) -> arbitrary::Result<Self> {
        let count = 2 + input.arbitrary::<u8>()? % 3;
        let kind = input.arbitrary::<u8>()? % 8;
        let count = if kind == 7 { 1 } else { count };
        let members = (0..count).map(|_| {
            Ok(Member {
                signs: signs(input)?,
                tree: part(input, words, depth)?,
            })
        });
        let members = members.collect::<arbitrary::Result<_>>()?;
        Ok(match kind {
            0 | 1 => Self::And(members),
            2 | 3 => Self::Or(members),
            _ => Self::List(members),
        })
    }
}

fn signs(input: &mut Unstructured<'_>) -> arbitrary::Result<Vec<Sign>> {
    use Sign::{Bang, Minus, Not, Plus};
    let byte = input.arbitrary::<u8>()?;
    Ok(match byte % 16 {
        0..=2 => vec![Plus],
        3 | 4 => vec![Minus],
        5 => vec![Not],
        6 => vec![Bang],
        7 if byte > 128 => vec![Minus, Not],
        7 => vec![Not, Plus, Minus, Minus],
        _ => vec![],
    })
}

fn part(input: &mut Unstructured<'_>, words: &[&str], depth: u8) -> arbitrary::Result<Tree> {
    let byte: u8 = input.arbitrary()?;
    let boosted = |tree, boost| Tree::Boost(Box::new(tree), boost);
    if byte < 110 && depth > 0 {
        let group = Tree::generate(input, words, depth - 1)?;
        return Ok(if byte < 20 {
            boosted(group, 1.5)
        } else {
            group
        });
    }
    let leaf = leaf(input, words)?;
    let boost = [0.0, 0.3, 2.0, 7.5, 1e6][usize::from(byte % 5)];
    Ok(if byte > 220 {
        boosted(leaf, boost)
    } else {
        leaf
    })
}

fn leaf(input: &mut Unstructured<'_>, words: &[&str]) -> arbitrary::Result<Tree> {
    let byte: u8 = input.arbitrary()?;
    if byte > 250 {
        return Ok(Tree::Everything);
    }
    let field = match byte % 4 {
        0 => Some("title"),
        1 => Some("body"),
        _ => None,
    };
    let count = if byte < 180 { 1 } else { 2 + byte % 2 };
    let word = |_| Ok(words[usize::from(input.arbitrary::<u8>()?) % words.len()].to_owned());
    Ok(Tree::Words(
        field,
        (0..count).map(word).collect::<arbitrary::Result<_>>()?,
    ))
}
