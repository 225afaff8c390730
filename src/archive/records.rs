//! Cuts a stream of unpacked bytes into records, in bounded memory.
//!
//! A record's length is a claim. It ends earlier where a member ends and the next one begins with a head, and where the file is
//! plain and too short for the claim, the block is searched for the next head. Conversely members may be cut anywhere: a record
//! goes on in the next member unless that begins with a head. What belongs to no record is passed over and told as damage.

use std::collections::VecDeque;
use std::io::{self, Read};

use super::head::{self, HEAD_BYTES_MAX, Head, Measure, measure};
use super::unpacked::{Step, Unpacked};
use crate::source::Damage;

/// What [`Cutter::next`] comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// A record: [`Cutter::head`] is its head, [`Cutter::piece`] gives its block.
    Record,
    /// A part of the file that cannot be read.
    Damage(Damage),
}

/// How a record ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    /// Its block is whole, and so is the member if it ends there.
    Whole,
    /// It ends before its claimed length, but its end was seen.
    Short(Damage),
    /// It broke off, or its bytes are damaged: they are not to be used.
    Broken(Damage),
}

enum Line {
    Blank(usize),
    Zeros(usize),
    Head(usize),
    OpenHead,
    Junk(usize),
}

/// A reader of records.
pub struct Cutter {
    unpacked: Unpacked,
    /// Size of the file as stored; `u64::MAX` where it is not known.
    size: u64,
    head: Vec<u8>,
    offset: u64,
    remaining: u64,
    /// Bytes of the last piece, not consumed yet.
    lent: usize,
    /// Whether the block's end is searched instead of counted.
    searching: bool,
    ending: Option<Ending>,
    open: bool,
    ready: bool,
    ended: bool,
    waiting: VecDeque<Damage>,
    junk: Option<Junk>,
}

struct Junk {
    offset: u64,
    bytes: u64,
    only_zeros: bool,
}

/// Over how many members one head may be spread.
const HEAD_MEMBERS_MAX: u32 = 16;
/// The needle that ends a searched block.
const NEXT_HEAD: &[u8] = b"\nWARC/";

impl Cutter {
    /// Begins to read a file called `name` of `size` bytes as stored (0 where that is not known).
    ///
    /// # Errors
    /// What the system says when the first bytes cannot be read.
    pub fn open(bytes: Box<dyn Read + Send>, name: &str, size: u64) -> io::Result<Cutter> {
        Ok(Cutter {
            unpacked: Unpacked::open(bytes, name)?,
            size: if size == 0 { u64::MAX } else { size },
            head: Vec::new(),
            offset: 0,
            remaining: 0,
            lent: 0,
            searching: false,
            ending: None,
            open: false,
            ready: false,
            ended: false,
            waiting: VecDeque::new(),
            junk: None,
        })
    }

