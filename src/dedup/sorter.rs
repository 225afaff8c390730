//! Sorting more records than memory holds: full buffers are sorted and spilled, and all spills are merged at the end.
//!
//! Spills rather than a distribution into ranges, because a million records of one key, which real archives have, then cost no more than
//! a million of different ones. A spill has no name on disk while it is used, so a killed process leaves none behind.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes that one spill is read by, where there are not too many of them.
const READ_BYTES_MAX: usize = 1 << 20;
const READ_BYTES_MIN: usize = 16 << 10;

/// What can be sorted: it has a fixed number of bytes on disk.
pub trait Record: Copy + Ord {
    /// Bytes of one record.
    const BYTES: usize;

    /// Appends the record to `bytes`.
    fn put(self, bytes: &mut Vec<u8>);

    /// The record that `bytes`, [`Record::BYTES`] of them, hold.
    fn take(bytes: &[u8]) -> Self;
}

/// The first bytes of `bytes` as a number's.
pub(super) fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[..N]);
    array
}

impl Record for (u64, u32) {
    const BYTES: usize = 12;

    fn put(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.0.to_le_bytes());
        bytes.extend_from_slice(&self.1.to_le_bytes());
    }

    fn take(bytes: &[u8]) -> (u64, u32) {
        (u64::from_le_bytes(array(bytes)), u32::from_le_bytes(array(&bytes[8..])))
    }
}

impl Record for (u128, u32) {
    const BYTES: usize = 20;

    fn put(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.0.to_le_bytes());
        bytes.extend_from_slice(&self.1.to_le_bytes());
    }

    fn take(bytes: &[u8]) -> (u128, u32) {
        (u128::from_le_bytes(array(bytes)), u32::from_le_bytes(array(&bytes[16..])))
    }
}

/// A temporary file could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the temporary file `{path}`: {source}", path = path.display())]
pub struct SpillError {
    /// Where it was made.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// A temporary file for writing and reading that has no name any more.
#[derive(Debug)]
pub struct Spill {
    path: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
}

impl Spill {
    /// Makes the file, at a free `path` that it loses at once.
    ///
    /// # Errors
    /// What the system says, as for all that follow.
    pub fn create(path: PathBuf) -> Result<Spill, SpillError> {
        let made = File::options().read(true).write(true).create(true).truncate(true).open(&path);
        let file = made.and_then(|file| std::fs::remove_file(&path).map(|()| file));
        match file {
            Ok(file) => Ok(Spill { path, file: BufWriter::with_capacity(64 << 10, file), bytes: 0 }),
            Err(source) => Err(SpillError { path, source }),
        }
    }

    /// Appends `bytes`.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), SpillError> {
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|source| SpillError { path: self.path.clone(), source })
    }

    /// Bytes written so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Ends writing: everything can be read.
    pub fn flush(&mut self) -> Result<(), SpillError> {
        self.file.flush().map_err(|source| SpillError { path: self.path.clone(), source })
    }

    /// Fills `bytes` with what was written from byte `at` on.
    pub fn read(&self, bytes: &mut [u8], at: u64) -> Result<(), SpillError> {
        self.file.get_ref().read_exact_at(bytes, at).map_err(|source| SpillError { path: self.path.clone(), source })
    }
}

/// Takes records in any order.
#[derive(Debug)]
pub struct Sorter<R> {
    stem: PathBuf,
    held: Vec<R>,
    held_max: usize,
    bytes_max: usize,
    spills: Vec<Spill>,
}

impl<R: Record> Sorter<R> {
    /// A sorter that holds at most `bytes_max` bytes in memory and spills to `folder` under `name`.
    #[must_use]
    pub fn new(folder: &Path, name: &str, bytes_max: usize) -> Sorter<R> {
        let held_max = (bytes_max / size_of::<R>()).max(1024);
        Sorter { stem: folder.join(name), held: Vec::new(), held_max, bytes_max, spills: Vec::new() }
    }

    /// Makes room for `count` records at once, as far as they fit.
    #[must_use]
    pub fn expecting(mut self, count: usize) -> Sorter<R> {
        self.held.reserve_exact(count.min(self.held_max));
        self
    }

    /// Takes a record.
    ///
    /// # Errors
    /// When a spill cannot be written.
    #[inline]
    pub fn push(&mut self, record: R) -> Result<(), SpillError> {
        if self.held.len() == self.held_max {
            self.spill()?;
        }
        if self.held.len() == self.held.capacity() {
            // Doubling as a vector does, but never past the bound.
            let more = self.held.len().clamp(1024, self.held_max - self.held.len());
            self.held.reserve_exact(more);
        }
        self.held.push(record);
        Ok(())
    }

