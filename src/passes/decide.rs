//! Stage `decide`: one task that reads all signatures, decides which documents are duplicates of which, and lays out the shards.

use std::path::Path;

use super::job::{Job, JobError};
use crate::dedup::decide::decide as decide_duplicates;
use crate::engine::commit::{Commit, lay_out};
use crate::engine::plan::{StageName, TaskName};
use crate::ledger::tally::Tally;
use crate::sink::OutputKind;

/// Does the one task of stage `decide` in the folder `attempt`.
pub(super) fn decide(job: &Job, attempt: &Path) -> Result<Commit, JobError> {
    let clean = job.clean_commits()?;
    let signatures: Vec<_> = clean
        .iter()
        .filter_map(|commit| commit.output(OutputKind::Signatures))
        .map(|output| job.place.of(OutputKind::Signatures, &output.name))
        .collect();
    let (outputs, _) = decide_duplicates(&job.recipe.dedup, &signatures, attempt)?;
    let layout = lay_out(&clean, job.recipe.output.shard_bytes_max.0);
    Ok(Commit { task: TaskName { stage: StageName::Decide, index: 0 }, outputs, tally: Tally::default(), layout })
}
