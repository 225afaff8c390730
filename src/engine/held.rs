//! The bytes that documents on their way hold, over all flows of a process, against a limit.
//!
//! A packed body of some kilobytes can become a page of megabytes, so counting records as read bounds nothing. A document is counted when it
//! is decoded, with [`WORK_COPIES`] times its size while stages work on it, and with its own size until it is written. Who finds no room
//! leaves the record for later; nobody waits, so nobody can wait for himself.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::flow::Fate;
use crate::doc::Document;

/// How many times its own bytes a document takes while stages work on it: markup, parsed text, blocks, the text cut out, words, shingles.
/// Measured on pages of 8 MB through `pipelines/common-crawl.toml`: between 6 and 8.
const WORK_COPIES: usize = 8;

/// What is held now, and how much may be.
#[derive(Debug)]
pub(super) struct Held {
    bytes: AtomicUsize,
    bytes_max: usize,
}

impl Held {
    /// Nothing is held yet.
    pub(super) fn new(bytes_max: usize) -> Held {
        Held { bytes: AtomicUsize::new(0), bytes_max }
    }

    /// Whether nothing more fits.
    pub(super) fn is_full(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) >= self.bytes_max
    }

    /// Counts the work on a document that takes `bytes` itself, unless there is no room for it; `forced` work always has room.
    pub(super) fn begin_work(&self, bytes: usize, forced: bool) -> bool {
        let work = bytes * WORK_COPIES;
        let before = self.bytes.fetch_add(work, Ordering::Relaxed);
        if forced || before == 0 || before + work <= self.bytes_max {
            return true;
        }
        self.bytes.fetch_sub(work, Ordering::Relaxed);
        false
    }

    /// The work that was begun with `bytes` is done; `left` bytes stay held.
    pub(super) fn end_work(&self, bytes: usize, left: usize) {
        self.bytes.fetch_add(left, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes * WORK_COPIES, Ordering::Relaxed);
    }

    /// `bytes` are held no longer.
    pub(super) fn release(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Bytes that a document holds.
pub(super) fn bytes_of(doc: &Document) -> usize {
    doc.html.len() + doc.text.len() + doc.input_ids.len() * size_of::<u32>()
}

/// Bytes that a fate holds.
pub(super) fn bytes_of_fate(fate: &Fate) -> usize {
    match fate {
        Fate::Kept(doc) | Fate::Dropped { doc, .. } | Fate::Quarantined { doc, .. } => bytes_of(doc),
        Fate::Other(_) | Fate::Damage(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_waits_for_room_unless_it_is_forced_or_alone() {
        let held = Held::new(WORK_COPIES * 100);
        assert!(held.begin_work(1_000, false), "one alone always has room");
        assert!(held.is_full() && !held.begin_work(1, false) && held.begin_work(1, true));
        held.end_work(1, 0);
        held.end_work(1_000, 90);
        assert!(!held.is_full() && held.begin_work(80, false) && !held.begin_work(20, false));
        held.end_work(80, 0);
        held.release(90);
        assert_eq!(held.bytes.into_inner(), 0);
    }
}
