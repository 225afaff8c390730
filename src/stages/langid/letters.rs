//! Which characters are letters, in lower case, and of which family of scripts.
//!
//! Only five scripts are shared by languages that we tell apart by their n-grams; everywhere else the script names the language. Small
//! code points stand in a table, because asking Unicode's own tables once a character would cost more than all the rest.

use crate::text::script;

/// Scripts that several of our languages share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    Latin,
    Cyrillic,
    Arabic,
    Hebrew,
    Devanagari,
}

impl Family {
    /// All of them, in the order of their numbers.
    pub const ALL: [Family; 5] = [Family::Latin, Family::Cyrillic, Family::Arabic, Family::Hebrew, Family::Devanagari];

    /// ISO 15924.
    pub fn script(self) -> &'static str {
        match self {
            Family::Latin => "Latn",
            Family::Cyrillic => "Cyrl",
            Family::Arabic => "Arab",
            Family::Hebrew => "Hebr",
            Family::Devanagari => "Deva",
        }
    }
}

/// A character as n-grams see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It ends a word.
    NoLetter,
    /// In lower case.
    Letter(Family, u32),
    /// A letter of a script that names its language, or that we do not know.
    OtherLetter,
}

/// Code points below this stand in the table: Latin, Greek, Cyrillic, Armenian, Hebrew, Arabic, Devanagari and the Latin of Vietnamese.
const TABLE_POINTS: u32 = 0x2000;
const OTHER_LETTER: u32 = 1 << 31;
const POINT_BITS: u32 = 24;

/// The table. Entry 0 is no letter.
pub struct Alphabet(Vec<u32>);

impl Alphabet {
    pub fn new() -> Alphabet {
        Alphabet((0..TABLE_POINTS).map(|point| char::from_u32(point).map_or(0, entry_of)).collect())
    }

    #[inline]
    pub fn kind(&self, character: char) -> Kind {
        let entry = match self.0.get(character as usize) {
            Some(entry) => *entry,
            None => entry_of(character),
        };
        match entry {
            0 => Kind::NoLetter,
            OTHER_LETTER => Kind::OtherLetter,
            _ => Kind::Letter(Family::ALL[(entry >> POINT_BITS) as usize], entry & ((1 << POINT_BITS) - 1)),
        }
    }
}

fn entry_of(character: char) -> u32 {
    if !character.is_alphabetic() {
        return 0;
    }
    let family = match script::of(character) {
        "Latn" => Family::Latin,
        "Cyrl" => Family::Cyrillic,
        "Arab" => Family::Arabic,
        "Hebr" => Family::Hebrew,
        "Deva" => Family::Devanagari,
        _ => return OTHER_LETTER,
    };
    (family as u32) << POINT_BITS | folded(character)
}

/// Lower case, and one letter where two are used for the same: Romanian is written with commas or, on older pages, with cedillas.
fn folded(character: char) -> u32 {
    let small = character.to_lowercase().next().unwrap_or(character);
    match small {
        'ş' => 'ș',
        'ţ' => 'ț',
        other => other,
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_a_family_and_a_lower_case() {
        let alphabet = Alphabet::new();
        for (character, kind) in [
            ('Ž', Kind::Letter(Family::Latin, 'ž'.into())),
            ('Ș', Kind::Letter(Family::Latin, 'ș'.into())),
            ('Ş', Kind::Letter(Family::Latin, 'ș'.into())),
            ('Ў', Kind::Letter(Family::Cyrillic, 'ў'.into())),
            ('ש', Kind::Letter(Family::Hebrew, 'ש'.into())),
            ('Ω', Kind::OtherLetter),
            ('語', Kind::OtherLetter),
            ('7', Kind::NoLetter),
            ('😀', Kind::NoLetter),
            ('\u{301}', Kind::NoLetter),
        ] {
            assert_eq!(alphabet.kind(character), kind, "{character}");
        }
    }
}
