//! The trait for inputs of an aggregation.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::DocumentFrequencies;

/// A source of one shard's document frequencies, as input for [`aggregate`](crate::aggregate).
///
/// Implement it for a type of your own to aggregate that type without copying it into a map first. It is implemented for hash maps,
/// B-tree maps, slices, arrays and vectors of pairs, for [`DocumentFrequencies`], and for references to all of these.
///
/// ```
/// use tickring::frequency::FrequencySource;
/// use tickring::aggregate;
///
/// struct Postings {
///     term: String,
///     documents: Vec<u32>,
/// }
/// struct Index(Vec<Postings>);
///
/// impl FrequencySource for Index {
///     fn frequencies(&self) -> impl Iterator<Item = (&str, u64)> {
///         self.0.iter().map(|list| (list.term.as_str(), list.documents.len() as u64))
///     }
/// }
///
/// let index = Index(vec![Postings { term: "ring".to_owned(), documents: vec![3, 7] }]);
/// assert_eq!(aggregate(&[index])?.get("ring"), Some(2));
/// # Ok::<(), tickring::error::FrequencyError>(())
/// ```
pub trait FrequencySource {
    /// Iterates over the terms, each with the number of documents that contain it. The order is free. The counts of a term that comes
    /// more than once are added up.
    ///
    /// The iterator's `size_hint` decides whether to use several threads. A wrong hint costs time, nothing else.
    fn frequencies(&self) -> impl Iterator<Item = (&str, u64)>;
}

impl<K: Borrow<str>, S> FrequencySource for HashMap<K, u64, S> {
    fn frequencies(&self) -> impl Iterator<Item = (&str, u64)> {
        self.iter()
            .map(|(term, &frequency)| (term.borrow(), frequency))
    }
}

impl<K: Borrow<str>> FrequencySource for BTreeMap<K, u64> {
    fn frequencies(&self) -> impl Iterator<Item = (&str, u64)> {
        self.iter()
            .map(|(term, &frequency)| (term.borrow(), frequency))
    }
}

impl<K: Borrow<str>> FrequencySource for [(K, u64)] {
    fn frequencies(&self) -> impl Iterator<Item = (&str, u64)> {
        self.iter()
            .map(|(term, frequency)| (term.borrow(), *frequency))
    }
}

impl<K: Borrow<str>, const N: usize> FrequencySource for [(K, u64); N] {
    fn frequencies(&self) -> impl Iterator<Item = (&str, u64)> {
        self.as_slice().frequencies()
    }
}

impl<K: Borrow<str>> FrequencySource for Vec<(K, u64)> {
    fn frequencies(&self) -> impl Iterator<Item = (&str, u64)> {
        self.as_slice().frequencies()
    }
}

impl FrequencySource for DocumentFrequencies {
    fn frequencies(&self) -> impl Iterator<Item = (&str, u64)> {
        self.iter()
    }
}

impl<T: FrequencySource + ?Sized> FrequencySource for &T {
    fn frequencies(&self) -> impl Iterator<Item = (&str, u64)> {
        (**self).frequencies()
    }
}

impl<T: FrequencySource + ?Sized> FrequencySource for Arc<T> {
    fn frequencies(&self) -> impl Iterator<Item = (&str, u64)> {
        (**self).frequencies()
    }
}
