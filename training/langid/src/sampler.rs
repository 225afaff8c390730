//! Draws what the model is taught next: a class by its share, then a piece of what there is for it.
//!
//! Whole lines teach sentences, short pieces of them teach titles and queries, lists of words and fragments of words teach what no line
//! has. A few texts lose their accents, as on pages of people in a hurry.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::classes::Class;
use crate::inputs::Material;
use crate::langid::letters::{Alphabet, Family, Kind};
use crate::langid::ngrams::{Sink, read, row_of, step};
use crate::random::Random;

/// Features of a sample beyond this add nothing.
const FEATURES_MAX: usize = 1_500;

/// The rows of one family's features.
pub struct Rows {
    pub family: Family,
    pub rows: u64,
    pub found: Vec<u32>,
}

impl Sink for Rows {
    fn feature(&mut self, family: Family, hash: u64) {
        if family == self.family {
            self.found.push(row_of(hash, self.rows) as u32);
        }
    }
    fn letter(&mut self, _: Family, _: u32) {}
    fn other_letter(&mut self, _: char) {}
}

/// What one class can be taught from: gathered material, and lines of the evaluation data.
pub struct Shelf<'m> {
    pub material: &'m Material,
    pub lines: Vec<String>,
}

pub struct Sampler<'m> {
    shelves: Vec<Shelf<'m>>,
    shares: Vec<f32>,
    families: Vec<Family>,
    alphabet: Alphabet,
}

/// How often each kind of material is drawn, where a class has it.
const LINES: f32 = 0.45;
const TEXTS: f32 = 0.15;
const WORDS: f32 = 0.2;
const FRAGMENTS: f32 = 0.2;
/// Share of the texts that lose their accents.
const PLAIN: f32 = 0.03;

impl<'m> Sampler<'m> {
    pub fn new(shelves: Vec<Shelf<'m>>, classes: &[Class]) -> Sampler<'m> {
        let mut sum = 0.0;
        let shares = classes
            .iter()
            .zip(&shelves)
            .map(|(class, shelf)| {
                let empty = shelf.lines.is_empty() && shelf.material.texts.is_empty();
                sum += if empty { 0.0 } else { class.share };
                sum
            })
            .collect();
        Sampler { shelves, shares, families: classes.iter().map(|class| class.family).collect(), alphabet: Alphabet::new() }
    }

    /// Draws a sample: its class, and its rows in `into`.
    pub fn draw(&self, random: &mut Random, into: &mut Rows) -> usize {
        let place = random.unit() * self.shares[self.shares.len() - 1];
        let class = self.shares.partition_point(|share| *share <= place).min(self.shares.len() - 1);
        into.family = self.families[class];
        into.found.clear();
        let shelf = &self.shelves[class];
        let weight = |weight: f32, empty: bool| if empty { 0.0 } else { weight };
        let weights = [
            weight(LINES, shelf.lines.is_empty()),
            weight(TEXTS, shelf.material.texts.is_empty()),
            weight(WORDS, shelf.material.words.is_empty()),
            weight(FRAGMENTS, shelf.material.fragments.is_empty()),
        ];
        let mut left = random.unit() * weights.iter().sum::<f32>();
        let kind = weights.iter().position(|weight| {
            left -= weight;
            left < 0.0
        });
        match kind {
            Some(1) => self.draw_text(&shelf.material.texts, random, into),
            Some(2) => self.draw_words(shelf.material, random, into),
            Some(3) => self.draw_fragments(shelf.material, random, into),
            _ => self.draw_text(if shelf.lines.is_empty() { &shelf.material.texts } else { &shelf.lines }, random, into),
        }
        into.found.truncate(FEATURES_MAX);
        class
    }

    fn draw_text(&self, texts: &[String], random: &mut Random, into: &mut Rows) {
        let text = &texts[random.below(texts.len())];
        let choice = random.unit();
        let piece = if choice < 0.45 {
            text.clone()
        } else if choice < 0.7 {
            let words = 3 + random.below(6);
            some_words(text, words, random)
        } else if choice < 0.92 {
            let words = 1 + random.below(2);
            some_words(text, words, random)
        } else {
            format!("{text} {}", texts[random.below(texts.len())])
        };
        if into.family == Family::Latin && random.unit() < PLAIN {
            let plain: String = piece.nfd().filter(|character| !is_combining_mark(*character)).collect();
            read(&plain, &self.alphabet, into);
        } else {
            read(&piece, &self.alphabet, into);
        }
    }

    fn draw_words(&self, material: &Material, random: &mut Random, into: &mut Rows) {
        let words = 1 + random.below(3) * random.below(4);
        for _ in 0..words {
            read(&material.words[weighted(&material.word_weights, random)], &self.alphabet, into);
        }
    }

    fn draw_fragments(&self, material: &Material, random: &mut Random, into: &mut Rows) {
        let fragments = 1 + random.below(4) * random.below(5);
        for _ in 0..fragments {
            let fragment = &material.fragments[weighted(&material.fragment_weights, random)];
            let letters: Vec<u32> = fragment
                .chars()
                .filter_map(|character| match self.alphabet.kind(character) {
                    Kind::Letter(_, letter) => Some(letter),
                    _ => None,
                })
                .collect();
            for end in 0..letters.len() {
                let mut hash = 0;
                for (order, letter) in letters[..=end].iter().rev().enumerate() {
                    hash = step(hash, *letter);
                    if order > 0 || *letter > 0x7f {
                        into.feature(into.family, hash);
                    }
                }
            }
        }
    }
}

fn weighted(sums: &[f64], random: &mut Random) -> usize {
    let place = f64::from(random.unit()) * sums[sums.len() - 1];
    sums.partition_point(|sum| *sum <= place).min(sums.len() - 1)
}

fn some_words(text: &str, count: usize, random: &mut Random) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let first = random.below(words.len().saturating_sub(count) + 1);
    words[first.min(words.len())..(first + count).min(words.len())].join(" ")
}
