//! Days as they are written: in digits, and with the month's name.

use super::check::{is_date, number};

/// A day in digits at `place`: `3.5.1985`, `03/05/1985`, `1985-05-03`; where it ends.
fn day_in_digits(text: &[u8], place: usize) -> Option<usize> {
    let (mut parts, mut at) = ([0u64; 3], place);
    let mut lengths = [0; 3];
    for part in 0..3 {
        let length = text[at..].iter().take(5).take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 || length > 4 {
            return None;
        }
        (parts[part], lengths[part]) = (number(&text[at..at + length]), length);
        at += length;
        if part < 2 {
            if !matches!(text.get(at), Some(b'.' | b'/' | b'-')) {
                return None;
            }
            at += 1 + usize::from(text.get(at + 1) == Some(&b' '));
        }
    }
    let [first, second, third] = parts;
    let holds = match lengths {
        [4, _, 1 | 2] => is_date(first, second, third),
        [1 | 2, 1 | 2, 4] => is_date(third, second, first) || is_date(third, first, second),
        _ => false,
    };
    (holds && (1800..2100).contains(&first.max(third))).then_some(at)
}

/// Whether a day stands at `place`.
pub fn is_date_at(text: &[u8], place: usize) -> bool {
    day_in_digits(text, place).is_some()
}

/// A day at `place`, in digits or with a word for the month between day and year; where it ends.
pub fn birth_date(text: &str, place: usize) -> Option<usize> {
    day_in_digits(text.as_bytes(), place).or_else(|| day_with_word(text, place))
}

/// `3 de mayo de 1985`, `3. Mai 1985`, `1985. május 3`: a number, at most 24 bytes without digits, a number; one of both a year.
fn day_with_word(text: &str, place: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let run = |at: usize| bytes[at..].iter().take(5).take_while(|byte| byte.is_ascii_digit()).count();
    let first = run(place);
    let between = bytes[place + first..].iter().take(25).take_while(|byte| !byte.is_ascii_digit() && **byte != b'\n').count();
    let second_at = place + first + between;
    let second = if between < 25 && second_at < bytes.len() { run(second_at) } else { 0 };
    let word = text.get(place + first..second_at)?;
    let words = word.split(|letter: char| !letter.is_alphabetic()).filter(|word| !word.is_empty()).count();
    let is_day = |length: usize| matches!(length, 1 | 2);
    let is_year = |at: usize, length: usize| length == 4 && (1800..2100).contains(&number(&bytes[at..at + 4]));
    let holds = is_day(first) && is_year(second_at, second) || is_year(place, first) && is_day(second);
    (holds && matches!(words, 1..=3)).then_some(second_at + second)
}
