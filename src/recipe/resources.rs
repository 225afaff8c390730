//! Files that stages read while they are built (block lists, vocabularies): from the disk, with a record of what each one held.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::stage::Resources;

/// A file and its SHA-256 in hex.
pub type ResourceHash = (String, String);

/// The files of this machine, relative to where the program was started.
pub struct Disk;

impl Resources for Disk {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }
}

/// The files of this machine, each of which must still hold what it held when a plan was made.
pub struct Unchanged(pub Vec<ResourceHash>);

impl Resources for Unchanged {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let bytes = Disk.read(path)?;
        match self.0.iter().find(|(known, _)| known == path) {
            Some((_, then)) if *then == hash(&bytes) => Ok(bytes),
            Some(_) => Err(io::Error::other("it changed since the plan was made; put the old file back, or make a new plan")),
            None => Err(io::Error::other("the plan does not know this file; make a new plan")),
        }
    }
}

/// Passes reads on and keeps the hash of every file.
pub(super) struct Recorder<'a> {
    files: &'a dyn Resources,
    read: RefCell<BTreeMap<String, String>>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(files: &'a dyn Resources) -> Recorder<'a> {
        Recorder { files, read: RefCell::default() }
    }

    /// What was read, by path.
    pub(super) fn into_hashes(self) -> Vec<ResourceHash> {
        self.read.into_inner().into_iter().collect()
    }
}

impl Resources for Recorder<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let bytes = self.files.read(path)?;
        self.read.borrow_mut().insert(path.to_owned(), hash(&bytes));
        Ok(bytes)
    }
}

fn hash(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changed_since_the_plan_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("blocked.txt").to_string_lossy().into_owned();
        std::fs::write(&path, "example.org\n").expect("a file");
        let recorder = Recorder::new(&Disk);
        assert_eq!(recorder.read(&path).expect("its bytes"), b"example.org\n");
        let hashes = recorder.into_hashes();
        let unchanged = Unchanged(hashes.clone());
        assert!(unchanged.read(&path).is_ok());
        std::fs::write(&path, "example.com\n").expect("a file");
        assert!(unchanged.read(&path).expect_err("it changed").to_string().contains("put the old file back"));
        assert!(Unchanged(Vec::new()).read(&path).is_err());
    }
}
