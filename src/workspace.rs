//! The folders of a workspace, by name. `data/` holds published shards and nothing else; all the rest lies under `_tamis/`.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::store::{StoreError, create_folder};

/// The folders under `_tamis/` (design, section 3).
const FOLDERS: [&str; 17] = [
    "manifest",
    "staging",
    "plans",
    "commits",
    "attempts",
    "ledger",
    "index",
    "frontier",
    "harvest",
    "rejects",
    "quarantine",
    "suppression",
    "receipts",
    "locator",
    "feed",
    "exports",
    "nights",
];
/// The folder of our own under the root.
const OURS: &str = "_tamis";

/// A workspace: a folder that holds data sets and all that tamis knows of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    root: PathBuf,
}

/// Why a workspace cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// Something else has its name.
    #[error("the workspace `{path}` is not a folder; give the path of a folder, or of one to be made", path = path.display())]
    NotAFolder { path: PathBuf },
    /// Its folders cannot be made.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another process works in it.
    #[error("another tamis ({holder}) is at work in `{root}`; wait for it to end, or use another workspace", root = root.display())]
    Busy { root: PathBuf, holder: String },
    /// A path that leads to no data set.
    #[error("`{path}` is not a data set; give a folder such as WORKSPACE/data/NAME", path = path.display())]
    NoDataset { path: PathBuf },
}

