//! The ring against a twin that scans all its points for every answer.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use arbitrary::Unstructured;
use tickring::{
    DocumentId, HashRing, MAX_REPLICAS, MAX_SHARDS, MAX_VIRTUAL_NODES, MAX_WEIGHT, Move, Placement,
    RingError, RingPlan, RouteError, ShardId,
};

/// Beyond this many points the twin takes too long.
const POINTS: u64 = 160;
const MAX_POINTS: u64 = tickring::MAX_POINTS as u64;

type Members = BTreeMap<ShardId, u32>;

/// The most changes that one input makes: longer inputs find nothing more, only later.
const STEPS: usize = 80;

/// Changes a ring as the input says, and holds each ring against its twin.
pub(crate) fn run(data: &[u8]) {
    // Nothing is wrong with an input that ends early.
    let _ = changes(&mut Unstructured::new(data));
}

fn changes(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let placement = Placement::ALL[usize::from(input.arbitrary::<u8>()?) % 2];
    // Mostly few: a ring repairs its index only for a change that is small beside it.
    let nodes = [1, 1, 1, 2, 3, 5, 8, 20][usize::from(input.arbitrary::<u8>()? % 8)];
    let mut twin = Twin::new(placement, nodes, Members::new());
    let mut ring = HashRing::from_members(placement, nodes, []).unwrap();
    let mut before = (ring.clone(), twin.clone());
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        let step: u8 = input.arbitrary()?;
        match step % 8 {
            0 | 1 => {
                let (shard, weight) = (shard(input)?, weight(input)?);
                change(&mut ring, &mut twin, shard, Change::Add(weight));
            }
            2 => change(&mut ring, &mut twin, shard(input)?, Change::Remove),
            3 => {
                let (shard, weight) = (shard(input)?, weight(input)?);
                change(&mut ring, &mut twin, shard, Change::Weigh(weight));
            }
            4 => look_up(&ring, &twin, input)?,
            5 => check_plan(&before, &ring, &twin),
            6 => {
                check_whole(&ring, &twin);
                before = (ring.clone(), twin.clone());
            }
            _ => check_bounds(input)?,
        }
    }
    check_whole(&ring, &twin);
    check_plan(&before, &ring, &twin);
    Ok(())
}

#[derive(Clone, Copy)]
enum Change {
    Add(u32),
    Remove,
    Weigh(u32),
}

fn change(ring: &mut HashRing, twin: &mut Twin, shard: ShardId, change: Change) {
    let changed = twin.changed(shard, change);
    if changed
        .as_ref()
        .is_ok_and(|members| point_count(members, twin.nodes) > POINTS)
    {
        return;
    }
    let answer = match change {
        Change::Add(1) => ring.add_shard(shard),
        Change::Add(weight) => ring.add_weighted(shard, weight),
        Change::Remove => ring.remove_shard(shard),
        Change::Weigh(weight) => ring.set_weight(shard, weight),
    };
    assert_eq!(answer.as_ref().err(), changed.as_ref().err());
    if let (Ok(changed), Ok(members)) = (answer, changed) {
        *ring = changed;
        *twin = Twin::new(twin.placement, twin.nodes, members);
    }
}

fn point_count(members: &Members, nodes: u32) -> u64 {
    let weights: u64 = members.values().map(|&weight| u64::from(weight)).sum();
    weights * u64::from(nodes)
}

/// Few shards that meet often, shards whose first points crowd together, and now and then any.
fn shard(input: &mut Unstructured<'_>) -> arbitrary::Result<ShardId> {
    let byte: u8 = input.arbitrary()?;
    Ok(match byte {
        0..128 => ShardId(u32::from(byte % 8)),
        128..248 => crowded()[usize::from(byte) % crowded().len()],
        248.. => ShardId(input.arbitrary()?),
    })
}

/// Shards whose first virtual nodes lie in one 4,096th of all hashes, so that they share an entry of any index of a small ring: some at the
/// very end of the hash space, some at its beginning, some within.
fn crowded() -> &'static [ShardId] {
    static CROWDED: OnceLock<Vec<ShardId>> = OnceLock::new();
    CROWDED.get_or_init(|| {
        let bucket = |id: u32| Placement::Xxh3.virtual_node_position(ShardId(id), 0) >> 52;
        let of = |wanted: u64| (0..).filter(move |&id| bucket(id) == wanted).take(4);
        [0, 0x7FF, 0xFFF]
            .into_iter()
            .flat_map(of)
            .map(ShardId)
            .collect()
    })
}

fn weight(input: &mut Unstructured<'_>) -> arbitrary::Result<u32> {
    let byte: u8 = input.arbitrary()?;
    Ok(match byte {
        0..240 => u32::from(byte % 5),
        240..250 => MAX_WEIGHT + u32::from(byte) - 244,
        250.. => input.arbitrary()?,
    })
}

