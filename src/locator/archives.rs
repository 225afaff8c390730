//! What a web archive can be asked for, stretch by stretch.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::file::ANY_ROW;
use super::{Block, Entries, Entry, LocateError};
use crate::archive::{Cutter, Found};

/// Stored bytes after which a block ends where a member does.
const BLOCK_BYTES: u64 = 256 << 10;

/// One record of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where the member that holds it begins.
    pub start: u64,
    /// Where the next one begins.
    pub end: u64,
    /// Its address, if it has one.
    pub url: Option<String>,
    /// Whether other records share its member, so that it cannot be taken out alone.
    pub shared: bool,
}

/// The records of `path` in the bytes of `block`.
///
/// # Errors
/// When the file cannot be read.
pub fn parts(path: &Path, block: &Block) -> io::Result<Vec<Part>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(block.start))?;
    let size = block.end - block.start;
    let mut cutter = Cutter::open(Box::new(file.take(size)), &path.to_string_lossy(), size)?;
    let mut starts: Vec<(u64, Option<String>)> = Vec::new();
    while let Some(found) = cutter.next() {
        if found == Found::Record {
            let url = cutter.head().url().map(|url| url.trim_matches(['<', '>']).to_owned());
            starts.push((block.start + cutter.offset(), url));
        }
    }
    let ends: Vec<u64> = starts.iter().skip(1).map(|(start, _)| *start).chain([block.end]).collect();
    let mut parts: Vec<Part> = Vec::with_capacity(starts.len());
    for ((start, url), end) in starts.into_iter().zip(ends) {
        let shared = parts.last().is_some_and(|before| before.start == start);
        if let Some(before) = parts.last_mut().filter(|_| shared) {
            before.shared = true;
        }
        parts.push(Part { start, end, url, shared });
    }
    Ok(parts)
}

/// The whole of `path`, as blocks with their entries.
pub(super) fn read(path: &Path) -> Result<(Vec<Block>, Vec<Entry>), LocateError> {
    let refused = |error| LocateError::io(path, error);
    let size = std::fs::metadata(path).map_err(refused)?.len();
    let parts = parts(path, &Block { start: 0, end: size }).map_err(refused)?;
    let mut blocks: Vec<Block> = Vec::new();
    let mut entries = Vec::new();
    let cuttable = can_be_opened_anywhere(path).map_err(refused)?;
    let mut of_block = Entries::of_block(0);
    let mut from = 0;
    for part in &parts {
        if cuttable && !part.shared && part.start - from >= BLOCK_BYTES {
            blocks.push(Block { start: from, end: part.start });
            entries.extend(std::mem::replace(&mut of_block, Entries::of_block(blocks.len())).finish());
            from = part.start;
        }
        part.url.iter().for_each(|url| of_block.add_url(url, ANY_ROW));
    }
    blocks.push(Block { start: from, end: size });
    entries.extend(of_block.finish());
    entries.sort_unstable();
    entries.dedup();
    Ok((blocks, entries))
}

/// The entries of one block.
pub(super) fn read_block(path: &Path, number: usize, block: &Block) -> Result<Vec<Entry>, LocateError> {
    let parts = parts(path, block).map_err(|error| LocateError::io(path, error))?;
    let mut of_block = Entries::of_block(number);
    parts.iter().filter_map(|part| part.url.as_ref()).for_each(|url| of_block.add_url(url, ANY_ROW));
    let mut entries = of_block.finish();
    entries.sort_unstable();
    entries.dedup();
    Ok(entries)
}

/// Whether reading can begin at every member: not in a zstd file, whose first frame can be a dictionary for all others.
fn can_be_opened_anywhere(path: &Path) -> io::Result<bool> {
    let mut magic = [0; 5];
    let length = File::open(path)?.read(&mut magic)?;
    Ok(magic[..length].starts_with(&[0x1f, 0x8b]) || magic[..length].starts_with(b"WARC/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_without_members_is_one_block() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.warc");
        std::fs::write(&path, b"no archive at all").expect("room");
        let (blocks, entries) = read(&path).expect("a file");
        assert_eq!((blocks, entries), (vec![Block { start: 0, end: 17 }], Vec::new()));
    }
}
