//! The bytes of a stored file behind its packing (none, gzip, bzip2, zstd), with the joints between members or frames kept visible.
//!
//! What is unpacked is told by the first bytes; only where they say nothing does the name's ending decide, so that a file with a
//! damaged beginning is still searched for sound members.

use std::io::{self, Read};

use super::bzip2::{self, Bzip2};
use super::gzip::{self, Gzip};
use super::stored::Stored;
use super::zstd::{self, Zstd};
use crate::source::Damage;

/// The most that [`Unpacked::want`] can give at once.
pub const WANT_BYTES_MAX: usize = OUT_BYTES / 2;
const OUT_BYTES: usize = 256 << 10;
/// By how many first bytes the packing is told.
const FIRST_BYTES: usize = 8;

/// What one step of an unpacker gave.
pub(super) enum Pull {
    /// So many bytes, perhaps none yet.
    Bytes(usize),
    /// A member or frame ended whole.
    MemberEnd,
    /// Something cannot be read; whether that was already said of this place.
    Broken(Damage, bool),
    /// The file is at its end.
    Finished,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// [`Unpacked::held`] holds at least one byte.
    Bytes,
    /// A member or frame ended here, and its checksum is right. Plain files have none.
    MemberEnd,
    /// A part cannot be read, and what was given since the last joint is not to be trusted. `None` where the search for the next
    /// sound member still goes on and the damage was told before.
    Broken(Option<Damage>),
    /// The end of the file.
    End,
}

enum Packing {
    Plain,
    Gzip(Box<Gzip>),
    Zstd(Box<Zstd>),
    Bzip2(Box<Bzip2>),
}

/// A file's unpacked bytes.
pub struct Unpacked {
    stored: Stored,
    packing: Packing,
    out: Vec<u8>,
    start: usize,
    end: usize,
    /// A joint found behind the bytes at hand.
    next: Option<Step>,
    /// Whether the system refused to read on.
    dead: bool,
    position: u64,
}

impl Unpacked {
    /// Begins to read a file called `name`.
    ///
    /// # Errors
    /// What the system says when the first bytes cannot be read.
    pub fn open(bytes: Box<dyn Read + Send>, name: &str) -> io::Result<Unpacked> {
        let mut stored = Stored::new(bytes);
        let held = stored.want(FIRST_BYTES)?;
        let first = &held[..held.len().min(FIRST_BYTES)];
        let lower = name.to_ascii_lowercase();
        let packing = if matches!(gzip::head_length(first), gzip::Head::Whole(_) | gzip::Head::Unfinished) && !first.is_empty() {
            Packing::Gzip(Box::new(Gzip::new()))
        } else if zstd::is_frame(first) {
            Packing::Zstd(Box::new(Zstd::new()))
        } else if bzip2::is_stream(first) {
            Packing::Bzip2(Box::new(Bzip2::new()))
        } else if is_text(first) {
            Packing::Plain
        } else if lower.ends_with(".gz") {
            Packing::Gzip(Box::new(Gzip::new()))
        } else if lower.ends_with(".zst") {
            Packing::Zstd(Box::new(Zstd::new()))
        } else if lower.ends_with(".bz2") {
            Packing::Bzip2(Box::new(Bzip2::new()))
        } else {
            Packing::Plain
        };
        let out = if matches!(packing, Packing::Plain) { Vec::new() } else { vec![0; OUT_BYTES] };
        Ok(Unpacked { stored, packing, out, start: 0, end: 0, next: None, dead: false, position: 0 })
    }

    /// The same, with so many bytes for what is unpacked ahead; without them, blocks of bzip2 are unpacked one by one.
    #[must_use]
    pub fn within(mut self, reader_bytes_max: usize) -> Unpacked {
        if let Packing::Bzip2(bzip2) = &mut self.packing {
            bzip2.unpack_ahead(reader_bytes_max);
        }
        self
    }

