//! Reads many files on all cores, and tells how far it is.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::apply::TakedownError;

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
    let (next, done, failed) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let answers: Mutex<Vec<(usize, Result<T, TakedownError>)>> = Mutex::new(Vec::new());
    let work = || {
        while !failed.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = files.get(number) else { break };
            let answer = read(path);
            failed.fetch_or(answer.is_err(), Ordering::Relaxed);
            if let Ok(mut answers) = answers.lock() {
                answers.push((number, answer));
            }
            progress(done.fetch_add(size(path), Ordering::Relaxed) + size(path), of);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(files.len());
    std::thread::scope(|scope| {
        (1..cores).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    let mut answers = answers.into_inner().unwrap_or_default();
    answers.sort_by_key(|(number, _)| *number);
    answers.into_iter().map(|(_, answer)| answer).collect()
}
