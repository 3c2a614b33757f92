//! The registry's commands against plain maps.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use arbitrary::Unstructured;
use tickring::{
    RegisteredShard, RegistryError, ShardId, ShardInfo, ShardRegistry, ShardStatus, Timestamp,
};

const STATUSES: [ShardStatus; 4] = [
    ShardStatus::Online,
    ShardStatus::Offline,
    ShardStatus::Recovering,
    ShardStatus::Draining,
];

/// The most commands that one input makes: longer inputs find nothing more, only later.
const STEPS: usize = 80;

/// Carries out the input's commands on a registry and on maps, and compares their answers and all that can be asked.
pub(crate) fn run(data: &[u8]) {
    // Nothing is wrong with an input that ends early.
    let _ = commands(&mut Unstructured::new(data));
}

fn commands(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let timeout = match input.arbitrary::<u8>()? {
        255 => Duration::MAX,
        byte => Duration::from_nanos(u64::from(byte)),
    };
    let mut registry = ShardRegistry::with_heartbeat_timeout(timeout);
    let mut oracle = Oracle::new(timeout);
    let mut now = Timestamp::ZERO;
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        command(input, &mut registry, &mut oracle, &mut now)?;
        check(&registry, &oracle);
    }
    Ok(())
}

fn command(
    input: &mut Unstructured<'_>,
    registry: &mut ShardRegistry,
    oracle: &mut Oracle,
    now: &mut Timestamp,
) -> arbitrary::Result<()> {
    let step: u8 = input.arbitrary()?;
    let id = shard(input)?;
    match step % 12 {
        0 | 1 => {
            let info = info(input, id)?;
            let given = registry.register(info.clone(), *now);
            assert_eq!(given.as_ref().ok(), oracle.vacant().as_ref());
            match given {
                Ok(id) => drop(oracle.register(info, id, *now)),
                Err(error) => assert_eq!(error, RegistryError::Exhausted("shard ids")),
            }
        }
        2 => {
            let info = info(input, id)?;
            let incarnation = registry.register_with_id(info.clone(), id, *now);
            assert_eq!(incarnation.unwrap().get(), oracle.register(info, id, *now));
        }
        3 => assert_eq!(
            registry.remove(id),
            oracle.entries.remove(&id).map(|entry| entry.info)
        ),
        4 | 5 => assert_eq!(registry.heartbeat(id, *now), oracle.heartbeat(id, *now)),
        6 => {
            let status = STATUSES[usize::from(input.arbitrary::<u8>()? % 4)];
            let expected = oracle.set_status(id, status, *now);
            assert_eq!(registry.set_status(id, status, *now), expected);
        }
        7 => {
            let (documents, memory) = (number(input)? as usize, number(input)?);
            let expected = oracle.update(id, documents, memory);
            assert_eq!(registry.update_metrics(id, documents, memory), expected);
        }
        8 | 9 => assert_eq!(registry.check_dead_shards(*now), oracle.sweep(*now)),
        10 => *now = now.saturating_add(Duration::from_nanos(input.arbitrary::<u8>()?.into())),
        // The registry takes any time, also an earlier one.
        _ => *now = Timestamp::from_nanos(number(input)?),
    }
    Ok(())
}

fn shard(input: &mut Unstructured<'_>) -> arbitrary::Result<ShardId> {
    let byte: u8 = input.arbitrary()?;
    Ok(ShardId(match byte {
        0..240 => u32::from(byte % 6),
        240..250 => u32::MAX - u32::from(byte - 240),
        250.. => input.arbitrary()?,
    }))
}

/// Small mostly, and now and then any.
fn number(input: &mut Unstructured<'_>) -> arbitrary::Result<u64> {
    let byte: u8 = input.arbitrary()?;
    Ok(match byte {
        0..230 => u64::from(byte),
        230..243 => u64::MAX - u64::from(byte - 230),
        _ => input.arbitrary()?,
    })
}

fn info(input: &mut Unstructured<'_>, id: ShardId) -> arbitrary::Result<ShardInfo> {
    let mut info = ShardInfo::new(id, format!("address {}", id.0));
    info.document_count = usize::from(input.arbitrary::<u8>()?);
    info.node_count = info.document_count * 2;
    info.edge_count = info.document_count * 3;
    info.last_heartbeat = info.document_count as u64 * 5;
    Ok(info)
}

