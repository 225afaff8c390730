//! The engine walks documents through doors: it reads ahead, judges on all cores, writes in order, counts every fate, and makes each
//! task idempotent. It knows doors, never a concrete room: what a job is made of stands in [`crate::passes`].
//!
//! - [`flow`]: one stream of records through source and stages, in order, with panics and deadlines caught.
//! - [`plan`]: the frozen work, the same bytes wherever it is made.
//! - [`commit`]: what a finished task wrote; the only thing that later tasks trust.
//! - [`attempt`]: one try at a task in a folder of its own, published by link.
//! - [`claim`]: advice to other workers that a task is being done.
//! - [`schedule`]: which task a worker takes next, decided without clock and file system.
//! - [`scratch`]: a folder on a disk of this machine's own for such tries.
//! - [`local`]: the executor for this machine.
//! - [`sums`]: what publishers say of their files.

pub mod attempt;
pub mod claim;
pub mod commit;
pub mod flow;
mod held;
pub mod inputs;
pub mod local;
pub mod plan;
pub mod schedule;
pub mod scratch;
pub mod sums;
pub mod watch;