    /// Whether the file has no bytes at all. To be asked before the first step.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stored.offset() == 0 && self.stored.held().is_empty()
    }

    /// Whether bytes are stored as they are.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        matches!(self.packing, Packing::Plain)
    }

    /// Goes on until there are bytes, or something else to say.
    pub fn step(&mut self) -> Step {
        loop {
            if !self.held().is_empty() {
                return Step::Bytes;
            }
            match self.next.take() {
                Some(Step::End) => {
                    self.next = Some(Step::End);
                    return Step::End;
                }
                Some(step) => return step,
                None => self.pull(),
            }
        }
    }

    /// The unpacked bytes at hand.
    #[must_use]
    pub fn held(&self) -> &[u8] {
        match self.packing {
            Packing::Plain => self.stored.held(),
            _ => &self.out[self.start..self.end],
        }
    }

    /// At least `count` bytes, at most [`WANT_BYTES_MAX`]; fewer only where a joint or the end stands behind them.
    pub fn want(&mut self, count: usize) -> &[u8] {
        let count = count.min(WANT_BYTES_MAX);
        if self.is_plain() {
            if self.next.is_none()
                && let Err(error) = self.stored.want(count)
            {
                self.fail(&error);
            }
            return self.held();
        }
        while self.end - self.start < count && self.next.is_none() {
            self.pull();
        }
        self.held()
    }

    /// Goes `count` bytes forward, at most over the bytes at hand.
    pub fn consume(&mut self, count: usize) {
        let count = count.min(self.held().len());
        self.position += count as u64;
        match self.packing {
            Packing::Plain => self.stored.consume(count),
            _ => self.start += count,
        }
    }

    /// Where the member or frame begins that the next byte belongs to; in a plain file, the next byte itself.
    #[must_use]
    pub fn offset(&self) -> u64 {
        match &self.packing {
            Packing::Plain => self.stored.offset(),
            Packing::Gzip(gzip) => gzip.begin(),
            Packing::Zstd(zstd) => zstd.begin(),
            Packing::Bzip2(bzip2) => bzip2.begin(),
        }
    }

    /// How many unpacked bytes were consumed.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// How many bytes of the file as stored were taken.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.stored.offset()
    }

    /// One step of the unpacker; to be called only while no joint waits.
    fn pull(&mut self) {
        if self.dead {
            self.next = Some(Step::End);
            return;
        }
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.out.len() - self.end < OUT_BYTES / 4 {
            self.out.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let room = &mut self.out[self.end..];
        let pulled = match &mut self.packing {
            Packing::Plain => self.stored.fill().map(|held| if held.is_empty() { Pull::Finished } else { Pull::Bytes(0) }),
            Packing::Gzip(gzip) => gzip.pull(&mut self.stored, room),
            Packing::Zstd(zstd) => zstd.pull(&mut self.stored, room),
            Packing::Bzip2(bzip2) => bzip2.pull(&mut self.stored, room),
        };
        match pulled {
            Ok(Pull::Bytes(count)) => self.end += count,
            Ok(Pull::MemberEnd) => self.next = Some(Step::MemberEnd),
            Ok(Pull::Broken(damage, silent)) => self.next = Some(Step::Broken((!silent).then_some(damage))),
            Ok(Pull::Finished) => self.next = Some(Step::End),
            Err(error) => self.fail(&error),
        }
    }

    fn fail(&mut self, error: &io::Error) {
        self.dead = true;
        let what = format!("the system cannot read on: {error}");
        self.next = Some(Step::Broken(Some(Damage { offset: self.stored.offset(), what, fatal: true })));
    }
}

