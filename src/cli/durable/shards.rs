//! `tickring shards`: how the documents are shared out.

use std::io::{self, Write};

use clap::Args;
use serde::Serialize;
use tickring::{ShardStatus, Tick};

use super::place::{Data, Found};
use super::report;
use crate::cli::Failure;
use crate::cli::report::shares;

#[derive(Debug, Args)]
pub(crate) struct Shards {
    #[command(flatten)]
    data: Data,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Listed {
    tick: Tick,
    epoch: u64,
    shards: Vec<Shard>,
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

impl Shards {
    /// Runs the command.
    pub(in crate::cli) fn run(&self) -> Result<bool, Failure> {
        let listed = listed(&self.data.read()?);
        let mut output = io::BufWriter::new(io::stdout().lock());
        let written = match self.json {
            true => report::write_line(&listed, &mut output),
            false => write(&listed, &mut output),
        };
        report::ended(written.and_then(|()| output.flush()))?;
        Ok(true)
    }
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
    }
}

fn write(listed: &Listed, output: &mut impl Write) -> io::Result<()> {
    let (tick, epoch) = (listed.tick, listed.epoch);
    writeln!(output, "tick       {tick}, topology at epoch {epoch}")?;
    for shard in &listed.shards {
        writeln!(
            output,
            "  {:<10} weight {:>3}  {:>9} documents  {:>5.1} %  {:>11} bytes  {}",
            format!("shard-{}", shard.id),
            shard.weight,
            shard.documents,
            shard.share * 100.0,
            shard.bytes,
            shard.status
        )?;
    }
    Ok(())
}
