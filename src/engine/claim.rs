//! Claims: a note that somebody is at a task, so that workers which share a plan do not all begin with the same one.
//!
//! A claim is advice. It is a file that is made only if it is absent and touched while its maker lives; one that nobody touched for a while
//! is taken over, and so is one of an earlier life of the same worker, which a scheduler started anew. Whether a task is done is told by
//! its commit record alone, so two workers at one task cost time and nothing else.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::plan::{StageName, TaskName};
use crate::store::{self, StoreError};

/// Who works: a name that no other worker has, and how often it was started before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// Name, a line without line end.
    pub name: String,
    /// 0 for the first life.
    pub life: u32,
}

/// The claims of one plan.
#[derive(Clone, Debug)]
pub struct Claims {
    folder: PathBuf,
    stale_after: Duration,
    clock: Clock,
}

/// What time it is by the file system that holds the claims: clocks of machines differ.
#[derive(Clone, Debug)]
struct Clock {
    begun_ms: i64,
    since: Instant,
}

/// A task that is ours for now. It is given up when this is dropped.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    who: Who,
}

/// A claim as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its maker; nothing where the file could not be read.
    pub who: Option<Who>,
    /// When it was touched, in milliseconds of the file system's clock.
    pub touched_ms: i64,
    /// Whether nobody touched it for so long that it is nobody's.
    pub is_stale: bool,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} life {}", self.name, self.life)
    }
}

impl Who {
    fn parse(text: &str) -> Option<Who> {
        let (name, life) = text.trim_end().rsplit_once(" life ")?;
        Some(Who { name: name.to_owned(), life: life.parse().ok()? })
    }

    fn is_earlier_life_of(&self, other: &Who) -> bool {
        self.name == other.name && self.life < other.life
    }
}

impl Claims {
    /// Claims in `folder`; one that nobody touched for `stale_after` is nobody's.
    ///
    /// # Errors
    /// When the folder cannot be made or written to.
    pub fn open(folder: &Path, stale_after: Duration) -> Result<Claims, StoreError> {
        store::create_folder(folder)?;
        Ok(Claims { folder: folder.to_owned(), stale_after, clock: Clock::of(folder)? })
    }

    /// Takes `task` for `who`, unless somebody else has it.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn take(&self, task: TaskName, who: &Who) -> Result<Option<Claim>, StoreError> {
        let path = self.path(task);
        if let Some(claim) = make(&path, who)? {
            return Ok(Some(claim));
        }
        match self.seen(task)? {
            Some(seen) if !seen.is_stale && !seen.who.as_ref().is_some_and(|holder| holder.is_earlier_life_of(who)) => return Ok(None),
            // Of two that see the same stale claim one may remove the other's new one: both work then, and their commits agree.
            Some(_) => store::remove_file(&path)?,
            None => {}
        }
        make(&path, who)
    }

    /// The claim on `task`, if there is one.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn seen(&self, task: TaskName) -> Result<Option<Seen>, StoreError> {
        let path = self.path(task);
        let touched_ms = match std::fs::metadata(&path) {
            Ok(file) => modified_ms(&file),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io(&path, error)),
        };
        let age_ms = u64::try_from(self.clock.now_ms() - touched_ms).unwrap_or(0);
        let who = std::fs::read_to_string(&path).ok().and_then(|text| Who::parse(&text));
        Ok(Some(Seen { who, touched_ms, is_stale: Duration::from_millis(age_ms) >= self.stale_after }))
    }

    /// The tasks of `stage` that somebody has a claim on: one listing in place of a look at each. A hint, as all claims are.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn known_held(&self, stage: StageName) -> Result<Vec<u32>, StoreError> {
        let entries = std::fs::read_dir(&self.folder).map_err(|error| StoreError::io(&self.folder, error))?;
        let number = |name: &str| name.strip_prefix(stage.word())?.strip_prefix('-')?.parse().ok();
        Ok(entries.flatten().filter_map(|entry| number(&entry.file_name().to_string_lossy())).collect())
    }

    fn path(&self, task: TaskName) -> PathBuf {
        self.folder.join(task.to_string())
    }
}

/// How long a worker may be silent that nobody asked to touch its claims more often: the default of `tamis work`.
pub const SILENT_AFTER: Duration = Duration::from_secs(300);

/// Whether no worker was heard of lately at the claims in `folder`: then what lies beside them may be thrown away.
///
/// # Errors
/// When the file system refuses.
pub fn nobody_lives(folder: &Path) -> Result<bool, StoreError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(StoreError::io(folder, error)),
    };
    let now_ms = Clock::of(folder)?.now_ms();
    let silent_ms = i64::try_from(SILENT_AFTER.as_millis()).unwrap_or(i64::MAX);
    Ok(entries.flatten().filter_map(|entry| entry.metadata().ok()).all(|file| now_ms - modified_ms(&file) >= silent_ms))
}

