//! Strings of keywords: `flats Riga, cheap flats, flats for rent, ..`, short items between commas, one after the other.
//!
//! An item is what stands between two commas (or semicolons, bars, middle dots) and has one to [`ITEM_WORDS_MAX`] words, none of them
//! a function word. A full stop, another mark that ends a sentence or a line break ends the run. Prose has lists too, but they end
//! after a few items, or say `and`, and most of the text is something else; the limit asks what share of the words is in long runs.

use crate::text::lines::fraction;
use crate::text::words::Words;

/// Words of the longest item.
const ITEM_WORDS_MAX: usize = 4;

/// Share of `words` in runs of `items_min` or more items. `function` says which words are function words, where that is known.
pub fn run_fraction(text: &str, words: &Words<'_>, function: Option<&[bool]>, items_min: usize) -> f32 {
    let mut runs = Runs { items_min, ..Runs::default() };
    let mut from = 0;
    for (place, word) in words.spans().iter().enumerate() {
        runs.take_gap(gap(&text[from..word.start]));
        runs.item_words += 1;
        runs.item_is_phrase |= function.is_some_and(|known| known[place]);
        from = word.end;
    }
    runs.take_gap(Gap::End);
    fraction(runs.found, words.len())
}

/// What stands between two words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    /// Nothing that parts items.
    Inside,
    /// The end of an item.
    Comma,
    /// The end of a run.
    End,
}

fn gap(between: &str) -> Gap {
    if between == " " {
        return Gap::Inside;
    }
    let mut found = Gap::Inside;
    for c in between.chars() {
        match c {
            ',' | ';' | '|' | '·' | '،' | '、' | '，' => found = Gap::Comma,
            '.' | '!' | '?' | ':' | '…' | '\n' | '。' => return Gap::End,
            _ => {}
        }
    }
    found
}

/// The item and the run that are being read, and the words of long runs so far.
#[derive(Debug, Default)]
struct Runs {
    items_min: usize,
    item_words: usize,
    item_is_phrase: bool,
    run_items: usize,
    run_words: usize,
    found: usize,
}

impl Runs {
    fn take_gap(&mut self, gap: Gap) {
        if gap == Gap::Inside {
            return;
        }
        if self.item_is_phrase || self.item_words > ITEM_WORDS_MAX {
            self.end_run();
        } else if self.item_words > 0 {
            self.run_items += 1;
            self.run_words += self.item_words;
        }
        (self.item_words, self.item_is_phrase) = (0, false);
        if gap == Gap::End {
            self.end_run();
        }
    }

    fn end_run(&mut self) {
        if self.run_items >= self.items_min {
            self.found += self.run_words;
        }
        (self.run_items, self.run_words) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(text: &str, function_words: &[&str]) -> f32 {
        let words = Words::of(text);
        let function: Vec<bool> = words.iter().map(|word| function_words.contains(&word)).collect();
        run_fraction(text, &words, Some(&function), 3)
    }

    #[test]
    fn items_between_commas_bars_and_semicolons_make_a_run_until_a_sentence_ends() {
        assert_eq!(share("buty, tanie buty; sklep | kup buty", &[]), 1.0);
        assert_eq!(share("buty, tanie buty, sklep. Kup buty", &[]), 4.0 / 6.0);
        assert_eq!(share("buty, tanie buty\nsklep, kup buty", &[]), 0.0);
        assert_eq!(share("", &[]), 0.0);
    }

    #[test]
    fn function_words_and_long_items_end_a_run() {
        assert_eq!(share("buty, sklep, kup i sprzedaj, Warszawa, zima", &["i"]), 0.0);
        assert_eq!(share("buty, sklep, czapki, dobrze jest mieć ciepłe rękawiczki", &[]), 3.0 / 8.0);
    }
}
