//! Identifiers of Germany, France, the Benelux countries, Austria, Switzerland and Ireland.

use super::Strength;
use crate::stages::pii::check::{digit, is_date, is_short_date, luhn, mod_11_10, number, verhoeff, weighted};

/// Steuerliche Identifikationsnummer: no zero in front; of the first ten digits exactly one comes twice or three times (never three in a row);
/// check digit ISO 7064 MOD 11,10. Source: Bundeszentralamt für Steuern, § 139b AO and "Prüfziffernberechnung" of the ELSTER interface.
pub fn steuer_id(signs: &[u8]) -> Option<Strength> {
    let mut counts = [0; 10];
    signs[..10].iter().for_each(|byte| counts[digit(*byte) as usize] += 1);
    let times = |wanted: i32| counts.iter().filter(|count| **count == wanted).count();
    let one_repeats = (times(2) == 1 && times(3) == 0 || times(3) == 1 && times(2) == 0) && counts.iter().all(|count| *count <= 3);
    let in_a_row = signs[..10].windows(3).any(|three| three[0] == three[1] && three[1] == three[2]);
    (signs[0] != b'0' && one_repeats && !in_a_row && mod_11_10(signs)).then_some(Strength::Plain)
}

/// NIR: sex, year, month, département (2A and 2B count as 19 and 18), commune, order, and 97 less the remainder by 97 as key. Source: INSEE,
/// "Numéro d'inscription au répertoire"; months above 12 stand for unknown ones.
pub fn nir(signs: &[u8]) -> Option<Strength> {
    let mut digits: [u8; 13] = signs[..13].try_into().ok()?;
    match &signs[5..7] {
        b"2A" => digits[6] = b'9',
        b"2B" => (digits[5], digits[6]) = (b'1', b'8'),
        other if other[1].is_ascii_digit() => {}
        _ => return None,
    }
    let month = number(&digits[3..5]);
    let begins = matches!(digits[0], b'1'..=b'4' | b'7' | b'8') && (matches!(month, 1..=12 | 20..=42) || month >= 50);
    (begins && 97 - number(&digits) % 97 == number(&signs[13..15])).then_some(Strength::Strong)
}

/// Rijksregisternummer: day of birth (month plus 20 or 40 in a BIS number), order, and 97 less the remainder by 97; a 2 goes before the nine
/// digits of who was born since 2000. Source: Belgian royal decree of 3 April 1984, articles 1 to 4.
pub fn rijksregisternummer(signs: &[u8]) -> Option<Strength> {
    let month = number(&signs[2..4]);
    let dated = is_short_date(&signs[..2], month % 20, &signs[4..6]) && month < 60;
    let (body, check) = (number(&signs[..9]), number(&signs[9..11]));
    let holds = [body, body + 2_000_000_000].iter().any(|body| 97 - body % 97 == check);
    (dated && number(&signs[6..9]) > 0 && holds).then_some(Strength::Dated)
}

/// Burgerservicenummer: digits by 9 to 2 and -1, divisible by 11. Source: Rijksdienst voor Identiteitsgegevens, Logisch Ontwerp BSN.
pub fn bsn(signs: &[u8]) -> Option<Strength> {
    let sum = weighted(signs, &[9, 8, 7, 6, 5, 4, 3, 2]) + 10 * digit(signs[8]);
    (sum.is_multiple_of(11) && number(&signs[..8]) > 99_999).then_some(Strength::Plain)
}

/// Matricule: day of birth, order, then Luhn's and Verhoeff's digit over the first eleven. Source: Luxembourg, règlement grand-ducal of
/// 28 November 2013, article 1.
pub fn matricule(signs: &[u8]) -> Option<Strength> {
    let year = number(&signs[..4]);
    let dated = (1850..2100).contains(&year) && is_date(year, number(&signs[4..6]), number(&signs[6..8]));
    let mut second: [u8; 12] = signs[..12].try_into().ok()?;
    second[11] = signs[12];
    (dated && luhn(&signs[..12]) && verhoeff(&second)).then_some(Strength::Strong)
}

/// Sozialversicherungsnummer: order, check digit by 3, 7, 9, 5, 8, 4, 2, 1, 6 modulo 11, day of birth (months 13 to 15 where orders ran out).
/// Source: Österreichische Sozialversicherung, "Versicherungsnummer".
pub fn svnr(signs: &[u8]) -> Option<Strength> {
    let month = number(&signs[6..8]);
    let dated = is_short_date(&signs[8..10], month, &signs[4..6]) || (matches!(month, 13..=15) && number(&signs[4..6]) <= 31);
    let sum = weighted(signs, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]);
    (signs[0] != b'0' && dated && sum % 11 == digit(signs[3])).then_some(Strength::Dated)
}

/// AHV number: 756 and the check digit of EAN-13. Source: Zentrale Ausgleichsstelle, "Die Struktur der AHV-Nummer".
pub fn ahv(signs: &[u8]) -> Option<Strength> {
    let sum = weighted(signs, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]);
    (signs.starts_with(b"756") && sum.is_multiple_of(10)).then_some(Strength::Strong)
}

/// Personal Public Service number: digits by 8 to 2, a second letter by 9 (W and T count nothing), modulo 23 as a letter.
/// Source: Revenue Commissioners, "PPSN check digit"; range of 2013 with a second letter.
pub fn pps(signs: &[u8]) -> Option<Strength> {
    let second = match signs.get(8) {
        Some(letter @ b'A'..=b'I') => u32::from(letter - b'A') + 1,
        None | Some(b'W' | b'T' | b'X') => 0,
        Some(_) => return None,
    };
    let sum = weighted(signs, &[8, 7, 6, 5, 4, 3, 2]) + 9 * second;
    (b"WABCDEFGHIJKLMNOPQRSTUV"[(sum % 23) as usize] == signs[7]).then_some(Strength::Plain)
}
