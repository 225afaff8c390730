//! Work on many machines: what is told to a scheduler, and how far it has come.
//!
//! A plan becomes a chain of steps (clean, decide, emit, seal); each is one or more job arrays whose elements are leases, workers of the size of
//! a node that take tasks with `tamis work`. Commit records alone say what is done, so a chain can be submitted again at any time:
//! only steps that are open and that nobody is at are.
//!
//! - [`profile`]: what a site wants to know: account, partition, time, modules.
//! - [`chain`]: which steps to submit, in how many arrays, after which others.
//! - [`script`]: the text of a batch script, and of the script that submits all of them.
//! - [`slurm`]: the words of `sbatch`, `squeue` and `scontrol`.
//! - [`progress`]: how far a plan has come, read from commit records and claims.

pub mod chain;
pub mod profile;
pub mod progress;
pub mod script;
pub mod slurm;
