//! Writes that were set aside: listed, restored and dropped.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tickring::colony::{
    Batch, DurableConfig, DurableShard, ReturnReason, Saved, Saving, TickContext, stored_settings,
};
use tickring::publication::ShardFailure;
use tickring::search::{Schema, TextDocument, TextShard, TextShardConfig, TextView};
use tickring::{Colony, DocumentId, Shard, ShardId};

use super::{command, corpus, done, export, refused, text};

/// A text shard that dies of each document about poison.
struct Delicate(TextShard);

type Context<'a> = TickContext<'a, TextDocument, TextView>;

impl Shard for Delicate {
    type Document = TextDocument;
    type View = TextView;

    fn act(
        &mut self,
        context: &mut Context<'_>,
        batch: &mut Batch<'_, TextDocument>,
    ) -> Result<(), ShardFailure> {
        for (_, _, write) in batch.iter() {
            let body = write.document().and_then(|document| document.text("body"));
            if body.is_some_and(|body| body.contains("poison")) {
                return Err("it\nwas poison".into());
            }
        }
        self.0.act(context, batch)
    }

    fn advance(&mut self, context: &mut Context<'_>) -> Result<(), ShardFailure> {
        self.0.advance(context)
    }

    fn view(&mut self) -> Result<TextView, ShardFailure> {
        self.0.view()
    }
}

impl DurableShard for Delicate {
    type Settings = TextShardConfig;

    fn identity(settings: &TextShardConfig) -> Vec<(String, String)> {
        TextShard::identity(settings)
    }
    fn encode(
        settings: &TextShardConfig,
        document: &TextDocument,
        out: &mut Vec<u8>,
    ) -> Result<(), ShardFailure> {
        TextShard::encode(settings, document, out)
    }
    fn decode(settings: &TextShardConfig, bytes: &[u8]) -> Result<TextDocument, ShardFailure> {
        TextShard::decode(settings, bytes)
    }
    fn open(
        settings: &TextShardConfig,
        shard: ShardId,
        saved: Option<&Saved>,
    ) -> Result<Self, ShardFailure> {
        TextShard::open(settings, shard, saved).map(Self)
    }
    fn save(view: &TextView, saving: &mut Saving<'_>) -> Result<(), ShardFailure> {
        TextShard::save(view, saving)
    }
}

/// Returns a directory with a colony in `d` that has set aside a new version of document 1, and documents 2 and 3.
fn poisoned() -> tempfile::TempDir {
    let records = [1, 2, 3, 4].map(|id| format!("{{\"id\": {id}, \"text\": \"sea {id}\"}}\n"));
    let directory = corpus(&[("a.jsonl", records.concat().as_bytes())]);
    done(&["index", "a.jsonl", "--data", "all"], directory.path());
    let first = ["index", "-", "--format", "records", "--data", "d"];
    let input = b"{\"id\": 1, \"text\": \"first\"}\n{\"id\": 4, \"text\": \"fourth\"}\n";
    assert!(
        super::piped(&first, input, directory.path())
            .status
            .success()
    );
    // The documents as `index` makes them, with other texts.
    let documents = documents(&directory.path().join("all"));
    let data = directory.path().join("d");
    let mut colony = Colony::<Delicate>::open(&data, DurableConfig::default(), config(&data));
    let colony = colony.as_mut().unwrap();
    let mut poisons = Vec::new();
    for (id, document) in documents {
        let name = document.text("tickring.text").unwrap().to_owned();
        if name.starts_with("[\"4\"") {
            continue;
        }
        poisons.push((id, name, document.schema().document()));
    }
    // Twice each, with the others between.
    for text in ["poison", "more poison"] {
        for (id, name, empty) in &poisons {
            let mut poison = empty.clone();
            poison.add("title", "").unwrap();
            poison.add("body", format!("{text} {name}")).unwrap();
            poison.add("tickring.text", name.as_str()).unwrap();
            colony.intake().try_upsert(*id, poison).unwrap();
        }
    }
    let report = colony.tick().unwrap();
    let aside =
        |one: &tickring::colony::Returned<_>| matches!(one.reason, ReturnReason::SetAside(_));
    assert_eq!(report.returned.iter().filter(|one| aside(one)).count(), 6);
    directory
}

fn config(data: &Path) -> TextShardConfig {
    let stored = stored_settings(data).unwrap().unwrap();
    TextShardConfig {
        schema: Schema::from_json(&stored["schema"]).unwrap(),
        ..TextShardConfig::default()
    }
}