/// The right to change a workspace; it ends with the value, or with the process.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Workspace {
    /// Opens the workspace at `root`; makes it if it is not there.
    ///
    /// # Errors
    /// When `root` is no folder, or its folders cannot be made.
    pub fn open(root: &Path) -> Result<Workspace, WorkspaceError> {
        if root.exists() && !root.is_dir() {
            return Err(WorkspaceError::NotAFolder { path: root.to_owned() });
        }
        let workspace = Workspace { root: root.to_owned() };
        create_folder(&root.join("data"))?;
        for folder in FOLDERS {
            create_folder(&workspace.ours(folder))?;
        }
        create_folder(&workspace.logs())?;
        Ok(workspace)
    }

    /// The workspace that holds the data set at `path`, and the data set's name. Changes nothing.
    ///
    /// # Errors
    /// When `path` is not there, or does not lie in a workspace's `data/`.
    pub fn of_dataset(path: &Path) -> Result<(Workspace, String), WorkspaceError> {
        let none = || WorkspaceError::NoDataset { path: path.to_owned() };
        let full = path.canonicalize().map_err(|_| none())?;
        for folder in full.ancestors() {
            let (Some(Component::Normal(name)), Some(data)) = (folder.components().next_back(), folder.parent()) else { continue };
            if let Some(root) = data.parent().filter(|root| data.ends_with("data") && root.join(OURS).is_dir()) {
                return Ok((Workspace { root: root.to_owned() }, name.to_str().ok_or_else(none)?.to_owned()));
            }
        }
        Err(none())
    }

    /// The workspace and the name of the packed data set at `path` (`packed/<name>`), if it is one. Changes nothing.
    #[must_use]
    pub fn of_packed(path: &Path) -> Option<(Workspace, String)> {
        let full = path.canonicalize().ok().filter(|full| full.join("pack.json").is_file())?;
        let root = full.parent().filter(|packed| packed.ends_with("packed"))?.parent().filter(|root| root.join(OURS).is_dir())?;
        Some((Workspace { root: root.to_owned() }, full.file_name()?.to_str()?.to_owned()))
    }

    /// The workspace and the folder of the release at `path` (`releases/<name>`), if it is one. Changes nothing.
    #[must_use]
    pub fn of_release(path: &Path) -> Option<(Workspace, PathBuf)> {
        // As it is written: the folder of releases may be a link to another disk.
        let full = std::path::absolute(path).ok().filter(|full| full.join("release.json").is_file())?;
        let root = full.parent().filter(|releases| releases.ends_with("releases"))?.parent().filter(|root| root.join(OURS).is_dir())?;
        Some((Workspace { root: root.to_owned() }, full))
    }

    /// The workspace and the data set that the deduplication index at `path` belongs to (`_tamis/index/<data set>`), or those of
    /// [`Workspace::of_dataset`]. Changes nothing.
    ///
    /// # Errors
    /// When `path` is not there, or is neither.
    pub fn of_index(path: &Path) -> Result<(Workspace, String), WorkspaceError> {
        let index =
            path.canonicalize().ok().filter(|full| full.parent().is_some_and(|parent| parent.ends_with(Path::new(OURS).join("index"))));
        match index.as_deref().and_then(|full| Some((full.ancestors().nth(3)?, full.file_name()?.to_str()?))) {
            Some((root, dataset)) => Ok((Workspace { root: root.to_owned() }, dataset.to_owned())),
            None => Workspace::of_dataset(path),
        }
    }

    /// Takes the right to change the workspace, or says who has it.
    ///
    /// # Errors
    /// [`WorkspaceError::Busy`] while another process has it.
    pub fn lock(&self) -> Result<Lock, WorkspaceError> {
        let path = self.ours("lock");
        let refused = |source| StoreError::io(&path, source);
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path).map_err(refused)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(WorkspaceError::Busy { root: self.root.clone(), holder: holder(&mut file) }),
            Err(errno) => return Err(StoreError::io(&path, errno.into()).into()),
        }
        let note = format!("process {}, since {}", std::process::id(), jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC"));
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(note.as_bytes())).map_err(refused)?;
        Ok(Lock { _file: file })
    }

    fn ours(&self, folder: &str) -> PathBuf {
        self.root.join(OURS).join(folder)
    }

    /// The workspace's own folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where packed data sets lie.
    #[must_use]
    pub fn packed(&self) -> PathBuf {
        self.root.join("packed")
    }

    /// Where frozen versions of data sets lie.
    #[must_use]
    pub fn releases(&self) -> PathBuf {
        self.root.join("releases")
    }

    /// Where the records of exports lie.
    #[must_use]
    pub fn exports(&self) -> PathBuf {
        self.ours("exports")
    }

    /// Published shards of a data set.
    #[must_use]
    pub fn data(&self, dataset: &str) -> PathBuf {
        self.root.join("data").join(dataset)
    }

    /// Published shards of all data sets.
    #[must_use]
    pub fn all_data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Numbered manifests: what is published.
    #[must_use]
    pub fn manifest(&self) -> PathBuf {
        self.ours("manifest")
    }

    /// Finished files of a plan that are not published.
    #[must_use]
    pub fn staging(&self, plan: &str) -> PathBuf {
        self.ours("staging").join(plan)
    }

    /// Plans, a file each.
    #[must_use]
    pub fn plans(&self) -> PathBuf {
        self.ours("plans")
    }

    /// Commit records of a plan.
    #[must_use]
    pub fn commits(&self, plan: &str) -> PathBuf {
        self.ours("commits").join(plan)
    }

    /// Folders in which tasks of a plan are being tried.
    #[must_use]
    pub fn attempts(&self, plan: &str) -> PathBuf {
        self.ours("attempts").join(plan)
    }

    /// Ledgers of sealed runs.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.ours("ledger")
    }

    /// Dropped documents of a plan.
    #[must_use]
    pub fn rejects(&self, plan: &str) -> PathBuf {
        self.ours("rejects").join(plan)
    }

    /// What could not be read or finished in a plan.
    #[must_use]
    pub fn quarantine(&self, plan: &str) -> PathBuf {
        self.ours("quarantine").join(plan)
    }

    /// What must not come back.
    #[must_use]
    pub fn suppression(&self) -> PathBuf {
        self.ours("suppression")
    }

    /// Receipts of takedowns, and their register.
    #[must_use]
    pub fn receipts(&self) -> PathBuf {
        self.ours("receipts")
    }

    /// Where documents lie: a list for each file of documents or captures. It can be made anew from them.
    #[must_use]
    pub fn locator(&self) -> PathBuf {
        self.ours("locator")
    }

    /// What mirrors are told of takedowns.
    #[must_use]
    pub fn feed(&self) -> PathBuf {
        self.ours("feed")
    }

    /// What a crawler knows of the web.
    #[must_use]
    pub fn frontier(&self) -> PathBuf {
        self.ours("frontier")
    }

    /// What is known of repositories that are harvested.
    #[must_use]
    pub fn harvest(&self) -> PathBuf {
        self.ours("harvest")
    }

    /// Archives that belong to the workspace: what a crawler fetched.
    #[must_use]
    pub fn archive(&self) -> PathBuf {
        self.root.join("archive")
    }

    /// Rejects of all plans.
    #[must_use]
    pub fn all_rejects(&self) -> PathBuf {
        self.ours("rejects")
    }

    /// Quarantine lists of all plans.
    #[must_use]
    pub fn all_quarantine(&self) -> PathBuf {
        self.ours("quarantine")
    }

    /// Staging, attempts and commit records of all plans.
    #[must_use]
    pub fn all_unsealed(&self) -> [PathBuf; 3] {
        ["commits", "attempts", "staging"].map(|folder| self.ours(folder))
    }

    /// What became of each night, by data set: counts and no names.
    #[must_use]
    pub fn nights(&self) -> PathBuf {
        self.ours("nights")
    }

    /// What hosts said about training when they were looked at again; among the logs, where takedowns reach it.
    #[must_use]
    pub fn optout_history(&self) -> PathBuf {
        self.logs().join("optouts")
    }

    /// What visitors of the page did, without names.
    #[must_use]
    pub fn audit(&self) -> PathBuf {
        self.ours("audit")
    }

    /// What people said of documents.
    #[must_use]
    pub fn labels(&self) -> PathBuf {
        self.ours("labels")
    }

    /// Logs.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.ours("logs")
    }
}

