//! The list on disk: one file a takedown, numbered from 1 without gaps, never changed once it is written.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Key, KeyError, Kind, Mac};
use crate::store::{self, StoreError};

/// Version of the format. Sketches of version 1 were cut otherwise, and cannot be compared.
const VERSION: u32 = 2;

/// What one takedown keeps out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Number of the takedown.
    pub number: u64,
    /// Why, as the request said.
    pub reason: String,
    /// The last day on which it holds, YYYY-MM-DD; for good where there is none.
    pub expires: Option<String>,
    /// Number of a segment that holds no longer from here on. Such a segment has no entries.
    pub releases: Option<u64>,
    /// Keyed hashes.
    pub entries: Vec<Entry>,
    /// Sketches of texts under the secret seed.
    pub sketches: Vec<Vec<u8>>,
}

/// One keyed hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is a hash of.
    pub kind: Kind,
    /// The hash.
    pub mac: Mac,
}

/// Why the list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key is another one.
    #[error("the suppression list `{path}` was made with another key; restore the right key file, or name it with --keys: nothing was done", path = path.display())]
    OtherKey { path: PathBuf },
    /// A file of it is damaged.
    #[error("the suppression list `{path}` is damaged (its SHA-256 should be {expected} and is {found}); restore it from a backup", path = path.display())]
    Damaged { path: PathBuf, expected: String, found: String },
    /// A file of it is none.
    #[error("`{path}` is no suppression list that this version of tamis can read: {why}", path = path.display())]
    Format { path: PathBuf, why: String },
    /// A number is missing.
    #[error("part {number} of the suppression list in `{folder}` is missing; restore it from a backup: what it names would come back", folder = folder.display())]
    Gap { folder: PathBuf, number: u64 },
    /// The system refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A segment's file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    number: u64,
    key_check: String,
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    releases: Option<u64>,
    entries: Vec<(Kind, String)>,
    /// Before each sketch older lists have the keys of its bands, which nobody reads any more: they follow from the sketch.
    sketches: Vec<(Vec<String>, String)>,
    /// SHA-256 of the file with this field empty.
    sha256: String,
}

fn numbers(folder: &Path) -> Result<Vec<u64>, ListError> {
    let refused = |error| StoreError::io(folder, error);
    let mut numbers = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(numbers),
        Err(error) => return Err(refused(error).into()),
    };
    for entry in entries {
        let name = entry.map_err(refused)?.file_name();
        let stem = name.to_str().and_then(|name| name.strip_suffix(".json"));
        numbers.extend(stem.and_then(|stem| stem.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

pub(super) fn last_number(folder: &Path) -> Result<u64, ListError> {
    Ok(numbers(folder)?.last().copied().unwrap_or(0))
}

pub(super) fn read_all(folder: &Path, key: &Key) -> Result<Vec<Segment>, ListError> {
    let numbers = numbers(folder)?;
    if let Some((number, _)) = (1..).zip(&numbers).find(|(expected, found)| expected != *found) {
        return Err(ListError::Gap { folder: folder.to_owned(), number });
    }
    numbers.into_iter().map(|number| read(&path_of(folder, number), key)).collect()
}

fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.json"))
}

fn read(path: &Path, key: &Key) -> Result<Segment, ListError> {
    let bytes = std::fs::read(path).map_err(|error| StoreError::io(path, error))?;
    let format = |why: String| ListError::Format { path: path.to_owned(), why };
    let mut written: Written = serde_json::from_slice(&bytes).map_err(|error| format(error.to_string()))?;
    let expected = std::mem::take(&mut written.sha256);
    let found = HEXLOWER.encode(&Sha256::digest(to_json(&written)));
    if found != expected {
        return Err(ListError::Damaged { path: path.to_owned(), expected, found });
    }
    if written.version != VERSION {
        return Err(format(format!("it has version {}, not {VERSION}", written.version)));
    }
    if written.key_check != key.check() {
        return Err(ListError::OtherKey { path: path.to_owned() });
    }
    let wrong = || format("an entry is not what it should be".to_owned());
    let entry = |(kind, hex): (Kind, String)| {
        let mac = HEXLOWER.decode(hex.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(wrong)?;
        Ok(Entry { kind, mac })
    };
    let sketch = |(_, values): (Vec<String>, String)| BASE64.decode(values.as_bytes()).map_err(|_| wrong());
    Ok(Segment {
        number: written.number,
        reason: written.reason,
        expires: written.expires,
        releases: written.releases,
        entries: written.entries.into_iter().map(entry).collect::<Result<_, ListError>>()?,
        sketches: written.sketches.into_iter().map(sketch).collect::<Result<_, ListError>>()?,
    })
}

pub(super) fn write(folder: &Path, key: &Key, segment: &Segment) -> Result<(), ListError> {
    let mut written = Written {
        version: VERSION,
        number: segment.number,
        key_check: key.check(),
        reason: segment.reason.clone(),
        expires: segment.expires.clone(),
        releases: segment.releases,
        entries: segment.entries.iter().map(|entry| (entry.kind, HEXLOWER.encode(&entry.mac))).collect(),
        sketches: segment.sketches.iter().map(|sketch| (Vec::new(), BASE64.encode(sketch))).collect(),
        sha256: String::new(),
    };
    written.sha256 = HEXLOWER.encode(&Sha256::digest(to_json(&written)));
    store::write_new(&path_of(folder, segment.number), &to_json(&written))?;
    Ok(())
}

fn to_json(written: &Written) -> Vec<u8> {
    let mut json = serde_json::to_vec(written).expect("strings, numbers and lists are JSON");
    json.push(b'\n');
    json
}

#[cfg(test)]
mod tests {
    use super::super::Collector;
    use super::*;

    fn segment(key: &Key, number: u64) -> Segment {
        let mut collector = Collector::new(key);
        collector.add(Kind::Host, "pārdaugava.example.lv");
        collector.add_text("Vecais pārcēlājs zina katru sēkli upē un nekad neskatās kartē, kad migla guļ pār ūdeni.");
        collector.segment(number, "gdpr-17", None)
    }

    #[test]
    fn a_list_reads_back_and_wrong_keys_flipped_bits_and_gaps_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = Key::from_bytes([3; 32]);
        let list = [segment(&key, 1), segment(&key, 2)];
        list.iter().for_each(|segment| write(folder.path(), &key, segment).expect("room"));
        write(folder.path(), &key, &list[1]).expect("the same again is fine");
        assert_eq!(read_all(folder.path(), &key).expect("it is sound"), list);
        assert!(matches!(read_all(folder.path(), &Key::from_bytes([4; 32])), Err(ListError::OtherKey { .. })));
        let path = path_of(folder.path(), 1);
        let whole = std::fs::read_to_string(&path).expect("it is there");
        assert!(!whole.contains("pārdaugava"));
        std::fs::write(&path, whole.replacen("gdpr-17", "gdpr-19", 1)).expect("room");
        assert!(matches!(read_all(folder.path(), &key), Err(ListError::Damaged { .. })));
        std::fs::remove_file(&path).expect("it is ours");
        assert!(matches!(read_all(folder.path(), &key), Err(ListError::Gap { number: 1, .. })));
        assert_eq!(last_number(folder.path()).expect("a folder"), 2);
    }
}
