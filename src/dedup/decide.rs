//! Decides over all signatures of a job and writes the decisions to a file: one task, one pass, the same bytes for any order of files.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::sink::{Output, SinkError};

use super::clusters::{Fate, Member, find_clusters};
use super::exclusions;
use super::settings::DedupSettings;
use super::signatures::{SignatureError, SignatureFiles};

/// Name of the file of decisions.
pub const EXCLUSIONS_FILE: &str = "exclusions.columns";

/// Why nothing could be decided.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// The signatures cannot be read.
    #[error(transparent)]
    Read(#[from] SignatureError),
    /// The decisions cannot be written.
    #[error(transparent)]
    Write(#[from] SinkError),
}

/// What was decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideCounts {
    /// Clusters of two or more documents.
    pub clusters: u64,
    /// Documents that fall because their text is the winner's.
    pub exact_duplicates: u64,
    /// Documents that fall because they are like the winner.
    pub near_duplicates: u64,
}

impl DecideCounts {
    /// Counts the members of all clusters.
    #[must_use]
    pub fn of(members: &[Member]) -> DecideCounts {
        let mut counts = DecideCounts::default();
        for member in members {
            match member.fate {
                Fate::Winner => counts.clusters += 1,
                Fate::Exact => counts.exact_duplicates += 1,
                Fate::Near(_) => counts.near_duplicates += 1,
            }
        }
        counts
    }
}

/// Reads the signatures in `files` and writes `out_dir/exclusions.columns`.
///
/// # Errors
/// When a file cannot be read, was made with other settings, or the decisions cannot be written.
pub fn decide(settings: &DedupSettings, files: &[PathBuf], out_dir: &Path) -> Result<(Vec<Output>, DecideCounts), DecideError> {
    let members = find_clusters(settings, &SignatureFiles::open(settings, files)?)?;
    let output = exclusions::write(&out_dir.join(EXCLUSIONS_FILE), settings, &members)?;
    Ok((vec![output], DecideCounts::of(&members)))
}
