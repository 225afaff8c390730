//! Looks for what is meant in Parquet files: by the locator's lists where ids and addresses name it, by reading all texts where not.
//!
//! The Bloom filters of shards are not asked: an address may be stored in another spelling than it is asked in.

use std::collections::BTreeSet;
use std::path::Path;

use parquet::errors::ParquetError;

use super::request::Targets;
use crate::dedup::minhash::jaccard;
use crate::dedup::normalise::fold_white_space;
use crate::dedup::settings::DedupSettings;
use crate::dedup::sign::{Scheme, Signer};
use crate::doc::DocId;
use crate::locator::rows::{Documents, Row};
use crate::locator::{InBlock, Kind, LocateError, Places, places};
use crate::sinks::splice::Rows;
use crate::workspace::Workspace;

/// A document that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its id.
    pub id: DocId,
    /// Its address as the file has it.
    pub url: String,
    /// Its host.
    pub host: String,
    /// Its language, where the file has one.
    pub lang: String,
}

/// What was found in one file.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Where.
    pub rows: Rows,
    /// What.
    pub hits: Vec<Hit>,
}

/// Texts and words to look for.
pub struct Alike {
    words: Vec<String>,
    signer: Signer,
    scheme: Scheme,
    jaccard_min: f32,
    texts: BTreeSet<Vec<u8>>,
    sketches: Vec<Vec<u8>>,
}

impl Default for Alike {
    fn default() -> Alike {
        let settings = DedupSettings::default();
        let (signer, scheme, jaccard_min) = (Signer::new(&settings), Scheme::of(&settings), settings.jaccard_min);
        Alike { words: Vec::new(), signer, scheme, jaccard_min, texts: BTreeSet::new(), sketches: Vec::new() }
    }
}

impl Alike {
    /// Looks for documents in which these words stand, in whatever case.
    pub fn add_words(&mut self, words: &str) {
        self.words.push(words.to_lowercase());
    }

    /// Looks for documents like this text.
    pub fn add_text(&mut self, text: &str) {
        let folded = fold_white_space(text);
        if !folded.is_empty() && self.texts.insert(folded) {
            self.sketches.push(self.signer.sign(text).sketch);
        }
    }

    /// Whether nothing is looked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.texts.is_empty()
    }

    fn has(&self, url: &str, title: &str, text: &str) -> bool {
        let holds = |words: &String| [url, title, text].iter().any(|place| place.to_lowercase().contains(words));
        if self.words.iter().any(holds) {
            return true;
        }
        if self.texts.is_empty() {
            return false;
        }
        if self.texts.contains(&fold_white_space(text)) {
            return true;
        }
        let sketch = self.signer.sign(text).sketch;
        let meets = |known: &&Vec<u8>| self.scheme.band_keys(known).zip(self.scheme.band_keys(&sketch)).any(|(a, b)| a == b);
        self.sketches.iter().filter(meets).any(|known| jaccard(known, &sketch) >= self.jaccard_min)
    }
}

/// Columns that tell what a document is.
const NAMES: &[&str] = &["id", "url", "host", "lang", "content_digest"];
/// Columns in which words can stand.
const NAMES_AND_TEXTS: &[&str] = &["id", "url", "host", "lang", "content_digest", "title", "text"];

/// The documents of the file `path` that are meant by `targets`.
///
/// # Errors
/// When the file cannot be read.
pub fn find(workspace: &Workspace, path: &Path, targets: &Targets) -> Result<Found, LocateError> {
    let (_, places) = places(workspace, Kind::Documents, path, &targets.keys())?;
    if places.is_empty() {
        return Ok(Found::default());
    }
    look(path, Some(&places), NAMES, |row| targets.has(row.id(), row.text("url"), row.text("content_digest")))
}

/// The documents of the file `path` that are meant by `targets` or are `alike`, by reading all of it.
///
/// # Errors
/// When the file cannot be read.
pub fn scan(path: &Path, targets: &Targets, alike: &Alike) -> Result<Found, LocateError> {
    let columns = if alike.is_empty() { NAMES } else { NAMES_AND_TEXTS };
    look(path, None, columns, |row| {
        let url = row.text("url");
        targets.has(row.id(), url, row.text("content_digest")) || !alike.is_empty() && alike.has(url, row.text("title"), row.text("text"))
    })
}

/// The ids of the documents of the file `path` that `wanted` takes, by id, address and text.
///
/// # Errors
/// When the file cannot be read.
pub fn ids_of(path: &Path, mut wanted: impl FnMut(DocId, &str, &str) -> bool) -> Result<Vec<DocId>, LocateError> {
    let found = look(path, None, NAMES_AND_TEXTS, |row| wanted(row.id(), row.text("url"), row.text("text")))?;
    Ok(found.hits.into_iter().map(|hit| hit.id).collect())
}

/// The texts of `rows` of the file `path`.
///
/// # Errors
/// When the file cannot be read.
pub fn texts(path: &Path, rows: &Rows) -> Result<Vec<String>, LocateError> {
    let mut texts = Vec::new();
    let mut read = || -> Result<(), ParquetError> {
        let documents = Documents::open(path)?;
        for (group, rows) in rows {
            documents.for_each(*group, &InBlock::Rows(rows.clone()), &["text"], |_, row| texts.push(row.text("text").to_owned()))?;
        }
        Ok(())
    };
    read().map_err(|source| LocateError::Parquet { path: path.to_owned(), source })?;
    Ok(texts)
}

/// The rows that are `wanted`, among those of `places` or among all.
fn look(path: &Path, places: Option<&Places>, columns: &[&str], mut wanted: impl FnMut(&Row<'_>) -> bool) -> Result<Found, LocateError> {
    let mut found = Found::default();
    let mut read = || -> Result<(), ParquetError> {
        let documents = Documents::open(path)?;
        let all: Places = (0..documents.groups().len()).map(|group| (group, InBlock::Anywhere)).collect();
        for (group, rows) in places.unwrap_or(&all) {
            documents.for_each(*group, rows, columns, |number, row| {
                if wanted(&row) {
                    found.rows.entry(*group).or_default().insert(number);
                    let [url, host, lang] = ["url", "host", "lang"].map(|name| row.text(name).to_owned());
                    found.hits.push(Hit { id: row.id(), url, host, lang });
                }
            })?;
        }
        Ok(())
    };
    read().map_err(|source| LocateError::Parquet { path: path.to_owned(), source })?;
    Ok(found)
}
