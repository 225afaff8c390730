//! Patterns of paths as robots.txt, TDMRep and AIPREF write them: a prefix, `*` for any bytes, `$` at the end for the end.
//!
//! Percent-encoding is undone on both sides, so that `%24` is the dollar sign and `/zpr%C3%A1vy` is `/zprávy`; only what would change the
//! parts of an address stays encoded. `robots` undoes less, as Google's matcher does, and goes on deciding what may be fetched.

use url::{Position, Url};

/// A pattern, cut at its stars.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pieces: Vec<Vec<u8>>,
    /// Whether the path must end where the pattern does.
    anchored: bool,
    /// Its length as written, by which rules are weighed.
    pub(super) length: usize,
}

impl Pattern {
    pub(super) fn new(written: &[u8]) -> Pattern {
        let (body, anchored) = written.strip_suffix(b"$").map_or((written, false), |body| (body, true));
        Pattern { pieces: body.split(|byte| *byte == b'*').map(plain).collect(), anchored, length: written.len() }
    }

    /// Whether `path`, as [`path_of`] gives it, matches. The first place for each piece is as good as any later one.
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        let Some((first, rest)) = self.pieces.split_first() else { return false };
        let Some(mut left) = path.strip_prefix(first.as_slice()) else { return false };
        let Some((last, middle)) = rest.split_last() else { return !self.anchored || left.is_empty() };
        for piece in middle {
            let Some(at) = memchr::memmem::find(left, piece) else { return false };
            left = &left[at + piece.len()..];
        }
        if self.anchored { left.ends_with(last) } else { memchr::memmem::find(left, last).is_some() }
    }
}

/// Path and query of `url`, an absolute address or a path, ready to be matched.
pub(super) fn path_of(url: &str) -> Vec<u8> {
    match Url::parse(url) {
        Ok(url) => plain(url[Position::BeforePath..Position::AfterQuery].as_bytes()),
        Err(_) if url.starts_with('/') => plain(url.split('#').next().unwrap_or_default().as_bytes()),
        Err(_) => b"/".to_vec(),
    }
}

/// With percent-encoding undone, except for the signs that part an address.
fn plain(written: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(written.len());
    let mut at = 0;
    while let Some(byte) = written.get(at) {
        let code = written.get(at..at + 3).filter(|_| *byte == b'%').and_then(encoded);
        match code {
            None => plain.push(*byte),
            Some(code) if b"/?#%".contains(&code) => plain.extend(written[at..at + 3].to_ascii_uppercase()),
            Some(code) => plain.push(code),
        }
        at += if code.is_some() { 3 } else { 1 };
    }
    plain
}

/// The byte that `%` and two digits stand for.
fn encoded(code: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(code[1])? << 4 | digit(code[2])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_prefix_with_stars_and_perhaps_an_end() {
        for (pattern, url, matches) in [
            ("/", "https://ostrov.example.cz", true),
            ("", "https://ostrov.example.cz/a", true),
            ("/zprávy", "https://ostrov.example.cz/zpr%c3%a1vy/1", true),
            ("/zpr%C3%A1vy", "https://ostrov.example.cz/zprávy", true),
            ("/Zpravy", "https://ostrov.example.cz/zpravy", false),
            ("/a/*/b", "/a/x/y/b/c", true),
            ("/*.pdf$", "/a.pdf?v=1", false),
            ("/*.pdf$", "/a.pdf.pdf", true),
            ("/exactly$", "/exactly", true),
            ("/exactly$", "/exactly/not", false),
            ("/foo-%24", "/foo-$", true),
            ("/foo-%2A", "/foo-*", true),
            ("/foo-%2A", "/foo-x", false),
            ("/a%2fb", "/a/b", false),
            ("/a%2fb", "/a%2Fb", true),
            ("/100%", "/100%", true),
            ("/?s=", "https://ostrov.example.cz/?s=%C5%BEába#nahoru", true),
            ("nowhere", "/nowhere", false),
        ] {
            assert_eq!(Pattern::new(pattern.as_bytes()).matches(&path_of(url)), matches, "{pattern} {url}");
        }
    }
}
