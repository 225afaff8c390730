//! The arithmetic that check digits share: weighted sums, Luhn, ISO 7064, Verhoeff, and dates inside numbers.
//!
//! All functions take the digits (and capitals) of a number without its separators, as ASCII. Each rule of a country says in its own file
//! which of these it uses and who published it.

/// The value of an ASCII digit; other bytes count 0, since shapes are checked before.
pub fn digit(byte: u8) -> u32 {
    if byte.is_ascii_digit() { u32::from(byte - b'0') } else { 0 }
}

/// The number that `digits` spell, at most 19 of them.
pub fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |sum, byte| sum * 10 + u64::from(digit(*byte)))
}

/// Digit by weight, added up; as many digits as there are weights.
pub fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(byte, weight)| digit(*byte) * weight).sum()
}

/// Luhn's check over all digits, the last one being the check digit (ISO/IEC 7812-1, annex B).
pub fn luhn(digits: &[u8]) -> bool {
    let doubled = |value: u32| if value > 4 { value * 2 - 9 } else { value * 2 };
    let values = digits.iter().rev().map(|byte| digit(*byte));
    values.enumerate().map(|(place, value)| if place % 2 == 1 { doubled(value) } else { value }).sum::<u32>().is_multiple_of(10)
}

/// ISO 7064 MOD 11,10 over all digits, the last one being the check digit.
pub fn mod_11_10(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    let product = body.iter().fold(10, |product, byte| {
        let sum = (product + digit(*byte)) % 10;
        if sum == 0 { 9 } else { sum * 2 % 11 }
    });
    (product + digit(*check)) % 10 == 1
}

/// The remainder by 97 of digits and capitals, where A is 10 and Z is 35 (ISO 7064 MOD 97-10).
pub fn mod_97(alphanumerics: impl Iterator<Item = u8>) -> u32 {
    alphanumerics.fold(0, |rest, byte| match byte {
        b'A'..=b'Z' => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
        _ => (rest * 10 + digit(byte)) % 97,
    })
}

/// Verhoeff's check over all digits, the last one being the check digit (J. Verhoeff, Error Detecting Decimal Codes, 1969). The
/// multiplication is that of the dihedral group of order 10, the permutation is applied once more at every place.
pub fn verhoeff(digits: &[u8]) -> bool {
    const PERMUTATION: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let turned = |value: u32, times: usize| (0..times % 8).fold(value, |value, _| PERMUTATION[value as usize]);
    let times = |left: u32, right: u32| match (left < 5, right < 5) {
        (true, true) => (left + right) % 5,
        (true, false) => 5 + (left + right - 5) % 5,
        (false, true) => 5 + (left - 5 + 5 - right) % 5,
        (false, false) => (left - 5 + 5 - (right - 5)) % 5,
    };
    digits.iter().rev().enumerate().fold(0, |sum, (place, byte)| times(sum, turned(digit(*byte), place))) == 0
}

/// Whether there is such a day. Years of two digits count as of the 20th century, where every fourth is a leap year but 1900.
pub fn is_date(year: u64, month: u64, day: u64) -> bool {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// Whether two digits each of year, month and day are a day of the 20th or 21st century.
pub fn is_short_date(year: &[u8], month: u64, day: &[u8]) -> bool {
    is_date(2000 + number(year), month, number(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_hold_and_any_other_last_digit_does_not() {
        // Luhn's and Verhoeff's usual examples; 11,10 is that of ISO 7064 itself (0794 gives 5).
        for (check, number) in [(luhn as fn(&[u8]) -> bool, "79927398713"), (verhoeff, "2363"), (mod_11_10, "07945")] {
            let (body, last) = number.split_at(number.len() - 1);
            for other in 0..10 {
                assert_eq!(check(format!("{body}{other}").as_bytes()), other.to_string() == last, "{body}{other}");
            }
        }
    }

    #[test]
    fn days_that_are_none_are_told() {
        assert!(is_date(2000, 2, 29) && is_date(1996, 2, 29) && !is_date(1900, 2, 29) && !is_date(2023, 4, 31) && !is_date(2023, 13, 1));
    }
}
