//! The frozen plan: which inputs, which settings, which tasks.
//!
//! A plan is content-hashed JSON without host, time, workspace or thread count, so two machines that plan the same work get the same
//! file. Inputs are packed into tasks by bytes, never by the number of workers. Inputs are told apart by an etag of size, beginning
//! and end, so that a file that changed under a running job is noticed.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::Xxh3;

/// The three stages of the plan, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StageName {
    /// Inputs to clean documents, signatures and rejects.
    Clean,
    /// Signatures to exclusions and the layout of shards.
    Decide,
    /// Clean documents to shards.
    Emit,
}

impl StageName {
    /// All stages, in order.
    pub const ALL: [StageName; 3] = [StageName::Clean, StageName::Decide, StageName::Emit];

    /// The word in commands, file names and records.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            StageName::Clean => "clean",
            StageName::Decide => "decide",
            StageName::Emit => "emit",
        }
    }
}

impl fmt::Display for StageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for StageName {
    type Err = String;

    fn from_str(word: &str) -> Result<StageName, String> {
        StageName::ALL
            .into_iter()
            .find(|stage| stage.word() == word)
            .ok_or_else(|| format!("no stage `{word}`; there are clean, decide and emit"))
    }
}

/// One task's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskName {
    /// Stage of the plan.
    pub stage: StageName,
    /// Number in the stage, from 0.
    pub index: u32,
}

impl fmt::Display for TaskName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:05}", self.stage, self.index)
    }
}

/// A frozen plan, as its file holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of this format: 1.
    pub version: u32,
    /// Version of tamis that made it; another version may decide differently, so it makes another plan.
    pub tamis: String,
    /// Name of the recipe.
    pub name: String,
    /// Data set to write.
    pub dataset: String,
    /// The recipe after `--set`, without inputs, as canonical TOML.
    pub recipe: String,
    /// Hash of the recipe and of the files that it names.
    pub recipe_hash: String,
    /// Files that stages read when they are built, with their SHA-256.
    pub resources: Vec<(String, String)>,
    /// Everything to read, in order.
    pub inputs: Vec<PlannedInput>,
    /// What earlier runs of the data set left for deduplication, oldest first: a plan decides against this state and no other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub index: Vec<PlannedIndexFile>,
    /// The indexes of the data sets that go before this one, in the recipe's order: documents are held against these states and no others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub yields: Vec<PlannedYield>,
    /// Number of the last takedown whose suppression list the plan honours.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub takedowns: u64,
    /// Ids of the sealed plans whose documents and rejects are judged anew, in place of reading the inputs; empty in an ordinary run. The
    /// tasks of stage `clean` are theirs, one plan after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub again: Vec<String>,
    /// Whether what stays of them is carried over row by row, and not read as documents.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub carries: bool,
    /// The tasks of stage `clean`: numbers of inputs.
    pub tasks: Vec<Vec<u32>>,
}

/// One input file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedInput {
    /// Name as the recipe's pattern found it.
    pub name: String,
    /// Size as stored.
    pub bytes: u64,
    /// See [`etag`]; empty where the file could not be read.
    pub etag: String,
    /// The checksum that its publisher states, hex; see [`super::sums`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<String>,
}

/// One file of the deduplication index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedIndexFile {
    /// Path below the workspace.
    pub path: String,
    /// SHA-256, hex.
    pub sha256: String,
}

/// The index of another data set, as it was when the plan was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedYield {
    /// The data set.
    pub dataset: String,
    /// Its index, oldest first.
    pub index: Vec<PlannedIndexFile>,
}

/// A plan that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The file cannot be read.
    #[error("cannot read the plan `{path}`: {source}", path = path.display())]
    Read { path: PathBuf, source: io::Error },
    /// The file is no plan of this version.
    #[error("`{path}` is no plan that this version of tamis can read: {source}", path = path.display())]
    Format { path: PathBuf, source: serde_json::Error },
    /// The file's name is not the hash of what it holds.
    #[error("the plan `{path}` was changed after it was made; make it again with `tamis plan`", path = path.display())]
    Changed { path: PathBuf },
    /// Another version made it.
    #[error(
        "the plan `{path}` was made by tamis {theirs}, and this is {}, which may decide differently; run the recipe again to plan anew, or go on with that version",
        env!("CARGO_PKG_VERSION"),
        path = path.display()
    )]
    OtherVersion { path: PathBuf, theirs: String },
}

/// Version of the plan's format.
pub const PLAN_VERSION: u32 = 1;

