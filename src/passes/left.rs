//! What tasks of stage `clean` left, as a task of stage `emit` asks for it shard by shard: records are read and files opened once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::carried::PlacesFile;
use super::job::{Job, JobError};
use crate::doc::Document;
use crate::engine::commit::{Commit, Slice};
use crate::engine::plan::{StageName, TaskName};
use crate::sink::OutputKind;
use crate::sinks::documents::{ReadError, read_groups};
use crate::sinks::rows::RowsFile;

/// Tasks whose files are held open.
const OPEN_MAX: usize = 64;

/// What tasks left, by their numbers.
pub(super) struct AllLeft<'a> {
    job: &'a Job,
    open: BTreeMap<u32, Arc<Left>>,
}

/// What one task left.
pub(super) struct Left {
    pub(super) commit: Commit,
    documents: Option<RowsFile>,
    places: Option<PlacesFile>,
}

impl<'a> AllLeft<'a> {
    /// What the tasks of `job` left.
    pub(super) fn of(job: &'a Job) -> AllLeft<'a> {
        AllLeft { job, open: BTreeMap::new() }
    }

    /// What task number `clean` left.
    pub(super) fn by(&mut self, clean: u32) -> Result<Arc<Left>, JobError> {
        if let Some(left) = self.open.get(&clean) {
            return Ok(left.clone());
        }
        if self.open.len() == OPEN_MAX {
            self.open.clear();
        }
        let left = Arc::new(Left::open(self.job, clean)?);
        self.open.insert(clean, left.clone());
        Ok(left)
    }

    /// The documents of a slice, some at a time.
    pub(super) fn documents(&mut self, slice: &Slice) -> Result<impl Iterator<Item = Result<Vec<Document>, ReadError>> + use<>, JobError> {
        self.by(slice.clean)?.documents(slice.groups.clone())
    }
}

impl Left {
    fn open(job: &Job, clean: u32) -> Result<Left, JobError> {
        let commit = job.commit(TaskName { stage: StageName::Clean, index: clean })?;
        let path = |kind| commit.output(kind).map(|output| job.place.of(kind, &output.name));
        let documents = path(OutputKind::Documents).map(|path| RowsFile::open(&path)).transpose()?;
        let places = path(OutputKind::Places).map(|path| PlacesFile::open(&path)).transpose()?;
        Ok(Left { commit, documents, places })
    }

    /// The documents of row groups, some at a time.
    pub(super) fn documents(&self, groups: Vec<usize>) -> Result<impl Iterator<Item = Result<Vec<Document>, ReadError>> + use<>, JobError> {
        let file = self.documents.clone().ok_or_else(|| self.lost())?;
        Ok(read_groups(file, groups)?)
    }

    /// Where the documents lie that stay as they are stored.
    pub(super) fn places(&self) -> Result<&PlacesFile, JobError> {
        self.places.as_ref().ok_or_else(|| self.lost())
    }

    /// What is told when the task left something else than its record says.
    pub(super) fn lost(&self) -> JobError {
        JobError::MissingOutput { task: self.commit.task }
    }
}
