//! Hints at what the user may have meant.

use std::path::{MAIN_SEPARATOR, Path};

use super::arguments::Run;
use super::document::normalised;
use super::source::STANDARD_INPUT;

/// Returns a hint if paths that aren't there look like the words of a query, and none is asked.
pub(super) fn at_query(run: &Run) -> Option<String> {
    if !run.asking.queries.is_empty() || run.asking.query_file.is_some() {
        return None;
    }
    let (words, paths) = run
        .reading
        .paths
        .iter()
        .map(|path| normalised(path))
        .partition::<Vec<_>, _>(|path| is_word(path));
    (!words.is_empty()).then(|| format!("if this is a query: {}", command(&paths, &words)))
}

/// Returns a hint for a command line without a command. `words` is what stands in its place.
pub(super) fn at_command(words: &[String]) -> String {
    let (words, paths) = words
        .iter()
        .take_while(|word| !word.starts_with('-'))
        .cloned()
        .partition::<Vec<_>, _>(|word| is_word(word));
    format!("to search: {}", command(&paths, &words))
}

/// Returns whether it is no path that is there, and doesn't look like one.
fn is_word(text: &str) -> bool {
    let is_path = text == STANDARD_INPUT || text.contains([MAIN_SEPARATOR, '/', '.']);
    !is_path && !Path::new(text).exists()
}

/// Returns the command that asks these words of these paths.
fn command(paths: &[String], words: &[String]) -> String {
    let paths: Vec<_> = paths.iter().map(|path| quoted(path)).collect();
    let paths = match paths.is_empty() {
        true => "PATH".to_owned(),
        false => paths.join(" "),
    };
    let query = match words.is_empty() {
        true => "TEXT".to_owned(),
        false => quoted(&words.join(" ")),
    };
    format!("tickring run {paths} --query {query}")
}

/// Returns the text as a shell needs it.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
