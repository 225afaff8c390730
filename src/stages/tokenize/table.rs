//! A table from pairs of numbers to pairs of numbers, with open places: what merges and tries are looked up in, millions of times a second.

/// No pair: no key is made of two such numbers.
const NONE: u64 = u64::MAX;

/// The table.
pub(super) struct PairTable {
    keys: Vec<u64>,
    values: Vec<(u32, u32)>,
    count: usize,
}

impl PairTable {
    /// An empty table with room for `count` pairs.
    pub(super) fn with_room(count: usize) -> PairTable {
        let slots = (2 * count).next_power_of_two().max(8);
        PairTable { keys: vec![NONE; slots], values: vec![(0, 0); slots], count: 0 }
    }

    /// Sets the value of a pair.
    pub(super) fn insert(&mut self, left: u32, right: u32, value: (u32, u32)) {
        if 2 * (self.count + 1) > self.keys.len() {
            self.grow();
        }
        let place = self.place(left, right);
        self.count += usize::from(self.keys[place] == NONE);
        self.keys[place] = u64::from(left) << 32 | u64::from(right);
        self.values[place] = value;
    }

    fn grow(&mut self) {
        let mut larger = PairTable::with_room(self.keys.len());
        for (key, value) in self.keys.iter().zip(&self.values).filter(|(key, _)| **key != NONE) {
            larger.insert((key >> 32) as u32, *key as u32, *value);
        }
        *self = larger;
    }

    /// Where the pair stands, or would stand.
    #[inline]
    fn place(&self, left: u32, right: u32) -> usize {
        let key = u64::from(left) << 32 | u64::from(right);
        let mask = self.keys.len() - 1;
        let mixed = (key ^ key >> 29).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut place = (mixed >> 32) as usize & mask;
        while self.keys[place] != key && self.keys[place] != NONE {
            place = (place + 1) & mask;
        }
        place
    }

    /// The value of a pair.
    #[inline]
    pub(super) fn find(&self, left: u32, right: u32) -> Option<(u32, u32)> {
        let place = self.place(left, right);
        (self.keys[place] != NONE).then(|| self.values[place])
    }
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
