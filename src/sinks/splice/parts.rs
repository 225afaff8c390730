//! A column chunk as stretches of the old file and new pages, in the order in which they are written.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

/// Bytes of the old file that are read at a time.
const BUFFER_BYTES: u64 = 256 << 10;

/// A stretch of a column chunk.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// These bytes of the old file.
    Copied(Range<u64>),
    /// These bytes.
    New(Bytes),
}

impl Part {
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Part::Copied(range) => range.end - range.start,
            Part::New(bytes) => bytes.len() as u64,
        }
    }
}

/// A column chunk that is read from its beginning. The library asks for it by the offset that its description states.
pub(super) struct Parts {
    file: Arc<File>,
    parts: VecDeque<Part>,
    buffer: Vec<u8>,
    /// How much of `buffer` is read.
    at: usize,
}

impl Parts {
    pub(super) fn new(file: &Arc<File>, parts: impl IntoIterator<Item = Part>) -> Parts {
        Parts { file: file.clone(), parts: parts.into_iter().collect(), buffer: Vec::new(), at: 0 }
    }

    /// Makes the next bytes ready.
    fn fill(&mut self, part: Part) -> io::Result<()> {
        self.at = 0;
        match part {
            Part::New(bytes) => {
                self.buffer.clear();
                self.buffer.extend_from_slice(&bytes);
            }
            Part::Copied(Range { start, end }) => {
                let now = end.min(start + BUFFER_BYTES);
                if now < end {
                    self.parts.push_front(Part::Copied(now..end));
                }
                self.buffer.resize((now - start) as usize, 0);
                self.file.read_exact_at(&mut self.buffer, start)?;
            }
        }
        Ok(())
    }
}

impl Read for Parts {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.at == self.buffer.len() {
            let Some(part) = self.parts.pop_front() else { return Ok(0) };
            self.fill(part)?;
        }
        let length = to.len().min(self.buffer.len() - self.at);
        to[..length].copy_from_slice(&self.buffer[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

impl Length for Parts {
    fn len(&self) -> u64 {
        self.parts.iter().map(Part::bytes).sum()
    }
}

impl ChunkReader for Parts {
    type T = Parts;

    fn get_read(&self, _start: u64) -> Result<Parts, ParquetError> {
        Ok(Parts::new(&self.file, self.parts.iter().cloned()))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let mut bytes = vec![0; length];
        self.get_read(start)?.read_exact(&mut bytes)?;
        Ok(Bytes::from(bytes))
    }
}
