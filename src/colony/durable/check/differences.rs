//! What a check compares, and how it shows a difference.

use std::fmt::Debug;

use crate::colony::Refusal;
use crate::error::{DurableCheckError, Excerpt};
use crate::id::DocumentId;

/// The index of a refused write, and the reason.
pub(super) type Refused = (usize, String);

/// Returns the refused writes by their index. The first reason counts.
pub(super) fn refused(given: &[(usize, Refusal)]) -> Vec<Refused> {
    let reason = |why: &Refusal| match why {
        Refusal::Exists => "it exists".to_owned(),
        Refusal::Because(why) => why.to_string(),
    };
    let given = given.iter().map(|(index, why)| (*index, reason(why)));
    let mut refused: Vec<_> = given.collect();
    refused.sort_by_key(|&(index, _)| index);
    refused.dedup_by_key(|&mut (index, _)| index);
    refused
}

/// What a view holds.
#[derive(Debug, PartialEq)]
pub(super) struct State<T> {
    /// In order.
    pub(super) documents: Vec<DocumentId>,
    pub(super) shown: T,
}

pub(super) fn same_refusals(
    when: &str,
    expected: &[Refused],
    found: &[Refused],
) -> Result<(), DurableCheckError> {
    if expected == found {
        return Ok(());
    }
    let [expected, found] = different(&expected, &found);
    Err(DurableCheckError::Refusals {
        when: when.to_owned(),
        expected,
        found,
    })
}

pub(super) fn same_state<T: PartialEq + Debug>(
    when: &str,
    expected: &State<T>,
    found: &State<T>,
) -> Result<(), DurableCheckError> {
    if expected == found {
        return Ok(());
    }
    let [expected, found] = different(expected, found);
    Err(DurableCheckError::State {
        when: when.to_owned(),
        expected,
        found,
    })
}

/// Shows two values from a little before the place where they differ.
pub(super) fn different<T: Debug + ?Sized>(one: &T, other: &T) -> [Excerpt; 2] {
    let [one, other] = [one, other].map(|value| format!("{value:?}"));
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    let from = same.count().saturating_sub(40);
    [one, other].map(|shown| Excerpt::new(&shown.chars().skip(from).collect::<String>()))
}
