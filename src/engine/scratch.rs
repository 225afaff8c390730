//! A folder on a disk of this machine's own, where tasks are tried in place of the workspace: what they spill, fetch and write before it is finished
//! costs no shared storage. What is finished is copied into the workspace and published there as always.
//!
//! It holds text, out of a takedown's reach, so it goes with its process; what a killed one left goes when the next process opens the same place.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::store::{self, StoreError};

/// What the folders of our processes begin with.
const PREFIX: &str = "tamis-";
/// In each, the file that its process holds locked.
const ALIVE: &str = "alive";

/// A folder of this process; it is removed with the value.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    _alive: File,
}

impl Scratch {
    /// Makes a folder in `parent`, and removes those there whose processes are dead.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(parent: &Path) -> Result<Scratch, StoreError> {
        store::create_folder(parent)?;
        let door_path = parent.join(".tamis-scratch");
        let door = lock_file(&door_path)?;
        // Held until the folder is made and locked, so that nobody takes it for a dead one's.
        flock(&door, FlockOperation::LockExclusive).map_err(|errno| StoreError::io(&door_path, errno.into()))?;
        clear_dead(parent)?;
        let folder = parent.join(format!("{PREFIX}{}", store::own_name()));
        store::create_folder(&folder)?;
        let path = folder.join(ALIVE);
        let alive = lock_file(&path)?;
        flock(&alive, FlockOperation::NonBlockingLockExclusive).map_err(|errno| StoreError::io(&path, errno.into()))?;
        Ok(Scratch { folder, _alive: alive })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Whoever opens the place next removes what could not be removed now.
        let _ = store::remove_folder(&self.folder);
    }
}

fn lock_file(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(|source| StoreError::io(path, source))
}

/// Removes the folders in `parent` that no living process holds.
fn clear_dead(parent: &Path) -> Result<(), StoreError> {
    let entries = std::fs::read_dir(parent).map_err(|source| StoreError::io(parent, source))?;
    let is_ours = |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().starts_with(PREFIX);
    for folder in entries.flatten().filter(is_ours).map(|entry| entry.path()) {
        let path = folder.join(ALIVE);
        let Ok(alive) = File::open(&path) else {
            // Its process died before it could hold it, or is just removing it.
            store::remove_folder(&folder)?;
            continue;
        };
        match flock(&alive, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => store::remove_folder(&folder)?,
            Err(Errno::WOULDBLOCK) => {}
            Err(errno) => return Err(StoreError::io(&path, errno.into())),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_process_left_goes_and_what_a_living_one_has_stays() {
        let parent = tempfile::tempdir().expect("a folder");
        let dead = parent.path().join("tamis-7-dead");
        std::fs::create_dir(&dead).expect("room");
        for name in [ALIVE, "page.txt"] {
            std::fs::write(dead.join(name), "Dobrý den").expect("room");
        }
        let living = parent.path().join("tamis-8-living");
        std::fs::create_dir(&living).expect("room");
        let held = lock_file(&living.join(ALIVE)).expect("room");
        flock(&held, FlockOperation::NonBlockingLockExclusive).expect("it is new");
        let others = parent.path().join("results");
        std::fs::create_dir(&others).expect("room");
        let scratch = Scratch::open(parent.path()).expect("room");
        assert!(!dead.exists() && living.exists() && others.exists() && scratch.folder().is_dir());
        let folder = scratch.folder().to_owned();
        drop(scratch);
        assert!(!folder.exists() && living.exists());
    }
}
