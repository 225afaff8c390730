//! Makes a byte-level BPE vocabulary from a corpus, balanced between its languages, as a Hugging Face `tokenizer.json`.
//!
//! Texts are split as o200k_base splits them, whose pattern treats all scripts alike. A language counts with its share of the corpus to the
//! power of 1/temperature (Conneau et al. 2020, arXiv 1911.02116, alpha = 1/temperature), so a small one is heard more than it has
//! text. Merges are learned by Hugging Face's trainer from whole counts, so the same corpus gives the same file on any number of threads.

use std::collections::{BTreeMap, HashMap};

use ahash::AHashMap;
use compact_str::CompactString;
use serde::Serialize;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{
    AddedToken, DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper, SplitDelimiterBehavior, TokenizerBuilder,
    TokenizerImpl,
};

use crate::stages::tokenize::training::{PATTERN, for_each_piece, signs};
use crate::texts::{Texts, TextsError};

/// The weight of a language that has as much of the vocabulary's attention as of the corpus.
const EVEN: f64 = 65_536.0;

/// How a vocabulary is made.
#[derive(Clone, Debug)]
pub struct Training {
    /// Tokens in all, special ones and the 256 bytes among them.
    pub vocabulary_size: usize,
    /// 1 takes languages as they are in the corpus; the higher, the more equal they are.
    pub temperature: f64,
    /// Names of special tokens, which take the first ids.
    pub specials: Vec<String>,
    /// Longest token, in bytes.
    pub token_bytes_max: usize,
    /// Bytes of text that are looked at.
    pub sample_bytes: u64,
}

/// What a language had in the sample, and how it counted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Balance {
    /// BCP 47 tag.
    pub lang: String,
    /// Bytes of text.
    pub bytes: u64,
    /// Its share of the bytes.
    pub share: f64,
    /// Its share of what the vocabulary was learned from.
    pub weighted: f64,
}

/// Why there is no vocabulary.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A setting makes no sense.
    #[error("{0}")]
    Setting(String),
    /// The corpus.
    #[error(transparent)]
    Texts(#[from] TextsError),
    /// The trainer.
    #[error("the vocabulary cannot be learned: {0}")]
    Trainer(String),
}

/// A vocabulary of `texts`: the file's text, and what each language had.
///
/// # Errors
/// See [`TrainError`].
pub fn train(texts: &Texts, training: &Training) -> Result<(String, Vec<Balance>), TrainError> {
    let smallest = 256 + training.specials.len();
    if training.vocabulary_size <= smallest || training.vocabulary_size > 16_000_000 {
        let told = format!("the vocabulary must have more than {smallest} tokens (256 bytes and the special ones) and at most 16,000,000");
        return Err(TrainError::Setting(told));
    }
    if !(1.0..=100.0).contains(&training.temperature) {
        return Err(TrainError::Setting("the temperature must be from 1 to 100".to_owned()));
    }
    let mut counts: BTreeMap<String, HashMap<Box<str>, u64>> = BTreeMap::new();
    texts.for_each(training.sample_bytes, |text| {
        let counts = counts.entry(text.lang.to_owned()).or_default();
        for_each_piece(text.text, |piece| match counts.get_mut(piece) {
            Some(count) => *count += 1,
            None => drop(counts.insert(piece.into(), 1)),
        });
    })?;
    let balance = balance(&counts, training.temperature);
    if balance.is_empty() {
        return Err(TrainError::Setting("the corpus has no text".to_owned()));
    }
    let words = weighted(counts, &balance);
    let refused = |error: tokenizers::Error| TrainError::Trainer(error.to_string());
    let json = learn(&words, training).map_err(refused)?;
    Ok((json, balance))
}

fn balance(counts: &BTreeMap<String, HashMap<Box<str>, u64>>, temperature: f64) -> Vec<Balance> {
    let bytes_of = |counts: &HashMap<Box<str>, u64>| counts.iter().map(|(piece, count)| piece.len() as u64 * count).sum::<u64>();
    let sizes: Vec<(&String, u64)> = counts.iter().map(|(lang, counts)| (lang, bytes_of(counts))).filter(|(_, bytes)| *bytes > 0).collect();
    let all: u64 = sizes.iter().map(|(_, bytes)| bytes).sum();
    let heard = |bytes: u64| (bytes as f64 / all as f64).powf(1.0 / temperature);
    let sum: f64 = sizes.iter().map(|(_, bytes)| heard(*bytes)).sum();
    let balance = |(lang, bytes): &(&String, u64)| Balance {
        lang: (*lang).clone(),
        bytes: *bytes,
        share: *bytes as f64 / all as f64,
        weighted: heard(*bytes) / sum,
    };
    sizes.iter().map(balance).collect()
}

/// Pieces in the signs of bytes, with whole counts: a fraction would depend on the order in which languages are added up.
fn weighted(counts: BTreeMap<String, HashMap<Box<str>, u64>>, balance: &[Balance]) -> AHashMap<CompactString, u64> {
    let mut words: AHashMap<CompactString, u64> = AHashMap::new();
    for (lang, counts) in counts {
        let Some(known) = balance.iter().find(|known| known.lang == lang) else { continue };
        let weight = (EVEN * known.weighted / known.share).round().max(1.0) as u64;
        for (piece, count) in counts {
            *words.entry(signs(&piece).into()).or_default() += count * weight;
        }
    }
    words
}

fn learn(words: &AHashMap<CompactString, u64>, training: &Training) -> tokenizers::Result<String> {
    let specials: Vec<AddedToken> = training.specials.iter().map(|name| AddedToken::from(name.as_str(), true)).collect();
    let trainer = BpeTrainer::builder()
        .show_progress(false)
        .vocab_size(training.vocabulary_size)
        .special_tokens(specials.clone())
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .max_token_length(Some(training.token_bytes_max))
        .build();
    let mut model = BPE::default();
    trainer.do_train(words, &mut model)?;
    let split = Split::new(SplitPattern::Regex(PATTERN.to_owned()), SplitDelimiterBehavior::Isolated, false)?;
    let bytes = ByteLevel::new(false, true, false);
    let before = PreTokenizerWrapper::Sequence(Sequence::new(vec![split.into(), bytes.into()]));
    let mut tokenizer: TokenizerImpl<BPE, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper> =
        TokenizerBuilder::new().with_model(model).with_pre_tokenizer(Some(before)).with_decoder(Some(bytes.into())).build()?;
    tokenizer.add_special_tokens(specials)?;
    tokenizer.to_string(true)
}
