//! A run of keys on disk: sorted, each with the number of its document, in blocks that can be skipped.
//!
//! Merging two runs, or asking one for the keys of a night, is one pass from the front to the back; a block whose keys all lie before
//! the next one that is asked for is never read.

use std::collections::BTreeSet;
use std::fs::File;
use std::marker::PhantomData;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::sink::{Output, OutputKind, SinkError};

use super::columns::{Column, ColumnError, ColumnFile, ColumnWriter};
use super::sign::Scheme;
use super::sorter::{Record, array};

const KEY: usize = 0;
const DOCUMENT: usize = 1;

/// Keys in a block: 400 KB with keys of 8 bytes.
const BLOCK_ROWS: u32 = 32_768;

/// What documents can have in common.
pub trait Key: Copy + Ord {
    /// Bytes of one key.
    const BYTES: usize;

    /// The smallest key that means the same.
    #[must_use]
    fn group(self) -> Self;

    /// Its first 64 bits.
    fn top(self) -> u64;

    /// Its bytes.
    fn bytes(self) -> [u8; 16];

    /// The key that these bytes hold.
    fn of(bytes: &[u8]) -> Self;
}

/// A band of a sketch, and the language.
impl Key for u64 {
    const BYTES: usize = 8;

    fn group(self) -> u64 {
        self
    }

    fn top(self) -> u64 {
        self
    }

    fn bytes(self) -> [u8; 16] {
        u128::from(self).to_le_bytes()
    }

    fn of(bytes: &[u8]) -> u64 {
        u64::from_le_bytes(array(bytes))
    }
}

/// 96 bits of a text's exact hash, then 32 of its language's: equal texts lie together, those of one language side by side. Among 10^10
/// documents two different texts have equal 96 bits with probability 10^-9.
impl Key for u128 {
    const BYTES: usize = 16;

    fn group(self) -> u128 {
        self >> 32 << 32
    }

    fn top(self) -> u64 {
        (self >> 64) as u64
    }

    fn bytes(self) -> [u8; 16] {
        self.to_le_bytes()
    }

    fn of(bytes: &[u8]) -> u128 {
        u128::from_le_bytes(array(bytes))
    }
}

/// What a run of keys says of itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysAbout {
    /// How its documents were signed.
    pub scheme: Scheme,
    /// The first 64 bits of the first key of each block.
    pub first_keys: Vec<u64>,
}

fn columns<K: Key>() -> Vec<Column> {
    vec![Column::new("key", K::BYTES), Column::new("document", 4)]
}

/// Writes a run.
#[derive(Debug)]
pub struct KeyWriter {
    writer: ColumnWriter,
    about: KeysAbout,
    rows: u32,
}

impl KeyWriter {
    /// Begins a run at `path` of keys like `K`.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create<K: Key>(path: &Path, scheme: Scheme) -> Result<KeyWriter, SinkError> {
        let writer = ColumnWriter::create(path, columns::<K>())?.with_block_rows(BLOCK_ROWS);
        Ok(KeyWriter { writer, about: KeysAbout { scheme, first_keys: Vec::new() }, rows: 0 })
    }

    /// Writes a key and the number of its document; keys come in order.
    ///
    /// # Errors
    /// When the file cannot be written.
    #[inline]
    pub fn put<K: Key>(&mut self, (key, document): (K, u32)) -> Result<(), SinkError> {
        if self.rows == 0 {
            self.about.first_keys.push(key.top());
        }
        self.rows = (self.rows + 1) % BLOCK_ROWS;
        self.writer.set(KEY, &key.bytes()[..K::BYTES]);
        self.writer.set(DOCUMENT, &document.to_le_bytes());
        self.writer.end_row()
    }

    /// Ends the file, flushes it to disk and describes it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(self) -> Result<Output, SinkError> {
        self.writer.finish(OutputKind::Index, &self.about)
    }

    /// Ends a block, so that the next one can be copied.
    fn end_block(&mut self) -> Result<(), SinkError> {
        self.rows = 0;
        self.writer.end_block()
    }
}

/// Numbers of documents, asked for once a key.
struct Numbers {
    numbers: BTreeSet<u32>,
    /// A bit for each lower half of a number: nearly all that are asked for are told apart by it.
    halves: Vec<bool>,
}

