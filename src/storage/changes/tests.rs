//! Tests of the payloads of log records.

use super::*;

const IDS: [DocumentId; 3] = [
    DocumentId(Uuid::nil()),
    DocumentId(Uuid::from_u128(1)),
    DocumentId(Uuid::max()),
];

fn messages() -> Vec<Message<'static>> {
    let writes = [
        Logged::Add(IDS[0], b""),
        Logged::Upsert(IDS[1], b"text"),
        Logged::Delete(IDS[2]),
    ];
    let message = |write| Message {
        sender: ShardId::new(7),
        write,
    };
    writes.map(message).to_vec()
}

fn changes() -> Changes<'static> {
    let moved = |id| Moved {
        from: ShardId::new(1),
        to: ShardId::new(4),
        leaves: id == IDS[1],
        id,
        document: b"moved",
    };
    Changes {
        messages: messages(),
        ring: Some(Ring {
            epoch: 3,
            state: b"ring",
        }),
        goal: Some(b""),
        moved: IDS.map(moved).to_vec(),
        writes: messages().iter().map(|message| message.write).collect(),
    }
}

fn outcome() -> Outcome<'static> {
    let decision = |reason| Decision {
        shard: ShardId::new(3),
        write: u64::MAX,
        reason,
    };
    Outcome {
        refused: [Reason::Exists, Reason::Because("élan")]
            .map(decision)
            .to_vec(),
        set_aside: [Reason::Because("")].map(decision).to_vec(),
        messages: messages(),
        behind: vec![ShardId::new(0), ShardId::new(9)],
        late: vec![(7, decision(Reason::Because("late")))],
    }
}

fn encoded(encode: impl FnOnce(&mut Vec<u8>) -> Result<(), TooLong>) -> Vec<u8> {
    let mut out = Vec::new();
    encode(&mut out).unwrap();
    out
}

#[test]
fn what_is_encoded_is_decoded() {
    for changes in [Changes::default(), changes()] {
        let bytes = encoded(|out| changes.encode(out));
        assert_eq!(Changes::decode(&bytes).unwrap(), changes);
    }
    for outcome in [Outcome::default(), outcome()] {
        let bytes = encoded(|out| outcome.encode(out));
        assert_eq!(Outcome::decode(&bytes).unwrap(), outcome);
        assert_eq!(outcome.is_empty(), bytes.is_empty());
    }
}

#[test]
fn what_is_cut_is_not_the_same() {
    let bytes = encoded(|out| changes().encode(out));
    for length in 0..bytes.len() {
        assert_ne!(Changes::decode(&bytes[..length]), Ok(changes()));
    }
}

#[test]
fn unknown_kinds_have_a_place() {
    let refused = |bytes: &[u8]| Changes::decode(bytes).unwrap_err();
    let mut bytes = encoded(|out| changes().encode(out));
    let kind = 12 + 4 + 4;
    bytes[kind] = 9;
    let malformed = refused(&bytes);
    assert_eq!(malformed.offset, kind);
    assert_eq!(malformed.found, "9 as the kind of a write");
    bytes[kind] = ADD;
    let moved = bytes.windows(5).position(|bytes| bytes == b"moved");
    let leaves = moved.unwrap() - 4 - 16 - 1;
    bytes[leaves] = 2;
    let malformed = refused(&bytes);
    assert_eq!(malformed.offset, leaves);
    assert_eq!(malformed.found, "2 as the kind of a move");
    bytes[leaves] = 0;
    bytes[0] = 77;
    assert_eq!(refused(&bytes).offset, 0);
    let twice = [bytes.clone(), bytes].concat();
    assert_eq!(refused(&twice).offset, 0);
    // A count that the bytes can't hold takes no memory.
    let huge = [&[5, 0, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0][..], &[255; 4]].concat();
    assert_eq!(refused(&huge).offset, 12);
}
