//! A file system in memory whose size a test can change, so that it runs full.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system in memory. It is unmounted when this is dropped.
#[derive(Debug)]
pub struct Tmpfs(PathBuf);

impl Tmpfs {
    /// Mounts one over a directory, with these options of `mount`. Returns nothing if mounting isn't allowed.
    pub fn mount(place: &Path, options: &str) -> Option<Self> {
        let mounted = mount(&["-t", "tmpfs", "-o", options, "tmpfs"], place);
        mounted.then(|| Self(place.to_owned()))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Changes options such as `size=5m`. Returns false if that isn't possible, as a size isn't that is less than what is used.
    pub fn change(&self, options: &str) -> bool {
        mount(&["-o", &format!("remount,{options}")], self.path())
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

fn mount(arguments: &[&str], place: &Path) -> bool {
    let mut command = Command::new("mount");
    let ended = command.args(arguments).arg(place).output();
    ended.is_ok_and(|output| output.status.success())
}
