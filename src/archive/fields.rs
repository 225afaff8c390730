//! Header fields as WARC and HTTP write them: `Name: value` lines up to an empty line.
//!
//! Read as leniently as archives are written: LF or CRLF, any case of names, folded values, spaces before the colon, lines without
//! a colon passed over.

use std::borrow::Cow;

/// The fields of one head: everything behind its first line.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The fields in `block`, which begins with the first field's line.
    #[must_use]
    pub fn new(block: &'a [u8]) -> Fields<'a> {
        Fields(block)
    }

    /// Names as written, and values unfolded and trimmed, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], Cow<'a, [u8]>)> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            loop {
                let line = first_line(rest);
                if line.trim_ascii().is_empty() {
                    return None;
                }
                let length = folded_length(rest);
                let whole = &rest[..length];
                rest = &rest[length..];
                if let Some(colon) = memchr::memchr(b':', line) {
                    return Some((whole[..colon].trim_ascii(), unfold(&whole[colon + 1..], line.len() == length)));
                }
            }
        })
    }

    /// The first value of the field called `name`, in any case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Cow<'a, [u8]>> {
        self.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// [`Fields::get`] as text; bytes that are no UTF-8 become U+FFFD.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| text(&value))
    }
}

/// A value as text; bytes that are no UTF-8 become U+FFFD.
#[must_use]
pub fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// The first line of `bytes`, its line end included.
pub(super) fn first_line(bytes: &[u8]) -> &[u8] {
    memchr::memchr(b'\n', bytes).map_or(bytes, |end| &bytes[..=end])
}

/// The length of a head up to and with its empty line; `None` where there is no empty line.
pub(super) fn length_to_empty_line(bytes: &[u8]) -> Option<usize> {
    let mut begin = 0;
    for end in memchr::memchr_iter(b'\n', bytes) {
        if matches!(&bytes[begin..end], [] | [b'\r']) {
            return Some(end + 1);
        }
        begin = end + 1;
    }
    None
}

fn folded_length(bytes: &[u8]) -> usize {
    let mut length = first_line(bytes).len();
    while matches!(bytes.get(length), Some(b' ' | b'\t')) && !first_line(&bytes[length..]).trim_ascii().is_empty() {
        length += first_line(&bytes[length..]).len();
    }
    length
}

fn unfold(value: &[u8], on_one_line: bool) -> Cow<'_, [u8]> {
    if on_one_line {
        return Cow::Borrowed(value.trim_ascii());
    }
    let lines: Vec<&[u8]> = value.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()).collect();
    Cow::Owned(lines.join(&b' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_in_any_case_folded_and_with_lf_only() {
        let fields = Fields::new(
            b"WARC-TYPE: response\r\nwarc-target-uri :\r\n\thttps://www.example.ee/\r\n  tere\r\nno colon\nLength:7\n\nBody: no",
        );
        assert_eq!(fields.text("warc-type").as_deref(), Some("response"));
        assert_eq!(fields.text("WARC-Target-URI").as_deref(), Some("https://www.example.ee/ tere"));
        assert_eq!(fields.text("length").as_deref(), Some("7"));
        assert_eq!(fields.text("body"), None);
    }
}
