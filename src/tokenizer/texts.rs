//! The texts of a corpus with their languages: shards below a folder, or JSON lines.
//!
//! A large corpus is sampled by a hash of each text, so the same texts are taken whatever order files are read in, and on any machine.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::locator::InBlock;
use crate::locator::rows::Documents;
use crate::store::{StoreError, files_below};

/// Key of the hash by which texts are sampled: other hashes of the house must not go with it.
const SEED: u64 = 0x746f_6b65_6e73;

/// Why a corpus cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TextsError {
    /// There is nothing to read.
    #[error("no shards (.parquet) and no JSON lines (.jsonl) at `{path}`", path = path.display())]
    Nothing { path: PathBuf },
    /// The system refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A shard is damaged.
    #[error("cannot read `{path}`", path = path.display())]
    Shard { path: PathBuf, source: parquet::errors::ParquetError },
    /// A line is no document.
    #[error("`{path}`, line {line}: {why}; a line is {{\"text\": .., \"lang\": ..}}", path = path.display())]
    Line { path: PathBuf, line: usize, why: String },
}

#[derive(Deserialize)]
struct Line {
    text: String,
    #[serde(default)]
    lang: Option<String>,
}

/// A corpus.
#[derive(Debug)]
pub struct Texts {
    files: Vec<PathBuf>,
    bytes: u64,
}

impl Texts {
    /// The corpus at `paths`: folders with shards or JSON lines below them, and such files.
    ///
    /// # Errors
    /// Where there is none.
    pub fn open(paths: &[PathBuf]) -> Result<Texts, TextsError> {
        let mut texts = Texts { files: Vec::new(), bytes: 0 };
        for path in paths {
            let found = if path.is_dir() { files_below(path)? } else { vec![path.clone()] };
            let before = texts.files.len();
            texts.files.extend(found.into_iter().filter(|file| is_shard(file) || ends_with(file, "jsonl")));
            if texts.files.len() == before {
                return Err(TextsError::Nothing { path: path.clone() });
            }
        }
        for file in &texts.files {
            texts.bytes += text_bytes(file)?;
        }
        Ok(texts)
    }

    /// Bytes of text, about.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Calls `each` with language and text of as many documents as have some `sample_bytes` together.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn for_each(&self, sample_bytes: u64, mut each: impl FnMut(&str, &str)) -> Result<(), TextsError> {
        let share = (sample_bytes as f64 / self.bytes.max(1) as f64).min(1.0);
        let last = if share >= 1.0 { u64::MAX } else { (share * u64::MAX as f64) as u64 };
        let mut taken = |lang: &str, text: &str| {
            if xxh3_64_with_seed(text.as_bytes(), SEED) <= last {
                each(if lang.is_empty() { "und" } else { lang }, text);
            }
        };
        for path in &self.files {
            if is_shard(path) { read_shard(path, &mut taken)? } else { read_lines(path, &mut taken)? }
        }
        Ok(())
    }
}

fn ends_with(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found == ending)
}

fn is_shard(path: &Path) -> bool {
    ends_with(path, "parquet")
}

fn text_bytes(path: &Path) -> Result<u64, TextsError> {
    let length = || std::fs::metadata(path).map(|file| file.len()).map_err(|error| StoreError::io(path, error));
    if !is_shard(path) {
        return Ok(length()?);
    }
    let shard = Documents::open(path).map_err(|source| TextsError::Shard { path: path.to_owned(), source })?;
    Ok(shard.column_bytes("text"))
}

fn read_shard(path: &Path, each: &mut impl FnMut(&str, &str)) -> Result<(), TextsError> {
    let damaged = |source| TextsError::Shard { path: path.to_owned(), source };
    let shard = Documents::open(path).map_err(damaged)?;
    for group in 0..shard.groups().len() {
        shard.for_each(group, &InBlock::Anywhere, &["lang", "text"], |_, row| each(row.text("lang"), row.text("text"))).map_err(damaged)?;
    }
    Ok(())
}

fn read_lines(path: &Path, each: &mut impl FnMut(&str, &str)) -> Result<(), TextsError> {
    let refused = |error| StoreError::io(path, error);
    for (number, line) in (1..).zip(BufReader::new(File::open(path).map_err(refused)?).lines()) {
        let line = line.map_err(refused)?;
        let read = serde_json::from_str::<Line>(&line);
        let document = read.map_err(|error| TextsError::Line { path: path.to_owned(), line: number, why: error.to_string() })?;
        each(document.lang.as_deref().unwrap_or_default(), &document.text);
    }
    Ok(())
}
