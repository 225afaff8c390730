//! Features of what a block talks about: whether its words are those of the title and of the rest of the page.
//!
//! Teasers, notices and biographies read like prose, but not about the same thing. No word list is needed for that, in any language:
//! words of four bytes and more are hashed into buckets, and a block is asked how many of its buckets occur elsewhere.

use super::super::measure::each_word;
use super::super::tree::Page;
use super::columns::{Columns, share};
use super::sums::Counted;

/// Buckets for words; a page has some thousand words.
const BUCKETS: usize = 1 << 14;

/// The buckets of the words of each block.
pub(in super::super) struct Topics {
    words: Vec<u16>,
    /// Where the words of each block end.
    ends: Vec<u32>,
}

impl Topics {
    pub(super) fn of(page: &Page) -> Topics {
        let mut topics = Topics { words: Vec::with_capacity(page.text.len() / 6), ends: Vec::with_capacity(page.blocks.len()) };
        for block in &page.blocks {
            each_word(page.text_of(block), |hash| topics.words.push(bucket(hash)));
            topics.ends.push(topics.words.len() as u32);
        }
        topics
    }

    fn block(&self, row: usize) -> &[u16] {
        let begin = row.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.words[begin..self.ends[row] as usize]
    }

    /// For each block the share of its words that are in another block for which `counts` holds.
    pub(super) fn shared(&self, counts: impl Fn(usize) -> bool) -> Vec<u8> {
        let rows = self.ends.len();
        let mut last = vec![u32::MAX; BUCKETS];
        let mut blocks = vec![0_u8; BUCKETS];
        for row in (0..rows).filter(|row| counts(*row)) {
            for word in self.block(row) {
                let word = usize::from(*word);
                if last[word] != row as u32 {
                    last[word] = row as u32;
                    blocks[word] = blocks[word].saturating_add(1);
                }
            }
        }
        (0..rows)
            .map(|row| {
                let (own, words) = (u8::from(counts(row)), self.block(row));
                let known = words.iter().filter(|word| blocks[usize::from(**word)] > own).count();
                share(known as u32, words.len() as u32)
            })
            .collect()
    }

    /// For each block the share of its words that are in the page's titles.
    fn in_titles(&self, page: &Page) -> Vec<u8> {
        let mut known = vec![false; BUCKETS];
        for title in [page.stated.title.as_deref(), page.stated.social_title.as_deref()].into_iter().flatten() {
            each_word(title, |hash| known[usize::from(bucket(hash))] = true);
        }
        let shares = (0..self.ends.len()).map(|row| {
            let words = self.block(row);
            share(words.iter().filter(|word| known[usize::from(**word)]).count() as u32, words.len() as u32)
        });
        shares.collect()
    }
}

fn bucket(hash: u32) -> u16 {
    ((hash ^ hash >> 16) as usize % BUCKETS) as u16
}

pub(super) fn push(columns: &mut Columns, counted: &Counted<'_>) {
    columns.push(("topic", "in titles"), counted.topics.in_titles(counted.page).into_iter());
    columns.push(("topic", "in prose"), counted.topics.shared(|row| counted.measures[row].is_prose()).into_iter());
}
