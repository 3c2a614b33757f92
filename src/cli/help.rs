//! What `--help` says after the options.

macro_rules! exit_codes {
    () => {
        "\
Exit code: 0 on success; 1 if a path of the command line isn't there, can't be read to its end or is a file that gave no document, after \
all else is done, or if the run failed, as it does if a query or a schema can't be read; 2 if the command line is wrong, and nothing is \
done. Skipped records, and skipped files found in a directory, don't change the exit code."
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
