//! A limit on how often somebody may ask: a bucket that holds some questions at once and fills up again by the second.

use std::time::Instant;

/// Questions that can be asked at once.
const AT_ONCE: f64 = 60.0;
/// Questions that come back in a second.
const PER_SECOND: f64 = 20.0;

/// A bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    left: f64,
    seen: Instant,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(now: Instant) -> Bucket {
        Bucket { left: AT_ONCE, seen: now }
    }

    /// Takes one question out, if there is one.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        self.left = (self.left + PER_SECOND * now.saturating_duration_since(self.seen).as_secs_f64()).min(AT_ONCE);
        self.seen = now;
        let is_there = self.left >= 1.0;
        self.left -= f64::from(u8::from(is_there));
        is_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn after_a_rush_questions_come_back_by_the_second() {
        let start = Instant::now();
        let mut bucket = Bucket::new(start);
        let taken = (0..200).filter(|_| bucket.take(start)).count();
        assert_eq!(taken, AT_ONCE as usize);
        let later = start + Duration::from_millis(500);
        assert_eq!((0..200).filter(|_| bucket.take(later)).count(), (PER_SECOND / 2.0) as usize);
    }
}
