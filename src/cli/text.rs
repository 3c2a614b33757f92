//! The report as text for a terminal.

use std::io::{self, Write};
use std::time::Duration;

use tickring::search::Hit;

use super::escape::shown;
use super::report::{Answer, Report};

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
    writeln!(output, "\nshards")?;
    for shard in &report.shards {
        writeln!(
            output,
            "  {:<10} {:>9} documents  {:>5.1} %",
            shard.id.to_string(),
            shard.documents,
            shard.share * 100.0
        )?;
    }
    write_ticks(report, output)?;
    write_terms(report, output)?;
    for answer in &report.answers {
        write_answer(report, answer, output)?;
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

fn write_answer(report: &Report, answer: &Answer, output: &mut impl Write) -> io::Result<()> {
    writeln!(
        output,
        "\nquery      {}  ({})",
        shown(&answer.query),
        seconds(answer.elapsed)
    )?;
    match &answer.hits {
        Err(reason) => writeln!(output, "  not answered: {}", shown(reason)),
        Ok(hits) if hits.is_empty() => writeln!(output, "  no hits"),
        Ok(hits) => hits.iter().enumerate().try_for_each(|(rank, hit)| {
            writeln!(
                output,
                "  {:>3}. {:>10.5}  {:<10} {}",
                rank + 1,
                hit.score,
                hit.shard.to_string(),
                shown(&name(report, hit))
            )
        }),
    }
}

/// Returns the name of the document, and where a record stands.
fn name(report: &Report, hit: &Hit) -> String {
    let Some(known) = report.known(hit) else {
        return String::new();
    };
    match &known.place {
        Some(place) if place.line.is_some() => format!("{}  {place}", known.name),
        _ => known.name.clone(),
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.3} ms", duration.as_secs_f64() * 1_000.0)
}