fn look_up(ring: &HashRing, twin: &Twin, input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let document = DocumentId::from_seed(input.arbitrary()?);
    let others = u32::from(input.arbitrary::<u8>()? % 18);
    let hash = twin.placement.hash(document.as_bytes());
    let owner = twin.owner(hash);
    assert_eq!(ring.get_shard(&document).ok(), owner);
    assert_eq!(ring.get_shard_for_key(document.as_bytes()).ok(), owner);
    let replicas = ring.get_replica_shards(&document, others);
    if others > MAX_REPLICAS {
        let value = others;
        assert_eq!(replicas, Err(RouteError::TooManyReplicas { value }));
        return Ok(());
    }
    let mut expected = twin.in_ring_order(hash);
    expected.truncate(1 + others as usize);
    if expected.is_empty() {
        assert_eq!(replicas, Err(RouteError::EmptyRing));
        return Ok(());
    }
    let replicas = replicas.unwrap();
    assert_eq!(replicas.as_slice(), expected);
    assert_eq!(
        replicas.is_complete(),
        expected.len() == 1 + others as usize
    );
    Ok(())
}

/// What a ring may be made of, up to the greatest numbers: refused as documented, or not tried if it would be large.
fn check_bounds(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let (shards, nodes): (u32, u32) = (input.arbitrary()?, input.arbitrary()?);
    let (shards, nodes) = match input.arbitrary::<u8>()? % 3 {
        0 => (shards, nodes),
        1 => (shards % (MAX_SHARDS + 2), nodes % (MAX_VIRTUAL_NODES + 2)),
        _ => (shards % 10, nodes % 10),
    };
    let points = u64::from(shards) * u64::from(nodes);
    let expected = if !(1..=MAX_VIRTUAL_NODES).contains(&nodes) {
        Some(RingError::VirtualNodes {
            value: nodes,
            max: MAX_VIRTUAL_NODES,
        })
    } else if shards > MAX_SHARDS {
        Some(RingError::TooManyShards {
            value: shards.into(),
            max: MAX_SHARDS.into(),
        })
    } else if points > MAX_POINTS {
        Some(RingError::TooManyPoints {
            value: points,
            max: MAX_POINTS,
        })
    } else if points > POINTS {
        return Ok(());
    } else {
        None
    };
    let ring = HashRing::with_virtual_nodes(shards, nodes);
    assert_eq!(ring.as_ref().err(), expected.as_ref());
    if let Ok(ring) = ring {
        let members = (0..shards).map(|id| (ShardId(id), 1)).collect();
        check_whole(&ring, &Twin::new(Placement::default(), nodes, members));
    }
    check_heavy(nodes, weight(input)?);
    Ok(())
}

/// One shard that would have too many points.
fn check_heavy(nodes: u32, weight: u32) {
    let value = u64::from(nodes) * u64::from(weight);
    if (1..=MAX_VIRTUAL_NODES).contains(&nodes) && weight <= MAX_WEIGHT && value > MAX_POINTS {
        let refused = Err(RingError::TooManyPoints {
            value,
            max: MAX_POINTS,
        });
        let placement = Placement::default();
        let empty = HashRing::from_members(placement, nodes, []).unwrap();
        assert_eq!(empty.add_weighted(ShardId(0), weight), refused);
        let light = HashRing::from_members(placement, nodes, [(ShardId(0), 0)]).unwrap();
        assert_eq!(light.set_weight(ShardId(0), weight), refused);
        let members = [(ShardId(0), weight)];
        assert_eq!(HashRing::from_members(placement, nodes, members), refused);
    }
}

/// All that a ring says of itself, and its owners at every place where they may change.
fn check_whole(ring: &HashRing, twin: &Twin) {
    let points = &twin.points;
    let shown: Vec<_> = ring.points().collect();
    let expected = points.iter().map(|&(at, shard, _)| (at, shard));
    assert_eq!(shown, expected.collect::<Vec<_>>());
    assert_eq!(ring.total_virtual_nodes(), points.len());
    assert_eq!(ring.is_empty(), points.is_empty());
    let members: Vec<_> = ring.members().iter().map(|m| (m.shard, m.weight)).collect();
    assert_eq!(
        members,
        twin.members.clone().into_iter().collect::<Vec<_>>()
    );
    let edges = points.iter().map(|&(at, ..)| at).chain([0, u64::MAX]);
    for at in edges.flat_map(|at| [at.wrapping_sub(1), at, at.wrapping_add(1)]) {
        assert_eq!(ring.owner(at).ok(), twin.owner(at), "at {at:#x}");
    }
    check_shares(ring, points);
    assert_eq!(ring.fingerprint(), twin.fingerprint());

    let backwards = twin
        .members
        .iter()
        .rev()
        .map(|(&shard, &weight)| (shard, weight));
    let again = HashRing::from_members(twin.placement, twin.nodes, backwards).unwrap();
    assert_eq!(&again, ring);
    assert_eq!(again.fingerprint(), ring.fingerprint());
}