fn check(registry: &ShardRegistry, oracle: &Oracle) {
    let entries = &oracle.entries;
    let infos = |keep: &dyn Fn(&Entry) -> bool| -> Vec<ShardInfo> {
        let kept = entries.values().filter(|entry| keep(entry));
        kept.map(|entry| entry.info.clone()).collect()
    };
    assert_eq!(registry.count(), entries.len());
    assert_eq!(
        registry.all_ids(),
        entries.keys().copied().collect::<Vec<_>>()
    );
    assert_eq!(registry.all(), infos(&|_| true));
    for status in STATUSES {
        assert_eq!(
            registry.shards_with_status(status),
            infos(&|entry| entry.status == status)
        );
    }
    let online = infos(&|entry| entry.status == ShardStatus::Online);
    assert_eq!(registry.online_shards(), online);
    let least = online
        .iter()
        .min_by_key(|info| (info.document_count, info.id));
    assert_eq!(registry.least_loaded_shard(), least.map(|info| info.id));
    for id in (0..7).map(ShardId).chain(entries.keys().copied()) {
        let entry = entries.get(&id);
        assert_eq!(registry.contains(id), entry.is_some());
        assert_eq!(registry.get_status(id), entry.map(|entry| entry.status));
        assert_eq!(registry.get(id), entry.map(|entry| entry.info.clone()));
        check_registered(registry.get_registered(id), entry);
        assert!(!registry.is_planned(id));
    }
    let sum =
        |of: &dyn Fn(&Entry) -> u64| entries.values().map(|entry| u128::from(of(entry))).sum();
    let at_most = |sum: u128| u64::try_from(sum).unwrap_or(u64::MAX);
    assert_eq!(
        registry.total_documents(),
        at_most(sum(&|entry| entry.info.document_count as u64))
    );
    assert_eq!(registry.total_memory(), at_most(sum(&|entry| entry.memory)));
}

fn check_registered(found: Option<RegisteredShard>, entry: Option<&Entry>) {
    assert_eq!(found.is_some(), entry.is_some());
    if let (Some(found), Some(entry)) = (found, entry) {
        assert_eq!(found.info, entry.info);
        assert_eq!(found.status, entry.status);
        assert_eq!(found.memory_bytes, entry.memory);
        assert_eq!(found.incarnation.get(), entry.incarnation);
        assert_eq!(found.last_seen, entry.last_seen);
    }
}

struct Entry {
    info: ShardInfo,
    status: ShardStatus,
    draining: bool,
    memory: u64,
    incarnation: u64,
    last_seen: Timestamp,
}

struct Oracle {
    timeout: Duration,
    entries: BTreeMap<ShardId, Entry>,
    /// Every id that was ever registered.
    used: BTreeSet<ShardId>,
    registrations: u64,
}

impl Oracle {
    fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            entries: BTreeMap::new(),
            used: BTreeSet::new(),
            registrations: 0,
        }
    }

    /// The lowest id that was never used.
    fn vacant(&self) -> Option<ShardId> {
        (0..=u32::MAX)
            .map(ShardId)
            .find(|id| !self.used.contains(id))
    }

    fn register(&mut self, info: ShardInfo, id: ShardId, now: Timestamp) -> u64 {
        self.registrations += 1;
        self.used.insert(id);
        let entry = Entry {
            info: ShardInfo { id, ..info },
            status: ShardStatus::Online,
            draining: false,
            memory: 0,
            incarnation: self.registrations,
            last_seen: now,
        };
        self.entries.insert(id, entry);
        self.registrations
    }

    fn entry(&mut self, id: ShardId) -> Result<&mut Entry, RegistryError> {
        self.entries
            .get_mut(&id)
            .ok_or(RegistryError::ShardNotFound(id))
    }

    fn heartbeat(&mut self, id: ShardId, now: Timestamp) -> Result<(), RegistryError> {
        let entry = self.entry(id)?;
        entry.last_seen = entry.last_seen.max(now);
        entry.status = match entry.status {
            ShardStatus::Offline => ShardStatus::Recovering,
            ShardStatus::Recovering if entry.draining => ShardStatus::Draining,
            ShardStatus::Recovering => ShardStatus::Online,
            serving => serving,
        };
        Ok(())
    }

    fn set_status(
        &mut self,
        id: ShardId,
        status: ShardStatus,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let entry = self.entry(id)?;
        entry.status = status;
        if status.serves() {
            entry.draining = status == ShardStatus::Draining;
        }
        if status != ShardStatus::Offline {
            entry.last_seen = entry.last_seen.max(now);
        }
        Ok(())
    }

    fn update(&mut self, id: ShardId, documents: usize, memory: u64) -> Result<(), RegistryError> {
        let entry = self.entry(id)?;
        entry.info.document_count = documents;
        entry.memory = memory;
        Ok(())
    }

    fn sweep(&mut self, now: Timestamp) -> Vec<ShardId> {
        let mut dead = Vec::new();
        for (&id, entry) in &mut self.entries {
            let silent = now.as_nanos().saturating_sub(entry.last_seen.as_nanos());
            let overdue = u128::from(silent) > self.timeout.as_nanos();
            if overdue && entry.status != ShardStatus::Offline {
                entry.status = ShardStatus::Offline;
                dead.push(id);
            }
        }
        dead
    }
}
