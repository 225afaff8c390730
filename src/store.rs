//! What every write below a workspace goes through: files appear whole or not at all, and what was acknowledged survives power loss.
//!
//! New names are made by `link(2)`, which fails where the name exists, so of two writers one wins and the other compares. Names that
//! readers already know are replaced by `rename(2)`. Both are followed by an fsync of the folder.

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use data_encoding::HEXLOWER;
use rustix::io::Errno;
use sha2::{Digest, Sha256};

/// What a write of new bytes found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The name was free.
    Created,
    /// The same bytes stood there already.
    SameAlready,
}

/// Why something could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No room.
    #[error("no space left for `{path}`; make room on that disk and run the same command again: nothing that was finished is lost", path = path.display())]
    DiskFull { path: PathBuf, source: io::Error },
    /// The place cannot be written to.
    #[error("`{path}` cannot be written; make it writable for this user, or give another workspace", path = path.display())]
    ReadOnly { path: PathBuf, source: io::Error },
    /// Another writer was first, with other bytes.
    #[error("`{path}` exists with other contents", path = path.display())]
    Different { path: PathBuf },
    /// Two tries at one task gave different files.
    #[error(
        "NONDETERMINISM: `{path}` has SHA-256 {published}, but a second try at the same task gave {found}; nothing was replaced, please report this",
        path = path.display()
    )]
    Nondeterminism { path: PathBuf, published: String, found: String },
    /// The system refused for another reason.
    #[error("cannot use `{path}`", path = path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl StoreError {
    /// The error for what the system said about `path`.
    #[must_use]
    pub fn io(path: &Path, source: io::Error) -> StoreError {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::DiskFull { path, source },
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => StoreError::ReadOnly { path, source },
            _ => StoreError::Io { path, source },
        }
    }

    /// Whether the same command can succeed later without a change of the recipe.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        matches!(self, StoreError::DiskFull { .. })
    }
}

/// Lifts the system's word on `path` into a [`StoreError`].
fn on(path: &Path) -> impl FnOnce(io::Error) -> StoreError + '_ {
    |source| StoreError::io(path, source)
}

/// The moment after a lasting change, at which a process may die in a test: `TAMIS_KILL_AT=n` kills it with SIGKILL at the n-th such
/// moment, so that a test can go through all of them. Builds for users know no such variable.
pub(crate) fn lasting_change() {
    #[cfg(debug_assertions)]
    kill_at(&LASTING_CHANGES);
}

#[cfg(debug_assertions)]
static LASTING_CHANGES: AtomicU64 = AtomicU64::new(0);

#[cfg(debug_assertions)]
fn kill_at(changes: &AtomicU64) {
    static AT: std::sync::OnceLock<Option<u64>> = std::sync::OnceLock::new();
    let Some(at) = *AT.get_or_init(|| std::env::var("TAMIS_KILL_AT").ok().and_then(|text| text.parse().ok())) else { return };
    if changes.fetch_add(1, Ordering::Relaxed) + 1 == at {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// Makes `folder` and all above it that are missing, each safe from power loss.
///
/// # Errors
/// What the system says.
pub fn create_folder(folder: &Path) -> Result<(), StoreError> {
    create_folders([folder])
}

/// Makes these folders and all above them that are missing, safe from power loss together.
///
/// # Errors
/// What the system says.
pub fn create_folders<'a>(folders: impl IntoIterator<Item = &'a Path>) -> Result<(), StoreError> {
    let mut changed = BTreeSet::new();
    for folder in folders.into_iter().filter(|folder| !folder.is_dir()) {
        if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            create_folder(parent)?;
        }
        match fs::create_dir(folder) {
            Ok(()) => {
                lasting_change();
                changed.insert(folder.parent().unwrap_or(folder));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => {}
            Err(error) => return Err(StoreError::io(folder, error)),
        }
    }
    fsync_folders(changed)
}

/// Removes `folder` with all that is in it; fine if it is not there.
///
/// # Errors
/// What the system says.
pub fn remove_folder(folder: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::io(folder, error)),
        _ => {
            lasting_change();
            Ok(())
        }
    }
}

