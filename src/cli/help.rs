//! What `--help` says after the options.

macro_rules! exit_codes {
    () => {
        "\
Exit code: 0 on success; 1 if a path of the command line isn't there, can't be read to its end or is a file that gave no document, after \
all else is done, or if the run failed, as it does if a query or a schema can't be read; 2 if the command line is wrong, and nothing is \
done. Skipped records, and skipped files found in a directory, don't change the exit code."
    };
}

macro_rules! index_exit_codes {
    () => {
        "\
Exit code: 0 on success; 1 if a path of the command line isn't there, can't be read to its end or is a file that gave no document, or if a \
document was refused, after all else is done, or if the colony can't be opened or written; 2 if the command line is wrong, and nothing is done. \
Skipped records, and skipped files found in a directory, don't change the exit code."
    };
}

macro_rules! data_exit_codes {
    () => {
        "Exit code: 0 on success; 1 if the colony can't be read or a query can't be answered; 2 if the command line is wrong."
    };
}

macro_rules! verify_exit_codes {
    () => {
        "Exit code: 0 if everything is right; 1 if something is wrong or can't be read, which is said; 2 if the command line is wrong."
    };
}

macro_rules! report_exit_codes {
    () => {
        "Exit code: 0 on success; 1 if the colony can't be read or the page can't be written; 2 if the command line is wrong."
    };
}

macro_rules! quarantine_exit_codes {
    () => {
        "Exit code: 0 on success; 1 if a document isn't in the quarantine or can't be restored, or if the colony can't be read or written; 2 if the \
command line is wrong."
    };
}

macro_rules! change_exit_codes {
    () => {
        "Exit code: 0 on success; 1 if the change is refused, the goal isn't reached, or the colony can't be read or written; 2 if the command line is wrong."
    };
}

pub(super) const INDEX_EXIT_CODES: &str = index_exit_codes!();
pub(super) const DATA_EXIT_CODES: &str = data_exit_codes!();
pub(super) const VERIFY_EXIT_CODES: &str = verify_exit_codes!();
pub(super) const CHANGE_EXIT_CODES: &str = change_exit_codes!();
pub(super) const REPORT_EXIT_CODES: &str = report_exit_codes!();
pub(super) const QUARANTINE_EXIT_CODES: &str = quarantine_exit_codes!();

/// Each line with a dollar sign is run as a test in the repository, in the order of these texts.
pub(super) const INDEX_HELP: &str = concat!(
    "\
Examples, to be run in tickring's repository:
  Create a colony in the directory /tmp/books, with the fields of the records:
    $ tickring index tests/books.jsonl --data /tmp/books --schema infer
  Continue it:
    $ tickring index tests/books.jsonl --data /tmp/books
  Know what is on the disk:
    $ tickring index tests/books.jsonl --data /tmp/books --acknowledge

",
    index_exit_codes!()
);
pub(super) const SEARCH_HELP: &str = concat!(
    "\
`tickring run --help` explains the queries.

Example, after those of `tickring index --help`:
    $ tickring search --data /tmp/books --query 'title:sea year:>=1900' --json

",
    data_exit_codes!()
);
pub(super) const EXPORT_HELP: &str = concat!(
    "\
A record has the fields of the schema, or id, title and text. If its id doesn't follow from them, as that of a file doesn't, it has the \
member tickring.document besides, which `tickring index` reads.

Example, after those of `tickring index --help`:
    $ tickring export --data /tmp/books | gzip > /tmp/books.jsonl.gz

",
    data_exit_codes!()
);
pub(super) const VERIFY_HELP: &str = concat!(
    "\
Example, after those of `tickring index --help`:
    $ tickring verify --data /tmp/books

",
    verify_exit_codes!()
);
pub(super) const SHARDS_HELP: &str = concat!(
    "\
Example, after those of `tickring index --help`:
    $ tickring shards --data /tmp/books

",
    data_exit_codes!()
);
/// Of each change.
pub(super) const CHANGE_HELP: &str = concat!(
    "\
Documents move from tick to tick, and the answers of searches stay the same. The goal is in the log: if the command is stopped, by Ctrl-C or by \
kill -9, nothing is lost, and the next `tickring index` or change of a shard goes on. No other process can open the colony meanwhile.

Examples, after those of `tickring index --help`:
  A fifth shard, with twice the share of the others:
    $ tickring shards add --weight 2 --data /tmp/books
  The usual share after all, with 100 documents a tick at most:
    $ tickring shards weigh shard-4 1 --per-tick 100 --data /tmp/books
  One shard less. Its id isn't used again:
    $ tickring shards remove shard-0 --data /tmp/books

",
    change_exit_codes!()
);
pub(super) const REPORT_HELP: &str = concat!(
    "\
Example, after those of `tickring index --help`:
    $ tickring report --data /tmp/books --html /tmp/books.html

",
    report_exit_codes!()
);
pub(super) const QUARANTINE_HELP: &str = concat!(
    "\
Example, after those of `tickring index --help`:
    $ tickring quarantine --data /tmp/books --json

",
    quarantine_exit_codes!()
);

pub(super) const EXIT_CODES: &str = exit_codes!();

/// Each line with a dollar sign is run as a test in the repository, and each query over the books.
pub(super) const LONG_HELP: &str = concat!(
    "\
Queries:
  sea tide                at least one of the words
  \"open sea\"              the words next to each other, in this order
  title:sea               in this field; so title:\"open sea\", title:(sea tide)
  +sea -whale             the first is required, the second is excluded
  sea AND (tide OR ice)   AND, OR, NOT and groups, nested as you like
  sea AND NOT whale
  wha*                    words that begin so
  wh?l*                   ? is one letter, * any number; two letters come first
  whael~1                 at most one letter differs; ~2 for two
  \"sea open\"~3            in any order, moved by at most three places
  year:[1850 TO 1899]     a range; { } exclude the bounds, * is no bound
  year:>1899              also >=, < and <=
  lang: IN [de fr]        one of these values
  lang:*                  any value
  sea^2 tide              the first word counts twice
  *                       every document

A backslash takes away the meaning of the character after it, --literal that of all. Without --schema there are only the fields title and \
body, which is the text. The whole syntax, and how documents match and score, is in the documentation of tickring::search::Query: \
cargo doc --open --no-deps --features search

Examples, to be run in tickring's repository:
  Index the directory src, and ask two queries:
    $ tickring run src --query 'hash ring' --query '+barrier -draft'
  Index only some files of it, also hidden ones:
    $ tickring run src --glob '*.rs' --glob '!tests.rs' --hidden --query ring
  Index records whose text is in the field abstract, and print JSON:
    $ tickring run tests/books.jsonl --text-field abstract --query sea --json
  Search the fields of records, and show why they match:
    $ tickring run tests/books.jsonl --schema infer --query title:sea --snippets
  Index compressed records that another program writes:
    $ gzip -c tests/books.jsonl | tickring run - --format records --schema infer
  Measure with a generated corpus over 8 shards:
    $ tickring run --documents 2000 --seed 7 --shards 8

",
    exit_codes!()
);
