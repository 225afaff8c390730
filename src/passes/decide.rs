//! Stage `decide`: one task that reads all signatures, decides which documents are duplicates of which, and lays out the shards.

use std::path::Path;

use super::index::{check_unchanged, planned_runs};
use super::job::{Job, JobError};
use crate::dedup::decide::{Work, decide as decide_duplicates};
use crate::engine::commit::{Commit, lay_out};
use crate::engine::plan::{StageName, TaskName};
use crate::ledger::tally::Tally;
use crate::sink::OutputKind;

/// Does the one task of stage `decide` in the folder `attempt`.
pub(super) fn decide(job: &Job, attempt: &Path) -> Result<Commit, JobError> {
    check_unchanged(job)?;
    let clean = job.clean_commits()?;
    let signatures: Vec<_> = clean
        .iter()
        .filter_map(|commit| commit.output(OutputKind::Signatures))
        .map(|output| job.place.of(OutputKind::Signatures, &output.name))
        .collect();
    let runs = planned_runs(&job.plan, job.place.workspace());
    let decided = decide_duplicates(&Work {
        settings: &job.recipe.dedup,
        signatures: &signatures,
        index: &runs,
        out_dir: attempt,
        memory_bytes_max: job.decide_bytes,
    })?;
    let kept = job.plan.index.len().saturating_sub(decided.merged_runs * crate::dedup::index::RunFiles::ENDINGS.len());
    let retired = job.plan.index[kept..].iter().map(|file| file.path.clone()).collect();
    let layout = lay_out(&clean, job.recipe.output.shard_bytes_max.0);
    let task = TaskName { stage: StageName::Decide, index: 0 };
    Ok(Commit { task, outputs: decided.outputs, tally: Tally::default(), layout, retired })
}
