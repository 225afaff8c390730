//! Sitemaps and feeds as hints where pages are: index, list or text (sitemaps.org), RSS and Atom, packed or not.
//!
//! Many are no well-formed XML, and nothing of them is needed but addresses, so tags are looked for and the rest is passed over: whatever
//! the bytes, what looks like an address in its place is one. A hint is a hint: who follows it asks the same questions as of any link.

use std::borrow::Cow;
use std::collections::BTreeSet;

use url::Url;

use super::links::{is_no_trap, is_worth_following};
use crate::archive::charset::{self, Hints};
use crate::archive::{coding, sniff};
use crate::text::address::host_of;
use crate::text::canonical::{Rules, join};
use crate::text::host::registrable_domain;

/// Bytes of a sitemap, unpacked (sitemaps.org).
const UNPACKED_BYTES_MAX: usize = 50 << 20;
/// Addresses in one sitemap (sitemaps.org).
const URLS_MAX: usize = 50_000;
/// Further sitemaps that one index may name. The protocol allows more; a site of a thousand times 50,000 pages is no site for one night.
const SITEMAPS_MAX: usize = 1_000;
/// Bytes of an address as it is written.
const URL_BYTES_MAX: usize = 4_096;
/// Bytes of an entity and its semicolon.
const ENTITY_BYTES_MAX: usize = 10;

/// What a sitemap names, as it is written there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sitemap {
    /// Pages.
    pub urls: Vec<String>,
    /// Further sitemaps.
    pub sitemaps: Vec<String>,
}

/// Reads a sitemap that came with the header `Content-Encoding: <coding>`.
#[must_use]
pub fn read(bytes: Vec<u8>, coding: &str) -> Sitemap {
    let Ok(body) = coding::decode(bytes, coding, UNPACKED_BYTES_MAX) else { return Sitemap::default() };
    let plain = in_utf8(body.bytes);
    let text = plain.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&plain).trim_ascii();
    if text.starts_with(b"<") { of_xml(text) } else { of_lines(text) }
}

/// The same text with one byte for a character of ASCII: some servers write UTF-16, with a mark at its beginning or without.
fn in_utf8(bytes: Vec<u8>) -> Vec<u8> {
    let is_wide = matches!(bytes[..], [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) || sniff::is_utf16(&bytes).is_some();
    if is_wide { charset::decode(bytes, Hints { markup: true, ..Hints::default() }).0.into_bytes() } else { bytes }
}

impl Sitemap {
    /// The addresses as a crawl takes them from a sitemap that stands at `base`: canonical, each once, of the same registrable domain, and no
    /// traps.
    #[must_use]
    pub fn resolved(&self, base: &Url, rules: &Rules) -> Sitemap {
        let all = |written: &[String], is_meant: &dyn Fn(&Url) -> bool| {
            let mut seen = BTreeSet::new();
            let urls = written.iter().filter_map(|written| resolve(written, base, rules)).filter(|url| is_meant(url)).map(String::from);
            urls.filter(|url| seen.insert(url.clone())).collect()
        };
        Sitemap { urls: all(&self.urls, &is_worth_following), sitemaps: all(&self.sitemaps, &is_no_trap) }
    }
}

/// The address that `written` is at `base`, if it is of the same registrable domain: nobody speaks for another's site.
#[must_use]
pub fn resolve(written: &str, base: &Url, rules: &Rules) -> Option<Url> {
    let url = join(base, written).and_then(|url| rules.canonical(url.as_str()))?;
    let domain = |url: &Url| registrable_domain(host_of(url.host_str().unwrap_or_default())).to_owned();
    (domain(&url) == domain(base)).then_some(url)
}

fn of_lines(text: &[u8]) -> Sitemap {
    let mut sitemap = Sitemap::default();
    for line in text.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii) {
        if line.starts_with(b"http://") || line.starts_with(b"https://") {
            sitemap.take(line, false);
        }
    }
    sitemap
}

