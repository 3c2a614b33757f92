//! The error of a name that no analyzer has.

use super::Excerpt;

/// An error in the choice of an analyzer. Nothing was built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnalyzerError {
    /// No analyzer has this name.
    #[error("no analyzer is called {name}, the names are {}", names())]
    UnknownName {
        /// The name.
        name: Excerpt,
    },
}

fn names() -> String {
    let names: Vec<_> = crate::search::Analyzer::all()
        .map(|analyzer| analyzer.name())
        .collect();
    names.join(", ")
}
