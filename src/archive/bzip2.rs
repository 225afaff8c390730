//! Bzip2 block by block: a block needs nothing of the one before it, so the blocks of any file, with one stream or a hundred thousand
//! (the multistream dumps of Wikimedia), are unpacked several at a time.
//!
//! Blocks begin at any bit and have no length; their 48-bit magic is searched instead. That it stands in packed data by chance happens
//! once in 2^48 bits, and then the checksum of the block tells. Each block is given to the library as a stream of its own.
//! The checksum over all blocks of a stream is verified here, so a block that is missing does not go unseen. How many blocks are unpacked
//! at once follows from memory and cores, and a block that unpacks to much is read in pieces, so that each holds at most [`BLOCK_BYTES`].

use std::collections::VecDeque;
use std::io::{self, Cursor, Read};

use ::bzip2::bufread::BzDecoder;
use aho_corasick::AhoCorasick;

use super::stored::Stored;
use super::unpacked::Pull;
use crate::source::Damage;

/// Begins a block: pi, as the format has it.
const BLOCK: u64 = 0x3141_5926_5359;
/// Ends a stream: the square root of pi.
const END: u64 = 0x1772_4538_5090;
const MAGIC_BITS: usize = 48;
const CRC_BITS: usize = 32;
/// `BZh` and the size of the blocks.
const HEAD_BYTES: usize = 4;
/// A block holds at most 900 kB, and what cannot be packed grows by less than this.
const PACKED_BLOCK_BYTES_MAX: usize = 2 << 20;
/// Blocks unpacked at once, where cores and memory allow it.
const BLOCKS_AT_ONCE_MAX: usize = 4;
/// Bytes of a block that are unpacked at once: twice what the blocks of texts hold. One of zeros alone unpacks to 46 MB; the rest of such a
/// block is unpacked piece by piece while it is read.
const AHEAD_BYTES: usize = 1_800_000;
/// The most that a block holds: what it is packed as, the library's table of 3.6 MB, and [`AHEAD_BYTES`].
const BLOCK_BYTES: usize = 8 << 20;

/// Whether a bzip2 stream begins here, as far as its first bytes show it.
pub(super) fn is_stream(bytes: &[u8]) -> bool {
    let Some((head, rest)) = bytes.split_at_checked(HEAD_BYTES) else { return false };
    let begins = |magic: u64| rest.iter().zip(&magic.to_be_bytes()[2..]).all(|(byte, want)| byte == want);
    head.starts_with(b"BZh") && head[3].is_ascii_digit() && head[3] != b'0' && (begins(BLOCK) || begins(END))
}

/// A piece of the file, in its order.
enum Piece {
    /// A packed block as a stream of its own, and where it begins.
    Block(Vec<u8>, u64),
    Bytes(Unpacking),
    StreamEnd,
    Broken(Damage),
}

/// A block that is being unpacked.
struct Unpacking {
    decoder: Option<BzDecoder<Cursor<Vec<u8>>>>,
    /// The bytes that were unpacked last.
    bytes: Vec<u8>,
    /// Where it begins in the file.
    offset: u64,
}

impl Unpacking {
    /// Replaces the bytes by those that follow.
    fn go_on(&mut self) -> Result<(), Damage> {
        self.bytes.clear();
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        match decoder.take(AHEAD_BYTES as u64).read_to_end(&mut self.bytes) {
            Ok(count) => {
                if count < AHEAD_BYTES {
                    self.decoder = None;
                }
                Ok(())
            }
            Err(error) => Err(Damage { offset: self.offset, what: format!("the bzip2 block is broken: {error}"), fatal: false }),
        }
    }
}

/// Unpacks bzip2.
pub(super) struct Bzip2 {
    magics: Magics,
    /// Packed bytes that were taken from the file and not yet cut.
    window: Vec<u8>,
    /// File offset of the first byte of the window.
    base: u64,
    /// The bit of the window at which a block's magic stands, once one was found.
    block: Option<usize>,
    ready: VecDeque<Piece>,
    at_once: usize,
    given: usize,
    begin: u64,
    crc: u32,
    /// Blocks seen in this stream; a stream whose beginning is missing has no checksum to be held against.
    whole: bool,
    lost: bool,
}

