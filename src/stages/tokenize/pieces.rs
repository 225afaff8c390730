//! Cutting the plainest pieces off a text without a regular expression, and a small memory of the ids of pieces.
//!
//! The split patterns of o200k_base and cl100k_base agree on nearly all of running text: a word with the space before it, a comma, a
//! line end. Those are cut here by a table of letters; everything else is left to the pattern.

use xxhash_rust::xxh3::xxh3_64;

const OTHER: u8 = 0;
const CAPITAL: u8 = 1;
const SMALL: u8 = 2;

/// Code points below this have a row in the table: Latin with its first extensions, Greek, Cyrillic.
const TABLE_END: usize = 0x530;
const LETTERS: [u8; TABLE_END] = letters();

/// Classes of letters whose general category is surely Lu or Ll; all other characters are `OTHER`, which is always safe.
const fn letters() -> [u8; TABLE_END] {
    let mut table = [OTHER; TABLE_END];
    let capitals: &[(usize, usize)] = &[
        (0x41, 0x5A),
        (0xC0, 0xD6),
        (0xD8, 0xDE),
        (0x386, 0x386),
        (0x388, 0x38A),
        (0x38E, 0x38F),
        (0x391, 0x3A1),
        (0x3A3, 0x3AB),
        (0x400, 0x42F),
    ];
    let small: &[(usize, usize)] =
        &[(0x61, 0x7A), (0xDF, 0xF6), (0xF8, 0xFF), (0x138, 0x138), (0x149, 0x149), (0x17F, 0x17F), (0x3AC, 0x3CE), (0x430, 0x45F)];
    // Blocks in which capital and small letter alternate, the capital first.
    let pairs: &[(usize, usize)] = &[(0x100, 0x137), (0x139, 0x148), (0x14A, 0x177), (0x179, 0x17E), (0x218, 0x21B), (0x490, 0x491)];
    let mut row = 0;
    while row < capitals.len() {
        fill(&mut table, capitals[row], CAPITAL, CAPITAL);
        row += 1;
    }
    row = 0;
    while row < small.len() {
        fill(&mut table, small[row], SMALL, SMALL);
        row += 1;
    }
    row = 0;
    while row < pairs.len() {
        fill(&mut table, pairs[row], CAPITAL, SMALL);
        row += 1;
    }
    table[0x178] = CAPITAL;
    table[0x38C] = CAPITAL;
    table[0x390] = SMALL;
    table
}

const fn fill(table: &mut [u8; TABLE_END], range: (usize, usize), first: u8, second: u8) {
    let mut at = range.0;
    while at <= range.1 {
        table[at] = if (at - range.0).is_multiple_of(2) { first } else { second };
        at += 1;
    }
}

/// Class and length in bytes of the character at `at`; `OTHER` where it is longer than two bytes or the text ends.
fn letter(text: &[u8], at: usize) -> (u8, usize) {
    match (text.get(at), text.get(at + 1)) {
        (Some(&byte), _) if byte < 0x80 => (LETTERS[usize::from(byte)], 1),
        (Some(&lead), Some(&tail)) if (0xC2..0xE0).contains(&lead) => {
            let point = usize::from(lead & 0x1F) << 6 | usize::from(tail & 0x3F);
            (LETTERS.get(point).copied().unwrap_or(OTHER), 2)
        }
        _ => (OTHER, 1),
    }
}

/// Length in bytes of the first piece of `text`, where both split patterns plainly cut there; `None` sends the text to the pattern.
pub(super) fn plain_piece(text: &[u8]) -> Option<usize> {
    match *text.first()? {
        b'\n' => plain_line_ends(text),
        byte if byte.is_ascii_punctuation() => (text.get(1) == Some(&b' ')).then_some(1),
        _ => plain_word(text),
    }
}

/// Line feeds before something printed.
fn plain_line_ends(text: &[u8]) -> Option<usize> {
    let length = text.iter().take_while(|byte| **byte == b'\n').count();
    text.get(length).is_some_and(u8::is_ascii_graphic).then_some(length)
}

