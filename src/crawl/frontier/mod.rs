//! What is known of the web: addresses that were seen, those that wait, what each fetched one was like, and the hosts with their clocks.
//!
//! One transactional file (redb), changed in batches: an address leaves the queue in the same transaction in which its outcome, its links
//! and the length of the archive that holds it are noted. Keys of addresses are 64 bits, so of 100 million two are taken for one with
//! probability 1 in 3,700; a set of them is held in memory (10 to 20 bytes each), everything else on disk.

mod forget;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use redb::{Builder, Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

pub use forget::{count, file_in, forget};

use super::archive::Acknowledged;
use super::polite::Patience;

/// Name of the file.
const FILE: &str = "frontier.redb";
/// Bytes of the file that are held in memory. The library would take 1 GiB; what that gains stands in docs/scale.md.
const CACHE_BYTES: usize = 256 << 20;

const SEEN: TableDefinition<'_, u64, ()> = TableDefinition::new("seen");
const PAGES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("pages");
const QUEUE: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("queue");
const HOSTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("hosts");
const FILES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("files");
const ARCHIVES: TableDefinition<'_, &str, u64> = TableDefinition::new("archives");
const NOTES: TableDefinition<'_, &str, &str> = TableDefinition::new("notes");

/// An address that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// The address, canonical.
    pub url: String,
    /// Links from a seed.
    pub depth: u32,
    /// Redirects that led here, in a row.
    pub hops: u32,
    /// Whether it is a sitemap.
    #[serde(default)]
    pub sitemap: bool,
}

/// A page that was fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Page {
    /// The address, canonical.
    pub url: String,
    /// Links from a seed.
    pub depth: u32,
    /// When it was fetched last, ms since 1970.
    pub at_ms: u64,
    /// The last status.
    pub status: u16,
    /// Digest of the last payload.
    pub digest: String,
    /// When that payload was captured first.
    pub captured_ms: u64,
    /// The header `ETag`.
    pub etag: String,
    /// The header `Last-Modified`.
    pub last_modified: String,
    /// Hours until it is asked for again.
    pub interval_hours: u64,
    /// Whether it is a sitemap.
    pub sitemap: bool,
}

impl Page {
    /// Whether it is to be asked for again at `now`.
    #[must_use]
    pub fn is_due(&self, now: u64) -> bool {
        self.at_ms + self.interval_hours * 3_600_000 <= now
    }
}

/// A host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Host {
    /// When it may be asked again.
    pub patience: Patience,
    /// Pages of it that were fetched in the night `night`.
    pub pages: u64,
    /// The night that this was in.
    pub night: String,
    /// Pages of it whose language was looked at.
    pub judged: u64,
    /// Pages among them in a wanted language.
    pub wanted: u64,
}

/// The files in which a site speaks of all its pages. They stand apart from its clock, which changes with every page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// What its robots.txt said last.
    pub robots: Option<KnownRobots>,
    /// The others, by their path.
    pub others: BTreeMap<String, KnownFile>,
}

/// A file of a site as it was fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownFile {
    /// When, ms since 1970.
    pub at_ms: u64,
    /// What it holds; none where it is not there, or may not be asked for.
    pub body: Option<Vec<u8>>,
}

/// A robots.txt as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownRobots {
    /// When, ms since 1970.
    pub at_ms: u64,
    /// Status, or the fault.
    pub result: Result<u16, super::fetch::Fault>,
    /// The body of the last good answer.
    pub body: Vec<u8>,
    /// Whether `body` is one: without it, nothing was ever there.
    pub is_file: bool,
}

