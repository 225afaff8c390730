//! A workspace whose home is a store of objects (`s3://`, `gs://`, `az://`), and the copy of it on this machine that is worked in.
//!
//! Shards and records are made by rename and link, which stores of objects do not have. So every verb works in a folder, as always, and what it
//! changed goes home in one transaction: the new files are sent to a place of their own, then one small object says what changes ([`State`]), under
//! the next free number, then the files are copied over their names. The number decides: whoever opens the home after a crash finishes what a
//! written state says, as manifests do on a disk (design, section 5). Of two machines that changed one file the later is told to begin anew; changes
//! of different files go in one after the other. Earlier versions that a bucket keeps of what was replaced are removed with it.

mod copy;
mod state;
mod states;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use copy::Copy;
use state::{Change, State};
use states::States;

use crate::remote::{Bucket, RemoteError};
use crate::store::{self, StoreError};

/// Files that are sent or fetched side by side.
const AT_ONCE: usize = 8;
/// How often a file is fetched that is not what the newest state says, because another machine publishes at this moment.
const FETCHES_MAX: u32 = 5;
/// A transaction that takes longer from its first file to its state is given up: others take what it sent for left behind.
const SENDING_MAX: Duration = Duration::from_secs(12 * 3600);

/// Why a workspace cannot be fetched or brought home.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// The store.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The disk here.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another process of this machine works in the copy.
    #[error("another tamis of this machine works with `{address}` in `{folder}`; wait for it to end, or give another folder for copies in TAMIS_SCRATCH", folder = folder.display())]
    Busy { address: String, folder: PathBuf },
    /// Another machine was first.
    #[error(
        "another machine changed `{path}` in `{address}` meanwhile; nothing there was touched: run the same command again, it begins with what is there now"
    )]
    Overtaken { address: String, path: String },
    /// An object is not what was published.
    #[error("`{address}/{path}` is damaged: it should have SHA-256 {sha256}; put the file back from a backup or another copy")]
    Damaged { address: String, path: String, sha256: String },
    /// An object is gone.
    #[error("`{address}/{path}` is gone; put the file with SHA-256 {sha256} back from a backup or another copy")]
    Lost { address: String, path: String, sha256: String },
    /// A state that makes no sense.
    #[error("state {number} of `{address}` cannot be read ({why}); was it written by a newer tamis?")]
    State { address: String, number: u64, why: String },
    /// It took too long.
    #[error("sending to `{address}` took more than twelve hours and was given up; nothing there was touched")]
    TooLong { address: String },
}

impl HomeError {
    /// Whether the same command can succeed later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            HomeError::Remote(error) => error.is_passing(),
            HomeError::Busy { .. } | HomeError::Overtaken { .. } | HomeError::TooLong { .. } => true,
            HomeError::Store(error) => error.is_disk_full(),
            HomeError::Damaged { .. } | HomeError::Lost { .. } | HomeError::State { .. } => false,
        }
    }
}

/// What a transaction brought home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brought {
    /// Number of its state.
    pub number: u64,
    /// Files that are new or changed.
    pub changed: usize,
    /// Files that were removed.
    pub removed: usize,
    /// Earlier versions that the bucket had kept and that were removed.
    pub versions: u64,
}

/// A workspace in a store, and its copy here.
pub struct Home {
    bucket: Bucket,
    states: States,
    copy: Copy,
    /// Whether the bucket keeps earlier versions; nothing inside where it does not say, nothing at all before it was asked.
    keeps_versions: Option<Option<bool>>,
}

impl Home {
    /// The workspace at `address`, with its copy in `folder`. Finishes what another machine left half published.
    ///
    /// # Errors
    /// See [`HomeError`].
    pub fn open(address: &str, folder: &Path) -> Result<Home, HomeError> {
        let bucket = Bucket::open(address)?;
        let copy = Copy::open(&bucket.name(), folder)?;
        let mut home = Home { states: States::new(), bucket, copy, keeps_versions: None };
        // In this order: what was sent and is written in a state is no litter.
        home.states.learn(&home.bucket)?;
        home.tidy_up()?;
        home.catch_up()?;
        Ok(home)
    }

