//! The recipe's table `[dedup]`: what counts as a duplicate.
//!
//! A preset names the banding of the MinHash sketch. Two documents whose word shingles have Jaccard similarity `s` meet in at least one
//! of `b` bands of `r` rows with probability `1 - (1 - s^r)^b` (Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, 3.4). Meeting
//! only makes a candidate: `jaccard_min` then judges the pair by its whole sketch, so that a wide banding costs time, not precision.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Settings of deduplication.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DedupSettings {
    /// Whether a document is dropped whose text equals another one's but for white space, in whatever language.
    pub exact: bool,
    /// How near-duplicates of the same language are looked for: a preset's name, or `false` for not at all.
    pub near: Near,
    /// Words in a shingle. 5 is FineWeb's choice.
    pub shingle_words: NonZeroU32,
    /// Least Jaccard similarity of two documents' shingles, as estimated from their sketches, that makes them near-duplicates; 0 takes
    /// every pair that shares a band.
    #[serde(deserialize_with = "share")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub jaccard_min: f32,
    /// Name of a signal, such as one of the quality filters': of duplicates the one with the greatest value stays, then the longest. By
    /// default the longest.
    pub prefer: Option<String>,
    /// Whether of several captures of one canonical address in a run only the newest is looked at, whatever it says.
    pub newest_of_url: bool,
    /// Paragraphs that stand on at least so many pages of one host in a run are cut from them: menus, legal notices. By default none are.
    pub paragraph_pages_min: Option<NonZeroU32>,
    /// Whether documents are compared with those of earlier runs of the data set, which stay. `false` makes and reads no index.
    pub remember: bool,
    /// Other data sets of the workspace that go before this one: what repeats a document that they took in falls, and this one never learns
    /// of it. They must be signed alike, and have an index. At most 16, asked in this order.
    #[serde(deserialize_with = "other_data_sets", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub yield_to: Vec<String>,
    /// Key of the hashes, at most 2^63 - 1 in a recipe. Signatures made with different seeds cannot be compared.
    pub seed: u64,
}

impl Default for DedupSettings {
    /// 0.7 is the middle between "hangs together" (0.5) and "the same" (0.8): with 112 values the standard error of an estimate is 0.04
    /// to 0.05, so that both are more than two of them away.
    fn default() -> DedupSettings {
        let shingle_words = NonZeroU32::new(5).expect("5 is not 0");
        DedupSettings {
            exact: true,
            near: Near::Wide,
            shingle_words,
            jaccard_min: 0.7,
            prefer: None,
            newest_of_url: false,
            paragraph_pages_min: None,
            remember: true,
            yield_to: Vec::new(),
            seed: 0x0074_616d_6973,
        }
    }
}

/// Whether near-duplicates are looked for, and with which banding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Near {
    /// `false`: not at all.
    Off,
    /// `"fineweb"`: 14 bands of 8 rows, as FineWeb was made (arXiv 2406.17557); finds a pair of similarity 0.7 / 0.8 / 0.9 with
    /// probability 0.565 / 0.924 / 0.9996.
    Fineweb,
    /// `"wide"`: 16 bands of 7 rows, the same 112 values cut otherwise; 0.747 / 0.977 / 0.99997. The choice where pairs are verified.
    Wide,
    /// `"strict"`: 20 bands of 13 rows; 0.177 / 0.677 / 0.997. For corpora where only nearly equal texts may fall.
    Strict,
    /// `"loose"`: 22 bands of 5 rows; 0.983 / 0.9998 / 1. For corpora where rewritten copies shall fall too; lower `jaccard_min` with it.
    Loose,
    /// `"loosest"`: 28 bands of 4 rows, 112 values; 0.9995 / 0.999999 / 1, and still 0.979 at 0.6. What takedowns keep out copies with; it
    /// compares many pairs that are no copies, so it is no choice for a whole corpus.
    Loosest,
}

/// How a sketch is cut: `bands` pieces of `rows` values each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Banding {
    /// Pieces.
    pub bands: usize,
    /// Values in a piece.
    pub rows: usize,
}

impl Banding {
    /// Values in a sketch.
    #[must_use]
    pub fn values(self) -> usize {
        self.bands * self.rows
    }
}

