//! What became of what: counts, published files, and the proof that both still hold.
//!
//! - [`tally`]: counts that add up.
//! - [`run`]: the ledger of one sealed run.
//! - [`manifest`]: which files are published, with their hashes; the only authority on that.
//! - [`verify`]: every published file and row against manifest and schema.

pub mod manifest;
pub mod receipt;
pub mod run;
pub mod tally;
pub mod verify;
