//! How far a plan has come: tasks and bytes that are done, by stage, and who is at the others. Read from commit records and claims alone, so any
//! machine that sees the workspace can tell.

use std::time::Duration;

use serde::Serialize;

use crate::engine::attempt::{CommitError, Place};
use crate::engine::claim::Claims;
use crate::engine::plan::{Plan, StageName, TaskName};
use crate::store::StoreError;

/// How far a plan has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// The plan's id.
    pub plan: String,
    /// Its data set.
    pub dataset: String,
    /// The stages, in order.
    pub stages: Vec<StageProgress>,
}

/// How far a stage has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StageProgress {
    /// The stage.
    pub stage: StageName,
    /// Its tasks; nothing while they are not known.
    pub tasks: Option<u32>,
    /// Tasks with a commit record.
    pub done: u32,
    /// Input of all tasks in bytes, where it is known.
    pub bytes: Option<u64>,
    /// Input of the tasks that are done, in bytes.
    pub bytes_done: Option<u64>,
    /// Tasks that a worker is at who was heard of lately.
    pub at_work: u32,
    /// Tasks whose worker was not heard of for long; others take them over.
    pub silent: u32,
}

/// Why it cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum ProgressError {
    /// A commit record cannot be read.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// Claims cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Progress {
    /// How far `plan` has come. A claim that nobody touched for `silent_after` is told as silent.
    ///
    /// # Errors
    /// See [`ProgressError`].
    pub fn of(plan: &Plan, place: &Place, silent_after: Duration) -> Result<Progress, ProgressError> {
        // Nobody made claims yet, or all is over: then no folder is made for them.
        let claims = if place.claims().is_dir() { Some(Claims::open(&place.claims(), silent_after)?) } else { None };
        let layout = place.commit(TaskName { stage: StageName::Decide, index: 0 })?.map(|commit| commit.layout.len());
        let mut stages = Vec::new();
        for stage in StageName::ALL {
            let tasks = match stage {
                StageName::Clean => Some(plan.tasks.len()),
                StageName::Decide => Some(1),
                StageName::Emit => layout,
            };
            let tasks = tasks.map(|tasks| u32::try_from(tasks).unwrap_or(u32::MAX));
            stages.push(stage_progress(plan, place, claims.as_ref(), stage, tasks)?);
        }
        Ok(Progress { plan: place.plan().to_owned(), dataset: plan.dataset.clone(), stages })
    }

    /// Whether every task has its commit record.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.stages.iter().all(|stage| stage.tasks == Some(stage.done))
    }

    /// Whether anything was done or begun.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.stages.iter().any(|stage| stage.done + stage.at_work + stage.silent > 0)
    }
}

fn stage_progress(
    plan: &Plan,
    place: &Place,
    claims: Option<&Claims>,
    stage: StageName,
    tasks: Option<u32>,
) -> Result<StageProgress, ProgressError> {
    let mut is_done = vec![false; tasks.unwrap_or(0) as usize];
    for task in place.known_done(stage)? {
        if let Some(is_done) = is_done.get_mut(task as usize) {
            *is_done = true;
        }
    }
    let (mut at_work, mut silent) = (0, 0);
    for (index, _) in (0..).zip(&is_done).filter(|(_, is_done)| !**is_done) {
        match claims.map(|claims| claims.seen(TaskName { stage, index })).transpose()?.flatten() {
            Some(seen) if seen.is_stale => silent += 1,
            Some(_) => at_work += 1,
            None => {}
        }
    }
    let bytes_of = |wanted: fn(bool) -> bool| {
        let tasks = plan.tasks.iter().zip(&is_done).filter(|(_, is_done)| wanted(**is_done));
        tasks.flat_map(|(inputs, _)| inputs).map(|input| plan.inputs[*input as usize].bytes).sum()
    };
    let is_clean = stage == StageName::Clean;
    Ok(StageProgress {
        stage,
        tasks,
        done: u32::try_from(is_done.iter().filter(|is_done| **is_done).count()).unwrap_or(u32::MAX),
        bytes: is_clean.then(|| bytes_of(|_| true)),
        bytes_done: is_clean.then(|| bytes_of(|is_done| is_done)),
        at_work,
        silent,
    })
}