fn of_xml(text: &[u8]) -> Sitemap {
    let (mut sitemap, mut rest, mut in_index) = (Sitemap::default(), text, false);
    while let Some((tag, behind)) = next_tag(rest) {
        rest = behind;
        match tag.name {
            b"sitemap" => in_index = !tag.closes,
            b"url" => in_index = false,
            _ if tag.closes => {}
            // Pictures have a `loc` of their own.
            b"loc" if tag.prefix != b"image:" => sitemap.take(&words(rest), in_index),
            b"link" => match tag.attribute(b"href") {
                Some(href) if tag.leads_to_a_page() => sitemap.take(href, false),
                Some(_) => {}
                None => sitemap.take(&words(rest), false),
            },
            _ => {}
        }
    }
    sitemap
}

impl Sitemap {
    fn take(&mut self, written: &[u8], is_sitemap: bool) {
        let (list, most) = if is_sitemap { (&mut self.sitemaps, SITEMAPS_MAX) } else { (&mut self.urls, URLS_MAX) };
        let written = written.trim_ascii();
        if !written.is_empty() && written.len() <= URL_BYTES_MAX && list.len() < most {
            list.push(decoded(&String::from_utf8_lossy(written)));
        }
    }
}

/// A tag: `<prefix:name attributes>`, or one that closes.
struct Tag<'a> {
    closes: bool,
    prefix: &'a [u8],
    name: &'a [u8],
    attributes: &'a [u8],
}

/// The next tag in `text`, and what comes behind it. Comments, declarations and instructions are passed over.
fn next_tag(text: &[u8]) -> Option<(Tag<'_>, &[u8])> {
    let mut rest = text;
    loop {
        rest = &rest[memchr::memchr(b'<', rest)? + 1..];
        if let Some(comment) = rest.strip_prefix(b"!--") {
            rest = behind(comment, b"-->")?;
        } else if let Some(data) = rest.strip_prefix(b"![CDATA[") {
            rest = behind(data, b"]]>")?;
        } else if !matches!(rest.first(), Some(b'!' | b'?')) {
            let inside = &rest[..memchr::memchr(b'>', rest)?];
            return Some((Tag::of(inside), &rest[inside.len() + 1..]));
        }
    }
}

fn behind<'a>(text: &'a [u8], end: &[u8]) -> Option<&'a [u8]> {
    memchr::memmem::find(text, end).map(|at| &text[at + end.len()..])
}

/// The text that `rest` begins with, up to the next tag.
fn words(rest: &[u8]) -> Cow<'_, [u8]> {
    let plain = &rest[..memchr::memchr(b'<', rest).unwrap_or(rest.len())];
    let Some(data) = rest[plain.len()..].strip_prefix(b"<![CDATA[") else { return Cow::Borrowed(plain) };
    let data = &data[..memchr::memmem::find(data, b"]]>").unwrap_or(0)];
    Cow::Owned([plain.trim_ascii(), data].concat())
}

impl<'a> Tag<'a> {
    fn of(inside: &'a [u8]) -> Tag<'a> {
        let (closes, inside) = inside.strip_prefix(b"/").map_or((false, inside), |inside| (true, inside));
        let length = inside.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'/').unwrap_or(inside.len());
        let (whole, attributes) = inside.split_at(length);
        let (prefix, name) = whole.split_at(memchr::memchr(b':', whole).map_or(0, |colon| colon + 1));
        Tag { closes, prefix, name, attributes }
    }

