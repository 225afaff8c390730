//! A file as stored: a read-ahead buffer that knows the offset of every byte in it.
//!
//! The buffer is always filled to its end, whatever piece sizes the source gives, so that what a reader sees, and with it how it
//! recovers from damage, depends on the bytes alone and never on the timing of a pipe or a network.

use std::io::{self, ErrorKind, Read};

/// Bytes read ahead.
pub(super) const BUFFER_BYTES: usize = 256 << 10;

/// How often a reader may go back in one file. Without a limit, members made to break late and to begin anew inside each other would
/// be unpacked thousands of times.
const WAYS_BACK_MAX: u32 = 1_000;

/// Buffered bytes with their place in the file.
pub(super) struct Stored {
    bytes: Box<dyn Read + Send>,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// File offset of `buffer[0]`.
    base: u64,
    ended: bool,
    ways_back: u32,
}

impl Stored {
    pub(super) fn new(bytes: Box<dyn Read + Send>) -> Stored {
        Stored { bytes, buffer: vec![0; BUFFER_BYTES].into_boxed_slice(), start: 0, end: 0, base: 0, ended: false, ways_back: 0 }
    }

    /// File offset of the next byte.
    pub(super) fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    /// The bytes at hand.
    pub(super) fn held(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The bytes at hand; reads on when there are none, so none means the end of the file.
    pub(super) fn fill(&mut self) -> io::Result<&[u8]> {
        self.want(1)
    }

    /// At least `count` bytes, fewer only at the end of the file. `count` must not be larger than [`BUFFER_BYTES`].
    pub(super) fn want(&mut self, count: usize) -> io::Result<&[u8]> {
        debug_assert!(count <= BUFFER_BYTES);
        if self.end - self.start < count && !self.ended {
            self.read_on()?;
        }
        Ok(self.held())
    }

    /// Goes `count` bytes forward, at most over the bytes at hand.
    pub(super) fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
    }

    /// Goes to `offset`, back or forth, where that byte is in the buffer. Too many ways back are not gone, only one byte forth
    /// where the reader would stand still.
    pub(super) fn search_from(&mut self, offset: u64) {
        let start = offset.checked_sub(self.base).and_then(|start| usize::try_from(start).ok()).filter(|start| *start <= self.end);
        match start {
            Some(start) if start > self.start => self.start = start,
            Some(start) if self.ways_back < WAYS_BACK_MAX => {
                self.ways_back += 1;
                self.start = start;
            }
            _ => {}
        }
    }

    fn read_on(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.base += self.start as u64;
        self.end -= self.start;
        self.start = 0;
        while self.end < self.buffer.len() && !self.ended {
            match self.bytes.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Drops(Vec<u8>, usize);

    impl Read for Drops {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().saturating_sub(self.1).min(7).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[self.1..self.1 + count]);
            self.1 += count;
            Ok(count)
        }
    }

    #[test]
    fn what_is_held_does_not_depend_on_how_the_bytes_arrive() {
        let bytes: Vec<u8> = (0..600_000_u32).map(|i| (i % 251) as u8).collect();
        let mut whole = Stored::new(Box::new(io::Cursor::new(bytes.clone())));
        let mut drops = Stored::new(Box::new(Drops(bytes, 0)));
        loop {
            assert_eq!(whole.want(9_000).unwrap(), drops.want(9_000).unwrap());
            assert_eq!(whole.offset(), drops.offset());
            if whole.held().is_empty() {
                break;
            }
            whole.consume(100_000);
            drops.consume(100_000);
        }
        assert_eq!(whole.offset(), 600_000);
    }
}
