//! Keeps what was harvested: each record a group of records in a web archive of the night, its metadata in the head of the record that holds
//! its text, so that a reader needs nothing else and a takedown takes all of it at once.
//!
//! What an archive holds beyond what the memory knows was written by a harvest that was killed in between; it is cut off, and those records
//! are taken once more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use url::Url;

use super::HarvestError;
use super::memory::{Learnt, Memory, key_of};
use crate::crawl::archive::{Archive, Group, digest_of, index_what_lacks};
use crate::crawl::fetch::Fetched;
use crate::crawl::night::{now_ms, warcinfo};
use crate::crawl::outcome::Outcome;
use crate::crawl::settings::CrawlSettings;
use crate::crawl::writer::joined;
use crate::formats::oai::Harvested;
use crate::store::{self, StoreError, files_below};
use crate::workspace::Workspace;

/// What the folders of harvested nights begin with.
const FOLDER: &str = "harvest-";
/// Bytes of one field in a head; readers of archives take heads of 64 KiB.
const FIELD_BYTES_MAX: usize = 2 << 10;
const DESCRIPTION_BYTES_MAX: usize = 16 << 10;

/// The names of the fields in a record's head.
pub const REPOSITORY: &str = "OAI-Repository";
pub const IDENTIFIER: &str = "OAI-Identifier";
pub const DATESTAMP: &str = "OAI-Datestamp";
pub const TITLE: &str = "DC-Title";
pub const CREATOR: &str = "DC-Creator";
pub const LANGUAGE: &str = "DC-Language";
pub const DATE: &str = "DC-Date";
pub const RIGHTS: &str = "DC-Rights";
pub const DESCRIPTION: &str = "DC-Description";

/// Whether `path` is an archive of a harvest, below `archive/`.
#[must_use]
pub fn is_harvested(path: &Path) -> bool {
    path.parent().and_then(Path::file_name).is_some_and(|folder| folder.to_string_lossy().starts_with(FOLDER))
}

/// The archive of one night, and the memory.
pub(super) struct Keep {
    folder: PathBuf,
    night: String,
    settings: CrawlSettings,
    archive: Option<Archive>,
    pub(super) memory: Memory,
}

impl Keep {
    pub(super) fn open(workspace: &Workspace, night: &str, settings: &CrawlSettings) -> Result<Keep, HarvestError> {
        let memory = Memory::open(&workspace.harvest())?;
        let (folder, night) = (folder_of(workspace, night), format!("{FOLDER}{night}"));
        cut(&folder, &memory.archives()?.into_iter().collect())?;
        Ok(Keep { folder, night, settings: settings.clone(), archive: None, memory })
    }

    /// Cuts the archives of `night` to what is known of them, and writes their indexes.
    pub(super) fn mend(workspace: &Workspace, night: &str) -> Result<(), HarvestError> {
        let known = Memory::open(&workspace.harvest())?.archives()?.into_iter().collect();
        let folder = folder_of(workspace, night);
        cut(&folder, &known)?;
        Ok(index_what_lacks(&folder)?)
    }

    /// Writes groups, and then what was learnt with them.
    pub(super) fn write(&mut self, groups: &[Group], mut learnt: Learnt) -> Result<(), HarvestError> {
        if !groups.is_empty() {
            let mut archive = self.archive.take().map_or_else(|| self.begin(), Ok)?;
            learnt.archives = archive.write(groups)?;
            self.archive = Some(archive);
        }
        Ok(self.memory.learn(&learnt)?)
    }

    fn begin(&self) -> Result<Archive, HarvestError> {
        let known = self.memory.archives()?;
        let info = (warcinfo(&self.settings), now_ms());
        Ok(Archive::open(&self.folder, &self.night, info, self.settings.archive_bytes_max.0, &known)?.0)
    }

    /// Ends the archive that is being written, with its index.
    pub(super) fn end(&mut self) -> Result<(), HarvestError> {
        match self.archive.take() {
            Some(mut archive) => Ok(archive.write_index()?),
            None => Ok(()),
        }
    }
}

fn folder_of(workspace: &Workspace, night: &str) -> PathBuf {
    workspace.archive().join(format!("{FOLDER}{night}"))
}

/// Cuts the archives in `folder` to what is known of them.
fn cut(folder: &Path, known: &BTreeMap<String, u64>) -> Result<(), StoreError> {
    if !folder.is_dir() {
        return Ok(());
    }
    for path in files_below(folder)?.into_iter().filter(|path| path.to_string_lossy().ends_with(".warc.gz")) {
        let refused = |error| StoreError::io(&path, error);
        let length = known.get(&*path.file_name().unwrap_or_default().to_string_lossy()).copied().unwrap_or(0);
        if std::fs::metadata(&path).map_err(refused)?.len() <= length {
            continue;
        }
        if length == 0 {
            store::remove_file(&path)?;
        } else {
            let file = OpenOptions::new().write(true).open(&path).map_err(refused)?;
            file.set_len(length).and_then(|()| file.sync_all()).map_err(refused)?;
        }
    }
    Ok(())
}

