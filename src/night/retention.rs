//! What is old enough to go. An archive goes only when all it holds was published or dropped by a sealed run: what no run has read yet is
//! never removed, however old.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::settings::Keep;
use crate::locator;
use crate::store::{self, StoreError};
use crate::workspace::Workspace;

/// What was removed: files and bytes, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Removed(pub BTreeMap<String, (u64, u64)>);

impl Removed {
    fn add(&mut self, kind: &str, bytes: u64) {
        let entry = self.0.entry(kind.to_owned()).or_default();
        entry.0 += 1;
        entry.1 += bytes;
    }

    /// Bytes of all kinds.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.values().map(|(_, bytes)| bytes).sum()
    }
}

/// Removes what `keep` says on the day `today`. `read` are the canonical paths of all
/// archives that sealed runs have read.
///
/// # Errors
/// When something cannot be looked at or removed.
pub fn retain(workspace: &Workspace, keep: &Keep, today: Date, now: Timestamp, read: &BTreeSet<PathBuf>) -> Result<Removed, StoreError> {
    let mut removed = Removed::default();
    if keep.archive_days > 0 {
        for folder in nights_to_remove(&workspace.archive(), keep.archive_days, today, read)? {
            for path in store::files_below(&folder)? {
                remove(workspace, &path, "archives", &mut removed)?;
            }
            store::remove_folder(&folder)?;
        }
    }
    for (folder, kind, days) in [
        (workspace.all_rejects(), "rejects", keep.rejects_days),
        (workspace.all_quarantine(), "rejects", keep.rejects_days),
        (workspace.logs(), "logs", keep.log_days),
    ] {
        // What was found of opt-outs is evidence, and stays.
        for path in files_older(&folder, days, now)?.into_iter().filter(|path| !path.starts_with(workspace.optout_history())) {
            remove(workspace, &path, kind, &mut removed)?;
        }
    }
    Ok(removed)
}

/// Removes a file with the list of where its documents lie.
fn remove(workspace: &Workspace, path: &Path, kind: &str, removed: &mut Removed) -> Result<(), StoreError> {
    let bytes = std::fs::metadata(path).map_or(0, |about| about.len());
    store::remove_file(path)?;
    store::remove_file(&locator::list_path(workspace, path))?;
    removed.add(kind, bytes);
    Ok(())
}

/// The folders of nights that are more than `days` old and were read whole.
fn nights_to_remove(archive: &Path, days: u32, today: Date, read: &BTreeSet<PathBuf>) -> Result<Vec<PathBuf>, StoreError> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(archive).into_iter().flatten() {
        let path = entry.map_err(|error| StoreError::io(archive, error))?.path();
        let date = path.file_name().and_then(|name| name.to_str()?.parse::<Date>().ok());
        let Some(age) = date.map(|date| (today - date).get_days()).filter(|_| path.is_dir()) else { continue };
        let files = store::files_below(&path)?;
        let is_read = files
            .iter()
            .filter(|path| path.to_string_lossy().ends_with(".warc.gz"))
            .all(|path| path.canonicalize().is_ok_and(|path| read.contains(&path)));
        if age > i32::try_from(days).unwrap_or(i32::MAX) && is_read {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// Files below `folder` that were last changed more than `days` days ago; none for 0.
fn files_older(folder: &Path, days: u32, now: Timestamp) -> Result<Vec<PathBuf>, StoreError> {
    if days == 0 {
        return Ok(Vec::new());
    }
    let most = i64::from(days) * 86_400;
    let is_old = |path: &PathBuf| {
        let changed = std::fs::metadata(path).and_then(|about| about.modified()).ok().and_then(|changed| Timestamp::try_from(changed).ok());
        changed.is_some_and(|changed| now.as_second() - changed.as_second() > most)
    };
    Ok(store::files_below(folder)?.into_iter().filter(is_old).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_old_and_was_read_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let workspace = Workspace::open(folder.path()).expect("room");
        let archive = |night: &str| {
            let path = workspace.archive().join(night).join(format!("tamis-{night}-00000.warc.gz"));
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("room");
            std::fs::write(&path, "archive").expect("room");
            std::fs::write(path.with_extension("cdxj"), "index").expect("room");
            path
        };
        let [old, unread, young] = ["2026-10-01", "2026-10-02", "2026-11-20"].map(archive);
        let reject = workspace.all_rejects().join("plan/emit-0.rejects.parquet");
        std::fs::create_dir_all(reject.parent().expect("a folder")).expect("room");
        std::fs::write(&reject, "rejects").expect("room");
        let read = [&old, &young].map(|path| path.canonicalize().expect("it is there")).into();
        let today: Date = "2026-11-26".parse().expect("a day");
        let now = Timestamp::now();
        let run = |keep: Keep, now| retain(&workspace, &keep, today, now, &read).expect("it is ours").0;
        assert!(run(Keep::default(), now).is_empty(), "by default all stays");
        let keep = Keep { archive_days: 30, rejects_days: 10, log_days: 10 };
        assert_eq!(run(keep.clone(), now), [("archives".to_owned(), (2, 12))].into());
        assert_eq!([&old, &unread, &young, &reject].map(|path| path.exists()), [false, true, true, true]);
        assert_eq!(run(keep, now + std::time::Duration::from_secs(11 * 86_400)), [("rejects".to_owned(), (1, 7))].into());
    }
}
