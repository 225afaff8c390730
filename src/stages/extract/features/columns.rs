//! The table of features: a byte for each block and feature, feature by feature, and the scales that make bytes of numbers.
//!
//! Bytes are what the trees compare, sixteen blocks at a time; a column for each feature lets them. The scales are fixed, so training and
//! use cannot drift, and the coarser a scale, the less a tree can learn by heart.

/// Rows are padded to a multiple of this, so that no loop over them has a remainder.
pub(in super::super) const LANES: usize = 16;

/// A column of a [`Columns`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Column(usize);

/// A byte for each block and feature.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Columns {
    rows: usize,
    padded: usize,
    values: Vec<u8>,
    names: Vec<(&'static str, &'static str)>,
}

impl Columns {
    pub(super) fn new(rows: usize, columns: usize) -> Columns {
        let padded = rows.next_multiple_of(LANES);
        Columns { rows, padded, values: Vec::with_capacity(padded * columns), names: Vec::with_capacity(columns) }
    }

    /// Adds a column; its name has two parts, so that names of families need no building.
    pub(super) fn push(&mut self, name: (&'static str, &'static str), values: impl Iterator<Item = u8>) -> Column {
        let begin = self.values.len();
        self.values.extend(values.take(self.rows));
        self.values.resize(begin + self.padded, 0);
        self.names.push(name);
        Column(self.names.len() - 1)
    }

    /// Adds a column with one value for all blocks.
    pub(super) fn push_same(&mut self, name: (&'static str, &'static str), value: u8) {
        self.values.resize(self.values.len() + self.padded, value);
        self.names.push(name);
    }

    /// Adds the values of `column` of the blocks `offset` further on.
    pub(super) fn push_shifted(&mut self, name: (&'static str, &'static str), column: Column, offset: isize) {
        let begin = self.values.len();
        self.values.resize(begin + self.padded, 0);
        let (from, rows) = (column.0 * self.padded, self.rows);
        let by = offset.unsigned_abs().min(rows);
        if offset < 0 {
            self.values.copy_within(from..from + rows - by, begin + by);
        } else {
            self.values.copy_within(from + by..from + rows, begin);
        }
        self.names.push(name);
    }

    /// The column at a place, padded.
    pub(in super::super) fn at(&self, place: usize) -> &[u8] {
        &self.values[place * self.padded..(place + 1) * self.padded]
    }

    pub(in super::super) fn rows(&self) -> usize {
        self.rows
    }

    /// The names of the columns in order, `part.name`.
    pub(in super::super) fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.names.iter().map(|(part, name)| format!("{part}.{name}"))
    }
}

/// A count: exact up to 16, then eight steps for each doubling.
pub(super) fn count(number: u32) -> u8 {
    if number < 16 {
        return number as u8;
    }
    let log = number.ilog2();
    let step = (number >> (log - 3)) & 7;
    (16 + (log - 4) * 8 + step).min(255) as u8
}

/// `part` of `whole` in 255ths; 0 of nothing.
pub(super) fn share(part: u32, whole: u32) -> u8 {
    if whole == 0 { 0 } else { (u64::from(part) * 255 / u64::from(whole)).min(255) as u8 }
}

/// `part` to `whole` in 16ths, logarithmic beyond one: for ratios without an upper end.
pub(super) fn ratio(part: u32, whole: u32) -> u8 {
    count((u64::from(part) * 16 / u64::from(whole.max(1))).min(u64::from(u32::MAX)) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_never_fall() {
        let counts: Vec<u8> = (0..5000).map(count).collect();
        assert!(counts.is_sorted());
        assert_eq!((count(15), count(16), count(32), count(u32::MAX)), (15, 16, 24, 239));
        assert_eq!((share(1, 2), share(3, 0), share(9, 3)), (127, 0, 255));
    }

    #[test]
    fn shifted_columns_are_padded_with_nothing() {
        let mut columns = Columns::new(3, 3);
        let first = columns.push(("a", "a"), [1, 2, 3].into_iter());
        columns.push_shifted(("a", "b"), first, -1);
        columns.push_shifted(("a", "c"), first, 2);
        assert_eq!(columns.at(1)[..4], [0, 1, 2, 0]);
        assert_eq!(columns.at(2)[..4], [3, 0, 0, 0]);
    }
}