/// Returns the documents of a colony.
fn documents(data: &Path) -> Vec<(DocumentId, TextDocument)> {
    let found = DurableConfig::default();
    let found = Colony::<TextShard>::open_read_only(data, &found, config(data), |_| {}).unwrap();
    let publication = Arc::clone(found.publication());
    let placement = tickring::placement::Placement::default();
    let shards = publication.shards().iter();
    let all = shards.flat_map(|shard| shard.view().documents_between(placement, ..).unwrap());
    all.map(Result::unwrap).collect()
}

/// Returns the names of a list of the command's output, in order.
fn names(output: &Value, list: &str) -> Vec<String> {
    let entries = output[list].as_array();
    let entries = entries.into_iter().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry["document"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert!(names.chunks_exact(2).all(|pair| pair[0] == pair[1]));
    names.dedup();
    names
}

fn quarantine(options: &[&str], directory: &Path) -> Value {
    let arguments = [&["quarantine", "--data", "d", "--json"], options].concat();
    serde_json::from_str(&done(&arguments, directory)).unwrap()
}

/// Returns the text of each document, by its name.
fn texts(directory: &Path) -> Vec<(String, String)> {
    let documents = export("d", directory).into_iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut texts: Vec<_> = documents
        .map(|one| (text(&one["id"]), text(&one["text"])))
        .collect();
    texts.sort();
    texts
}

#[test]
fn what_was_set_aside_is_listed_restored_and_dropped() {
    let directory = poisoned();
    let directory = directory.path();
    let listed = quarantine(&[], directory);
    assert_eq!(names(&listed, "quarantine"), ["1", "2", "3"]);
    let entry = &listed["quarantine"][0];
    assert_eq!(
        (&entry["write"], &entry["path"]),
        (&"upsert".into(), &"a.jsonl".into())
    );
    assert!(entry["tick"].as_u64() > Some(0) && entry["shard"].is_u64());
    let shown = done(&["quarantine", "--data", "d"], directory);
    assert!(shown.starts_with("quarantine 6\n"), "{shown}");
    assert_eq!(
        shown.matches(r"died: failed: it\u{a}was poison").count(),
        6,
        "{shown}"
    );
    // By the id, and by the name.
    let of = |name: &str| {
        let all = listed["quarantine"].as_array().unwrap();
        let one = all.iter().find(|entry| entry["document"] == name);
        one.unwrap()["id"].as_str().unwrap().to_owned()
    };
    let options = ["--restore", &of("1"), "--drop", "2"];
    let output = quarantine(&options, directory);
    assert_eq!(names(&output, "restored"), ["1"]);
    assert_eq!(names(&output, "dropped"), ["2"]);
    assert_eq!(names(&output, "quarantine"), ["3"]);
    assert_eq!(names(&quarantine(&[], directory), "quarantine"), ["3"]);
    let texts = texts(directory);
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[0].1.starts_with("more poison [\"1\""), "{texts:?}");
    assert_eq!(texts[1].1, "fourth");
    let shown = done(&["quarantine", "--data", "d", "--restore", "3"], directory);
    assert!(
        shown.starts_with("restored   2\n  3  upsert of tick "),
        "{shown}"
    );
    assert!(shown.ends_with("quarantine 0\n"), "{shown}");
    done(&["verify", "--data", "d"], directory);
}

#[test]
fn what_is_not_in_the_quarantine_is_named_and_nothing_changes() {
    let directory = poisoned();
    let directory = directory.path();
    let before = texts(directory);
    for (options, code, words) in [
        (
            &["--restore", "1", "--drop", "nobody"][..],
            1,
            &["no write of \"nobody\" is in the quarantine of d"][..],
        ),
        (
            &["--restore", "2", "--drop", "2"],
            1,
            &["2 can't be both restored and dropped"],
        ),
        (&["2"], 2, &["'2'"]),
    ] {
        let arguments = [&["quarantine", "--data", "d"], options].concat();
        refused(&arguments, directory, code, words);
    }
    let missing = ["quarantine", "--data", "missing"];
    refused(
        &missing,
        directory,
        1,
        &["no colony in missing: it doesn't exist"],
    );
    assert_eq!(names(&quarantine(&[], directory), "quarantine").len(), 3);
    assert_eq!(texts(directory), before);
    let empty = command(&["quarantine", "--data", "all"], directory);
    assert_eq!(text(&empty.stdout), "quarantine 0\n");
}
