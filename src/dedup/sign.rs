//! Makes the signature of a text: exact hash, band keys, sketch.
//!
//! Every hash is keyed by the seed, so that nobody outside can write a page that collides with another one by design.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128_with_seed};

use crate::doc::Signature;

use super::minhash::{Sketcher, band_keys, cut, shingles};
use super::normalise::{NORMALISATION, fold_white_space, for_each_word};
use super::settings::{Banding, DedupSettings};

/// The exact hash of a text without any visible character. Such texts are nobody's duplicates.
pub const NOTHING_TO_COMPARE: u128 = 0;

/// What must be equal for two signatures to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// Version of the rules of [`super::normalise`].
    pub normalisation: u32,
    /// Words in a shingle.
    pub shingle_words: u32,
    /// How sketches are cut; `None` where there are none.
    pub banding: Option<Banding>,
    /// Key of the hashes.
    pub seed: u64,
}

impl Scheme {
    /// The scheme that `settings` ask for.
    #[must_use]
    pub fn of(settings: &DedupSettings) -> Scheme {
        Scheme {
            normalisation: NORMALISATION,
            shingle_words: settings.shingle_words.get(),
            banding: settings.near.banding(),
            seed: settings.seed,
        }
    }
}

impl Scheme {
    /// The keys of a sketch's bands; none for an empty one.
    pub fn band_keys(self, sketch: &[u8]) -> impl Iterator<Item = u64> {
        self.banding.into_iter().flat_map(move |banding| band_keys(sketch, banding, self.seed))
    }

    /// The first setting in which two schemes differ, with what it is here and in `other`.
    pub(super) fn difference(self, other: Scheme) -> Option<(&'static str, String, String)> {
        let banding = |scheme: Scheme| scheme.banding.map_or("off".to_owned(), |cut| format!("{} bands of {} rows", cut.bands, cut.rows));
        let settings = [
            ("the version of the normalisation", self.normalisation.to_string(), other.normalisation.to_string()),
            ("dedup.seed", self.seed.to_string(), other.seed.to_string()),
            ("dedup.shingle_words", self.shingle_words.to_string(), other.shingle_words.to_string()),
            ("dedup.near", banding(self), banding(other)),
        ];
        settings.into_iter().find(|(_, one, two)| one != two)
    }
}

impl std::fmt::Display for Scheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Scheme { normalisation, shingle_words, banding, seed } = self;
        write!(f, "normalisation {normalisation}, shingles of {shingle_words} words, ")?;
        match banding {
            Some(banding) => write!(f, "{} bands of {} rows", banding.bands, banding.rows)?,
            None => write!(f, "no sketch")?,
        }
        write!(f, ", seed {seed}")
    }
}

/// Signs texts by one scheme.
#[derive(Debug)]
pub struct Signer {
    scheme: Scheme,
    sketcher: Option<Sketcher>,
}

impl Signer {
    /// A signer for `settings`.
    #[must_use]
    pub fn new(settings: &DedupSettings) -> Signer {
        let scheme = Scheme::of(settings);
        Signer { scheme, sketcher: scheme.banding.map(|banding| Sketcher::new(banding, scheme.seed)) }
    }

    /// The signature of `text`.
    #[must_use]
    pub fn sign(&self, text: &str) -> Signature {
        let sketch = self.sketcher.as_ref().map_or_else(Vec::new, |sketcher| cut(&sketcher.sketch(&self.shingles(text))));
        Signature { exact: self.exact(text), sketch }
    }

    /// Hashes of all different shingles of `text`, sorted.
    #[must_use]
    pub fn shingle_set(&self, text: &str) -> Vec<u64> {
        let mut shingles = self.shingles(text);
        shingles.sort_unstable();
        shingles.dedup();
        shingles
    }

    fn shingles(&self, text: &str) -> Vec<u64> {
        let mut words = Vec::with_capacity(text.len() / 6);
        for_each_word(text, |word| words.push(xxh3_64_with_seed(word, self.scheme.seed)));
        shingles(&words, self.scheme.shingle_words as usize)
    }

