//! `tickring shards`: lists the shards of a colony, and changes what they own.

mod change;
mod done;
mod list;

use clap::{Args, Subcommand};

use self::change::{Change, Wish};
use super::place::Data;
use crate::cli::Failure;
use crate::cli::help::{CHANGE_EXIT_CODES, CHANGE_HELP};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Shards {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    data: Option<Data>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add a shard, and move its share of the documents to it.
    #[command(after_help = CHANGE_EXIT_CODES, after_long_help = CHANGE_HELP)]
    Add(change::Add),
    /// Give a shard another weight, and move documents accordingly.
    #[command(after_help = CHANGE_EXIT_CODES, after_long_help = CHANGE_HELP)]
    Weigh(change::Weigh),
    /// Move all documents away from a shard, which stays as an empty one.
    #[command(after_help = CHANGE_EXIT_CODES, after_long_help = CHANGE_HELP)]
    Drain(change::Drain),
    /// Move all documents away from a shard, then remove it. No other shard gets its id.
    #[command(after_help = CHANGE_EXIT_CODES, after_long_help = CHANGE_HELP)]
    Remove(change::Remove),
}

impl Shards {
    /// Returns what is missing on the command line. clap asks for it first.
    pub(in crate::cli) fn wrong(&self) -> Option<String> {
        let is_empty = self.command.is_none() && self.data.is_none();
        is_empty.then(|| "nothing to list: name the colony with --data DIR".to_owned())
    }

    /// Runs the command. Returns whether it is done: a change is once its goal is reached, or kept if it isn't waited for.
    pub(in crate::cli) fn run(&self) -> Result<bool, Failure> {
        let (change, wish): (&Change, Wish) = match &self.command {
            None => {
                let list = |data| list::run(data, self.json);
                return self.data.as_ref().map_or(Ok(false), list);
            }
            Some(Command::Add(add)) => (&add.change, Wish::Add(add.weight)),
            Some(Command::Weigh(weigh)) => (&weigh.change, Wish::Weigh(weigh.shard, weigh.weight)),
            Some(Command::Drain(drain)) => (&drain.change, Wish::Drain(drain.shard)),
            Some(Command::Remove(remove)) => (&remove.change, Wish::Remove(remove.shard)),
        };
        change.run(wish)
    }
}
