//! A run that decides anew without making documents of what stays: stored rows are judged by their signals, signed by what the index
//! remembers of them, and carried over.
//!
//! A row is read with the few columns that decide. What falls is copied among the rejects; what goes on, because the new limits let it, becomes a
//! document and flows through the stages after; of what stays only the place is passed on ([`places`]), and the shard takes the row from there.
//! The outcome is, byte for byte, that of reading all documents ([`again`](super::again)), which is what happens where a plan does not carry:
//! `redecidable` says when. Which of the two it is stands in the plan, for all machines must do the same.

mod clean;
mod emit;
mod known;
mod places;
mod rows;

pub(super) use clean::clean;
pub(super) use emit::write;
pub(super) use places::PlacesFile;

use std::collections::VecDeque;

use super::job::JobError;
use crate::doc::Document;
use crate::engine::flow::{Crew, Fate, Step, flow};
use crate::source::{Again, Offer, Record};

/// Rows that are settled together: those among them that are documents flow side by side.
const WINDOW_ROWS: usize = 512;
/// .. or so many bytes of documents.
const WINDOW_BYTES: usize = 4 << 20;

/// The documents among the rows that are settled together.
#[derive(Default)]
struct Flowing {
    records: Vec<Record>,
    bytes: usize,
}

impl Flowing {
    fn add(&mut self, doc: Document) {
        self.bytes += doc.text.len();
        self.records.push(Record::Offer(Offer::Document(Box::new(doc))));
    }

    /// Adds a document that has so many steps behind it.
    fn add_again(&mut self, doc: Document, steps_done: usize) {
        self.bytes += doc.text.len();
        self.records.push(Record::Again(Box::new(Again { doc, steps_done, fell: None })));
    }

    fn is_full(&self) -> bool {
        self.bytes >= WINDOW_BYTES
    }

    /// What becomes of them in `steps`, in their order.
    fn fates(self, steps: &[Step], crew: &Crew) -> Result<VecDeque<Fate>, JobError> {
        let mut fates = VecDeque::with_capacity(self.records.len());
        if self.records.is_empty() {
            return Ok(fates);
        }
        let mut records = self.records.into_iter();
        let mut cut = || records.next().map(|record| (record, 0));
        let nothing_raw = |_| unreachable!("stored documents are never raw records");
        flow(&mut cut, &nothing_raw, steps, crew, |done, _| {
            fates.extend(done);
            Ok::<(), JobError>(())
        })?;
        Ok(fates)
    }
}
