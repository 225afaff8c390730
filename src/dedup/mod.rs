//! From signatures to decisions: which documents say the same, and which of them stays.
//!
//! Three steps: **sign** a document where its text is at hand ([`sign`]), **decide** over all signatures of a job and the [`index`] of
//! earlier nights ([`decide`]), **exclude** when documents are written ([`exclusions`]). Between them stand files ([`columns`]); nothing
//! is kept in memory from one to the next.

pub mod against;
pub mod clusters;
pub mod columns;
pub mod decide;
pub mod elsewhere;
pub mod erase;
pub mod exclusions;
pub mod forest;
pub mod index;
pub mod keys;
mod meet;
pub mod memory;
pub mod minhash;
pub mod normalise;
pub mod overlap;
pub mod paragraphs;
pub mod settings;
pub mod sign;
pub mod signatures;
pub mod sorter;
