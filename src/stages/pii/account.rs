//! Bank accounts (IBAN) and payment cards.

use super::check::{luhn, mod_97, number};
use super::shape::Run;

/// Length of an IBAN by country. Source: SWIFT, IBAN Registry, release 99 (European countries and those that bank with them).
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BY", 28),
    (b"CH", 21),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"EE", 20),
    (b"ES", 24),
    (b"FI", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"KZ", 20),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MT", 31),
    (b"NL", 18),
    (b"NO", 15),
    (b"PL", 28),
    (b"PT", 25),
    (b"RO", 24),
    (b"RS", 22),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"XK", 20),
];

/// How many signs of `run` are written as an IBAN of their country, whether its check digits hold or not.
pub fn iban_form(run: &Run) -> Option<usize> {
    let head = run.signs(4);
    if !head.first()?.is_ascii_uppercase() {
        return None;
    }
    let (_, length) = LENGTHS.iter().find(|(country, _)| head.starts_with(*country))?;
    let groups_of_four = (1..9).fold(0u64, |mask, group| mask | 1 << (4 * group));
    let breaks = run.breaks(*length);
    let is_written = breaks == 0 || breaks == groups_of_four & ((1 << length) - 1);
    (head.len() == 4 && head[2].is_ascii_digit() && head[3].is_ascii_digit() && is_written && run.stops_at(*length)).then_some(*length)
}

/// How many signs of `run` are an IBAN: country, two check digits, the country's length, ISO 7064 MOD 97-10 (ISO 13616-1). Written in one
/// piece or in groups of four.
pub fn iban(run: &Run) -> Option<usize> {
    let length = iban_form(run)?;
    let (head, body) = run.signs(length).split_at(4);
    (mod_97(body.iter().chain(head).copied()) == 1).then_some(length)
}

/// How many digits of `run` are a payment card: a range of an issuer (ISO/IEC 7812; the ranges as the schemes publish them), its length,
/// Luhn's digit. Written in one piece, in groups of four, or as 4-6-5 and 4-6-4.
pub fn card(run: &Run) -> Option<usize> {
    if !run.all_digits(0, 13) {
        return None;
    }
    [16, 15, 14, 13, 19].into_iter().find(|length| is_card(run, *length))
}

fn is_card(run: &Run, length: usize) -> bool {
    if !run.all_digits(0, length) || !run.stops_at(length) {
        return false;
    }
    let of_four = 1 << 4 | 1 << 8 | 1 << 12 | if length > 16 { 1 << 16 } else { 0 };
    let breaks = run.breaks(length);
    let is_written = breaks == 0 || breaks == of_four || (length < 16 && breaks == (1 << 4 | 1 << 10));
    let first = number(run.signs(4));
    let is_range = match length {
        16 => {
            matches!(first, 4000..=4999 | 5100..=5599 | 2221..=2720 | 6011 | 6440..=6599 | 3528..=3589 | 5018 | 5020 | 5038 | 6304 | 6759 | 6761..=6763)
        }
        15 => matches!(first, 3400..=3499 | 3700..=3799),
        14 => matches!(first, 3000..=3059 | 3600..=3699 | 3800..=3899),
        _ => matches!(first, 4000..=4999),
    };
    is_written && is_range && luhn(run.signs(length))
}
