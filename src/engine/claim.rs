//! Claims: a note that somebody is at a task, so that workers which share a plan do not all begin with the same one.
//!
//! A claim is advice. It is a file that is made only if it is absent and touched while its maker lives; one that nobody touched for a while
//! is taken over. Whether a task is done is told by its commit record alone, so two workers at one task cost time and nothing else.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::plan::TaskName;
use crate::store::{self, StoreError};

/// The claims of one plan.
#[derive(Clone, Debug)]
pub struct Claims {
    folder: PathBuf,
    stale_after: Duration,
}

/// A task that is ours for now. It is given up when this is dropped.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    who: String,
}

impl Claims {
    /// Claims in `folder`; one that nobody touched for `stale_after` is nobody's.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: &Path, stale_after: Duration) -> Result<Claims, StoreError> {
        store::create_folder(folder)?;
        Ok(Claims { folder: folder.to_owned(), stale_after })
    }

    /// Takes `task` for `who`, unless somebody else has it.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn take(&self, task: TaskName, who: &str) -> Result<Option<Claim>, StoreError> {
        let path = self.folder.join(task.to_string());
        if self.is_stale(&path)? {
            // Of two that see the same stale claim one may remove the other's new one: both work then, and their commits agree.
            store::remove_file(&path)?;
        }
        let refused = |error| StoreError::io(&path, error);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => file.write_all(who.as_bytes()).map_err(refused)?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(None),
            Err(error) => return Err(refused(error)),
        }
        Ok(Some(Claim { path, who: who.to_owned() }))
    }

    /// Whether nobody touched the claim for long. Now is what the file system says it is: clocks of machines differ.
    fn is_stale(&self, path: &Path) -> Result<bool, StoreError> {
        let touched = match std::fs::metadata(path).and_then(|file| file.modified()) {
            Ok(touched) => touched,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(StoreError::io(path, error)),
        };
        let clock = self.folder.join(format!(".clock-{}", std::process::id()));
        let now = File::create(&clock).and_then(|file| file.metadata()).and_then(|file| file.modified());
        let now = now.map_err(|error| StoreError::io(&clock, error))?;
        store::remove_file(&clock)?;
        Ok(now.duration_since(touched).is_ok_and(|age| age >= self.stale_after))
    }
}

impl Claim {
    /// Says that its maker lives, by the clock of the file system. A claim that somebody took over stays away.
    pub fn touch(&self) {
        if let Ok(mut file) = OpenOptions::new().write(true).open(&self.path) {
            // A claim that cannot be touched becomes stale: somebody else does the task too.
            let _ = file.write_all(self.who.as_bytes());
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::plan::StageName;

    const TASK: TaskName = TaskName { stage: StageName::Emit, index: 3 };

    #[test]
    fn a_task_is_one_workers_until_it_is_given_up_or_nobody_touches_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let claims = |stale_ms| Claims::open(folder.path(), Duration::from_millis(stale_ms)).expect("ours");
        let first = claims(60_000).take(TASK, "a").expect("ours").expect("it is free");
        assert!(claims(60_000).take(TASK, "b").expect("ours").is_none());
        std::thread::sleep(Duration::from_millis(60));
        assert!(claims(50).take(TASK, "b").expect("ours").is_some(), "stale");
        drop(first);
        assert!(claims(60_000).take(TASK, "c").expect("ours").is_some());
        assert_eq!(std::fs::read_dir(folder.path()).expect("ours").count(), 0, "nothing is left behind");
    }

    #[test]
    fn a_claim_that_is_touched_is_not_stale() {
        let folder = tempfile::tempdir().expect("a folder");
        let claims = Claims::open(folder.path(), Duration::from_millis(400)).expect("ours");
        let claim = claims.take(TASK, "a").expect("ours").expect("it is free");
        for _ in 0..4 {
            std::thread::sleep(Duration::from_millis(150));
            claim.touch();
        }
        assert!(claims.take(TASK, "b").expect("ours").is_none());
    }
}
