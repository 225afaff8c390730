//! The charset that a page's own first bytes declare: a `meta` element or an XML declaration, found by a scan in the manner of the
//! HTML Standard ("prescan a byte stream to determine its encoding"), but further into the page, as real heads are long.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use memchr::memmem;

use super::sniff;

/// How far is looked; the standard asks for 1024 and lets readers go further.
const PRESCAN_BYTES: usize = 4096;

/// The encoding that `markup` declares for itself.
pub(super) fn declared(markup: &[u8]) -> Option<&'static Encoding> {
    let window = &markup[..markup.len().min(PRESCAN_BYTES)];
    meta(window).or_else(|| xml_declaration(window))
}

/// The encoding called `label`, as a declaration inside an ASCII-compatible page can mean it.
pub(super) fn for_label(label: &[u8]) -> Option<&'static Encoding> {
    if label.trim_ascii().eq_ignore_ascii_case(b"x-user-defined") {
        return Some(WINDOWS_1252);
    }
    let encoding = Encoding::for_label_no_replacement(label)?;
    // Had it been UTF-16, the declaration could not have been read (HTML Standard, 13.2.3.2).
    Some(if encoding == UTF_16LE || encoding == UTF_16BE { UTF_8 } else { encoding })
}

fn xml_declaration(window: &[u8]) -> Option<&'static Encoding> {
    let start = window.trim_ascii_start();
    let declaration = start.starts_with(b"<?xml").then(|| &start[..memchr::memchr(b'>', start).unwrap_or(start.len())])?;
    let value = declaration[memmem::find(declaration, b"encoding")? + 8..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first()?;
    for_label(&value[..memchr::memchr(*quote, value)?])
}

fn meta(window: &[u8]) -> Option<&'static Encoding> {
    let mut at = 0;
    while let Some(open) = memchr::memchr(b'<', &window[at..]) {
        at += open;
        let rest = &window[at..];
        if rest.starts_with(b"<!--") {
            at += memmem::find(&rest[2..], b"-->")? + 5;
        } else if rest.get(1..5).is_some_and(|name| name.eq_ignore_ascii_case(b"meta"))
            && rest.get(5).is_some_and(|byte| is_space(*byte) || *byte == b'/')
        {
            let (found, length) = meta_element(&rest[5..]);
            if found.is_some() {
                return found;
            }
            at += 5 + length;
        } else {
            at += 1;
        }
    }
    None
}

/// Reads the attributes of one `meta`; returns what it declares and its length.
fn meta_element(bytes: &[u8]) -> (Option<&'static Encoding>, usize) {
    let (mut charset, mut content, mut is_content_type) = (None, None, false);
    let mut at = 0;
    while let Some((name, value, length)) = attribute(&bytes[at..]) {
        at += length;
        if name.eq_ignore_ascii_case(b"charset") {
            charset = charset.or_else(|| for_label(value));
        } else if name.eq_ignore_ascii_case(b"http-equiv") {
            is_content_type = value.trim_ascii().eq_ignore_ascii_case(b"content-type");
        } else if name.eq_ignore_ascii_case(b"content") {
            content = std::str::from_utf8(value).ok().and_then(sniff::charset).and_then(|label| for_label(label.as_bytes()));
        }
    }
    (charset.or(content.filter(|_| is_content_type)), at)
}

/// The next attribute (name, value) and where it ends; `None` at the element's end.
fn attribute(bytes: &[u8]) -> Option<(&[u8], &[u8], usize)> {
    let begin = bytes.iter().position(|byte| !is_space(*byte) && *byte != b'/')?;
    if bytes[begin] == b'>' {
        return None;
    }
    let name_length = bytes[begin + 1..].iter().position(|byte| is_space(*byte) || matches!(byte, b'=' | b'>' | b'/'))? + 1;
    let name_end = begin + name_length;
    let name = &bytes[begin..name_end];
    let equals = skip_spaces(bytes, name_end);
    if bytes.get(equals) != Some(&b'=') {
        return Some((name, &[], name_end));
    }
    let value = skip_spaces(bytes, equals + 1);
    match bytes.get(value)? {
        quote @ (b'"' | b'\'') => {
            let length = memchr::memchr(*quote, &bytes[value + 1..])?;
            Some((name, &bytes[value + 1..value + 1 + length], value + length + 2))
        }
        _ => {
            let length = bytes[value..].iter().position(|byte| is_space(*byte) || *byte == b'>')?;
            Some((name, &bytes[value..value + length], value + length))
        }
    }
}

fn skip_spaces(bytes: &[u8], from: usize) -> usize {
    from + bytes[from..].iter().take_while(|byte| is_space(**byte)).count()
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_found_as_browsers_find_them() {
        for (markup, name) in [
            ("<html><meta charset=ISO-8859-2>", Some("ISO-8859-2")),
            ("<META HTTP-EQUIV='Content-Type' CONTENT='text/html; charset=windows-1257'>", Some("windows-1257")),
            ("<meta content=\"text/html;charset=koi8-r\" http-equiv=content-type />", Some("KOI8-R")),
            ("<meta content='text/html; charset=koi8-r' name=description>", None),
            ("<!-- <meta charset=koi8-r> --><meta\ncharset = \"iso-8859-1\">", Some("windows-1252")),
            ("<!--><meta charset=koi8-r>", Some("KOI8-R")),
            ("<meta charset=utf-16>", Some("UTF-8")),
            ("<meta name=a content=b><meta charset='windows-1250'>", Some("windows-1250")),
            ("<?xml version=\"1.0\" encoding=\"ISO-8859-15\"?><html>", Some("ISO-8859-15")),
            ("<metadata charset=koi8-r>", None),
            ("<meta charset=nonsense><meta charset=koi8-r>", Some("KOI8-R")),
            ("<meta charset", None),
            ("<meta ", None),
        ] {
            assert_eq!(declared(markup.as_bytes()).map(Encoding::name), name, "{markup}");
        }
    }
}
