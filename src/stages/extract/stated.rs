//! What a page states about itself: title, author, date, language, licence, canonical address.

use url::Url;

use super::entities;
use super::linked::{KINDS, kind_of};
use super::tokens::attributes;
use super::tree::{Deed, Stated};

impl Stated {
    pub(super) fn read_html(&mut self, raw: &str) {
        for (name, value) in attributes(raw) {
            let is_lang = name.eq_ignore_ascii_case("lang") || (name.eq_ignore_ascii_case("xml:lang") && self.html_lang.is_none());
            if is_lang && !value.trim().is_empty() {
                self.html_lang = Some(entities::decode(value));
            }
        }
    }

    pub(super) fn read_meta(&mut self, raw: &str) {
        let (mut key, mut content) = ("", "");
        for (name, value) in attributes(raw) {
            match name.to_ascii_lowercase().as_str() {
                "name" | "property" | "http-equiv" | "itemprop" => key = value.trim(),
                "content" => content = value.trim(),
                _ => {}
            }
        }
        if content.is_empty() {
            return;
        }
        match key.to_ascii_lowercase().as_str() {
            "og:title" => keep_first(&mut self.social_title, content),
            "og:type" => self.kinds |= kind_of(content) << KINDS,
            "og:url" => keep_first(&mut self.social_address, content),
            "author" | "article:author" | "dc.creator" | "dcterms.creator" | "parsely-author" if !content.starts_with("http") => {
                keep_first(&mut self.author, content);
            }
            "article:published_time"
            | "datepublished"
            | "date"
            | "dc.date"
            | "dc.date.issued"
            | "dcterms.date"
            | "dcterms.created"
            | "parsely-pub-date"
            | "pubdate"
            | "publish-date" => keep_first(&mut self.date, content),
            "content-language" | "language" | "dc.language" => keep_first(&mut self.meta_lang, content),
            "license" | "licence" | "dc.rights" | "dcterms.license" | "dcterms.rights" | "dc.rights.license"
                if content.starts_with("http") =>
            {
                keep_first(&mut self.licence, content);
            }
            _ => {}
        }
    }

    pub(super) fn read_link(&mut self, raw: &str) {
        let (mut rel, mut href) = ("", "");
        for (name, value) in attributes(raw) {
            match name {
                "rel" | "REL" => rel = value,
                "href" | "HREF" => href = value,
                _ => {}
            }
        }
        if says_licence(rel) && !href.is_empty() {
            keep_first(&mut self.licence, href);
        }
        if rel.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("canonical")) && !href.is_empty() {
            keep_first(&mut self.canonical, href);
        }
    }

    pub(super) fn read_anchor(&mut self, href: &str, rel: &str) {
        if says_licence(rel) {
            return keep_first(&mut self.licence, href);
        }
        if !href.contains("creativecommons.org/") {
            return;
        }
        if let Some(deed) = deed(href) {
            match &self.deed {
                Deed::None => self.deed = Deed::One(deed),
                Deed::One(known) if *known != deed => self.deed = Deed::Several,
                _ => {}
            }
        }
    }

    /// The licence as a URL, relative to the page's own.
    pub(super) fn licence_at(&self, page: &str) -> Option<String> {
        let stated = match (&self.licence, &self.deed) {
            (Some(href), _) | (None, Deed::One(href)) => href,
            _ => return None,
        };
        absolute(stated, page)
    }

    /// The address that the page calls its own, relative to the one it was found at.
    pub(super) fn canonical_at(&self, page: &str) -> Option<String> {
        absolute(self.canonical.as_ref().or(self.social_address.as_ref())?, page)
    }

    /// Who wrote it, on one clean line.
    pub(super) fn clean_author(&self) -> Option<String> {
        self.author.as_deref().map(clean_title).filter(|author| !author.is_empty())
    }

    /// When it was published, as written: years first, else nobody could tell days from months.
    pub(super) fn clean_date(&self) -> Option<String> {
        let date = self.date.as_deref()?.trim();
        let digits = date.bytes().take(4).filter(u8::is_ascii_digit).count();
        let plain = date.len() <= DATE_BYTES_MAX && date.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -:+./".contains(&byte));
        (digits == 4 && plain && date.len() >= "2024-03-01".len()).then(|| date.to_owned())
    }

    /// The title: for machines first, as it has no site name in it, then the page's, then the heading given.
    pub(super) fn best_title(&self, heading: Option<&str>) -> Option<String> {
        let candidates = [self.social_title.as_deref(), self.title.as_deref(), heading];
        candidates.into_iter().flatten().map(clean_title).find(|title| !title.is_empty())
    }
}

