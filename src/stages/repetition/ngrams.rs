//! Runs of words that a text has more than once.
//!
//! Words are hashed once; the hash of a run grows from that of the run one word shorter. Only a run that begins with a repeated
//! shorter run can be repeated itself, so each length looks only at the places that the length before found repeated: most texts
//! have few of them beyond three words, and the work fades out instead of being done nine times.

use xxhash_rust::xxh3::xxh3_64;

use crate::text::lines::fraction;
use crate::text::words::Words;

/// Lengths of runs of which the most frequent one counts.
const TOP: std::ops::RangeInclusive<usize> = 2..=4;
/// How often the most frequent run must stand in a text to be a pattern. Twice is what a heading and the sentence after it do, and in
/// a text of 60 words that alone would break the limits of Gopher.
const TOP_COUNT_MIN: usize = 3;
/// Shortest and longest run.
const SHORTEST: usize = 2;
const LONGEST: usize = 10;

/// Characters of `words` in repeated runs, as shares of a text of `text_chars`: of 2, 3 and 4 words those of the most frequent run,
/// of 5 to 10 words those of all runs that came before.
pub fn fractions(words: &Words<'_>, text_chars: usize) -> [f32; LONGEST - SHORTEST + 1] {
    let mut shares = [0.0; LONGEST - SHORTEST + 1];
    let mut runs = Runs::of(words);
    for (length, share) in (SHORTEST..=LONGEST).zip(&mut shares) {
        runs.lengthen(length);
        if runs.places.is_empty() {
            break;
        }
        let chars = if TOP.contains(&length) { runs.top_chars(length) } else { runs.duplicate_chars(length) };
        *share = fraction(chars, text_chars);
    }
    shares
}

/// Where the repeated runs of one length begin.
struct Runs {
    /// Hash of each word.
    words: Vec<u64>,
    /// Characters before each word, and of all.
    chars_before: Vec<usize>,
    /// Places in order, of runs that occur at least twice.
    places: Vec<Place>,
    table: Table,
}

/// The beginning of a run.
#[derive(Clone, Copy)]
struct Place {
    /// Number of its first word.
    word: usize,
    /// Hash of the run.
    hash: u64,
    /// Where the table counts it.
    slot: usize,
}

impl Runs {
    fn of(words: &Words<'_>) -> Runs {
        let hashes: Vec<u64> = words.iter().map(|word| xxh3_64(word.as_bytes())).collect();
        let mut chars_before = Vec::with_capacity(hashes.len() + 1);
        let mut chars = 0;
        chars_before.push(chars);
        for word in words.spans() {
            chars += word.chars as usize;
            chars_before.push(chars);
        }
        let places = hashes.iter().enumerate().map(|(word, &hash)| Place { word, hash, slot: 0 }).collect();
        Runs { words: hashes, chars_before, places, table: Table::default() }
    }

    /// Goes from runs one word shorter to runs of `length`, and keeps those that are repeated.
    fn lengthen(&mut self, length: usize) {
        self.places.retain(|place| place.word + length <= self.words.len());
        self.table.clear_for(self.places.len());
        for place in &mut self.places {
            place.hash = grow(place.hash, self.words[place.word + length - 1]);
            place.slot = self.table.count(place.hash);
        }
        let counts = &self.table.counts;
        self.places.retain(|place| counts[place.slot] > 1);
    }

    /// Characters, spaces included, in all occurrences of the most frequent run; of equals the longest.
    fn top_chars(&self, length: usize) -> usize {
        let runs = self.places.iter().map(|place| (self.table.counts[place.slot] as usize, self.chars(place, length) + length - 1));
        runs.max().filter(|(count, _)| *count >= TOP_COUNT_MIN).map_or(0, |(count, chars)| count * chars)
    }

