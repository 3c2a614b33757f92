//! What `--help` says after the options.

macro_rules! exit_codes {
    () => {
        "\
Exit code: 0 on success; 1 if the run failed or a query can't be answered, or if a file named on the command line gave no document or \
couldn't be read to its end; 2 if the arguments are invalid. Skipped records, and skipped files found in a directory, don't change the \
exit code."
    };
}

pub(super) const EXIT_CODES: &str = exit_codes!();

/// Each line with a dollar sign is run as a test, in a directory with the files that it names.
pub(super) const LONG_HELP: &str = concat!(
    "\
Examples:
  Index the directory docs, and ask two queries:
    $ tickring run docs --query 'hash ring' --query '+barrier -draft'
  Index only Markdown files, also hidden and ignored ones:
    $ tickring run docs --glob '*.md' --hidden --no-ignore --query ring
  Index compressed records whose text is in the field body, and print JSON:
    $ tickring run books.jsonl.gz --text-field body --query sea --json
  Search the fields of records, and show why they match:
    $ tickring run books.jsonl --schema infer --query name:sea --snippets
  Index records that another program writes:
    $ cat books.jsonl | tickring run - --format records --text-field body
  Measure with a generated corpus over 8 shards:
    $ tickring run --documents 2000 --seed 7 --shards 8

",
    exit_codes!()
);
