//! Hashes staged files once more, since they may have waited for days and readers are about to see them.
//!
//! A run may have thousands of shards and SHA-256 does half a gigabyte a second on one core, so files are hashed several at a time. The
//! error is that of the first bad file in the order of the commit, whichever thread was quicker.

use std::path::Path;

use super::{ManifestError, NewCommit};
use crate::store;

/// More readers at once than this gain nothing: sixteen hash some 7 GB/s, which is more than shared storage gives one machine.
const READERS_MAX: usize = 16;

/// Sees that the staged files of `new` are what their tasks wrote.
pub(super) fn check(new: &NewCommit) -> Result<(), ManifestError> {
    let shards = new.files.iter().map(|file| (file.staged.as_path(), file.sha256.as_str()));
    let waited = new.index.iter().filter(|file| !file.is_fresh);
    let files: Vec<_> = shards.chain(waited.map(|file| (file.staged.as_path(), file.sha256.as_str()))).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    check_with(&files, cores.min(READERS_MAX))
}

fn check_with(files: &[(&Path, &str)], readers: usize) -> Result<(), ManifestError> {
    store::side_by_side(files, readers, |(path, sha256)| check_hash(path, sha256)).map(|_| ())
}

fn check_hash(path: &Path, sha256: &str) -> Result<(), ManifestError> {
    match store::sha256_file(path)? == sha256 {
        true => Ok(()),
        false => Err(ManifestError::Changed { path: path.to_owned(), sha256: sha256.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of 40 files of which some changed, with so many readers.
    fn check_changed(changed: &[usize], readers: usize) -> Result<(), String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let files: Vec<_> = (0..40).map(|number| (folder.path().join(format!("part-{number:02}")), format!("дума {number}"))).collect();
        for (number, (path, text)) in files.iter().enumerate() {
            let written = if changed.contains(&number) { "друго" } else { text };
            std::fs::write(path, written).expect("room");
        }
        let hashed: Vec<_> = files.iter().map(|(path, text)| (path, store::sha256_bytes(text.as_bytes()))).collect();
        let listed: Vec<_> = hashed.iter().map(|(path, sha256)| (path.as_path(), sha256.as_str())).collect();
        check_with(&listed, readers).map_err(|error| error.to_string())
    }

    #[test]
    fn every_staged_file_is_hashed_whatever_the_number_of_readers() {
        for readers in [1, 2, 7, 100] {
            assert_eq!(check_changed(&[], readers), Ok(()), "{readers} readers");
            for number in 0..40 {
                let error = check_changed(&[number], readers).expect_err("it is not what was hashed");
                assert!(error.contains(&format!("part-{number:02}` changed on disk")), "{readers} readers: {error}");
            }
        }
    }

    #[test]
    fn the_first_file_that_changed_is_the_one_named() {
        for readers in [1, 2, 7, 100] {
            let error = check_changed(&[3, 4, 5, 39], readers).expect_err("they are not what was hashed");
            assert!(error.contains("part-03` changed on disk"), "{readers} readers: {error}");
        }
    }

    #[test]
    fn nothing_to_hash_is_well() {
        assert!(check_with(&[], 4).is_ok());
    }
}
