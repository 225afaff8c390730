//! One part of one file, here or on another machine: asked for now, taken later, so that many can be under way.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use bytes::Bytes;
use tokio::task::JoinHandle;

use super::RemoteError;
use super::at::{At, is_remote};
use super::stores::{Store, runtime};

/// A part that was asked for.
pub struct Part {
    name: String,
    coming: Coming,
}

enum Coming {
    Here(Result<Bytes, RemoteError>),
    Under(JoinHandle<Result<Bytes, RemoteError>>),
}

impl Part {
    /// Asks for the bytes `range` of the file `name`, a path or an address, in whatever state it is.
    #[must_use]
    pub fn of(name: &str, range: Range<u64>) -> Part {
        let coming = match is_remote(name) {
            true => Coming::Under(runtime().spawn(fetched(name.to_owned(), range))),
            false => Coming::Here(on_disk(name, &range).map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => RemoteError::NotThere { name: name.to_owned() },
                _ => RemoteError::Failed { name: name.to_owned(), why: error.to_string() },
            })),
        };
        Part { name: name.to_owned(), coming }
    }

    /// Its bytes, when they are there.
    ///
    /// # Errors
    /// When they cannot be had.
    pub fn take(self) -> Result<Bytes, RemoteError> {
        match self.coming {
            Coming::Here(bytes) => bytes,
            Coming::Under(task) => {
                runtime().block_on(task).unwrap_or_else(|error| Err(RemoteError::Failed { name: self.name, why: error.to_string() }))
            }
        }
    }
}

async fn fetched(name: String, range: Range<u64>) -> Result<Bytes, RemoteError> {
    let at = At::read(&name)?;
    Store::of(&at)?.part(&at, range, None).await
}

fn on_disk(path: &str, range: &Range<u64>) -> std::io::Result<Bytes> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(range.start))?;
    let mut bytes = Vec::new();
    file.take(range.end - range.start).read_to_end(&mut bytes)?;
    Ok(bytes.into())
}
