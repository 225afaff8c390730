//! E-mail addresses, told from the `@`: no regular expression, only the sign's surroundings are looked at.

use std::ops::Range;

/// RFC 5321, 4.5.3.1: octets of a local part and of a domain.
const LOCAL_BYTES_MAX: usize = 64;
const DOMAIN_BYTES_MAX: usize = 255;

/// Endings of file names that look like domains: `logo@2x.png`.
const FILE_ENDINGS: &[&str] = &["png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "ico", "css", "js", "html", "htm"];

/// The e-mail address whose `@` is at `at`. Letters of Latin, Greek and Cyrillic count (RFC 6531); those of scripts that are written
/// without spaces do not, since they are the sentence around.
pub fn email_around(text: &str, at: usize) -> Option<Range<usize>> {
    let start = at - local_part(&text[..at])?;
    let domain = domain(&text[at + 1..])?;
    Some(start..at + 1 + domain)
}

fn is_letter_or_digit(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
        || (!letter.is_ascii() && matches!(u32::from(letter), 0..0x530 | 0x1E00..0x2000) && letter.is_alphanumeric())
}

/// Length of the local part at the end of `before`.
fn local_part(before: &str) -> Option<usize> {
    let mut length = 0;
    for letter in before.chars().rev() {
        if !is_letter_or_digit(letter) && !matches!(letter, '.' | '_' | '%' | '+' | '-' | '\'') {
            break;
        }
        length += letter.len_utf8();
        if length > LOCAL_BYTES_MAX {
            return None;
        }
    }
    let local = &before[before.len() - length..];
    let trimmed = local.trim_start_matches(['.', '\'', '-', '%', '+']);
    (!trimmed.is_empty() && !trimmed.ends_with('.')).then_some(trimmed.len())
}

/// Length of the domain at the beginning of `after`: labels between dots, the last one of letters.
fn domain(after: &str) -> Option<usize> {
    let length =
        after.char_indices().find(|(at, letter)| *at > DOMAIN_BYTES_MAX || !(is_letter_or_digit(*letter) || matches!(letter, '.' | '-')));
    let domain = after[..length.map_or(after.len(), |(at, _)| at)].trim_end_matches(['.', '-']);
    let (above, top) = domain.rsplit_once('.')?;
    let labels_hold = above.split('.').all(|label| !label.is_empty() && !label.starts_with('-'));
    let is_top = top.starts_with("xn--") || (top.chars().count() >= 2 && top.chars().all(char::is_alphabetic));
    (labels_hold && is_top && !FILE_ENDINGS.contains(&top.to_ascii_lowercase().as_str())).then_some(domain.len())
}
