//! The settings that a colony was created with, and its shards, without opening it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use super::entry::Entry;
use super::stored::decode_members;
use crate::error::StorageError;
use crate::id::ShardId;
use crate::storage::log::{Extent, LogReader};
use crate::storage::manifest::{Manifest, store};
use crate::storage::record::Kind;
use crate::storage::{Access, Directory};

/// Returns the settings that the colony in a directory was created with, by name, or `None` if no colony is there. Nothing is changed.
///
/// They are the shards' [identity](super::DurableShard::identity), and `placement` and `virtual nodes`. Opening the colony with others is refused, so
/// read them first where they aren't known.
///
/// ```
/// use tickring::colony::{DurableConfig, stored_settings};
/// # use tickring::colony::{Batch, DurableShard, Saved, Saving, TickContext};
/// # use tickring::publication::ShardFailure;
/// # use tickring::{Shard, ShardId};
/// # struct Sink;
/// # impl Shard for Sink {
/// #     type Document = ();
/// #     type View = ();
/// #     fn act(&mut self, _: &mut TickContext<'_, (), ()>, _: &mut Batch<'_, ()>) -> Result<(), ShardFailure> {
/// #         Ok(())
/// #     }
/// #     fn view(&mut self) -> Result<(), ShardFailure> {
/// #         Ok(())
/// #     }
/// # }
/// # impl DurableShard for Sink {
/// #     type Settings = ();
/// #     fn encode(_: &(), _: &(), _: &mut Vec<u8>) -> Result<(), ShardFailure> {
/// #         Ok(())
/// #     }
/// #     fn decode(_: &(), _: &[u8]) -> Result<(), ShardFailure> {
/// #         Ok(())
/// #     }
/// #     fn open(_: &(), _: ShardId, _: Option<&Saved>) -> Result<Self, ShardFailure> {
/// #         Ok(Self)
/// #     }
/// #     fn save(_: &(), _: &mut Saving<'_>) -> Result<(), ShardFailure> {
/// #         Ok(())
/// #     }
/// # }
/// # let parent = tempfile::tempdir()?;
/// # let directory = parent.path().join("colony");
///
/// assert_eq!(stored_settings(&directory)?, None);
/// drop(tickring::Colony::<Sink>::open(&directory, DurableConfig::default(), ())?);
/// let stored = stored_settings(&directory)?.unwrap_or_default();
/// assert_eq!(stored["placement"], "xxh3");
/// assert_eq!(stored["virtual nodes"], "150");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`StorageError::Locked`] if a process holds the colony for writing; otherwise what is wrong with the directory or its manifest.
pub fn stored_settings(
    directory: impl AsRef<Path>,
) -> Result<Option<BTreeMap<String, String>>, StorageError> {
    let found = found(directory.as_ref())?;
    Ok(found.map(|(_, manifest)| manifest.settings))
}

/// Returns the shards of the colony in a directory, in order, or `None` if no colony is there. Nothing is changed, and no shard is opened: the manifest lists
/// them, and the log, which is read through, says who has come and gone since.
///
/// ```
/// use tickring::ShardId;
/// use tickring::colony::{DurableConfig, Goal, stored_shards};
/// use tickring::search::{TextShard, TextShardConfig};
///
/// # let parent = tempfile::tempdir()?;
/// # let directory = parent.path().join("colony");
/// let (config, settings) = (DurableConfig::default(), TextShardConfig::default());
/// let mut colony = tickring::Colony::<TextShard>::open(&directory, config, settings)?;
/// colony.set_goal(&Goal::new().add_shard(1))?;
/// colony.tick()?;
/// drop(colony);
/// assert_eq!(stored_shards(&directory)?, Some((0..5).map(ShardId::new).collect()));
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
///
/// # Errors
/// [`StorageError::Locked`] if a process holds the colony for writing; otherwise what is wrong with the directory, its manifest or its log.
pub fn stored_shards(directory: impl AsRef<Path>) -> Result<Option<Vec<ShardId>>, StorageError> {
    let Some((directory, manifest)) = found(directory.as_ref())? else {
        return Ok(None);
    };
    let extent = Extent {
        above: manifest.seq,
        through: None,
        next_number: manifest.next_log,
    };
    let mut members = decode_members(&manifest.ring, store::NAME, 0)?;
    let files = directory.files();
    let mut reader = LogReader::new(&*files, manifest.colony, extent)?;
    while let Some(record) = reader.next()? {
        if record.kind == Kind::Record {
            members = Entry::of(&record).members()?.unwrap_or(members);
        }
    }
    members.sort_unstable();
    Ok(Some(members))
}

/// Reads the manifest of the colony in a directory, if one is there. The directory is locked as long as it is held.
fn found(path: &Path) -> Result<Option<(Directory, Manifest)>, StorageError> {
    let manifest = path.join(store::NAME);
    match manifest.try_exists() {
        Ok(true) => {}
        Ok(false) => return Ok(None),
        // A file holds no colony. Opening says so.
        Err(error) if error.kind() == ErrorKind::NotADirectory => return Ok(None),
        Err(error) => {
            return Err(StorageError::io(
                "open",
                &manifest.display().to_string(),
                error,
            ));
        }
    }
    let directory = Directory::open(path, Access::Read)?;
    let manifest = store::read(&*directory.files())?;
    Ok(manifest.map(|manifest| (directory, manifest)))
}
