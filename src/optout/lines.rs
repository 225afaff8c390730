//! Lines of files that are written like robots.txt, each with its number, so that a signal can say where it stands.

/// Bytes of a file that are read, as RFC 9309, 2.5 asks for at least.
const FILE_BYTES_MAX: usize = 500 << 10;
/// Bytes of a line that are read; the rest says nothing. As [`crate::robots`] reads them.
const LINE_BYTES_MAX: usize = 2_083 * 8 - 1;

/// `key: value`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// The first one is 1.
    pub(super) number: usize,
    /// As written; to be compared in any case.
    pub(super) key: &'a [u8],
    pub(super) value: &'a [u8],
    /// All of it, without the comment.
    pub(super) text: &'a [u8],
}

impl<'a> Line<'a> {
    /// `None` where there is no key.
    pub(super) fn parse(number: usize, line: &'a [u8]) -> Option<Line<'a>> {
        let line = &line[..line.len().min(LINE_BYTES_MAX)];
        let end = line.iter().position(|byte| matches!(byte, b'#' | 0)).unwrap_or(line.len());
        let text = line[..end].trim_ascii();
        let colon = memchr::memchr(b':', text)?;
        Some(Line { number, key: text[..colon].trim_ascii(), value: text[colon + 1..].trim_ascii(), text })
    }

    pub(super) fn is(&self, key: &str) -> bool {
        self.key.eq_ignore_ascii_case(key.as_bytes())
    }
}

/// The part of a file that is read.
fn capped(file: &[u8]) -> &[u8] {
    &file[..file.len().min(FILE_BYTES_MAX)]
}

/// The lines that have a key, without byte order mark and comments.
pub(super) fn lines(file: &[u8]) -> impl Iterator<Item = Line<'_>> {
    numbered(file).filter_map(|(number, line)| Line::parse(number, line))
}

/// Lines as written and their numbers; CR, LF or both end one.
pub(super) fn numbered(file: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut rest = capped(file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file));
    let mut number = 0;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        let gap = if rest[end..].starts_with(b"\r\n") { 2 } else { 1 };
        rest = rest.get(end + gap..).unwrap_or_default();
        number += 1;
        Some((number, line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_numbers_whatever_ends_them() {
        let file = "\u{feff}User-Agent: *\r\n\r\n# nic\rDisallow : /tajné # jen pro nás\nbez dvojtečky\nLicense: https://a.example/l";
        let found: Vec<(usize, &[u8], &[u8])> = lines(file.as_bytes()).map(|line| (line.number, line.key, line.value)).collect();
        assert_eq!(
            found,
            [(1, &b"User-Agent"[..], &b"*"[..]), (4, b"Disallow", "/tajné".as_bytes()), (6, b"License", b"https://a.example/l"),]
        );
    }
}
