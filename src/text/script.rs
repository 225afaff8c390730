//! Which script a letter is written in (ISO 15924), for the European scripts and the larger ones of the world.
//!
//! A table of blocks, not of single characters: blocks hold the letters of one script each, and what is no letter is never asked for.

/// First and last code point of a block and its script. Sorted; the blocks of the Unicode Standard, joined where neighbours agree.
const BLOCKS: &[(u32, u32, &str)] = &[
    (0x0041, 0x024F, "Latn"),
    (0x0250, 0x02AF, "Latn"),
    (0x0370, 0x03FF, "Grek"),
    (0x0400, 0x052F, "Cyrl"),
    (0x0530, 0x058F, "Armn"),
    (0x0590, 0x05FF, "Hebr"),
    (0x0600, 0x06FF, "Arab"),
    (0x0700, 0x074F, "Syrc"),
    (0x0750, 0x077F, "Arab"),
    (0x0780, 0x07BF, "Thaa"),
    (0x07C0, 0x07FF, "Nkoo"),
    (0x0860, 0x086F, "Syrc"),
    (0x0870, 0x08FF, "Arab"),
    (0x0900, 0x097F, "Deva"),
    (0x0980, 0x09FF, "Beng"),
    (0x0A00, 0x0A7F, "Guru"),
    (0x0A80, 0x0AFF, "Gujr"),
    (0x0B00, 0x0B7F, "Orya"),
    (0x0B80, 0x0BFF, "Taml"),
    (0x0C00, 0x0C7F, "Telu"),
    (0x0C80, 0x0CFF, "Knda"),
    (0x0D00, 0x0D7F, "Mlym"),
    (0x0D80, 0x0DFF, "Sinh"),
    (0x0E00, 0x0E7F, "Thai"),
    (0x0E80, 0x0EFF, "Laoo"),
    (0x0F00, 0x0FFF, "Tibt"),
    (0x1000, 0x109F, "Mymr"),
    (0x10A0, 0x10FF, "Geor"),
    (0x1100, 0x11FF, "Hang"),
    (0x1200, 0x139F, "Ethi"),
    (0x13A0, 0x13FF, "Cher"),
    (0x1400, 0x167F, "Cans"),
    (0x1780, 0x17FF, "Khmr"),
    (0x1800, 0x18AF, "Mong"),
    (0x1C80, 0x1C8F, "Cyrl"),
    (0x1C90, 0x1CBF, "Geor"),
    (0x1D00, 0x1DBF, "Latn"),
    (0x1E00, 0x1EFF, "Latn"),
    (0x1F00, 0x1FFF, "Grek"),
    (0x2C00, 0x2C5F, "Glag"),
    (0x2C60, 0x2C7F, "Latn"),
    (0x2C80, 0x2CFF, "Copt"),
    (0x2D00, 0x2D2F, "Geor"),
    (0x2D30, 0x2D7F, "Tfng"),
    (0x2D80, 0x2DDF, "Ethi"),
    (0x2DE0, 0x2DFF, "Cyrl"),
    (0x2E80, 0x2FDF, "Hani"),
    (0x3005, 0x3007, "Hani"),
    (0x3041, 0x309F, "Hira"),
    (0x30A0, 0x30FF, "Kana"),
    (0x3131, 0x318F, "Hang"),
    (0x31F0, 0x31FF, "Kana"),
    (0x3400, 0x4DBF, "Hani"),
    (0x4E00, 0x9FFF, "Hani"),
    (0xA000, 0xA4CF, "Yiii"),
    (0xA640, 0xA69F, "Cyrl"),
    (0xA720, 0xA7FF, "Latn"),
    (0xA960, 0xA97F, "Hang"),
    (0xAB30, 0xAB6F, "Latn"),
    (0xAB70, 0xABBF, "Cher"),
    (0xAC00, 0xD7FF, "Hang"),
    (0xF900, 0xFAFF, "Hani"),
    (0xFB00, 0xFB06, "Latn"),
    (0xFB13, 0xFB17, "Armn"),
    (0xFB1D, 0xFB4F, "Hebr"),
    (0xFB50, 0xFDFF, "Arab"),
    (0xFE70, 0xFEFC, "Arab"),
    (0xFF21, 0xFF5A, "Latn"),
    (0xFF66, 0xFF9F, "Kana"),
    (0x1E900, 0x1E95F, "Adlm"),
    (0x20000, 0x3FFFF, "Hani"),
];

/// Number of blocks, for [`block_of`].
pub const BLOCK_COUNT: usize = BLOCKS.len();

/// The block that holds `letter`, as a small number; `None` for letters of scripts that the table leaves out.
#[must_use]
pub fn block_of(letter: char) -> Option<usize> {
    let point = u32::from(letter);
    if point < 0x250 {
        return Some(0);
    }
    let after = BLOCKS.partition_point(|(first, _, _)| *first <= point);
    let block = after.checked_sub(1)?;
    (point <= BLOCKS[block].1).then_some(block)
}

