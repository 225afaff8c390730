//! From words to a MinHash sketch and its band keys.
//!
//! The sketch is that of Dahlgaard, Knudsen, Thorup, "Fast Similarity Sketching" (FOCS 2017, arXiv 1704.04370): each round throws every
//! shingle into one bin, and rounds go on until no bin is empty. Two sketches agree in a bin with probability equal to the Jaccard
//! similarity, exactly as in MinHash by permutations, and the estimate is at least as sharp; but a text of `n` shingles costs about
//! `n + t ln t` hashes instead of `n * t`, and short texts need no repair of empty bins.
//!
//! Band keys are made of the values as they are kept, cut to 8 bits: whoever has a document's sketch has its keys. Two values that differ
//! are cut alike once in 256 times, so a pair of similarity `s` shares a band of `r` rows with `(s + (1 - s) / 256)^r` instead of `s^r`,
//! which nobody would notice; but a band of four rows tells only 2^32 texts apart.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::settings::Banding;

/// Odd, with about as many ones as zeros: 2^64 divided by the golden ratio.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hashes of the shingles of `words` words each, by a rolling polynomial over the words' keyed hashes. A text shorter than one shingle
/// gives a single one of all its words; a text without words none.
#[must_use]
pub fn shingles(word_hashes: &[u64], words: usize) -> Vec<u64> {
    if word_hashes.is_empty() {
        return Vec::new();
    }
    let first = words.min(word_hashes.len());
    let mut rolling = word_hashes[..first].iter().fold(0_u64, |sum, hash| sum.wrapping_mul(ODD).wrapping_add(*hash));
    let leading = (0..first).fold(1_u64, |power, _| power.wrapping_mul(ODD));
    let mut shingles = Vec::with_capacity(word_hashes.len() - first + 1);
    shingles.push(mix(rolling));
    for (leaving, coming) in word_hashes.iter().zip(&word_hashes[first..]) {
        rolling = rolling.wrapping_mul(ODD).wrapping_add(*coming).wrapping_sub(leaving.wrapping_mul(leading));
        shingles.push(mix(rolling));
    }
    shingles
}

/// Makes sketches of one length with one key.
#[derive(Debug)]
pub struct Sketcher {
    banding: Banding,
    /// A key for each round.
    rounds: Vec<u64>,
}

impl Sketcher {
    /// Sketches for `banding`, keyed by `seed`.
    #[must_use]
    pub fn new(banding: Banding, seed: u64) -> Sketcher {
        let rounds = (0..2 * banding.values() as u64).map(|round| xxh3_64_with_seed(&round.to_le_bytes(), seed)).collect();
        Sketcher { banding, rounds }
    }

    /// The sketch of a set of shingles (repeated ones count once): in each bin the least of the values thrown there, an earlier round
    /// before a later one. Empty for no shingles.
    #[must_use]
    pub fn sketch(&self, shingles: &[u64]) -> Vec<u64> {
        if shingles.is_empty() {
            return Vec::new();
        }
        let mut bins = vec![u64::MAX; self.banding.values()];
        let count = bins.len() as u64;
        let mut empty = bins.len();
        let (thrown, placed) = self.rounds.split_at(bins.len());
        for (round, key) in thrown.iter().enumerate() {
            for shingle in shingles {
                let hash = mix(shingle ^ key);
                let bin = &mut bins[(((hash >> 32) * count) >> 32) as usize];
                let value = (round as u64) << 32 | (hash & 0xffff_ffff);
                if value < *bin {
                    empty -= usize::from(*bin == u64::MAX);
                    *bin = value;
                }
            }
            if empty == 0 {
                return bins;
            }
        }
        for (bin, key) in bins.iter_mut().zip(placed).filter(|(bin, _)| **bin == u64::MAX) {
            *bin = shingles.iter().map(|shingle| mix(shingle ^ key)).min().unwrap_or(u64::MAX);
        }
        bins
    }
}

/// One key a band of a sketch that was [`cut`]: equal where all values of the band are equal, and no other band's. None for an empty sketch.
pub fn band_keys(cut: &[u8], banding: Banding, seed: u64) -> impl Iterator<Item = u64> {
    let key = move |(number, band): (u64, &[u8])| {
        let values = band.chunks(8).map(|values| values.iter().fold(0, |word, value| word << 8 | u64::from(*value)));
        values.fold(mix(seed ^ number.wrapping_mul(ODD)), |sum, word| mix(sum ^ word).wrapping_mul(ODD))
    };
    (0..).zip(cut.chunks_exact(banding.rows)).map(key)
}

