//! Where a number or address may begin and end: not inside a word, a longer number, a path or a version.

/// Whether the character that ends at `end` is a letter or digit of any script.
pub fn is_letter_before(text: &[u8], end: usize) -> bool {
    let start = (end.saturating_sub(4)..end).rev().find(|at| text[*at] & 0xC0 != 0x80).unwrap_or(end.saturating_sub(1));
    is_letter(&text[start..end])
}

/// Whether the character that begins at `start` is a letter or digit of any script.
pub fn is_letter_behind(text: &[u8], start: usize) -> bool {
    let end = (start + 1..text.len().min(start + 4)).find(|at| text[*at] & 0xC0 != 0x80).unwrap_or(text.len().min(start + 4));
    is_letter(&text[start..end])
}

fn is_letter(utf8: &[u8]) -> bool {
    std::str::from_utf8(utf8).is_ok_and(|text| text.chars().all(|letter| letter.is_alphanumeric() || letter == '_'))
}

/// Whether a number may begin at `start`: no letter or digit before it, nor a sign that joins it to one, nor a path or query of an address.
pub fn is_border_before(text: &[u8], start: usize) -> bool {
    let Some(before) = start.checked_sub(1).map(|at| text[at]) else { return true };
    match before {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'=' | b'&' | b'#' | b'@' | b'%' | b'$' => false,
        b'.' | b',' | b'-' | b'/' => start < 2 || !(text[start - 2].is_ascii_alphanumeric() || text[start - 2] == before),
        0x80.. => !is_letter_before(text, start),
        _ => true,
    }
}

/// Whether a number may end at `end`.
pub fn is_border_after(text: &[u8], end: usize) -> bool {
    let Some(after) = text.get(end) else { return true };
    match after {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'@' | b'%' | b'=' => false,
        b'.' | b',' | b'-' | b'\'' | b'/' => text.get(end + 1).is_none_or(|next| !next.is_ascii_alphanumeric()),
        0x80.. => !is_letter_behind(text, end),
        _ => true,
    }
}
