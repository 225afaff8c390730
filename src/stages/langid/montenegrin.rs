//! Montenegrin, where it can be told: by the two letters that only it has beside its neighbours.
//!
//! There is next to no text to learn it from that is not Serbian, Bosnian or Croatian as well, but Ś and Ź (С́ and З́ are rarer still) have
//! been its letters since 2009, and its writers who use them use them often.

use super::identify::{Finding, Label};

/// So many of its letters make a text Montenegrin.
const LETTERS_MIN: usize = 3;
/// And there must be one in so many bytes, which leaves out a text that mentions Polish names.
const LETTER_RARITY_BYTES_MAX: usize = 400;

/// Calls `finding` Montenegrin where `text` uses its letters.
pub(super) fn mark(finding: &mut Finding, text: &str) {
    if !matches!(finding.label.tag, "sr-Latn" | "bs" | "hr") {
        return;
    }
    let letters = text.chars().filter(|letter| matches!(letter, 'ś' | 'ź' | 'Ś' | 'Ź')).count();
    if letters >= LETTERS_MIN && letters * LETTER_RARITY_BYTES_MAX >= text.len() {
        finding.rename(Label { tag: "cnr", script: "Latn" });
    }
}
