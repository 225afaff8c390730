//! The main job: what the three stages of a plan do, made of rooms and walked by the engine.
//!
//! `clean` turns inputs into clean documents, signatures and rejects; `decide` turns signatures into exclusions and lays out the
//! shards; `emit` leaves out what is excluded, tokenises, and writes one large shard or several small ones a task; `seal` publishes. Every process that knows the
//! plan's file can do any task, in any order that respects the stages.

mod again;
mod books;
mod carried;
mod clean;
mod decide;
mod emit;
mod history;
mod index;
mod job;
mod left;
mod redecidable;
mod seal;

pub use books::Quarantined;
pub use history::{History, HistoryError, Left};
pub use index::{YieldError, count_in_indexes, erase_from_index, index_runs};
pub use job::{Job, JobError, Means, make_plan};
pub use redecidable::{RedecideError, check_shards, plan_again};
pub use seal::Sealed;
