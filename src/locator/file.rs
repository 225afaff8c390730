//! A list on disk: a head with the first key of every page, then pages of sorted entries, each with its own checksum.
//!
//! A question reads the head and one page a key. What does not hold its checksum answers nothing, and is made anew.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::{InBlock, Key, Places};
use crate::store::{self, StoreError};

/// First bytes of a list: the form's name and version.
const MAGIC: [u8; 8] = *b"tamisloc";
const VERSION: u64 = 1;
/// Entries of a page.
const PAGE_ENTRIES: usize = 255;
/// Bytes of an entry: key, block, row.
const ENTRY_BYTES: usize = 16;
/// Bytes of a page: its entries, padding, checksum.
const PAGE_BYTES: usize = 4096;
/// Numbers at the beginning of the head: version, stamp (3), blocks, entries.
const HEAD_NUMBERS: usize = 6;
/// The row of a key that stands for a whole block.
pub(super) const ANY_ROW: u32 = u32::MAX;

/// A state of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    bytes: u64,
    /// ns since 1970.
    modified: u64,
    inode: u64,
}

impl Stamp {
    /// The state of `path` now.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub fn of(path: &Path) -> std::io::Result<Stamp> {
        let metadata = std::fs::metadata(path)?;
        let modified = metadata.mtime().wrapping_mul(1_000_000_000).wrapping_add(metadata.mtime_nsec()) as u64;
        Ok(Stamp { bytes: metadata.len(), modified, inode: metadata.ino() })
    }
}

/// A block: of an archive its first byte and the one behind its last; of a Parquet file its number of rows, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// First byte, or row.
    pub start: u64,
    /// One behind the last.
    pub end: u64,
}

/// One key of a document, and where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) block: u32,
    pub(super) row: u32,
}

/// An open list.
#[derive(Debug)]
pub struct Locator {
    file: File,
    blocks: Vec<Block>,
    /// First key of each page.
    fences: Vec<u64>,
    entries: usize,
}

impl Locator {
    /// Opens the list at `path` if it is sound and belongs to the state `stamp`.
    pub(super) fn open(path: &Path, stamp: &Stamp) -> Option<Locator> {
        let mut file = File::open(path).ok()?;
        let mut start = [0; MAGIC.len() + 8 * HEAD_NUMBERS];
        file.read_exact(&mut start).ok()?;
        let numbers: Vec<u64> = words(&start[MAGIC.len()..]).collect();
        let known = start.starts_with(&MAGIC) && numbers[..4] == [VERSION, stamp.bytes, stamp.modified, stamp.inode];
        let [blocks, entries] = [numbers[4], numbers[5]].map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        let rest = rest_bytes(blocks, entries).filter(|rest| known && *rest as u64 <= file.metadata().map_or(0, |file| file.len()))?;
        let mut head = vec![0; rest];
        file.read_exact(&mut head).ok()?;
        let (body, sum) = head.split_at(rest - 8);
        if xxh3_64(&[&start[..], body].concat()) != words(sum).next()? {
            return None;
        }
        let numbers: Vec<u64> = words(body).collect();
        let (of_blocks, fences) = numbers.split_at(2 * blocks);
        let blocks = of_blocks.chunks_exact(2).map(|pair| Block { start: pair[0], end: pair[1] }).collect();
        Some(Locator { file, blocks, fences: fences.to_vec(), entries })
    }

