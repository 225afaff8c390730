//! Normalization: the longest stretch that the model's table knows is replaced, white space becomes `▁`, and, where the model says so, extra
//! white space goes and a space stands in front.

use super::model::Rules;
use super::{Pieces, character};

/// What white space becomes.
const SPACE: &[u8] = "▁".as_bytes();

pub(super) struct Normalizer {
    rules: Rules,
    /// The units of a double array (darts-clone), and where the texts that it leads to begin in `rules.charsmap`.
    units: Vec<u32>,
    texts: usize,
}

impl Normalizer {
    pub(super) fn new(rules: Rules) -> Result<Normalizer, String> {
        let broken = || "its table for normalizing is cut off".to_owned();
        if rules.charsmap.is_empty() {
            return Ok(Normalizer { rules, units: Vec::new(), texts: 0 });
        }
        let (size, rest) = rules.charsmap.split_first_chunk().ok_or_else(broken)?;
        let size = u32::from_le_bytes(*size) as usize;
        let array = rest.get(..size).filter(|_| size.is_multiple_of(4)).ok_or_else(broken)?;
        let units = array.as_chunks().0.iter().map(|unit| u32::from_le_bytes(*unit)).collect();
        Ok(Normalizer { units, texts: 4 + size, rules })
    }

    /// The normalized form of `text`, which is UTF-8.
    pub(super) fn normalize(&self, text: &[u8], pieces: &Pieces) -> Vec<u8> {
        let Rules { remove_extra_whitespaces: removes, escape_whitespaces: escapes, .. } = self.rules;
        let space: &[u8] = if escapes { SPACE } else { b" " };
        let mut rest = text;
        while removes && !rest.is_empty() {
            let (replaced, length) = self.prefix(rest, pieces);
            if replaced != b" " {
                break;
            }
            rest = &rest[length..];
        }
        if rest.is_empty() {
            return Vec::new();
        }
        let mut out = Vec::with_capacity(text.len() + text.len() / 4 + 3);
        let adds = |wanted: bool| self.rules.add_dummy_prefix && self.rules.whitespace_as_suffix == wanted;
        if adds(false) {
            out.extend_from_slice(space);
        }
        let mut was_space = removes;
        while !rest.is_empty() {
            let (mut replaced, length) = self.prefix(rest, pieces);
            while was_space && replaced.first() == Some(&b' ') {
                replaced = &replaced[1..];
            }
            if let Some(last) = replaced.last() {
                was_space = *last == b' ';
                for byte in replaced {
                    if escapes && *byte == b' ' { out.extend_from_slice(SPACE) } else { out.push(*byte) }
                }
            }
            was_space &= removes;
            rest = &rest[length..];
        }
        while removes && out.ends_with(space) {
            out.truncate(out.len() - space.len());
        }
        if adds(true) {
            out.extend_from_slice(space);
        }
        out
    }

    /// What the beginning of `text` becomes, and how long that is in `text`.
    fn prefix<'a>(&'a self, text: &'a [u8], pieces: &Pieces) -> (&'a [u8], usize) {
        let symbol = pieces.symbol_at(text);
        if symbol > 0 {
            return (&text[..symbol], symbol);
        }
        if let Some((length, at)) = self.longest(text) {
            let rest = self.rules.charsmap.get(self.texts + at..).unwrap_or_default();
            let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
            return (&rest[..end], length);
        }
        let length = character(text[0]).min(text.len());
        (&text[..length], length)
    }

    /// The longest beginning of `text` that the table knows: its length, and where its text begins.
    fn longest(&self, text: &[u8]) -> Option<(usize, usize)> {
        let offset = |unit: u32| (unit >> 10) << ((unit & 1 << 9) >> 6);
        let mut node = offset(*self.units.first()?) as usize;
        let mut found = None;
        for (length, byte) in (1..).zip(text) {
            node ^= usize::from(*byte);
            // The label of a unit is its low byte, and its top bit is set where it is a value.
            let unit = *self.units.get(node)?;
            if unit & (1 << 31 | 0xFF) != u32::from(*byte) {
                break;
            }
            node ^= offset(unit) as usize;
            if unit & 1 << 8 != 0 {
                found = self.units.get(node).map(|value| (length, (value & 0x7FFF_FFFF) as usize));
            }
        }
        found
    }
}
