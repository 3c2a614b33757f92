//! The settings that a colony was created with.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use crate::error::StorageError;
use crate::storage::manifest::store;
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
    let path = directory.as_ref();
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
    Ok(manifest.map(|manifest| manifest.settings))
}
