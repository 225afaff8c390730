//! Zstandard (RFC 8878) frame by frame, as the WARC-with-zstd draft of the IIPC packs archives: a frame a record, and in front of
//! all an optional dictionary in a skippable frame, plain or itself packed, that every later frame may need.
//!
//! Memory is bounded by [`WINDOW_LOG_MAX`] and [`DICTIONARY_BYTES_MAX`]. Both are fixed, for what is read must not depend on the machine.

use std::io;

use zstd::zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, ResetDirective, get_error_name};

use super::stored::Stored;
use super::unpacked::Pull;
use crate::source::Damage;

/// The first bytes of a frame.
pub(super) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The largest dictionary that is read.
pub(super) const DICTIONARY_BYTES_MAX: usize = 16 << 20;
/// The binary logarithm of the largest window that is read: 128 MiB, as `zstd --decompress` reads without being told to take more.
const WINDOW_LOG_MAX: u32 = 27;
/// libzstd's words for a frame whose window is larger.
const WINDOW_TOO_LARGE: &str = "Frame requires too much memory for decoding";
/// The last of the sixteen skippable magics minus this: the one for dictionaries.
const DICTIONARY_FRAME: u32 = 0x184d_2a5d;
const SKIPPABLE_FRAMES: std::ops::RangeInclusive<u32> = 0x184d_2a50..=0x184d_2a5f;
/// Magic and length of a skippable frame.
const SKIPPABLE_HEAD_BYTES: usize = 8;

enum State {
    Between,
    Within,
    Ended,
}

/// Unpacks zstd.
pub(super) struct Zstd {
    context: DCtx<'static>,
    state: State,
    begin: u64,
    lost: bool,
}

/// Whether a zstd frame, skippable or not, begins here.
pub(super) fn is_frame(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC) || bytes.first_chunk::<4>().is_some_and(|magic| SKIPPABLE_FRAMES.contains(&u32::from_le_bytes(*magic)))
}

