//! Models of a learned quality score: made from heaps of good and bad texts that the user names, and held against texts that they had not seen.
//!
//! Features and file are those of room `learned-quality` (`stages/learned`); this room has what only training needs. [`heaps`] reads and
//! parts the documents, [`train`] fits the weights, [`measure`] and [`rules`] say how good the outcome is, and [`make`] wires them.

pub mod heaps;
pub mod make;
pub mod measure;
pub mod rules;
pub mod train;

/// How many are bad and how many are good.
fn bad_and_good(good: impl Iterator<Item = bool>) -> [u64; 2] {
    good.fold([0, 0], |[bad, good], is_good| [bad + u64::from(!is_good), good + u64::from(is_good)])
}
