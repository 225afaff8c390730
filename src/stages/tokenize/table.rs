//! A table from pairs of numbers to pairs of numbers, with open places: what merges and tries are looked up in, millions of times a second.
//!
//! Most pairs that are asked for are not there: a filter of some bits a pair, small enough for a core's second cache, answers most of those.

/// No pair: no key is made of two such numbers.
const NONE: u64 = u64::MAX;
/// Places of the table for a word of the filter: 4 bits a place, 8 and more a pair.
const PLACES_PER_WORD: usize = 16;

/// The table.
pub(super) struct PairTable {
    entries: Vec<(u64, (u32, u32))>,
    filter: Vec<u64>,
    count: usize,
}

impl PairTable {
    /// An empty table with room for `count` pairs.
    pub(super) fn with_room(count: usize) -> PairTable {
        let places = (2 * count).next_power_of_two().max(PLACES_PER_WORD);
        PairTable { entries: vec![(NONE, (0, 0)); places], filter: vec![0; places / PLACES_PER_WORD], count: 0 }
    }

    /// Sets the value of a pair.
    pub(super) fn insert(&mut self, left: u32, right: u32, value: (u32, u32)) {
        if 2 * (self.count + 1) > self.entries.len() {
            self.grow();
        }
        let key = key(left, right);
        let (word, bits) = self.bits(mixed(key));
        self.filter[word] |= bits;
        let place = self.place(key);
        self.count += usize::from(self.entries[place].0 == NONE);
        self.entries[place] = (key, value);
    }

    fn grow(&mut self) {
        let mut larger = PairTable::with_room(self.entries.len());
        for (key, value) in self.entries.iter().filter(|(key, _)| *key != NONE) {
            larger.insert((key >> 32) as u32, *key as u32, *value);
        }
        *self = larger;
    }

    /// Where the pair stands, or would stand.
    #[inline]
    fn place(&self, key: u64) -> usize {
        let mask = self.entries.len() - 1;
        let mut place = (mixed(key) >> 32) as usize & mask;
        while self.entries[place].0 != key && self.entries[place].0 != NONE {
            place = (place + 1) & mask;
        }
        place
    }

    /// The word of the filter for a pair, and its bits there.
    #[inline]
    fn bits(&self, mixed: u64) -> (usize, u64) {
        ((mixed >> 20) as usize & (self.filter.len() - 1), 1 << (mixed >> 58) | 1 << (mixed >> 52 & 63))
    }

    /// The value of a pair.
    #[inline]
    pub(super) fn find(&self, left: u32, right: u32) -> Option<(u32, u32)> {
        let key = key(left, right);
        let (word, bits) = self.bits(mixed(key));
        if self.filter[word] & bits != bits {
            return None;
        }
        let (known, value) = self.entries[self.place(key)];
        (known == key).then_some(value)
    }
}

#[inline]
fn key(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

#[inline]
fn mixed(key: u64) -> u64 {
    (key ^ key >> 29).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_has_the_value_that_it_was_given_last_and_no_other_pair_has_any() {
        let mut table = PairTable::with_room(0);
        for round in 0..2 {
            for number in 0..20_000 {
                table.insert(number, number % 7, (number + round, round));
            }
        }
        for number in 0..20_000 {
            assert_eq!(table.find(number, number % 7), Some((number + 1, 1)));
            assert_eq!(table.find(number, number % 7 + 7), None);
        }
    }
}