impl Numbers {
    fn of(numbers: BTreeSet<u32>) -> Numbers {
        let mut halves = vec![false; 1 << 16];
        numbers.iter().for_each(|number| halves[(number & 0xffff) as usize] = true);
        Numbers { numbers, halves }
    }

    #[inline]
    fn has(&self, number: u32) -> bool {
        self.halves[(number & 0xffff) as usize] && self.numbers.contains(&number)
    }
}

/// Writes `run` to `path` without the keys of the documents `gone` and with `new_keys`, which are sorted. Blocks in which nothing
/// changes are copied as they stand.
///
/// # Errors
/// When the run is damaged, or cannot be written.
pub fn copy_without<K: Key, E>(run: &ColumnFile<KeysAbout>, gone: BTreeSet<u32>, new_keys: Vec<(K, u32)>, path: &Path) -> Result<Output, E>
where
    (K, u32): Record,
    E: From<ColumnError> + From<SinkError>,
{
    let about = run.about();
    let mut writer = KeyWriter::create::<K>(path, about.scheme)?;
    let (gone, file) = (Numbers::of(gone), run.open_again()?);
    let mut new_keys = new_keys.into_iter().peekable();
    let (mut keys, mut documents) = (Vec::new(), Vec::new());
    for block in 0..run.blocks().len() {
        run.read_into(&file, DOCUMENT, block, &mut documents)?;
        let next_first = about.first_keys.get(block + 1).copied().unwrap_or(u64::MAX);
        let numbers = documents.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
        if !numbers.clone().any(|number| gone.has(number)) && new_keys.peek().is_none_or(|(key, _)| key.top() > next_first) {
            writer.end_block()?;
            writer.about.first_keys.push(about.first_keys[block]);
            writer.writer.copy_block::<_, E>(run, &file, block)?;
            continue;
        }
        run.read_into(&file, KEY, block, &mut keys)?;
        for record in keys.chunks_exact(K::BYTES).map(K::of).zip(numbers) {
            while let Some(new) = new_keys.next_if(|new| *new < record) {
                writer.put(new)?;
            }
            if !gone.has(record.1) {
                writer.put(record)?;
            }
        }
    }
    new_keys.try_for_each(|new| writer.put(new))?;
    Ok(writer.finish()?)
}

/// Opens the run at `path`.
///
/// # Errors
/// When it is no run of keys like `K`.
pub fn open<K: Key>(path: &Path) -> Result<ColumnFile<KeysAbout>, ColumnError> {
    let file = ColumnFile::<KeysAbout>::open(path)?;
    file.expect_columns(&columns::<K>())?;
    if file.about().first_keys.len() == file.blocks().len() { Ok(file) } else { Err(file.not_whole("it does not say where keys are")) }
}

/// Reads a run from the front to the back. Of a block whose keys nobody has, the numbers of documents are not read.
#[derive(Debug)]
pub struct Cursor<'a, K> {
    run: &'a ColumnFile<KeysAbout>,
    file: File,
    next_block: usize,
    keys: Vec<u8>,
    documents: Vec<u8>,
    /// Whether `documents` are those of `keys`.
    whole: bool,
    at: usize,
    rows: usize,
    kind: PhantomData<K>,
}

