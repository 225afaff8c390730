//! Finds the `<meta>` and `<link>` tags and the embedded licences of a page's head without parsing the page: comments, other scripts and
//! styles are stepped over, the rest is searched for `<`. Linear in the bytes; markup that never ends a tag or a script ends the search.

use memchr::{memchr, memmem};

use super::rsl;

/// What a tag's attributes say; nothing is decoded or changed in case, and what is not there is empty.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tag<'a> {
    pub(super) is_link: bool,
    /// A script that is no program: `content` is what stands in it.
    pub(super) is_data: bool,
    /// `name` or `http-equiv`.
    pub(super) name: &'a [u8],
    pub(super) content: &'a [u8],
    pub(super) rel: &'a [u8],
    /// `type`.
    pub(super) kind: &'a [u8],
    pub(super) href: &'a [u8],
}

/// Calls `found` with every `<meta>`, `<link>` and script of the type of licences before the body.
pub(super) fn each_tag<'a>(head: &'a [u8], mut found: impl FnMut(Tag<'a>)) {
    let mut rest = head;
    while let Some(at) = memchr(b'<', rest) {
        rest = &rest[at + 1..];
        if rest.starts_with(b"!--") {
            let Some(end) = memmem::find(&rest[3..], b"--") else { return };
            rest = &rest[3 + end..];
        } else if is_tag(rest, b"meta") || is_tag(rest, b"link") {
            let mut tag = Tag { is_link: is_tag(rest, b"link"), ..Tag::default() };
            let Some(behind) = tag.read(&rest[4..]) else { return };
            found(tag);
            rest = behind;
        } else if let Some(name) = [b"script".as_slice(), b"style", b"noscript", b"template"].into_iter().find(|name| is_tag(rest, name)) {
            let Some(behind) = behind_end_tag(rest, name) else { return };
            let whole = &rest[..rest.len() - behind.len()];
            let mut tag = Tag { is_data: true, ..Tag::default() };
            if *name == *b"script"
                && let Some(inner) = tag.read(&whole[name.len()..])
                && rsl::is_licence_type(tag.kind)
            {
                tag.content = inner.strip_suffix(b"</").unwrap_or(inner).trim_ascii();
                found(tag);
            }
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

impl<'a> Tag<'a> {
    /// Reads attributes up to `>` and returns what follows it; `None` where the tag has no end.
    fn read(&mut self, mut rest: &'a [u8]) -> Option<&'a [u8]> {
        loop {
            rest = rest.trim_ascii_start();
            match rest.first()? {
                b'>' => return Some(&rest[1..]),
                b'/' | b'=' => rest = &rest[1..],
                _ => {
                    let (attribute, value, behind) = read_attribute(rest)?;
                    self.take(attribute, value.trim_ascii());
                    rest = behind;
                }
            }
        }
    }

    fn take(&mut self, attribute: &[u8], value: &'a [u8]) {
        let is = |known: &str| attribute.eq_ignore_ascii_case(known.as_bytes());
        if is("content") {
            self.content = value;
        } else if is("rel") {
            self.rel = value;
        } else if is("type") {
            self.kind = value;
        } else if is("href") {
            self.href = value;
        } else if self.name.is_empty() && (is("name") || is("http-equiv")) {
            self.name = value;
        }
    }
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
