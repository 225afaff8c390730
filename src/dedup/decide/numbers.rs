//! Small numbers for the documents of one decision: tonight's by their places, then earlier ones in the order in which they were met.

use std::collections::HashMap;

use super::Night;
use crate::dedup::forest::Forest;

/// The documents of a decision, and what hangs together.
pub(super) struct Numbers {
    /// How many documents are tonight's.
    pub(super) fresh: u32,
    fresh_base: u64,
    known: HashMap<u64, u32>,
    /// The earlier documents that were met: their numbers in the index, in the order of their numbers here.
    pub(super) earlier: Vec<u64>,
    /// What may belong together.
    pub(super) candidates: Forest,
    /// What does.
    pub(super) joined: Forest,
    /// Which of tonight's documents are compared: of equal ones one is.
    pub(super) stands: Vec<bool>,
}

impl Numbers {
    pub(super) fn new(night: &Night<'_>) -> Numbers {
        let fresh = night.fresh.documents();
        Numbers {
            fresh,
            fresh_base: night.fresh_base(),
            known: HashMap::new(),
            earlier: Vec::new(),
            candidates: Forest::of(fresh),
            joined: Forest::of(fresh),
            stands: vec![true; fresh as usize],
        }
    }

    /// How many documents are numbered.
    pub(super) fn len(&self) -> u32 {
        self.candidates.len()
    }

    /// The place of a document among tonight's, by its number in the index to be.
    pub(super) fn place(&self, global: u64) -> Option<u32> {
        global.checked_sub(self.fresh_base).map(|place| place as u32)
    }

    /// The number here of a document, by its number in the index to be.
    pub(super) fn number(&mut self, global: u64) -> u32 {
        if let Some(place) = self.place(global) {
            return place;
        }
        let next = self.len();
        let number = *self.known.entry(global).or_insert(next);
        if number == next {
            self.earlier.push(global);
            self.candidates.grow(next + 1);
            self.joined.grow(next + 1);
        }
        number
    }
}
