//! What a body is by its first bytes, after the WHATWG MIME Sniffing Standard, as far as a reader of texts must know it: servers
//! leave the type out, or call everything `text/html`.

/// How far is looked.
const SNIFF_BYTES: usize = 1024;

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// Markup.
    Html,
    /// Text without a telling beginning, or markup that begins late.
    Text,
    /// An image, archive, document or program.
    Binary,
}

/// Beginnings of binary formats that are sent as pages: PDF, PNG, JPEG, GIF, WebP and others in RIFF, ZIP, RAR, 7z, ELF, Ogg, ID3,
/// TIFF, compound documents, WOFF.
const BINARY_BEGINNINGS: [&[u8]; 18] = [
    b"%PDF-",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"RIFF",
    b"PK\x03\x04",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x7fELF",
    b"OggS",
    b"ID3",
    b"II*\0",
    b"MM\0*",
    b"\xd0\xcf\x11\xe0",
    b"wOFF",
    b"wOF2",
    b"\x1f\x8b\x08",
];

/// Tags that a page begins with (MIME Sniffing Standard, 7.1), each to be followed by a space or `>`.
const TAGS: [&[u8]; 18] = [
    b"<!doctype html",
    b"<html",
    b"<head",
    b"<script",
    b"<iframe",
    b"<h1",
    b"<div",
    b"<font",
    b"<table",
    b"<a",
    b"<style",
    b"<title",
    b"<b",
    b"<body",
    b"<br",
    b"<p",
    b"<meta",
    b"<link",
];

/// Looks at the beginning of a body.
#[must_use]
pub fn look(body: &[u8]) -> Looks {
    if BINARY_BEGINNINGS.iter().any(|beginning| body.starts_with(beginning)) {
        return Looks::Binary;
    }
    let wide = matches!(body, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) || is_utf16(body).is_some();
    let window = &body[..body.len().min(SNIFF_BYTES)];
    if !wide && window.iter().filter(|byte| is_binary(**byte)).count() * 50 > window.len() {
        return Looks::Binary;
    }
    let start = window.strip_prefix(b"\xef\xbb\xbf").unwrap_or(window).trim_ascii_start();
    let is_tag = |tag: &&[u8]| {
        start.get(..tag.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(tag))
            && matches!(start.get(tag.len()), Some(b' ' | b'>' | b'\n' | b'\r' | b'\t'))
    };
    let is_xhtml = || start.starts_with(b"<?xml") && memchr::memmem::find(window, b"<html").is_some();
    if start.starts_with(b"<!--") || TAGS.iter().any(is_tag) || is_xhtml() { Looks::Html } else { Looks::Text }
}

/// Whether the beginning holds nothing that a text would not: control characters, or mostly bytes above ASCII that are no UTF-8.
#[must_use]
pub fn is_text(body: &[u8]) -> bool {
    let window = &body[..body.len().min(SNIFF_BYTES)];
    let high = window.iter().filter(|byte| !byte.is_ascii()).count();
    let is_utf8 = std::str::from_utf8(window).map_or_else(|error| error.error_len().is_none(), |_| true);
    !window.iter().any(|byte| is_binary(*byte)) && (is_utf8 || high * 3 < window.len())
}

/// Control characters that no text has (MIME Sniffing Standard, "binary data byte").
fn is_binary(byte: u8) -> bool {
    matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f)
}

/// Whether text without a byte order mark is UTF-16: markup is ASCII, so every other byte at its beginning is zero.
/// `Some(true)` is little endian.
#[must_use]
pub fn is_utf16(body: &[u8]) -> Option<bool> {
    let window = &body[..body.len().min(SNIFF_BYTES) & !1];
    let zeros = |parity: usize| window.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    // A fifth of all characters: markup and spaces alone make more, also in Greek and Cyrillic pages.
    let enough = window.len() / 2 / 5;
    match (even, odd) {
        _ if window.len() < 8 => None,
        (even, odd) if odd > enough && even * 10 < odd => Some(true),
        (even, odd) if even > enough && odd * 10 < even => Some(false),
        _ => None,
    }
}

/// A media type without its parameters, in lower case: `text/html`.
#[must_use]
pub fn essence(content_type: &str) -> String {
    content_type.split([';', ',']).next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The charset parameter of a media type.
#[must_use]
pub fn charset(content_type: &str) -> Option<&str> {
    let lower = content_type.to_ascii_lowercase();
    let begin = lower.find("charset")? + "charset".len();
    let value = content_type.get(begin..)?.trim_start().strip_prefix('=')?.trim_start();
    let value = value.trim_start_matches(['"', '\'']);
    let end = value.find(|c: char| c.is_whitespace() || matches!(c, ';' | ',' | '"' | '\'')).unwrap_or(value.len());
    Some(&value[..end]).filter(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_told_apart_by_their_beginning() {
        for (body, want) in [
            (&b"\n  <!DOCTYPE HTML PUBLIC><html>"[..], Looks::Html),
            (b"\xef\xbb\xbf<HTML lang=hr>", Looks::Html),
            (b"<?xml version='1.0'?>\n<html xmlns='http://www.w3.org/1999/xhtml'>", Looks::Html),
            (b"<?xml version='1.0'?><rss>", Looks::Text),
            (b"Tere hommikust", Looks::Text),
            (b"<html\0 lang=sl>Dober dan, kako ste? Danes je lep dan za sprehod ob morju.", Looks::Text),
            (b"%PDF-1.4", Looks::Binary),
            (b"\x89PNG\r\n", Looks::Binary),
            (b"\x01\x02\x03\x04", Looks::Binary),
            (b"", Looks::Text),
        ] {
            assert_eq!(look(body), want, "{}", String::from_utf8_lossy(body));
        }
        let wide: Vec<u8> = "Καλημέρα <b>κόσμε</b>, τι κάνεις".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(is_utf16(&wide), Some(true));
        assert_ne!(look(&wide), Looks::Binary);
    }

    #[test]
    fn media_types_are_taken_apart() {
        assert_eq!(essence("Text/HTML; Charset=utf-8"), "text/html");
        assert_eq!(charset("text/html; Charset = \"ISO-8859-2\""), Some("ISO-8859-2"));
        assert_eq!(charset("text/html;charset='windows-1250';x"), Some("windows-1250"));
        assert_eq!(charset("text/html; charset="), None);
        assert_eq!(charset("text/html"), None);
    }
}
