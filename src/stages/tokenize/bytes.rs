//! The tokens of a byte-level vocabulary as a table from their bytes to their ids.
//!
//! Bytes that fit in one number with their length are compared as a number. Most questions are for bytes that are no token, while pairs of a
//! new piece are tried: a filter of some bits a token, small enough for a core's second cache, answers nine in ten of those.

use std::collections::HashMap;

/// Longest token; tiktoken's have at most 128 bytes. A longer one is refused.
const TOKEN_BYTES_MAX: usize = 1 << 16;
/// Bytes that fit in a key: its sixteenth holds the length.
pub(super) const KEY_BYTES: usize = 15;
/// Bits of the filter for a token.
const FILTER_BITS: usize = 12;
/// No key: none has the length 0.
const NO_KEY: u128 = 0;

/// What keeps the first bytes of a number, by how many.
static MASKS: [u128; 17] = {
    let mut masks = [u128::MAX; 17];
    let mut length = 0;
    while length < 16 {
        masks[length] = (1 << (8 * length)) - 1;
        length += 1;
    }
    masks
};

/// The bytes `text[at..end]`, at most 16 of them, as a number.
#[inline]
pub(super) fn word(text: &[u8], at: usize, end: usize) -> u128 {
    let length = end.saturating_sub(at).min(16);
    let whole = match text.get(at..at + 16) {
        Some(bytes) => u128::from_le_bytes(bytes.try_into().unwrap_or([0; 16])),
        None => {
            let mut bytes = [0; 16];
            let rest = text.get(at..).unwrap_or_default();
            bytes[..rest.len()].copy_from_slice(rest);
            u128::from_le_bytes(bytes)
        }
    };
    whole & MASKS[length]
}

/// The key of `text[at..end]`, which has at most [`KEY_BYTES`].
#[inline]
pub(super) fn key(text: &[u8], at: usize, end: usize) -> u128 {
    word(text, at, end) | ((end - at) as u128) << 120
}

/// A hash of a key: two multiplications by odd numbers without pattern (the fractions of the golden ratio and of pi).
#[inline]
pub(super) fn hash(key: u128) -> u64 {
    let mixed = (key as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ ((key >> 64) as u64).wrapping_mul(0x243F_6A88_85A3_08D3).rotate_left(32);
    (mixed ^ mixed >> 29).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Tokens by their bytes.
pub(super) struct Tokens {
    count: usize,
    /// Keys of short tokens at the place of their hash or behind it, and their ids.
    keys: Vec<u128>,
    ids: Vec<u32>,
    filter: Vec<u64>,
    long: HashMap<Box<[u8]>, u32>,
    longest: usize,
}

impl Tokens {
    /// A table of `tokens` in the order of their ids; an empty one is no token.
    ///
    /// # Errors
    /// In words, where two are equal or one is too long.
    pub(super) fn new<'a>(tokens: impl ExactSizeIterator<Item = &'a [u8]>) -> Result<Tokens, String> {
        let slots = (tokens.len() + tokens.len() / 4).next_power_of_two().max(2);
        let mut table = Tokens {
            count: tokens.len(),
            keys: vec![NO_KEY; slots],
            ids: vec![0; slots],
            filter: vec![0; (tokens.len() * FILTER_BITS / 64).next_power_of_two()],
            long: HashMap::new(),
            longest: 0,
        };
        for (id, token) in (0_u32..).zip(tokens) {
            if token.len() > TOKEN_BYTES_MAX {
                return Err(format!("token {id} has {} bytes, more than {TOKEN_BYTES_MAX}", token.len()));
            }
            table.longest = table.longest.max(token.len());
            if !token.is_empty() && !table.insert(token, id) {
                return Err(format!("token {id} is there twice"));
            }
        }
        Ok(table)
    }

    /// Whether the token was not there before.
    fn insert(&mut self, token: &[u8], id: u32) -> bool {
        if token.len() > KEY_BYTES {
            return self.long.insert(token.into(), id).is_none();
        }
        let key = key(token, 0, token.len());
        let hash = hash(key);
        let (word, bit) = self.bit(hash);
        self.filter[word] |= bit;
        let mask = self.keys.len() - 1;
        let mut place = hash as usize & mask;
        while self.keys[place] != NO_KEY {
            if self.keys[place] == key {
                return false;
            }
            place = (place + 1) & mask;
        }
        (self.keys[place], self.ids[place]) = (key, id);
        true
    }

    /// The bit of the filter for a hash: its word, and the bit in it.
    #[inline]
    fn bit(&self, hash: u64) -> (usize, u64) {
        ((hash >> 40) as usize & (self.filter.len() - 1), 1 << (hash >> 34 & 63))
    }

    /// The token that is `text[at..end]`.
    #[inline]
    pub(super) fn find(&self, text: &[u8], at: usize, end: usize) -> Option<u32> {
        match end - at {
            0 => None,
            1..=KEY_BYTES => self.find_key(key(text, at, end)),
            length if length <= self.longest => self.find_long(&text[at..end]),
            _ => None,
        }
    }

    /// Rare, and kept out of the loop over pairs, which is quicker without it.
    #[cold]
    #[inline(never)]
    fn find_long(&self, token: &[u8]) -> Option<u32> {
        self.long.get(token).copied()
    }

    #[inline]
    fn find_key(&self, key: u128) -> Option<u32> {
        let hash = hash(key);
        let (word, bit) = self.bit(hash);
        if self.filter[word] & bit == 0 {
            return None;
        }
        let mask = self.keys.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            match self.keys[place] {
                NO_KEY => return None,
                known if known == key => return Some(self.ids[place]),
                _ => place = (place + 1) & mask,
            }
        }
    }

    /// Every id is smaller than this.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The tokens of all single bytes, by byte; `None` where one is missing that texts can hold: some bytes are in no UTF-8 (RFC 3629), and
    /// some vocabularies lack just these.
    pub(super) fn single_bytes(&self) -> Option<[u32; 256]> {
        let mut singles = [u32::MAX; 256];
        for byte in 0..=255_u8 {
            match self.find(&[byte], 0, 1) {
                Some(id) => singles[usize::from(byte)] = id,
                None if matches!(byte, 0xC0 | 0xC1 | 0xF5..) => {}
                None => return None,
            }
        }
        Some(singles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_is_found_by_its_bytes_and_nothing_else_is() {
        let words: Vec<String> = (0..5_000).map(|number| format!("žodis{number}{}", "x".repeat(number % 20))).collect();
        let tokens = Tokens::new(words.iter().map(String::as_bytes)).unwrap();
        for (id, word) in (0..).zip(&words) {
            assert_eq!(tokens.find(word.as_bytes(), 0, word.len()), Some(id));
        }
        assert_eq!((tokens.find(b"", 0, 0), tokens.find("žodis5000".as_bytes(), 0, 10), tokens.len()), (None, None, 5_000));
        assert!(Tokens::new([&b"a"[..], b"b", b"a"].into_iter()).is_err_and(|why| why.contains("token 2 is there twice")));
    }
}