impl Bzip2 {
    pub(super) fn new() -> Bzip2 {
        Bzip2 {
            magics: Magics::new(),
            window: Vec::new(),
            base: 0,
            block: None,
            ready: VecDeque::new(),
            at_once: 1,
            given: 0,
            begin: 0,
            crc: 0,
            whole: false,
            lost: false,
        }
    }

    /// Unpacks as many blocks at once as `bytes` hold and cores there are. What comes out is the same.
    pub(super) fn unpack_ahead(&mut self, bytes: usize) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.at_once = (bytes / BLOCK_BYTES).clamp(1, cores.min(BLOCKS_AT_ONCE_MAX));
    }

    /// Where the present stream begins.
    pub(super) fn begin(&self) -> u64 {
        self.begin
    }

    /// Takes one step; unpacked bytes are written to the beginning of `out`.
    pub(super) fn pull(&mut self, stored: &mut Stored, out: &mut [u8]) -> io::Result<Pull> {
        if self.ready.is_empty() {
            self.cut_pieces(stored)?;
            unpack_all(&mut self.ready);
        }
        match self.ready.front_mut() {
            None => Ok(Pull::Finished),
            Some(Piece::Bytes(block)) => {
                if self.given == block.bytes.len() {
                    self.given = 0;
                    if let Err(damage) = block.go_on() {
                        self.ready[0] = Piece::Broken(damage);
                        return Ok(Pull::Bytes(0));
                    }
                }
                let rest = &block.bytes[self.given..];
                let count = rest.len().min(out.len());
                out[..count].copy_from_slice(&rest[..count]);
                self.given += count;
                if self.given == block.bytes.len() && block.decoder.is_none() {
                    self.ready.pop_front();
                    self.given = 0;
                }
                self.lost &= count == 0;
                Ok(Pull::Bytes(count))
            }
            _ => Ok(match self.ready.pop_front() {
                Some(Piece::Broken(damage)) => Pull::Broken(damage, std::mem::replace(&mut self.lost, true)),
                _ => Pull::MemberEnd,
            }),
        }
    }

    /// Cuts as many blocks as are unpacked at once.
    fn cut_pieces(&mut self, stored: &mut Stored) -> io::Result<()> {
        let mut blocks = 0;
        while blocks < self.at_once {
            let Some(bit) = self.block else {
                if !self.find_stream(stored)? {
                    return Ok(());
                }
                continue;
            };
            blocks += 1;
            self.cut_block(stored, bit)?;
        }
        Ok(())
    }

    /// Goes to the first block of the next stream; `false` at the end of the file.
    fn find_stream(&mut self, stored: &mut Stored) -> io::Result<bool> {
        while self.window.len() < HEAD_BYTES + 6 && self.read_on(stored)? {}
        if self.window.is_empty() {
            return Ok(false);
        }
        self.begin = self.base;
        (self.crc, self.whole) = (0, true);
        if is_stream(&self.window) && self.window.len() >= HEAD_BYTES + 6 {
            return self.enter(HEAD_BYTES * 8).map(|()| true);
        }
        self.whole = false;
        let (skipped, zeros) = self.skip_to_magic(stored)?;
        if !zeros {
            self.damage(self.begin, format!("{skipped} bytes that are no bzip2 stream"), false);
        }
        Ok(self.block.is_some() || !self.window.is_empty())
    }

    /// Begins at the magic at `bit`: a block, or at once the end of an empty stream.
    fn enter(&mut self, bit: usize) -> io::Result<()> {
        if bits(&self.window, bit, MAGIC_BITS) == Some(BLOCK) {
            self.block = Some(bit);
        } else {
            self.end_stream(bit);
        }
        Ok(())
    }

    /// Searches the next block; returns how many bytes were skipped, and whether they were zeros.
    fn skip_to_magic(&mut self, stored: &mut Stored) -> io::Result<(u64, bool)> {
        let begin = self.base;
        let mut zeros = true;
        loop {
            if let Some((bit, BLOCK)) = self.magics.find(&self.window, 0) {
                // The head of its stream stands before it where there is one.
                let head = if bit % 8 == 0 && bit >= 32 && is_stream(&self.window[bit / 8 - HEAD_BYTES..]) { HEAD_BYTES } else { 0 };
                self.whole = head > 0;
                let skipped = bit / 8 - head;
                zeros &= self.window[..skipped].iter().all(|byte| *byte == 0);
                self.block = Some(bit);
                self.begin = self.base + skipped as u64;
                return Ok((self.begin - begin, zeros));
            }
            // The last bytes may be the beginning of a magic.
            let done = self.window.len().saturating_sub(16);
            zeros &= self.window[..done].iter().all(|byte| *byte == 0);
            self.drop_front(done);
            if !self.read_on(stored)? {
                zeros &= self.window.iter().all(|byte| *byte == 0);
                self.drop_front(self.window.len());
                return Ok((self.base - begin, zeros));
            }
        }
    }

    /// Cuts the block whose magic stands at `bit`, up to the next magic.
    fn cut_block(&mut self, stored: &mut Stored, bit: usize) -> io::Result<()> {
        let mut from = bit + MAGIC_BITS;
        let offset = self.base + (bit / 8) as u64;
        loop {
            match self.magics.find(&self.window, from) {
                Some((end, kind)) if kind == BLOCK || self.window.len() * 8 >= end + MAGIC_BITS + CRC_BITS => {
                    self.take_block(bit, end);
                    if kind == BLOCK {
                        self.drop_front(end / 8);
                        self.block = Some(end % 8);
                    } else {
                        self.end_stream(end);
                    }
                    return Ok(());
                }
                Some(_) => {}
                None => from = from.max((self.window.len() * 8).saturating_sub(MAGIC_BITS + 16)),
            }
            if self.window.len() > bit / 8 + PACKED_BLOCK_BYTES_MAX {
                self.damage(offset, "the bzip2 block does not end".to_owned(), false);
                self.give_up(bit);
                return Ok(());
            }
            if !self.read_on(stored)? {
                self.damage(offset, "the bzip2 stream ends early: the file is cut off here".to_owned(), true);
                self.block = None;
                self.drop_front(self.window.len());
                return Ok(());
            }
        }
    }

    /// Leaves a block behind; the search goes on after its magic.
    fn give_up(&mut self, bit: usize) {
        self.block = None;
        self.drop_front(bit / 8 + 1);
    }

    fn take_block(&mut self, bit: usize, end: usize) {
        let crc = bits(&self.window, bit + MAGIC_BITS, CRC_BITS).unwrap_or(0);
        self.crc = self.crc.rotate_left(1) ^ u32::try_from(crc).unwrap_or(0);
        self.ready.push_back(Piece::Block(as_stream(&self.window, bit, end, crc), self.base + (bit / 8) as u64));
    }

    /// Leaves the stream whose end's magic stands at `bit`.
    fn end_stream(&mut self, bit: usize) {
        let stated = bits(&self.window, bit + MAGIC_BITS, CRC_BITS);
        let right = !self.whole || stated == Some(u64::from(self.crc));
        if right {
            self.ready.push_back(Piece::StreamEnd);
        } else {
            self.damage(self.begin, "the checksum of the bzip2 stream is wrong: a part of it is missing".to_owned(), false);
        }
        self.block = None;
        self.drop_front((bit + MAGIC_BITS + CRC_BITS).div_ceil(8));
    }

    fn damage(&mut self, offset: u64, what: String, fatal: bool) {
        self.ready.push_back(Piece::Broken(Damage { offset, what, fatal }));
    }

    fn drop_front(&mut self, count: usize) {
        let count = count.min(self.window.len());
        self.window.drain(..count);
        self.base += count as u64;
    }

    /// Takes what is at hand of the file; `false` at its end.
    fn read_on(&mut self, stored: &mut Stored) -> io::Result<bool> {
        let held = stored.fill()?;
        let count = held.len();
        self.window.extend_from_slice(held);
        stored.consume(count);
        Ok(count > 0)
    }
}