/// What one batch changes.
#[derive(Debug, Default)]
pub struct Changes {
    /// Addresses that leave the queue: host and place.
    pub done: Vec<(String, u64)>,
    /// Pages that were fetched.
    pub pages: Vec<Page>,
    /// Addresses that were never seen, with their hosts.
    pub new: Vec<(String, Waiting)>,
    /// Pages that are asked for again, with their hosts.
    pub again: Vec<(String, Waiting)>,
    /// Hosts that changed.
    pub hosts: Vec<(String, Host)>,
    /// Sites whose files were fetched.
    pub files: Vec<(String, Files)>,
    /// How far archives are written.
    pub archives: Vec<Acknowledged>,
    /// Notes.
    pub notes: Vec<(String, String)>,
}

/// Why the frontier cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the frontier `{path}`: {why}; if the disk is full make room, else restore it from a backup", path = path.display())]
pub struct FrontierError {
    path: PathBuf,
    why: String,
}

/// The open frontier.
pub struct Frontier {
    path: PathBuf,
    db: Database,
    seen: HashSet<u64, KeyHashes>,
    next_place: u64,
    waiting: u64,
}

/// Keys are hashes already.
type KeyHashes = std::hash::BuildHasherDefault<KeyHasher>;

/// Hashes a key to itself.
#[derive(Default)]
pub struct KeyHasher(u64);

impl std::hash::Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes);
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// The key of an address.
#[must_use]
pub fn key_of(url: &str) -> u64 {
    // Both schemes lead to one page, as a takedown and the canonical names of documents have it.
    xxh3_64(url.split_once("://").map_or(url, |(_, rest)| rest).as_bytes())
}

