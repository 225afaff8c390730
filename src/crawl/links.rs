//! The links of a page, as a browser would resolve them, and where a crawl should not follow them.

use std::collections::BTreeSet;

use html5gum::{Token, Tokenizer};
use url::Url;

use super::languages::is_wanted;
use crate::text::canonical::{Rules, join};

/// Links that are taken from one page.
const LINKS_MAX: usize = 2_000;
/// Bytes of an address.
const URL_BYTES_MAX: usize = 4_096;
/// Parts of a path.
const PATH_PARTS_MAX: usize = 20;
/// How often one part of a path may come again.
const REPEATS_MAX: usize = 3;
/// Parameters of an address.
const PARAMETERS_MAX: usize = 8;

/// Endings of what is no page.
const NO_PAGES: &[&str] = &[
    "jpg", "jpeg", "png", "gif", "webp", "avif", "svg", "ico", "bmp", "tif", "tiff", "mp3", "mp4", "m4a", "m4v", "avi", "mov", "mkv",
    "webm", "ogg", "wav", "flac", "zip", "gz", "tgz", "bz2", "xz", "7z", "rar", "exe", "msi", "dmg", "iso", "apk", "css", "js", "mjs",
    "json", "woff", "woff2", "ttf", "eot", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "epub", "pdf", "rss", "ics",
    "torrent",
];

/// The links of the page `html`, which stands at `url`: canonical, each once, in the order of the page. A page or a link that says
/// `nofollow` gives none. Translations in other languages than `languages` are left out, wherever else the page links to them; without any
/// language all are taken.
#[must_use]
pub fn links(html: &[u8], url: &Url, rules: &Rules, languages: &[String]) -> Vec<String> {
    let (mut base, mut found, mut seen) = (url.clone(), Vec::new(), BTreeSet::new());
    let is_foreign = |hreflang: Option<String>| {
        hreflang.is_some_and(|tag| !languages.is_empty() && !tag.eq_ignore_ascii_case("x-default") && !is_wanted(&tag, languages))
    };
    for token in Tokenizer::new(html).flatten() {
        let Token::StartTag(tag) = token else { continue };
        let attribute = |name: &[u8]| tag.attributes.get(name).map(|value| String::from_utf8_lossy(value).into_owned());
        match &*tag.name.0 {
            b"base" => base = attribute(b"href").and_then(|href| join(url, &href)).unwrap_or(base),
            b"meta" if is_nofollow_meta(attribute(b"name"), attribute(b"content")) => return Vec::new(),
            b"a" | b"area" | b"link" if is_foreign(attribute(b"hreflang")) => {
                let mut foreign = Vec::new();
                take(&base, attribute(b"href"), rules, &mut seen, &mut foreign);
            }
            b"a" | b"area" if !has_word(attribute(b"rel"), "nofollow") => take(&base, attribute(b"href"), rules, &mut seen, &mut found),
            b"link" if has_word(attribute(b"rel"), "alternate") && attribute(b"hreflang").is_some() => {
                take(&base, attribute(b"href"), rules, &mut seen, &mut found);
            }
            _ => {}
        }
        if found.len() == LINKS_MAX {
            break;
        }
    }
    found
}

fn take(base: &Url, href: Option<String>, rules: &Rules, seen: &mut BTreeSet<String>, found: &mut Vec<String>) {
    let resolved = href.and_then(|href| join(base, &href)).and_then(|url| rules.canonical(url.as_str()));
    if let Some(url) = resolved.filter(is_worth_following)
        && seen.insert(url.as_str().to_owned())
    {
        found.push(url.into());
    }
}

fn is_nofollow_meta(name: Option<String>, content: Option<String>) -> bool {
    name.is_some_and(|name| name.eq_ignore_ascii_case("robots"))
        && content.is_some_and(|content| {
            content.split(',').any(|word| word.trim().eq_ignore_ascii_case("nofollow") || word.trim().eq_ignore_ascii_case("none"))
        })
}

fn has_word(attribute: Option<String>, word: &str) -> bool {
    attribute.is_some_and(|value| value.split_ascii_whitespace().any(|one| one.eq_ignore_ascii_case(word)))
}

/// Whether an address can lead to a page that is not one of endlessly many: no trap, and no file that is no page.
#[must_use]
pub fn is_worth_following(url: &Url) -> bool {
    let last = url.path_segments().and_then(Iterator::last).and_then(|last| last.rsplit_once('.'));
    let ending = last.map(|(_, ending)| ending.to_ascii_lowercase());
    is_no_trap(url) && !ending.is_some_and(|ending| NO_PAGES.contains(&ending.as_str()))
}

