//! A Parquet file as the library reads it, with few questions to the system: the library opens, seeks and closes a file anew for the head and for
//! the body of each page, which took a fifth of the time in which many small files are read.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

/// A file up to this size is held whole. Many are open at once.
const HELD_FILE_BYTES_MAX: u64 = 256 << 10;
/// Of larger ones those column chunks are held that are no larger than this.
const HELD_CHUNK_BYTES_MAX: u64 = 32 << 10;
/// Chunks that lie so near to each other are read in one go.
const GAP_BYTES_MAX: u64 = 4 << 10;
/// Bytes that are read for the head of a page.
const HEAD_BYTES: usize = 1 << 10;
/// Bytes that are read at a time by whoever reads on.
const READ_BYTES: usize = 64 << 10;

/// An open file, some of which is held.
#[derive(Clone, Debug)]
pub(super) struct Chunks {
    file: Arc<File>,
    bytes: u64,
    /// Where each piece begins, in order.
    held: Vec<(u64, Bytes)>,
}

impl Chunks {
    pub(super) fn open(file: File) -> io::Result<Chunks> {
        let (bytes, mut held) = (file.metadata()?.len(), Vec::new());
        if bytes <= HELD_FILE_BYTES_MAX {
            let mut whole = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0));
            (&file).take(bytes).read_to_end(&mut whole)?;
            held.push((0, Bytes::from(whole)));
        }
        Ok(Chunks { file: Arc::new(file), bytes, held })
    }

    /// The same file with the small ones of some column chunks (where they begin and how long they are), which lie in this order.
    pub(super) fn holding(&self, chunks: impl Iterator<Item = (u64, u64)>) -> io::Result<Chunks> {
        if self.bytes <= HELD_FILE_BYTES_MAX {
            return Ok(self.clone());
        }
        let mut pieces: Vec<(u64, u64)> = Vec::new();
        for (start, length) in chunks.filter(|(_, length)| *length <= HELD_CHUNK_BYTES_MAX) {
            match pieces.last_mut() {
                Some((first, until)) if start >= *until && start - *until <= GAP_BYTES_MAX => (*first, *until) = (*first, start + length),
                _ => pieces.push((start, start + length)),
            }
        }
        self.with(pieces)
    }

    fn with(&self, pieces: Vec<(u64, u64)>) -> io::Result<Chunks> {
        let read = |(start, end): (u64, u64)| {
            let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(usize::MAX)];
            self.file.read_exact_at(&mut bytes, start)?;
            Ok((start, Bytes::from(bytes)))
        };
        Ok(Chunks { held: pieces.into_iter().map(read).collect::<io::Result<_>>()?, ..self.clone() })
    }

    /// What is held from `start` on; nothing where it is not held.
    fn from(&self, start: u64) -> Bytes {
        let after = self.held.partition_point(|(first, _)| *first <= start);
        let Some((first, bytes)) = after.checked_sub(1).map(|place| &self.held[place]) else { return Bytes::new() };
        let skipped = usize::try_from(start - first).unwrap_or(usize::MAX);
        if skipped < bytes.len() { bytes.slice(skipped..) } else { Bytes::new() }
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl ChunkReader for Chunks {
    type T = Onward;

    fn get_read(&self, start: u64) -> Result<Onward, ParquetError> {
        Ok(Onward { chunks: self.clone(), ready: self.from(start), next: start, read_bytes: HEAD_BYTES })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let held = self.from(start);
        if held.len() >= length {
            return Ok(held.slice(..length));
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(Bytes::from(bytes))
    }
}

/// Reads on from some place in a file.
pub(super) struct Onward {
    chunks: Chunks,
    ready: Bytes,
    /// Where the next byte lies.
    next: u64,
    read_bytes: usize,
}

impl Read for Onward {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.ready.is_empty() {
            let mut bytes = vec![0; self.read_bytes];
            let count = self.chunks.file.read_at(&mut bytes, self.next)?;
            bytes.truncate(count);
            (self.ready, self.read_bytes) = (Bytes::from(bytes), READ_BYTES);
        }
        let count = to.len().min(self.ready.len());
        to[..count].copy_from_slice(&self.ready.split_to(count));
        self.next += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &std::path::Path, bytes: usize) -> (Vec<u8>, File) {
        let content: Vec<u8> = (0..bytes).map(|number| (number * 7 % 251) as u8).collect();
        let path = folder.join(bytes.to_string());
        std::fs::write(&path, &content).expect("room on disk");
        (content, File::open(path).expect("it is there"))
    }

    #[test]
    fn whatever_is_held_the_bytes_are_those_of_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        for size in [0, 1_000, 600_000] {
            let (content, file) = file(folder.path(), size);
            let whole = Chunks::open(file).expect("readable");
            let held = whole.holding([(10, 100), (200, 50), (300_000, 40_000), (400_000, 3_000)].into_iter().filter(|_| size > 1_000));
            for chunks in [whole.clone(), held.expect("readable")] {
                assert_eq!(chunks.len(), size as u64);
                for (start, length) in [(0, 50), (10, 100), (15, 300), (220, 30), (300_100, 70_000), (401_000, 2_000), (599_000, 1_000)] {
                    if start + length > size {
                        assert!(chunks.get_bytes(start as u64, length).is_err());
                        continue;
                    }
                    let want = &content[start..start + length];
                    assert_eq!(chunks.get_bytes(start as u64, length).expect("readable"), want);
                    let mut read = vec![0; length];
                    chunks.get_read(start as u64).and_then(|mut onward| Ok(onward.read_exact(&mut read)?)).expect("readable");
                    assert_eq!(read, want);
                }
            }
        }
    }
}
