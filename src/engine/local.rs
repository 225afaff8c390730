//! The executor for this machine: takes the open tasks of a stage, a few at a time, until all are committed or one fails.
//!
//! It calls the same function as `tamis task`, so a local run is the test of every other engine.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::watch::Stop;

/// Runs `work` for each task on `drivers` threads. The first error stops the others at their next batch and is returned.
///
/// # Errors
/// The first error of `work`, by time.
pub fn run_tasks<E: Send>(tasks: &[u32], drivers: usize, stop: &Stop, work: impl Fn(u32) -> Result<(), E> + Sync) -> Result<(), E> {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..drivers.clamp(1, tasks.len().max(1)) {
            scope.spawn(|| {
                while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = work(*task) {
                        next.store(tasks.len(), Ordering::Relaxed);
                        let mut first = failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                        if first.is_none() {
                            *first = Some(error);
                            stop.wish();
                        }
                    }
                }
            });
        }
    });
    failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_done_once() {
        let done = Mutex::new(Vec::new());
        run_tasks::<()>(&[3, 1, 2], 2, &Stop::default(), |task| {
            done.lock().expect("no panic").push(task);
            Ok(())
        })
        .expect("no task fails");
        let mut done = done.into_inner().expect("no panic");
        done.sort_unstable();
        assert_eq!(done, [1, 2, 3]);
    }

    #[test]
    fn the_first_error_stops_the_rest() {
        let stop = Stop::default();
        let failed = run_tasks(&(0..100).collect::<Vec<_>>(), 1, &stop, |task| if task == 5 { Err(task) } else { Ok(()) });
        assert_eq!(failed, Err(5));
        assert!(stop.wished());
    }
}
