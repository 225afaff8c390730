//! What a packed data set and an export say of themselves, in JSON: settings, source, tokenizer, files with hashes. No names of people or pages.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::PackError;
use super::benchmarks::Benchmark;
use super::export::Format;
use super::mixture::{Group, Mixture};
use super::yielded::Yielded;
use crate::store;
use crate::workspace::Workspace;

/// How documents are put into sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// Into the open sequence that they leave least room in: few documents are cut, some padding.
    Best,
    /// One after the other, cut where a sequence ends: padding in the last one only.
    Concatenate,
}

/// How a data set is packed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Token ids of a sequence, padding among them.
    pub sequence_tokens: u32,
    /// How documents are put into sequences.
    pub fit: Fit,
    /// Seed of the order and the splits.
    pub seed: u64,
    /// Share of the clusters that goes to `validation`.
    pub validation: f64,
    /// Share of the clusters that goes to `test`.
    pub test: f64,
    /// Sequences of a shard.
    pub shard_sequences_max: u64,
    /// The id in free places.
    pub pad_id: u32,
    /// Words of a run by which a document repeats a benchmark.
    pub benchmark_words: u32,
    /// Whether there is a column of positions that begins anew with each document.
    pub position_ids: bool,
    /// How often documents are taken for training; none: each once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mixture: Option<Mixture>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            sequence_tokens: 4096,
            fit: Fit::Best,
            seed: 1,
            validation: 0.0,
            test: 0.0,
            shard_sequences_max: 16_384,
            pad_id: 0,
            benchmark_words: 13,
            position_ids: false,
            mixture: None,
        }
    }
}

/// A file with its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackedFile {
    /// Below the folder, parts joined by `/`.
    pub path: String,
    /// SHA-256, hex.
    pub sha256: String,
    /// Size.
    pub bytes: u64,
    /// Sequences.
    pub sequences: u64,
    /// Token ids without padding.
    pub tokens: u64,
}

/// Of what state of which data set something was packed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The data set.
    pub dataset: String,
    /// Number of its newest manifest.
    pub manifest: u64,
    /// Number of the last takedown.
    pub takedown_sequence: u64,
    /// Name of the tokenizer.
    pub tokenizer: String,
    /// Hash of its vocabulary.
    pub tokenizer_hash: String,
    /// Number of different ids.
    pub vocabulary_size: u64,
}

/// `pack.json` in the folder of a packed data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackRecord {
    /// Version of this format: 1.
    pub version: u32,
    /// Of what it was made.
    pub origin: Origin,
    /// How.
    pub settings: Settings,
    /// Documents that are in it.
    pub documents: u64,
    /// Documents without any token, which are not.
    pub empty_documents: u64,
    /// The split for training by language and source, before and after the mixture.
    #[serde(default)]
    pub groups: Vec<Group>,
    /// What documents were held against; those that repeat it are not in it, and `left-out.jsonl` names them.
    pub benchmarks: Vec<Benchmark>,
    /// The data sets that go before this one; documents that repeat them are not in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub yielded: Vec<Yielded>,
    /// Its files.
    pub files: Vec<PackedFile>,
}

impl PackRecord {
    /// Share of places that no document takes.
    #[must_use]
    pub fn padding_share(&self) -> f64 {
        let places = self.files.iter().map(|file| file.sequences).sum::<u64>() * u64::from(self.settings.sequence_tokens);
        let tokens: u64 = self.files.iter().map(|file| file.tokens).sum();
        if places == 0 { 0.0 } else { 1.0 - tokens as f64 / places as f64 }
    }
}

/// `_tamis/exports/<n>.json`: an export, so that takedowns find it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportRecord {
    /// Version of this format: 1.
    pub version: u32,
    /// Its folder: below the workspace where it lies in it, else absolute.
    pub folder: PathBuf,
    /// What was written.
    pub format: Format,
    /// The packed data set.
    pub packed: String,
    /// Of what that was made.
    pub origin: Origin,
    /// Bytes of one id.
    pub id_bytes: u8,
    /// Token ids of a sequence, padding among them.
    pub sequence_tokens: u32,
    /// The id that takes the place of what is erased.
    pub pad_id: u32,
    /// Its files.
    pub files: Vec<PackedFile>,
}

impl ExportRecord {
    /// Where its folder lies.
    #[must_use]
    pub fn folder_in(&self, workspace: &Workspace) -> PathBuf {
        workspace.root().join(&self.folder)
    }
}

/// The name of the record of a packed data set.
pub const PACK_RECORD: &str = "pack.json";

/// Reads a record.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, PackError> {
    let bytes = std::fs::read(path).map_err(PackError::io(path))?;
    serde_json::from_slice(&bytes).map_err(|source| PackError::Record { path: path.to_owned(), source })
}

/// Puts a record in the place of what stands there.
pub(super) fn write<T: Serialize>(path: &Path, record: &T) -> Result<(), PackError> {
    let mut json = serde_json::to_vec_pretty(record).expect("strings, numbers and lists are JSON");
    json.push(b'\n');
    Ok(store::write_over(path, &json)?)
}

/// Describes the finished file `path` below `folder`.
pub(super) fn describe(folder: &Path, path: &str, sequences: u64, tokens: u64) -> Result<PackedFile, PackError> {
    let full = folder.join(path);
    let bytes = std::fs::metadata(&full).map_err(PackError::io(&full))?.len();
    Ok(PackedFile { path: path.to_owned(), sha256: store::sha256_file(&full)?, bytes, sequences, tokens })
}

/// The name of the list of documents that repeat a benchmark.
pub const LEFT_OUT: &str = "left-out.jsonl";

/// The shards of all packed data sets and their lists of what was left out, sorted.
///
/// # Errors
/// When a folder cannot be read.
pub fn packed_shards(workspace: &Workspace) -> Result<Vec<PathBuf>, PackError> {
    let files = store::files_below(&workspace.packed())?;
    Ok(files.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "parquet") || path.ends_with(LEFT_OUT)).collect())
}

/// The side files of all exports, and the records of those that were killed before they were done, sorted.
///
/// # Errors
/// When a record cannot be read.
pub fn side_files(workspace: &Workspace) -> Result<Vec<PathBuf>, PackError> {
    let mut sides = Vec::new();
    for path in store::files_below(&workspace.exports())? {
        let record: ExportRecord = read(&path)?;
        if record.files.is_empty() {
            sides.push(path);
            continue;
        }
        sides.extend(record.files.iter().filter(|file| file.path.ends_with(SIDE)).map(|file| record.folder_in(workspace).join(&file.path)));
    }
    sides.sort();
    Ok(sides)
}

/// How the name of a side file ends.
pub const SIDE: &str = ".documents.ndjson";