impl Near {
    /// Every choice under the name that a recipe gives it.
    pub const PRESETS: [(&'static str, Near); 5] =
        [("fineweb", Near::Fineweb), ("wide", Near::Wide), ("strict", Near::Strict), ("loose", Near::Loose), ("loosest", Near::Loosest)];

    /// The banding, or `None` where near-duplicates are not looked for.
    #[must_use]
    pub fn banding(self) -> Option<Banding> {
        let (bands, rows) = match self {
            Near::Off => return None,
            Near::Fineweb => (14, 8),
            Near::Wide => (16, 7),
            Near::Strict => (20, 13),
            Near::Loose => (22, 5),
            Near::Loosest => (28, 4),
        };
        Some(Banding { bands, rows })
    }

    /// The choice with this banding; `None` if no preset has it.
    #[must_use]
    pub fn with_banding(banding: Option<Banding>) -> Option<Near> {
        let all = Near::PRESETS.iter().map(|(_, near)| *near).chain([Near::Off]);
        all.into_iter().find(|near| near.banding() == banding)
    }

    /// The preset called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Near> {
        Near::PRESETS.iter().find(|(known, _)| *known == name).map(|(_, near)| *near)
    }
}

impl Serialize for Near {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match Near::PRESETS.iter().find(|(_, near)| near == self) {
            Some((name, _)) => serializer.serialize_str(name),
            None => serializer.serialize_bool(false),
        }
    }
}

impl<'de> Deserialize<'de> for Near {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Near, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "`false` or one of \"fineweb\", \"wide\", \"strict\", \"loose\", \"loosest\"")]
        enum Written {
            Switch(bool),
            Name(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Switch(false) => Ok(Near::Off),
            Written::Switch(true) => Err(D::Error::custom("`near = true` says not how; write for example \"wide\"")),
            Written::Name(name) => Near::named(&name).ok_or_else(|| {
                D::Error::custom(format!(
                    "no preset called `{name}`; there are \"fineweb\", \"wide\", \"strict\", \"loose\", \"loosest\", and `false` for none"
                ))
            }),
        }
    }
}

impl JsonSchema for Near {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Near".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "How near-duplicates are looked for: bands x rows of the sketch, or not at all. \
                fineweb 14 x 8, wide 16 x 7, strict 20 x 13, loose 22 x 5, loosest 28 x 4.",
            "enum": ["fineweb", "wide", "strict", "loose", "loosest", false]
        })
    }
}

/// Most data sets that one yields to.
pub const YIELD_TO_MAX: usize = 16;

/// Reads names of data sets.
fn other_data_sets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    if names.len() > YIELD_TO_MAX {
        return Err(D::Error::custom(format!("{} data sets are too many; at most {YIELD_TO_MAX}", names.len())));
    }
    if let Some(twice) = names.iter().enumerate().find_map(|(at, name)| names[..at].contains(name).then_some(name)) {
        return Err(D::Error::custom(format!("`{twice}` stands there twice; take one out")));
    }
    Ok(names)
}

/// Reads a number from 0 to 1.
fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
    let value = f32::deserialize(deserializer)?;
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err(D::Error::custom(format!("{value} is not between 0 and 1"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_table_means_the_defaults_and_settings_read_back() {
        let settings: DedupSettings = toml::from_str("").unwrap();
        assert_eq!(settings, DedupSettings::default());
        for near in ["\"fineweb\"", "\"strict\"", "\"loose\"", "\"loosest\"", "\"wide\"", "false"] {
            let settings: DedupSettings = toml::from_str(&format!("near = {near}\nexact = false\nseed = 7")).unwrap();
            assert_eq!(toml::from_str::<DedupSettings>(&toml::to_string(&settings).unwrap()).unwrap(), settings);
        }
    }

    #[test]
    fn a_wrong_setting_is_told_what_would_be_right() {
        for (wrong, hint) in [
            ("near = \"fine\"", "\"fineweb\""),
            ("near = true", "\"wide\""),
            ("near = 3", "`false`"),
            ("jaccard_min = 1.5", "between 0 and 1"),
            ("jaccard_min = nan", "between 0 and 1"),
            ("shingle_words = 0", "nonzero"),
            ("shingles = 5", "shingle_words"),
            ("yield_to = [\"laws\", \"laws\"]", "`laws` stands there twice"),
            ("yield_to = \"laws\"", "expected a sequence"),
        ] {
            let error = toml::from_str::<DedupSettings>(wrong).unwrap_err().to_string();
            assert!(error.contains(hint), "{wrong}: {error}");
        }
    }

    #[test]
    fn the_documented_probabilities_are_those_of_the_bandings() {
        let meet = |near: Near, s: f64| {
            let banding = near.banding().unwrap();
            1.0 - (1.0 - s.powi(banding.rows as i32)).powi(banding.bands as i32)
        };
        for (near, expected) in [
            (Near::Fineweb, [0.565, 0.924]),
            (Near::Wide, [0.747, 0.977]),
            (Near::Strict, [0.177, 0.677]),
            (Near::Loose, [0.983, 0.9998]),
            (Near::Loosest, [0.9995, 0.999_999]),
        ] {
            for (s, expected) in [0.7, 0.8].into_iter().zip(expected) {
                assert!((meet(near, s) - expected).abs() < 6e-4, "{near:?} at {s}: {}", meet(near, s));
            }
        }
    }
}