impl<'a, K: Key> Cursor<'a, K>
where
    (K, u32): Record,
{
    /// Stands before the first key of `run`.
    ///
    /// # Errors
    /// When its file cannot be opened.
    pub fn new(run: &'a ColumnFile<KeysAbout>) -> Result<Cursor<'a, K>, ColumnError> {
        let (keys, documents, file) = (Vec::new(), Vec::new(), run.open_again()?);
        Ok(Cursor { run, file, next_block: 0, keys, documents, whole: false, at: 0, rows: 0, kind: PhantomData })
    }

    /// The next key, which stays.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged.
    #[inline]
    pub fn peek(&mut self) -> Result<Option<K>, ColumnError> {
        while self.at == self.rows {
            if self.next_block == self.run.blocks().len() {
                return Ok(None);
            }
            self.load()?;
        }
        Ok(Some(self.key(self.at)))
    }

    /// Takes the next key of `group`, if there is one more, with the number of its document.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged.
    #[inline]
    pub fn next_of(&mut self, group: K) -> Result<Option<(K, u32)>, ColumnError> {
        let Some(key) = self.peek()?.filter(|key| key.group() == group) else { return Ok(None) };
        self.take(key).map(Some)
    }

    /// Takes the next key with the number of its document.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged.
    pub fn pull(&mut self) -> Result<Option<(K, u32)>, ColumnError> {
        let Some(key) = self.peek()? else { return Ok(None) };
        self.take(key).map(Some)
    }

    #[inline]
    fn take(&mut self, key: K) -> Result<(K, u32), ColumnError> {
        if !self.whole {
            self.run.read_into(&self.file, DOCUMENT, self.next_block - 1, &mut self.documents)?;
            self.whole = true;
        }
        let document = u32::from_le_bytes(array(&self.documents[4 * self.at..]));
        self.at += 1;
        Ok((key, document))
    }

    /// Goes to the first key that is not less than `key`.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged.
    #[inline]
    pub fn seek(&mut self, key: K) -> Result<(), ColumnError> {
        if self.at < self.rows && self.key(self.at) >= key {
            return Ok(());
        }
        if self.rows == 0 || self.key(self.rows - 1) < key {
            self.find_block(key)?;
        }
        // Keys of a night lie close together in the run, so the next one is looked for in steps that double.
        let (mut low, mut reach) = (self.at, 1);
        while low + reach < self.rows && self.key(low + reach) < key {
            low += reach;
            reach *= 2;
        }
        let mut high = self.rows.min(low + reach);
        while low < high {
            let middle = low.midpoint(high);
            if self.key(middle) < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        self.at = low;
        Ok(())
    }

    /// Loads the first block, not before the present one, that has a key not less than `key`.
    fn find_block(&mut self, key: K) -> Result<(), ColumnError> {
        let first_keys = &self.run.about().first_keys;
        let block = first_keys.partition_point(|first| *first < key.top()).saturating_sub(1);
        self.next_block = self.next_block.max(block);
        self.at = self.rows;
        while self.next_block < first_keys.len() {
            self.load()?;
            if self.key(self.rows - 1) >= key {
                break;
            }
            self.at = self.rows;
        }
        Ok(())
    }

    #[inline]
    fn key(&self, row: usize) -> K {
        K::of(&self.keys[row * K::BYTES..])
    }

    fn load(&mut self) -> Result<(), ColumnError> {
        self.run.read_into(&self.file, KEY, self.next_block, &mut self.keys)?;
        self.rows = self.keys.len() / K::BYTES;
        self.at = 0;
        self.whole = false;
        self.next_block += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dedup::settings::DedupSettings;

    fn run(keys: impl Iterator<Item = u64>) -> (tempfile::TempDir, ColumnFile<KeysAbout>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let mut writer = KeyWriter::create::<u64>(&path, Scheme::of(&DedupSettings::default())).unwrap();
        keys.zip(0..).for_each(|record| writer.put(record).unwrap());
        writer.finish().unwrap();
        let file = open::<u64>(&path).unwrap();
        (folder, file)
    }

    #[test]
    fn every_key_is_found_by_asking_in_order_over_all_blocks() {
        let (_folder, file) = run((0..100_000).map(|n| n * 3));
        let mut cursor = Cursor::<u64>::new(&file).unwrap();
        for asked in (0..300_050).step_by(997) {
            cursor.seek(asked).unwrap();
            let expected = asked.div_ceil(3);
            assert_eq!(cursor.pull().unwrap(), (expected < 100_000).then_some((expected * 3, expected as u32)), "{asked}");
        }
    }

    #[test]
    fn a_key_that_fills_blocks_is_read_whole() {
        let (_folder, file) = run((0..80_000).map(|n| if n < 40_000 { 7 } else { 9 }));
        for start in [0, 7] {
            let mut cursor = Cursor::<u64>::new(&file).unwrap();
            cursor.seek(start).unwrap();
            let mut count = 0;
            while cursor.next_of(7).unwrap().is_some() {
                count += 1;
            }
            assert_eq!(count, 40_000);
        }
        let mut cursor = Cursor::<u64>::new(&file).unwrap();
        cursor.seek(8).unwrap();
        assert_eq!(cursor.pull().unwrap(), Some((9, 40_000)));
    }

    #[test]
    fn equal_texts_lie_together_whatever_their_language() {
        let (a, b): (u128, u128) = (0xabc << 32 | 1, 0xabc << 32 | 2);
        assert_eq!(a.group(), b.group());
        assert_ne!(a.group(), (0xabd_u128 << 32).group());
        assert!(open::<u128>(run(0..1).1.path()).is_err());
    }
}
