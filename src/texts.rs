//! The texts of a corpus with their languages and sites: shards and rejects below a folder, JSON lines, and files of plain text.
//!
//! A large corpus is sampled by a hash of each text, so the same texts are taken whatever order files are read in, and on any machine.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::archive::decompress;
use crate::locator::InBlock;
use crate::locator::rows::Documents;
use crate::store::{StoreError, files_below};
use crate::text::address::host_of;

/// Key of the hash by which texts are sampled: other hashes of the house must not go with it.
const SEED: u64 = 0x746f_6b65_6e73;
/// A longer line is no document.
const LINE_BYTES_MAX: u64 = 256 << 20;
/// The packings that JSON lines and plain text may have.
const PACKINGS: [&str; 3] = [".gz", ".zst", ".bz2"];

/// Why a corpus cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TextsError {
    /// There is nothing to read.
    #[error("no shards (.parquet), no JSON lines (.jsonl) and no plain text (.txt) at `{path}`", path = path.display())]
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

/// A document of a corpus.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// Its language, `und` where nobody told.
    pub lang: &'a str,
    /// The host that it is from; empty where nobody told.
    pub host: &'a str,
    /// What it says.
    pub text: &'a str,
}

#[derive(Deserialize)]
struct Line {
    text: String,
    #[serde(default)]
    lang: Option<String>,
    #[serde(default)]
    url: Option<String>,
}

/// How a file holds its texts.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Shard,
    Lines,
    /// The file is one text.
    Plain,
}

/// A corpus.
#[derive(Debug)]
pub struct Texts {
    files: Vec<PathBuf>,
    bytes: u64,
}

impl Texts {
    /// The corpus at `paths`: folders with shards, JSON lines or plain text below them, and such files.
    ///
    /// # Errors
    /// Where there is none.
    pub fn open(paths: &[PathBuf]) -> Result<Texts, TextsError> {
        let mut texts = Texts { files: Vec::new(), bytes: 0 };
        for path in paths {
            let found = if path.is_dir() { files_below(path)? } else { vec![path.clone()] };
            let before = texts.files.len();
            texts.files.extend(found.into_iter().filter(|file| form(file).is_some()));
            if texts.files.len() == before {
                return Err(TextsError::Nothing { path: path.clone() });
            }
        }
        for file in &texts.files {
            texts.bytes += text_bytes(file)?;
        }
        Ok(texts)
    }

    /// Its files.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Bytes of text, about.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Calls `each` with as many documents as have some `sample_bytes` together.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn for_each(&self, sample_bytes: u64, mut each: impl FnMut(Text<'_>)) -> Result<(), TextsError> {
        let share = (sample_bytes as f64 / self.bytes.max(1) as f64).min(1.0);
        let last = if share >= 1.0 { u64::MAX } else { (share * u64::MAX as f64) as u64 };
        let mut taken = |lang: &str, host: &str, text: &str| {
            if xxh3_64_with_seed(text.as_bytes(), SEED) <= last {
                each(Text { lang: if lang.is_empty() { "und" } else { lang }, host, text });
            }
        };
        for path in &self.files {
            match form(path) {
                Some(Form::Shard) => read_shard(path, &mut taken)?,
                Some(Form::Lines) => read_lines(path, &mut taken)?,
                Some(Form::Plain) => read_plain(path, &mut taken)?,
                None => {}
            }
        }
        Ok(())
    }
}

fn form(path: &Path) -> Option<Form> {
    let name = path.file_name()?.to_str()?;
    let name = PACKINGS.iter().find_map(|packing| name.strip_suffix(packing)).unwrap_or(name);
    match name.rsplit_once('.')?.1 {
        "parquet" => Some(Form::Shard),
        "jsonl" => Some(Form::Lines),
        "txt" => Some(Form::Plain),
        _ => None,
    }
}