/// ISO 15924 code of `letter`'s script, `Zyyy` for scripts that the table leaves out. Only meaningful for letters.
///
/// ```
/// assert_eq!(tamis::text::script::of('ž'), "Latn");
/// ```
#[must_use]
pub fn of(letter: char) -> &'static str {
    block_of(letter).map_or("Zyyy", |block| BLOCKS[block].2)
}

/// Letters by script, each weighed by its bytes in UTF-8: a Han character says as much as several Latin letters, and a Greek or
/// Georgian page that is full of Latin names and menus is still Greek or Georgian.
#[derive(Clone, Debug)]
pub struct ScriptCount {
    weights: [u32; BLOCK_COUNT],
    others: u32,
}

impl Default for ScriptCount {
    fn default() -> ScriptCount {
        ScriptCount { weights: [0; BLOCK_COUNT], others: 0 }
    }
}

impl ScriptCount {
    /// Adds `weight` bytes of letters in `script`, counted elsewhere.
    pub fn add_weight(&mut self, script: &str, weight: u32) {
        if let Some(block) = BLOCKS.iter().position(|(_, _, known)| *known == script) {
            self.weights[block] += weight;
        }
    }

    /// Adds another count.
    pub fn join(&mut self, other: &ScriptCount) {
        for (weight, more) in self.weights.iter_mut().zip(&other.weights) {
            *weight += more;
        }
        self.others += other.others;
    }

    /// Counts one letter.
    pub fn add(&mut self, letter: char) {
        match block_of(letter) {
            Some(block) => self.weights[block] += letter.len_utf8() as u32,
            None => self.others += letter.len_utf8() as u32,
        }
    }

    /// The script with the most weight and its share, 0 to 1; `None` without a letter. Japanese, which mixes three scripts, is `Jpan`
    /// as soon as a twentieth of its letters are kana: Chinese has none.
    #[must_use]
    pub fn most(&self) -> Option<(&'static str, f32)> {
        let mut by_script: Vec<(&'static str, u32)> = vec![("Zyyy", self.others)];
        for (block, weight) in self.weights.into_iter().enumerate().filter(|(_, weight)| *weight > 0) {
            let script = BLOCKS[block].2;
            match by_script.iter_mut().find(|(known, _)| *known == script) {
                Some(known) => known.1 += weight,
                None => by_script.push((script, weight)),
            }
        }
        join_japanese(&mut by_script);
        let total: u32 = by_script.iter().map(|(_, weight)| weight).sum();
        let (script, weight) = by_script.into_iter().rev().max_by_key(|(_, weight)| *weight)?;
        (weight > 0).then(|| (script, weight as f32 / total as f32))
    }
}

fn join_japanese(by_script: &mut Vec<(&'static str, u32)>) {
    let weight_of =
        |wanted: &[&str]| -> u32 { by_script.iter().filter(|(script, _)| wanted.contains(script)).map(|(_, weight)| weight).sum() };
    let kana = weight_of(&["Hira", "Kana"]);
    let all = kana + weight_of(&["Hani"]);
    if kana > 0 && kana * 20 >= all {
        by_script.retain(|(script, _)| !matches!(*script, "Hira" | "Kana" | "Hani"));
        by_script.push(("Jpan", all));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn most(text: &str) -> Option<&'static str> {
        let mut count = ScriptCount::default();
        text.chars().filter(|c| c.is_alphabetic()).for_each(|c| count.add(c));
        count.most().map(|(script, _)| script)
    }

    #[test]
    fn blocks_are_sorted_and_do_not_overlap() {
        assert!(BLOCKS.windows(2).all(|pair| pair[0].0 <= pair[0].1 && pair[0].1 < pair[1].0));
    }

    #[test]
    fn a_text_has_the_script_of_most_of_its_letters() {
        for (text, script) in [
            ("Žluťoučký kůň, straße, ñandú, fidélité", "Latn"),
            ("Ἄνδρα μοι ἔννεπε, Μοῦσα", "Grek"),
            ("Њујорк и Љубљана, ґанок, ўсё", "Cyrl"),
            ("გამარჯობა", "Geor"),
            ("Բարեւ ձեզ", "Armn"),
            ("שלום עולם", "Hebr"),
            ("قهوه", "Arab"),
            ("東京は日本の首都である", "Jpan"),
            ("北京是中国的首都", "Hani"),
            ("Η Microsoft και οι φίλοι της", "Grek"),
        ] {
            assert_eq!(most(text), Some(script), "{text}");
        }
    }

    #[test]
    fn figures_and_signs_have_no_script() {
        assert_eq!(most("2024 | 1 299,00 € | +49 30 901820"), None);
    }
}