/// Unpacks all blocks among `pieces`, each on a thread of its own.
fn unpack_all(pieces: &mut VecDeque<Piece>) {
    let unpack_one = |piece: &mut Piece| {
        if let Piece::Block(stream, offset) = piece {
            *piece = unpack(std::mem::take(stream), *offset);
        }
    };
    if pieces.iter().filter(|piece| matches!(piece, Piece::Block(..))).count() < 2 {
        return pieces.iter_mut().for_each(unpack_one);
    }
    std::thread::scope(|scope| {
        for piece in pieces.iter_mut().filter(|piece| matches!(piece, Piece::Block(..))) {
            scope.spawn(move || unpack_one(piece));
        }
    });
}

fn unpack(stream: Vec<u8>, offset: u64) -> Piece {
    let decoder = Some(BzDecoder::new(Cursor::new(stream)));
    let mut block = Unpacking { decoder, bytes: Vec::with_capacity(AHEAD_BYTES / 2), offset };
    block.go_on().map_or_else(Piece::Broken, |()| Piece::Bytes(block))
}

/// The block between two bits of `window` as a stream that holds it alone.
fn as_stream(window: &[u8], bit: usize, end: usize, crc: u64) -> Vec<u8> {
    let mut stream = Vec::with_capacity((end - bit) / 8 + 24);
    stream.extend_from_slice(b"BZh9");
    let (shift, first) = (bit % 8, bit / 8);
    let whole = (end - bit) / 8;
    if shift == 0 {
        stream.extend_from_slice(&window[first..first + whole]);
    } else {
        stream.extend(window[first..=first + whole].windows(2).map(|pair| pair[0] << shift | pair[1] >> (8 - shift)));
    }
    // What is left of the block, then the end of the stream; a stream of one block has that block's checksum.
    let left = (end - bit) % 8;
    let mut tail = (u128::from(bits(window, end - left, left).unwrap_or(0)), left);
    tail = ((tail.0 << MAGIC_BITS) | u128::from(END), tail.1 + MAGIC_BITS);
    tail = ((tail.0 << CRC_BITS) | u128::from(crc), tail.1 + CRC_BITS);
    stream.extend_from_slice(&(tail.0 << (128 - tail.1)).to_be_bytes()[..tail.1.div_ceil(8)]);
    stream
}