fn text_bytes(path: &Path) -> Result<u64, TextsError> {
    let length = || std::fs::metadata(path).map(|file| file.len()).map_err(|error| StoreError::io(path, error));
    if form(path) != Some(Form::Shard) {
        return Ok(length()?);
    }
    let shard = Documents::open(path).map_err(|source| TextsError::Shard { path: path.to_owned(), source })?;
    Ok(shard.column_bytes("text"))
}

fn read_shard(path: &Path, each: &mut impl FnMut(&str, &str, &str)) -> Result<(), TextsError> {
    let damaged = |source| TextsError::Shard { path: path.to_owned(), source };
    let shard = Documents::open(path).map_err(damaged)?;
    for group in 0..shard.groups().len() {
        let columns = ["lang", "host", "text"];
        shard
            .for_each(group, &InBlock::Anywhere, &columns, |_, row| each(row.text("lang"), row.text("host"), row.text("text")))
            .map_err(damaged)?;
    }
    Ok(())
}

/// The unpacked bytes of `path`.
fn unpacked(path: &Path) -> Result<impl Read, StoreError> {
    let refused = |error| StoreError::io(path, error);
    decompress(Box::new(File::open(path).map_err(refused)?)).map_err(refused)
}

fn read_lines(path: &Path, each: &mut impl FnMut(&str, &str, &str)) -> Result<(), TextsError> {
    let mut input = BufReader::new(unpacked(path)?);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let taken = input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line).map_err(|error| StoreError::io(path, error))?;
        if taken == 0 {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let read = serde_json::from_slice::<Line>(&line);
        let document = read.map_err(|error| TextsError::Line { path: path.to_owned(), line: number, why: error.to_string() })?;
        let address = document.url.as_deref().unwrap_or_default();
        let host = address.split_once("://").map_or("", |(_, rest)| host_of(rest));
        each(document.lang.as_deref().unwrap_or_default(), host, &document.text);
    }
    Ok(())
}

fn read_plain(path: &Path, each: &mut impl FnMut(&str, &str, &str)) -> Result<(), TextsError> {
    let mut bytes = Vec::new();
    unpacked(path)?.take(LINE_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| StoreError::io(path, error))?;
    each("", "", &String::from_utf8_lossy(&bytes));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &Path) -> Result<Vec<String>, TextsError> {
        let mut told = Vec::new();
        Texts::open(&[path.to_owned()])?.for_each(u64::MAX, |text| told.push(format!("{} {} {}", text.lang, text.host, text.text)))?;
        Ok(told)
    }

    #[test]
    fn json_lines_and_plain_text_are_read_packed_or_not_with_language_and_host() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let lines =
            b"{\"text\": \"tere\", \"lang\": \"et\", \"url\": \"https://www.example.ee:80/a\"}\n{\"text\": \"labdien\", \"n\": 1}\n";
        std::fs::write(at("a.jsonl"), lines).expect("room");
        std::fs::write(at("b.jsonl.zst"), zstd::encode_all(&lines[..], 3).expect("packed")).expect("room");
        std::fs::write(at("c.txt"), "eins\nzwei").expect("room");
        std::fs::write(at("notes.md"), "no text of the corpus").expect("room");
        let both = ["et www.example.ee tere", "und  labdien"];
        assert_eq!(told(folder.path()).expect("readable"), [&both[..], &both, &["und  eins\nzwei"]].concat());
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("a.jsonl"), "{\"text\": \"tere\"}\n{\"txt\": 1}\n").expect("room");
        assert!(told(&at("a.jsonl")).expect_err("no text").to_string().contains("line 2"));
        let packed = zstd::encode_all(&b"{\"text\": \"tere\"}\n"[..], 3).expect("packed");
        std::fs::write(at("b.jsonl.zst"), &packed[..packed.len() - 3]).expect("room");
        assert!(told(&at("b.jsonl.zst")).is_err(), "cut short");
        std::fs::write(at("c.csv"), "a,b").expect("room");
        assert!(matches!(told(&at("c.csv")), Err(TextsError::Nothing { .. })));
    }
}
