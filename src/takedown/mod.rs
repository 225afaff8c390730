//! Takedown: erase documents from every store, prove it, and keep them out.
//!
//! A [`request`] says what must go. [`find`] looks for it in every store of the one list in [`stores`]; a [`plan`] writes down what was
//! found, for a person to read. [`apply`] does exactly that plan: first the suppression list, so that nothing comes back meanwhile, then
//! one store after the other. Each store is rewritten file by file, and a file in which nothing is found is left alone, so
//! a killed takedown goes on where it was without a note of how far it came. Then everything is searched once more, and at the end a [`crate::ledger::receipt`] is signed.
//!
//! A document goes with all captures of its address: what stands at an address is one thing to whoever asks for its removal.

pub mod all_cores;
pub mod apply;
pub mod deadline;
pub mod effort;
pub mod feed;
pub mod find;
mod forget;
pub mod plan;
pub mod register;
pub mod request;
pub mod stores;
pub mod survey;
pub mod tombstone;
