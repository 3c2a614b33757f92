//! The tables of results.

use std::fmt::Write as _;

use crate::measure::{Pair, Spread};

/// The requirement on a row.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// The ratio of their time to ours must be at least this.
    AtLeast(f64),
    /// The ratio of our time to theirs must be at most this.
    AtMost(f64),
    /// No requirement.
    Shown,
}

#[derive(Debug)]
pub struct Row {
    pub id: &'static str,
    pub work: String,
    pub ours: String,
    pub theirs: String,
    pub result: String,
    pub goal: String,
    pub reached: Option<bool>,
}

#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
    notes: Vec<String>,
    tables: Vec<String>,
}

impl Report {
    pub fn push(&mut self, row: Row) {
        println!(
            "{:<4} {:<58} {:>22} {:>22} {:>24}  {}{}",
            row.id,
            row.work,
            row.ours,
            row.theirs,
            row.result,
            row.goal,
            match row.reached {
                Some(true) => "  reached",
                Some(false) => "  NOT REACHED",
                None => "",
            }
        );
        self.rows.push(row);
    }

    /// Adds a row with two times and their ratio.
    pub fn pair(&mut self, id: &'static str, work: impl Into<String>, goal: Goal, pair: Pair) {
        let (result, wanted, reached) = match goal {
            Goal::AtLeast(least) => (
                ratio(pair.ratio),
                format!("≥ {least} ×"),
                Some(pair.ratio.median >= least),
            ),
            Goal::AtMost(most) => {
                let inverse = pair.ratio.inverse();
                (
                    ratio(inverse),
                    format!("≤ {most} × its time"),
                    Some(inverse.median <= most),
                )
            }
            Goal::Shown => (ratio(pair.ratio), String::new(), None),
        };
        self.push(Row {
            id,
            work: work.into(),
            ours: time(pair.ours.median),
            theirs: time(pair.theirs.median),
            result,
            goal: wanted,
            reached,
        });
    }

    /// Adds a sentence below the table.
    pub fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        println!("     {note}");
        self.notes.push(note);
    }

    /// Adds a separate table.
    pub fn table(&mut self, about: &str, head: &[&str], rows: &[Vec<String>]) {
        let mut text = format!(
            "{about}\n\n| {} |\n|{}\n",
            head.join(" | "),
            " --- |".repeat(head.len())
        );
        for row in rows {
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        println!("\n{text}");
        self.tables.push(text);
    }

    pub fn markdown(&self) -> String {
        let mut text = String::from(
            "| | work | tickring | other | ratio (quartiles) | must reach | |\n| --- | --- | --- | --- | --- | --- | --- |\n",
        );
        for row in &self.rows {
            let reached = match row.reached {
                Some(true) => "yes",
                Some(false) => "**no**",
                None => "",
            };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {reached} |",
                row.id, row.work, row.ours, row.theirs, row.result, row.goal
            );
        }
        for note in &self.notes {
            let _ = write!(text, "\n{note}\n");
        }
        if !self.tables.is_empty() {
            text.push_str("\n## Cost by size\n");
        }
        for table in &self.tables {
            let _ = write!(text, "\n{table}");
        }
        text
    }
}

pub fn ratio(ratio: Spread) -> String {
    format!(
        "{:.2} × ({:.2} – {:.2})",
        ratio.median, ratio.low, ratio.high
    )
}

/// Formats nanoseconds in a unit that needs few digits.
pub fn time(nanos: f64) -> String {
    match nanos {
        n if n < 1e3 => format!("{n:.1} ns"),
        n if n < 1e6 => format!("{:.2} µs", n / 1e3),
        n if n < 1e9 => format!("{:.2} ms", n / 1e6),
        n => format!("{:.2} s", n / 1e9),
    }
}
