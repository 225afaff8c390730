//! Identifiers of Poland, Czechia, Slovakia, Hungary, Romania and Bulgaria.

use super::Strength;
use crate::stages::pii::check::{digit, is_date, is_short_date, number, weighted};

/// PESEL: day of birth with the century in the month (1800 plus 80, 2000 plus 20, ..), order, digits by 1, 3, 7, 9 divisible by 10.
/// Source: Poland, ustawa o ewidencji ludności of 24 September 2010, article 15.
pub fn pesel(signs: &[u8]) -> Option<Strength> {
    let month = number(&signs[2..4]);
    let century = [1900, 2000, 2100, 2200, 1800][(month / 20) as usize];
    let dated = is_date(century + number(&signs[..2]), month % 20, number(&signs[4..6]));
    let sum = weighted(signs, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
    (dated && sum.is_multiple_of(10)).then_some(Strength::Dated)
}

/// Rodné číslo: day of birth (women's month plus 50, plus 20 more where orders ran out), order; ten digits are divisible by 11, or until 1985
/// the first nine leave 10 and the last is 0; numbers before 1954 have nine digits. Source: Czech law 133/2000, § 13; Slovak law 301/1995, § 2.
pub fn rodne_cislo(signs: &[u8]) -> Option<Strength> {
    let month = number(&signs[2..4]) % 50;
    let dated = is_short_date(&signs[..2], if month > 20 { month - 20 } else { month }, &signs[4..6]);
    if signs.len() == 9 {
        return (dated && number(&signs[..2]) < 54 && number(&signs[6..9]) > 0).then_some(Strength::Shape);
    }
    let is_old = number(&signs[..2]) < 86 && number(&signs[..9]) % 11 == 10 && signs[9] == b'0';
    (dated && (number(signs).is_multiple_of(11) || is_old)).then_some(Strength::Dated)
}

/// Személyi szám: sex and century, day of birth, order; digits by 1 to 10, or since 1997 by 10 to 1, modulo 11 (orders that leave 10 are not
/// given). Source: Hungary, law XX of 1996, appendix.
pub fn szemelyi_szam(signs: &[u8]) -> Option<Strength> {
    let century = match signs[0] {
        b'1' | b'2' | b'5' | b'6' => 1900,
        b'3' | b'4' | b'7' | b'8' => 2000,
        _ => return None,
    };
    let year = century + number(&signs[1..3]);
    let is_new = year >= 1997;
    let weights: [u32; 10] = std::array::from_fn(|place| if is_new { 10 - place as u32 } else { place as u32 + 1 });
    let dated = is_date(year, number(&signs[3..5]), number(&signs[5..7]));
    (dated && weighted(signs, &weights) % 11 == digit(signs[10])).then_some(Strength::Dated)
}

/// TAJ: digits by 3 and 7 in turn, modulo 10. Source: Hungary, law XX of 1996, appendix.
pub fn taj(signs: &[u8]) -> Option<Strength> {
    let sum = weighted(signs, &[3, 7, 3, 7, 3, 7, 3, 7]);
    (number(&signs[..8]) > 0 && sum % 10 == digit(signs[8])).then_some(Strength::Plain)
}

/// Cod numeric personal: sex and century, day of birth, county, order; digits by 2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9 modulo 11, 10 counts 1.
/// Source: Romania, law 105/1996 and OUG 97/2005; counties 1 to 52, 70 and 80 to 83.
pub fn cnp(signs: &[u8]) -> Option<Strength> {
    let century = match signs[0] {
        b'1' | b'2' | b'7'..=b'9' => 1900,
        b'3' | b'4' => 1800,
        b'5' | b'6' => 2000,
        _ => return None,
    };
    let dated = is_date(century + number(&signs[1..3]), number(&signs[3..5]), number(&signs[5..7]));
    let is_county = matches!(number(&signs[7..9]), 1..=52 | 70 | 80..=83);
    let rest = weighted(signs, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    (dated && is_county && (if rest == 10 { 1 } else { rest }) == digit(signs[12])).then_some(Strength::Strong)
}

/// EGN: day of birth (month plus 20 before 1900, plus 40 since 2000), order; digits by 2, 4, 8, 5, 10, 9, 7, 3, 6 modulo 11, 10 counts 0.
/// Source: Bulgaria, Наредба РД-02-20-9/2012 (ГРАО).
pub fn egn(signs: &[u8]) -> Option<Strength> {
    let month = number(&signs[2..4]);
    let century = *[1900, 1800, 2000].get((month / 20) as usize)?;
    let dated = is_date(century + number(&signs[..2]), month % 20, number(&signs[4..6]));
    let rest = weighted(signs, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11;
    (dated && rest % 10 == digit(signs[9])).then_some(Strength::Dated)
}
