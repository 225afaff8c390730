//! When a night takes no more work: its time is up, or the disk has no room. A task that is begun is finished, so no work is lost; the
//! longest one so far is reckoned with, so that the night ends in time and not a task later.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::store;

/// How often the disk is asked at most.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Why no more work is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The time is up.
    Time,
    /// The disk is nearly full.
    Disk,
}

impl Ended {
    /// The word in records and metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Ended::Time => "time",
            Ended::Disk => "disk",
        }
    }
}

/// Time and room of one night.
pub struct Budget {
    begun: Instant,
    time: Option<Duration>,
    folder: PathBuf,
    free_bytes_min: u64,
    longest_ms: AtomicU64,
    asked: Mutex<Option<Instant>>,
    ended: AtomicU8,
}

impl Budget {
    /// A night that begins now, may take `minutes_max` (0: for ever), and needs `free_bytes_min` on the disk of `folder`.
    #[must_use]
    pub fn begin(minutes_max: f64, folder: PathBuf, free_bytes_min: u64) -> Budget {
        let time = (minutes_max > 0.0).then(|| Duration::from_secs_f64(minutes_max * 60.0));
        let (longest_ms, ended) = (AtomicU64::new(0), AtomicU8::new(0));
        Budget { begun: Instant::now(), time, folder, free_bytes_min, longest_ms, asked: Mutex::new(None), ended }
    }

    /// Whether another piece of work may be taken. Once it may not, it stays so for this night.
    #[must_use]
    pub fn may_take(&self) -> bool {
        if self.ended().is_some() {
            return false;
        }
        let longest = Duration::from_millis(self.longest_ms.load(Ordering::Relaxed));
        if self.time.is_some_and(|time| self.begun.elapsed() + longest >= time) {
            self.ended.store(1, Ordering::Relaxed);
            return false;
        }
        if self.disk_is_full() {
            self.ended.store(2, Ordering::Relaxed);
            return false;
        }
        true
    }

    /// A disk that cannot be asked is no reason to stop: whoever writes to it will hear what is wrong.
    fn disk_is_full(&self) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if asked.is_some_and(|asked| asked.elapsed() < ASK_EVERY) {
            return false;
        }
        *asked = Some(Instant::now());
        store::free_bytes(&self.folder).is_ok_and(|free| free < self.free_bytes_min)
    }

    /// Does a piece of work, and remembers how long it took.
    pub fn measured<T>(&self, work: impl FnOnce() -> T) -> T {
        let clock = Instant::now();
        let done = work();
        self.longest_ms.fetch_max(u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        done
    }

    /// Why no more work is taken, if that is so.
    #[must_use]
    pub fn ended(&self) -> Option<Ended> {
        match self.ended.load(Ordering::Relaxed) {
            1 => Some(Ended::Time),
            2 => Some(Ended::Disk),
            _ => None,
        }
    }

    /// Since when the night goes on.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Minutes that a crawl may take: `wanted`, but never more than three quarters of the night, so that what it fetched can be worked on.
    #[must_use]
    pub fn crawl_minutes(&self, wanted: u64) -> u64 {
        self.time.map_or(wanted, |time| wanted.min((time.as_secs() / 60 * 3 / 4).max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_taken_until_the_longest_task_would_not_fit_any_more() {
        let mut budget = Budget::begin(1.0, PathBuf::from("/"), 0);
        assert!(budget.may_take());
        budget.measured(|| std::thread::sleep(Duration::from_millis(20)));
        assert!(budget.may_take());
        budget.time = Some(Duration::from_millis(30));
        assert!(!budget.may_take(), "20 ms are gone, and another 20 do not fit into 30");
        assert_eq!(budget.ended(), Some(Ended::Time));
    }

    #[test]
    fn a_full_disk_ends_it_and_a_crawl_leaves_time_for_the_rest() {
        let budget = Budget::begin(0.0, std::env::temp_dir(), u64::MAX);
        assert!(!budget.may_take());
        assert_eq!(budget.ended(), Some(Ended::Disk));
        assert_eq!((budget.crawl_minutes(480), Budget::begin(100.0, PathBuf::new(), 0).crawl_minutes(480)), (480, 75));
    }
}