/// A date with a time, parts of a second and a zone.
const DATE_BYTES_MAX: usize = 40;

/// An address on the web, relative to the page's.
fn absolute(address: &str, page: &str) -> Option<String> {
    let base = Url::parse(page).ok();
    let found = Url::options().base_url(base.as_ref()).parse(address).ok()?;
    matches!(found.scheme(), "http" | "https").then(|| found.into())
}

fn keep_first(place: &mut Option<String>, value: &str) {
    if place.is_none() {
        *place = Some(entities::decode(value));
    }
}

fn says_licence(rel: &str) -> bool {
    rel.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("license"))
}

/// A link to the deed of a licence, `https://creativecommons.org/licenses/by/4.0/`, without the language that may follow.
fn deed(href: &str) -> Option<String> {
    let at = href.find("creativecommons.org/")?;
    let mut parts = href[at..].split('/').skip(1);
    let kind = parts.next().filter(|kind| matches!(*kind, "licenses" | "publicdomain"))?;
    let (name, version) = (parts.next()?, parts.next().unwrap_or(""));
    let version = version.split(['?', '#']).next().unwrap_or("");
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'+'));
    (!name.is_empty() && plain(name) && plain(version)).then(|| match version {
        "" => format!("https://creativecommons.org/{kind}/{name}/"),
        _ => format!("https://creativecommons.org/{kind}/{name}/{version}/"),
    })
}

/// One line without control characters.
fn clean_title(title: &str) -> String {
    let mut line = String::with_capacity(title.len());
    super::clean::clean_into(title, false, &mut line);
    super::clean::nfc(line.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_is_taken_where_it_is_stated_and_made_absolute() {
        let mut stated = Stated::default();
        stated.read_link(r#" rel="license" href="/licenza.html""#);
        assert_eq!(stated.licence_at("https://example.it/a/b").as_deref(), Some("https://example.it/licenza.html"));
    }

    #[test]
    fn a_page_that_links_to_several_deeds_states_none() {
        let mut stated = Stated::default();
        stated.read_anchor("http://creativecommons.org/licenses/by-sa/3.0/deed.de", "");
        assert_eq!(stated.licence_at("").as_deref(), Some("https://creativecommons.org/licenses/by-sa/3.0/"));
        stated.read_anchor("https://creativecommons.org/licenses/by/4.0/", "");
        assert_eq!(stated.licence_at(""), None);
    }

    #[test]
    fn a_script_link_is_no_licence() {
        let mut stated = Stated::default();
        stated.read_anchor("javascript:alert(1)", "license");
        assert_eq!(stated.licence_at("https://example.it/"), None);
    }

    #[test]
    fn the_social_title_comes_first_and_is_one_clean_line() {
        let mut stated = Stated { title: Some("Virsraksts | Vietne".into()), ..Stated::default() };
        assert_eq!(stated.best_title(None).as_deref(), Some("Virsraksts | Vietne"));
        stated.read_meta(
            r#" property="og:title" content="Virs&shy;raksts
           te""#,
        );
        assert_eq!(stated.best_title(Some("h1")).as_deref(), Some("Virsraksts te"));
    }
}