/// The sketch cut to 8 bits a value, as an index of ten thousand million documents wants it. Unequal values look equal once in 256 times,
/// for which [`jaccard`] makes up (Li, König, "b-Bit Minwise Hashing", WWW 2010).
#[must_use]
pub fn cut(sketch: &[u64]) -> Vec<u8> {
    sketch.iter().map(|value| (mix(*value) >> 56) as u8).collect()
}

/// Estimate of the Jaccard similarity from the share of equal values. 0 where there is nothing to compare.
#[must_use]
pub fn jaccard(a: &[u8], b: &[u8]) -> f32 {
    const CHANCE: f32 = 1.0 / 256.0;
    let equal: u16 = a.iter().zip(b).map(|(a, b)| u16::from(a == b)).sum();
    if a.is_empty() { 0.0 } else { ((f32::from(equal) / a.len() as f32 - CHANCE) / (1.0 - CHANCE)).max(0.0) }
}

/// A bijection under which every bit of the input moves about half of the output's (MurmurHash3's finaliser, by Austin Appleby).
#[inline]
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    x = (x ^ (x >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    x ^ (x >> 33)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const BANDING: Banding = Banding { bands: 16, rows: 7 };

    fn set(range: std::ops::Range<u64>) -> Vec<u64> {
        range.map(|x| mix(x.wrapping_mul(ODD))).collect()
    }

    #[test]
    fn shingles_roll_as_if_each_were_hashed_alone() {
        let words = set(0..9);
        let rolled = shingles(&words, 5);
        assert_eq!(rolled.len(), 5);
        for (at, shingle) in rolled.iter().enumerate() {
            assert_eq!(shingles(&words[at..at + 5], 5), [*shingle]);
        }
    }

    #[test]
    fn a_text_shorter_than_a_shingle_has_one_and_an_empty_one_has_none() {
        assert_eq!(shingles(&set(0..3), 5).len(), 1);
        assert_ne!(shingles(&set(0..3), 5), shingles(&set(0..4), 5));
        assert!(shingles(&[], 5).is_empty());
        assert!(Sketcher::new(BANDING, 1).sketch(&[]).is_empty());
    }

    #[test]
    fn estimates_are_right_on_the_mean_for_small_and_large_sets() {
        let sketchers: Vec<_> = (0..60).map(|seed| Sketcher::new(BANDING, seed)).collect();
        for size in [1, 10, 100, 2_000] {
            for overlap in [0, size / 2, size * 9 / 10, size] {
                let truth = overlap as f32 / (2 * size - overlap) as f32;
                let (a, b) = (set(0..size), set(size - overlap..2 * size - overlap));
                let estimates: Vec<f32> = sketchers.iter().map(|s| jaccard(&cut(&s.sketch(&a)), &cut(&s.sketch(&b)))).collect();
                let mean = estimates.iter().sum::<f32>() / 60.0;
                let variance = estimates.iter().map(|e| (e - truth).powi(2)).sum::<f32>() / 60.0;
                assert!((mean - truth).abs() < 0.03, "{size} {overlap}: {mean} for {truth}");
                assert!(variance <= truth * (1.0 - truth) / 112.0 * 1.7 + 1e-4, "{size} {overlap}: variance {variance}");
            }
        }
    }

    #[test]
    fn order_and_repetition_of_shingles_do_not_matter_but_the_seed_does() {
        let sketcher = Sketcher::new(BANDING, 1);
        let mut other = set(0..50);
        other.reverse();
        other.extend(set(10..20));
        assert_eq!(sketcher.sketch(&set(0..50)), sketcher.sketch(&other));
        assert_ne!(sketcher.sketch(&other), Sketcher::new(BANDING, 2).sketch(&other));
        let keys: BTreeSet<u64> = band_keys(&[7; 112], BANDING, 1).collect();
        assert_eq!(keys.len(), 16, "bands of equal values have keys of their own");
        assert_eq!(band_keys(&[], BANDING, 1).count(), 0);
    }

    #[test]
    fn bands_meet_as_often_as_the_documented_curve_says() {
        let (a, b) = (set(0..900), set(100..1000));
        let met = (0..300).filter(|seed| {
            let sketcher = Sketcher::new(BANDING, *seed);
            let keys = |set: &[u64]| band_keys(&cut(&sketcher.sketch(set)), BANDING, *seed).collect::<Vec<_>>();
            keys(&a).iter().zip(&keys(&b)).any(|(a, b)| a == b)
        });
        assert!(met.count() >= 285, "of 300 pairs of similarity 0.8, 293 are expected to meet");
    }
}