    /// Writes a list in the place of what stands at `path` with `store`, and opens it.
    pub(super) fn write(
        path: &Path,
        stamp: &Stamp,
        blocks: Vec<Block>,
        mut entries: Vec<Entry>,
        store: impl FnOnce(&Path, &[u8]) -> Result<(), StoreError>,
    ) -> Result<Locator, StoreError> {
        entries.sort_unstable();
        let fences: Vec<u64> = entries.chunks(PAGE_ENTRIES).map(|page| page[0].key.0).collect();
        let numbers = [VERSION, stamp.bytes, stamp.modified, stamp.inode, blocks.len() as u64, entries.len() as u64];
        let head = numbers.into_iter().chain(blocks.iter().flat_map(|block| [block.start, block.end])).chain(fences.iter().copied());
        let mut bytes = MAGIC.to_vec();
        bytes.extend(head.flat_map(u64::to_le_bytes));
        bytes.extend(xxh3_64(&bytes).to_le_bytes());
        bytes.reserve(fences.len() * PAGE_BYTES);
        for page in entries.chunks(PAGE_ENTRIES) {
            let start = bytes.len();
            for entry in page {
                bytes.extend(entry.key.0.to_le_bytes());
                bytes.extend(entry.block.to_le_bytes());
                bytes.extend(entry.row.to_le_bytes());
            }
            bytes.resize(start + PAGE_BYTES - 8, 0);
            bytes.extend(xxh3_64(&bytes[start..]).to_le_bytes());
        }
        store::create_folder(path.parent().unwrap_or(Path::new("")))?;
        store(path, &bytes)?;
        let file = File::open(path).map_err(|error| StoreError::io(path, error))?;
        Ok(Locator { file, blocks, fences, entries: entries.len() })
    }

    /// The blocks of the file.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Where something with one of `keys` can lie; `None` where the list is damaged.
    pub(super) fn find(&self, keys: &[Key]) -> Option<Places> {
        let mut places = Places::new();
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        let mut last: Option<(usize, Vec<Entry>)> = None;
        for key in keys {
            let first = self.fences.partition_point(|fence| *fence < key.0).saturating_sub(1);
            for page in first..self.fences.len() {
                if self.fences[page] > key.0 {
                    break;
                }
                let entries = match last.take() {
                    Some((number, entries)) if number == page => entries,
                    _ => self.page(page)?,
                };
                let from = entries.partition_point(|entry| entry.key < key);
                entries[from..].iter().take_while(|entry| entry.key == key).for_each(|entry| add(&mut places, entry));
                last = Some((page, entries));
            }
        }
        Some(places)
    }

    /// All entries; `None` where the list is damaged.
    pub(super) fn entries(&self) -> Option<Vec<Entry>> {
        let mut entries = Vec::with_capacity(self.entries);
        for page in 0..self.fences.len() {
            entries.extend(self.page(page)?);
        }
        Some(entries)
    }

    fn page(&self, number: usize) -> Option<Vec<Entry>> {
        let head = MAGIC.len() + 8 * HEAD_NUMBERS + rest_bytes(self.blocks.len(), self.entries)?;
        let mut page = [0; PAGE_BYTES];
        self.file.read_exact_at(&mut page, (head + number * PAGE_BYTES) as u64).ok()?;
        let (body, sum) = page.split_at(PAGE_BYTES - 8);
        if xxh3_64(body) != words(sum).next()? {
            return None;
        }
        let count = PAGE_ENTRIES.min(self.entries - number * PAGE_ENTRIES);
        let entry = |bytes: &[u8]| {
            let mut halves = words(bytes);
            let (key, place) = (halves.next()?, halves.next()?);
            Some(Entry { key: Key(key), block: place as u32, row: (place >> 32) as u32 })
        };
        body.chunks_exact(ENTRY_BYTES).take(count).map(entry).collect()
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word))
}

/// Bytes of a head behind its first numbers: blocks, fences, checksum.
fn rest_bytes(blocks: usize, entries: usize) -> Option<usize> {
    blocks.checked_mul(16)?.checked_add(entries.div_ceil(PAGE_ENTRIES).checked_mul(8)?)?.checked_add(8)
}

fn add(places: &mut Places, entry: &Entry) {
    let place = places.entry(entry.block as usize).or_insert_with(|| InBlock::Rows(BTreeSet::new()));
    match place {
        InBlock::Anywhere => {}
        InBlock::Rows(_) if entry.row == ANY_ROW => *place = InBlock::Anywhere,
        InBlock::Rows(rows) => {
            rows.insert(entry.row as usize);
        }
    }
}
