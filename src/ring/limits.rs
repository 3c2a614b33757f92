//! Limits of a ring, checked before any point is placed.

use super::member::RingMember;
use crate::error::RingError;
use crate::id::ShardId;
use crate::limits::{MAX_POINTS, MAX_SHARDS, MAX_VIRTUAL_NODES, MAX_WEIGHT};

pub(super) fn virtual_nodes(value: u32) -> Result<(), RingError> {
    if (1..=MAX_VIRTUAL_NODES).contains(&value) {
        return Ok(());
    }
    Err(RingError::VirtualNodes {
        value,
        max: MAX_VIRTUAL_NODES,
    })
}

pub(super) fn shards(value: u64) -> Result<(), RingError> {
    let max = u64::from(MAX_SHARDS);
    if value > max {
        return Err(RingError::TooManyShards { value, max });
    }
    Ok(())
}

pub(super) fn points(value: u64) -> Result<(), RingError> {
    let max = u64::from(MAX_POINTS);
    if value > max {
        return Err(RingError::TooManyPoints { value, max });
    }
    Ok(())
}

pub(super) fn weight(shard: ShardId, value: u32) -> Result<(), RingError> {
    if value > MAX_WEIGHT {
        return Err(RingError::Weight {
            shard,
            value,
            max: MAX_WEIGHT,
        });
    }
    Ok(())
}

/// Checks the number of a member's virtual nodes, which may be as many as the greatest weight stands for.
pub(super) fn nodes(virtual_nodes: u32, shard: ShardId, value: u64) -> Result<(), RingError> {
    let max = most_nodes(virtual_nodes);
    if value > max.into() {
        return Err(RingError::MemberVirtualNodes { shard, value, max });
    }
    Ok(())
}

/// Returns the most virtual nodes of one member. Doesn't overflow for `virtual_nodes` within its limit.
pub(super) const fn most_nodes(virtual_nodes: u32) -> u32 {
    virtual_nodes * MAX_WEIGHT
}

/// Returns the points of all members together. Doesn't overflow for members within the limits.
pub(super) fn total_points(virtual_nodes: u32, members: &[RingMember]) -> u64 {
    let weights: u64 = members.iter().map(|member| u64::from(member.weight)).sum();
    weights * u64::from(virtual_nodes)
}

/// Checks the members and returns them ascending by id.
pub(super) fn members(
    virtual_nodes: u32,
    given: impl IntoIterator<Item = (ShardId, u32)>,
) -> Result<Box<[RingMember]>, RingError> {
    let members = distinct(given, weight)?.into_iter();
    let members: Box<[_]> = members
        .map(|(shard, weight)| RingMember { shard, weight })
        .collect();
    points(total_points(virtual_nodes, &members))?;
    Ok(members)
}

/// Checks the shards and the number of each, and returns them ascending by id.
pub(super) fn distinct(
    given: impl IntoIterator<Item = (ShardId, u32)>,
    check: impl Fn(ShardId, u32) -> Result<(), RingError>,
) -> Result<Vec<(ShardId, u32)>, RingError> {
    let mut given = given.into_iter();
    let mut members = Vec::new();
    for (shard, value) in given.by_ref().take(MAX_SHARDS as usize) {
        check(shard, value)?;
        members.push((shard, value));
    }
    if given.next().is_some() {
        // A lower bound, from the iterator's hint: counting could take forever.
        let rest = given.size_hint().0 as u64;
        shards((u64::from(MAX_SHARDS) + 1).saturating_add(rest))?;
    }
    members.sort_unstable_by_key(|member| member.0);
    if let Some(pair) = members.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(RingError::ShardExists(pair[0].0));
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_values_are_within_the_bounds() {
        let (most_points, most_shards) = (u64::from(MAX_POINTS), u64::from(MAX_SHARDS));
        assert_eq!(points(most_points), Ok(()));
        assert!(points(most_points + 1).is_err());
        assert_eq!(shards(most_shards), Ok(()));
        assert!(shards(most_shards + 1).is_err());
        assert_eq!(weight(ShardId(0), MAX_WEIGHT), Ok(()));
        assert!(weight(ShardId(0), MAX_WEIGHT + 1).is_err());
        for value in [1, MAX_VIRTUAL_NODES] {
            assert_eq!(virtual_nodes(value), Ok(()));
        }
        for value in [0, MAX_VIRTUAL_NODES + 1] {
            assert!(virtual_nodes(value).is_err());
        }
    }

    #[test]
    fn too_many_shards_are_counted_without_being_taken() {
        let given = |count: u32| (0..count).map(|id| (ShardId(id), 0));
        let most = members(1, given(MAX_SHARDS)).map(|members| members.len());
        assert_eq!(most, Ok(MAX_SHARDS as usize));
        for more in [1, 5] {
            let refused = RingError::TooManyShards {
                value: u64::from(MAX_SHARDS + more),
                max: u64::from(MAX_SHARDS),
            };
            assert_eq!(members(1, given(MAX_SHARDS + more)), Err(refused));
        }
    }
}
