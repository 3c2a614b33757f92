//! The report as text for a terminal.

use std::io::{self, Write};
use std::time::Duration;

use super::answers::{Answer, HitShown};
use super::escape::shown;
use super::report::{Report, ShardShare};

/// The maximum number of skipped files and records that are listed.
const LISTED: usize = 20;
const FREQUENT: usize = 10;

pub(super) fn write(report: &Report, output: &mut impl Write) -> io::Result<()> {
    let indexed = &report.indexed;
    writeln!(
        output,
        "documents  {} ({} bytes), indexed in {}",
        indexed.documents.len(),
        indexed.bytes,
        seconds(indexed.elapsed)
    )?;
    write_skipped(report, output)?;
    write_shortened(report, output)?;
    writeln!(output, "\nshards")?;
    write_shards(&report.shards, output)?;
    write_ticks(report, output)?;
    write_terms(report, output)?;
    for answer in &report.answers {
        write_answer(answer, output)?;
    }
    Ok(())
}

pub(super) fn write_shards(shards: &[ShardShare], output: &mut impl Write) -> io::Result<()> {
    for shard in shards {
        writeln!(
            output,
            "  {:<10} {:>9} documents  {:>5.1} %",
            shard.id.to_string(),
            shard.documents,
            shard.share * 100.0
        )?;
    }
    Ok(())
}

fn write_skipped(report: &Report, output: &mut impl Write) -> io::Result<()> {
    let skipped = &report.indexed.skipped;
    writeln!(output, "skipped    {}", skipped.len())?;
    for one in skipped.iter().take(LISTED) {
        writeln!(output, "  {}: {}", shown(&one.path), shown(&one.reason))?;
    }
    if skipped.len() > LISTED {
        writeln!(
            output,
            "  and {} more; --json lists all",
            skipped.len() - LISTED
        )?;
    }
    Ok(())
}

fn write_shortened(report: &Report, output: &mut impl Write) -> io::Result<()> {
    let shortened = report.indexed.shortened();
    if shortened.is_empty() {
        return Ok(());
    }
    let words: u64 = shortened.iter().map(|(_, words)| words).sum();
    writeln!(
        output,
        "shortened  {words} words, which count by their first 255 bytes"
    )?;
    for (place, words) in shortened.iter().take(LISTED) {
        writeln!(output, "  {}: {words}", shown(place))?;
    }
    if shortened.len() > LISTED {
        let more = shortened.len() - LISTED;
        writeln!(output, "  and {more} more; --json lists all")?;
    }
    Ok(())
}

fn write_ticks(report: &Report, output: &mut impl Write) -> io::Result<()> {
    let indexed = &report.indexed;
    writeln!(
        output,
        "\nticks      {}, topology at {}",
        indexed.ticks,
        indexed.publication.epoch()
    )?;
    for total in &indexed.phases {
        write!(
            output,
            "  {:<8} {:>10}",
            total.phase.to_string(),
            seconds(total.elapsed)
        )?;
        if let Some((shard, longest)) = total.slowest {
            write!(output, "  slowest: {shard}, {}", seconds(longest))?;
        }
        writeln!(output)?;
    }
    Ok(())
}

fn write_terms(report: &Report, output: &mut impl Write) -> io::Result<()> {
    writeln!(
        output,
        "\nN          {} documents, {} distinct terms, aggregated in {}",
        report.indexed.documents.len(),
        report.frequencies.len(),
        seconds(report.aggregation)
    )?;
    write!(output, "  most frequent:")?;
    for (term, frequency) in report.frequencies.top(FREQUENT) {
        write!(output, " {} {frequency}", shown(term))?;
    }
    writeln!(output)
}

pub(super) fn write_answer(answer: &Answer, output: &mut impl Write) -> io::Result<()> {
    writeln!(
        output,
        "\nquery      {}  ({})",
        shown(&answer.query),
        seconds(answer.elapsed)
    )?;
    if answer.shortened_words > 0 {
        writeln!(output, "  its long words count by their first 255 bytes")?;
    }
    let page = match &answer.page {
        Err(reason) => return writeln!(output, "  not answered: {}", shown(reason)),
        Ok(page) if page.total == 0 => return writeln!(output, "  no hits"),
        Ok(page) => page,
    };
    let total = grouped(page.total);
    let (first, last) = (page.offset + 1, page.offset + page.hits.len());
    if page.hits.is_empty() {
        return writeln!(output, "  no more hits: {total} in all");
    }
    writeln!(output, "  showing {first}–{last} of {total}")?;
    for (rank, found) in (first..).zip(&page.hits) {
        writeln!(
            output,
            "  {rank:>3}. {:>10.5}  {:<10} {}",
            found.hit.score,
            found.hit.shard.to_string(),
            shown(&name(found))
        )?;
        if let Some(shown) = &found.snippet {
            writeln!(
                output,
                "       {}",
                one_line(&shown.snippet.marked("[", "]"))
            )?;
        }
    }
    Ok(())
}

/// Returns the text on one line.
fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    shown(&words.join(" "))
}

/// Returns the number with commas between groups of three digits.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Returns the name of the document, and where a record stands.
fn name(found: &HitShown) -> String {
    match &found.place {
        Some(place) if place.line.is_some() => {
            let place = place.to_string();
            if place == found.name {
                place
            } else {
                format!("{}  {place}", found.name)
            }
        }
        _ => found.name.clone(),
    }
}

pub(super) fn seconds(duration: Duration) -> String {
    format!("{:.3} ms", duration.as_secs_f64() * 1_000.0)
}