impl Plan {
    /// The plan's file: JSON with a line end.
    ///
    /// # Panics
    /// Never: a plan holds nothing that JSON cannot write.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).expect("strings, numbers and lists are JSON");
        json.push(b'\n');
        json
    }

    /// The plan's name: the first 16 hex digits of its file's SHA-256.
    #[must_use]
    pub fn id(&self) -> String {
        short_hash(&self.to_json())
    }

    /// The same work on other inputs.
    #[must_use]
    pub fn with_inputs(&self, inputs: Vec<PlannedInput>, task_bytes_max: u64) -> Plan {
        Plan { tasks: pack(&inputs, task_bytes_max), inputs, ..self.clone() }
    }

    /// Reads the plan at `path`, whose stem must be its id.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn load(path: &Path) -> Result<Plan, PlanError> {
        let bytes = std::fs::read(path).map_err(|source| PlanError::Read { path: path.to_owned(), source })?;
        let plan = serde_json::from_slice(&bytes).map_err(|source| PlanError::Format { path: path.to_owned(), source })?;
        if path.file_stem().is_some_and(|stem| stem.to_string_lossy() == short_hash(&bytes)) {
            Ok(plan)
        } else {
            Err(PlanError::Changed { path: path.to_owned() })
        }
    }

    /// The plan at `path`, of which tasks are to be done: it must be this version's own.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn load_to_work(path: &Path) -> Result<Plan, PlanError> {
        let plan = Plan::load(path)?;
        if plan.version == PLAN_VERSION && plan.tamis == env!("CARGO_PKG_VERSION") {
            return Ok(plan);
        }
        Err(PlanError::OtherVersion { path: path.to_owned(), theirs: format!("{} (format {})", plan.tamis, plan.version) })
    }

    /// Numbers of the inputs in the order in which the tasks read them, by name.
    #[must_use]
    pub fn input_order(&self) -> BTreeMap<String, usize> {
        self.tasks.iter().flatten().map(|input| self.inputs[*input as usize].name.clone()).zip(0..).collect()
    }

    /// All bytes to read.
    #[must_use]
    pub fn input_bytes(&self) -> u64 {
        self.inputs.iter().map(|input| input.bytes).sum()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn short_hash(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes)[..8])
}

/// Packs inputs, in order, into tasks of at most `task_bytes_max` bytes; a larger file is a task of its own.
#[must_use]
pub fn pack(inputs: &[PlannedInput], task_bytes_max: u64) -> Vec<Vec<u32>> {
    let mut tasks: Vec<Vec<u32>> = Vec::new();
    let mut room = 0;
    for (number, input) in (0..).zip(inputs) {
        match tasks.last_mut() {
            Some(task) if input.bytes <= room => {
                task.push(number);
                room -= input.bytes;
            }
            _ => {
                tasks.push(vec![number]);
                room = task_bytes_max.saturating_sub(input.bytes);
            }
        }
    }
    tasks
}

/// How much of a file's beginning and end goes into its etag.
const ETAG_EDGE_BYTES: u64 = 64 << 10;

/// xxh3-128 of a file's size, its first and its last 64 KiB: tells a changed input without reading terabytes twice.
///
/// # Errors
/// When the file cannot be read.
pub fn etag(path: &Path) -> io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let size = file.metadata()?.len();
    let mut hasher = Xxh3::new();
    hasher.update(&size.to_le_bytes());
    let mut edge = Vec::new();
    file.by_ref().take(ETAG_EDGE_BYTES).read_to_end(&mut edge)?;
    hasher.update(&edge);
    if size > ETAG_EDGE_BYTES {
        edge.clear();
        file.seek(SeekFrom::Start(size - ETAG_EDGE_BYTES))?;
        file.take(ETAG_EDGE_BYTES).read_to_end(&mut edge)?;
        hasher.update(&edge);
    }
    Ok(format!("{:032x}", hasher.digest128()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(sizes: &[u64]) -> Vec<PlannedInput> {
        sizes.iter().map(|bytes| PlannedInput { name: format!("{bytes}.warc.gz"), bytes: *bytes, etag: String::new(), sum: None }).collect()
    }

    #[test]
    fn inputs_are_packed_in_order_by_bytes() {
        assert_eq!(pack(&inputs(&[4, 5, 3, 20, 1]), 10), [vec![0, 1], vec![2], vec![3], vec![4]]);
        assert!(pack(&[], 10).is_empty());
    }

    #[test]
    fn a_plan_knows_when_its_file_was_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let plan = Plan {
            version: 1,
            tamis: "0".to_owned(),
            name: "n".to_owned(),
            dataset: "d".to_owned(),
            recipe: String::new(),
            recipe_hash: String::new(),
            resources: Vec::new(),
            inputs: inputs(&[7]),
            index: Vec::new(),
            yields: Vec::new(),
            takedowns: 0,
            again: Vec::new(),
            carries: false,
            tasks: vec![vec![0]],
        };
        let path = folder.path().join(format!("{}.json", plan.id()));
        std::fs::write(&path, plan.to_json()).expect("a file");
        assert_eq!(Plan::load(&path).expect("the plan"), plan);
        std::fs::write(&path, plan.to_json().iter().map(|b| if *b == b'7' { b'8' } else { *b }).collect::<Vec<_>>()).expect("a file");
        assert!(matches!(Plan::load(&path), Err(PlanError::Changed { .. })));
    }

    #[test]
    fn an_etag_sees_size_beginning_and_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        let tags: std::collections::BTreeSet<String> =
            [vec![1; 200_000], vec![1; 200_001], [vec![2], vec![1; 199_999]].concat(), [vec![1; 199_999], vec![2]].concat()]
                .into_iter()
                .map(|bytes| {
                    std::fs::write(&path, bytes).expect("a file");
                    etag(&path).expect("its tag")
                })
                .collect();
        assert_eq!(tags.len(), 4);
    }
}
