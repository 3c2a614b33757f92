//! How writes are accepted, refused and accounted for.

use super::*;
use crate::placement::Placement;

#[test]
fn a_full_inbox_gives_the_document_back_or_waits_for_the_next_tick() {
    let tight = ColonyConfig {
        inbox_capacity: 1,
        ..config(1)
    };
    let mut colony = colony_with(tight, 1, nothing());
    let intake = colony.intake();
    intake.try_add(id(1), "first".to_owned()).unwrap();
    let full = IntakeError::Full {
        shard: ShardId(0),
        capacity: 1,
    };
    let rejected = intake.try_add(id(2), "second".to_owned()).unwrap_err();
    assert_eq!(rejected.reason, full);
    let rejected = intake
        .add(id(2), rejected.document, Instant::now())
        .unwrap_err();
    assert_eq!(
        (&rejected.reason, rejected.document.as_str()),
        (&full, "second")
    );

    thread::scope(|scope| {
        let waiting = scope.spawn(|| intake.add(id(2), rejected.document, far()));
        while !waiting.is_finished() {
            colony.tick().unwrap();
        }
        let ticket = waiting.join().unwrap().unwrap();
        while colony.current_tick() <= ticket.tick() {
            colony.tick().unwrap();
        }
    });
    assert_eq!(published_ids(&colony.publication()), ids(1..3));
}

#[test]
fn every_accepted_write_is_published_or_returned_while_shards_die_and_the_colony_closes() {
    let deaths = hook(
        |phase, context| match (context.shard().as_u32(), context.tick(), phase) {
            (1, 3, TickPhase::Act) | (3, 9, TickPhase::Sense) => Misdeed::Panic.commit(),
            (2, 6, TickPhase::Advance) | (1, 12, TickPhase::Decay) => Misdeed::Fail.commit(),
            _ => Ok(()),
        },
    );
    let tight = ColonyConfig {
        inbox_capacity: 16,
        ..config(2)
    };
    let mut colony = colony_with(tight, 4, deaths);
    let reader = colony.reader();
    let mut returned = BTreeSet::new();
    let writers: Vec<_> = (0..3u64)
        .map(|writer| {
            let intake = colony.intake();
            thread::spawn(move || {
                let mut accepted = Vec::new();
                for seed in 0.. {
                    let document = id(writer << 32 | seed);
                    match intake
                        .add(document, String::new(), far())
                        .map_err(|r| r.reason)
                    {
                        Ok(_) => accepted.push(document),
                        Err(IntakeError::Recovering { .. }) => {}
                        Err(IntakeError::Closed) => return accepted,
                        Err(other) => panic!("{other}"),
                    }
                }
                accepted
            })
        })
        .collect();
    let mut take = |back: &[Returned<String>]| {
        let back = returned_ids(back);
        assert!(returned.is_disjoint(&back), "it has come back before");
        returned.extend(back);
    };
    let mut revived = 0;
    for _ in 0..30 {
        let report = colony.tick().unwrap();
        take(&report.returned);
        revived += report.revived.len();
    }
    let end = colony.close(far());
    take(&end.last.unwrap().returned);
    take(&end.returned);
    assert_eq!(revived, 4);
    let accepted = writers
        .into_iter()
        .flat_map(|writer| writer.join().unwrap());
    let accepted: BTreeSet<_> = accepted.collect();
    let published = published_ids(&reader.publication());
    assert!(published.is_disjoint(&returned));
    assert_eq!(&published | &returned, accepted);
    assert!(!returned.is_empty() && accepted.len() > 100);
}

#[test]
fn a_configuration_out_of_bounds_is_named() {
    let text = |config: ColonyConfig, shards| match Colony::new(config, shards, |birth| {
        Ok(Notes::again(&birth, &nothing()))
    }) {
        Err(ColonyError::Config(error)) => error.to_string(),
        other => panic!("expected a configuration error: {other:?}"),
    };
    let base = ColonyConfig::default;
    assert_eq!(text(base(), 0), "shards is 0, but must be from 1 to 65536");
    let no_room = ColonyConfig {
        inbox_capacity: 0,
        ..base()
    };
    assert_eq!(
        text(no_room, 1),
        "inbox_capacity is 0, but must be from 1 to 1048576"
    );
    let threads = ColonyConfig {
        threads: 5_000,
        ..base()
    };
    assert_eq!(
        text(threads, 1),
        "threads is 5000, but must be from 1 to 1024"
    );
    let lost = ColonyConfig {
        max_lost_threads: 5_000,
        ..base()
    };
    assert_eq!(
        text(lost, 1),
        "max_lost_threads is 5000, but must be from 0 to 1024"
    );
    let never = ColonyConfig {
        phase_timeout: Duration::MAX,
        ..base()
    };
    assert!(text(never, 1).starts_with("phase_timeout is "));
}

#[test]
fn a_colony_has_the_ring_that_its_configuration_says() {
    for (placement, nodes) in Placement::ALL.into_iter().zip([7, 150]) {
        let config = ColonyConfig {
            placement,
            virtual_nodes_per_shard: nodes,
            ..config(1)
        };
        let colony = colony_with(config.clone(), 3, nothing());
        let topology = colony.topology();
        let ring = topology.ring();
        assert_eq!((ring.shard_count(), ring.placement()), (3, placement));
        assert_eq!(ring.virtual_nodes_per_shard(), nodes);
        assert_eq!(colony.config(), &config);
    }
}
