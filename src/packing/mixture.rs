//! How often the documents of each language and source are taken: shares by a method, a cap on repeats, copies by the size of a cluster.
//!
//! One rule serves all methods: a language gets its weight's part of the budget, what exceeds its cap goes to the others by their weights, until
//! nothing exceeds. With equal weights that is UniMax (Chung et al. 2023, "UniMax: Fairer and more Effective Language Sampling"). Repeats of up to
//! four epochs cost little (Muennighoff et al. 2023, "Scaling Data-Constrained Language Models"), hence the cap's default. Copies by cluster
//! size are FineWeb2's rehydration (Penedo et al. 2025): what many sites carry is often better than what none does.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::PackError;
use crate::doc::DocId;

/// Largest file of a mixture.
const MIXTURE_BYTES_MAX: u64 = 1 << 20;
/// Most copies of one document by the size of its cluster.
const COPIES_MAX: u16 = 100;
/// Makes the seed of the rounding another than those of the order and the splits.
const ROUNDING: u64 = 0x726f_756e_6469_6e67;

/// How the shares of languages are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// As many tokens as there are.
    #[default]
    Proportional,
    /// Tokens to the power of 1 / temperature: above 1 small languages gain.
    Temperature,
    /// The same for all, as far as the cap on epochs allows.
    Unimax,
    /// As `weights` says; languages that it does not name are left out.
    Explicit,
}

/// Documents of large clusters count more often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Copies {
    /// Smallest cluster, in documents, for which this holds.
    pub cluster_size_min: u32,
    /// How often each document of it counts.
    pub copies: u16,
}

/// What a file of a mixture says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mixture {
    /// How the shares of languages are found.
    pub method: Method,
    /// The temperature, 1 or more, for that method.
    pub temperature: f64,
    /// Tokens that the split for training shall have; none: as many as before.
    pub tokens: Option<u64>,
    /// How often the tokens of a language and source are taken at most.
    pub epochs_max: f64,
    /// Shares of languages, for the explicit method.
    pub weights: BTreeMap<String, f64>,
    /// How much more often than by its size a source is taken within each language; 1 where it is not named.
    pub sources: BTreeMap<String, f64>,
    /// Copies by the size of the cluster; the largest size that fits decides.
    pub copies: Vec<Copies>,
    /// Other data sets of the workspace: documents that repeat one of them are left out, whatever was published first.
    pub yield_to: Vec<String>,
    /// Least estimated similarity that makes a repeat of them, as in `[dedup]`.
    pub jaccard_min: f32,
}

impl Default for Mixture {
    fn default() -> Mixture {
        Mixture {
            method: Method::Proportional,
            temperature: 1.0,
            tokens: None,
            epochs_max: 4.0,
            weights: BTreeMap::new(),
            sources: BTreeMap::new(),
            copies: Vec::new(),
            yield_to: Vec::new(),
            jaccard_min: 0.7,
        }
    }
}

/// The documents of one language and source in the split for training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Language, as a BCP 47 tag.
    pub lang: String,
    /// Kind of source, as the column `source` has it.
    pub source: String,
    /// Documents, each counted once.
    pub documents: u64,
    /// Tokens of them.
    pub tokens_before: u64,
    /// Tokens with the copies that the sizes of clusters ask for.
    pub tokens_copied: u64,
    /// Tokens that are packed.
    pub tokens_after: u64,
}

