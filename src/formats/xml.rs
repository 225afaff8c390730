//! A walk through XML, in one pass and without a tree. No entity but the five of XML and the usual ones of HTML is known; a document that
//! declares its own is refused, and nothing outside of it is ever opened, so neither bombs nor foreign files get in.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::{Fault, entities};

/// How deep elements may stand inside of each other.
pub(super) const DEPTH_MAX: usize = 256;

/// How strict a walk is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rigour {
    /// XML as it is defined.
    Xml,
    /// HTML that is nearly XML: elements need no end.
    Html,
}

/// An opening tag.
pub(super) struct Tag<'a>(&'a str);

impl<'a> Tag<'a> {
    /// The value of the attribute with this name, whatever its prefix.
    pub(super) fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut rest = self.0;
        // Few tags have the attribute that is asked for; a search by name is quicker than the reading of all of them.
        while let Some(at) = memchr::memmem::find(rest.as_bytes(), name.as_bytes()) {
            let before = rest[..at].bytes().next_back();
            let behind = rest[at + name.len()..].trim_start();
            if before.is_none_or(|byte| byte.is_ascii_whitespace() || byte == b':')
                && let Some(value) = behind.strip_prefix('=').map(str::trim_start)
                && let Some(quote) = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))
            {
                return value[1..].split(quote).next().map(unescaped);
            }
            rest = &rest[at + name.len()..];
        }
        None
    }

    /// Whether the attribute has this value.
    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        self.attribute(name).is_some_and(|found| found == value)
    }
}

/// Who is told what the walk meets. Names come without their prefix.
pub(super) trait Visit {
    fn open(&mut self, name: &str, tag: &Tag<'_>);
    fn close(&mut self);
    fn text(&mut self, text: &str);
}

/// Walks through `xml`.
pub(super) fn walk(xml: &str, rigour: Rigour, visitor: &mut impl Visit) -> Result<(), Fault> {
    let mut reader = Reader::from_str(xml.trim_start_matches('\u{feff}').trim_start());
    let config = reader.config_mut();
    config.check_end_names = rigour == Rigour::Xml;
    config.allow_unmatched_ends = rigour == Rigour::Html;
    config.allow_dangling_amp = true;
    let mut depth = 0_usize;
    loop {
        match reader.read_event().map_err(|_| Fault::MalformedXml)? {
            Event::Start(start) => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return Err(Fault::TooDeep);
                }
                let name = start.local_name().into_inner();
                visitor.open(name, &Tag(start.attributes_raw()));
                if rigour == Rigour::Html && is_void(name) {
                    depth -= 1;
                    visitor.close();
                }
            }
            Event::Empty(start) => {
                visitor.open(start.local_name().into_inner(), &Tag(start.attributes_raw()));
                visitor.close();
            }
            Event::End(end) if depth == 0 || (rigour == Rigour::Html && is_void(end.local_name().into_inner())) => {}
            Event::End(_) => {
                depth -= 1;
                visitor.close();
            }
            Event::Text(text) => visitor.text(&text.into_inner()),
            Event::CData(text) => visitor.text(&text.into_inner()),
            Event::GeneralRef(name) => {
                let mut meant = String::new();
                entities::take(&format!("&{};", name.into_inner()), &mut meant);
                visitor.text(&meant);
            }
            Event::DocType(doctype) if doctype.borrow().into_inner().contains("<!ENTITY") => return Err(Fault::XmlEntities),
            Event::Eof if depth > 0 && rigour == Rigour::Xml => return Err(Fault::MalformedXml),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn is_void(name: &str) -> bool {
    matches!(name, "meta" | "link" | "br" | "hr" | "img" | "input" | "area" | "base" | "col" | "embed" | "source" | "track" | "wbr")
}

/// A value with its references undone.
fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('&') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = entities::take(rest, &mut out);
        if taken == 0 {
            out.push('&');
        }
        rest = &rest[taken.max(1)..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}
