//! What became of each night: one small file a night and data set, with counts and reasons and no name of a host, page or person.
//!
//! The record makes a night idempotent: one that is done is not done again, one that is not goes on, and a record that says `running` while
//! nobody holds the workspace is that of a night that was killed.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::alarms::Raised;
use super::retention::Removed;
use crate::ledger::tally::Tally;
use crate::store::{self, StoreError};
use crate::workspace::Workspace;

/// How a night stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It goes on, or was killed.
    #[default]
    Running,
    /// All is published.
    Done,
    /// Time or room ended first; the next night goes on.
    Unfinished,
    /// It could not go on.
    Failed,
}

impl State {
    /// The word for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Done => "done",
            State::Unfinished => "unfinished",
            State::Failed => "failed",
        }
    }
}

/// What the crawl of a night counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CrawlCounts {
    /// Answers that were kept.
    pub pages: u64,
    /// Bytes that came.
    pub bytes: u64,
    /// Requests for pages.
    pub requests: u64,
    /// What was not asked for or not kept, by reason.
    pub refused: BTreeMap<String, u64>,
}

/// What the harvest of a night counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HarvestCounts {
    /// Records that were new or changed, and are kept.
    pub records: u64,
    /// Full texts among them.
    pub texts: u64,
    /// Requests of any kind.
    pub requests: u64,
    /// Lists that were not read to their end, and not for `records_max`.
    pub lists_left: u64,
    /// Addresses that repositories have deleted and that are still here.
    pub deleted_waiting: u64,
}

/// One night of one data set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Record {
    /// Version of this format: 1.
    pub version: u32,
    /// The data set.
    pub dataset: String,
    /// The night, YYYY-MM-DD.
    pub date: String,
    /// How it stands.
    pub state: State,
    /// Why it is not done, in a word: `time`, `disk`, `stopped`, `error`.
    pub why: String,
    /// When it first began, UTC.
    pub began: String,
    /// When it last ended, UTC.
    pub ended: String,
    /// Seconds that its tries took together.
    pub seconds: f64,
    /// How often it was begun.
    pub tries: u32,
    /// Version of tamis.
    pub tamis: String,
    /// Hash of the recipe.
    pub recipe_hash: String,
    /// Plans that it worked on.
    pub plans: Vec<String>,
    /// Those of them that are published.
    pub published: Vec<String>,
    /// Number of the last manifest.
    pub manifest: u64,
    /// What the crawl counted; none for recipes without.
    pub crawl: Option<CrawlCounts>,
    /// What the harvest counted; none for recipes without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub harvest: Option<HarvestCounts>,
    /// What became of the documents of all that it published.
    pub tally: Tally,
    /// Room on the disk at its end.
    pub free_bytes: u64,
    /// What retention removed.
    pub removed: Removed,
    /// What a person must see.
    pub alarms: Vec<Raised>,
    /// Who could be told (`mail`, `webhook`, `metrics`), and why not where one could not.
    pub told: BTreeMap<String, Option<String>>,
}

/// Why records cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Damage.
    #[error("cannot read the record of a night `{path}` ({source}); it holds counts only: remove it, and the night counts as not done", path = path.display())]
    Damaged { path: PathBuf, source: io::Error },
}

/// The records of one data set.
pub struct Records {
    folder: PathBuf,
    nights: BTreeMap<String, Record>,
}

impl Records {
    /// Reads the records of `dataset`.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn open(workspace: &Workspace, dataset: &str) -> Result<Records, RecordError> {
        let folder = workspace.nights().join(dataset);
        let mut nights = BTreeMap::new();
        for path in store::files_below(&folder)?.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "json")) {
            let read = std::fs::read(&path).and_then(|bytes| Ok(serde_json::from_slice::<Record>(&bytes)?));
            let record = read.map_err(|source| RecordError::Damaged { path, source })?;
            nights.insert(record.date.clone(), record);
        }
        Ok(Records { folder, nights })
    }

    /// All nights, oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Record> {
        self.nights.values()
    }

    /// The record of one night.
    #[must_use]
    pub fn of(&self, date: &str) -> Option<&Record> {
        self.nights.get(date)
    }

    /// The last night that was begun.
    #[must_use]
    pub fn newest(&self) -> Option<&Record> {
        self.nights.values().next_back()
    }

    /// Nights that are done and lie before `date`, newest first.
    pub fn done_before<'a>(&'a self, date: &'a str) -> impl Iterator<Item = &'a Record> {
        self.nights.range(..date.to_owned()).rev().map(|(_, record)| record).filter(|record| record.state == State::Done)
    }

    /// Notes how a night stands, in place of what was noted of it before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note(&mut self, record: &Record) -> Result<(), RecordError> {
        store::create_folder(&self.folder)?;
        let mut json = serde_json::to_vec_pretty(record).expect("strings, numbers and lists are JSON");
        json.push(b'\n');
        store::write_over(&self.folder.join(format!("{}.json", record.date)), &json)?;
        self.nights.insert(record.date.clone(), record.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nights_are_kept_in_order_and_a_later_note_replaces_an_earlier_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let workspace = Workspace::open(folder.path()).expect("room");
        let mut records = Records::open(&workspace, "web").expect("nothing yet");
        let night = |date: &str, state| Record { version: 1, date: date.to_owned(), state, ..Record::default() };
        for (date, state) in
            [("2026-11-26", State::Done), ("2026-11-25", State::Running), ("2026-11-25", State::Done), ("2026-11-27", State::Failed)]
        {
            records.note(&night(date, state)).expect("room");
        }
        let again = Records::open(&workspace, "web").expect("they are sound");
        let dates: Vec<_> = again.done_before("2026-11-27").map(|record| record.date.as_str()).collect();
        assert_eq!(dates, ["2026-11-26", "2026-11-25"]);
        assert_eq!(again.newest().map(|record| record.state), Some(State::Failed));
        std::fs::write(workspace.nights().join("web/2026-11-28.json"), "{").expect("room");
        let told = Records::open(&workspace, "web").err().expect("damaged").to_string();
        assert!(told.contains("remove it"), "{told}");
    }
}
