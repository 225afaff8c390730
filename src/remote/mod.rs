//! Files on other machines: `s3://`, `gs://`, `az://` and plain web servers, through crate object_store.
//!
//! What is read: four things are asked of a store: which objects a pattern names ([`find()`]), what tells one state of an object from another
//! ([`about`]), its bytes from the beginning ([`Reader`]), and single parts of it ([`Part`]). A state is pinned by its ETag when a plan is made, and each range is asked for
//! on that condition, so a task reads what was planned or says that it changed. Bytes come in ranges, some ahead of the reader: a range that
//! breaks off is asked for again, nothing is read twice and no file is held whole. What is written is a [`Bucket`]. The runtime that object_store needs stays in here.

mod at;
mod bucket;
mod credentials;
mod find;
mod index_page;
mod part;
mod reader;
mod stores;
mod versions;

use std::path::PathBuf;
use std::time::Duration;

pub use at::is_remote;
pub use bucket::{Bucket, Created, Listed};
pub use find::{Found, find};
pub use part::Part;
pub use reader::{Fault, Reader};

use at::At;
use stores::Store;

/// Why something on another machine cannot be had.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RemoteError {
    /// The address makes no sense.
    #[error("`{name}`: {why}")]
    Address { name: String, why: String },
    /// The settings of the store make none.
    #[error("cannot speak to the store of `{name}`: {why}")]
    Settings { name: String, why: String },
    /// There is no such object.
    #[error("there is no `{name}`: look at the spelling of bucket and path")]
    NotThere { name: String },
    /// There is no such bucket.
    #[error("there is no bucket for `{name}`: look at its spelling, and at the endpoint and region (AWS_ENDPOINT_URL, AWS_REGION)")]
    NoBucket { name: String },
    /// Nobody may read it with these credentials.
    #[error(
        "the store refuses to give `{name}` ({how}): see that the credentials in the environment or in ~/.aws/credentials are right and may read it"
    )]
    Refused { name: String, how: String },
    /// It is not what it was.
    #[error("`{name}` changed since the plan was made; run the recipe again to plan anew")]
    Changed { name: String },
    /// The server gives whole files only.
    #[error("the server of `{name}` gives no parts of files (it does not know `Range`): fetch the file and read it from a disk")]
    NoRanges { name: String },
    /// A list names what may not be read.
    #[error("line {line} of the list `{list}` is no path of an object: `{what}`")]
    List { list: String, line: usize, what: String },
    /// A pattern matches nothing.
    #[error("nothing at `{pattern}` {what}")]
    Nothing { pattern: String, what: String },
    /// It did not work, time and again.
    #[error("cannot read `{name}`: {why}; the same command goes on where this one ended")]
    Failed { name: String, why: String },
    /// It could not be written, time and again.
    #[error("cannot write `{name}`: {why}; the same command goes on where this one ended")]
    Unwritten { name: String, why: String },
    /// Nobody may write it with these credentials.
    #[error(
        "the store refuses to take `{name}` ({how}): see that the credentials in the environment or in ~/.aws/credentials are right and may write it"
    )]
    WriteRefused { name: String, how: String },
    /// The bucket may keep what was erased, and nobody may look.
    #[error(
        "the store refuses to list or remove earlier versions of `{name}` ({status}): allow s3:ListBucketVersions, s3:GetBucketVersioning and s3:DeleteObjectVersion \
         to these credentials"
    )]
    VersionsRefused { name: String, status: u16 },
    /// A file here that was to be sent.
    #[error("cannot read `{path}` to send it: {why}", path = path.display())]
    Unread { path: PathBuf, why: String },
}

impl RemoteError {
    /// Whether the same question may be answered later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, RemoteError::Failed { .. } | RemoteError::Unwritten { .. })
    }
}

/// An object as a store tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Size in bytes.
    pub bytes: u64,
    /// What tells this state of it from another: its ETag, or where there is none its size and the time of its last change.
    pub tag: String,
}

/// What the store says of the object `name`.
///
/// # Errors
/// When it is not there, or the store does not say.
pub fn about(name: &str) -> Result<About, RemoteError> {
    let at = At::read(name)?;
    stores::runtime().block_on(async { Store::of(&at)?.about(&at).await })
}

/// The same of many objects, in their order, asked for side by side.
#[must_use]
pub fn about_all(names: &[&str]) -> Vec<Result<About, RemoteError>> {
    stores::runtime().block_on(find::about_all(names.iter().map(|name| At::read(name))))
}

/// How often a question is asked that is not answered, or whose answer breaks off.
const ATTEMPTS_MAX: u32 = 8;
/// The first pause before that; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(100);
/// .. up to this.
const PAUSE_MAX: Duration = Duration::from_secs(20);

/// The pause before attempt number `attempt`, from 1.
fn pause(attempt: u32) -> Duration {
    PAUSE.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(PAUSE_MAX)
}