impl Zstd {
    pub(super) fn new() -> Zstd {
        let mut context = DCtx::create();
        // It only fails for a value out of bounds; a reset of the session keeps it.
        let _ = context.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX));
        Zstd { context, state: State::Between, begin: 0, lost: false }
    }

    /// Where the present frame begins.
    pub(super) fn begin(&self) -> u64 {
        self.begin
    }

    /// Takes one step; unpacked bytes are written to the beginning of `out`.
    pub(super) fn pull(&mut self, stored: &mut Stored, out: &mut [u8]) -> io::Result<Pull> {
        match self.state {
            State::Between => self.enter(stored),
            State::Within => self.unpack(stored, out),
            State::Ended => {
                self.state = State::Between;
                self.lost = false;
                Ok(Pull::MemberEnd)
            }
        }
    }

    fn enter(&mut self, stored: &mut Stored) -> io::Result<Pull> {
        let held = stored.want(SKIPPABLE_HEAD_BYTES)?;
        if held.is_empty() {
            return Ok(Pull::Finished);
        }
        let is_data = held.starts_with(&MAGIC);
        let skippable = held.first_chunk::<SKIPPABLE_HEAD_BYTES>().copied().filter(|_| is_frame(held));
        self.begin = stored.offset();
        match skippable {
            _ if is_data => {
                // A reset of the session alone keeps the dictionary; it cannot fail.
                let _ = self.context.reset(ResetDirective::SessionOnly);
                self.state = State::Within;
                Ok(Pull::Bytes(0))
            }
            Some([m0, m1, m2, m3, n0, n1, n2, n3]) => {
                stored.consume(SKIPPABLE_HEAD_BYTES);
                let length = u32::from_le_bytes([n0, n1, n2, n3]);
                if u32::from_le_bytes([m0, m1, m2, m3]) == DICTIONARY_FRAME && self.begin == 0 {
                    self.load_dictionary(stored, length as usize)
                } else {
                    self.skip(stored, u64::from(length))
                }
            }
            None => self.search(stored),
        }
    }

    fn unpack(&mut self, stored: &mut Stored, out: &mut [u8]) -> io::Result<Pull> {
        let packed = stored.fill()?;
        let at_end = packed.is_empty();
        let mut input = InBuffer::around(packed);
        let mut output = OutBuffer::around(out);
        let status = self.context.decompress_stream(&mut output, &mut input);
        let (taken, given) = (input.pos(), output.pos());
        stored.consume(taken);
        match status {
            Ok(0) => self.state = State::Ended,
            Ok(_) if taken > 0 || given > 0 => {}
            Ok(_) if at_end => {
                self.state = State::Between;
                return Ok(self.broken("the zstd frame ends early: the file is cut off here".to_owned(), true));
            }
            status => {
                self.state = State::Between;
                stored.search_from(self.begin + 1);
                return Ok(self.broken(why_unreadable(status), false));
            }
        }
        Ok(Pull::Bytes(given))
    }

    fn load_dictionary(&mut self, stored: &mut Stored, length: usize) -> io::Result<Pull> {
        if length > DICTIONARY_BYTES_MAX {
            let what = format!("its dictionary has {length} bytes, more than the {DICTIONARY_BYTES_MAX} that are read");
            return Ok(self.broken(what, false));
        }
        let mut dictionary = Vec::with_capacity(length);
        while dictionary.len() < length {
            let held = stored.fill()?;
            if held.is_empty() {
                return Ok(self.broken("the file ends within its dictionary".to_owned(), true));
            }
            let count = held.len().min(length - dictionary.len());
            dictionary.extend_from_slice(&held[..count]);
            stored.consume(count);
        }
        let dictionary = if dictionary.starts_with(&MAGIC) { unpack_dictionary(&dictionary) } else { Some(dictionary) };
        match dictionary.map(|bytes| self.context.load_dictionary(&bytes)) {
            Some(Ok(_)) => Ok(Pull::Bytes(0)),
            _ => Ok(self.broken("its dictionary cannot be used".to_owned(), false)),
        }
    }

    fn skip(&mut self, stored: &mut Stored, mut length: u64) -> io::Result<Pull> {
        while length > 0 {
            let held = stored.fill()?.len();
            if held == 0 {
                return Ok(self.broken("the file ends within a skippable frame".to_owned(), true));
            }
            let count = length.min(held as u64);
            stored.consume(count as usize);
            length -= count;
        }
        Ok(Pull::Bytes(0))
    }

    fn search(&mut self, stored: &mut Stored) -> io::Result<Pull> {
        stored.consume(1);
        loop {
            let held = stored.want(MAGIC.len())?;
            if held.len() < MAGIC.len() {
                stored.consume(usize::MAX);
                break;
            }
            if let Some(at) = memchr::memmem::find(held, &MAGIC) {
                stored.consume(at);
                break;
            }
            let searched = held.len() + 1 - MAGIC.len();
            stored.consume(searched);
        }
        Ok(self.broken(format!("{} bytes that are no zstd frame", stored.offset() - self.begin), false))
    }

    fn broken(&mut self, what: String, fatal: bool) -> Pull {
        let silent = std::mem::replace(&mut self.lost, true);
        Pull::Broken(Damage { offset: self.begin, what, fatal }, silent)
    }
}

/// What is wrong with a frame at which libzstd stopped with `status`.
fn why_unreadable(status: Result<usize, usize>) -> String {
    match status.map_err(get_error_name) {
        Ok(_) => "the zstd frame is broken: no progress".to_owned(),
        Err(WINDOW_TOO_LARGE) => {
            let mib = 1 << (WINDOW_LOG_MAX - 20);
            format!("the zstd frame needs a window of more than {mib} MiB; pack it anew with `zstd --long={WINDOW_LOG_MAX}` or less")
        }
        Err(why) => format!("the zstd frame is broken: {}", why.to_lowercase()),
    }
}

fn unpack_dictionary(packed: &[u8]) -> Option<Vec<u8>> {
    let mut context = DCtx::create();
    let mut input = InBuffer::around(packed);
    let mut bytes = Vec::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        let mut output = OutBuffer::around(&mut piece[..]);
        let hint = context.decompress_stream(&mut output, &mut input).ok()?;
        let given = output.pos();
        bytes.extend_from_slice(&piece[..given]);
        if hint == 0 {
            return Some(bytes);
        }
        if bytes.len() > DICTIONARY_BYTES_MAX || (given == 0 && input.pos() == packed.len()) {
            return None;
        }
    }
}
