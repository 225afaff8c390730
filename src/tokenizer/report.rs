//! How well vocabularies fit the languages of a corpus: tokens a word (fertility) and bytes a token, side by side.
//!
//! A language whose words fall into many tokens costs more to train, to run and to read, and a model sees less of it at a time (Ahia et al.
//! 2023, arXiv 2305.13707; Petrov et al. 2023, arXiv 2305.15425). So a European operator chooses by these figures.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::text::words;
use crate::texts::{Text, Texts, TextsError};

/// How a vocabulary does in a language.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fit {
    /// Token ids.
    pub tokens: u64,
    /// Tokens a word.
    pub fertility: f64,
    /// Bytes of text a token.
    pub bytes_a_token: f64,
}

/// A language, with each vocabulary in the order in which they were given.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfLanguage {
    /// BCP 47 tag.
    pub lang: String,
    /// Documents that were looked at.
    pub documents: u64,
    /// Bytes of their text.
    pub bytes: u64,
    /// Words of it.
    pub words: u64,
    /// How each vocabulary does.
    pub fits: Vec<Fit>,
}

#[derive(Default)]
struct Sum {
    documents: u64,
    bytes: u64,
    words: u64,
    tokens: Vec<u64>,
}

/// How each of `vocabularies`, which count the tokens of a text, does in the languages of `texts`, the largest language first.
///
/// # Errors
/// When the corpus cannot be read.
pub fn report(texts: &Texts, sample_bytes: u64, vocabularies: &[&dyn Fn(&str) -> u64]) -> Result<Vec<OfLanguage>, TextsError> {
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    texts.for_each(sample_bytes, |Text { lang, text, .. }| {
        let sum = sums.entry(lang.to_owned()).or_default();
        sum.documents += 1;
        sum.bytes += text.len() as u64;
        sum.words += words::count(text) as u64;
        sum.tokens.resize(vocabularies.len(), 0);
        sum.tokens.iter_mut().zip(vocabularies).for_each(|(tokens, count)| *tokens += count(text));
    })?;
    let mut languages: Vec<OfLanguage> = sums.into_iter().map(of_language).collect();
    languages.sort_by_key(|language| std::cmp::Reverse(language.bytes));
    Ok(languages)
}

fn of_language((lang, sum): (String, Sum)) -> OfLanguage {
    let Sum { documents, bytes, words, tokens } = sum;
    let fit =
        |tokens: u64| Fit { tokens, fertility: tokens as f64 / words.max(1) as f64, bytes_a_token: bytes as f64 / tokens.max(1) as f64 };
    OfLanguage { lang, documents, bytes, words, fits: tokens.into_iter().map(fit).collect() }
}
