//! What the documentation lists.

use std::collections::{BTreeMap, BTreeSet};

use crate::recorded::{Figure, Told};

const PAGE: &str = include_str!("../../src/observe/mod.rs");

/// Returns the cells of the table whose head begins with this word.
fn rows(head: &str) -> Vec<Vec<String>> {
    let lines = PAGE
        .lines()
        .map(|line| line.trim_start_matches("//!").trim());
    let head = format!("| {head} |");
    let table = lines.skip_while(|line| !line.starts_with(&head)).skip(2);
    let rows = table.take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| {
        row.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
    });
    cells.map(Iterator::collect).collect()
}

/// Returns what stands in backquotes.
fn quoted(cell: &str) -> BTreeSet<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn one(cell: &str) -> String {
    quoted(cell).pop_first().unwrap_or_default()
}

/// Returns the spans or the events.
pub(crate) fn told(head: &str) -> BTreeSet<Told> {
    let rows = rows(head);
    let told = rows.iter().map(|row| Told {
        name: one(&row[0]),
        target: one(&row[1]),
        level: one(&row[2]),
        fields: quoted(&row[4]),
    });
    told.collect()
}

/// Returns the fields of each event that aren't in brackets.
pub(crate) fn always() -> BTreeMap<String, BTreeSet<String>> {
    let rows = rows("event");
    let always = rows.iter().map(|row| {
        let cell = &row[4];
        let outside = cell
            .split("\\[")
            .map(|part| part.rsplit("\\]").next().unwrap_or(part));
        (one(&row[0]), quoted(&outside.collect::<String>()))
    });
    always.collect()
}

pub(crate) fn figures() -> BTreeMap<String, Figure> {
    let rows = rows("figure");
    let figures = rows.iter().map(|row| {
        let label = row[3]
            .split_once(':')
            .map(|(label, values)| (one(label), quoted(values)));
        let figure = Figure {
            kind: row[1].clone(),
            unit: row[2].clone(),
            meaning: row[4].clone(),
            labels: label.into_iter().collect(),
        };
        (one(&row[0]), figure)
    });
    figures.collect()
}
