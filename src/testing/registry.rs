//! A comparison of the registry with its naive model, by commands from bytes.

use std::time::Duration;

use arbitrary::{Result, Unstructured};

use super::membership::{Life, Lives};
use crate::clock::Timestamp;
use crate::{ShardId, ShardInfo, ShardRegistry, ShardStatus};

const STATUSES: [ShardStatus; 4] = [
    ShardStatus::Online,
    ShardStatus::Offline,
    ShardStatus::Recovering,
    ShardStatus::Draining,
];

/// The maximum number of commands in one input. Longer inputs take longer and find nothing more.
const COMMANDS: usize = 80;

/// Runs the commands that the bytes encode on a registry and on its naive model, and compares all queries.
pub fn run(data: &[u8]) {
    // An input may end early.
    let _ = carry_out(&mut Unstructured::new(data));
}

fn carry_out(input: &mut Unstructured<'_>) -> Result<()> {
    let timeout = match input.arbitrary::<u8>()? {
        255 => Duration::MAX,
        byte => Duration::from_nanos(u64::from(byte)),
    };
    let mut pair = Pair {
        registry: ShardRegistry::with_heartbeat_timeout(timeout),
        model: Lives::new(0, timeout),
        now: Timestamp::ZERO,
        registrations: 0,
    };
    for _ in 0..COMMANDS {
        if input.is_empty() {
            break;
        }
        pair.run(input)?;
        pair.compare();
    }
    Ok(())
}

struct Pair {
    registry: ShardRegistry,
    model: Lives,
    now: Timestamp,
    registrations: u64,
}

impl Pair {
    fn run(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let step: u8 = input.arbitrary()?;
        let id = shard(input)?;
        let (registry, model, now) = (&mut self.registry, &mut self.model, self.now);
        match step % 12 {
            0..=2 => {
                let info = info(input, id)?;
                let (given, told) = if step % 12 == 2 {
                    let given = registry.register_with_id(info.clone(), id, now);
                    (given.map(|_| id), Ok(id))
                } else {
                    (registry.register(info.clone(), now), model.vacant())
                };
                assert_eq!(given, told);
                if let Ok(id) = told {
                    let incarnation = registry.get_registered(id).unwrap().incarnation;
                    self.registrations += 1;
                    assert_eq!(incarnation.get(), self.registrations);
                    model.register(id, incarnation, info, (true, None), now);
                }
            }
            3 => assert_eq!(registry.remove(id), model.remove(id).map(|life| life.info)),
            4 | 5 => {
                let told = model.beat(id, None, now).map(drop);
                assert_eq!(registry.heartbeat(id, now), told);
            }
            6 => {
                let status = STATUSES[usize::from(input.arbitrary::<u8>()? % 4)];
                let told = model.set_status(id, None, status, now).map(drop);
                assert_eq!(registry.set_status(id, status, now), told);
            }
            7 => {
                let (documents, memory) = (number(input)? as usize, number(input)?);
                let told = model.update(id, None, documents, memory);
                assert_eq!(registry.update_metrics(id, documents, memory), told);
            }
            8 | 9 => {
                let dead: Vec<_> = model.sweep(now).into_iter().map(|(id, _)| id).collect();
                assert_eq!(registry.check_dead_shards(now), dead);
            }
            10 => {
                let by = Duration::from_nanos(input.arbitrary::<u8>()?.into());
                self.now = now.saturating_add(by);
            }
            // The registry accepts any time, even an earlier one.
            _ => self.now = Timestamp::from_nanos(number(input)?),
        }
        Ok(())
    }

    fn compare(&self) {
        let (registry, lives) = (&self.registry, &self.model.registered);
        let infos = |keep: &dyn Fn(&Life) -> bool| -> Vec<ShardInfo> {
            let kept = lives.values().filter(|life| keep(life));
            kept.map(|life| life.info.clone()).collect()
        };
        assert_eq!(registry.count(), lives.len());
        assert!(registry.all_ids().iter().eq(lives.keys()));
        assert_eq!(registry.all(), infos(&|_| true));
        for status in STATUSES {
            let told = infos(&|life| life.status == status);
            assert_eq!(registry.shards_with_status(status), told);
        }
        let online = infos(&|life| life.status == ShardStatus::Online);
        assert_eq!(registry.online_shards(), online);
        let least = online
            .iter()
            .min_by_key(|info| (info.document_count, info.id));
        assert_eq!(registry.least_loaded_shard(), least.map(|info| info.id));
        for id in (0..7).map(ShardId).chain(lives.keys().copied()) {
            self.compare_shard(id);
        }
        let sum = |of: &dyn Fn(&Life) -> u64| lives.values().map(of).fold(0, u64::saturating_add);
        let documents = sum(&|life| life.info.document_count as u64);
        assert_eq!(registry.total_documents(), documents);
        assert_eq!(registry.total_memory(), sum(&|life| life.memory));
    }

    fn compare_shard(&self, id: ShardId) {
        let (registry, life) = (&self.registry, self.model.registered.get(&id));
        assert_eq!(registry.contains(id), life.is_some());
        assert_eq!(registry.get_status(id), life.map(|life| life.status));
        assert_eq!(registry.get(id), life.map(|life| life.info.clone()));
        assert!(!registry.is_planned(id));
        let known = registry.get_registered(id).map(|known| {
            let seen = (known.status, known.incarnation, known.last_seen);
            (seen, known.info, (known.memory_bytes, known.zone))
        });
        assert_eq!(known, life.map(Life::known));
    }
}

fn shard(input: &mut Unstructured<'_>) -> Result<ShardId> {
    let byte: u8 = input.arbitrary()?;
    Ok(ShardId(match byte {
        0..240 => u32::from(byte % 6),
        240..250 => u32::MAX - u32::from(byte - 240),
        250.. => input.arbitrary()?,
    }))
}

/// Mostly small numbers, sometimes any others.
fn number(input: &mut Unstructured<'_>) -> Result<u64> {
    let byte: u8 = input.arbitrary()?;
    Ok(match byte {
        0..230 => u64::from(byte),
        230..243 => u64::MAX - u64::from(byte - 230),
        _ => input.arbitrary()?,
    })
}

fn info(input: &mut Unstructured<'_>, id: ShardId) -> Result<ShardInfo> {
    let documents = usize::from(input.arbitrary::<u8>()?);
    Ok(ShardInfo {
        document_count: documents,
        node_count: documents * 2,
        edge_count: documents * 3,
        last_heartbeat: documents as u64 * 5,
        ..ShardInfo::new(id, format!("address {}", id.0))
    })
}
