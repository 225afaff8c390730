//! Reads many files on all cores, and tells how far it is.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::apply::TakedownError;
use crate::store::side_by_side;

/// Told how many bytes of how many are read.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// Nobody wants to know.
pub fn unseen(_: u64, _: u64) {}

/// Calls `read` with each file, several at a time, and answers what it answered, in the order of the files.
///
/// # Errors
/// The first error; files that nobody has begun are left alone then.
pub(super) fn for_each_file<T: Send>(
    files: &[PathBuf],
    progress: Progress<'_>,
    read: impl Fn(&PathBuf) -> Result<T, TakedownError> + Sync,
) -> Result<Vec<T>, TakedownError> {
    let size = |path: &PathBuf| std::fs::metadata(path).map_or(0, |file| file.len());
    let of: u64 = files.iter().map(size).sum();
    let done = AtomicU64::new(0);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    side_by_side(files, cores, |path| {
        let answer = read(path);
        progress(done.fetch_add(size(path), Ordering::Relaxed) + size(path), of);
        answer
    })
}
