//! One try at a task: skip if its commit exists, else work in a folder of its own (in the workspace, or on a disk of this machine's own), publish
//! each file by link, then write the commit.
//! Whoever comes late (a machine that was thought dead and comes back) finds the commit, compares, and leaves nothing behind.
//!
//! Any number of processes may try the same task at once, and any of them may be killed anywhere: what they publish is the same bytes,
//! so the second to arrive finds an equal file and goes on. A different file under the same name means that a stage is not
//! deterministic; that stops the job loudly.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::commit::Commit;
use super::plan::{Plan, StageName, TaskName};
use super::scratch::Scratch;
use crate::sink::OutputKind;
use crate::store::{self, StoreError};
use crate::workspace::Workspace;

/// Where the files of one plan live in a workspace.
#[derive(Clone, Debug)]
pub struct Place {
    workspace: Workspace,
    plan: String,
    scratch: Option<Arc<Scratch>>,
}

/// A commit record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The record is there but cannot be read.
    #[error("cannot read the commit record `{path}`: {source}", path = path.display())]
    Read { path: PathBuf, source: std::io::Error },
    /// The record is damaged, or has another form.
    #[error(
        "the commit record `{path}` is damaged, or another build of tamis wrote it; while its run goes on, remove it and run the same command \
         again, else run the recipe into a new data set",
        path = path.display()
    )]
    Format { path: PathBuf, source: serde_json::Error },
}

impl Place {
    /// The place of `plan` in `workspace`.
    #[must_use]
    pub fn new(workspace: &Workspace, plan: &Plan) -> Place {
        Place { workspace: workspace.clone(), plan: plan.id(), scratch: None }
    }

    /// The same place, with tasks tried in a folder of this machine's own.
    #[must_use]
    pub fn with_scratch(self, scratch: Option<Arc<Scratch>>) -> Place {
        Place { scratch, ..self }
    }

    /// The plan's id.
    #[must_use]
    pub fn plan(&self) -> &str {
        &self.plan
    }

    /// The workspace around it.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Where a finished file of this kind stands.
    #[must_use]
    pub fn of(&self, kind: OutputKind, name: &str) -> PathBuf {
        let folder = match kind {
            OutputKind::Rejects => self.workspace.rejects(&self.plan),
            OutputKind::Quarantine => self.workspace.quarantine(&self.plan),
            OutputKind::Documents
            | OutputKind::Places
            | OutputKind::Signatures
            | OutputKind::Exclusions
            | OutputKind::Paragraphs
            | OutputKind::RecurringParagraphs
            | OutputKind::Index
            | OutputKind::Shard => self.workspace.staging(&self.plan),
        };
        folder.join(name)
    }

    /// The commit record of `task`, if it was written.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub fn commit(&self, task: TaskName) -> Result<Option<Commit>, CommitError> {
        let path = self.commit_path(task);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(CommitError::Read { path, source }),
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|source| CommitError::Format { path, source })
    }

    /// Whether `task` has its commit record.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub fn is_done(&self, task: TaskName) -> Result<bool, CommitError> {
        let path = self.commit_path(task);
        path.try_exists().map_err(|source| CommitError::Read { path, source })
    }

    /// The tasks of `stage` that are known to be done: one listing in place of a look at each. It may lag behind on shared storage, so a task that
    /// is not among them is looked at before anything follows from it.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub fn known_done(&self, stage: StageName) -> Result<Vec<u32>, CommitError> {
        let path = self.workspace.commits(&self.plan).join(stage.word());
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(CommitError::Read { path, source }),
        };
        let number = |name: &str| name.strip_suffix(".json").filter(|stem| !stem.starts_with('.'))?.parse().ok();
        Ok(entries.flatten().filter_map(|entry| number(&entry.file_name().to_string_lossy())).collect())
    }

    fn commit_path(&self, task: TaskName) -> PathBuf {
        self.workspace.commits(&self.plan).join(task.stage.word()).join(format!("{:05}.json", task.index))
    }

    /// Sees that a second try at a task, which another finished first, made the same.
    fn compare(&self, published: &Commit, found: &Commit) -> Result<(), StoreError> {
        if published == found {
            return Ok(());
        }
        let path = self.commit_path(found.task);
        let mut pairs = published.outputs.iter().zip(&found.outputs);
        let (published, found) = pairs.find(|(published, found)| published != found).map_or_else(
            || ("other counts".to_owned(), "these".to_owned()),
            |(published, found)| (format!("{} of {}", published.sha256, published.name), format!("{} of {}", found.sha256, found.name)),
        );
        Err(StoreError::Nondeterminism { path, published, found })
    }

    /// Where workers note which tasks they are at.
    #[must_use]
    pub fn claims(&self) -> PathBuf {
        self.workspace.attempts(&self.plan).join("claims")
    }

    /// Makes a folder in `folder` that no other attempt has.
    fn new_attempt(folder: &Path, task: TaskName) -> Result<PathBuf, StoreError> {
        store::create_folder(folder)?;
        for number in 0.. {
            let attempt = folder.join(format!("{task}-{}-{number}", store::own_name()));
            match std::fs::create_dir(&attempt) {
                Ok(()) => return Ok(attempt),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(StoreError::io(&attempt, error)),
            }
        }
        unreachable!("some number is free")
    }

    /// Does `task` with `work` unless it is done. Answers its commit.
    ///
    /// # Errors
    /// What `work` says, or what stands against publishing.
    pub fn once<E>(&self, task: TaskName, work: impl FnOnce(&Path) -> Result<Commit, E>) -> Result<Commit, E>
    where
        E: From<StoreError> + From<CommitError>,
    {
        if let Some(commit) = self.commit(task)? {
            return Ok(commit);
        }
        let shared = self.workspace.attempts(&self.plan);
        let attempt = Place::new_attempt(self.scratch.as_ref().map_or(&shared, |scratch| scratch.folder()), task)?;
        let commit = work(&attempt)?;
        if let Some(published) = self.commit(task)? {
            self.compare(&published, &commit)?;
            store::remove_folder(&attempt)?;
            return Ok(published);
        }
        let finished = if self.scratch.is_some() { Place::bring(&attempt, &commit, &shared)? } else { attempt.clone() };
        let names = commit.outputs.iter().map(|output| (finished.join(&output.name), self.of(output.kind, &output.name)));
        store::publish_new(names)?;
        let path = self.commit_path(task);
        if let Some(folder) = path.parent() {
            store::create_folder(folder)?;
        }
        let mut json = serde_json::to_vec_pretty(&commit).expect("strings, numbers and lists are JSON");
        json.push(b'\n');
        store::write_new(&path, &json)?;
        store::remove_folder(&attempt)?;
        if finished != attempt {
            store::remove_folder(&finished)?;
        }
        Ok(commit)
    }

    /// Copies what `attempt` made on a disk of this machine's own to a folder in `shared`, from where it can be published. Answers the folder.
    fn bring(attempt: &Path, commit: &Commit, shared: &Path) -> Result<PathBuf, StoreError> {
        let folder = Place::new_attempt(shared, commit.task)?;
        for output in &commit.outputs {
            let from = attempt.join(&output.name);
            let mut file = File::open(&from).map_err(|source| StoreError::io(&from, source))?;
            if !store::write_stream(&folder.join(&output.name), &mut file, &output.sha256)? {
                return Err(StoreError::Io { path: from, source: std::io::Error::other("it does not hold what was written to it") });
            }
        }
        Ok(folder)
    }
}
