//! Packed data sets: sequences of a fixed number of token ids, shuffled, split for training and testing, ready to be read in order.
//!
//! Every sequence says which document each of its tokens is of, and every export has a side file that says the same, because a takedown
//! must reach them. A packed data set is a folder that appears whole by one rename, with its record in it.

pub mod benchmarks;
pub mod export;
mod fit;
mod forget;
pub mod mixture;
pub mod pack;
pub mod record;
pub mod sequence;
mod split;
mod spool;
pub mod verify;
pub mod yielded;

use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;

use crate::dedup::decide::DecideError;
use crate::dedup::index::IndexError;
use crate::dedup::sorter::SpillError;
use crate::ledger::manifest::ManifestError;
use crate::store::StoreError;
use crate::suppression::ListError;
use crate::workspace::WorkspaceError;

pub use forget::{Forget, hits};

/// Why something was not packed, exported or erased.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The system refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The manifests.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// A temporary file.
    #[error(transparent)]
    Spill(#[from] SpillError),
    /// The suppression list.
    #[error(transparent)]
    List(#[from] ListError),
    /// A Parquet file cannot be read or written.
    #[error("cannot use `{path}`: {source}", path = path.display())]
    Parquet { path: PathBuf, source: ParquetError },
    /// A shard is not what was published.
    #[error("`{path}` is damaged: it is not the file that the manifest names; restore it from a backup, and see `tamis verify`", path = path.display())]
    Corrupt { path: PathBuf },
    /// Nothing to pack.
    #[error("data set `{dataset}` has no token ids; give its recipe the stage `tokenize`, and run it anew")]
    NoTokens { dataset: String },
    /// Two tokenizers.
    #[error("data set `{dataset}` was made with more than one tokenizer, and their ids do not mix; pack a data set of one tokenizer")]
    Mixed { dataset: String },
    /// The name is taken.
    #[error("`{path}` is there already, packed with other settings or from another state; choose another --out, or remove it", path = path.display())]
    Taken { path: PathBuf },
    /// A name that is no folder's.
    #[error("`{name}` cannot name a packed data set; use letters, digits, `-`, `_` and `.`, and begin with none of the signs")]
    Name { name: String },
    /// A setting out of range.
    #[error("{setting} is {value}; {what}")]
    Setting { setting: &'static str, value: String, what: &'static str },
    /// A mixture that is none.
    #[error("cannot use the mixture `{path}`: {why}", path = path.display())]
    Mixture { path: PathBuf, why: String },
    /// An index cannot be used.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// What repeats another data set could not be found.
    #[error(transparent)]
    Overlap(#[from] DecideError),
    /// Nobody knows what a data set holds.
    #[error(
        "the data set `{dataset}` has no index in this workspace, so nothing is known of what repeats what; run its recipe with dedup.remember, or leave \
         yield_to out of the mixture"
    )]
    NoIndex { dataset: String },
    /// It goes before itself.
    #[error("yield_to of the mixture names `{dataset}`, the data set that is packed; name others, or leave it out")]
    YieldsToItself { dataset: String },
    /// Too many languages and sources.
    #[error("the data set has more than {max} pairs of language and source; pack it in parts")]
    Groups { max: usize },
    /// The mixture leaves nothing.
    #[error("the mixture leaves no document; see `tamis pack --plan` for what it takes of each language")]
    Nothing,
    /// No packed data set.
    #[error("`{path}` is not a packed data set; give a folder such as WORKSPACE/packed/NAME, as `tamis pack` made it", path = path.display())]
    NotPacked { path: PathBuf },
    /// Unreadable record.
    #[error("`{path}` is damaged: {source}; pack or export again under another name", path = path.display())]
    Record { path: PathBuf, source: serde_json::Error },
    /// An id that does not fit.
    #[error("token id {id} does not fit into {dtype}, which ends at {max}; export with --dtype {instead}")]
    TooLarge { id: u32, dtype: &'static str, max: u32, instead: &'static str },
    /// The place is taken.
    #[error("`{path}` is not empty; export to a new folder", path = path.display())]
    NotEmpty { path: PathBuf },
    /// An export went away.
    #[error(
        "the export `{path}` is not where it was written; bring it back, or remove `{record}` if all its copies are deleted",
        path = path.display(), record = record.display()
    )]
    Gone { path: PathBuf, record: PathBuf },
    /// A side file that does not say what it should.
    #[error("line {line} of `{path}` is damaged; restore the export, or delete it and its record", path = path.display())]
    Side { path: PathBuf, line: usize },
}

impl PackError {
    fn parquet(path: &Path) -> impl Fn(ParquetError) -> PackError + '_ {
        |source| PackError::Parquet { path: path.to_owned(), source }
    }

    fn io(path: &Path) -> impl Fn(std::io::Error) -> PackError + '_ {
        |source| StoreError::io(path, source).into()
    }
}
