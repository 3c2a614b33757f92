//! A shard's part of a tick's writes.

use super::*;

fn writes(seeds: Range<u64>) -> Vec<Write<String>> {
    seeds.map(|seed| upsert(id(seed), "")).collect()
}

#[test]
fn a_batch_counts_messages_and_writes_and_goes_through_them_in_this_order() {
    for (sent, came) in [(0, 0), (0, 3), (2, 0), (1, 1), (2, 3)] {
        let messages: Vec<_> = (0..).map(ShardId).zip(writes(0..sent)).collect();
        let writes = writes(sent..sent + came);
        let batch = Batch::with_messages(&messages, &writes);
        assert_eq!(
            (batch.len(), batch.is_empty()),
            (messages.len() + writes.len(), sent + came == 0)
        );
        let ids = messages
            .iter()
            .map(|(_, write)| write)
            .chain(&writes)
            .map(Write::id);
        let senders = messages.iter().map(|&(from, _)| Origin::Shard(from));
        let origins = senders.chain(writes.iter().map(|_| Origin::Intake));
        let expected = origins.zip(ids).enumerate();
        let entries = batch
            .iter()
            .map(|(at, origin, write)| (at, (origin, write.id())));
        assert!(entries.eq(expected), "{batch:?}");
    }
}

#[test]
fn the_first_reason_for_a_write_counts_and_none_for_what_is_not_there() {
    let messages = [(ShardId(0), upsert(id(0), ""))];
    let writes = writes(1..4);
    let mut batch = Batch::with_messages(&messages, &writes);
    let calls = [
        (3, "a"),
        (0, "b"),
        (3, "c"),
        (4, "d"),
        (usize::MAX, "e"),
        (1, "f"),
        (0, "g"),
    ];
    for (at, why) in calls {
        batch.refuse(at, Refusal::Because(why.into()));
    }
    let told = |refused: &[(usize, Refusal)]| -> Vec<(usize, String)> {
        let told = refused.iter().map(|(at, why)| match why {
            Refusal::Because(why) => (*at, why.to_string()),
            Refusal::Exists => unreachable!("nobody says so"),
        });
        told.collect()
    };
    let expected = |refused: &[(usize, &str)]| -> Vec<(usize, String)> {
        refused
            .iter()
            .map(|&(at, why)| (at, why.to_owned()))
            .collect()
    };
    let calls = [(3, "a"), (0, "b"), (3, "c"), (1, "f"), (0, "g")];
    assert_eq!(told(batch.refused()), expected(&calls));
    let decided = [(0, "b"), (1, "f"), (3, "a")];
    assert_eq!(told(&batch.into_refused()), expected(&decided));
}

#[test]
fn a_write_has_a_document_unless_it_deletes_one() {
    let document = Arc::new("text".to_owned());
    let kept = Arc::clone(&document);
    let add = Write::Add {
        id: id(1),
        document,
    };
    let (clone, delete) = (add.clone(), Write::<String>::Delete { id: id(2) });
    assert!(Arc::ptr_eq(clone.document().unwrap(), &kept));
    assert_eq!((clone.id(), delete.clone().id()), (id(1), id(2)));
    assert!(delete.document().is_none());
    let told = [format!("{add:?}"), format!("{delete:?}")];
    assert_eq!(
        told,
        [
            format!("Add({:?})", id(1).0),
            format!("Delete({:?})", id(2).0)
        ]
    );
}