impl Frontier {
    /// Opens the frontier in `folder`, or begins one.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(folder: &Path) -> Result<Frontier, FrontierError> {
        let path = folder.join(FILE);
        let refused = |why: String| FrontierError { path: path.clone(), why };
        let db = Builder::new().set_cache_size(CACHE_BYTES).create(&path).map_err(|error| refused(error.to_string()))?;
        let mut frontier = Frontier { path: path.clone(), db, seen: HashSet::default(), next_place: 0, waiting: 0 };
        frontier.begin().map_err(|error| refused(error.to_string()))?;
        Ok(frontier)
    }

    fn refused(&self, error: impl std::fmt::Display) -> FrontierError {
        FrontierError { path: self.path.clone(), why: error.to_string() }
    }

    /// Makes the tables, and reads what is held in memory.
    fn begin(&mut self) -> Result<(), redb::Error> {
        let change = self.db.begin_write()?;
        {
            change.open_table(PAGES)?;
            change.open_table(HOSTS)?;
            change.open_table(FILES)?;
            change.open_table(ARCHIVES)?;
            change.open_table(NOTES)?;
            for key in change.open_table(SEEN)?.iter()? {
                self.seen.insert(key?.0.value());
            }
            for waiting in change.open_table(QUEUE)?.iter()? {
                self.next_place = self.next_place.max(waiting?.0.value().1 + 1);
                self.waiting += 1;
            }
        }
        change.commit()?;
        Ok(())
    }

    /// Whether an address was seen before.
    #[must_use]
    pub fn has_seen(&self, url: &str) -> bool {
        self.seen.contains(&key_of(url))
    }

    /// How many addresses were seen.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.seen.len()
    }

    /// How many addresses wait.
    #[must_use]
    pub fn queued(&self) -> u64 {
        self.waiting
    }

    /// Makes a batch of changes, all or none, safe from power loss. Answers the places in the queue of what is new, with its hosts.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn change(&mut self, changes: &Changes) -> Result<Vec<(String, u64)>, FrontierError> {
        let mut places = Vec::new();
        let mut place = self.next_place;
        let left = self.apply(changes, &mut place, &mut places).map_err(|error| self.refused(error))?;
        crate::store::lasting_change();
        self.next_place = place;
        self.waiting = (self.waiting + places.len() as u64).saturating_sub(left);
        self.seen.extend(changes.new.iter().map(|(_, waiting)| key_of(&waiting.url)));
        Ok(places)
    }

    /// Answers how many addresses left the queue.
    fn apply(&self, changes: &Changes, place: &mut u64, places: &mut Vec<(String, u64)>) -> Result<u64, redb::Error> {
        let (change, mut left) = (self.db.begin_write()?, 0);
        {
            let (mut queue, mut seen, mut pages) = (change.open_table(QUEUE)?, change.open_table(SEEN)?, change.open_table(PAGES)?);
            for (host, at) in &changes.done {
                left += u64::from(queue.remove((host.as_str(), *at))?.is_some());
            }
            for page in &changes.pages {
                pages.insert(key_of(&page.url), json(page).as_slice())?;
                seen.insert(key_of(&page.url), ())?;
            }
            for (host, waiting) in changes.new.iter().chain(&changes.again) {
                seen.insert(key_of(&waiting.url), ())?;
                queue.insert((host.as_str(), *place), json(waiting).as_slice())?;
                places.push((host.clone(), *place));
                *place += 1;
            }
            let mut hosts = change.open_table(HOSTS)?;
            for (name, host) in &changes.hosts {
                hosts.insert(name.as_str(), json(host).as_slice())?;
            }
            let mut files = change.open_table(FILES)?;
            for (name, known) in &changes.files {
                files.insert(name.as_str(), json(known).as_slice())?;
            }
            let mut archives = change.open_table(ARCHIVES)?;
            for (name, length) in &changes.archives {
                archives.insert(name.as_str(), length)?;
            }
            let mut notes = change.open_table(NOTES)?;
            for (name, note) in &changes.notes {
                notes.insert(name.as_str(), note.as_str())?;
            }
        }
        change.commit()?;
        Ok(left)
    }

    /// The first `count` addresses of `host` that wait behind place `after`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn waiting(&self, host: &str, after: Option<u64>, count: usize) -> Result<Vec<(u64, Waiting)>, FrontierError> {
        let read = || -> Result<Vec<(u64, Waiting)>, redb::Error> {
            let read = self.db.begin_read()?;
            let from = after.map_or(0, |after| after + 1);
            let mut found = Vec::new();
            for row in read.open_table(QUEUE)?.range((host, from)..=(host, u64::MAX))?.take(count) {
                let (key, value) = row?;
                found.extend(of_json(value.value()).map(|waiting| (key.value().1, waiting)));
            }
            Ok(found)
        };
        read().map_err(|error| self.refused(error))
    }

    /// All hosts for which something waits, with the number of it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn waiting_hosts(&self) -> Result<Vec<(String, u64)>, FrontierError> {
        let read = || -> Result<Vec<(String, u64)>, redb::Error> {
            let mut hosts: Vec<(String, u64)> = Vec::new();
            for row in self.db.begin_read()?.open_table(QUEUE)?.iter()? {
                let (key, _) = row?;
                let host = key.value().0;
                match hosts.last_mut() {
                    Some((last, count)) if last == host => *count += 1,
                    _ => hosts.push((host.to_owned(), 1)),
                }
            }
            Ok(hosts)
        };
        read().map_err(|error| self.refused(error))
    }

    /// What is known of the page at `url`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn page(&self, url: &str) -> Result<Option<Page>, FrontierError> {
        let read = || -> Result<Option<Page>, redb::Error> {
            Ok(self.db.begin_read()?.open_table(PAGES)?.get(key_of(url))?.and_then(|page| of_json(page.value())))
        };
        read().map_err(|error| self.refused(error))
    }

    /// All pages that are due at `now`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn due(&self, now: u64) -> Result<Vec<Page>, FrontierError> {
        let read = || -> Result<Vec<Page>, redb::Error> {
            let mut due = Vec::new();
            for row in self.db.begin_read()?.open_table(PAGES)?.iter()? {
                due.extend(of_json::<Page>(row?.1.value()).filter(|page| page.is_due(now)));
            }
            Ok(due)
        };
        read().map_err(|error| self.refused(error))
    }

    /// What is known of a host.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn host(&self, name: &str) -> Result<Option<Host>, FrontierError> {
        let read = || -> Result<Option<Host>, redb::Error> {
            Ok(self.db.begin_read()?.open_table(HOSTS)?.get(name)?.and_then(|host| of_json(host.value())))
        };
        read().map_err(|error| self.refused(error))
    }

    /// What is known of the files of a site.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn files(&self, name: &str) -> Result<Option<Files>, FrontierError> {
        let read = || -> Result<Option<Files>, redb::Error> {
            Ok(self.db.begin_read()?.open_table(FILES)?.get(name)?.and_then(|files| of_json(files.value())))
        };
        read().map_err(|error| self.refused(error))
    }

    /// How far archives are known.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn archives(&self) -> Result<Vec<Acknowledged>, FrontierError> {
        let read = || -> Result<Vec<Acknowledged>, redb::Error> {
            let mut known = Vec::new();
            for row in self.db.begin_read()?.open_table(ARCHIVES)?.iter()? {
                let (name, length) = row?;
                known.push((name.value().to_owned(), length.value()));
            }
            Ok(known)
        };
        read().map_err(|error| self.refused(error))
    }

    /// A note.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn note(&self, name: &str) -> Result<Option<String>, FrontierError> {
        let read = || -> Result<Option<String>, redb::Error> {
            Ok(self.db.begin_read()?.open_table(NOTES)?.get(name)?.map(|note| note.value().to_owned()))
        };
        read().map_err(|error| self.refused(error))
    }
}

