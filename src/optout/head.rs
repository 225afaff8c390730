//! Finds the `<meta>` tags of a page's head without parsing the page: comments, scripts and styles are stepped over, the rest is
//! searched for `<`. Linear in the bytes; markup that never ends a tag or a script ends the search.

use memchr::{memchr, memmem};

/// Calls `found` with name (or http-equiv) and content of every `<meta>` before the body. Neither is decoded or changed in case.
pub(super) fn each_meta<'a>(head: &'a [u8], mut found: impl FnMut(&'a [u8], &'a [u8])) {
    let mut rest = head;
    while let Some(at) = memchr(b'<', rest) {
        rest = &rest[at + 1..];
        if rest.starts_with(b"!--") {
            let Some(end) = memmem::find(&rest[3..], b"--") else { return };
            rest = &rest[3 + end..];
        } else if is_tag(rest, b"meta") {
            let Some(behind) = read_meta(&rest[4..], &mut found) else { return };
            rest = behind;
        } else if let Some(name) = [b"script".as_slice(), b"style", b"noscript", b"template"].into_iter().find(|name| is_tag(rest, name)) {
            let Some(behind) = behind_end_tag(rest, name) else { return };
            rest = behind;
        } else if is_tag(rest, b"body") || is_tag(rest, b"/head") {
            return;
        }
    }
}

/// Whether a tag called `name` begins here, behind its `<`.
fn is_tag(rest: &[u8], name: &[u8]) -> bool {
    rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        && rest.get(name.len()).is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'))
}

/// What follows the next `</name`.
fn behind_end_tag<'a>(rest: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    memmem::find_iter(rest, b"</").map(|at| &rest[at + 2..]).find(|behind| is_tag(behind, name))
}

/// Reads attributes up to `>` and returns what follows it.
fn read_meta<'a>(mut rest: &'a [u8], found: &mut impl FnMut(&'a [u8], &'a [u8])) -> Option<&'a [u8]> {
    let (mut name, mut content): (&[u8], &[u8]) = (b"", b"");
    loop {
        rest = rest.trim_ascii_start();
        match rest.first()? {
            b'>' => break,
            b'/' | b'=' => rest = &rest[1..],
            _ => {
                let (attribute, value, behind) = read_attribute(rest)?;
                if attribute.eq_ignore_ascii_case(b"content") {
                    content = value;
                } else if name.is_empty() && (attribute.eq_ignore_ascii_case(b"name") || attribute.eq_ignore_ascii_case(b"http-equiv")) {
                    name = value;
                }
                rest = behind;
            }
        }
    }
    if !name.is_empty() {
        found(name.trim_ascii(), content.trim_ascii());
    }
    Some(&rest[1..])
}

/// Name, value and what follows, as HTML's tokenizer cuts them; `None` where the tag has no end.
fn read_attribute(rest: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let end = rest.iter().position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'=' | b'>' | b'/'))?;
    let (name, behind) = rest.split_at(end);
    let Some(value) = behind.trim_ascii_start().strip_prefix(b"=") else { return Some((name, b"", behind)) };
    let value = value.trim_ascii_start();
    let quote = *value.first()?;
    if matches!(quote, b'"' | b'\'') {
        let end = 1 + memchr(quote, &value[1..])?;
        return Some((name, &value[1..end], &value[end + 1..]));
    }
    let end = value.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'>')?;
    Some((name, &value[..end], &value[end..]))
}