    /// Characters, spaces left out, in runs that came before. What was counted is not looked at again.
    fn duplicate_chars(&mut self, length: usize) -> usize {
        let (mut chars, mut next) = (0, 0);
        for place in &self.places {
            if place.word < next {
                continue;
            }
            if self.table.meet(place.slot) {
                chars += self.chars(place, length);
                next = place.word + length;
            }
        }
        chars
    }

    fn chars(&self, place: &Place, length: usize) -> usize {
        self.chars_before[place.word + length] - self.chars_before[place.word]
    }
}

/// The hash of the run with hash `run` and one more word. The multiplier is an odd number without pattern (2^64 over the golden ratio).
fn grow(run: u64, word: u64) -> u64 {
    (run.rotate_left(29) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Counts hashes: open addressing, at most half full, so that it always has an empty slot.
#[derive(Default)]
struct Table {
    hashes: Vec<u64>,
    counts: Vec<u32>,
    met: Vec<bool>,
}

impl Table {
    fn clear_for(&mut self, entries: usize) {
        let slots = (entries * 2).next_power_of_two();
        self.hashes.clear();
        self.hashes.resize(slots, 0);
        self.counts.clear();
        self.counts.resize(slots, 0);
        self.met.clear();
        self.met.resize(slots, false);
    }

    /// Counts `hash` once more and says in which slot.
    fn count(&mut self, hash: u64) -> usize {
        let mask = self.hashes.len() - 1;
        let mut slot = low(hash) & mask;
        while self.counts[slot] > 0 && self.hashes[slot] != hash {
            slot = (slot + 1) & mask;
        }
        self.hashes[slot] = hash;
        self.counts[slot] += 1;
        slot
    }

    /// Whether the run of `slot` was met before; from now on it was.
    fn meet(&mut self, slot: usize) -> bool {
        std::mem::replace(&mut self.met[slot], true)
    }
}

/// Bits of `hash` to choose a slot by: the upper half, which the multiplication mixes best.
fn low(hash: u64) -> usize {
    (hash >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same figures, counted as datatrove states them, n-gram by n-gram.
    fn by_hand(text: &str, length: usize) -> usize {
        let words = Words::of(text);
        let words: Vec<&str> = words.iter().collect();
        let runs: Vec<&[&str]> = words.windows(length).collect();
        let chars = |run: &[&str]| run.iter().map(|word| word.chars().count()).sum::<usize>();
        if TOP.contains(&length) {
            let count = |run: &&[&str]| runs.iter().filter(|other| *other == run).count();
            let most = runs.iter().map(|run| (count(run), chars(run) + length - 1)).max().unwrap_or_default();
            return if most.0 >= TOP_COUNT_MIN { most.0 * most.1 } else { 0 };
        }
        let (mut seen, mut at, mut found) = (Vec::new(), 0, 0);
        while at < runs.len() {
            if seen.contains(&runs[at]) {
                found += chars(runs[at]);
                at += length;
            } else {
                seen.push(runs[at]);
                at += 1;
            }
        }
        found
    }

    fn check(text: &str) {
        let whole = text.chars().count();
        let expected: Vec<f32> = (SHORTEST..=LONGEST).map(|length| fraction(by_hand(text, length), whole)).collect();
        assert_eq!(fractions(&Words::of(text), whole).to_vec(), expected, "{text}");
    }

    #[test]
    fn shares_are_those_that_counting_run_by_run_gives() {
        check("");
        check("ein");
        check("ein ein");
        check("Ich bin klein, mein Herz ist rein, soll niemand drin wohnen als du allein.");
        check(&"kup teraz ".repeat(60));
        check(&"A far, a far, szól a kakas, majd megvirrad, majd megvirrad, zöld erdőben, sík mezőben sétál egy madár. ".repeat(3));
        check("un deux trois quatre cinq six sept un deux trois quatre cinq six huit un deux trois quatre cinq six sept huit");
    }

    #[test]
    fn texts_without_any_repeat_have_none() {
        assert!(fractions(&Words::of("jeder spricht hier anders als zuvor"), 36).iter().all(|share| share.to_bits() == 0));
    }
}