    /// Equal for texts that are equal but for white space.
    fn exact(&self, text: &str) -> u128 {
        let folded = fold_white_space(text);
        if folded.is_empty() { NOTHING_TO_COMPARE } else { xxh3_128_with_seed(&folded, self.scheme.seed) }
    }
}

/// The Jaccard similarity of two sorted sets; 0 where there is nothing to compare.
#[must_use]
pub fn exact_jaccard(a: &[u64], b: &[u64]) -> f32 {
    let (mut at, mut other, mut common) = (0, 0, 0_usize);
    while let (Some(x), Some(y)) = (a.get(at), b.get(other)) {
        at += usize::from(x <= y);
        other += usize::from(y <= x);
        common += usize::from(x == y);
    }
    let all = a.len() + b.len() - common;
    if all == 0 { 0.0 } else { common as f32 / all as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dedup::minhash::jaccard;

    const TEXT: &str = "Ar rytas, kai ūkanos kyla nuo ežero, žvejai jau grįžta namo su laimikiu ir seno švyturio žiburys dar tebedega. \
        Niekas nebeprisimena, kada jis buvo uždegtas pirmą kartą, bet visi žino, kas jį prižiūri.";

    fn sign(text: &str) -> Signature {
        Signer::new(&DedupSettings::default()).sign(text)
    }

    #[test]
    fn white_space_changes_nothing_and_punctuation_only_the_exact_hash() {
        assert_eq!(sign(TEXT), sign(&format!("\u{a0}{}\n", TEXT.replace(' ', "\r\n\t"))));
        let shouted = sign(&TEXT.to_uppercase().replace('.', "!"));
        assert_ne!(shouted.exact, sign(TEXT).exact);
        assert_eq!(shouted.sketch, sign(TEXT).sketch);
    }

    #[test]
    fn a_text_with_one_changed_word_stays_close_and_another_text_does_not() {
        let near = jaccard(&sign(TEXT).sketch, &sign(&TEXT.replace("švyturio", "bokšto")).sketch);
        assert!((0.55..0.85).contains(&near), "{near}");
        assert!(jaccard(&sign(TEXT).sketch, &sign("Vakare vėl pakilo vėjas ir visos valtys liko uoste").sketch) < 0.05);
    }

    #[test]
    fn a_text_without_visible_characters_has_nothing_to_compare() {
        assert_eq!(sign(" \n\u{a0}"), Signature { exact: NOTHING_TO_COMPARE, sketch: vec![] });
        let dashes = sign("— — —");
        assert!(dashes.sketch.is_empty() && dashes.exact != NOTHING_TO_COMPARE);
        assert_eq!(Scheme::of(&DedupSettings::default()).band_keys(&sign("Meny").sketch).count(), 16);
    }

    #[test]
    fn the_exact_similarity_is_that_of_the_sets() {
        assert!((exact_jaccard(&[1, 2, 5, 9], &[2, 3, 9]) - 0.4).abs() < 1e-6);
        assert!(exact_jaccard(&[], &[]) == 0.0 && exact_jaccard(&[1], &[]) == 0.0);
        let signer = Signer::new(&DedupSettings::default());
        let set = signer.shingle_set("uno due tre quattro cinque, uno due tre quattro cinque!");
        assert_eq!(set.len(), 5);
    }

    #[test]
    fn another_seed_gives_other_hashes_and_near_off_gives_no_sketch() {
        let keyed = Signer::new(&DedupSettings { seed: 5, ..DedupSettings::default() }).sign(TEXT);
        assert_ne!(keyed.exact, sign(TEXT).exact);
        assert!(jaccard(&keyed.sketch, &sign(TEXT).sketch) < 0.05);
        let off = Signer::new(&DedupSettings { near: crate::dedup::settings::Near::Off, ..DedupSettings::default() }).sign(TEXT);
        assert!(off.sketch.is_empty() && off.exact == sign(TEXT).exact);
    }
}
