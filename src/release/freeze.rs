//! How a release is made: everything in a folder that is not finished, in the end one rename. Asked again it is found to be there; what a takedown took
//! of its reports is made anew.

use std::path::Path;

use super::ReleaseError;
use super::record::{FACTS, RECORD, Release, ReleaseRecord, ReleasedFile, ReportFile, SIGNATURE, SUMS, UNFINISHED, all, to_json};
use super::reports;
use crate::ledger::manifest::{FileEntry, Manifests};
use crate::ledger::receipt::Signer;
use crate::publish::facts::Facts;
use crate::publish::sums;
use crate::store::{self, sha256_bytes};
use crate::suppression::sequence;
use crate::workspace::Workspace;

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// Name of the release.
    pub name: &'a str,
    /// The data set.
    pub dataset: &'a str,
    /// What the publisher says, as TOML; none: what the release has, or nothing.
    pub facts: Option<&'a str>,
    /// The day, YYYY-MM-DD.
    pub day: &'a str,
}

/// What became of it.
#[derive(Clone, Debug)]
pub enum Frozen {
    /// It was made now.
    Now(Release),
    /// It was there, and its reports were made anew.
    Renewed(Release),
    /// It was there, and whole.
    Before(Release),
}

/// Freezes the published state of a data set under a name. The caller holds the lock of the workspace.
///
/// # Errors
/// See [`ReleaseError`]. Nothing appears under the name unless all of it is there.
pub fn freeze(workspace: &Workspace, order: &Order<'_>, signer: &Signer) -> Result<Frozen, ReleaseError> {
    check(order.name)?;
    order.facts.map(facts_of).transpose()?;
    let folder = workspace.releases().join(order.name);
    if folder.join(RECORD).is_file() {
        let release = Release::read(&folder)?;
        if release.record.dataset != order.dataset {
            return Err(ReleaseError::Taken { name: order.name.to_owned(), dataset: release.record.dataset });
        }
        let facts_now = std::fs::read_to_string(folder.join(FACTS)).ok();
        if is_whole(&release) && order.facts.is_none_or(|facts| facts_now.as_deref() == Some(facts)) {
            return Ok(Frozen::Before(release));
        }
        return Ok(Frozen::Renewed(renew(workspace, release, order.facts, signer)?));
    }
    let new = workspace.releases().join(format!("{UNFINISHED}{}", order.name));
    store::remove_folder(&new)?;
    let made = lay(workspace, order, &new).and_then(|release| renew(workspace, release, order.facts, signer));
    let release = made.inspect_err(|_| {
        // What cannot be removed now is removed by the next command of this name.
        let _ = store::remove_folder(&new);
    })?;
    store::replace(&new, &folder)?;
    Ok(Frozen::Now(Release { folder, ..release }))
}

fn check(name: &str) -> Result<(), ReleaseError> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(fine) && name != "list" {
        true => Ok(()),
        false => Err(ReleaseError::Name { name: name.to_owned() }),
    }
}

fn facts_of(text: &str) -> Result<Facts, ReleaseError> {
    Facts::parse(text).map_err(|why| ReleaseError::Facts(format!("the publisher's facts: {why}")))
}

/// Lays the shards into the folder `new`.
fn lay(workspace: &Workspace, order: &Order<'_>, new: &Path) -> Result<Release, ReleaseError> {
    let manifests = Manifests::open(workspace)?;
    let published: Vec<&FileEntry> = manifests.current(order.dataset).into_values().filter(|file| file.rows > 0).collect();
    if published.is_empty() {
        return Err(ReleaseError::Nothing { dataset: order.dataset.to_owned() });
    }
    let mut files = Vec::new();
    for file in published {
        let (from, to) = (workspace.root().join(&file.path), new.join(&file.path));
        store::create_folder(to.parent().unwrap_or(new))?;
        store::link_or_copy(&from, &to)?;
        if store::sha256_file(&to)? != file.sha256 {
            return Err(ReleaseError::Corrupt { path: from });
        }
        let FileEntry { path, sha256, rows, bytes, tokens, .. } = file.clone();
        files.push(ReleasedFile { path, sha256, before: None, bytes, rows, tokens });
    }
    let record = ReleaseRecord {
        version: 1,
        name: order.name.to_owned(),
        dataset: order.dataset.to_owned(),
        manifest: manifests.of_dataset(order.dataset).last().map_or(0, |manifest| manifest.number),
        takedown_sequence: sequence(workspace)?,
        released: order.day.to_owned(),
        tamis: env!("CARGO_PKG_VERSION").to_owned(),
        files,
        reports: Vec::new(),
    };
    Ok(Release { folder: new.to_owned(), record })
}

/// Makes the reports, checksums and signature of `release` from the shards that it has. The checksums come last: where they are and hold, all else is there.
///
/// # Errors
/// When its shards cannot be read, or something cannot be written.
pub fn renew(workspace: &Workspace, mut release: Release, facts: Option<&str>, signer: &Signer) -> Result<Release, ReleaseError> {
    let place = release.folder.join(FACTS);
    if let Some(text) = facts {
        store::write_over(&place, text.as_bytes())?;
    }
    let text = std::fs::read_to_string(&place).ok();
    let facts = text.as_deref().map(facts_of).transpose()?.unwrap_or_default();
    let made = reports::make(workspace, release.record.as_version(&release.folder), facts)?;
    let report =
        |(name, text): (&str, &str)| ReportFile { path: name.to_owned(), sha256: sha256_bytes(text.as_bytes()), bytes: text.len() as u64 };
    for (name, text) in &made {
        store::write_over(&release.folder.join(name), text.as_bytes())?;
    }
    let own = text.as_deref().map(|text| (FACTS, text));
    release.record.reports = made.iter().map(|(name, text)| (*name, text.as_str())).chain(own).map(report).collect();
    release.write()?;
    let list = list_of(&release.record);
    store::write_over(&release.folder.join(SIGNATURE), sums::signature(&list, signer).as_bytes())?;
    store::write_over(&release.folder.join(SUMS), list.as_bytes())?;
    Ok(release)
}

/// The checksums of a release, as they should be.
pub(super) fn list_of(record: &ReleaseRecord) -> String {
    let mut files: Vec<(String, String)> = record.files.iter().map(|file| (file.path.clone(), file.sha256.clone())).collect();
    files.extend(record.reports.iter().map(|report| (report.path.clone(), report.sha256.clone())));
    files.push((RECORD.to_owned(), sha256_bytes(&to_json(record))));
    files.sort();
    sums::list(&files)
}

/// Whether reports, checksums and signature of a release are there and go together; shards are not looked at.
#[must_use]
pub fn is_whole(release: &Release) -> bool {
    let read = |name: &str| std::fs::read_to_string(release.folder.join(name)).unwrap_or_default();
    let list = read(SUMS);
    !release.record.reports.is_empty() && list == list_of(&release.record) && sums::holds(&list, &read(SIGNATURE))
}

/// Makes the reports of all releases anew that have lost them to a takedown. Answers which.
///
/// # Errors
/// As [`renew`].
pub fn renew_all(workspace: &Workspace, signer: &Signer) -> Result<Vec<Release>, ReleaseError> {
    let stale = all(workspace)?.into_iter().filter(|release| release.record.reports.is_empty());
    stale.map(|release| renew(workspace, release, None, signer)).collect()
}