/// `count` bits, at most 56, from bit `at` on; `None` behind the end.
fn bits(bytes: &[u8], at: usize, count: usize) -> Option<u64> {
    let held = bytes.get(at / 8..(at + count).div_ceil(8))?;
    let whole = held.iter().fold(0_u64, |whole, byte| whole << 8 | u64::from(*byte));
    let behind = held.len() * 8 - at % 8 - count;
    Some((whole >> behind) & ((1 << count) - 1))
}

/// Searches both magics at every bit: whatever their shift, five whole bytes of them are fixed.
struct Magics(AhoCorasick);

impl Magics {
    fn new() -> Magics {
        let patterns: Vec<[u8; 5]> = [BLOCK, END]
            .into_iter()
            .flat_map(|magic| (0..8).map(move |skip| (magic >> (8 - skip)) & 0xff_ffff_ffff))
            .map(|whole| [3, 4, 5, 6, 7].map(|byte| whole.to_be_bytes()[byte]))
            .collect();
        Magics(AhoCorasick::new(patterns).expect("sixteen patterns of five bytes"))
    }

    /// The first magic that stands whole at bit `from` or behind it.
    fn find(&self, window: &[u8], from: usize) -> Option<(usize, u64)> {
        let mut at = from / 8;
        loop {
            let found = self.0.find(window.get(at..)?)?;
            let (pattern, byte) = (found.pattern().as_usize(), at + found.start());
            let magic = if pattern < 8 { BLOCK } else { END };
            if let Some(bit) = (byte * 8).checked_sub(pattern % 8).filter(|bit| *bit >= from)
                && bits(window, bit, MAGIC_BITS) == Some(magic)
            {
                return Some((bit, magic));
            }
            at = byte + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::unpacked::{Step, Unpacked};
    use super::*;

    fn packed(bytes: &[u8], level: u32) -> Vec<u8> {
        let mut packer = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::new(level));
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    /// Words without end that hardly pack.
    fn noise(count: usize) -> Vec<u8> {
        let mut state = 7_u64;
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 59) as u8 + b'a'
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    fn read(stored: Vec<u8>) -> (Vec<u8>, Vec<String>) {
        let mut unpacked = Unpacked::open(Box::new(io::Cursor::new(stored)), "x.bz2").unwrap();
        let (mut bytes, mut damage) = (Vec::new(), Vec::new());
        loop {
            match unpacked.step() {
                Step::Bytes => {
                    bytes.extend_from_slice(unpacked.held());
                    unpacked.consume(usize::MAX);
                }
                Step::MemberEnd => {}
                Step::Broken(told) => damage.extend(told.map(|told| told.what)),
                Step::End => return (bytes, damage),
            }
        }
    }

    #[test]
    fn one_stream_of_many_blocks_and_many_streams_unpack_to_the_same_bytes() {
        let text = noise(1_000_000);
        assert_eq!(read(packed(&text, 1)), (text.clone(), vec![]));
        let streams: Vec<u8> = text.chunks(70_001).flat_map(|chunk| packed(chunk, 9)).collect();
        assert_eq!(read(streams), (text, vec![]));
        assert_eq!(read([packed(b"", 9), packed(b"Sveiki", 9), packed(b"", 9), vec![0; 40]].concat()), (b"Sveiki".to_vec(), vec![]));
    }

    #[test]
    fn a_block_that_unpacks_to_millions_is_read_in_pieces_and_its_checksum_counts() {
        let text = [&[b' '; 250][..], b"Vilnis pie krasta."].concat().repeat(15_000);
        let stored = packed(&text, 9);
        assert!(text.len() > 2 * AHEAD_BYTES && read(stored.clone()) == (text, vec![]));
        // The checksum of the first block stands behind its magic.
        let mut wrong = stored;
        wrong[HEAD_BYTES + 6] ^= 1;
        let (_, damage) = read(wrong);
        assert!(damage[0].starts_with("the bzip2 block is broken"), "{damage:?}");
    }

    #[test]
    fn memory_decides_how_many_blocks_are_unpacked_at_once_and_not_what_comes_out() {
        let text = noise(1_000_000);
        let stored = packed(&text, 1);
        for bytes in [0, BLOCK_BYTES, 1 << 30] {
            let mut unpacked = Unpacked::open(Box::new(io::Cursor::new(stored.clone())), "x.bz2").unwrap().within(bytes);
            let mut read = Vec::new();
            unpacked.read_to_end(&mut read).unwrap();
            assert!(read == text, "{bytes}");
        }
        let at_once = |bytes| {
            let mut bzip2 = Bzip2::new();
            bzip2.unpack_ahead(bytes);
            bzip2.at_once
        };
        assert_eq!((at_once(0), at_once(2 * BLOCK_BYTES - 1)), (1, 1));
        assert!(at_once(1 << 30) <= BLOCKS_AT_ONCE_MAX);
    }

    #[test]
    fn a_damaged_block_costs_itself_and_a_cut_file_is_told() {
        let text = noise(400_000);
        let mut stored = packed(&text, 1);
        let middle = stored.len() / 2;
        stored[middle] ^= 0x40;
        let (bytes, damage) = read(stored.clone());
        assert!(damage[0].starts_with("the bzip2 block is broken"), "{damage:?}");
        assert!(bytes.len() >= 290_000 && text.starts_with(&bytes[..90_000]) && text.ends_with(&bytes[bytes.len() - 90_000..]));
        let (bytes, damage) = read(packed(&text, 1)[..middle].to_vec());
        assert!(damage[0].starts_with("the bzip2 stream ends early") && text.starts_with(&bytes) && bytes.len() > 90_000, "{damage:?}");
    }

    #[test]
    fn a_block_that_is_missing_is_seen_in_the_checksum_of_the_stream() {
        let stored = packed(&noise(300_000), 1);
        let magics = Magics::new();
        let (first, _) = magics.find(&stored, 40).unwrap();
        let (second, _) = magics.find(&stored, first + 48).unwrap();
        let first_bits = |from: usize, to: usize| (from..to).map(|bit| bits(&stored, bit, 1).unwrap() as u8).collect::<Vec<u8>>();
        let without = [first_bits(0, first), first_bits(second, stored.len() * 8)].concat();
        let bytes = without.chunks(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit) << (8 - bits.len())).collect();
        assert!(read(bytes).1[0].contains("a part of it is missing"));
    }

    #[test]
    fn no_flipped_byte_panics_and_what_is_no_stream_is_told() {
        let good = [packed(b"Dobro jutro", 9), packed(b"Lahko noc", 9)].concat();
        for place in 0..good.len() {
            let mut stored = good.clone();
            stored[place] ^= 0x55;
            read(stored);
            read(good[..place].to_vec());
        }
        assert_eq!(read(b"\xff\xfe no bzip2".to_vec()).1, ["11 bytes that are no bzip2 stream"]);
    }
}