/// The site of an address: scheme, host and port.
#[must_use]
pub fn site_of(url: &str) -> Option<String> {
    Some(Url::parse(url).ok()?.origin().ascii_serialization()).filter(|site| site != "null")
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("strings and numbers are JSON")
}

fn of_json<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(url: &str) -> Waiting {
        Waiting { url: url.to_owned(), depth: 0, hops: 0, sitemap: false }
    }

    #[test]
    fn what_was_noted_is_there_after_opening_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut frontier = Frontier::open(folder.path()).expect("a free place");
        let new =
            ["https://a.example.is/1", "https://a.example.is/2", "https://b.example.is/1"].map(|url| (url[8..20].to_owned(), waiting(url)));
        let places = frontier.change(&Changes { new: new.to_vec(), ..Changes::default() }).expect("room");
        assert_eq!(places.iter().map(|(_, place)| *place).collect::<Vec<_>>(), [0, 1, 2]);
        let page = Page { url: "https://a.example.is/1".to_owned(), status: 200, interval_hours: 20, at_ms: 1_000, ..Page::default() };
        let changes = Changes {
            done: vec![("a.example.is".to_owned(), 0)],
            pages: vec![page.clone()],
            archives: vec![("x.warc.gz".to_owned(), 77)],
            ..Changes::default()
        };
        frontier.change(&changes).expect("room");
        // What has left the queue leaves it once.
        frontier.change(&Changes { done: vec![("a.example.is".to_owned(), 0)], ..Changes::default() }).expect("room");
        assert_eq!(frontier.queued(), 2);
        drop(frontier);
        let frontier = Frontier::open(folder.path()).expect("it is there");
        assert_eq!(frontier.waiting_hosts().expect("readable"), [("a.example.is".to_owned(), 1), ("b.example.is".to_owned(), 1)]);
        assert_eq!(frontier.queued(), 2);
        assert_eq!(frontier.waiting("a.example.is", None, 9).expect("readable"), [(1, waiting("https://a.example.is/2"))]);
        assert!(
            frontier.has_seen("http://a.example.is/1")
                && frontier.has_seen("https://b.example.is/1")
                && !frontier.has_seen("https://c.is/")
        );
        assert_eq!(frontier.page("https://a.example.is/1").expect("readable"), Some(page));
        assert_eq!(frontier.archives().expect("readable"), [("x.warc.gz".to_owned(), 77)]);
        assert_eq!((frontier.due(72_001_000).expect("readable").len(), frontier.due(72_000_999).expect("readable").len()), (1, 0));
    }
}