/// Whether an address is not too long or deep, and has no part that comes again and again, no heap of parameters, and no calendar that
/// goes on for ever.
#[must_use]
pub fn is_no_trap(url: &Url) -> bool {
    if url.as_str().len() > URL_BYTES_MAX || !matches!(url.scheme(), "http" | "https") {
        return false;
    }
    let parts: Vec<&str> = url.path_segments().map(Iterator::collect).unwrap_or_default();
    let repeats = |part: &str| !part.is_empty() && parts.iter().filter(|other| **other == part).count() > REPEATS_MAX;
    if parts.len() > PATH_PARTS_MAX || parts.iter().any(|part| repeats(part)) {
        return false;
    }
    url.query().is_none_or(|query| query.split('&').count() <= PARAMETERS_MAX) && !is_far_date(url)
}

/// Whether a calendar is asked for a year that no page is about: links to the next month never end.
fn is_far_date(url: &Url) -> bool {
    let words = url.path().split('/').chain(url.query().unwrap_or_default().split(['&', '=', '-']));
    words.filter(|word| word.len() == 4).filter_map(|word| word.parse::<u16>().ok()).any(|year| (2_100..2_999).contains(&year))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(html: &str) -> Vec<String> {
        links(
            html.as_bytes(),
            &Url::parse("https://ostrov.example.cz/zpravy/dnes.html").expect("an address"),
            &Rules::new(true, true, &[]),
            &[],
        )
    }

    #[test]
    fn links_are_resolved_and_made_canonical_and_each_comes_once() {
        let html = "<a href='jina.html#dole'>a</a><A HREF=../o-nas?utm_source=x>b</A><a href=//jinde.example.cz/>c</a><a href=jina.html>d</a>\
                    <a href='mailto:x@y.cz'>e</a><a href='javascript:void(0)'>f</a><area href='/mapa'><a>g</a><a href='obr.JPG'>h</a>\
                    <link rel=alternate hreflang=sk href=/sk/dnes.html><link rel=stylesheet href=/a.css>";
        assert_eq!(
            found(html),
            [
                "https://ostrov.example.cz/zpravy/jina.html",
                "https://ostrov.example.cz/o-nas",
                "https://jinde.example.cz/",
                "https://ostrov.example.cz/mapa",
                "https://ostrov.example.cz/sk/dnes.html"
            ]
        );
        assert_eq!(found("<base href='/jiny/'><a href=x>x</a>"), ["https://ostrov.example.cz/jiny/x"]);
    }

    #[test]
    fn of_translations_only_those_in_wanted_languages_are_followed() {
        let html = "<link rel=alternate hreflang=sk href=/sk/><link rel=alternate hreflang=en href=/en/><link rel=alternate hreflang=x-default href=/>\
                    <a hreflang=de href=/de/>Deutsch</a><a href=/en/>English</a><a href=/dalej>d</a>";
        let page = Url::parse("https://ostrov.example.cz/cs/").expect("an address");
        let found = |languages: &[&str]| {
            let languages: Vec<String> = languages.iter().map(|tag| (*tag).to_owned()).collect();
            let links = links(html.as_bytes(), &page, &Rules::new(true, true, &[]), &languages);
            links.iter().map(|url| url.trim_start_matches("https://ostrov.example.cz").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found(&["cs", "sk"]), ["/sk/", "/", "/dalej"]);
        assert_eq!(found(&[]), ["/sk/", "/en/", "/", "/de/", "/dalej"]);
    }

    #[test]
    fn who_says_nofollow_is_heard() {
        assert!(found("<meta name=ROBOTS content='noindex, NoFollow'><a href=x>x</a>").is_empty());
        assert_eq!(found("<a rel='ugc nofollow' href=x>x</a><a rel=me href=y>y</a>"), ["https://ostrov.example.cz/zpravy/y"]);
    }

    #[test]
    fn traps_are_left_alone() {
        let is_worth = |url: &str| is_worth_following(&Url::parse(url).expect("an address"));
        for trap in [
            format!("https://a.cz/{}", "x".repeat(4_100)),
            "https://a.cz/a/b/a/b/a/b/a/b".to_owned(),
            format!("https://a.cz{}", "/a1/b2/c3/d4/e5/f6/g7".repeat(3)),
            "https://a.cz/?a&b&c&d&e&f&g&h&i".to_owned(),
            "https://a.cz/kalendar/2345/07".to_owned(),
            "https://a.cz/kalendar?mesic=2345-07".to_owned(),
            "https://a.cz/video.mp4".to_owned(),
        ] {
            assert!(!is_worth(&trap), "{trap}");
        }
        for page in ["https://a.cz/", "https://a.cz/2026/11/26/zprava.html", "https://a.cz/?id=4711&strana=2", "https://a.cz/a/a/a"] {
            assert!(is_worth(page), "{page}");
        }
        let packed = Url::parse("https://a.cz/mapa.xml.gz").expect("an address");
        assert!(is_no_trap(&packed) && !is_worth_following(&packed));
    }
}