/// Removes a file; fine if it is not there.
///
/// # Errors
/// What the system says.
pub fn remove_file(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::io(path, error)),
        _ => {
            lasting_change();
            Ok(())
        }
    }
}

/// Makes the names in `folder` safe from power loss.
///
/// # Errors
/// What the system says.
pub fn fsync_folder(folder: &Path) -> Result<(), StoreError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder).and_then(|file| file.sync_all()).map_err(on(folder))
}

/// Creates `path` with `bytes`, whole and on disk, unless it exists. Many may try at once; one creates it.
///
/// # Errors
/// [`StoreError::Different`] when it exists with other bytes, else what the system says.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<Written, StoreError> {
    write_new_with(path, bytes, None)
}

/// As [`write_new`], with these permissions from the first moment.
///
/// # Errors
/// As [`write_new`].
pub fn write_new_with(path: &Path, bytes: &[u8], permissions: Option<Permissions>) -> Result<Written, StoreError> {
    let temporary = temporary_name(path);
    let linked = write_synced(&temporary, bytes, permissions).and_then(|()| link(&temporary, path));
    let removed = remove_file(&temporary);
    if linked? {
        removed?;
        fsync_folder(folder_of(path))?;
        return Ok(Written::Created);
    }
    if fs::read(path).map_err(on(path))? != bytes {
        return Err(StoreError::Different { path: path.to_owned() });
    }
    // The other writer may have died before its fsync.
    fsync_folder(folder_of(path))?;
    Ok(Written::SameAlready)
}

/// Puts `bytes` at `path` in one step, whatever stands there: for files that are only notes.
///
/// # Errors
/// What the system says.
pub fn write_over(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let temporary = temporary_name(path);
    let written = write_synced(&temporary, bytes, None).and_then(|()| replace(&temporary, path));
    if written.is_err() {
        // The first error says more than a failure to tidy up after it.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// As [`write_over`], without waiting for the disk: for what is checked when it is read, and can be lost.
///
/// # Errors
/// What the system says.
pub fn write_loose(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let temporary = temporary_name(path);
    let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path)).map_err(on(path));
    match written {
        Ok(()) => lasting_change(),
        // The first error says more than a failure to tidy up after it.
        Err(_) => drop(fs::remove_file(&temporary)),
    }
    written
}

