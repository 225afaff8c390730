//! Identifiers of the Nordic and Baltic countries.

use super::Strength;
use crate::stages::pii::check::{digit, is_date, is_short_date, luhn, number, weighted};

/// Personnummer: day of birth (plus 60 in a coordination number), order, Luhn's digit over the ten digits without century.
/// Source: Skatteverket, SKV 704.
pub fn personnummer(signs: &[u8]) -> Option<Strength> {
    let (century, short) = signs.split_at(signs.len() - 10);
    let day = number(&short[4..6]);
    let day = if day > 60 { day - 60 } else { day };
    let dated = is_date(2000 + number(&short[..2]), number(&short[2..4]), day) && matches!(century, b"" | b"18" | b"19" | b"20");
    (dated && luhn(short)).then_some(Strength::Dated)
}

/// Henkilötunnus: day of birth, sign of the century, order from 002, and the remainder by 31 of all nine digits as a sign. Source:
/// Digi- ja väestötietovirasto, "Henkilötunnus"; centuries have had the letters Y to U and A to F since 2023.
pub fn henkilotunnus(signs: &[u8]) -> Option<Strength> {
    let order = &signs[signs.len() - 4..signs.len() - 1];
    let century_holds = signs.len() == 10 || b"ABCDEFYXWVU".contains(&signs[6]);
    let dated = is_short_date(&signs[4..6], number(&signs[2..4]), &signs[..2]);
    let rest = (number(&signs[..6]) * 1000 + number(order)) % 31;
    let holds = b"0123456789ABCDEFHJKLMNPRSTUVWXY"[rest as usize] == signs[signs.len() - 1];
    (century_holds && dated && number(order) >= 2 && holds).then_some(Strength::Strong)
}

/// CPR number: day of birth and order; digits by 4, 3, 2, 7, 6, 5, 4, 3, 2, 1 are divisible by 11, which numbers given since 2007 need not be.
/// Source: CPR-kontoret, "Personnummeret i CPR" (2008) and the notice on numbers without modulus 11.
pub fn cpr(signs: &[u8]) -> Option<Strength> {
    if !is_short_date(&signs[4..6], number(&signs[2..4]), &signs[..2]) {
        return None;
    }
    let sum = weighted(signs, &[4, 3, 2, 7, 6, 5, 4, 3, 2, 1]);
    Some(if sum.is_multiple_of(11) { Strength::Dated } else { Strength::Shape })
}

/// Fødselsnummer: day of birth (plus 40 in a D number; months plus 40 or 80 are synthetic), order, two check digits modulo 11. Source:
/// Skatteetaten, "Fødselsnummer"; folkeregisterforskriften § 2-2-3.
pub fn fodselsnummer(signs: &[u8]) -> Option<Strength> {
    let (day, month) = (number(&signs[..2]), number(&signs[2..4]));
    let day = if day > 40 { day - 40 } else { day };
    let first = weighted(signs, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]);
    let second = weighted(signs, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]);
    let dated = is_date(2000 + number(&signs[4..6]), month % 40, day);
    (dated && first.is_multiple_of(11) && second.is_multiple_of(11)).then_some(Strength::Dated)
}

/// Isikukood and asmens kodas: sex and century, day of birth, order; the sum by 1 to 9 and 1 modulo 11, where that is 10 the one by 3 to 9
/// and 1 to 3, where that is 10 too 0. Source: EVS 585:2007; Lithuania, Gyventojų registro įstatymas (VIII-2211).
pub fn isikukood(signs: &[u8]) -> Option<Strength> {
    let century = match signs[0] {
        b'1' | b'2' => 1800,
        b'3' | b'4' => 1900,
        b'5'..=b'8' => 2000,
        _ => return None,
    };
    let dated = is_date(century + number(&signs[1..3]), number(&signs[3..5]), number(&signs[5..7]));
    let mut rest = weighted(signs, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    if rest == 10 {
        rest = weighted(signs, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11;
    }
    (dated && rest % 10 == digit(signs[10])).then_some(Strength::Dated)
}

/// Personas kods: day of birth, century and order, then 1 and the sum by 10, 5, 8, 4, 2, 1, 6, 3, 7, 9 modulo 11; numbers given since July 2017
/// begin with 32 and tell nothing. Source: Latvia, Ministru kabineta noteikumi 360/2017 and those before.
pub fn personas_kods(signs: &[u8]) -> Option<Strength> {
    if signs.starts_with(b"32") {
        return Some(Strength::Shape);
    }
    let dated = is_short_date(&signs[4..6], number(&signs[2..4]), &signs[..2]) && matches!(signs[6], b'0'..=b'2');
    let check = (1 + weighted(signs, &[10, 5, 8, 4, 2, 1, 6, 3, 7, 9])) % 11 % 10;
    (dated && check == digit(signs[10])).then_some(Strength::Dated)
}
