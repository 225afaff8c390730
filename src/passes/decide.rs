//! Stage `decide`: one task that reads all signatures, decides which documents are duplicates of which, and lays out the shards.

use std::path::Path;

use super::index::{check_unchanged, check_yields_unchanged, planned_runs, yielded_runs};
use super::job::{Job, JobError};
use crate::dedup::decide::{Work, decide as decide_duplicates};
use crate::dedup::paragraphs::find_recurring;
use crate::engine::commit::{Commit, lay_out};
use crate::engine::plan::{StageName, TaskName};
use crate::ledger::tally::Tally;
use crate::sink::OutputKind;

/// Does the one task of stage `decide` in the folder `attempt`.
pub(super) fn decide(job: &Job, attempt: &Path) -> Result<Commit, JobError> {
    check_unchanged(job)?;
    check_yields_unchanged(job)?;
    let clean = job.clean_commits()?;
    let files =
        |kind| -> Vec<_> { clean.iter().filter_map(|commit| commit.output(kind)).map(|output| job.place.of(kind, &output.name)).collect() };
    let signatures = files(OutputKind::Signatures);
    let runs = planned_runs(&job.plan, job.place.workspace());
    let mut decided = decide_duplicates(&Work {
        settings: &job.recipe.dedup,
        signatures: &signatures,
        index: &runs,
        yields: &yielded_runs(&job.plan, job.place.workspace()),
        out_dir: attempt,
        memory_bytes_max: job.decide_bytes,
    })?;
    let dedup = &job.recipe.dedup;
    if let Some(pages_min) = dedup.paragraph_pages_min {
        let (paragraphs, bytes_max) = (files(OutputKind::Paragraphs), (job.decide_bytes / 2) as usize);
        decided.outputs.push(find_recurring(&paragraphs, pages_min.get(), dedup.seed, attempt, bytes_max)?);
        decided.outputs.sort_by(|a, b| a.name.cmp(&b.name));
    }
    let kept = job.plan.index.len().saturating_sub(decided.merged_runs * crate::dedup::index::RunFiles::ENDINGS.len());
    let retired = job.plan.index[kept..].iter().map(|file| file.path.clone()).collect();
    let layout = lay_out(&clean, job.recipe.output.shard_bytes_max.0, job.recipe.limits.task_bytes_max.0);
    let task = TaskName { stage: StageName::Decide, index: 0 };
    Ok(Commit { task, outputs: decided.outputs, tally: Tally::default(), layout, retired })
}
