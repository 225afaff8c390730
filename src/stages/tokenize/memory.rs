//! A small memory of the ids of pieces: a text repeats its words. A piece is compared byte for byte, so a wrong hit cannot be.
//!
//! Two tables, one for pieces that fit 15 bytes with their length and four ids in half a cache line, one for twice that. Together 6 MiB a
//! thread: texts of many languages gained from every doubling up to here, and nothing beyond.

use super::bytes::{self, KEY_BYTES};

/// Slots of the table of short pieces, and of that of longer ones.
const SHORT_SLOTS: usize = 1 << 17;
const LONG_SLOTS: usize = 1 << 15;
/// Longest pieces of the second table: one byte of the key holds the length.
const LONG_BYTES: usize = 16 + KEY_BYTES;
/// Ids of a short and of a longer piece.
const SHORT_IDS: usize = 4;
const LONG_IDS: usize = 8;
/// No id: vocabularies end below.
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Short {
    key: u128,
    ids: [u32; SHORT_IDS],
}

#[derive(Clone, Copy)]
struct Long {
    key: [u128; 2],
    ids: [u32; LONG_IDS],
}

/// The memory.
pub(super) struct Memory {
    short: Vec<Short>,
    long: Vec<Long>,
}

impl Default for Memory {
    fn default() -> Memory {
        let (short, long) = (Short { key: 0, ids: [NONE; SHORT_IDS] }, Long { key: [0; 2], ids: [NONE; LONG_IDS] });
        Memory { short: vec![short; SHORT_SLOTS], long: vec![long; LONG_SLOTS] }
    }
}

impl Memory {
    /// Appends the ids of the piece `text[at..end]`, from memory or else from `encode`.
    #[inline]
    pub(super) fn recall(&mut self, text: &[u8], (at, end): (usize, usize), ids: &mut Vec<u32>, encode: impl FnOnce(&mut Vec<u32>)) {
        let length = end - at;
        if length <= KEY_BYTES {
            let key = bytes::key(text, at, end);
            let slot = &mut self.short[(bytes::hash(key) >> 20) as usize % SHORT_SLOTS];
            if slot.key != key {
                return learn(ids, encode, |known| (slot.key, slot.ids) = (key, known));
            }
            push(&slot.ids, ids);
        } else if length <= LONG_BYTES {
            let key = [bytes::word(text, at, at + 16), bytes::key(text, at + 16, end)];
            let slot = &mut self.long[(bytes::hash(key[0] ^ key[1].rotate_left(53)) >> 20) as usize % LONG_SLOTS];
            if slot.key != key {
                return learn(ids, encode, |known| (slot.key, slot.ids) = (key, known));
            }
            push(&slot.ids, ids);
        } else {
            encode(ids);
        }
    }
}

#[inline]
fn push(known: &[u32], ids: &mut Vec<u32>) {
    let count = known.iter().take_while(|id| **id != NONE).count();
    ids.extend_from_slice(&known[..count]);
}

/// Encodes a piece that is not in memory, and keeps it there if its ids fit.
fn learn<const N: usize>(ids: &mut Vec<u32>, encode: impl FnOnce(&mut Vec<u32>), keep: impl FnOnce([u32; N])) {
    let before = ids.len();
    encode(ids);
    let fresh = &ids[before..];
    if fresh.len() <= N {
        let mut known = [NONE; N];
        known[..fresh.len()].copy_from_slice(fresh);
        keep(known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_that_takes_anothers_slot_does_not_take_its_ids() {
        let mut memory = Memory::default();
        for round in 0..2 {
            for number in 0..100_000_u32 {
                let text = format!("x{}žodis {number}y", "ą".repeat(number as usize % 9));
                let mut ids = Vec::new();
                memory.recall(text.as_bytes(), (1, text.len() - 1), &mut ids, |ids| ids.extend([number, number + 1]));
                assert_eq!(ids, [number, number + 1], "round {round}");
            }
        }
    }

    #[test]
    fn pieces_of_every_length_at_the_end_of_a_text_are_told_apart() {
        let text: Vec<u8> = (1..=40).collect();
        let mut memory = Memory::default();
        for _ in 0..2 {
            for at in 0..text.len() {
                for end in at + 1..=text.len() {
                    let mut ids = Vec::new();
                    let own = (at * 100 + end) as u32;
                    memory.recall(&text, (at, end), &mut ids, |ids| ids.push(own));
                    assert_eq!(ids, [own]);
                }
            }
        }
    }
}
