//! Into which split a document falls: by a keyed hash of its cluster, so that near-duplicates are never on both sides.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::record::Settings;

/// Names of the splits; their folders.
pub const SPLITS: [&str; 3] = ["train", "validation", "test"];

/// Makes the seed of splits another than that of the order.
const SPLIT: u64 = 0x7370_6c69_7400_0001;

/// The place of the split in [`SPLITS`] of a document of `cluster`.
pub fn split_of(settings: &Settings, cluster: u128) -> u8 {
    let hash = xxh3_64_with_seed(&cluster.to_le_bytes(), settings.seed ^ SPLIT);
    let share = (hash >> 11) as f64 / (1_u64 << 53) as f64;
    match share {
        share if share < settings.validation => 1,
        share if share < settings.validation + settings.test => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_have_their_shares_and_another_seed_gives_others() {
        let settings = Settings { validation: 0.1, test: 0.2, ..Settings::default() };
        let mut counts = [0_u32; 3];
        (0..10_000_u128).for_each(|cluster| counts[usize::from(split_of(&settings, cluster))] += 1);
        assert!((900..1100).contains(&counts[1]) && (1850..2150).contains(&counts[2]), "{counts:?}");
        let other = Settings { seed: 9, ..settings.clone() };
        assert!((0..100).any(|cluster| split_of(&settings, cluster) != split_of(&other, cluster)));
    }
}
