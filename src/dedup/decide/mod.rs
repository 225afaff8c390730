//! Decides over all signatures of a job, against the index of earlier nights: one task, the same bytes for any memory.
//!
//! Four steps, each a few sequential passes in bounded memory:
//! 1. [`exact`]: equal texts; of those of one language one stands for all in what follows;
//! 2. [`bands`]: sorted band keys give groups of candidates, and with star edges the components that they may form at most;
//! 3. [`gather`]: documents and groups are brought together by component, in parts that fit into memory;
//! 4. [`judge`]: in each part candidates are compared by their sketches, and clusters get their winners.
//!
//! Before them falls what stands in a data set that goes before this one ([`elsewhere`]); it takes no part in the rest.
//!
//! Then decisions are written in order of id, and [`remember`] leaves tonight's run for the index. In memory stay 13 bytes for each
//! document of the night, some 40 for each earlier one that was met, and the buffers that the bound on memory allows.

mod bands;
mod elsewhere;
mod exact;
mod gather;
mod judge;
mod numbers;
mod records;
mod remember;
#[cfg(test)]
mod tests;
mod urls;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::sink::{Output, SinkError};

use super::clusters::{Fate, Member};
use super::columns::ColumnError;
use super::exclusions::ExclusionsWriter;
use super::index::{Index, IndexError, RunFiles};
use super::settings::DedupSettings;
use super::signatures::{SignatureError, SignatureFiles};
use super::sorter::{Sorter, SpillError};

use numbers::Numbers;
use records::MemberRecord;
pub(super) use records::{fate_bytes, fate_of};

/// Name of the file of decisions.
pub const EXCLUSIONS_FILE: &str = "exclusions.columns";
/// Stem of the files of tonight's run.
pub const RUN_STEM: &str = "run";

/// Least bytes of a buffer, however little memory there is.
const BUFFER_BYTES_MIN: u64 = 1 << 20;
/// What is held for each document of the night.
const DOCUMENT_BYTES: u64 = 13;

/// Why nothing could be decided.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// The signatures cannot be read.
    #[error(transparent)]
    Read(#[from] SignatureError),
    /// The index cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A temporary file failed.
    #[error(transparent)]
    Spill(#[from] SpillError),
    /// The decisions cannot be written.
    #[error(transparent)]
    Write(#[from] SinkError),
}

impl From<ColumnError> for DecideError {
    fn from(error: ColumnError) -> DecideError {
        DecideError::Read(SignatureError::File(error))
    }
}

/// What was decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideCounts {
    /// Documents that have duplicates and stay.
    pub winners: u64,
    /// Documents that fall because their text is the winner's.
    pub exact_duplicates: u64,
    /// Documents that fall because they are like the winner.
    pub near_duplicates: u64,
    /// Documents that fall because their address was captured again later.
    pub older_captures: u64,
    /// Documents that fall because another data set has them.
    #[serde(default)]
    pub yielded: u64,
}

impl DecideCounts {
    /// Counts one member.
    pub fn add(&mut self, fate: Fate) {
        match fate {
            Fate::Winner => self.winners += 1,
            Fate::Exact => self.exact_duplicates += 1,
            Fate::Near(_) => self.near_duplicates += 1,
            Fate::Older => self.older_captures += 1,
            Fate::Yields { .. } => self.yielded += 1,
        }
    }
}

/// A finished decision.
#[derive(Clone, Debug)]
pub struct Decided {
    /// What was written, sorted by name.
    pub outputs: Vec<Output>,
    /// What was counted.
    pub counts: DecideCounts,
    /// How many of the last runs of the index are contained in tonight's, so that they can go.
    pub merged_runs: usize,
}

/// What is to be decided, and with what.
#[derive(Clone, Debug)]
pub struct Work<'a> {
    /// What counts as a duplicate.
    pub settings: &'a DedupSettings,
    /// Tonight's signatures.
    pub signatures: &'a [PathBuf],
    /// The runs of earlier nights, oldest first.
    pub index: &'a [RunFiles],
    /// The runs of the data sets that the settings yield to, in their order: the name of each, and its runs, oldest first.
    pub yields: &'a [(String, Vec<RunFiles>)],
    /// Where decisions, tonight's run and temporary files are written.
    pub out_dir: &'a Path,
    /// Memory to stay under, as long as it is more than [`DOCUMENT_BYTES`] a document. It never shows in what is written.
    pub memory_bytes_max: u64,
}

/// What all steps work on.
struct Night<'a> {
    settings: &'a DedupSettings,
    fresh: SignatureFiles,
    index: Index,
    /// How many of the last runs go into tonight's.
    merged: usize,
    folder: &'a Path,
    buffer_bytes: usize,
}

impl Night<'_> {
    fn fresh_base(&self) -> u64 {
        self.index.len()
    }

    /// Number of the first document of tonight's run.
    fn written_base(&self) -> u64 {
        let runs = &self.index.runs;
        runs.get(runs.len() - self.merged).map_or(self.index.len(), |run| run.base)
    }
}

/// Decides, writes `out_dir/exclusions.columns`, and if the settings say so tonight's run, `out_dir/run.*`.
///
/// # Errors
/// When a file cannot be read or is damaged, was made with other settings, or the decisions cannot be written.
pub fn decide(work: &Work<'_>) -> Result<Decided, DecideError> {
    let fresh = SignatureFiles::open(work.settings, work.signatures)?;
    let index = Index::open(work.settings, work.index)?;
    let merged = if work.settings.remember { index.to_merge(u64::from(fresh.documents())) } else { 0 };
    let free = work.memory_bytes_max.saturating_sub(DOCUMENT_BYTES * u64::from(fresh.documents()));
    // Two buffers are in use at a time: one is filled while another one is emptied. The rest is for what was met of earlier nights.
    let buffer_bytes = (free / 4).max(BUFFER_BYTES_MIN) as usize;
    let night = Night { settings: work.settings, fresh, index, merged, folder: work.out_dir, buffer_bytes };
    let mut members = Sorter::new(night.folder, "members", night.buffer_bytes / 4);
    let (mut outputs, mut numbers) = (Vec::new(), Numbers::new(&night));
    if work.settings.newest_of_url {
        urls::leave_out_older(&night, &mut numbers, &mut members)?;
    }
    elsewhere::leave_out_yielding(&night, work.yields, &mut numbers, &mut members)?;
    outputs.extend(exact::join(&night, &mut numbers)?);
    let (run, groups) = bands::find_groups(&night, &mut numbers)?;
    outputs.extend(run);
    let parts = gather::gather(&night, &mut numbers, groups)?;
    let judged = judge::judge(&night, &mut numbers, parts, &mut members)?;
    if work.settings.remember {
        outputs.push(remember::write_documents(&night, judged)?);
    }
    let (exclusions, counts) = write_exclusions(&night, members)?;
    outputs.push(exclusions);
    outputs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Decided { outputs, counts, merged_runs: merged })
}

fn write_exclusions(night: &Night<'_>, members: Sorter<MemberRecord>) -> Result<(Output, DecideCounts), DecideError> {
    let mut writer = ExclusionsWriter::create(&night.folder.join(EXCLUSIONS_FILE), night.settings)?;
    let mut counts = DecideCounts::default();
    let mut sorted = members.finish()?;
    while let Some(record) = sorted.pull()? {
        let member = Member::from(record);
        counts.add(member.fate);
        writer.write(&member)?;
    }
    Ok((writer.finish()?, counts))
}