/// Writes what `from` gives to `path`, whole and on disk, over what stands there, if it has this SHA-256 (hex). Answers whether it has; else nothing is
/// changed.
///
/// # Errors
/// What the system or the reader says.
pub fn write_stream(path: &Path, from: &mut impl Read, sha256: &str) -> Result<bool, StoreError> {
    create_folder(folder_of(path))?;
    let temporary = temporary_name(path);
    let written = copy_hashed(from, &temporary).map_err(on(path)).and_then(|found| {
        let is_right = found == sha256;
        if is_right {
            replace(&temporary, path)?;
        }
        Ok(is_right)
    });
    if !matches!(written, Ok(true)) {
        // The answer says more than a failure to tidy up after it.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Writes what `from` gives to a file, synced. Answers its SHA-256, hex.
fn copy_hashed(from: &mut impl Read, to: &Path) -> io::Result<String> {
    let (mut file, mut sha256, mut buffer) = (File::create(to)?, Sha256::new(), vec![0; 256 << 10]);
    loop {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                sha256.update(&buffer[..length]);
                file.write_all(&buffer[..length])?;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    file.sync_all()?;
    Ok(HEXLOWER.encode(&sha256.finalize()))
}

/// Calls `work` with each item, so many at a time, and answers what it answered, in the order of the items.
///
/// # Errors
/// That of the first item, in their order, of those that failed; items that nobody has begun are left alone then.
pub fn side_by_side<I: Sync, T: Send, E: Send>(items: &[I], at_once: usize, work: impl Fn(&I) -> Result<T, E> + Sync) -> Result<Vec<T>, E> {
    let (next, has_failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let answers: Mutex<Vec<(usize, Result<T, E>)>> = Mutex::new(Vec::new());
    let worker = || {
        while !has_failed.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(number) else { break };
            let answer = work(item);
            has_failed.fetch_or(answer.is_err(), Ordering::Relaxed);
            answers.lock().unwrap_or_else(PoisonError::into_inner).push((number, answer));
        }
    };
    std::thread::scope(|scope| {
        (1..at_once.min(items.len())).for_each(|_| drop(scope.spawn(worker)));
        worker();
    });
    let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    answers.sort_by_key(|(number, _)| *number);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Gives each finished file, the first of a pair, the second as a name as well, unless that exists. An equal file there is fine: another try at the
/// same task made it. Folders that are missing are made.
///
/// # Errors
/// [`StoreError::Nondeterminism`] when a different file stands there, else what the system says.
pub fn publish_new(names: impl IntoIterator<Item = (PathBuf, PathBuf)>) -> Result<(), StoreError> {
    let names: Vec<(PathBuf, PathBuf)> = names.into_iter().collect();
    create_folders(names.iter().map(|(_, to)| folder_of(to)))?;
    for (from, to) in &names {
        if !link(from, to)? {
            let (published, found) = (sha256_file(to)?, sha256_file(from)?);
            if published != found {
                return Err(StoreError::Nondeterminism { path: to.to_owned(), published, found });
            }
        }
    }
    fsync_folders(names.iter().map(|(_, to)| folder_of(to)))
}

/// Gives the finished file `from` the new name `to` as well: a hard link, or a copy where the system gives none: on another disk, or at its limit of links.
/// Whoever changes one of the names in place would change both; nobody here does.
///
/// # Errors
/// [`StoreError::Different`] when `to` exists, else what the system says.
pub fn link_or_copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    match fs::hard_link(from, to) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(StoreError::Different { path: to.to_owned() }),
        Err(error) if NO_LINKS.iter().any(|known| error.raw_os_error() == Some(known.raw_os_error())) => {
            fs::copy(from, to).and_then(|_| File::open(to)?.sync_all()).map_err(on(to))?;
        }
        Err(error) => return Err(StoreError::io(to, error)),
    }
    lasting_change();
    fsync_folder(folder_of(to))
}

/// What a system says that gives no hard link where it could give a copy.
const NO_LINKS: [Errno; 4] = [Errno::XDEV, Errno::MLINK, Errno::PERM, Errno::OPNOTSUPP];

/// Moves `from` over `to` in one step: readers see the old file or the new one, never none and never both.
///
/// # Errors
/// What the system says.
pub fn replace(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(from, to).map_err(on(to))?;
    lasting_change();
    fsync_folders([folder_of(to), folder_of(from)])
}

/// Makes the names in all these folders safe from power loss, each folder once.
///
/// # Errors
/// What the system says.
pub fn fsync_folders<'a>(folders: impl IntoIterator<Item = &'a Path>) -> Result<(), StoreError> {
    folders.into_iter().collect::<BTreeSet<_>>().into_iter().try_for_each(fsync_folder)
}

/// SHA-256 of bytes, hex.
#[must_use]
pub fn sha256_bytes(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// SHA-256 of a file, hex.
///
/// # Errors
/// What the system says.
pub fn sha256_file(path: &Path) -> Result<String, StoreError> {
    let mut file = File::open(path).map_err(on(path))?;
    let mut sha256 = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(HEXLOWER.encode(&sha256.finalize())),
            Ok(length) => sha256.update(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(StoreError::io(path, error)),
        }
    }
}

/// All files below `folder`, sorted; none where it is not there.
///
/// # Errors
/// When a folder cannot be read.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(place) = open.pop() {
        let entries = match fs::read_dir(&place) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(StoreError::io(&place, error)),
        };
        for entry in entries {
            let path = entry.map_err(|error| StoreError::io(&place, error))?.path();
            if path.is_dir() { open.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Ok(files)
}

/// Bytes that this user may still write on the disk that holds `path`.
///
/// # Errors
/// What the system says.
pub fn free_bytes(path: &Path) -> Result<u64, StoreError> {
    let disk = rustix::fs::statvfs(path).map_err(|errno: Errno| StoreError::io(path, errno.into()))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// A name for what is this process's own in a folder that other machines write to as well: two of them can have processes of one number,
/// and in containers nearly always do.
#[must_use]
pub fn own_name() -> &'static str {
    static NAME: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    NAME.get_or_init(|| {
        // Without the system's random numbers the process's number must do.
        let chance = getrandom::u64().unwrap_or(0);
        format!("{}-{chance:016x}", std::process::id())
    })
}

/// A name beside `path` that no other writer uses: process and a count.
fn temporary_name(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}-{count}.tmp", own_name()))
}