    /// Whether nothing was ever brought here.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.states.last() == 0
    }

    /// The workspace's folder on this machine.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.copy.workspace()
    }

    /// Removes what this copy sent and did not publish.
    fn tidy_up(&mut self) -> Result<(), HomeError> {
        let Some(ours) = self.copy.in_flight().map(str::to_owned) else { return Ok(()) };
        for listed in self.states.unfinished(&self.bucket, Some(&ours))? {
            self.bucket.remove(&listed.key)?;
        }
        Ok(self.copy.set_in_flight(None)?)
    }

    /// Follows what was published since, and finishes it. What this copy changed and did not publish is thrown away if others published.
    fn catch_up(&mut self) -> Result<(), HomeError> {
        if self.states.last() > self.copy.last() {
            self.copy.discard(self.states.tree())?;
        }
        self.finish()?;
        Ok(self.copy.follow(self.states.last(), self.states.tree())?)
    }

    /// Publishes, in order, what written states say and nobody has marked as done. Answers how many earlier versions went.
    fn finish(&mut self) -> Result<u64, HomeError> {
        let mut versions = 0;
        for state in self.states.unapplied(&self.bucket)? {
            versions += self.publish(&state)?;
            self.states.mark_applied(&self.bucket, state.number)?;
            store::lasting_change();
        }
        Ok(versions)
    }

    fn publish(&mut self, state: &State) -> Result<u64, HomeError> {
        let numbered: Vec<_> = state.changed.iter().enumerate().collect();
        store::side_by_side(&numbered, AT_ONCE, |(number, change)| -> Result<(), HomeError> {
            let staged = state.staged(*number);
            // What is not staged any more was copied by whoever began this.
            self.bucket.copy(&staged, &change.path)?;
            store::lasting_change();
            Ok(self.bucket.remove(&staged)?)
        })?;
        store::side_by_side(&state.removed, AT_ONCE, |path| -> Result<(), HomeError> {
            store::lasting_change();
            Ok(self.bucket.remove(path)?)
        })?;
        self.forget_what_went(state)
    }

    /// Removes the versions that the bucket kept of what `state` staged, replaced and removed. Answers how many.
    fn forget_what_went(&mut self, state: &State) -> Result<u64, HomeError> {
        if self.keeps_versions()? != Some(true) {
            return Ok(0);
        }
        let replaced = self.states.replaced_by(state);
        let counts = store::side_by_side(&replaced, AT_ONCE, |path| -> Result<u64, HomeError> { Ok(self.bucket.forget_versions(path)?) })?;
        self.bucket.forget_versions_below(&format!("{}{}", states::STAGING, state.transaction))?;
        Ok(counts.iter().sum())
    }

    fn keeps_versions(&mut self) -> Result<Option<bool>, HomeError> {
        if self.keeps_versions.is_none() {
            self.keeps_versions = Some(self.bucket.keeps_versions()?);
        }
        Ok(self.keeps_versions.flatten())
    }

    /// Fetches what is at home and wanted, where the copy does not have it, and removes what is not at home any more.
    ///
    /// # Errors
    /// When an object is not what was published, or the store or the disk refuses.
    pub fn fetch(&mut self, wanted: impl Fn(&str) -> bool) -> Result<usize, HomeError> {
        let missing: Vec<Change> = self.copy.missing().into_iter().filter(|change| wanted(&change.path)).collect();
        store::side_by_side(&missing, AT_ONCE, |change| self.fetch_one(change))?;
        missing.iter().for_each(|change| self.copy.note_here(&change.path));
        self.copy.save()?;
        Ok(missing.len())
    }

    fn fetch_one(&self, change: &Change) -> Result<(), HomeError> {
        let target = self.copy.workspace().join(&change.path);
        let address = self.bucket.name();
        for attempt in 1..=FETCHES_MAX {
            let Some(mut reader) = self.bucket.reader(&change.path)? else {
                return Err(HomeError::Lost { address, path: change.path.clone(), sha256: change.sha256.clone() });
            };
            let fault = reader.fault();
            match store::write_stream(&target, &mut reader, &change.sha256) {
                Ok(true) => return Ok(()),
                Ok(false) if attempt < FETCHES_MAX => std::thread::sleep(Duration::from_millis(200) * attempt),
                Ok(false) => break,
                Err(error) => return Err(fault.take().map_or(HomeError::Store(error), HomeError::Remote)),
            }
        }
        Err(HomeError::Damaged { address, path: change.path.clone(), sha256: change.sha256.clone() })
    }

    /// Brings home what was changed in the copy; nothing where nothing was. `verb` says what did it.
    ///
    /// # Errors
    /// [`HomeError::Overtaken`] when another machine changed one of the same files, else see [`HomeError`].
    pub fn bring(&mut self, verb: &str) -> Result<Option<Brought>, HomeError> {
        let mut state = State::new(verb, self.copy.changes()?, self.copy.removals());
        if state.is_empty() {
            self.copy.save()?;
            return Ok(None);
        }
        self.states.clear_litter(&self.bucket)?;
        self.copy.set_in_flight(Some(&state.transaction))?;
        let begun = Instant::now();
        let files: Vec<_> = state.changed.iter().enumerate().map(|(number, change)| (state.staged(number), change.path.clone())).collect();
        store::side_by_side(&files, AT_ONCE, |(staged, path)| -> Result<(), HomeError> {
            self.bucket.put_file(staged, &self.copy.workspace().join(path))?;
            store::lasting_change();
            Ok(())
        })?;
        let mut base = self.copy.last();
        loop {
            self.states.learn(&self.bucket)?;
            if let Some(path) = self.states.touched_since(base, &state) {
                self.tidy_up()?;
                return Err(HomeError::Overtaken { address: self.bucket.name(), path });
            }
            // In order: what a later state puts in place must not be overwritten by an earlier one.
            self.finish()?;
            if begun.elapsed() > SENDING_MAX {
                self.tidy_up()?;
                return Err(HomeError::TooLong { address: self.bucket.name() });
            }
            base = self.states.last();
            state.number = base + 1;
            if self.states.write(&self.bucket, &state)? {
                break;
            }
        }
        store::lasting_change();
        let versions = self.finish()?;
        self.copy.set_in_flight(None)?;
        self.copy.follow(self.states.last(), self.states.tree())?;
        self.copy.restamp(&state)?;
        Ok(Some(Brought { number: state.number, changed: state.changed.len(), removed: state.removed.len(), versions }))
    }

    /// Brings home what was changed in the copy, and takes over what others brought meanwhile, as far as it is wanted: for one of several machines that
    /// share a plan. `verb` says what did it.
    ///
    /// # Errors
    /// As [`Home::bring`] and [`Home::fetch`].
    pub fn exchange(&mut self, verb: &str, wanted: impl Fn(&str) -> bool) -> Result<(), HomeError> {
        self.bring(verb)?;
        self.states.learn(&self.bucket)?;
        self.catch_up()?;
        self.fetch(wanted)?;
        Ok(())
    }

    /// Removes every earlier version that the bucket keeps of anything of this workspace. Answers how many; nothing where the store does not tell
    /// whether it keeps any.
    ///
    /// # Errors
    /// When the store does not answer, or keeps versions that nobody may remove.
    pub fn forget_versions(&mut self) -> Result<Option<u64>, HomeError> {
        match self.keeps_versions()? {
            Some(false) => Ok(Some(0)),
            Some(true) => Ok(Some(self.bucket.forget_versions_below("")?)),
            None => match self.bucket.forget_versions_below("") {
                Err(RemoteError::VersionsRefused { .. }) => Ok(None),
                told => Ok(Some(told?)),
            },
        }
    }

    /// How many files lie there that some machine sent and did not publish: it is at it, or died less than a day ago.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn unfinished(&mut self) -> Result<usize, HomeError> {
        self.states.learn(&self.bucket)?;
        Ok(self.states.unfinished(&self.bucket, None)?.len())
    }
}
