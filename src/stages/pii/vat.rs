//! VAT numbers: with their country's letters and, where it has one, its check digit.
//!
//! Lengths are those of the European Commission's VIES ("VAT identification number structure"); check digits are those that the national
//! administrations publish, as far as a number of that country must have one.

use super::check::{digit, luhn, mod_11_10, mod_97, number, weighted};
use super::national::south_checks::{cyprus_check, nif_check};
use super::shape::Run;

/// A country's VAT number: letters before it, country in lower case, lengths without the letters, check.
struct Plan {
    letters: &'static str,
    country: &'static str,
    lengths: &'static [usize],
    holds: fn(&[u8]) -> bool,
}

const fn plan(letters: &'static str, country: &'static str, lengths: &'static [usize], holds: fn(&[u8]) -> bool) -> Plan {
    Plan { letters, country, lengths, holds }
}

const PLANS: &[Plan] = &[
    plan("ATU", "at", &[8], austria),
    plan("BE", "be", &[10], |signs| matches!(signs[0], b'0' | b'1') && 97 - number(&signs[..8]) % 97 == number(&signs[8..])),
    plan("BG", "bg", &[9, 10], bulgaria),
    plan("CHE", "ch", &[9], |signs| modulo_11(signs, &[5, 4, 3, 2, 7, 6, 5, 4, 1])),
    plan("CY", "cy", &[9], |signs| digits(&signs[..8]) && cyprus_check(signs)),
    plan("CZ", "cz", &[8], czech),
    plan("DE", "de", &[9], |signs| signs[0] != b'0' && mod_11_10(signs)),
    plan("DK", "dk", &[8], |signs| modulo_11(signs, &[2, 7, 6, 5, 4, 3, 2, 1])),
    plan("EE", "ee", &[9], |signs| (weighted(signs, &[3, 7, 1, 3, 7, 1, 3, 7, 1])).is_multiple_of(10)),
    plan("EL", "gr", &[9], greece),
    plan("ES", "es", &[9], spain),
    plan("FI", "fi", &[8], |signs| modulo_11(signs, &[7, 9, 10, 5, 8, 4, 2, 1])),
    plan("FR", "fr", &[11], |signs| digits(signs) && (number(&signs[2..]) * 100 + 12) % 97 == number(&signs[..2])),
    plan("GB", "gb", &[9], britain),
    plan("HR", "hr", &[11], mod_11_10),
    plan("HU", "hu", &[8], |signs| weighted(signs, &[9, 7, 3, 1, 9, 7, 3, 1]).is_multiple_of(10)),
    plan("IE", "ie", &[8, 9], ireland),
    plan("IT", "it", &[11], luhn),
    plan("LT", "lt", &[9, 12], lithuania),
    plan("LU", "lu", &[8], |signs| number(&signs[..6]) % 89 == number(&signs[6..])),
    plan("LV", "lv", &[11], |signs| signs[0] > b'3' && weighted(signs, &[9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1]) % 11 == 3),
    plan("MT", "mt", &[8], malta),
    plan("NL", "nl", &[12], netherlands),
    plan("PL", "pl", &[10], |signs| weighted(signs, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == digit(signs[9])),
    plan("PT", "pt", &[9], nif_check),
    plan("RO", "ro", &[6, 7, 8, 9, 10], romania),
    plan("SE", "se", &[12], |signs| signs.ends_with(b"01") && luhn(&signs[..10])),
    plan("SI", "si", &[8], |signs| signs[0] != b'0' && slovenia(signs)),
    plan("SK", "sk", &[10], |signs| number(signs).is_multiple_of(11)),
];

/// A VAT number at the beginning of `run`: signs and country. Without the country's letters only with `countries`, for which the page's
/// language or its words speak.
pub fn vat(run: &Run, countries: &[&str]) -> Option<(usize, &'static str)> {
    let head = run.signs(3);
    let is_named = head.first()?.is_ascii_uppercase();
    if !is_named && countries.is_empty() {
        return None;
    }
    for plan in PLANS {
        let has_letters = is_named && head.starts_with(plan.letters.as_bytes());
        let from = match has_letters {
            true => plan.letters.len(),
            false if !is_named && countries.contains(&plan.country) => 0,
            false => continue,
        };
        for length in plan.lengths.iter().rev() {
            let signs = run.signs(from + length);
            if signs.len() == from + length
                && run.stops_at(from + length)
                && is_plausible(plan, &signs[from..])
                && (plan.holds)(&signs[from..])
            {
                return Some((from + length, plan.country));
            }
        }
    }
    None
}

/// Whether letters stand only where the country has them.
fn is_plausible(plan: &Plan, signs: &[u8]) -> bool {
    matches!(plan.country, "es" | "ie" | "cy" | "nl") || digits(signs)
}

fn digits(signs: &[u8]) -> bool {
    signs.iter().all(u8::is_ascii_digit)
}

fn modulo_11(signs: &[u8], weights: &[u32]) -> bool {
    weighted(signs, weights).is_multiple_of(11)
}

/// BMF: digits by 1 and 2 in turn, the digits of products added, plus 4.
fn austria(signs: &[u8]) -> bool {
    let sum: u32 =
        (0..7).map(|place| digit(signs[place]) * if place % 2 == 1 { 2 } else { 1 }).map(|product| product / 10 + product % 10).sum();
    (10 - (sum + 4) % 10) % 10 == digit(signs[7])
}

/// EIK of companies: digits by 1 to 8, where that leaves 10 by 3 to 10.
fn bulgaria(signs: &[u8]) -> bool {
    let rest = |first: u32| (0..8).map(|place| digit(signs[place as usize]) * (place + first)).sum::<u32>() % 11;
    let check = if rest(1) == 10 { rest(3) % 10 } else { rest(1) };
    signs.len() == 9 && check == digit(signs[8])
}

fn czech(signs: &[u8]) -> bool {
    let rest = (11 - weighted(signs, &[8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    signs[0] != b'9'
        && digit(signs[7])
            == match rest {
                0 => 1,
                10 => 0,
                rest => rest,
            }
}

/// AFM: digits by powers of two, modulo 11.
fn greece(signs: &[u8]) -> bool {
    weighted(signs, &[256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10 == digit(signs[8]) && number(signs) > 0
}

/// CIF of organisations, or NIF of persons.
fn spain(signs: &[u8]) -> bool {
    if !digits(&signs[1..8]) {
        return false;
    }
    if signs[0].is_ascii_digit() {
        return b"TRWAGMYFPDXBNJZSQVHLCKE"[(number(&signs[..8]) % 23) as usize] == signs[8];
    }
    if let Some(first @ 0..3) = signs[0].checked_sub(b'X') {
        return b"TRWAGMYFPDXBNJZSQVHLCKE"[((u64::from(first) * 10_000_000 + number(&signs[1..8])) % 23) as usize] == signs[8];
    }
    let odd = |byte: u8| digit(byte) * 2 / 10 + digit(byte) * 2 % 10;
    let sum: u32 = (1..8).map(|place| if place % 2 == 1 { odd(signs[place]) } else { digit(signs[place]) }).sum();
    let check = (10 - sum % 10) % 10;
    b"ABCDEFGHJNPQRSUVW".contains(&signs[0]) && (signs[8] == b'0' + check as u8 || signs[8] == b"JABCDEFGHI"[check as usize])
}

/// HMRC: digits by 8 to 2 and the last two, divisible by 97, or since 2010 with 55 added.
fn britain(signs: &[u8]) -> bool {
    let sum = u64::from(weighted(signs, &[8, 7, 6, 5, 4, 3, 2])) + number(&signs[7..9]);
    sum.is_multiple_of(97) || (sum + 55).is_multiple_of(97)
}

fn ireland(signs: &[u8]) -> bool {
    if !digits(&signs[..7]) {
        return false;
    }
    let second = signs.get(8).map_or(0, |letter| u32::from(letter.wrapping_sub(b'A')) + 1);
    let sum = weighted(signs, &[8, 7, 6, 5, 4, 3, 2]) + if second < 10 { 9 * second } else { 0 };
    b"WABCDEFGHIJKLMNOPQRSTUV"[(sum % 23) as usize] == signs[7]
}

fn lithuania(signs: &[u8]) -> bool {
    let body = signs.len() - 1;
    let rest = |first: usize| (0..body).map(|place| digit(signs[place]) * ((place + first) % 9 + 1) as u32).sum::<u32>() % 11;
    let check = if rest(0) == 10 { rest(2) % 10 } else { rest(0) };
    signs[body - 1] == b'1' && check == digit(signs[body])
}

fn malta(signs: &[u8]) -> bool {
    weighted(signs, &[3, 4, 6, 7, 8, 9, 10, 1]).is_multiple_of(37)
}

/// Nine digits, B, two digits: an old number of nine with the rule of the BSN, or since 2020 MOD 97-10 over NL and all signs.
fn netherlands(signs: &[u8]) -> bool {
    let is_old = weighted(signs, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 == digit(signs[8]);
    signs[9] == b'B' && digits(&signs[..9]) && digits(&signs[10..]) && (is_old || mod_97(b"NL".iter().chain(signs).copied()) == 1)
}

fn romania(signs: &[u8]) -> bool {
    let mut padded = [b'0'; 10];
    padded[10 - signs.len()..].copy_from_slice(signs);
    weighted(&padded, &[7, 5, 3, 2, 1, 7, 5, 3, 2]) * 10 % 11 % 10 == digit(padded[9]) && signs[0] != b'0'
}

fn slovenia(signs: &[u8]) -> bool {
    let check = 11 - weighted(signs, &[8, 7, 6, 5, 4, 3, 2]) % 11;
    check < 11 && check % 10 == digit(signs[7])
}