fn check_shares(ring: &HashRing, points: &[(u64, ShardId, u32)]) {
    let mut expected: BTreeMap<ShardId, u128> = ring
        .all_shards()
        .into_iter()
        .map(|shard| (shard, 0))
        .collect();
    let mut last = points.last().map_or(0, |&(at, ..)| i128::from(at)) - (1 << 64);
    for &(at, shard, _) in points {
        *expected.get_mut(&shard).unwrap() += u128::try_from(i128::from(at) - last).unwrap();
        last = i128::from(at);
    }
    let shares = ring.shares();
    let found: BTreeMap<_, _> = shares
        .iter()
        .map(|share| (share.shard, share.hashes))
        .collect();
    assert_eq!(found, expected);
    let total: u128 = found.values().sum();
    assert_eq!(total, if points.is_empty() { 0 } else { 1 << 64 });
    assert_eq!(shares.balance().is_some(), !points.is_empty());
}

fn check_plan(before: &(HashRing, Twin), ring: &HashRing, twin: &Twin) {
    let plan = RingPlan::between(&before.0, ring).unwrap();
    let mut ends: Vec<u64> = [&before.1, twin]
        .into_iter()
        .flat_map(|twin| twin.points.iter().map(|&(at, ..)| at))
        .chain([u64::MAX])
        .collect();
    ends.sort_unstable();
    ends.dedup();
    let mut expected: Vec<Move> = Vec::new();
    let mut first = 0;
    for last in ends {
        let (from, to) = (before.1.owner(last), twin.owner(last));
        match expected.last_mut() {
            _ if from == to => {}
            Some(range)
                if (range.from, range.to) == (from, to) && range.last.wrapping_add(1) == first =>
            {
                range.last = last;
            }
            _ => expected.push(Move {
                first,
                last,
                from,
                to,
            }),
        }
        first = last.wrapping_add(1);
    }
    assert_eq!(plan.moves(), expected);
    let moved: u128 = expected
        .iter()
        .map(|m| u128::from(m.last - m.first) + 1)
        .sum();
    assert_eq!(plan.moved_hashes(), moved);
    for range in &expected {
        assert_eq!(plan.move_at(range.first), Some(range));
        assert_eq!(plan.move_at(range.last), Some(range));
    }
    let stays = expected
        .first()
        .map_or(Some(0), |range| range.first.checked_sub(1));
    assert!(stays.is_none_or(|at| plan.move_at(at).is_none()));
}

#[derive(Clone)]
struct Twin {
    placement: Placement,
    nodes: u32,
    members: Members,
    /// Position, shard and virtual node of every point, sorted.
    points: Vec<(u64, ShardId, u32)>,
}

impl Twin {
    fn new(placement: Placement, nodes: u32, members: Members) -> Self {
        let mut points = Vec::new();
        for (&shard, &weight) in &members {
            for node in 0..nodes * weight {
                points.push((placement.virtual_node_position(shard, node), shard, node));
            }
        }
        points.sort_unstable();
        Self {
            placement,
            nodes,
            members,
            points,
        }
    }

    /// The members after a change.
    fn changed(&self, shard: ShardId, change: Change) -> Result<Members, RingError> {
        let mut members = self.members.clone();
        let known = members.contains_key(&shard);
        match change {
            Change::Add(_) if known => return Err(RingError::ShardExists(shard)),
            Change::Remove | Change::Weigh(_) if !known => {
                return Err(RingError::ShardNotFound(shard));
            }
            Change::Remove => {
                members.remove(&shard);
            }
            Change::Add(value) | Change::Weigh(value) => {
                if value > MAX_WEIGHT {
                    let max = MAX_WEIGHT;
                    return Err(RingError::Weight { shard, value, max });
                }
                members.insert(shard, value);
            }
        }
        Ok(members)
    }

    /// The distinct shards from the owner on.
    fn in_ring_order(&self, hash: u64) -> Vec<ShardId> {
        let mut points = self.points.clone();
        points.sort_by_key(|&(at, shard, node)| (at < hash, at, shard, node));
        let mut shards = Vec::new();
        for (_, shard, _) in points {
            if !shards.contains(&shard) {
                shards.push(shard);
            }
        }
        shards
    }

    /// The nearest point at or after the hash, else the first of all.
    fn owner(&self, hash: u64) -> Option<ShardId> {
        let points = self.points.iter();
        let nearest = points.min_by_key(|&&(at, shard, node)| (at < hash, at, shard, node));
        nearest.map(|&(_, shard, _)| shard)
    }

    /// As the fingerprint's documentation writes it down.
    fn fingerprint(&self) -> u64 {
        let count = |len: usize| u32::try_from(len).unwrap().to_le_bytes();
        let mut bytes = format!("tickring ring 1\n{}\n", self.placement.name()).into_bytes();
        bytes.extend(self.nodes.to_le_bytes());
        bytes.extend(count(self.members.len()));
        for (shard, weight) in &self.members {
            bytes.extend(shard.0.to_le_bytes());
            bytes.extend(weight.to_le_bytes());
        }
        bytes.extend(count(self.points.len()));
        for (at, shard, _) in &self.points {
            bytes.extend(at.to_le_bytes());
            bytes.extend(shard.0.to_le_bytes());
        }
        Placement::Xxh3.hash(&bytes)
    }
}