/// What is written of a record: with its text, or with `why` there is none.
pub(super) fn group_of(base: &Url, record: &Harvested, text: Result<(Url, Fetched), &str>) -> Group {
    let mut group = Group { outcome: Outcome { at_ms: now_ms(), ..Outcome::default() }, ..Group::default() };
    let has_text = text.is_ok();
    match text {
        Ok((url, fetched)) => {
            let address = fetched.address.to_string();
            let (response, body) = joined(fetched.response);
            let outcome = &mut group.outcome;
            (outcome.url, outcome.status, outcome.took_ms) = (url.into(), fetched.status, fetched.took_ms);
            outcome.digest = digest_of(&response[body..]);
            group = Group { request: fetched.request, response, body, address, truncated: fetched.truncated, ..group };
        }
        Err(why) => {
            group.outcome.url = page_of(base, record);
            why.clone_into(&mut group.outcome.note);
        }
    }
    group.about = about(base, record, has_text);
    group
}

/// The address of a record without a text: its page, or else where its metadata can be had.
fn page_of(base: &Url, record: &Harvested) -> String {
    let page = record.all("identifier").find(|value| value.starts_with("http://") || value.starts_with("https://"));
    page.and_then(|page| Url::parse(page).ok()).map_or_else(
        || {
            let mut url = base.clone();
            url.query_pairs_mut().extend_pairs([("verb", "GetRecord"), ("metadataPrefix", "oai_dc"), ("identifier", &record.identifier)]);
            url.into()
        },
        String::from,
    )
}

fn about(base: &Url, record: &Harvested, has_text: bool) -> Vec<(&'static str, String)> {
    let first = |name: &str| record.all(name).next().unwrap_or_default().to_owned();
    let date = record
        .all("date")
        .chain(record.all("issued"))
        .find(|date| date.get(..4).is_some_and(|year| year.bytes().all(|byte| byte.is_ascii_digit())));
    let creators: Vec<&str> = record.all("creator").collect();
    let description = if has_text { String::new() } else { first("description") };
    let fields = [
        (REPOSITORY, base.to_string()),
        (IDENTIFIER, record.identifier.clone()),
        (DATESTAMP, record.datestamp.clone()),
        (TITLE, first("title")),
        (CREATOR, creators.join("; ")),
        (LANGUAGE, first("language")),
        (DATE, date.unwrap_or_default().to_owned()),
        (RIGHTS, licence_of(record).unwrap_or_default().to_owned()),
        (DESCRIPTION, description),
    ];
    let bounded = |(name, value): (&'static str, String)| {
        let most = if name == DESCRIPTION { DESCRIPTION_BYTES_MAX } else { FIELD_BYTES_MAX };
        let one_line: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        (name, one_line[..one_line.floor_char_boundary(most)].trim().to_owned())
    };
    fields.into_iter().map(bounded).filter(|(_, value)| !value.is_empty()).collect()
}

/// The licence among the rights that are stated: an address before words, and no mere access level.
fn licence_of(record: &Harvested) -> Option<&str> {
    let rights = || record.all("license").chain(record.all("rights")).filter(|value| !value.starts_with("info:eu-repo/"));
    rights().find(|value| value.contains("://")).or_else(|| rights().next())
}

/// The addresses under which records that are named by hash are kept in `workspace`, by hash.
///
/// # Errors
/// When an index cannot be read.
pub fn addresses(workspace: &Workspace, keys: &BTreeSet<u128>) -> Result<BTreeMap<u128, BTreeSet<String>>, StoreError> {
    let mut found: BTreeMap<u128, BTreeSet<String>> = BTreeMap::new();
    let folder = workspace.archive();
    if keys.is_empty() || !folder.is_dir() {
        return Ok(found);
    }
    for path in
        files_below(&folder)?.into_iter().filter(|path| is_harvested(path) && path.extension().is_some_and(|ending| ending == "cdxj"))
    {
        let file = std::fs::File::open(&path).map_err(|error| StoreError::io(&path, error))?;
        for line in BufReader::new(file).lines() {
            let line = line.map_err(|error| StoreError::io(&path, error))?;
            let about = line.splitn(3, ' ').nth(2).and_then(|json| serde_json::from_str::<serde_json::Value>(json).ok());
            let field = |name: &str| about.as_ref().and_then(|about| about[name].as_str()).unwrap_or_default();
            let key = key_of(field("repository"), field("oai"));
            if keys.contains(&key) {
                found.entry(key).or_default().insert(field("url").to_owned());
            }
        }
    }
    Ok(found)
}
