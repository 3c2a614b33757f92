//! `tickring shards` without a change: how the documents are shared out, and what the shards are to become.

use std::io::{self, Write};

use serde::Serialize;
use tickring::{ShardStatus, Tick};

use crate::cli::Failure;
use crate::cli::durable::pending::{self, Change};
use crate::cli::durable::place::{Data, Found};
use crate::cli::durable::report;
use crate::cli::report::shares;

/// What goes on with a pending goal.
const GO_ON: &str = "the next `tickring index` or change of a shard goes on towards these weights";

#[derive(Serialize)]
struct Listed {
    tick: Tick,
    epoch: u64,
    shards: Vec<Shard>,
    /// What becomes of the shards that aren't as they should be, if the colony is on its way to a goal.
    #[serde(skip_serializing_if = "Option::is_none")]
    goal: Option<Vec<Change>>,
}

#[derive(Serialize)]
struct Shard {
    id: u32,
    weight: u32,
    documents: u64,
    share: f64,
    /// The size of its index.
    bytes: u64,
    status: String,
}

/// Lists the shards of a colony.
pub(super) fn run(data: &Data, as_json: bool) -> Result<bool, Failure> {
    let listed = listed(&data.read()?);
    let value = as_json.then_some(&listed);
    report::print(value, |output| write(&listed, output))?;
    Ok(true)
}

fn listed(found: &Found) -> Listed {
    let publication = found.colony.publication();
    let shards = shares(publication).into_iter().zip(publication.shards());
    let shards = shards.map(|(share, published)| {
        let id = published.shard();
        // A shard that is behind the others answers, but not with its last documents.
        let is_behind = published.is_frozen() || published.tick() != publication.tick();
        let status = if is_behind {
            ShardStatus::Recovering
        } else {
            ShardStatus::Online
        };
        Shard {
            id: id.as_u32(),
            weight: found.colony.ring().weight(id).unwrap_or(0),
            documents: share.documents,
            share: share.share,
            bytes: published.view().memory_bytes(),
            status: status.to_string(),
        }
    });
    Listed {
        tick: report::tick(publication),
        epoch: publication.epoch().get(),
        shards: shards.collect(),
        goal: pending::of(found),
    }
}

fn write(listed: &Listed, output: &mut impl Write) -> io::Result<()> {
    let (tick, epoch) = (listed.tick, listed.epoch);
    writeln!(output, "tick       {tick}, topology at epoch {epoch}")?;
    for shard in &listed.shards {
        write!(
            output,
            "  {:<10} weight {:>3}  {:>9} documents  {:>5.1} %  {:>11} bytes  {}",
            format!("shard-{}", shard.id),
            shard.weight,
            shard.documents,
            shard.share * 100.0,
            shard.bytes,
            shard.status
        )?;
        let mut changes = listed.goal.iter().flatten();
        match changes.find(|change| change.shard() == shard.id) {
            Some(change) => writeln!(output, "  {}", change.wish())?,
            None => writeln!(output)?,
        }
    }
    if listed.goal.is_some() {
        writeln!(output, "pending    {GO_ON}")?;
    }
    Ok(())
}
