//! The syntax tree of a query. Its leaves are slices of the text, with their places.

/// A slice of the query as it is written, escapes included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Raw<'a> {
    pub(super) text: &'a str,
    /// The number of bytes before it in the query.
    pub(super) place: usize,
}

/// A whole query, and the groups in it.
#[derive(Debug, PartialEq, Default)]
pub(super) struct Groups<'a> {
    pub(super) whole: List<'a>,
    pub(super) groups: Vec<List<'a>>,
}

/// What stands side by side: the whole query, or a group.
#[derive(Debug, PartialEq, Default)]
pub(super) struct List<'a>(pub(super) Vec<Chain<'a>>);

/// Alternatives, joined by OR. Each consists of items joined by AND. A chain without an operator is a single item.
#[derive(Debug, PartialEq)]
pub(super) struct Chain<'a>(pub(super) Vec<Vec<Item<'a>>>);

impl<'a> Chain<'a> {
    /// Returns the only item of a chain without an operator.
    pub(super) fn single(&self) -> Option<&Item<'a>> {
        match &self.0[..] {
            [alternative] => match &alternative[..] {
                [item] => Some(item),
                _ => None,
            },
            _ => None,
        }
    }
}

#[derive(Debug, PartialEq)]
pub(super) struct Item<'a> {
    pub(super) sign: Sign,
    pub(super) field: Option<Raw<'a>>,
    pub(super) unary: Unary<'a>,
    pub(super) boost: Option<f32>,
    pub(super) place: usize,
}

/// What the signs before an item amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    None,
    Required,
    Excluded,
}

#[derive(Debug, PartialEq)]
pub(super) enum Unary<'a> {
    /// A `*`. With a field: the existence of the field.
    Everything,
    Word(Raw<'a>),
    /// A part of a text that has no syntax.
    Literal(Raw<'a>),
    Phrase {
        text: Raw<'a>,
        slop: Option<Raw<'a>>,
        is_prefix: bool,
    },
    /// The index of a group.
    Group(usize),
    Range(Bound<'a>, Bound<'a>),
    Set(Vec<Value<'a>>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bound<'a> {
    Open,
    Included(Value<'a>),
    Excluded(Value<'a>),
}

/// A value in a range or a set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Value<'a> {
    pub(super) raw: Raw<'a>,
    pub(super) is_quoted: bool,
}