/// A space or none, capitals, small letters, and then the end or an ASCII character that is no letter, digit sign or apostrophe could follow.
fn plain_word(text: &[u8]) -> Option<usize> {
    let start = usize::from(text[0] == b' ');
    let mut at = start;
    for wanted in [CAPITAL, SMALL] {
        loop {
            let (class, length) = letter(text, at);
            if class != wanted {
                break;
            }
            at += length;
        }
    }
    let ends_plainly = text.get(at).is_none_or(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic() && *byte != b'\'');
    (at > start && ends_plainly).then_some(at)
}

/// Pieces and ids that fit one slot of 64 bytes, a cache line.
const PIECE_BYTES_MAX: usize = 30;
const IDS_MAX: usize = 8;
/// 2 MiB a thread. Pages of 45 languages, ordered by language: 22 MB/s with 2^14 slots, 24 with 2^16, no more with 2^17.
const SLOTS: usize = 1 << 15;

#[derive(Clone, Copy)]
struct Slot {
    piece_bytes: u8,
    id_count: u8,
    piece: [u8; PIECE_BYTES_MAX],
    ids: [u32; IDS_MAX],
}

/// Remembers the ids of pieces seen lately. A piece is compared byte for byte, so a wrong hit cannot be.
pub(super) struct PieceCache(Vec<Slot>);

impl Default for PieceCache {
    fn default() -> PieceCache {
        PieceCache(vec![Slot { piece_bytes: 0, id_count: 0, piece: [0; PIECE_BYTES_MAX], ids: [0; IDS_MAX] }; SLOTS])
    }
}

impl PieceCache {
    /// Appends the ids of `piece`, from memory or else from `encode`.
    pub(super) fn encode(&mut self, piece: &[u8], ids: &mut Vec<u32>, encode: impl FnOnce(&[u8]) -> Vec<u32>) {
        if piece.is_empty() || piece.len() > PIECE_BYTES_MAX {
            ids.extend(encode(piece));
            return;
        }
        let place = (xxh3_64(piece) % SLOTS as u64) as usize;
        let slot = &mut self.0[place];
        if slot.piece[..usize::from(slot.piece_bytes)] == *piece {
            ids.extend_from_slice(&slot.ids[..usize::from(slot.id_count)]);
            return;
        }
        let fresh = encode(piece);
        if fresh.len() <= IDS_MAX {
            slot.piece_bytes = piece.len() as u8;
            slot.piece[..piece.len()].copy_from_slice(piece);
            slot.id_count = fresh.len() as u8;
            slot.ids[..fresh.len()].copy_from_slice(&fresh);
        }
        ids.extend(fresh);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_of_the_table_has_the_case_that_unicode_gives_it() {
        for (point, class) in LETTERS.into_iter().enumerate() {
            let letter = char::from_u32(point as u32).unwrap();
            match class {
                CAPITAL => assert!(letter.is_uppercase(), "{letter}"),
                SMALL => assert!(letter.is_lowercase() && !matches!(letter, 'ª' | 'º'), "{letter}"),
                _ => {}
            }
        }
    }

    #[test]
    fn words_commas_and_line_ends_are_cut_and_the_rest_is_left_to_the_pattern() {
        for (text, length) in [
            (" Žlutý kůň", 8),
            ("Straße,", 7),
            (", und", 1),
            ("\n\nΝέα", 0),
            ("\n\nNea", 2),
            ("don't", 0),
            ("iPhone ", 0),
            ("12", 0),
            ("  a", 0),
        ] {
            assert_eq!(plain_piece(text.as_bytes()).unwrap_or(0), length, "{text:?}");
        }
    }

    #[test]
    fn a_piece_that_takes_anothers_slot_does_not_take_its_ids() {
        let mut cache = PieceCache::default();
        for round in 0..2 {
            for word in 0..100_000_u32 {
                let mut ids = Vec::new();
                cache.encode(format!("žodis {word}").as_bytes(), &mut ids, |_| vec![word, word + 1]);
                assert_eq!(ids, [word, word + 1], "round {round}");
            }
        }
    }
}
