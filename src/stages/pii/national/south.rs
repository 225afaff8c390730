//! Identifiers of Spain, Portugal, Italy, Greece, Malta, Cyprus and the successors of Yugoslavia.

use super::Strength;
use crate::stages::pii::check::{digit, is_date, is_short_date, luhn, mod_11_10, number, weighted};

/// The letter of a Spanish number by its remainder by 23. Source: Ministerio del Interior, "Cálculo del dígito de control del NIF/NIE".
fn spanish_letter(number: u64) -> u8 {
    b"TRWAGMYFPDXBNJZSQVHLCKE"[(number % 23) as usize]
}

/// Documento Nacional de Identidad: eight digits and their letter (Real Decreto 1553/2005).
pub fn dni(signs: &[u8]) -> Option<Strength> {
    (spanish_letter(number(&signs[..8])) == signs[8]).then_some(Strength::Plain)
}

/// Número de Identidad de Extranjero: X, Y or Z count as 0, 1 or 2 before the digits (Orden INT/2058/2008).
pub fn nie(signs: &[u8]) -> Option<Strength> {
    let first = u64::from(signs[0].checked_sub(b'X').filter(|first| *first < 3)?);
    (spanish_letter(first * 10_000_000 + number(&signs[1..8])) == signs[8]).then_some(Strength::Dated)
}

/// Número de identificação fiscal of a person: begins with 1, 2, 3 or 45; digits by 9 to 2, 11 less the remainder by 11, 0 for 10 and 11.
/// Source: Portugal, Decreto-Lei 14/2013 and the check published by Autoridade Tributária.
pub fn nif(signs: &[u8]) -> Option<Strength> {
    let is_person = matches!(signs[0], b'1'..=b'3') || signs.starts_with(b"45");
    (is_person && nif_check(signs)).then_some(Strength::Plain)
}

/// The check digit of any Portuguese tax number.
pub fn nif_check(signs: &[u8]) -> bool {
    let rest = weighted(signs, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    digit(signs[8]) == if rest < 2 { 0 } else { 11 - rest }
}

/// Codice fiscale: letters of the names, year, month letter, day (women plus 40), place, check letter; of digits that would give two persons
/// the same code letters take the place. Source: Italy, decreto of 23 December 1976 (DM 13813), tables of odd and even places.
pub fn codice_fiscale(signs: &[u8]) -> Option<Strength> {
    const ODD: [u32; 26] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let mut digits = [b'0'; 16];
    for place in [6, 7, 9, 10, 12, 13, 14] {
        digits[place] = match signs[place] {
            byte @ b'0'..=b'9' => byte,
            byte => b'0' + b"LMNPQRSTUV".iter().position(|letter| *letter == byte)? as u8,
        };
    }
    let day = number(&digits[9..11]);
    if !b"ABCDEHLMPRST".contains(&signs[8]) || !(matches!(day, 1..=31 | 41..=71)) {
        return None;
    }
    let value = |byte: u8| if byte.is_ascii_digit() { digit(byte) } else { u32::from(byte - b'A') };
    let places = signs[..15].iter().enumerate();
    let sum: u32 = places.map(|(place, byte)| if place % 2 == 0 { ODD[value(*byte) as usize] } else { value(*byte) }).sum();
    (u32::from(signs[15] - b'A') == sum % 26).then_some(Strength::Strong)
}

/// AMKA: day of birth, order, Luhn's digit. Source: Greece, law 3655/2008, article 153, and amka.gr.
pub fn amka(signs: &[u8]) -> Option<Strength> {
    (is_short_date(&signs[4..6], number(&signs[2..4]), &signs[..2]) && luhn(signs)).then_some(Strength::Dated)
}

/// Malta's identity card: up to seven digits and a letter for the register (Identity Card Act, cap. 258); it has no check digit.
pub fn malta(signs: &[u8]) -> Option<Strength> {
    signs.last().is_some_and(|letter| b"MGAPLHBZ".contains(letter)).then_some(Strength::Shape)
}

/// Cyprus's tax identification code: digits at even places count as they are, at odd places 1, 0, 5, 7, 9, 13, 15, 17, 19, 21; the sum by 26
/// is the letter. Source: Cyprus Tax Department, TIN sheet of the OECD.
pub fn cyprus_tax(signs: &[u8]) -> Option<Strength> {
    (!signs.starts_with(b"12") && cyprus_check(signs)).then_some(Strength::Plain)
}

/// The check letter of any Cypriot tax code.
pub fn cyprus_check(signs: &[u8]) -> bool {
    const ODD: [u32; 10] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21];
    let places = signs[..8].iter().enumerate();
    let sum: u32 = places.map(|(place, byte)| if place % 2 == 0 { ODD[digit(*byte) as usize] } else { digit(*byte) }).sum();
    u32::from(signs[8].wrapping_sub(b'A')) == sum % 26
}

/// Cyprus's identity card: seven digits in use today, without check digit.
pub fn cyprus_card(signs: &[u8]) -> Option<Strength> {
    (signs[0] != b'0' || signs[1] != b'0').then_some(Strength::Shape)
}

/// OIB: ISO 7064 MOD 11,10. Source: Croatia, Pravilnik o osobnom identifikacijskom broju, NN 1/2009.
pub fn oib(signs: &[u8]) -> Option<Strength> {
    mod_11_10(signs).then_some(Strength::Plain)
}

/// EMŠO: a JMBG of the Slovenian registers 50 to 59. Source: Slovenia, Uradni list RS 8/1999.
pub fn emso(signs: &[u8]) -> Option<Strength> {
    jmbg(signs).filter(|_| signs[7] == b'5')
}

/// JMBG: day of birth with three digits of the year, register, order, and 11 less the sum by 7 to 2 twice modulo 11 (11 counts 0, 10 is not
/// given). Source: Yugoslavia, Službeni list SFRJ 58/1976.
pub fn jmbg(signs: &[u8]) -> Option<Strength> {
    let year = number(&signs[4..7]);
    let year = if year < 800 { year + 2000 } else { year + 1000 };
    let rest = weighted(signs, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    let check = if rest == 0 { 0 } else { 11 - rest };
    (is_date(year, number(&signs[2..4]), number(&signs[..2])) && check == digit(signs[12])).then_some(Strength::Dated)
}
