//! Queries as trees, which are generated along with their texts, not parsed from them.

use arbitrary::Unstructured;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Occur {
    Should,
    Must,
    MustNot,
}

/// A query as a tree.
#[derive(Clone, PartialEq, Debug)]
pub enum Tree {
    All,
    /// A word, or several as a phrase, in one field or in either.
    Words(Option<&'static str>, Vec<String>),
    Group(Vec<(Occur, Self)>),
    Boost(Box<Self>, f32),
}

impl Tree {
    pub fn word(word: &str) -> Self {
        Self::Words(None, vec![word.to_owned()])
    }

    /// Returns the text of the query.
    pub fn render(&self) -> String {
        match self {
            Self::Group(children) => render_children(children),
            other => other.render_child(),
        }
    }

    fn render_child(&self) -> String {
        match self {
            Self::All => "*".to_owned(),
            Self::Words(field, words) => {
                let field = field.map_or(String::new(), |field| format!("{field}:"));
                match &words[..] {
                    [word] => format!("{field}{word}"),
                    words => format!("{field}\"{}\"", words.join(" ")),
                }
            }
            Self::Group(children) => format!("({})", render_children(children)),
            Self::Boost(child, boost) => match **child {
                Self::Boost(..) => format!("({})^{boost}", child.render_child()),
                _ => format!("{}^{boost}", child.render_child()),
            },
        }
    }

    /// Returns whether it is or contains a leaf that `is` accepts.
    pub fn has(&self, is: &dyn Fn(&Self) -> bool) -> bool {
        match self {
            Self::All | Self::Words(..) => is(self),
            Self::Group(children) => children.iter().any(|(_, child)| child.has(is)),
            Self::Boost(child, _) => child.has(is),
        }
    }
}

fn render_children(children: &[(Occur, Tree)]) -> String {
    let child = |(occur, child): &(Occur, Tree)| {
        let sign = match occur {
            Occur::Should => "",
            Occur::Must => "+",
            Occur::MustNot => "-",
        };
        format!("{sign}{}", child.render_child())
    };
    children.iter().map(child).collect::<Vec<_>>().join(" ")
}

/// A query as it is written, and the same without repeated clauses of a group.
#[derive(Debug, Clone)]
pub struct Asked {
    pub written: Tree,
    pub meant: Tree,
}

impl From<Tree> for Asked {
    fn from(tree: Tree) -> Self {
        Self {
            written: tree.clone(),
            meant: tree,
        }
    }
}

impl Asked {
    /// Generates a group of these words, with groups nested up to this depth. It has at least two distinct clauses, not all of them
    /// exclusions, since the grammar takes a single clause out of its group.
    ///
    /// # Errors
    /// None so far: missing bytes are read as 0.
    pub fn group(
        input: &mut Unstructured<'_>,
        words: &[&str],
        depth: u8,
    ) -> arbitrary::Result<Self> {
        let (mut written, mut meant) = (Vec::new(), Vec::new());
        let mut push = |occur, child: Self| {
            let clause = (occur, child.meant);
            if !meant.contains(&clause) {
                meant.push(clause);
            }
            written.push((occur, child.written));
            (
                meant.len(),
                meant.iter().all(|(occur, _)| *occur == Occur::MustNot),
            )
        };
        let count = 2 + input.arbitrary::<u8>()? % 3;
        let mut so_far = (0, true);
        for _ in 0..count {
            let occur = match input.arbitrary::<u8>()? % 8 {
                0 | 1 => Occur::Must,
                2 => Occur::MustNot,
                _ => Occur::Should,
            };
            so_far = push(occur, child(input, words, depth)?);
        }
        for word in ["sea", "tide"] {
            if so_far.0 < 2 || so_far.1 {
                so_far = push(Occur::Should, Tree::word(word).into());
            }
        }
        Ok(Self {
            written: Tree::Group(written),
            meant: Tree::Group(meant),
        })
    }

    fn boosted(self, boost: f32) -> Self {
        Self {
            written: Tree::Boost(Box::new(self.written), boost),
            meant: Tree::Boost(Box::new(self.meant), boost),
        }
    }
}

fn child(input: &mut Unstructured<'_>, words: &[&str], depth: u8) -> arbitrary::Result<Asked> {
    let byte: u8 = input.arbitrary()?;
    if byte < 60 && depth > 0 {
        let group = Asked::group(input, words, depth - 1)?;
        return Ok(if byte < 20 { group.boosted(1.5) } else { group });
    }
    let leaf = Asked::from(leaf(input, words)?);
    let boost = [0.0, 0.3, 2.0, 7.5, 1e6][usize::from(byte % 5)];
    Ok(if byte > 220 {
        leaf.boosted(boost)
    } else {
        leaf
    })
}

fn leaf(input: &mut Unstructured<'_>, words: &[&str]) -> arbitrary::Result<Tree> {
    let byte: u8 = input.arbitrary()?;
    if byte == 255 {
        return Ok(Tree::All);
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