    /// Whether the file has no bytes at all. To be asked before the first record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.unpacked.is_empty()
    }

    /// How many bytes of the file as stored were taken.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.unpacked.taken()
    }

    /// Where the present record begins: its gzip member, zstd frame, or in a plain file its first byte.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The present record's head as stored, up to and with its empty line.
    #[must_use]
    pub fn head_bytes(&self) -> &[u8] {
        &self.head
    }

    /// The present record's head.
    ///
    /// # Panics
    /// Before the first record.
    #[must_use]
    pub fn head(&self) -> Head<'_> {
        Head::parse(&self.head).expect("only a head that was measured is kept")
    }

    /// How many bytes of the block are still to come, by the head's claim.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.remaining
    }

    /// Goes to the next record, passing over what is left of this one.
    #[expect(clippy::should_implement_trait, reason = "the record is lent by the cutter, which no iterator can do")]
    pub fn next(&mut self) -> Option<Found> {
        if self.open
            && let Ending::Short(damage) | Ending::Broken(damage) = self.end()
        {
            self.waiting.push_back(damage);
        }
        loop {
            if let Some(damage) = self.waiting.pop_front() {
                return Some(Found::Damage(damage));
            }
            if std::mem::take(&mut self.ready) {
                self.begin();
                return Some(Found::Record);
            }
            if self.ended {
                return None;
            }
            self.find_head();
        }
    }

    /// The next piece of the block; `None` at its end.
    pub fn piece(&mut self) -> Option<&[u8]> {
        self.unpacked.consume(std::mem::take(&mut self.lent));
        if !self.open || self.ending.is_some() {
            return None;
        }
        self.lent = if self.searching { self.searched_piece() } else { self.counted_piece() };
        (self.lent > 0).then(|| &self.unpacked.held()[..self.lent])
    }

    /// Ends the record: passes over what is left of it and says whether it was whole.
    pub fn end(&mut self) -> Ending {
        while self.piece().is_some() {}
        self.open = false;
        if let Some(ending) = self.ending.take() {
            return ending;
        }
        if self.unpacked.is_plain() {
            return Ending::Whole;
        }
        // The member's checksum stands behind the empty lines that end the record.
        loop {
            match self.unpacked.step() {
                Step::Bytes => {
                    let bytes = self.unpacked.held();
                    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
                    let more = blank < bytes.len();
                    self.unpacked.consume(blank);
                    if more {
                        return Ending::Whole;
                    }
                }
                Step::MemberEnd | Step::End => return Ending::Whole,
                Step::Broken(damage) => return self.broken(damage),
            }
        }
    }

    fn begin(&mut self) {
        let claim = self.head().block_length().unwrap_or(0);
        let available = self.size.saturating_sub(self.unpacked.taken());
        let size_is_known = self.size != u64::MAX && self.unpacked.taken() <= self.size;
        self.remaining = claim;
        self.searching = self.unpacked.is_plain() && size_is_known && claim > available;
        self.ending = None;
        self.open = true;
    }

    fn counted_piece(&mut self) -> usize {
        while self.remaining > 0 {
            match self.unpacked.step() {
                Step::Bytes => {
                    let count = self.remaining.min(self.unpacked.held().len() as u64);
                    self.remaining -= count;
                    return count as usize;
                }
                Step::MemberEnd => {
                    if head::begins(self.unpacked.want(HEAD_BYTES_MAX)) {
                        self.ending = Some(Ending::Short(self.short()));
                        return 0;
                    }
                }
                Step::Broken(damage) => {
                    self.ending = Some(self.broken(damage));
                    return 0;
                }
                Step::End => {
                    self.ended = true;
                    // Behind a whole member nothing is missing but the claim's rest; a plain file was cut off.
                    let damage = self.short();
                    self.ending = Some(if self.unpacked.is_plain() { Ending::Broken(damage) } else { Ending::Short(damage) });
                    return 0;
                }
            }
        }
        0
    }

    fn searched_piece(&mut self) -> usize {
        let bytes = self.unpacked.want(HEAD_BYTES_MAX);
        if let Some(at) = memchr::memmem::find(bytes, NEXT_HEAD) {
            if at == 0 {
                self.ending = Some(Ending::Short(self.short()));
            }
            self.remaining = self.remaining.saturating_sub(at as u64);
            return at;
        }
        let at_end = bytes.len() < HEAD_BYTES_MAX;
        let count = if at_end { bytes.len() } else { bytes.len() + 1 - NEXT_HEAD.len() };
        if count == 0 {
            let mut damage = self.short();
            damage.fatal = true;
            self.ending = Some(Ending::Broken(damage));
        }
        self.remaining = self.remaining.saturating_sub(count as u64);
        count
    }

    fn short(&self) -> Damage {
        let what = format!("the record is {} bytes shorter than its head says", self.remaining);
        Damage { offset: self.offset, what, fatal: self.ended }
    }

    fn broken(&self, damage: Option<Damage>) -> Ending {
        let unknown = || Damage { offset: self.offset, what: "the record lies in a damaged part".to_owned(), fatal: false };
        Ending::Broken(damage.unwrap_or_else(unknown))
    }

    /// Goes on to the next head, or to the end.
    fn find_head(&mut self) {
        loop {
            match self.unpacked.step() {
                Step::Bytes => match self.look() {
                    Line::Blank(count) => self.unpacked.consume(count),
                    Line::Zeros(count) => self.pass_over(count, true),
                    Line::Junk(count) => self.pass_over(count, false),
                    Line::Head(length) => {
                        self.tell_junk();
                        self.offset = self.unpacked.offset();
                        self.head.clear();
                        self.head.extend_from_slice(&self.unpacked.held()[..length]);
                        self.unpacked.consume(length);
                        self.ready = true;
                        return;
                    }
                    Line::OpenHead => {
                        self.tell_junk();
                        self.read_open_head();
                        return;
                    }
                },
                Step::MemberEnd => {}
                Step::Broken(damage) => {
                    self.tell_junk();
                    self.waiting.extend(damage);
                    return;
                }
                Step::End => {
                    self.tell_junk();
                    self.ended = true;
                    return;
                }
            }
        }
    }

    fn look(&mut self) -> Line {
        let bytes = self.unpacked.held();
        let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        if blank > 0 {
            return Line::Blank(blank);
        }
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        if zeros > 0 {
            return Line::Zeros(zeros);
        }
        let bytes = self.unpacked.want(HEAD_BYTES_MAX);
        match measure(bytes) {
            Measure::Head(length) => Line::Head(length),
            Measure::Unfinished if bytes.len() < HEAD_BYTES_MAX => Line::OpenHead,
            // Passed over as a whole: to try line by line would read the same bytes over and over.
            Measure::Unfinished => Line::Junk(bytes.len()),
            Measure::None => Line::Junk(memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1)),
        }
    }

    /// Reads a head that goes on in the next member. One that stops where a new record begins ends there.
    fn read_open_head(&mut self) {
        self.offset = self.unpacked.offset();
        self.head.clear();
        let mut members = 0;
        loop {
            match self.unpacked.step() {
                Step::Bytes => {
                    let known = self.head.len();
                    let bytes = self.unpacked.want(HEAD_BYTES_MAX);
                    self.head.extend_from_slice(bytes);
                    match measure(&self.head) {
                        Measure::Head(length) => {
                            self.head.truncate(length);
                            self.unpacked.consume(length - known);
                            self.ready = true;
                            return;
                        }
                        Measure::Unfinished if self.head.len() < HEAD_BYTES_MAX && members < HEAD_MEMBERS_MAX => {
                            self.unpacked.consume(self.head.len() - known)
                        }
                        _ => {
                            let count = self.head.len() - known;
                            return self.pass_over(count, false);
                        }
                    }
                }
                Step::MemberEnd => {
                    members += 1;
                    if head::begins(self.unpacked.want(HEAD_BYTES_MAX)) {
                        // Its empty line is missing; with one, it can be read again from its bytes.
                        self.head.extend_from_slice(if self.head.ends_with(b"\n") { b"\n" } else { b"\n\n" });
                        self.ready = Head::parse(&self.head).is_some();
                        return;
                    }
                }
                Step::Broken(damage) => return self.waiting.extend(damage),
                Step::End => {
                    let what = "the file ends within the head of a record".to_owned();
                    self.waiting.push_back(Damage { offset: self.offset, what, fatal: true });
                    return;
                }
            }
        }
    }

    fn pass_over(&mut self, count: usize, zeros: bool) {
        let offset = self.unpacked.offset();
        let junk = self.junk.get_or_insert(Junk { offset, bytes: 0, only_zeros: true });
        junk.bytes += count as u64;
        junk.only_zeros &= zeros;
        self.unpacked.consume(count);
    }

    fn tell_junk(&mut self) {
        if let Some(Junk { offset, bytes, only_zeros }) = self.junk.take() {
            let kind = if only_zeros { "zero bytes" } else { "bytes" };
            let what = format!("{bytes} {kind} that belong to no record");
            self.waiting.push_back(Damage { offset, what, fatal: false });
        }
    }
}