impl Mixture {
    /// Reads a mixture from a TOML file.
    ///
    /// # Errors
    /// When it cannot be read, or a setting is unknown or out of range.
    pub fn read(path: &Path) -> Result<Mixture, PackError> {
        let wrong = |why: String| PackError::Mixture { path: path.to_owned(), why };
        let bytes = std::fs::metadata(path).map_err(PackError::io(path))?.len();
        if bytes > MIXTURE_BYTES_MAX {
            return Err(wrong(format!("it has {bytes} bytes; a mixture has at most {MIXTURE_BYTES_MAX}")));
        }
        let text = std::fs::read_to_string(path).map_err(PackError::io(path))?;
        let mut mixture: Mixture = toml::from_str(&text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
        mixture.copies.sort_by_key(|step| step.cluster_size_min);
        mixture.check().map_err(wrong)?;
        Ok(mixture)
    }

    fn check(&self) -> Result<(), String> {
        let weight = |(name, weight): (&String, &f64)| match weight.is_finite() && *weight >= 0.0 {
            true => Ok(()),
            false => Err(format!("the weight of `{name}` is {weight}; give 0 or more")),
        };
        self.weights.iter().chain(&self.sources).try_for_each(weight)?;
        if !(self.temperature.is_finite() && self.temperature >= 1.0) {
            return Err(format!("temperature is {}; give 1 or more: 1 keeps the shares, 3 helps small languages much", self.temperature));
        }
        if !(self.epochs_max.is_finite() && self.epochs_max > 0.0) {
            return Err(format!("epochs_max is {}; give more than 0, such as 4", self.epochs_max));
        }
        if !(0.0..=1.0).contains(&self.jaccard_min) {
            return Err(format!("jaccard_min is {}; give 0 to 1, such as 0.7", self.jaccard_min));
        }
        if self.tokens == Some(0) {
            return Err("tokens is 0; give how many tokens there shall be".to_owned());
        }
        match (self.method, self.weights.is_empty()) {
            (Method::Explicit, true) => {
                return Err("the method is explicit, but there is no table `[weights]` such as `de = 2.0`".to_owned());
            }
            (Method::Explicit, false) if self.weights.values().sum::<f64>() <= 0.0 => return Err("all weights are 0".to_owned()),
            (Method::Explicit, _) | (_, true) => {}
            (_, false) => {
                return Err("`[weights]` is for the method `explicit` alone; remove the table, or set `method = \"explicit\"`".to_owned());
            }
        }
        match self.copies.iter().find(|step| step.copies > COPIES_MAX) {
            Some(step) => Err(format!("{} copies are too many; at most {COPIES_MAX}", step.copies)),
            None => Ok(()),
        }
    }

    /// How often a document counts that is one of a cluster of `size`.
    pub(super) fn copies_of(&self, size: u32) -> u16 {
        self.copies.iter().rev().find(|step| size >= step.cluster_size_min).map_or(1, |step| step.copies)
    }

    /// How often each group is taken, in order; a document with copies is taken that much more often.
    pub(super) fn epochs(&self, groups: &[Group]) -> Vec<f64> {
        let mut languages: BTreeMap<&str, f64> = BTreeMap::new();
        groups.iter().for_each(|group| *languages.entry(&group.lang).or_default() += group.tokens_copied as f64);
        let caps: Vec<f64> = groups.iter().map(|group| self.epochs_max * group.tokens_before as f64).collect();
        let cap_of = |lang: &str| -> f64 {
            let usable = groups.iter().zip(&caps).filter(|(group, _)| group.lang == lang && self.source_weight(group) > 0.0);
            usable.map(|(_, cap)| cap).sum()
        };
        let wanted: Vec<(f64, f64)> = languages.iter().map(|(lang, tokens)| (self.weight(lang, *tokens), cap_of(lang))).collect();
        let budget = self.tokens.unwrap_or_else(|| groups.iter().map(|group| group.tokens_before).sum()) as f64;
        let budgets: BTreeMap<&str, f64> = languages.into_keys().zip(shared_out(budget, &wanted)).collect();
        let mut epochs = vec![0.0; groups.len()];
        for (lang, budget) in budgets {
            let places: Vec<usize> = (0..groups.len()).filter(|place| groups[*place].lang == lang).collect();
            let within = |place: &usize| (self.source_weight(&groups[*place]) * groups[*place].tokens_copied as f64, caps[*place]);
            let shares = shared_out(budget, &places.iter().map(within).collect::<Vec<_>>());
            places.iter().zip(shares).for_each(|(place, share)| epochs[*place] = share / (groups[*place].tokens_copied as f64).max(1.0));
        }
        epochs
    }

    fn weight(&self, lang: &str, tokens: f64) -> f64 {
        match self.method {
            Method::Proportional => tokens,
            Method::Temperature => tokens.powf(1.0 / self.temperature),
            Method::Unimax => 1.0,
            Method::Explicit => self.weights.get(lang).copied().unwrap_or(0.0),
        }
    }

    fn source_weight(&self, group: &Group) -> f64 {
        self.sources.get(&group.source).copied().unwrap_or(1.0)
    }

    /// Languages and sources that this mixture names and the data lack: words that are written wrong, perhaps.
    #[must_use]
    pub fn strangers(&self, groups: &[Group]) -> Vec<String> {
        let langs = self.weights.keys().filter(|lang| groups.iter().all(|group| group.lang != **lang));
        let sources = self.sources.keys().filter(|source| groups.iter().all(|group| group.source != **source));
        langs.chain(sources).cloned().collect()
    }
}

/// Parts of `budget` by weight, none above its cap: `wanted` holds weights and caps.
fn shared_out(budget: f64, wanted: &[(f64, f64)]) -> Vec<f64> {
    let mut parts = vec![0.0; wanted.len()];
    let mut open: Vec<usize> = (0..wanted.len()).filter(|place| wanted[*place].0 > 0.0).collect();
    let mut left = budget;
    loop {
        let weights: f64 = open.iter().map(|place| wanted[*place].0).sum();
        let (full, rest): (Vec<usize>, Vec<usize>) = open.iter().partition(|place| left * wanted[**place].0 / weights > wanted[**place].1);
        full.iter().for_each(|place| parts[*place] = wanted[*place].1);
        if full.is_empty() {
            rest.iter().for_each(|place| parts[*place] = left * wanted[*place].0 / weights);
            return parts;
        }
        left -= full.iter().map(|place| wanted[*place].1).sum::<f64>();
        open = rest;
    }
}

/// `times` as a whole number: up or down by a hash, so that groups reach their share and the same document always gets the same.
pub(super) fn rounded(times: f64, id: DocId, seed: u64) -> u64 {
    let hash = xxh3_64_with_seed(&id.0.to_le_bytes(), seed ^ ROUNDING);
    let chance = (hash >> 11) as f64 / (1_u64 << 53) as f64;
    times.floor() as u64 + u64::from(chance < times.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(lang: &str, source: &str, tokens: u64) -> Group {
        let (lang, source) = (lang.to_owned(), source.to_owned());
        Group { lang, source, documents: 1, tokens_before: tokens, tokens_copied: tokens, tokens_after: 0 }
    }

    fn after(mixture: &Mixture, groups: &[Group]) -> Vec<i64> {
        let epochs = mixture.epochs(groups);
        groups.iter().zip(epochs).map(|(group, epochs)| (epochs * group.tokens_copied as f64).round() as i64).collect()
    }

    #[test]
    fn shares_follow_the_method() {
        let groups = [group("de", "warc", 8_000), group("fi", "warc", 1_000), group("mt", "warc", 1_000)];
        let mixture = |method| Mixture { method, ..Mixture::default() };
        assert_eq!(after(&mixture(Method::Proportional), &groups), [8_000, 1_000, 1_000]);
        assert_eq!(after(&Mixture { temperature: 3.0, ..mixture(Method::Temperature) }, &groups), [5_000, 2_500, 2_500]);
        assert_eq!(after(&mixture(Method::Unimax), &groups), [3_333, 3_333, 3_333]);
        let weights = [("de".to_owned(), 1.0), ("mt".to_owned(), 0.25)].into();
        assert_eq!(after(&Mixture { weights, ..mixture(Method::Explicit) }, &groups), [8_000, 0, 2_000]);
    }

    #[test]
    fn nothing_is_repeated_beyond_the_cap_and_others_take_what_is_left() {
        let groups = [group("de", "warc", 8_000), group("fi", "warc", 1_000), group("mt", "warc", 100)];
        let unimax = Mixture { method: Method::Unimax, epochs_max: 2.0, ..Mixture::default() };
        assert_eq!(after(&unimax, &groups), [6_900, 2_000, 200]);
        let more = Mixture { tokens: Some(1_000_000), ..unimax };
        assert_eq!(after(&more, &groups), [16_000, 2_000, 200], "there is no more than the cap allows");
    }

    #[test]
    fn a_source_is_taken_more_often_within_its_language_and_one_of_weight_nothing_not_at_all() {
        let groups = [group("de", "mediawiki", 1_000), group("de", "warc", 3_000), group("fi", "warc", 1_000)];
        let sources = [("mediawiki".to_owned(), 3.0)].into();
        assert_eq!(after(&Mixture { sources, ..Mixture::default() }, &groups), [2_000, 2_000, 1_000]);
        let sources = [("mediawiki".to_owned(), 0.0)].into();
        assert_eq!(after(&Mixture { sources, ..Mixture::default() }, &groups), [0, 4_000, 1_000]);
    }

    #[test]
    fn a_likeness_beyond_all_bounds_is_told_and_data_sets_that_go_before_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mixture.toml");
        let read = |text: &str| {
            std::fs::write(&path, text).expect("room");
            Mixture::read(&path)
        };
        let mixture = read("yield_to = [\"laws\", \"books\"]\njaccard_min = 0.9").expect("a sound mixture");
        assert_eq!((mixture.yield_to, mixture.jaccard_min.to_bits()), (vec!["laws".to_owned(), "books".to_owned()], 0.9_f32.to_bits()));
        for wrong in ["1.5", "-0.1", "nan"] {
            let told = read(&format!("jaccard_min = {wrong}")).expect_err("out of range").to_string();
            assert!(told.contains("give 0 to 1, such as 0.7"), "{told}");
        }
    }

    #[test]
    fn rounding_keeps_the_sum_and_the_largest_step_that_fits_decides_on_copies() {
        let sum: u64 = (0..10_000_u128).map(|id| rounded(1.3, DocId(id), 1)).sum();
        assert!((12_800..13_200).contains(&sum), "{sum}");
        assert_eq!((rounded(2.0, DocId(7), 1), rounded(0.0, DocId(7), 1)), (2, 0));
        let step = |cluster_size_min, copies| Copies { cluster_size_min, copies };
        let mixture = Mixture { copies: vec![step(2, 3), step(10, 5), step(1_000, 0)], ..Mixture::default() };
        assert_eq!([1, 2, 9, 10, 999, 1_000].map(|size| mixture.copies_of(size)), [1, 3, 3, 5, 5, 0]);
    }
}
