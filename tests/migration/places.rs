//! Tests of the placement of documents and other keys.

use std::hash::Hash;
use std::time::Duration;

use tickring::placement::Placement;
use tickring::{Config, Coordinator, DocumentId, ShardId};
use uuid::Uuid;

use crate::phago;

const KEYS: u64 = 20_000;
const SHARDS: [u32; 5] = [1, 2, 3, 7, 64];

/// Hashes shards in their order.
fn digest(shards: impl Iterator<Item = ShardId>) -> u64 {
    let bytes: Vec<u8> = shards.flat_map(|id| id.as_u32().to_le_bytes()).collect();
    Placement::Xxh3.hash(&bytes)
}

/// Documents whose ids differ in all bytes.
pub(crate) fn documents() -> impl Iterator<Item = DocumentId> {
    const ODD: u128 = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835;
    (1..=u128::from(KEYS)).map(|number| DocumentId(Uuid::from_u128(number.wrapping_mul(ODD))))
}

/// Hashes the shards of these keys, for each number of shards in turn.
fn places_of_keys<K: Hash>(key: impl Fn(u64) -> K) -> u64 {
    let keys: Vec<_> = (0..KEYS)
        .map(|number| Placement::key_bytes(&key(number)))
        .collect();
    digest(SHARDS.into_iter().flat_map(|shards| {
        let coordinator = phago(shards);
        let places = keys.iter().map(|key| coordinator.route_key(key).unwrap());
        places.collect::<Vec<_>>()
    }))
}

/// The numbers are hashes of the answers of phago-distributed 1.0.0 with uuid 1.17 or later.
#[test]
fn m1_the_preset_places_documents_as_phago_distributed_did() {
    let (mut owners, mut replicas, mut seeds) = (Vec::new(), Vec::new(), Vec::new());
    for shards in SHARDS {
        let coordinator = phago(shards);
        for document in documents() {
            owners.push(coordinator.route_document(&document).unwrap());
            replicas.extend_from_slice(&coordinator.get_replica_shards(&document).unwrap());
        }
        let place = |seed| coordinator.route_document(&DocumentId::from_seed(seed));
        seeds.extend((0..KEYS).map(|seed| place(seed).unwrap()));
    }
    assert_eq!(digest(owners.into_iter()), 0xDC1F_681D_A24F_7C04);
    assert_eq!(digest(replicas.into_iter()), 0xC953_3F4F_5DBF_EEAD);
    assert_eq!(digest(seeds.into_iter()), 0x0030_B15E_2D2D_DE13);
}

#[test]
fn m1_the_default_placement_moves_two_documents_of_three() {
    let (ours, theirs) = (Coordinator::new(3).unwrap(), phago(3));
    let moved = documents()
        .filter(|document| ours.route_document(document) != theirs.route_document(document));
    assert_eq!(moved.count(), 13_414);
}

#[test]
fn m1_the_preset_has_the_defaults_of_phago_distributed() {
    let config = Config::phago();
    assert_eq!(config.num_shards, 3);
    assert_eq!(config.replication_factor, 2);
    assert_eq!(config.virtual_nodes_per_shard, 150);
    assert_eq!(config.phase_timeout, Duration::from_secs(30));
    assert_eq!(config.heartbeat_timeout, Duration::from_secs(30));
}

/// The numbers are hashes of the answers of phago-distributed 1.0.0.
#[test]
#[expect(clippy::cast_possible_truncation, reason = "keys may wrap")]
#[expect(clippy::cast_possible_wrap, reason = "keys may wrap")]
fn m2_keys_are_placed_as_phago_distributed_did() {
    let strings = places_of_keys(|number| format!("user:{number}"));
    assert_eq!(strings, 0x4123_D314_DD09_779E);
    let bytes = places_of_keys(|number| {
        let byte = |at: u64| (number.wrapping_mul(31) + at) as u8;
        (0..number % 40).map(byte).collect::<Vec<u8>>()
    });
    assert_eq!(bytes, 0xC3AA_1E42_3780_6574);
    let numbers = places_of_keys(|number| number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    assert_eq!(numbers, 0x069A_B2C7_FA16_96B6);
    let tuples = places_of_keys(|number| {
        let even = number.is_multiple_of(2);
        let signed = -(number as i64);
        (
            number as u32,
            format!("k{number}"),
            signed,
            even,
            number as usize,
        )
    });
    assert_eq!(tuples, 0x27A6_34F2_29B9_19C0);
}

#[test]
fn m2_the_bytes_of_a_key_are_those_that_its_hash_writes() {
    let expect = |written: Vec<u8>, bytes: &[u8]| assert_eq!(written, bytes);
    expect(Placement::key_bytes("ab"), b"ab\xFF");
    expect(Placement::key_bytes(&String::from("ab")), b"ab\xFF");
    expect(Placement::key_bytes(&b"ab"[..]), b"\x02\0\0\0\0\0\0\0ab");
    expect(
        Placement::key_bytes(&vec![1_u8]),
        &[1, 0, 0, 0, 0, 0, 0, 0, 1],
    );
    expect(Placement::key_bytes(&0x0102_u16), &[2, 1]);
    expect(Placement::key_bytes(&-2_i32), &[0xFE, 0xFF, 0xFF, 0xFF]);
    expect(Placement::key_bytes(&1_u64), &[1, 0, 0, 0, 0, 0, 0, 0]);
    expect(Placement::key_bytes(&1_usize), &[1, 0, 0, 0, 0, 0, 0, 0]);
    expect(Placement::key_bytes(&-1_isize), &[0xFF; 8]);
    expect(Placement::key_bytes(&1_u128), &1_u128.to_le_bytes());
    expect(Placement::key_bytes(&(true, 'a')), &[1, 97, 0, 0, 0]);
}

/// Up to 1.16, uuid wrote a length before the 16 bytes. The number is a hash of the answers of phago-distributed 1.0.0 with uuid 1.16.0.
#[test]
fn m2_documents_of_an_older_uuid_are_found_by_the_bytes_of_an_array() {
    let documents: Vec<_> = documents().collect();
    let mut places = Vec::new();
    for shards in SHARDS {
        let coordinator = phago(shards);
        let place = |document: &DocumentId| {
            coordinator.route_key(&Placement::key_bytes(document.as_bytes()))
        };
        places.extend(documents.iter().map(|document| place(document).unwrap()));
    }
    assert_eq!(digest(places.into_iter()), 0x726C_C3E0_2F1D_CFE5);
}
