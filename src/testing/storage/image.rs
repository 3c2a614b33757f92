//! What a disk holds after a power cut.

use std::collections::BTreeMap;

use super::disk::{Data, Disk, Names, Node, NodeId, ROOT, SECTOR};
use crate::testing::random::Random;

/// How much of what was not synced is there after a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Image {
    /// Nothing.
    Synced,
    /// Everything.
    Everything,
    /// Names up to some moment, and of each file a beginning.
    Prefix,
    /// Any names, and of each file any sectors up to any length, with zeros or rubbish in the others.
    Subset,
}

impl Image {
    pub(crate) const ALL: [Self; 4] = [Self::Synced, Self::Everything, Self::Prefix, Self::Subset];
}

/// Returns the disk after a power cut.
pub(super) fn take(disk: &Disk, image: Image, random: &mut Random) -> Disk {
    let mut numbers: Vec<u64> = Vec::new();
    each_pending(disk, ROOT, &mut numbers);
    numbers.sort_unstable();
    let moment = random.pick(&numbers).unwrap_or(0);
    let mut taken = Disk::new();
    copy(disk, ROOT, "", (image, moment), random, &mut taken);
    settle(&mut taken, "");
    taken
}

fn each_pending(disk: &Disk, node: NodeId, numbers: &mut Vec<u64>) {
    if let Node::Directory(names) = disk.get(node) {
        numbers.extend(names.pending.iter().map(|(number, _)| number));
        for &child in names.cached.values() {
            each_pending(disk, child, numbers);
        }
    }
}

fn copy(
    disk: &Disk,
    node: NodeId,
    path: &str,
    choice: (Image, u64),
    random: &mut Random,
    taken: &mut Disk,
) {
    let Node::Directory(names) = disk.get(node) else {
        return;
    };
    for (name, child) in survivors(names, choice, random) {
        let path = crate::storage::files::join(path, &name);
        match disk.get(child) {
            Node::Directory(_) => {
                let empty = Node::Directory(Names::default());
                taken.insert(&path, empty).expect("a new name");
                copy(disk, child, &path, choice, random, taken);
            }
            Node::File(data) => {
                let cached = content(data, choice.0, random);
                let data = Data {
                    synced: cached.len(),
                    cached,
                    lost: Vec::new(),
                };
                taken.insert(&path, Node::File(data)).expect("a new name");
            }
        }
    }
}

fn survivors(
    names: &Names,
    (image, moment): (Image, u64),
    random: &mut Random,
) -> BTreeMap<String, NodeId> {
    let mut there = names.synced.clone();
    for (number, change) in &names.pending {
        let survives = match image {
            Image::Synced => false,
            Image::Everything => true,
            Image::Prefix => *number < moment,
            Image::Subset => random.percent(50),
        };
        if survives {
            change.apply(&mut there);
        }
    }
    there
}

fn content(data: &Data, image: Image, random: &mut Random) -> Vec<u8> {
    let unsynced = data.cached.len() - data.synced;
    let length = match image {
        Image::Synced => data.synced,
        Image::Everything => data.cached.len(),
        Image::Prefix | Image::Subset => data.synced + random.below(unsynced + 1),
    };
    let mut bytes = data.cached[..length].to_vec();
    if image == Image::Subset {
        let mut from = data.synced;
        while from < length {
            let to = ((from / SECTOR + 1) * SECTOR).min(length);
            if random.percent(40) {
                spoil(&mut bytes[from..to], random);
            }
            from = to;
        }
    }
    for lost in &data.lost {
        let from = lost.start.min(length);
        // What was lost at the end may be missing altogether.
        if lost.end >= length && random.percent(50) {
            bytes.truncate(from);
            break;
        }
        spoil(&mut bytes[from..lost.end.min(length)], random);
    }
    bytes
}

/// Puts zeros, or rubbish, in the place of what did not arrive.
fn spoil(bytes: &mut [u8], random: &mut Random) {
    let is_rubbish = random.percent(30);
    for byte in bytes {
        let rubbish = random.next().to_le_bytes()[0];
        *byte = if is_rubbish { rubbish } else { 0 };
    }
}

/// Makes everything durable, as a disk is when the machine starts.
fn settle(disk: &mut Disk, path: &str) {
    let names = disk.names(path).expect("a directory");
    names.sync();
    let names: Vec<_> = names.cached.keys().cloned().collect();
    for name in names {
        let path = crate::storage::files::join(path, &name);
        if disk.file(&path).is_err() {
            settle(disk, &path);
        }
    }
}