/// Makes the claim, unless one is there.
fn make(path: &Path, who: &Who) -> Result<Option<Claim>, StoreError> {
    let refused = |error| StoreError::io(path, error);
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => writeln!(file, "{who}").map_err(refused)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(None),
        Err(error) => return Err(refused(error)),
    }
    Ok(Some(Claim { path: path.to_owned(), who: who.clone() }))
}

fn modified_ms(file: &Metadata) -> i64 {
    file.mtime().saturating_mul(1000) + file.mtime_nsec() / 1_000_000
}

impl Clock {
    /// Reads the file system's clock off a file that is made for it.
    fn of(folder: &Path) -> Result<Clock, StoreError> {
        let path = folder.join(format!(".clock-{}", store::own_name()));
        let read: io::Result<Metadata> = File::create(&path).and_then(|file| file.metadata());
        let begun_ms = read.map(|file| modified_ms(&file)).map_err(|error| StoreError::io(&path, error))?;
        store::remove_file(&path)?;
        Ok(Clock { begun_ms, since: Instant::now() })
    }

    fn now_ms(&self) -> i64 {
        self.begun_ms.saturating_add(i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX))
    }
}

impl Claim {
    fn is_ours(&self) -> bool {
        std::fs::read_to_string(&self.path).is_ok_and(|text| Who::parse(&text).as_ref() == Some(&self.who))
    }

    /// Says that its maker lives, by the clock of the file system. A claim that somebody took over is theirs.
    pub fn touch(&self) {
        if self.is_ours()
            && let Ok(mut file) = OpenOptions::new().write(true).open(&self.path)
        {
            // A claim that cannot be touched becomes stale: somebody else does the task too.
            let _ = writeln!(file, "{}", self.who);
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.is_ours() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: TaskName = TaskName { stage: StageName::Emit, index: 3 };

    fn who(name: &str, life: u32) -> Who {
        Who { name: name.to_owned(), life }
    }

    #[test]
    fn a_task_is_one_workers_until_it_is_given_up_or_nobody_touches_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let claims = |stale_ms| Claims::open(folder.path(), Duration::from_millis(stale_ms)).expect("ours");
        let first = claims(60_000).take(TASK, &who("a", 0)).expect("ours").expect("it is free");
        assert!(claims(60_000).take(TASK, &who("b", 0)).expect("ours").is_none());
        std::thread::sleep(Duration::from_millis(60));
        let second = claims(50).take(TASK, &who("b", 0)).expect("ours").expect("stale");
        drop(first);
        assert!(claims(60_000).take(TASK, &who("c", 0)).expect("ours").is_none(), "the first gave up what was no longer its own");
        drop(second);
        assert!(claims(60_000).take(TASK, &who("c", 0)).expect("ours").is_some());
        assert_eq!(std::fs::read_dir(folder.path()).expect("ours").count(), 0, "nothing is left behind");
    }

    #[test]
    fn a_claim_that_is_touched_is_not_stale() {
        let folder = tempfile::tempdir().expect("a folder");
        let claims = Claims::open(folder.path(), Duration::from_millis(400)).expect("ours");
        let claim = claims.take(TASK, &who("a", 0)).expect("ours").expect("it is free");
        for _ in 0..4 {
            std::thread::sleep(Duration::from_millis(150));
            claim.touch();
        }
        assert!(claims.take(TASK, &who("b", 0)).expect("ours").is_none());
        assert_eq!(claims.seen(TASK).expect("ours").expect("it is there").who, Some(who("a", 0)));
        assert_eq!(claims.known_held(StageName::Emit).expect("ours"), [3]);
        assert!(claims.known_held(StageName::Clean).expect("ours").is_empty());
    }

    #[test]
    fn a_worker_that_was_started_anew_takes_what_its_earlier_life_held() {
        let folder = tempfile::tempdir().expect("a folder");
        let claims = Claims::open(folder.path(), Duration::from_secs(60)).expect("ours");
        std::mem::forget(claims.take(TASK, &who("job 12_3", 0)).expect("ours").expect("it is free"));
        assert!(claims.take(TASK, &who("job 12_4", 1)).expect("ours").is_none(), "another job");
        let second = claims.take(TASK, &who("job 12_3", 1)).expect("ours").expect("its own");
        assert!(claims.take(TASK, &who("job 12_3", 0)).expect("ours").is_none(), "the earlier life comes back");
        drop(second);
    }
}
