//! What a running job tells whoever watches it, and how it is asked to stop.

use std::sync::atomic::{AtomicBool, Ordering};

use super::plan::{StageName, TaskName};

/// Listens to a running job. Called from several threads, often; must be quick.
pub trait Watch: Sync {
    /// A stage of the plan begins: its open tasks, and the input bytes that they will take where that is known.
    fn stage_begins(&self, _stage: StageName, _tasks: usize, _bytes: u64) {}
    /// Work went on since the last call.
    fn advanced(&self, _stage: StageName, _step: Step) {}
    /// A task is taken.
    fn task_begins(&self, _task: TaskName) {}
    /// A task that was taken ended: well, or for a reason, in a word.
    fn task_ended(&self, _task: TaskName, _failed: Option<&'static str>) {}
    /// A task was committed.
    fn task_done(&self, _stage: StageName) {}
    /// A stage of the plan is complete.
    fn stage_ends(&self, _stage: StageName) {}
}

/// A bit of progress.
#[derive(Clone, Copy, Debug, Default)]
pub struct Step {
    /// Bytes of input, as stored.
    pub bytes: u64,
    /// Documents read.
    pub read: u64,
    /// Documents kept.
    pub kept: u64,
}

/// What was done until a moment of the run.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Stage at work.
    pub stage: StageName,
    /// Milliseconds since the run began.
    pub at_ms: u64,
    /// Bytes of input in this stage so far, as stored.
    pub bytes: u64,
    /// Documents read in this stage so far.
    pub read: u64,
    /// Documents kept in this stage so far.
    pub kept: u64,
}

/// Nobody watches.
pub struct Unwatched;

impl Watch for Unwatched {}

/// A wish to stop, set by a signal handler or by a failed neighbour, looked at between batches.
#[derive(Default)]
pub struct Stop(pub std::sync::Arc<AtomicBool>);

impl Stop {
    /// Whether work should end now.
    #[must_use]
    pub fn wished(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Asks all work to end.
    pub fn wish(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
