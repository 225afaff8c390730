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
pub(super) use emit::emit;

/// Rows that are settled together: those among them that are documents flow side by side.
const WINDOW_ROWS: usize = 512;
/// .. or so many bytes of documents.
const WINDOW_BYTES: usize = 4 << 20;
