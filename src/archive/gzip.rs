//! Gzip (RFC 1952) member by member: web archives hold a member a record, and its offset is the record's address.
//!
//! Every checksum is verified. After a broken member the search for the next one begins one byte behind the broken one's head, as
//! far as it is still buffered, because damaged lengths can make inflate run over the member's true end.

use std::io;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::stored::{BUFFER_BYTES, Stored};
use super::unpacked::Pull;
use crate::source::Damage;

/// The first bytes of every member: two of magic, one for deflate, the only method there is.
pub(super) const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];
/// A member's head without its optional parts (RFC 1952, 2.3).
const HEAD_BYTES: usize = 10;
/// CRC-32 and length behind the compressed bytes.
pub(super) const TRAILER_BYTES: usize = 8;

enum State {
    Between,
    Within,
    Trailer,
}

/// Unpacks gzip.
pub(super) struct Gzip {
    inflate: Decompress,
    crc: Crc,
    state: State,
    begin: u64,
    /// Whether damage was reported and no whole member was seen since.
    lost: bool,
}

impl Gzip {
    pub(super) fn new() -> Gzip {
        Gzip { inflate: Decompress::new(false), crc: Crc::new(), state: State::Between, begin: 0, lost: false }
    }

    /// Where the present member begins.
    pub(super) fn begin(&self) -> u64 {
        self.begin
    }

    /// Takes one step; unpacked bytes are written to the beginning of `out`.
    pub(super) fn pull(&mut self, stored: &mut Stored, out: &mut [u8]) -> io::Result<Pull> {
        match self.state {
            State::Between => self.enter(stored),
            State::Within => self.inflate(stored, out),
            State::Trailer => self.leave(stored),
        }
    }

    fn enter(&mut self, stored: &mut Stored) -> io::Result<Pull> {
        let held = stored.want(HEAD_BYTES)?;
        match held.first() {
            None => return Ok(Pull::Finished),
            Some(0) => return self.skip_zeros(stored),
            Some(_) => {}
        }
        let length = match head_length(held) {
            Head::Unfinished => head_length(stored.want(BUFFER_BYTES / 2)?),
            known => known,
        };
        self.begin = stored.offset();
        match length {
            Head::Whole(bytes) => {
                stored.consume(bytes);
                self.inflate.reset(false);
                self.crc.reset();
                self.state = State::Within;
                Ok(Pull::Bytes(0))
            }
            Head::Unfinished if stored.held().len() < BUFFER_BYTES / 2 => {
                stored.consume(usize::MAX);
                Ok(self.broken("the file ends within the head of a gzip member".to_owned(), true))
            }
            Head::Unfinished | Head::None => self.search(stored),
        }
    }

    fn inflate(&mut self, stored: &mut Stored, out: &mut [u8]) -> io::Result<Pull> {
        let packed = stored.fill()?;
        let at_end = packed.is_empty();
        let (taken, given) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(packed, out, FlushDecompress::None);
        let taken = (self.inflate.total_in() - taken) as usize;
        let given = (self.inflate.total_out() - given) as usize;
        stored.consume(taken);
        self.crc.update(&out[..given]);
        match status {
            Ok(Status::StreamEnd) => self.state = State::Trailer,
            Ok(_) if taken > 0 || given > 0 => {}
            Ok(_) if at_end => {
                self.state = State::Between;
                return Ok(self.broken("the gzip member ends early: the file is cut off here".to_owned(), true));
            }
            Ok(_) | Err(_) => {
                self.state = State::Between;
                stored.search_from(self.begin + 1);
                return Ok(self.broken("the gzip member is broken: its compressed bytes make no sense".to_owned(), false));
            }
        }
        Ok(Pull::Bytes(given))
    }

    fn leave(&mut self, stored: &mut Stored) -> io::Result<Pull> {
        self.state = State::Between;
        let Some(trailer) = stored.want(TRAILER_BYTES)?.first_chunk::<TRAILER_BYTES>() else {
            stored.consume(TRAILER_BYTES);
            return Ok(self.broken("the gzip member ends early: its checksum is cut off".to_owned(), true));
        };
        let [c0, c1, c2, c3, n0, n1, n2, n3] = *trailer;
        let sound = u32::from_le_bytes([c0, c1, c2, c3]) == self.crc.sum() && u32::from_le_bytes([n0, n1, n2, n3]) == self.crc.amount();
        if sound {
            stored.consume(TRAILER_BYTES);
            self.lost = false;
            Ok(Pull::MemberEnd)
        } else {
            // A damaged stream can also end too soon, and then what follows is no trailer: nothing is skipped on its word.
            Ok(self.broken("the gzip member's checksum is wrong".to_owned(), false))
        }
    }

    fn skip_zeros(&mut self, stored: &mut Stored) -> io::Result<Pull> {
        self.begin = stored.offset();
        loop {
            let zeros = stored.fill()?.iter().take_while(|byte| **byte == 0).count();
            if zeros == 0 {
                break;
            }
            stored.consume(zeros);
        }
        Ok(self.broken(format!("{} zero bytes where a gzip member should begin", stored.offset() - self.begin), false))
    }

    fn search(&mut self, stored: &mut Stored) -> io::Result<Pull> {
        stored.consume(1);
        loop {
            let held = stored.want(MAGIC.len() + 1)?;
            if held.len() <= MAGIC.len() {
                stored.consume(usize::MAX);
                break;
            }
            let found = memchr::memmem::find_iter(held, &MAGIC).find(|at| held.get(at + 3).is_none_or(|flags| flags & 0xe0 == 0));
            if let Some(at) = found {
                stored.consume(at);
                break;
            }
            let searched = held.len() - MAGIC.len();
            stored.consume(searched);
        }
        Ok(self.broken(format!("{} bytes that are no gzip member", stored.offset() - self.begin), false))
    }

    fn broken(&mut self, what: String, fatal: bool) -> Pull {
        let silent = std::mem::replace(&mut self.lost, true);
        Pull::Broken(Damage { offset: self.begin, what, fatal }, silent)
    }
}

/// What stands at the beginning of some bytes.
pub(super) enum Head {
    /// The head of a member, so many bytes long.
    Whole(usize),
    /// The beginning of a head.
    Unfinished,
    /// Something else.
    None,
}

/// Measures the head of a gzip member, optional parts included.
pub(super) fn head_length(bytes: &[u8]) -> Head {
    let known = bytes.len().min(MAGIC.len());
    if bytes[..known] != MAGIC[..known] || bytes.get(3).is_some_and(|flags| flags & 0xe0 != 0) {
        return Head::None;
    }
    optional_parts(bytes).map_or(Head::Unfinished, Head::Whole)
}

fn optional_parts(bytes: &[u8]) -> Option<usize> {
    let flags = *bytes.get(3)?;
    let mut length = HEAD_BYTES;
    if flags & 4 != 0 {
        let extra = bytes.get(length..)?.first_chunk::<2>()?;
        length += 2 + usize::from(u16::from_le_bytes(*extra));
    }
    for text in [8, 16] {
        if flags & text != 0 {
            length += memchr::memchr(0, bytes.get(length..)?)? + 1;
        }
    }
    if flags & 2 != 0 {
        length += 2;
    }
    (length <= bytes.len()).then_some(length)
}