/// Whether these first bytes are those of a text: a packed file whose beginning is damaged hardly ever looks like one.
fn is_text(first: &[u8]) -> bool {
    first.starts_with(b"\xef\xbb\xbf")
        || (!first.is_empty() && first.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')))
}

/// Unpacks a stream: gzip, bzip2 or zstd as its first bytes tell, else as it is. Damage is an error of kind `InvalidData`, and the end.
///
/// # Errors
/// What the system says when the first bytes cannot be read.
pub fn decompress(bytes: Box<dyn Read + Send>) -> io::Result<Unpacked> {
    Unpacked::open(bytes, "")
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.step() {
                Step::Bytes => {
                    let count = self.held().len().min(buffer.len());
                    buffer[..count].copy_from_slice(&self.held()[..count]);
                    self.consume(count);
                    return Ok(count);
                }
                Step::MemberEnd => {}
                Step::End => return Ok(0),
                Step::Broken(damage) => {
                    self.dead = true;
                    let what = damage
                        .map_or_else(|| "the stream is broken".to_owned(), |damage| format!("{} (at byte {})", damage.what, damage.offset));
                    return Err(io::Error::new(io::ErrorKind::InvalidData, what));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn member(text: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    }

    fn read(bytes: Vec<u8>) -> Result<String, String> {
        let mut text = String::new();
        let mut unpacked = decompress(Box::new(io::Cursor::new(bytes))).unwrap();
        unpacked.read_to_string(&mut text).map(|_| text).map_err(|error| error.to_string())
    }

    #[test]
    fn members_and_frames_are_joined_and_plain_text_stays() {
        let gzip = [member("Dobrý ".as_bytes()), member(b""), member(b"den")].concat();
        let zstd = [::zstd::encode_all(&b"Dobro "[..], 1).unwrap(), ::zstd::encode_all(&b"jutro"[..], 1).unwrap()].concat();
        assert_eq!(read(gzip), Ok("Dobrý den".to_owned()));
        assert_eq!(read(zstd), Ok("Dobro jutro".to_owned()));
        assert_eq!(read(b"Bonjour".to_vec()), Ok("Bonjour".to_owned()));
        assert_eq!(read(Vec::new()), Ok(String::new()));
    }

    #[test]
    fn a_dictionary_in_front_serves_every_frame_plain_or_packed() {
        let dictionary = b"The quick brown fox jumps over the lazy dog, says the old book of the printers. ".repeat(8);
        let mut packer = ::zstd::bulk::Compressor::with_dictionary(3, &dictionary).unwrap();
        let frames = [packer.compress(&dictionary[..100]).unwrap(), packer.compress(&dictionary[50..200]).unwrap()].concat();
        for stored in [dictionary.clone(), ::zstd::encode_all(&dictionary[..], 3).unwrap()] {
            let length = u32::try_from(stored.len()).unwrap().to_le_bytes();
            let file = [&[0x5d, 0x2a, 0x4d, 0x18][..], &length, &stored, &frames].concat();
            let want = String::from_utf8([&dictionary[..100], &dictionary[50..200]].concat()).unwrap();
            assert_eq!(read(file), Ok(want));
        }
    }

    #[test]
    fn a_frame_whose_window_is_too_large_says_so_and_the_largest_is_read() {
        // A frame of one stored block; the upper five bits of its sixth byte are the logarithm of its window less ten.
        let frame = |log: u8| [&[0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3, 0x19, 0, 0][..], b"abc"].concat();
        assert_eq!(read(frame(27)), Ok("abc".to_owned()));
        let told = read(frame(28)).unwrap_err();
        assert!(told.contains("needs a window of more than 128 MiB; pack it anew"), "{told}");
    }

    #[test]
    fn damage_is_told_once_and_the_next_member_is_found() {
        let mut broken = member(&b"Guten Tag ".repeat(300));
        let middle = broken.len() / 2;
        broken[middle] ^= 0x55;
        let file = [member(b"eins"), broken, b"\x1f\x8b\x08 no member".to_vec(), member(b"drei")].concat();
        let offset = member(b"eins").len() as u64;
        let mut unpacked = Unpacked::open(Box::new(io::Cursor::new(file)), "x.gz").unwrap();
        let (mut damages, mut last) = (Vec::new(), Vec::new());
        loop {
            match unpacked.step() {
                Step::Bytes => {
                    last.extend_from_slice(unpacked.held());
                    unpacked.consume(usize::MAX);
                }
                Step::Broken(damage) => {
                    last.clear();
                    damages.extend(damage);
                }
                Step::MemberEnd => {}
                Step::End => break,
            }
        }
        assert_eq!(last, b"drei");
        assert_eq!(damages.iter().map(|damage| damage.offset).collect::<Vec<_>>(), [offset]);
    }

    #[test]
    fn a_wrong_checksum_is_an_error() {
        let mut file = member("Καλημέρα".as_bytes());
        let end = file.len();
        file[end - 6] ^= 1;
        assert_eq!(read(file), Err("the gzip member's checksum is wrong (at byte 0)".to_owned()));
    }
}