/// Who holds the lock, as the lock file says; the holder may be about to write it.
fn holder(file: &mut File) -> String {
    let mut note = String::new();
    match file.take(200).read_to_string(&mut note) {
        Ok(length) if length > 0 => note,
        Err(error) if error.kind() != ErrorKind::InvalidData => format!("unknown: {error}"),
        _ => "just started".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opening_makes_the_folders_of_the_design() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let workspace = Workspace::open(&folder.path().join("deep/w")).expect("a free place");
        for path in [workspace.manifest(), workspace.plans(), workspace.ledger(), workspace.logs(), workspace.root().join("data")] {
            assert!(path.is_dir(), "{}", path.display());
        }
        assert_eq!(workspace.data("web"), folder.path().join("deep/w/data/web"));
        assert_eq!(Workspace::open(workspace.root()).expect("it is ours"), workspace);
    }

    #[test]
    fn a_file_is_no_workspace_and_a_closed_door_says_what_to_do() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("notes.txt");
        std::fs::write(&file, "x").expect("room");
        let error = Workspace::open(&file).expect_err("a file").to_string();
        assert!(error.ends_with("is not a folder; give the path of a folder, or of one to be made"), "{error}");
        let error = Workspace::open(Path::new("/proc/tamis")).expect_err("nobody may write there").to_string();
        assert!(error.starts_with("cannot use `/proc/tamis") || error.contains("make it writable for this user"), "{error}");
    }

    #[test]
    fn a_second_process_is_told_who_is_at_work() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let workspace = Workspace::open(folder.path()).expect("a free place");
        let lock = workspace.lock().expect("nobody has it");
        let error = workspace.lock().expect_err("it is held").to_string();
        assert!(error.starts_with(&format!("another tamis (process {}, since 2", std::process::id())), "{error}");
        drop(lock);
        workspace.lock().expect("it was given back");
    }

    #[test]
    fn a_data_set_knows_its_workspace() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().canonicalize().expect("it is there").join("w");
        let workspace = Workspace::open(&root).expect("a free place");
        let shards = workspace.data("web").join("lang=ga");
        create_folder(&shards).expect("room");
        assert_eq!(Workspace::of_dataset(&shards).expect("inside"), (workspace.clone(), "web".to_owned()));
        assert_eq!(Workspace::of_dataset(&workspace.data("web")).expect("the data set"), (workspace.clone(), "web".to_owned()));
        for wrong in [workspace.data("none"), root.clone(), workspace.all_data()] {
            assert!(matches!(Workspace::of_dataset(&wrong), Err(WorkspaceError::NoDataset { .. })), "{}", wrong.display());
        }
    }
}
