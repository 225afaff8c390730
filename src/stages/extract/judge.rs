//! Which blocks of a page are its content.
//!
//! A forest says how likely each block is content ([`super::trees`]). How sure is sure enough is found page by page: kept is the set of blocks with the best F-measure to be expected, given how likely each
//! block is content (Lewis 1995; Ye, Chai, Lee, Chieu 2012). So a page where nothing is sure is not cut to nothing, and a clear one
//! not padded with what might be.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;

use super::features::{Counted, features};
use super::tree::Page;
use super::trees::Forest;

/// What to favour where it is not clear what is content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Favour {
    /// Clean text: what may be boilerplate falls (F-measure with beta 0.5).
    Precision,
    /// Both alike (F1).
    #[default]
    Balanced,
    /// Whole text: what may be content stays (F-measure with beta 2).
    Recall,
}

impl Favour {
    /// Four times the square of the F-measure's beta.
    fn beta_squared_by_4(self) -> u64 {
        match self {
            Favour::Precision => 1,
            Favour::Balanced => 4,
            Favour::Recall => 16,
        }
    }
}

/// The trained model; `training/extract` makes it.
pub(super) static MODEL: &[u8] = include_bytes!("blocks.trees");

static FOREST: LazyLock<Forest> = LazyLock::new(|| {
    let nothing = Page::default();
    let names: Vec<String> = features(&Counted::of(&nothing), "").names().collect();
    Forest::read(MODEL, &names).expect("a test reads the model")
});

/// How likely each block is content, in 255ths.
pub(super) fn judge(counted: &Counted<'_>, url: &str) -> Vec<u8> {
    FOREST.judge(&features(counted, url))
}

/// A page with fewer words is given whole but for its links: there is little for the trees to see.
const WORDS_MIN: u32 = 32;
/// A page whose best F-measure to be expected is below this, in 255ths, has no main content. On held-out training pages, five of ten
/// with an empty gold text lay below it and three close above, with hardly a page that has content; 0.2 to 0.35 score alike.
const BEST_MIN: u64 = 64;

/// The blocks to keep: those at least as likely as the threshold that gives the best F-measure to be expected.
pub(super) fn choose(counted: &Counted<'_>, likely: &[u8], favour: Favour) -> Vec<bool> {
    if counted.all_words() < WORDS_MIN {
        return counted.measures.iter().map(|measure| measure.link_words * 2 <= measure.words).collect();
    }
    let threshold = threshold(counted, likely, favour);
    likely.iter().map(|likely| threshold.is_some_and(|threshold| *likely >= threshold)).collect()
}

/// The best threshold, if the page has content.
fn threshold(counted: &Counted<'_>, likely: &[u8], favour: Favour) -> Option<u8> {
    // Words by likelihood, so that all thresholds are tried in one pass. A block counts half a word more than it has.
    let mut halves = [0_u64; 256];
    for (likely, measure) in likely.iter().zip(&counted.measures) {
        halves[usize::from(*likely)] += u64::from(measure.words) * 2 + 1;
    }
    let expected: u64 = halves.iter().zip(0_u64..).map(|(halves, likely)| halves * likely).sum();
    let beta = favour.beta_squared_by_4();
    let (mut kept, mut right) = (0_u64, 0_u64);
    let (mut best, mut best_threshold) = (0, None);
    for threshold in (1..=u8::MAX).rev() {
        kept += halves[usize::from(threshold)];
        right += halves[usize::from(threshold)] * u64::from(threshold);
        // (1 + b^2) right / (kept + b^2 expected), all times four, in 255 x 256ths.
        let measure = u128::from((4 + beta) * right) * 255 * 256 / u128::from(kept * 255 * 4 + expected * beta).max(1);
        if measure > best {
            (best, best_threshold) = (measure, Some(threshold));
        }
    }
    best_threshold.filter(|_| best >= u128::from(BEST_MIN * 256))
}