fn write_synced(path: &Path, bytes: &[u8], permissions: Option<Permissions>) -> Result<(), StoreError> {
    let write = |mut file: File| {
        permissions.map_or(Ok(()), |permissions| file.set_permissions(permissions))?;
        file.write_all(bytes).and_then(|()| file.sync_all())
    };
    File::create(path).and_then(write).map_err(on(path))?;
    lasting_change();
    Ok(())
}

/// Whether `to` was free and is now a name of `from`.
fn link(from: &Path, to: &Path) -> Result<bool, StoreError> {
    match fs::hard_link(from, to) {
        Ok(()) => {
            lasting_change();
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(StoreError::io(to, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn of_two_writers_one_creates_and_the_other_compares() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("00000001.json");
        assert_eq!(write_new(&path, b"one").expect("room"), Written::Created);
        assert_eq!(write_new(&path, b"one").expect("room"), Written::SameAlready);
        assert!(matches!(write_new(&path, b"two"), Err(StoreError::Different { .. })));
        assert_eq!(fs::read(&path).expect("it is there"), b"one");
        assert_eq!(names(folder.path()), ["00000001.json"]);
    }

    #[test]
    fn of_many_threads_exactly_one_creates() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("commit.json");
        let created = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..8).map(|_| scope.spawn(|| write_new(&path, b"same").expect("room"))).collect();
            writers.into_iter().filter_map(|writer| writer.join().ok()).filter(|written| *written == Written::Created).count()
        });
        assert_eq!(created, 1);
    }

    #[test]
    fn an_equal_orphan_is_fine_and_a_different_one_is_loud() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [attempt, published] = ["attempt", "published"].map(|name| folder.path().join(name));
        fs::write(&attempt, "labas").expect("room");
        for _ in 0..2 {
            publish_new([(attempt.clone(), published.clone())]).expect("room");
        }
        let other = folder.path().join("other");
        fs::write(&other, "kitas").expect("room");
        let error = publish_new([(other.clone(), published.clone())]).expect_err("it differs").to_string();
        assert!(error.starts_with("NONDETERMINISM"), "{error}");
        for path in [&other, &published] {
            assert!(error.contains(&sha256_file(path).expect("it is there")), "{error}");
        }
        assert_eq!(fs::read(&published).expect("it is there"), b"labas");
    }

    #[test]
    fn a_full_disk_and_a_closed_door_are_told_apart() {
        let error = |errno: Errno| StoreError::io(Path::new("w/_tamis"), errno.into());
        assert!(error(Errno::NOSPC).is_disk_full());
        assert!(error(Errno::DQUOT).is_disk_full());
        assert!(matches!(error(Errno::ROFS), StoreError::ReadOnly { .. }));
        assert!(matches!(error(Errno::ACCESS), StoreError::ReadOnly { .. }));
        assert!(matches!(error(Errno::IO), StoreError::Io { .. }));
    }

    #[test]
    fn replacing_leaves_one_file_and_folders_appear_whole() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data/corpus/lang=mt");
        create_folder(&data).expect("room");
        create_folder(&data).expect("it is there already");
        let staged = folder.path().join("staged");
        for text in ["il-bieraħ", "illum"] {
            fs::write(&staged, text).expect("room");
            replace(&staged, &data.join("part-00000.parquet")).expect("room");
        }
        assert_eq!(fs::read_to_string(data.join("part-00000.parquet")).expect("it is there"), "illum");
        write_over(&data.join("note"), b"1").expect("room");
        write_over(&data.join("note"), b"2").expect("room");
        assert_eq!(fs::read(data.join("note")).expect("it is there"), b"2");
        assert_eq!(names(&data).len(), 2);
        assert!(free_bytes(&data).expect("a disk") > 0);
        remove_folder(&data).expect("it is ours");
        remove_folder(&data).expect("it is gone already");
    }
}
