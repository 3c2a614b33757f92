//! All that is damaged in a colony's directory.

use std::path::Path;

use crate::error::StorageError;
use crate::storage::log::{Extent, LogReader};
use crate::storage::manifest::store;
use crate::storage::{Access, Directory};

/// Reads all files of the colony in a directory, and returns what is wrong with them: each file of a shard that isn't as a checkpoint wrote it, and
/// each place of the log that can't be read though whole records follow. Empty if all are right. Nothing is changed.
///
/// [`Colony::open`](crate::Colony::open) refuses a damaged colony with the first of these errors. This goes on, so that one knows what to restore. It reads
/// nothing else if the manifest is damaged, which lists the others. Documents aren't looked at.
///
/// ```
/// # use tickring::colony::{Batch, DurableConfig, DurableShard, Saved, Saving, TickContext};
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
/// use tickring::colony::damaged_files;
///
/// let directory = tempfile::tempdir()?;
/// drop(tickring::Colony::<Sink>::open(directory.path(), DurableConfig::default(), ())?);
/// assert_eq!(damaged_files(directory.path())?, []);
///
/// std::fs::write(directory.path().join("MANIFEST"), "something else")?;
/// let damaged = damaged_files(directory.path())?;
/// assert_eq!(damaged[0].to_string(), "MANIFEST is damaged at byte 0: 14 bytes instead of at least 24");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`StorageError::Locked`] if a process holds the colony for writing; [`StorageError::NoColony`] if there is none.
pub fn damaged_files(directory: impl AsRef<Path>) -> Result<Vec<StorageError>, StorageError> {
    let path = directory.as_ref();
    let directory = Directory::open(path, Access::Read)?;
    let files = directory.files();
    let manifest = match store::read(&*files) {
        Ok(Some(manifest)) => manifest,
        Ok(None) => return Err(super::open::no_manifest(path)),
        Err(error) => return Ok(vec![error]),
    };
    let listed = manifest.files();
    let mut damages: Vec<_> = listed
        .filter_map(|file| store::verify(&*files, file).err())
        .collect();
    let extent = Extent {
        above: manifest.seq,
        through: None,
        next_number: manifest.next_log,
    };
    match LogReader::new(&*files, manifest.colony, extent) {
        Ok(log) => damages.extend(log.damages()),
        Err(error) => damages.push(error),
    }
    Ok(damages)
}