    fn attribute(&self, name: &[u8]) -> Option<&'a [u8]> {
        let mut rest = self.attributes;
        loop {
            let equals = memchr::memchr(b'=', rest)?;
            let known = rest[..equals].trim_ascii();
            let value = rest[equals + 1..].trim_ascii_start();
            let quote = *value.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
            let value = &value[1..];
            let end = memchr::memchr(quote, value)?;
            if known == name {
                return Some(&value[..end]);
            }
            rest = &value[end + 1..];
        }
    }

    /// Whether a `<link href=..>` leads to a page: Atom's are for the feed itself too, and for what is no page.
    fn leads_to_a_page(&self) -> bool {
        let kind = self.attribute(b"type").map(<[u8]>::to_ascii_lowercase).unwrap_or_default();
        let is_feed = memchr::memmem::find(&kind, b"xml").is_some() && memchr::memmem::find(&kind, b"html").is_none();
        self.attribute(b"rel").is_none_or(|rel| rel.eq_ignore_ascii_case(b"alternate")) && !is_feed
    }
}

/// `text` without the entities that XML knows. What is none stays.
fn decoded(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, from)) = rest.split_once('&') {
        plain.push_str(before);
        let end = from.bytes().take(ENTITY_BYTES_MAX).position(|byte| byte == b';');
        let found = end.and_then(|end| Some((entity(&from[..end])?, &from[end + 1..])));
        let (c, behind) = found.unwrap_or(('&', from));
        plain.push(c);
        rest = behind;
    }
    plain + rest
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let hexadecimal = number.strip_prefix(['x', 'X']).map(|digits| u32::from_str_radix(digits, 16).ok());
            char::from_u32(hexadecimal.unwrap_or_else(|| number.parse().ok())?)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, urls: &[&str], sitemaps: &[&str]) {
        let found = read(text.as_bytes().to_vec(), "");
        assert_eq!((found.urls, found.sitemaps), (owned(urls), owned(sitemaps)), "{text}");
    }

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn an_index_names_sitemaps_and_a_list_names_pages() {
        check(
            "\u{feff}<?xml version='1.0'?>\n<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><sitemap><loc> https://vas.example.hu/a.xml.gz\n\
             </loc><lastmod>2026-11-01</lastmod></sitemap><sitemap><loc>https://vas.example.hu/b.xml</loc></sitemap></sitemapindex>",
            &[],
            &["https://vas.example.hu/a.xml.gz", "https://vas.example.hu/b.xml"],
        );
        check(
            "<urlset><!-- <loc>https://vas.example.hu/rejtett</loc> --><url><loc>https://vas.example.hu/?a=1&amp;b=k&#246;nyv&#x141;</loc>\
             <image:image><image:loc>https://vas.example.hu/kep.jpg</image:loc></image:image>\
             <xhtml:link rel=\"alternate\" hreflang='de' href = \"https://vas.example.hu/de/\"/></url>\
             <url><loc><![CDATA[https://vas.example.hu/<2>&amp]]></loc></url></urlset>",
            &["https://vas.example.hu/?a=1&b=könyvŁ", "https://vas.example.hu/de/", "https://vas.example.hu/<2>&amp"],
            &[],
        );
        check("<sm:sitemap><sm:loc>/a</sm:loc></sm:sitemap><sm:url><sm:loc>/b</sm:loc></sm:url>", &["/b"], &["/a"]);
    }

    #[test]
    fn texts_and_feeds_name_pages() {
        check(
            "https://vas.example.hu/1\r\n\r\n http://vas.example.hu/2 \nnem cím\n",
            &["https://vas.example.hu/1", "http://vas.example.hu/2"],
            &[],
        );
        check(
            "<rss><channel><title>Hírek</title><link>https://vas.example.hu/</link><atom:link href='https://vas.example.hu/rss' rel='self'/>\
             <item><title><![CDATA[<link>https://vas.example.hu/nem</link>]]></title><link>https://vas.example.hu/hir</link></item></channel></rss>",
            &["https://vas.example.hu/", "https://vas.example.hu/hir"],
            &[],
        );
        check(
            "<feed><link rel='self' href='/atom'/><entry><link href='/1'/><link rel='alternate' type='text/html' href='/2'/>\
             <link rel='enclosure' href='/3.mp3'/><link rel='alternate' type='application/rss+xml' href='/4'/></entry></feed>",
            &["/1", "/2"],
            &[],
        );
    }

    #[test]
    fn wide_characters_are_read_too() {
        let text = "<?xml version='1.0' encoding='UTF-16'?><urlset><url><loc>https://vas.example.hu/könyv</loc></url></urlset>";
        let units = || text.encode_utf16();
        let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
        for bytes in [[&b"\xff\xfe"[..], &little].concat(), [&b"\xfe\xff"[..], &big].concat(), little, big] {
            assert_eq!(read(bytes, "").urls, ["https://vas.example.hu/könyv"]);
        }
        let list: Vec<u8> = "\u{feff}https://vas.example.hu/1\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(list, "").urls, ["https://vas.example.hu/1"]);
    }

    #[test]
    fn broken_ones_give_what_they_have() {
        check(
            "<urlset><url><loc>https://vas.example.hu/1<url><loc>https://vas.example.hu/2</loc><loc></loc><loc",
            &["https://vas.example.hu/1", "https://vas.example.hu/2"],
            &[],
        );
        check(
            "<loc>https://vas.example.hu/?a&b&c;&#xD800;&#99999999;&</loc>",
            &["https://vas.example.hu/?a&b&c;&#xD800;&#99999999;&"],
            &[],
        );
        check("<link href=unquoted/><link href='open><loc>/1</loc>", &["/1"], &[]);
        check("<!-- <loc>/1</loc>", &[], &[]);
        check("", &[], &[]);
    }

    #[test]
    fn only_addresses_of_the_own_domain_that_are_no_traps_count_and_each_once() {
        let base = Url::parse("https://www.vas.example.hu/terkep/index.xml").expect("an address");
        let written =
            ["a", "/a?utm_source=x", "https://hirek.example.hu/b#c", "https://mas.example.sk/", "/kep.jpg", "/x.xml.gz", "/2345/01"];
        let named = Sitemap { urls: owned(&written), sitemaps: owned(&written) };
        let pages = ["https://www.vas.example.hu/terkep/a", "https://www.vas.example.hu/a", "https://hirek.example.hu/b"];
        let found = named.resolved(&base, &Rules::new(true, true, &[]));
        assert_eq!(found.urls, pages);
        assert_eq!(found.sitemaps[3..], ["https://www.vas.example.hu/kep.jpg", "https://www.vas.example.hu/x.xml.gz"]);
    }

    #[test]
    fn packed_ones_are_read_and_no_list_is_longer_than_its_limit() {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        for number in 0..60_000 {
            write!(packer, "<url><loc>/{number}</loc></url>").expect("memory");
        }
        for number in 0..2_000 {
            write!(packer, "<sitemap><loc>/{number}.xml</loc></sitemap>").expect("memory");
        }
        packer.write_all(format!("<loc>{}</loc>", "x".repeat(5_000)).as_bytes()).expect("memory");
        let packed = packer.finish().expect("memory");
        for coding in ["", "gzip"] {
            let found = read(packed.clone(), coding);
            assert_eq!((found.urls.len(), found.sitemaps.len()), (50_000, 1_000));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(bytes in proptest::collection::vec(any::<u8>(), 0..300), parts in proptest::collection::vec(0_usize..16, 0..40)) {
            const PARTS: [&str; 16] = [
                "<loc>", "</loc>", "<sitemap>", "</sitemap>", "<link href='", "'", ">", "<![CDATA[", "]]>", "<!--", "-->", "&#x", ";", "/1", "<", "é",
            ];
            let text: String = parts.into_iter().map(|part| PARTS[part]).collect();
            let _ = read(text.into_bytes(), "");
            let _ = read([b"<".as_slice(), &bytes].concat(), "");
            let _ = read(bytes, "gzip, br");
        }
    }
}
