//! Keeps a shard as long as it was: a reader may know its old length and look for the footer where that says.
//!
//! Some readers (Polars 2.1) take a file's length when they list a folder, and open the file later. A shard that became shorter meanwhile
//! has no footer where they look for it, so what the erased rows leave is filled with zeros. Those stand right before the footer, which
//! every reader finds by its length from the end: no offset in the file changes, so no number of zeros is out of reach, and the next
//! splice, which copies row groups alone, leaves them out again.

use std::io::{self, BufWriter, Write};

use super::super::HashedFile;

/// Bytes behind a Parquet footer: its length, and `PAR1`.
const END_BYTES: usize = 8;

/// Zeros that are written at a time.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// Bytes that are written and hashed at a time. The Parquet library passes on 8 KiB, for which the system takes twice as long.
const BUFFER_BYTES: usize = 256 << 10;

/// A Parquet file in the making whose end waits until it is known how long the file is without padding.
pub(super) struct Padded {
    to: BufWriter<HashedFile>,
    end: Option<Vec<u8>>,
}

impl Padded {
    pub(super) fn new(to: HashedFile) -> Padded {
        Padded { to: BufWriter::with_capacity(BUFFER_BYTES, to), end: None }
    }

    /// Keeps back all that follows: filters, places of pages, footer.
    pub(super) fn hold(&mut self) {
        self.end.get_or_insert_default();
    }

    /// Writes what was kept back, with zeros before the footer if the file were shorter than `bytes` else.
    pub(super) fn release(self, bytes: u64) -> io::Result<HashedFile> {
        let (mut to, end) = (self.to.into_inner().map_err(io::IntoInnerError::into_error)?, self.end.unwrap_or_default());
        let (before, footer) = end.split_at(footer_start(&end));
        to.write_all(before)?;
        let mut missing = bytes.saturating_sub(to.bytes + footer.len() as u64);
        while missing > 0 {
            let now = missing.min(ZEROS.len() as u64);
            to.write_all(&ZEROS[..now as usize])?;
            missing -= now;
        }
        to.write_all(footer)?;
        Ok(to)
    }
}

/// Where in the `end` of a file its footer begins.
fn footer_start(end: &[u8]) -> usize {
    let length = end.len().checked_sub(END_BYTES).and_then(|at| end[at..].first_chunk()).map(|bytes| u32::from_le_bytes(*bytes) as usize);
    length.and_then(|length| end.len().checked_sub(END_BYTES + length)).unwrap_or(end.len())
}

impl Write for Padded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.end {
            Some(end) => end.write(bytes),
            None => self.to.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