    #[cold]
    fn spill(&mut self) -> Result<(), SpillError> {
        self.held.sort_unstable();
        let mut spill = Spill::create(self.stem.with_extension(format!("{}.spill", self.spills.len())))?;
        let mut bytes = Vec::with_capacity(R::BYTES * 4096);
        for records in self.held.chunks(4096) {
            bytes.clear();
            records.iter().for_each(|record| record.put(&mut bytes));
            spill.write(&bytes)?;
        }
        spill.flush()?;
        self.spills.push(spill);
        self.held.clear();
        Ok(())
    }

    /// All records, sorted.
    ///
    /// # Errors
    /// When a spill cannot be written or read.
    pub fn finish(mut self) -> Result<Sorted<R>, SpillError> {
        if self.spills.is_empty() {
            self.held.sort_unstable();
            return Ok(Sorted { held: self.held.into_iter(), sources: Vec::new(), heap: BinaryHeap::new() });
        }
        self.spill()?;
        self.held = Vec::new();
        let read_bytes = (self.bytes_max / self.spills.len()).clamp(READ_BYTES_MIN, READ_BYTES_MAX) / R::BYTES * R::BYTES;
        let mut sorted = Sorted { held: Vec::new().into_iter(), sources: Vec::new(), heap: BinaryHeap::new() };
        for (number, spill) in self.spills.into_iter().enumerate() {
            let mut source = Source { spill, place: 0, bytes: Vec::new(), at: 0, read_bytes };
            if let Some(first) = source.next()? {
                sorted.heap.push(Reverse((first, number)));
            }
            sorted.sources.push(source);
        }
        Ok(sorted)
    }
}

#[derive(Debug)]
struct Source {
    spill: Spill,
    place: u64,
    bytes: Vec<u8>,
    at: usize,
    read_bytes: usize,
}

impl Source {
    #[inline]
    fn next<R: Record>(&mut self) -> Result<Option<R>, SpillError> {
        if self.at == self.bytes.len() && !self.fill()? {
            return Ok(None);
        }
        let record = R::take(&self.bytes[self.at..self.at + R::BYTES]);
        self.at += R::BYTES;
        Ok(Some(record))
    }

    fn fill(&mut self) -> Result<bool, SpillError> {
        let length = (self.spill.bytes() - self.place).min(self.read_bytes as u64);
        self.bytes.resize(length as usize, 0);
        self.spill.read(&mut self.bytes, self.place)?;
        self.place += length;
        self.at = 0;
        Ok(length > 0)
    }
}

/// Records in order.
#[derive(Debug)]
pub struct Sorted<R> {
    /// All of them, where nothing was spilled.
    held: std::vec::IntoIter<R>,
    sources: Vec<Source>,
    heap: BinaryHeap<Reverse<(R, usize)>>,
}

impl<R: Record> Sorted<R> {
    /// The next record, which stays.
    #[must_use]
    pub fn peek(&self) -> Option<R> {
        self.held.as_slice().first().copied().or_else(|| self.heap.peek().map(|Reverse((record, _))| *record))
    }

    /// The next record.
    ///
    /// # Errors
    /// When a spill cannot be read.
    #[inline]
    pub fn pull(&mut self) -> Result<Option<R>, SpillError> {
        if let Some(record) = self.held.next() {
            return Ok(Some(record));
        }
        let Some(mut top) = self.heap.peek_mut() else { return Ok(None) };
        let Reverse((record, number)) = *top;
        match self.sources[number].next()? {
            Some(next) => top.0.0 = next,
            None => drop(PeekMut::pop(top)),
        }
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(records: &[(u64, u32)], bytes_max: usize) -> Vec<(u64, u32)> {
        let folder = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::new(folder.path(), "t", bytes_max);
        records.iter().for_each(|record| sorter.push(*record).unwrap());
        let mut sorted = sorter.finish().unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "spills have no names");
        let mut all = Vec::new();
        while let Some(record) = sorted.pull().unwrap() {
            all.push(record);
        }
        all
    }

    #[test]
    fn records_come_out_in_order_whether_they_fit_or_not() {
        let records: Vec<(u64, u32)> = (0..50_000_u32).map(|n| (u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 50, n)).collect();
        let mut expected = records.clone();
        expected.sort_unstable();
        for bytes_max in [1 << 30, 300_000, 1] {
            assert_eq!(sorted(&records, bytes_max), expected, "{bytes_max}");
        }
    }

    #[test]
    fn nothing_and_many_of_one_key_are_no_special_case() {
        assert!(sorted(&[], 10).is_empty());
        assert_eq!(sorted(&[(7, 7); 5000], 10).len(), 5000);
    }
}
