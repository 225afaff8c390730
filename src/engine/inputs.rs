//! The one door to inputs, on a disk or on other machines: what tells one state of a file from another, and its bytes.
//!
//! Most formats are read once from their beginning, so an object of a store is read as it comes. Formats that jump get it as a file in the
//! attempt's folder, without a name, so that it is gone when it is closed or the program dies.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use super::plan::{PlannedInput, etag};
use super::sums::other_than;
use crate::remote::{self, About, Fault, Reader, RemoteError, is_remote};
use crate::source::{Input, Records, Source, SourceError};

/// Records of an input, and where an error of the line to its store will be found.
pub struct Opened {
    /// The records.
    pub records: Box<dyn Records>,
    fault: Fault,
}

impl Opened {
    /// What cut the reading short, if something on the way did: then what was read is not all of the file, and no damage of it.
    ///
    /// # Errors
    /// With that.
    pub fn is_whole(&self) -> Result<(), RemoteError> {
        self.fault.take().or_else(|| self.records.unreached()).map_or(Ok(()), Err)
    }
}

/// Why an input is not read.
#[derive(Debug)]
pub enum Unopened {
    /// It is not what it was when the plan was made.
    Changed,
    /// It is no file of its kind, or the disk refuses: the night goes on without it.
    Unreadable(SourceError),
    /// Its store does not give it: the task fails, for the next attempt may have it.
    Remote(RemoteError),
}

impl From<RemoteError> for Unopened {
    fn from(error: RemoteError) -> Unopened {
        match error {
            RemoteError::Changed { .. } => Unopened::Changed,
            other => Unopened::Remote(other),
        }
    }
}

/// What tells this state of an input from another.
///
/// # Errors
/// When it cannot be read.
pub fn tag(name: &str) -> io::Result<String> {
    match is_remote(name) {
        true => remote::about(name).map(|about| about.tag).map_err(io::Error::other),
        false => etag(Path::new(name)),
    }
}

/// Whether all these inputs are there, as they were when they were planned.
#[must_use]
pub fn are_unchanged(inputs: &[PlannedInput]) -> bool {
    let (remote, local): (Vec<&PlannedInput>, Vec<_>) = inputs.iter().partition(|input| is_remote(&input.name));
    let names: Vec<&str> = remote.iter().map(|input| input.name.as_str()).collect();
    local.iter().all(|input| etag(Path::new(&input.name)).is_ok_and(|now| now == input.etag))
        && remote::about_all(&names).into_iter().zip(remote).all(|(now, input)| now.is_ok_and(|now| now.tag == input.etag))
}

/// Begins to read `planned` with `source`, which may hold `reader_bytes_max` beside a record. `scratch` is a folder on a disk for what must be
/// fetched whole.
///
/// # Errors
/// See [`Unopened`].
pub fn open(planned: &PlannedInput, source: &dyn Source, scratch: &Path, reader_bytes_max: usize) -> Result<Opened, Unopened> {
    let (mut input, fault) = match is_remote(&planned.name) {
        true => fetched(planned, source.jumps().then_some(scratch))?,
        false => (local(planned)?, Fault::default()),
    };
    input.reader_bytes_max = reader_bytes_max;
    let records = source.open(input).map_err(Unopened::Unreadable);
    // What a format says of bytes that never came is not said of the file.
    if let Some(error) = fault.take() {
        return Err(error.into());
    }
    Ok(Opened { records: records?, fault })
}

fn local(planned: &PlannedInput) -> Result<Input, Unopened> {
    let unreadable = |error: io::Error| Unopened::Unreadable(error.into());
    let path = Path::new(&planned.name);
    if etag(path).map_err(unreadable)? != planned.etag {
        return Err(Unopened::Changed);
    }
    if let Some(stated) = &planned.sum
        && let Some(found) = other_than(path, stated).map_err(unreadable)?
    {
        let what = format!("it is not the file that its publisher lists: its checksum is {found}, the list says {stated}; fetch it again");
        return Err(Unopened::Unreadable(SourceError::NotThisFormat(what)));
    }
    let file = File::open(path).map_err(unreadable)?;
    let bytes = Box::new(file.try_clone().map_err(unreadable)?);
    Ok(Input { name: Arc::from(planned.name.as_str()), bytes, file: Some(file), size: planned.bytes, reader_bytes_max: 0 })
}

/// An object of a store; as a file in `whole` where it is wanted whole.
fn fetched(planned: &PlannedInput, whole: Option<&Path>) -> Result<(Input, Fault), Unopened> {
    let mut reader = Reader::open(&planned.name, About { bytes: planned.bytes, tag: planned.etag.clone() })?;
    let fault = reader.fault();
    let name = Arc::from(planned.name.as_str());
    let Some(folder) = whole else {
        return Ok((Input { name, bytes: Box::new(reader), file: None, size: planned.bytes, reader_bytes_max: 0 }, fault));
    };
    let spooled = spool(&mut reader, folder).and_then(|file| Ok((file.try_clone()?, file)));
    let (bytes, file) = spooled.map_err(|error| fault.take().map_or(Unopened::Unreadable(error.into()), Unopened::from))?;
    Ok((Input { name, bytes: Box::new(bytes), file: Some(file), size: planned.bytes, reader_bytes_max: 0 }, fault))
}

fn spool(reader: &mut Reader, folder: &Path) -> io::Result<File> {
    let path = folder.join("fetched");
    let mut file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
    std::fs::remove_file(&path)?;
    io::copy(reader, &mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}
